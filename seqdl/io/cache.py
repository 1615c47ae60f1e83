"""The user's cache folder, and arrays too large for memory that lie in files there."""

from __future__ import annotations

import contextlib
import mmap
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

S = TypeVar("S", bound=np.generic)

LARGE = 1 << 28
"""Bytes (256 MiB) from which an array is kept in a file rather than in memory."""
_ROWS_AT_ONCE = 1 << 26  # bytes copied in one go


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


def roomy_array(shape: tuple[int, ...], dtype: type[S]) -> NDArray[S]:
    """Make an array whose values are still to be set: in memory, or, where it is large, in a file of the cache folder.

    The file has no name any more when the array is handed out, so that it is gone with the array however the process ends. The system
    may put its pages on disk at any time, and worker processes share them. Where the folder cannot take the file, the array is in memory.

    Parameters
    ----------
    shape : tuple of int
    dtype : numpy scalar type

    Returns
    -------
    array

    Examples
    --------
    >>> roomy_array((2, 3), np.uint8).shape
    (2, 3)
    """
    kind = np.dtype(dtype)
    size = int(np.prod(shape, dtype=np.int64)) * kind.itemsize
    if size >= LARGE:
        with contextlib.suppress(OSError):
            return np.frombuffer(_nameless(size), dtype=kind).reshape(shape)
    return np.empty(shape, dtype=kind)


def take_rows(array: NDArray[S], rows: NDArray[Any]) -> NDArray[S]:
    """Return ``array[rows]`` as a `roomy_array`, copied in parts so that no second one is ever in memory.

    Parameters
    ----------
    array : array, (N, ...)
    rows : int array, (n,), or bool array, (N,)

    Examples
    --------
    >>> take_rows(np.array([[1, 2], [3, 4]]), np.array([False, True])).tolist()
    [[3, 4]]
    """
    chosen = np.flatnonzero(rows) if rows.dtype == bool else rows
    out = roomy_array((len(chosen), *array.shape[1:]), array.dtype.type)
    step = max(1, _ROWS_AT_ONCE // max(1, array[:1].nbytes))
    for first in range(0, len(chosen), step):
        out[first : first + step] = array[chosen[first : first + step]]
    return out


def _nameless(size: int) -> mmap.mmap:
    """Map a new file of so many bytes that no folder lists."""
    folder = cache_folder() / "scratch"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)  # a full disk is an error here, where a write to the map would kill the process
        else:
            file.truncate(size)
        return mmap.mmap(file.fileno(), size)
