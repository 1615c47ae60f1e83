"""Where the codes of a genome are kept between runs.

A genome is stored as ``genomes/v1-SHA256/`` in the cache folder: ``codes.u8`` (all chromosomes one after
the other) and ``index.json`` (their names and lengths). The folder is built under a temporary name and
renamed when it is whole, so two processes that build the same genome at once do no harm. ``seen/`` notes which file had
which hash, with its size and its times, so that a file is hashed again only when one of these has changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from seqdl.data.genome_read import write_codes
from seqdl.errors import FormatError, InputError, MissingFileError, SeqdlError
from seqdl.io.cache import cache_folder
from seqdl.io.files import sha256, writing
from seqdl.types import Codes

_SETTLED_NS = 2_000_000_000  # file systems keep times to two seconds at worst


@dataclass(frozen=True, eq=False)
class StoredGenome:
    """The codes of a genome as they lie in the cache."""

    flat: Codes
    lengths: dict[str, int]
    sha256: str


class Stamp(NamedTuple):
    """What tells that a file was not touched: looking at it costs nothing, where its hash costs reading it."""

    size: int
    modified_ns: int
    changed_ns: int

    @classmethod
    def of(cls, path: Path) -> Stamp:
        """Look at a file.

        Raises
        ------
        MissingFileError
            If it is not there.
        FormatError
            If it is a folder.
        """
        if not path.exists():
            raise MissingFileError(f"{path} does not exist; expected a genome, FASTA (plain, .gz or bgzip) or 2bit. Check the path.")
        if path.is_dir():
            raise FormatError(f"{path} is a folder; expected a genome, FASTA (plain, .gz or bgzip) or 2bit. Name the file inside it.")
        found = path.stat()
        return cls(found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def load(path: Path, *, sha256: str | None = None) -> StoredGenome:
    """Open the codes of a FASTA, building them first where the cache lacks them.

    Parameters
    ----------
    path : Path
        The FASTA.
    sha256 : str, optional
        Hash the file is known to have had; spares hashing it again where the cache holds it.

    Raises
    ------
    MissingFileError
        If the file is not there.
    FormatError
        If it is not a FASTA of DNA with unique names.
    InputError
        If the file is no longer the one `sha256` belongs to.
    """
    if sha256 is not None and (stored := _open(_folder(sha256), sha256)) is not None:
        return stored
    stamp = Stamp.of(path)
    if sha256 is None and (stored := stored_already(path, stamp)) is not None:
        return stored
    found = hash_of(path)
    if sha256 is not None and found != sha256:
        raise InputError(
            f"{path} has changed since it was opened: its SHA-256 was {sha256[:12]}..., now it is {found[:12]}.... Open the genome again."
        )
    stored = _open(_folder(found), found)
    if stored is None:
        _build(path, _folder(found))
        stored = _open(_folder(found), found)
    if stored is None:
        raise SeqdlError(
            f"the genome cache {_folder(found)} cannot be read back; expected codes.u8 and index.json. Remove that folder and try again."
        )
    _remember(path, stamp, found)
    return stored


def stored_already(path: Path, stamp: Stamp) -> StoredGenome | None:
    """Open the codes of a file that was hashed before and has not been touched since, or return None."""
    try:
        note = json.loads(_note(path).read_text(encoding="utf-8"))
        if note["path"] != str(path) or Stamp(*note["stamp"]) != stamp:
            return None
        return _open(_folder(note["sha256"]), note["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remember(path: Path, stamp: Stamp, sha256: str) -> None:
    """Note the hash of a file; not of one so young that a change of its bytes could leave its times as they are."""
    if time.time_ns() - max(stamp.modified_ns, stamp.changed_ns) < _SETTLED_NS:
        return
    with contextlib.suppress(OSError):  # it is only hashed again
        _note(path).parent.mkdir(parents=True, exist_ok=True)
        with writing(_note(path), force=True) as stream:
            json.dump({"path": str(path), "stamp": stamp, "sha256": sha256}, stream)


def _note(path: Path) -> Path:
    """Return where the hash of a file is noted."""
    return cache_folder() / "seen" / f"{hashlib.sha256(os.fsencode(path)).hexdigest()[:32]}.json"


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    Stamp.of(path)
    return sha256(path)


def _folder(key: str) -> Path:
    return cache_folder() / "genomes" / f"v1-{key}"


def _open(folder: Path, key: str) -> StoredGenome | None:
    """Map a stored genome, or return None where there is none or it is damaged."""
    try:
        lengths: dict[str, int] = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        if (folder / "codes.u8").stat().st_size != sum(lengths.values()):
            return None
        return StoredGenome(np.memmap(folder / "codes.u8", dtype=np.uint8, mode="r").view(np.ndarray), lengths, key)
    except (OSError, ValueError, AttributeError, TypeError):
        return None


def _build(path: Path, folder: Path) -> None:
    """Read the FASTA into a temporary folder and give it its name when it is whole."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = folder.parent / f".building-{uuid.uuid4().hex}"
        work.mkdir()
    except OSError as error:
        raise SeqdlError(
            f"the cache folder {cache_folder()} cannot be written ({error.strerror}); expected a writable folder. Set SEQDL_CACHE to one."
        ) from error
    try:
        lengths = write_codes(path, work)
        (work / "index.json").write_text(json.dumps(lengths), encoding="utf-8")
        _publish(work, folder)
    except OSError as error:
        if isinstance(error, SeqdlError):
            raise
        raise SeqdlError(
            f"{path} could not be unpacked into the cache folder {cache_folder()} ({error.strerror or error}); "
            "expected room for one byte a base (twice that while building). Free some space or set SEQDL_CACHE to another disk."
        ) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _publish(work: Path, folder: Path) -> None:
    """Rename the finished folder; another process may have been faster, and a damaged one gives way."""
    for name in ("genome.fa", "genome.fa.fai"):
        (work / name).unlink(missing_ok=True)
    try:
        work.rename(folder)
    except OSError:
        if _open(folder, "") is not None:
            return
        aside = folder.parent / f".damaged-{uuid.uuid4().hex}"
        folder.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)
        work.rename(folder)
