"""Several processes that train one network or predict with it: who leads, what each takes, whether they are as many as were asked for."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytorch_lightning as pl

from seqdl.errors import InputError, SeqdlError
from seqdl.experiment.quiet import quiet_lightning

if TYPE_CHECKING:
    from seqdl.data.dataset import SequenceData
    from seqdl.experiment.training_config import TrainingConfig
    from seqdl.tasks.base import Task

T = TypeVar("T")


@dataclass(frozen=True)
class Team:
    """As many processes as there are devices, on one machine or several (data parallel: DDP).

    In training each takes its part of every batch, so that the gradient they agree on is that of the whole batch, and they end with the same
    weights. In prediction each takes its part of the batches, and all get the predictions of all. The first alone writes and speaks.

    Parameters
    ----------
    devices : int, default 1
        Processes on each machine.
    nodes : int, default 1
        Machines.
    """

    devices: int = 1
    nodes: int = 1

    @property
    def size(self) -> int:
        """Processes in all."""
        return self.devices * self.nodes

    @property
    def rank(self) -> int:
        """The number of this process, as torchrun, SLURM or Lightning's own launcher tell."""
        if self.size == 1:
            return 0
        if "RANK" in os.environ:
            return int(os.environ["RANK"])
        if os.environ.get("SLURM_NTASKS") == str(self.size) and "SLURM_PROCID" in os.environ:
            return int(os.environ["SLURM_PROCID"])
        return int(os.environ.get("NODE_RANK", "0")) * self.devices + int(os.environ.get("LOCAL_RANK", "0"))

    @property
    def leads(self) -> bool:
        """Whether this process writes and speaks."""
        return self.rank == 0

    def strategy(self, device: str) -> Any:
        """Return Lightning's strategy on a kind of device."""
        if self.size == 1:
            return "auto"
        from pytorch_lightning.strategies import DDPStrategy

        return DDPStrategy(process_group_backend="nccl" if device == "cuda" else "gloo")

    def assemble(self, device: str) -> None:
        """Start the other processes of this machine, where nobody else did, and meet them; once they have met, do nothing.

        Each runs the same command from its beginning, so everything that may be wrong with it is to be checked before.

        Raises
        ------
        InputError
            If they are not as many as were asked for.
        """
        import torch

        if self.size == 1 or (torch.distributed.is_available() and torch.distributed.is_initialized()):
            return
        from lightning_fabric import Fabric
        from lightning_fabric.strategies.ddp import DDPStrategy

        kind = "gpu" if device == "cuda" else device
        meeting = DDPStrategy(process_group_backend="gloo")  # what they exchange are arrays of the processor's memory
        try:
            with quiet_lightning():
                Fabric(accelerator=kind, devices=self.devices, num_nodes=self.nodes, strategy=meeting).launch()
        except ValueError as error:
            raise InputError(f"{self._asked_for}: {' '.join(str(error).split())} {self._how_to_start}") from None
        self.count()

    def count(self) -> None:
        """Raise `InputError` unless as many processes met as were asked for, and this one has the number it should have."""
        import torch

        together = torch.distributed.is_available() and torch.distributed.is_initialized()
        found = (torch.distributed.get_world_size(), torch.distributed.get_rank()) if together else (1, 0)
        if found != (self.size, self.rank):
            raise InputError(f"{self._asked_for}, and this one is number {found[1]} of {found[0]}. {self._how_to_start}")

    @property
    def _asked_for(self) -> str:
        return f"{self.size} processes were asked for ({self.devices} devices on {self.nodes} nodes)"

    @property
    def _how_to_start(self) -> str:
        return f"Start as many: under SLURM with --ntasks-per-node={self.devices}, or by torchrun --nproc-per-node {self.devices}."

    def share(self, items: Sequence[T]) -> Sequence[T]:
        """Return this process's part: one stretch, as long as the others' or one item longer.

        Examples
        --------
        >>> Team().share("abcde")
        'abcde'
        """
        return items[len(items) * self.rank // self.size : len(items) * (self.rank + 1) // self.size]

    def gather(self, part: list[T]) -> list[T]:
        """Return what all processes made of their parts, in order, to each of them.

        Raises
        ------
        SeqdlError
            If one of them has ended.
        """
        if self.size == 1:
            return part
        import torch

        parts: list[Any] = [None] * self.size
        try:
            torch.distributed.all_gather_object(parts, part)
        except RuntimeError as error:
            reason = " ".join(str(error).split())[:200]
            raise SeqdlError(f"one of {self.size} processes ended before its work was done ({reason}). Its own message tells why.") from None
        return [item for one in parts for item in one]

    def dismiss(self) -> None:
        """Part, and end every process but the first."""
        disband()
        if not self.leads:
            raise SystemExit(0)


ALONE = Team()


def check_devices(team: Team, device: str) -> None:
    """Raise `InputError` unless there are devices enough.

    Parameters
    ----------
    team : Team
    device : {"cpu", "cuda", "mps"}
    """
    for flag in ("devices", "nodes"):
        if getattr(team, flag) < 1:
            raise InputError(f"--{flag} {getattr(team, flag)}: 1 or more was expected.")
    if team.size == 1:
        return
    if device == "mps":
        raise InputError(f"--devices {team.devices}: mps is one device. Use --device cpu, or leave --devices out.")
    if device == "cuda":
        import torch

        present = torch.cuda.device_count()
        if present < team.devices:
            raise InputError(f"--devices {team.devices}: this machine has {present} GPU{'s' * (present != 1)}. Use --devices {present}.")


def check_readable_by_all(team: Team, paths: Iterable[str | None]) -> None:
    """Raise `InputError` if an input can be read once only, where each of several processes reads it."""
    if team.size == 1:
        return
    for path in paths:
        if path and (path == "-" or (Path(path).exists() and not Path(path).is_file() and not Path(path).is_dir())):
            raise InputError(
                f"{path}: each of {team.size} processes reads the input, and a stream can be read once: a file was expected. "
                "Write it to a file, or leave --devices and --nodes out."
            )


def check_team(team: Team, training: TrainingConfig, task: Task, *, data: SequenceData, device: str) -> None:
    """Raise `InputError` unless the processes can share a training out evenly.

    Parameters
    ----------
    team : Team
    training : TrainingConfig
    task : Task
    data : SequenceData
    device : {"cpu", "cuda", "mps"}
    """
    check_devices(team, device)
    if team.size == 1:
        return
    if not task.automatic_optimization:
        raise InputError(
            f"--devices {team.devices}: {type(task).__name__} moves its weights by itself and trains on one device. Leave --devices out."
        )
    size = min(training.batch_size, len(data.rows("train")))
    if size % team.size:
        fits = max(1, size // team.size) * team.size
        raise InputError(f"a batch of {size} examples cannot be shared out evenly among {team.size} processes. Use --batch-size {fits}.")


class CheckTeam(pl.Callback):
    """Ends a training whose processes are not as many as were asked for: each of them would train on its own and say nothing.

    Parameters
    ----------
    team : Team
    """

    def __init__(self, team: Team) -> None:
        self.team = team

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Count the processes and ask for this one's number."""
        self.team.count()


def disband() -> None:
    """Leave the group of processes, where there is one."""
    import torch

    if torch.distributed.is_available() and torch.distributed.is_initialized():
        with contextlib.suppress(RuntimeError):
            torch.distributed.destroy_process_group()
