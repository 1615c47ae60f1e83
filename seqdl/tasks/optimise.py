"""How the weights are moved: optimisers, and schedules of the learning rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, OneCycleLR

from seqdl.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    from seqdl.tasks.base import Task

OPTIMISERS = ("adamw", "adam", "rmsprop", "momentum", "sgd")
SCHEDULES = ("one-cycle", "cosine", "warmup-cosine", "warmup", "step", "plateau", "constant")


@dataclass(frozen=True)
class Optimisation:
    """How the weights are moved.

    Parameters
    ----------
    lr : float, default 0.01
        Learning rate; the peak where the schedule rises or falls.
    weight_decay : float, default 0.01
        Decoupled from the gradient with AdamW [2]_; with the others an L2 penalty in the gradient.
    warmup : float, in [0, 1], default 0.25
        Share of the steps in which the rate rises, of the schedules one-cycle, warmup and warmup-cosine.
    optimiser : {"adamw", "adam", "rmsprop", "momentum", "sgd"}, default "adamw"
    schedule : {"one-cycle", "cosine", "warmup-cosine", "warmup", "step", "plateau", "constant"}, default "one-cycle"
        One cycle [1]_ rises to `lr` and falls to almost nothing, over all steps.
    momentum : float, in [0, 1), default 0.9
        Of the optimiser "momentum".
    decay : float, in (0, 1], default 0.1
        What the rate is multiplied by, with the schedules step and plateau.
    decay_every : float, in (0, 1], default 0.3
        Share of the steps after which the schedule step does so.
    plateau : int, default 3
        Epochs without a better validation score after which the schedule plateau does so.
    encoder_lr : float, optional
        Learning rate of the encoder, where it is to differ from the head's; 0 moves it not at all.

    References
    ----------
    .. [1] Smith & Topin, Super-convergence (2018). .. [2] Loshchilov & Hutter, Decoupled weight decay (2019).
    """

    lr: float = 0.01
    weight_decay: float = 0.01
    warmup: float = 0.25
    optimiser: str = "adamw"
    schedule: str = "one-cycle"
    momentum: float = 0.9
    decay: float = 0.1
    decay_every: float = 0.3
    plateau: int = 3
    encoder_lr: float | None = None


class MeanLoss:
    """The mean loss over the batches of an epoch, logged as train_loss with the last of them.

    Logging every batch takes Lightning a third of a step of a small network.
    """

    def __init__(self) -> None:
        self._total, self._n = torch.zeros(()), 0

    def add(self, task: Task, loss: Tensor, *, n: int, batch_index: int) -> None:
        """Add the mean loss of a batch of `n` examples."""
        if batch_index == 0:
            self._total, self._n = torch.zeros((), device=loss.device), 0
        self._total, self._n = self._total + loss * n, self._n + n
        if task.trainer.is_last_batch:
            together = task.trainer.world_size > 1
            task.log("train_loss", self._total / self._n, on_step=False, on_epoch=True, batch_size=1, sync_dist=together)


def optimisers_for(task: Task, steps: int) -> dict[str, Any]:
    """Return optimiser and schedule of a task as Lightning takes them.

    Parameters
    ----------
    task : Task
        Its `optimisation` says how; weights that ask for no gradient are left out.
    steps : int
        Steps in all.

    Raises
    ------
    InputError
        If every weight is frozen.
    UnknownNameError
        If there is no such optimiser or schedule.
    """
    options = task.optimisation
    optimiser = make_optimiser(parameter_groups(task, options), options)
    if options.schedule == "plateau":  # goes by the validation score, which a callback sees before the checkpoint is written
        return {"optimizer": optimiser}
    return {"optimizer": optimiser, "lr_scheduler": {"scheduler": make_schedule(optimiser, options, steps), "interval": "step"}}


def parameter_groups(task: nn.Module, options: Optimisation) -> list[dict[str, Any]]:
    """Return the weights to be moved: all with one rate, or the encoder's (of every member) apart from the others.

    Raises
    ------
    InputError
        If there are none.
    """
    moved = [p for p in task.parameters() if p.requires_grad]
    if not moved:
        raise InputError("every weight of the network is frozen: at least one that can be moved was expected. Freeze fewer layers.")
    if options.encoder_lr is None:
        return [{"params": moved, "lr": options.lr}]
    inside = {id(p) for encoder in encoders_of(task) for p in encoder.parameters()}
    groups = [
        {"params": [p for p in moved if id(p) in inside], "lr": options.encoder_lr},
        {"params": [p for p in moved if id(p) not in inside], "lr": options.lr},
    ]
    return [group for group in groups if group["params"]]


def encoders_of(task: nn.Module) -> list[nn.Module]:
    """Return the encoder of a task, or of each member of an ensemble."""
    return [getattr(member, "encoder", member) for member in getattr(task, "members", [task])]


def make_optimiser(parameters: Iterable[Any], options: Optimisation) -> Optimizer:
    """Return the optimiser that `options` name, over parameters or groups of them.

    Examples
    --------
    >>> layer = nn.Linear(2, 1)
    >>> type(make_optimiser(layer.parameters(), Optimisation(optimiser="rmsprop"))).__name__
    'RMSprop'
    """
    shared: dict[str, Any] = {"lr": options.lr, "weight_decay": options.weight_decay}
    at_once: dict[str, Any] = {"fused": True}  # one call for all weights and all that is done to them
    makers: dict[str, Callable[[], Optimizer]] = {
        "adamw": lambda: torch.optim.AdamW(parameters, **shared, **at_once),
        "adam": lambda: torch.optim.Adam(parameters, **shared, **at_once),
        "rmsprop": lambda: torch.optim.RMSprop(parameters, **shared),
        "momentum": lambda: torch.optim.SGD(parameters, momentum=options.momentum, **shared),
        "sgd": lambda: torch.optim.SGD(parameters, **shared),
    }
    if options.optimiser not in makers:
        raise UnknownNameError("optimiser", options.optimiser, OPTIMISERS)
    return makers[options.optimiser]()


def make_schedule(optimiser: Optimizer, options: Optimisation, steps: int) -> torch.optim.lr_scheduler.LRScheduler:
    """Return the schedule that `options` name (plateau is none of them: it goes by epochs), to be moved on after each of `steps` steps.

    Parameters
    ----------
    optimiser : Optimizer
    options : Optimisation
    steps : int
        Steps in all.

    Raises
    ------
    UnknownNameError
        If there is no such schedule.

    Examples
    --------
    >>> options = Optimisation(lr=1.0, schedule="step", decay=0.5, decay_every=0.5)
    >>> optimiser = make_optimiser(nn.Linear(2, 1).parameters(), options)
    >>> schedule, rates = make_schedule(optimiser, options, 4), []
    >>> for _ in range(4):
    ...     rates.append(schedule.get_last_lr()[0])
    ...     optimiser.step()
    ...     schedule.step()
    >>> rates
    [1.0, 1.0, 0.5, 0.5]
    """
    if options.schedule == "one-cycle":
        return _one_cycle(optimiser, options, steps)
    rise, drop = max(1, round(options.warmup * steps)), max(1, round(options.decay_every * steps))
    shapes: dict[str, Callable[[int], float]] = {
        "constant": lambda step: 1.0,
        "cosine": lambda step: _cosine(step / steps),
        "warmup": lambda step: min(1.0, (step + 1) / rise),
        "warmup-cosine": lambda step: (step + 1) / rise if step < rise else _cosine((step - rise) / max(1, steps - rise)),
        "step": lambda step: options.decay ** (step // drop),
    }
    if options.schedule not in shapes:
        raise UnknownNameError("schedule", options.schedule, SCHEDULES)
    return LambdaLR(optimiser, shapes[options.schedule])


def _cosine(done: float) -> float:
    """Return half a cosine, from 1 to 0."""
    return (1 + math.cos(math.pi * min(1.0, done))) / 2


def _one_cycle(optimiser: Optimizer, options: Optimisation, steps: int) -> OneCycleLR:
    """Return one cycle over all steps; the momentum moves against the rate where the optimiser has one."""
    rise = options.warmup if options.warmup * steps != 1 else 0.5 / steps  # a rise of exactly one step makes torch divide by zero
    cycled: dict[str, Any] = {"cycle_momentum": options.optimiser in ("adamw", "adam", "momentum")}
    if options.optimiser == "momentum":
        cycled |= {"base_momentum": max(0.0, options.momentum - 0.05), "max_momentum": min(0.999, options.momentum + 0.05)}
    peaks = [group["lr"] for group in optimiser.param_groups]
    return OneCycleLR(optimiser, max_lr=peaks, total_steps=steps, pct_start=rise, **cycled)
