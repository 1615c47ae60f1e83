"""A run: the folder of one training, and everything that can be asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    from seqdl.experiment.along import Held
    from seqdl.experiment.given import Given
    from seqdl.experiment.reconstruct import GivenBack
    from seqdl.motif.motif import Motif
    from seqdl.tasks.base import Task
    from seqdl.types import Codes, Floats


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
    def _device(self) -> str:
        return str(self.config.get("device", "auto"))

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

        return prediction_table(self.task, self.data, device=self._device)

    def evaluate(self, split: str = "test") -> Evaluation:
        """Measure the network on a split.

        Parameters
        ----------
        split : {"test", "val"}, default "test"

        Returns
        -------
        Evaluation
            Metric -> {"value", "low", "high"}: 95 % intervals by bootstrap. Prints as a table. Of a language model bits per base, of an
            autoencoder the share of bases that it gives back.

        Raises
        ------
        InputError
            If the split is neither, or the network predicts nothing.
        """
        if split not in ("val", "test"):
            raise InputError(f"split '{split}': 'test' or 'val' was expected (measuring on training examples says nothing).")
        if self.task.family == "language":
            from seqdl.experiment.language import evaluate_language

            return Evaluation(evaluate_language(self, split))
        if self.task.family == "autoencoder":
            from seqdl.experiment.autoencoder import evaluate_autoencoder

            return Evaluation(evaluate_autoencoder(self, split))
        if self.task.family == "generator":
            raise InputError(
                f"{self}: the network writes sequences and predicts none, so that a split has nothing to measure: samples are judged instead. "
                "Use seqdl.judge_sequences(run.generate(1000), real)."
            )
        if self.task.per_base:
            from seqdl.experiment.along import evaluate_along

            return Evaluation(evaluate_along(self, split))
        by = yardstick(measured_as(self.task, self.data), self.task.outputs)
        return Evaluation(evaluate_predictions(self.predictions, by, seed=self.seed)[split])

    def baselines(self, *, motifs: Sequence[Motif] | None = None) -> pd.DataFrame:
        """Measure the network on its test split beside what needs no network, as `seqdl evaluate` does.

        Parameters
        ----------
        motifs : sequence of Motif, optional
            Candidates for the best known motif; by default those of the run's database. An empty one leaves that baseline out.

        Returns
        -------
        DataFrame
            A row "network", then one a baseline; of each headline metric three columns, such as auroc, auroc_low, auroc_high (95 % by
            bootstrap; NaN where there is no interval).
        """
        from seqdl.experiment.measure import baseline_table, measure

        return baseline_table(measure(self, motifs=motifs))

    def along(self, split: str = "test") -> Held:
        """Return what is true and what is predicted at every base of a held-out split, of a task per base.

        Parameters
        ----------
        split : {"test", "val"}, default "test"

        Returns
        -------
        Held
            `rows` (n,) of the data, `truth` and `guess` (n, T, L) behind the link; NaN in the padding.

        Raises
        ------
        InputError
            If the task predicts whole sequences, or nothing.
        """
        if not self.task.per_base or self.task.family != "supervised":
            raise InputError(
                f"{self}: the task {type(self.task).__name__} predicts nothing at every base: one such as segmentation or profile was expected. "
                "Use run.predict, or run.base_bits of a language model."
            )
        from seqdl.experiment.along import held_of

        return held_of(self, split)

    def predict(self, sequences: Given) -> pd.DataFrame:
        """Predict sequences.

        Parameters
        ----------
        sequences : path of a FASTA, list of str or of codes, codes (N, L), or one-hot (N, 4, L)
            Of any length that the network takes.

        Returns
        -------
        DataFrame
            id, prediction, logit (with the output's name behind them where there are several).
        """
        import pandas as pd

        from seqdl.experiment.given import read_sequences
        from seqdl.experiment.predict import predict_logits, prediction_columns

        names, some = read_sequences(sequences)
        lengths = None if some.length else some.lengths
        logits = predict_logits(self.task, some.codes, lengths=lengths, device=self._device)
        return pd.DataFrame({"id": names, **prediction_columns(self.task, logits, lengths=lengths)})

    def embed(self, sequences: Given) -> Floats:
        """Return the latents of sequences: an autoencoder's own, of any other network the mean of its features.

        Parameters
        ----------
        sequences : path of a FASTA, list of str or of codes, codes (N, L), or one-hot (N, 4, L)

        Returns
        -------
        float32 array, (N, Z)
            In the order of the sequences; the columns z1, z2, ... of `seqdl embed`.

        Raises
        ------
        InputError
            If a sequence has a length that the network cannot take.
        """
        from seqdl.experiment.embed import embed_sequences

        return embed_sequences(self.task, sequences, device=self._device)

    def reconstruct(self, sequences: Given) -> GivenBack:
        """Return what an autoencoder gives back of sequences, as `seqdl reconstruct` does.

        Parameters
        ----------
        sequences : path of a FASTA, list of str or of codes, codes (N, L), or one-hot (N, 4, L)
            Of the length that the network was made for.

        Returns
        -------
        GivenBack
            `codes` (N, L): the likeliest bases; `table`: a score a sequence; `share`: of all bases, how many are given back.

        Raises
        ------
        InputError
            If the network is no autoencoder, or a sequence has another length.
        """
        from seqdl.experiment.reconstruct import reconstruct_sequences

        return reconstruct_sequences(self.task, sequences)

    def base_bits(self, sequences: Given) -> Floats:
        """Return how surprising each base is to a language model; 2 bits is chance.

        Parameters
        ----------
        sequences : path of a FASTA, list of str or of codes, codes (N, L), or one-hot (N, 4, L)

        Returns
        -------
        float32 array, (N, L)
            Bits; NaN where a base is not asked: ambiguous ones, padding, and of a masked model what it was shown. The mean of what is
            asked is `bits_per_base`.

        Raises
        ------
        InputError
            If the network is no language model.
        """
        from seqdl.experiment.given import read_sequences
        from seqdl.experiment.language import base_bits
        from seqdl.tasks.language import Language

        if not isinstance(self.task, Language):
            raise InputError(
                f"{self}: the task {type(self.task).__name__} says no probability of a base: a language model, next_base or masked, was expected. "
                "Train one with that task."
            )
        _, some = read_sequences(sequences)
        return base_bits(self.task, some.codes, lengths=None if some.length else some.lengths, device=self._device)

    def generate(
        self,
        n: int = 1000,
        *,
        length: int | None = None,
        temperature: float | None = None,
        prompt: str | None = None,
        condition: str | float | None = None,
        seed: int = 0,
    ) -> Codes:
        """Draw sequences from a language model, a VAE or a GAN: the same as `seqdl generate` for the same seed.

        Parameters
        ----------
        n : int, default 1000
        length : int, optional
            bp, of a language model; by default that of the training sequences.
        temperature : float, above 0, optional
            Of a language model: below 1 likely bases become likelier.
        prompt : str, optional
            Of a language model: the bases that every sequence begins with.
        condition : str or float, optional
            Of a conditional model: the class, by name or number, or the number to draw for.
        seed : int, default 0

        Returns
        -------
        uint8 array, (n, length)
            Codes; `seqdl.decode` makes letters of a row, `seqdl.write_fasta` a file of all.

        Raises
        ------
        InputError
            If the network writes no sequences, or draws without what was given.
        """
        from seqdl.experiment.samples import generate

        return generate(self.task, n, length=length, seed=seed, temperature=temperature, prompt=prompt, condition=condition)

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
