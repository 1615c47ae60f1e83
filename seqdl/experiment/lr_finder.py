"""A range test of the learning rate: a short training in which it rises until the loss does."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from seqdl.data.datamodule import SequenceDataModule
from seqdl.errors import InputError
from seqdl.experiment.fit import Fitting, loading_of
from seqdl.experiment.predict import device_name
from seqdl.io.table import write_tsv
from seqdl.progress import track
from seqdl.tasks.optimise import make_optimiser, parameter_groups

LOWEST, HIGHEST = 1e-5, 10.0
N_STEPS = 120
SMOOTHING = 0.9
DIVERGED = 4.0
"""Times the least loss at which the test ends."""
LEAST_FALL = 5
"""Steps for which the smoothed loss has to fall."""
WIDTH = 7
"""Steps over which the slope is averaged."""


@dataclass(frozen=True)
class RangeTest:
    """What a range test saw.

    Attributes
    ----------
    rates : array, (S,)
        Learning rates, one a step.
    losses : array, (S,)
        Training losses, smoothed.
    suggestion : float
        A learning rate to train with.
    """

    rates: NDArray[np.float64]
    losses: NDArray[np.float64]
    suggestion: float

    def write(self, path: Path) -> None:
        """Write rates and losses as a table."""
        import pandas as pd

        write_tsv(path, pd.DataFrame({"lr": self.rates, "loss": self.losses}), force=True)


def settle_lr(fitting: Fitting, say: Callable[[str], None]) -> RangeTest | None:
    """Give a training the rate that a range test finds, where it asks for one; it then repeats without the test."""
    if not fitting.training.find_lr:
        return None
    found = find_lr(fitting)
    fitting.training = replace(fitting.training, lr=found.suggestion, find_lr=False)
    say(f"learning rate {found.suggestion:g}, found by a range test of {len(found.rates)} steps")
    return found


def find_lr(fitting: Fitting, *, n_steps: int = N_STEPS) -> RangeTest:
    """Raise the learning rate from step to step, on a copy of the task, and see where the loss is least.

    Parameters
    ----------
    fitting : Fitting
        The training to find a rate for; nothing in it changes. Of an ensemble the first member is tried.
    n_steps : int, default 120

    Returns
    -------
    RangeTest
        Its suggestion is the rate at which the smoothed loss fell fastest [1]_. Over three seeds and two networks on yeast Reb1 that was
        .019 to .048 with AdamW, where training was best on validation at .03 and .03 to .1; a tenth of the rate of least loss was .003 to .09.

    Raises
    ------
    InputError
        If the task moves its weights by itself, or the loss never falls.

    References
    ----------
    .. [1] Smith, Cyclical learning rates for training neural networks, WACV (2017).
    """
    task = copy.deepcopy(getattr(fitting.task, "reader", fitting.task))
    if not task.automatic_optimization:
        raise InputError(f"--find-lr: {type(task).__name__} moves its weights by itself, so that there is no one rate to find. Give --lr.")
    rates = np.geomspace(LOWEST, HIGHEST, n_steps)
    losses: list[float] = []
    for loss in _losses(replace(fitting, task=task, resume=False), rates):
        losses.append(SMOOTHING * losses[-1] + (1 - SMOOTHING) * loss if losses else loss)
        if not losses[-1] <= DIVERGED * min(losses):
            break
    seen = np.array(losses)
    least = int(np.nanargmin(seen)) if np.isfinite(seen).any() else 0
    if least < LEAST_FALL:
        raise InputError(
            f"--find-lr: the loss fell for {least} steps only, at learning rates from {LOWEST:g}: a loss that falls was expected. Give --lr."
        )
    slope = np.convolve(np.gradient(seen, np.log(rates[: len(seen)])), np.ones(WIDTH) / WIDTH, "same")
    steepest = LEAST_FALL - 1 + int(slope[LEAST_FALL - 1 : least].argmin())
    return RangeTest(rates[: len(seen)], seen, float(f"{rates[steepest]:.2g}"))


def _losses(fitting: Fitting, rates: NDArray[np.float64]) -> Iterator[float]:
    """Take a step at each rate; yield the loss before it."""
    task, training = fitting.task, fitting.training
    fitting.prepare()
    place = torch.device(device_name(fitting.device))
    task.to(place).train()
    torch.manual_seed(fitting.seed)
    optimiser = make_optimiser(parameter_groups(task, task.optimisation), task.optimisation)
    shares = [group["lr"] / training.lr for group in optimiser.param_groups]
    loaders = SequenceDataModule(fitting.data, loading_of(training, task, fitting.data, epoch_steps=len(rates)), seed=fitting.seed)
    for rate, batch in zip(track(rates, "learning rates"), loaders.train_dataloader(), strict=True):
        for group, share in zip(optimiser.param_groups, shares, strict=True):
            group["lr"] = rate * share
        optimiser.zero_grad()
        loss = task.batch_loss(batch.to(place))
        loss.backward()  # type: ignore[no-untyped-call]  # torch does not type it
        if training.clip:
            torch.nn.utils.clip_grad_norm_(task.parameters(), training.clip)
        optimiser.step()
        yield float(loss.detach())
