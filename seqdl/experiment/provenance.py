"""The manifest: what went into a run, what came out, with which versions; and whether it still holds."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqdl.errors import FormatError, MissingFileError
from seqdl.io.files import sha256, writing

LIBRARIES = ("seqdl", "torch", "pytorch-lightning", "numpy", "pandas", "pyfaidx", "biopython", "memelite", "pyjaspar", "logomaker", "scikit-learn")
MANIFEST = "manifest.json"


def write_manifest(
    folder: Path, *, inputs: list[Path], command: str, seed: int, device: str, seconds: float, more: dict[str, Any] | None = None
) -> None:
    """Hash inputs and outputs and write manifest.json.

    Parameters
    ----------
    folder : Path
        The run folder; every file in it but the manifest is an output.
    inputs : list of Path
    command : str
        What was typed.
    seed : int
    device : str
    seconds : float
        How long the run took.
    more : dict, optional
        Further entries.
    """
    manifest = {
        "inputs": {str(path.resolve()): {"sha256": sha256(path)} for path in sorted(set(inputs))},
        "outputs": hash_outputs(folder),
        "versions": {"python": platform.python_version(), **library_versions()},
        "command": command,
        "seed": seed,
        "device": device,
        "seconds": round(seconds, 1),
        **(more or {}),
    }
    write_json(folder / MANIFEST, manifest)


def hash_outputs(folder: Path) -> dict[str, dict[str, str]]:
    """Return the hash of every file in a run folder but the manifest."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {path.relative_to(folder).as_posix(): {"sha256": sha256(path)} for path in files}


def refresh_outputs(folder: Path) -> None:
    """Hash the outputs anew after one of them was rebuilt on purpose."""
    manifest = read_json(folder / MANIFEST)
    manifest["outputs"] = hash_outputs(folder)
    write_json(folder / MANIFEST, manifest)


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries a result can depend on."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


@dataclass(frozen=True)
class Verification:
    """What re-hashing found.

    Attributes
    ----------
    n_files : int
        Files that were hashed.
    changed : list of str
        Files whose content is not what the manifest says.
    missing : list of str
        Files that are no longer there.
    """

    n_files: int
    changed: list[str]
    missing: list[str]

    @property
    def holds(self) -> bool:
        """Whether everything is as it was."""
        return not self.changed and not self.missing


def verify(folder: Path) -> Verification:
    """Hash inputs and outputs of a run again and compare them with its manifest.

    Raises
    ------
    MissingFileError
        If the folder holds no manifest.
    """
    manifest = read_json(folder / MANIFEST)
    changed, missing = [], []
    entries = [(Path(name), entry) for name, entry in manifest["inputs"].items()]
    entries += [(folder / name, entry) for name, entry in manifest["outputs"].items()]
    for path, entry in entries:
        if not path.is_file():
            missing.append(str(path))
        elif sha256(path) != entry["sha256"]:
            changed.append(str(path))
    return Verification(len(entries), changed, missing)


def read_json(path: Path) -> Any:
    """Read a JSON file of a run folder.

    Raises
    ------
    MissingFileError, FormatError
        If it is not there, or is not JSON.
    """
    if not path.is_file():
        raise MissingFileError(
            f"{path.parent}: there is no {path.name}, so this is not a finished run folder. Give the folder that seqdl train -o wrote."
        )
    try:
        return json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise FormatError(f"{path}, line {error.lineno}: not JSON ({error.msg}). Rebuild the run.") from None


def write_json(path: Path, content: Any) -> None:
    """Write JSON whole or not at all; what is not a number is null."""
    with writing(path, force=True) as handle:
        json.dump(content, handle, indent=1, allow_nan=False)
        handle.write("\n")
