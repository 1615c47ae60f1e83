"""Several processes that train one network: who leads, what each takes, and whether they are as many as were asked for."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytorch_lightning as pl

from seqdl.errors import InputError

if TYPE_CHECKING:
    from seqdl.data.dataset import SequenceData
    from seqdl.experiment.training_config import TrainingConfig
    from seqdl.tasks.base import Task


@dataclass(frozen=True)
class Team:
    """As many processes as there are devices, on one machine or several (data parallel: DDP).

    Each takes its part of every batch, so that the gradient they agree on is that of the whole batch, and they end with the same weights.
    The first alone writes the run folder, evaluates and reports.

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
    for flag in ("devices", "nodes"):
        if getattr(team, flag) < 1:
            raise InputError(f"--{flag} {getattr(team, flag)}: 1 or more was expected.")
    if team.size == 1:
        return
    if not task.automatic_optimization:
        raise InputError(
            f"--devices {team.devices}: {type(task).__name__} moves its weights by itself and trains on one device. Leave --devices out."
        )
    if device == "mps":
        raise InputError(f"--devices {team.devices}: mps is one device. Use --device cpu, or leave --devices out.")
    if device == "cuda":
        import torch

        if torch.cuda.device_count() < team.devices:
            raise InputError(
                f"--devices {team.devices}: this machine has {torch.cuda.device_count()} GPUs. Use --devices {torch.cuda.device_count()}."
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
        import torch

        together = torch.distributed.is_available() and torch.distributed.is_initialized()
        found = (torch.distributed.get_world_size(), torch.distributed.get_rank()) if together else (1, 0)
        if found != (self.team.size, self.team.rank):
            raise InputError(
                f"{self.team.size} processes were asked for ({self.team.devices} devices on {self.team.nodes} nodes), and this one is number "
                f"{found[1]} of {found[0]}. Start as many: under SLURM with --ntasks-per-node={self.team.devices}, or by torchrun "
                f"--nproc-per-node {self.team.devices}."
            )


def disband() -> None:
    """Leave the group of processes, where there is one."""
    import torch

    if torch.distributed.is_available() and torch.distributed.is_initialized():
        with contextlib.suppress(RuntimeError):
            torch.distributed.destroy_process_group()
