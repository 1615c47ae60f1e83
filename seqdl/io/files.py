"""Opening text of any wrapping, and writing files whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import gzip
import hashlib
import io
import os
import secrets
import shutil
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO, Literal, TextIO, TypeAlias, cast, overload

from seqdl.errors import FormatError, InputError, MissingFileError, OutputExistsError, SeqdlError

PathLike: TypeAlias = str | os.PathLike[str]

_GZIP = b"\x1f\x8b"
_BGZIP_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")  # the empty block that ends every bgzip file
_OTHER_FORMATS = {
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ": "compressed with xz",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"BAM\x01": "a BAM file",
    b"\x89HDF": "an HDF5 file",
    b"\x26\xfc\x8f\x88": "a bigWig file",
    b"\x88\x8f\xfc\x26": "a bigWig file",
    b"\x1a\x41\x27\x43": "a 2bit file",
    b"\x43\x27\x41\x1a": "a 2bit file",
}
_NO_SPACE = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the disk quota is used up", errno.EFBIG: "the file grew over the size that is allowed"}


@contextlib.contextmanager
def open_text(path: PathLike) -> Iterator[TextIO]:
    """Open a text file, whatever it is wrapped in.

    Plain, gzip and bgzip are told apart by their first bytes; any line end is read as one newline, a byte-order mark is skipped.

    Parameters
    ----------
    path : path or "-"
        The file; ``-`` is standard input.

    Yields
    ------
    text stream
        Its `newlines` tells which line ends were met.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If it is a folder, is cut short or damaged, or is not text.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with writing(f"{folder}/a.txt.gz") as stream:
    ...         _ = stream.write("ACGT")
    ...     with open_text(f"{folder}/a.txt.gz") as stream:
    ...         print(stream.read())
    ACGT
    """
    if str(path) == "-" and not hasattr(sys.stdin, "buffer"):
        yield sys.stdin  # replaced by something that is text already
        return
    with open_binary(path) as raw:
        buffered = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(cast(io.RawIOBase, raw))
        _refuse_binary(path, buffered.peek(4096)[:4096])
        text = io.TextIOWrapper(buffered, encoding="utf-8-sig", errors="replace")
        try:
            yield text
        finally:
            text.detach()  # whoever opened the bytes closes them


@contextlib.contextmanager
def open_binary(path: PathLike) -> Iterator[BinaryIO]:
    """Open a file for its bytes, unpacked where it is gzip or bgzip.

    Parameters
    ----------
    path : path or "-"
        The file; ``-`` is standard input.

    Yields
    ------
    binary stream

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If it is a folder, or is cut short or damaged.
    """
    name = shown(path)
    with _opened(path) as buffered:
        packed = buffered.peek(2)[:2] == _GZIP
        if packed:
            _refuse_cut_bgzip(path, buffered)
        stream = cast(BinaryIO, gzip.GzipFile(fileobj=buffered)) if packed else cast(BinaryIO, buffered)
        try:
            yield stream
        except EOFError as error:
            raise FormatError(
                f"{name} is cut short: its gzip stream ends too early. A whole file was expected. Copy or download it again."
            ) from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise FormatError(f"{name} is damaged: {error}. A sound gzip file was expected. Copy or download it again.") from error


def shown(path: PathLike) -> str:
    """Return how a path is called in messages."""
    return "standard input" if str(path) == "-" else str(path)


def compression(path: PathLike) -> Literal["plain", "gzip", "bgzip"]:
    """Tell by its first bytes how a file is compressed.

    Raises
    ------
    MissingFileError
        If there is no such file.
    """
    with _opened(path) as stream:
        head = stream.peek(18)[:18]
    return "plain" if head[:2] != _GZIP else "bgzip" if _is_bgzip(head) else "gzip"


def sha256(path: PathLike) -> str:
    """Return the SHA-256 of a file's bytes as they lie on disk, as 64 hexadecimal digits.

    Raises
    ------
    MissingFileError
        If there is no such file.
    """
    with _opened(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@overload
def writing(path: PathLike, *, force: bool = False, binary: Literal[False] = False) -> contextlib.AbstractContextManager[TextIO]: ...
@overload
def writing(path: PathLike, *, force: bool = False, binary: Literal[True]) -> contextlib.AbstractContextManager[BinaryIO]: ...
def writing(path: PathLike, *, force: bool = False, binary: bool = False) -> contextlib.AbstractContextManager[Any]:
    """Write a file whole or not at all.

    What is written goes to a temporary name in the same folder, which takes the real name only when the block ends well.
    Text whose name ends in ``.gz`` is compressed, without a time stamp, so that the same text gives the same bytes.

    Parameters
    ----------
    path : path or "-"
        The file; ``-`` is standard output. Its folder must be there.
    force : bool, default False
        Whether a file that is already there may be replaced.
    binary : bool, default False
        Whether the stream takes bytes; they are written as they are.

    Yields
    ------
    stream

    Raises
    ------
    OutputExistsError
        If the file is there and `force` is not set.
    MissingFileError
        If the folder is not there.
    InputError
        If the path is a folder or may not be written.
    SeqdlError
        If the disk is full; nothing is left behind.
    """
    return _writing(path, force=force, binary=binary)


@contextlib.contextmanager
def _writing(path: PathLike, *, force: bool, binary: bool) -> Iterator[IO[Any]]:
    if str(path) == "-":
        yield cast(BinaryIO, sys.stdout.buffer) if binary else sys.stdout
        sys.stdout.flush()
        return
    target = Path(os.path.realpath(path))  # a link is written through, not replaced
    _check_target(target, path, force=force)
    special = target.exists() and not target.is_file()  # a pipe or a device is never renamed over
    temporary = target if special else target.with_name(f".{target.name[:100]}.{secrets.token_hex(6)}.tmp")
    try:
        with _wrapped(temporary, packed=target.suffix == ".gz", binary=binary) as stream:
            yield stream
        if not special:
            _check_target(target, path, force=force)
            if target.exists():
                shutil.copymode(target, temporary)
            temporary.replace(target)
    except OSError as error:
        if isinstance(error, SeqdlError):
            raise
        if error.errno in _NO_SPACE:
            raise SeqdlError(f"{path} could not be written: {_NO_SPACE[error.errno]}. Nothing was left behind. Make room and run again.") from error
        if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG}:
            raise InputError(f"{path} cannot be written: {error.strerror}. A place that can be written was expected. Choose another.") from error
        raise
    finally:
        if not special:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def _wrapped(path: Path, *, packed: bool, binary: bool) -> Iterator[IO[Any]]:
    with contextlib.ExitStack() as closing:
        raw: Any = closing.enter_context(path.open("wb"))
        if packed and not binary:
            raw = closing.enter_context(gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=6, mtime=0))
        yield raw if binary else closing.enter_context(io.TextIOWrapper(raw, encoding="utf-8", newline="\n"))


def check_writable(path: PathLike, *, force: bool = False) -> None:
    """Raise what `writing` would raise on opening, before long work is begun; - is always writable.

    Examples
    --------
    >>> check_writable("-")
    """
    if str(path) != "-":
        _check_target(Path(path), path, force=force)


def _check_target(target: Path, path: PathLike, *, force: bool) -> None:
    if target.is_dir():
        raise InputError(f"{path} is a folder; the name of a file was expected. Add a file name.")
    if not target.parent.is_dir():
        raise MissingFileError(f"{path} cannot be written: there is no folder {target.parent}. An existing folder was expected. Make it first.")
    if target.is_file() and not force:
        raise OutputExistsError(
            f"{path} is already there; nothing is overwritten without being asked. Pass --force (force=True) or choose another name."
        )


@contextlib.contextmanager
def _opened(path: PathLike) -> Iterator[io.BufferedReader]:
    """Open the bytes as they are, with an error that names the file."""
    if str(path) == "-":
        source = sys.stdin.buffer
        stream = source if isinstance(source, io.BufferedReader) else io.BufferedReader(cast(io.RawIOBase, source))
        try:
            yield stream
        finally:
            if stream is not source:
                stream.detach()
        return
    name = str(path)
    if "://" in name:
        raise MissingFileError(f"{name} is an address on the web; a file on this machine was expected. Download it first.")
    place = Path(path)
    if place.is_dir():
        raise FormatError(f"{name} is a folder; a file was expected. Name a file in it.")
    try:
        stream = place.open("rb")
    except FileNotFoundError as error:
        raise MissingFileError(_missing(place)) from error
    except OSError as error:
        raise InputError(f"{name} cannot be opened: {error.strerror}. A readable file was expected. Check its path and permissions.") from error
    with stream:
        yield stream


def _missing(place: Path) -> str:
    import difflib

    if not place.parent.is_dir():
        return f"there is no file {place}: its folder {place.parent} is not there. Check the path."
    near = difflib.get_close_matches(place.name, os.listdir(place.parent), n=1, cutoff=0.7)  # noqa: PTH208
    return f"there is no file {place}.{f' Did you mean {place.parent / near[0]}?' if near else ' Check the path.'}"


def _is_bgzip(head: bytes) -> bool:
    return len(head) >= 14 and bool(head[3] & 4) and head[12:14] == b"BC"


def _refuse_cut_bgzip(path: PathLike, stream: io.BufferedReader) -> None:
    """Raise where a bgzip file lacks its last block: cut between two blocks it would read as a shorter file without an error."""
    if not _is_bgzip(stream.peek(18)[:18]) or not stream.seekable():
        return
    here = stream.tell()
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(here, size - len(_BGZIP_END)))
    tail = stream.read()
    stream.seek(here)
    if tail != _BGZIP_END:
        raise FormatError(
            f"{shown(path)} is cut short: the block that ends a bgzip file is missing. A whole file was expected. Copy or download it again."
        )


def _refuse_binary(path: PathLike, head: bytes) -> None:
    what = next((text for magic, text in _OTHER_FORMATS.items() if head.startswith(magic)), "binary" if b"\0" in head else "")
    if what:
        raise FormatError(f"{shown(path)} is not text: it is {what}. Plain, gzip or bgzip text was expected. Convert or unpack it first.")
