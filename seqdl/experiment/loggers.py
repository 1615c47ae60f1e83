"""Where the numbers of each epoch go besides log.csv: loggers by name."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqdl.errors import DependencyError, UnknownNameError

if TYPE_CHECKING:
    from pytorch_lightning.loggers import Logger

PACKAGES = {"csv": (), "tensorboard": ("tensorboard", "tensorboardX"), "wandb": ("wandb",)}
"""Each needs one of these; log.csv needs none."""


def check_logger(name: str) -> None:
    """Raise `DependencyError` if the logger needs a package that is not installed.

    Raises
    ------
    UnknownNameError
        If there is no such logger.
    """
    if name not in PACKAGES:
        raise UnknownNameError("logger", name, PACKAGES)
    packages = PACKAGES[name]
    if packages and not any(importlib.util.find_spec(package) for package in packages):
        raise DependencyError(
            f"--logger {name}: the package {packages[0]} is not installed. Install it with: pip install {packages[0]}, or leave --logger out: "
            "log.csv is always written."
        )


def make_logger(name: str, folder: Path) -> Logger | None:
    """Return Lightning's logger of that name, writing into the run folder; None where log.csv is enough.

    Parameters
    ----------
    name : {"csv", "tensorboard", "wandb"}
    folder : Path
        The run folder: tensorboard/ or wandb/ is made in it, and its name is the run's.

    Raises
    ------
    DependencyError
        If its package is not installed.
    """
    check_logger(name)
    if name == "csv":
        return None
    loggers: Any = importlib.import_module("pytorch_lightning.loggers")
    made: Logger
    if name == "tensorboard":
        made = loggers.TensorBoardLogger(save_dir=folder, name="tensorboard", version="")
    else:
        made = loggers.WandbLogger(save_dir=folder, name=folder.name, project="seqdl")
    return made
