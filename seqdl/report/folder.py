"""A run folder as the report sees it: each file read once, when asked for, and None where it is absent."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
import pandas as pd
import yaml

from seqdl.errors import FormatError, InputError, MissingFileError, SeqdlError
from seqdl.io.table import read_table
from seqdl.types import Codes, Floats

T = TypeVar("T")


@dataclass(frozen=True)
class Tracks:
    """The attributions of a few examples.

    Attributes
    ----------
    names : list of str, (n,)
        Ids of the examples.
    codes : Codes, (n, L)
        Their bases.
    attributions : Floats, (n, 4, L)
        Contribution of each base to the logit.
    prediction, target : Floats, (n,)
        What the network said, and the truth; names of classes where there are several.
    method : str
        How the attributions were made.
    outputs : list of str (n,), optional
        The output that is explained, where there are several.
    """

    names: list[str]
    codes: Codes
    attributions: Floats
    prediction: Floats
    target: Floats
    method: str
    outputs: list[str] | None = None


class RunFolder:
    """The files of one training.

    Parameters
    ----------
    path : Path
        The folder that `seqdl train -o` wrote.

    Raises
    ------
    MissingFileError
        If there is no such folder.
    InputError
        If it is a file, or a folder that holds no run.
    """

    marks: ClassVar[tuple[str, ...]] = ("config.yaml", "metrics.json", "manifest.json", "log.csv")
    """A folder that holds none of these is no run."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise MissingFileError(f"{path}: no such folder. Expected the folder of a training run; `seqdl train ... -o {path}` makes one.")
        if not path.is_dir():
            raise InputError(f"{path} is a file. Expected the folder of a training run, the one that was given to `seqdl train -o`.")
        if not any((path / name).is_file() for name in self.marks):
            raise InputError(
                f"{path} is not a run folder: it holds none of {', '.join(self.marks)}. "
                "Pass the folder that was given to `seqdl train -o`, not the one above or below it."
            )
        self.path = path

    def _read(self, name: str, reader: Callable[[Path], T]) -> T | None:
        path = self.path / name
        if not path.is_file() or path.stat().st_size == 0:
            return None
        try:
            return reader(path)
        except SeqdlError:
            raise
        except Exception as error:  # whatever a reader says, the reader of the message needs the file's name
            reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            raise FormatError(
                f"{path} cannot be read ({reason[:160]}). Expected what `seqdl train` writes; train again or restore the file."
            ) from error

    def _mapping(self, name: str, parse: Callable[[str], object]) -> dict[str, Any]:
        found = self._read(name, lambda path: parse(path.read_text(encoding="utf-8")))
        if found is not None and not isinstance(found, dict):
            raise FormatError(f"{self.path / name} holds a {type(found).__name__}. Expected a mapping; train again or restore the file.")
        return found or {}

    def _table(self, name: str, separator: str, needed: tuple[str, ...]) -> pd.DataFrame | None:
        text = ("target", "prediction") if self.task == "multiclass" else ()  # a class may be called 01
        table = self._read(name, lambda path: read_table(path, separator=separator, text=text))
        missing = [column for column in needed if table is not None and column not in table.columns]
        if missing:
            raise FormatError(
                f"{self.path / name} has no column {', '.join(missing)}. Expected {', '.join(needed)}; train again or restore the file."
            )
        return table

    @cached_property
    def config(self) -> dict[str, Any]:
        """config.yaml; empty where absent."""
        return self._mapping("config.yaml", yaml.safe_load)

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """manifest.json; empty where absent."""
        return self._mapping("manifest.json", json.loads)

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """metrics.json; empty where absent."""
        return self._mapping("metrics.json", json.loads)

    @cached_property
    def audit(self) -> dict[str, Any]:
        """audit.json; empty where absent."""
        return self._mapping("audit.json", json.loads)

    @cached_property
    def log(self) -> pd.DataFrame | None:
        """log.csv: a row per epoch."""
        return self._table("log.csv", ",", ())

    @cached_property
    def examples(self) -> pd.DataFrame | None:
        """data/examples.tsv."""
        return self._table("data/examples.tsv", "\t", ("id", "split"))

    @cached_property
    def dropped(self) -> pd.DataFrame | None:
        """data/dropped.tsv; a table without rows where nothing was dropped."""
        return self._table("data/dropped.tsv", "\t", ("id", "reason"))

    @cached_property
    def predictions(self) -> pd.DataFrame | None:
        """predictions.tsv."""
        return self._table("predictions.tsv", "\t", ("id", "split"))

    @cached_property
    def latents(self) -> pd.DataFrame | None:
        """latents.tsv: a map, and the latents, of held-out sequences."""
        return self._table("latents.tsv", "\t", ("id", "map1", "map2"))

    @cached_property
    def motifs(self) -> pd.DataFrame | None:
        """motifs/motifs.tsv, best first."""
        return self._table("motifs/motifs.tsv", "\t", ("name", "information_bits"))

    @cached_property
    def tracks(self) -> Tracks | None:
        """attributions/examples.npz."""

        def reader(path: Path) -> Tracks:
            with np.load(path, allow_pickle=False) as arrays:
                names = [str(name) for name in arrays["id"]]
                unknown = np.full(len(names), np.nan)
                return Tracks(
                    names=names,
                    codes=arrays["codes"].astype(np.uint8),
                    attributions=arrays["attributions"],
                    prediction=arrays.get("prediction", unknown),
                    target=arrays.get("target", unknown),
                    method=str(arrays["method"]) if "method" in arrays else "",
                    outputs=[str(name) for name in arrays["output"]] if "output" in arrays else None,
                )

        return self._read("attributions/examples.npz", reader)

    def scored(self, split: str = "test") -> list[tuple[str, Floats, Floats]]:
        """Return (output, target (n,), prediction (n,)) for every output of the network on one split.

        Rows without a truth are left out; an output without a single truth is left out whole. Classes that exclude each
        other have no such pairs.
        """
        if self.predictions is None or self.task == "multiclass":
            return []
        rows = self.predictions[self.predictions["split"] == split]
        found = []
        for column in rows.columns:
            stem, _, name = str(column).partition("prediction")
            if stem or f"target{name}" not in rows or (name and not name.startswith("_")):
                continue
            pair = rows[[f"target{name}", column]].apply(pd.to_numeric, errors="coerce").dropna().to_numpy(dtype=np.float64)
            if len(pair):
                found.append((name[1:] or self.outputs[0], pair[:, 0], pair[:, 1]))
        return found

    @property
    def outputs(self) -> list[str]:
        """Names of what the network predicts."""
        return [str(name) for name in self.metrics.get("outputs") or []] or ["target"]

    @property
    def task(self) -> str:
        """Name of the task, such as ``"binary"``; empty where nothing says it."""
        named = self.metrics.get("task") or self.section("task").get("name")
        return str(named or "")

    def section(self, name: str) -> dict[str, Any]:
        """Return one mapping of config.yaml; empty where absent."""
        found = self.config.get(name)
        return found if isinstance(found, dict) else {}
