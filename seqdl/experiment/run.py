"""A run: the folder of one training, and everything that can be asked of it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqdl.errors import InputError, MissingFileError
from seqdl.experiment.checkpoint import load_task
from seqdl.experiment.config import config_of_run, read_config
from seqdl.experiment.evaluate import Evaluation, evaluate_predictions
from seqdl.experiment.prepare import prepare
from seqdl.experiment.provenance import read_json
from seqdl.experiment.yardstick import measured_as, yardstick

if TYPE_CHECKING:
    import pandas as pd

    from seqdl.data.dataset import SequenceData
    from seqdl.tasks.base import Task


class Run:
    """The folder of one training.

    Parameters
    ----------
    folder : Path
    task : Task, optional
        The trained task; read from checkpoints/best.ckpt where it is not given.
    data : SequenceData, optional
        The examples; made again from config.yaml where they are not given.
    """

    def __init__(self, folder: str | Path, *, task: Task | None = None, data: SequenceData | None = None) -> None:
        self.folder = Path(folder)
        if task is not None:
            self.task = task
        if data is not None:
            self.data = data

    def __repr__(self) -> str:
        return f"Run('{self.folder}')"

    @cached_property
    def task(self) -> Task:
        """The trained task."""
        return load_task(self.folder / "checkpoints" / "best.ckpt")

    @cached_property
    def config(self) -> dict[str, Any]:
        """The resolved config as nested dictionaries."""
        return read_config(self.folder / "config.yaml")

    @cached_property
    def data(self) -> SequenceData:
        """The examples of data/examples.tsv, with what surrounds them where the network reads it."""
        config = config_of_run(self.config)
        if not config.data.names_inputs:
            raise MissingFileError(
                f"{self.folder}: this run was trained from Python, on data that its config does not name. "
                "Give the data: seqdl.Run(folder, data=data), or INPUTS on the command line."
            )
        return prepare(config)

    @property
    def seed(self) -> int:
        """The seed of the run."""
        return int(self.config.get("seed", 0))

    @property
    def has_filters(self) -> bool:
        """Whether the network begins with filters over the bases, which can be read as motifs."""
        from seqdl.experiment.motif_members import networks_of

        try:
            networks_of(self.task)
        except InputError:
            return False
        return True

    @property
    def metrics(self) -> dict[str, Any]:
        """What metrics.json holds."""
        return dict(read_json(self.folder / "metrics.json"))

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """Predictions for validation and test: id, split, target, prediction, logit."""
        from seqdl.experiment.predict import prediction_table

        return prediction_table(self.task, self.data, device=self.config.get("device", "auto"))

    def evaluate(self, split: str = "test") -> Evaluation:
        """Measure the network on a split.

        Parameters
        ----------
        split : {"test", "val"}, default "test"

        Returns
        -------
        Evaluation
            Metric -> {"value", "low", "high"}: 95 % intervals by bootstrap. Prints as a table.

        Raises
        ------
        InputError
            If the split is neither.
        """
        if split not in ("val", "test"):
            raise InputError(f"split '{split}': 'test' or 'val' was expected (measuring on training examples says nothing).")
        if self.task.per_base:
            from seqdl.experiment.along import evaluate_along

            return Evaluation(evaluate_along(self, split))
        by = yardstick(measured_as(self.task, self.data), self.task.outputs)
        return Evaluation(evaluate_predictions(self.predictions, by, seed=self.seed)[split])

    def predict(self, sequences: Any) -> pd.DataFrame:
        """Predict sequences.

        Parameters
        ----------
        sequences : list of str, or codes (N, L)
            Of any length that the network takes.

        Returns
        -------
        DataFrame
            id, prediction, logit (with the output's name behind them where there are several).
        """
        import pandas as pd

        from seqdl.data.dataset import SequenceData
        from seqdl.experiment.predict import predict_logits, prediction_columns
        from seqdl.sequence.encode import encode

        codes = list(sequences) if isinstance(sequences, np.ndarray) else [encode(s) for s in sequences]
        names = [f"sequence{i}" for i in range(1, len(codes) + 1)]
        packed = SequenceData.from_sequences(codes, np.zeros(len(codes)), ["test"] * len(codes), names=names)
        logits = predict_logits(self.task, packed.codes, lengths=packed.lengths, device=self.config.get("device", "auto"))
        return pd.DataFrame({"id": names, **prediction_columns(self.task, logits, lengths=packed.lengths)})

    def motifs(self, database: str | None = None) -> pd.DataFrame:
        """Turn the filters into named motifs and write them into motifs/.

        Parameters
        ----------
        database : str, optional
            "jaspar", "jaspar:fungi" or a motif file; by default that of the config.

        Returns
        -------
        DataFrame
            One row a motif, most important first.
        """
        from seqdl.experiment.motif_files import write_motifs
        from seqdl.experiment.motifs import extract_motifs
        from seqdl.io.databases import load_database

        known = load_database(database or self.config.get("database") or "jaspar")
        found = extract_motifs(self.task, self.data, known, seed=self.seed)
        write_motifs(self.folder / "motifs", found, length=self.data.length)
        return found.table

    def report(self) -> Path:
        """Make what the report lacks (metrics, motifs, example tracks) and write report.html.

        Returns
        -------
        Path
            Of the page.
        """
        from seqdl.experiment.complete import complete

        return complete(self)


def load_run(folder: str | Path) -> Run:
    """Open the folder of a finished training.

    Parameters
    ----------
    folder : str or Path
        What `seqdl train -o` or `seqdl.fit(folder=...)` wrote.

    Returns
    -------
    Run

    Raises
    ------
    MissingFileError
        If it is no run folder.
    """
    folder = Path(folder)
    for name in ("config.yaml", "checkpoints/best.ckpt"):
        if not (folder / name).is_file():
            raise MissingFileError(f"{folder}: there is no {name}, so this is not the folder of a finished run. Give what seqdl train -o wrote.")
    return Run(folder)
