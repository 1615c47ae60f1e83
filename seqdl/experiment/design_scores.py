"""What a design is scored by, and what it is checked by: a network, or a part of an ensemble, as one number a sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from seqdl.errors import InputError, SeqdlError, UnknownNameError
from seqdl.experiment.predict import linked
from seqdl.experiment.tile import check_signals
from seqdl.io.table import read_tsv
from seqdl.tasks.ensemble import Ensemble

if TYPE_CHECKING:
    from seqdl.experiment.run import Run
    from seqdl.tasks.base import Task
    from seqdl.types import Codes, Floats

WIDEST = 2.0**40
"""No logit beyond this is looked for."""


class Predictor(nn.Module):
    """One output of a task as a score: its logit, or the log-odds of its class where classes exclude each other.

    Parameters
    ----------
    task : Task
        Supervised, with one prediction a sequence.
    output : int
    members : slice, optional
        Of an ensemble, those that are asked; their mean is brought to the scale of the whole.
    """

    def __init__(self, task: Task, output: int, *, members: slice | None = None) -> None:
        super().__init__()
        self.task, self.output, self.members = task, output, members

    def forward(self, x: Tensor) -> Tensor:
        """Return scores (B,) of one-hot (B, 4, L)."""
        logits = self._logits(x)
        score = logits[:, self.output]
        if not self.task.exclusive or logits.shape[1] == 1:
            return score
        others = torch.cat([logits[:, : self.output], logits[:, self.output + 1 :]], dim=1)
        return score - torch.logsumexp(others, dim=1)

    def _logits(self, x: Tensor) -> Tensor:
        if self.members is None or not isinstance(self.task, Ensemble):
            return self.task.logits(x)
        chosen = range(len(self.task.tasks))[self.members]
        return self.task.combined(torch.stack([self.task.tasks[k].logits(x) for k in chosen]), chosen)

    def prediction(self, scores: Floats) -> Floats:
        """Return what the network would predict, (N,), for scores (N,)."""
        if self.task.exclusive and len(self.task.outputs) > 1:
            return np.asarray(1 / (1 + np.exp(-np.asarray(scores, dtype=np.float64))))
        columns = np.zeros((len(scores), len(self.task.outputs)))
        columns[:, self.output] = scores
        return linked(self.task, columns)[:, self.output]

    def score_of(self, prediction: float) -> float:
        """Return the score at which the network predicts a number.

        Raises
        ------
        InputError
            If it never does.
        """
        low, high = -1.0, 1.0
        with np.errstate(over="ignore"):
            while not self.prediction(np.array([low]))[0] < prediction < self.prediction(np.array([high]))[0]:
                low, high = 2 * low, 2 * high
                if high > WIDEST:
                    least, most = self.prediction(np.array([low, high]))
                    raise InputError(
                        f"--towards {prediction:g}: the network predicts numbers between {least:g} and {most:g}, and one of them was expected. "
                        "Give such a number, or say max or min."
                    )
            for _ in range(100):
                middle = (low + high) / 2
                low, high = (middle, high) if self.prediction(np.array([middle]))[0] < prediction else (low, middle)
        return (low + high) / 2


@dataclass(frozen=True)
class Checked:
    """What designs are checked by.

    Attributes
    ----------
    predictor : Predictor
    said : str
        What it is, in words.
    apart : bool
        Whether it is a run of its own, rather than a member that saw the same examples.
    """

    predictor: Predictor
    said: str
    apart: bool


def check_predicts(run: Run) -> None:
    """Raise `InputError` unless a run predicts something of each sequence from its bases alone."""
    task = run.task
    if task.family != "supervised" or task.per_base:
        what = "learns without labels" if task.family != "supervised" else "predicts along the sequence"
        kind = run.config["task"]["name"]
        raise InputError(
            f"{run.folder}: the task {kind} {what}; a run with one prediction a sequence was expected (binary, multiclass, regression, counts). "
            "Give such a run; a vae or gan run goes behind --generator."
        )
    check_signals(task, 0)


def predictors(run: Run, output: int, check: Run | None = None) -> tuple[Predictor, Checked | None]:
    """Return what is optimised, and what it is checked by: another run, or the last member of an ensemble, which is then left out.

    Raises
    ------
    InputError
        If one of the runs predicts nothing of a sequence, or both are one.
    UnknownNameError
        If the other run has no output of that name.
    """
    check_predicts(run)
    task, name = run.task, run.task.outputs[output]
    if check is not None:
        check_predicts(check)
        if check.folder.resolve() == run.folder.resolve():
            raise InputError(
                f"--check {check.folder}: is the run that is optimised; a run that was trained apart was expected. Train one with another --seed."
            )
        names = check.task.outputs
        if name not in names and len(names) > 1:
            raise UnknownNameError("output of the run to check by", name, names)
        other = Predictor(check.task, names.index(name) if name in names else 0)
        return Predictor(task, output), Checked(other, f"the run {check.folder.name}", apart=True)
    if isinstance(task, Ensemble) and len(task.tasks) > 1:
        kept = len(task.tasks) - 1
        last = Predictor(task, output, members=slice(kept, None))
        said = f"the last of the {kept + 1} members of the ensemble, which was left out of the optimisation"
        return Predictor(task, output, members=slice(0, kept)), Checked(last, said, apart=False)
    return Predictor(task, output), None


def check_lengths(predictor: Predictor, codes: Sequence[Codes], *, what: str = "the network") -> None:
    """Raise `InputError` where a network cannot take sequences of such a length."""
    for size in sorted({len(one) for one in codes}):
        try:
            with torch.no_grad():
                predictor.eval()(torch.zeros(1, 4, size, device=predictor.task.device))
        except RuntimeError as error:
            if isinstance(error, SeqdlError):
                raise
            trained = predictor.task.recipe.get("length")
            expected = f"{trained} bp, as in its training," if trained else "longer ones"
            raise InputError(
                f"{what} cannot take sequences of {size} bp ({str(error).splitlines()[0]}); {expected} were expected. Give starts of another length."
            ) from error


def best_real(run: Run, output: int, *, towards: str) -> tuple[str, float] | None:
    """Return the test example that is predicted highest, or lowest, and its prediction; None where the run has no such table."""
    path = Path(run.folder) / "predictions.tsv"
    if not path.is_file():
        return None
    table = read_tsv(path)
    outputs = run.task.outputs
    column = f"prediction_{outputs[output]}" if len(outputs) > 1 else "prediction"
    table = table[table["split"] == "test"]
    if column not in table or not len(table):
        return None
    values = table[column].to_numpy(dtype=np.float64)
    best = int(values.argmax() if towards == "max" else values.argmin())
    return str(table["id"].iloc[best]), float(values[best])
