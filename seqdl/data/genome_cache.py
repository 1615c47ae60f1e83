"""Where the codes of a genome are kept between runs.

A genome is stored as ``genomes/v1-SHA256/`` in the cache folder: ``codes.u8`` (all chromosomes one after
the other) and ``index.json`` (their names and lengths). The folder is built under a temporary name and
renamed when it is whole, so two processes that build the same genome at once do no harm.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from seqdl.errors import FormatError, InputError, MissingFileError, SeqdlError
from seqdl.io.files import open_text, sha256
from seqdl.sequence.encode import encode
from seqdl.types import Codes


@dataclass(frozen=True, eq=False)
class StoredGenome:
    """The codes of a genome as they lie in the cache."""

    flat: Codes
    lengths: dict[str, int]
    sha256: str


def cache_folder() -> Path:
    """Return the folder of the caches: ``SEQDL_CACHE``, else ``seqdl`` in the user's cache folder."""
    given = os.environ.get("SEQDL_CACHE")
    if given:
        return Path(given).expanduser().absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "seqdl"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "seqdl"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "seqdl"


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
    found = _hash(path)
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
    return stored


def _hash(path: Path) -> str:
    if not path.exists():
        raise MissingFileError(f"{path} does not exist; expected a genome FASTA (plain, .gz or bgzip). Check the path.")
    if path.is_dir():
        raise FormatError(f"{path} is a folder; expected a genome FASTA (plain, .gz or bgzip). Name the file inside it.")
    return sha256(path)


def _folder(key: str) -> Path:
    return cache_folder() / "genomes" / f"v1-{key}"


def _open(folder: Path, key: str) -> StoredGenome | None:
    """Map a stored genome, or return None where there is none or it is damaged."""
    try:
        lengths: dict[str, int] = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        if (folder / "codes.u8").stat().st_size != sum(lengths.values()):
            return None
        return StoredGenome(np.memmap(folder / "codes.u8", dtype=np.uint8, mode="r"), lengths, key)
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
        lengths = _write_codes(path, work)
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


def _write_codes(path: Path, work: Path) -> dict[str, int]:
    """Write codes.u8 from the FASTA; return the lengths by name in the order of the file."""
    import pyfaidx

    reader: Any = pyfaidx.Fasta  # untyped
    even = work / "genome.fa"
    with open_text(path) as lines, even.open("w", encoding="utf-8", newline="\n") as out:
        names = _even_out(lines, out, path)
    lengths = {}
    # a handle that lives only here: one carried over a fork reads wrong bases without an error
    with reader(str(even), indexname=str(work / "genome.fa.fai"), as_raw=True) as fasta, (work / "codes.u8").open("wb") as codes_file:
        for name in names:
            codes = _encode(path, name, str(fasta[name][:]))
            lengths[name] = len(codes)
            codes_file.write(codes.data)
    return lengths


def _even_out(lines: Iterable[str], out: TextIO, path: Path) -> list[str]:
    """Unpack a FASTA to one line a record, and check it; return the names.

    pyfaidx refuses gzip, blank lines and lines of different widths, all of which users have.
    """
    first: dict[str, int] = {}
    size, name = 1, ""
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text.startswith(">"):
            if not size:
                break
            name = (text[1:].split() or [""])[0]
            if not name:
                raise FormatError(f"{path}, line {number}: a chromosome has no name; expected a word after '>'. Name it.")
            if name in first:
                raise FormatError(
                    f"{path}, line {number}: a second chromosome is called '{name}' (the first: line {first[name]}); "
                    "expected each name once, since intervals go by it. Rename or remove one."
                )
            out.write(f"\n>{name}\n" if first else f">{name}\n")
            first[name], size = number, 0
        elif text and not text.startswith(";"):
            if not first:
                raise FormatError(f"{path}, line {number}: there is text before the first '>'; expected a FASTA of DNA. Is it the right file?")
            out.write(text)
            size += len(text)
    if not first:
        raise FormatError(f"{path} holds no FASTA record; expected lines that begin with '>'. Is it the right file?")
    if not size:
        raise FormatError(f"{path}, line {first[name]}: chromosome '{name}' is empty; expected bases after its header. Remove the record.")
    out.write("\n")
    return list(first)


def _encode(path: Path, name: str, text: str) -> Codes:
    """Encode one chromosome, or say in which one something is wrong."""
    try:
        return encode(text)
    except InputError as error:
        raise FormatError(f"{path}: chromosome '{name}': {error}") from error
