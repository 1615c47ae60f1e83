"""Attribution files: .npz with `attributions` (n, 4, L) and `codes` (n, L)."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seqdl.errors import FormatError, MissingFileError, listing
from seqdl.types import Codes


def read_attributions(path: str | Path) -> tuple[list[str], Codes, NDArray[np.float32]]:
    """Read attributions with the sequences they belong to.

    Parameters
    ----------
    path : str or Path
        An .npz with `attributions` (n, 4, L), `codes` (n, L), and `id` (n,) where the sequences have names.

    Returns
    -------
    names : list of n str
        The ids; numbers from 1 where there are none.
    codes : uint8, (n, L)
    attributions : float32, (n, 4, L)

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If it is no .npz, or lacks an array, or the shapes do not belong together.
    """
    if not Path(path).is_file():
        raise MissingFileError(f"{path} is not there; expected an .npz of attributions. Check the name.")
    try:
        with np.load(path, allow_pickle=False) as content:
            arrays = {name: content[name] for name in content.files if name in {"attributions", "codes", "id"}}
            found = list(content.files)
    except (ValueError, OSError, zipfile.BadZipFile, AttributeError) as error:
        raise FormatError(
            f"{path}: not an .npz of plain arrays ({error}); expected 'attributions' and 'codes'. Make it with seqdl attribute."
        ) from error
    for name in ("attributions", "codes"):
        if name not in arrays:
            raise FormatError(
                f"{path}: there is no array '{name}' but {listing(found)}; expected 'attributions' and 'codes'. Make it with seqdl attribute."
            )
    codes, attributions = arrays["codes"], arrays["attributions"]
    if attributions.ndim != 3 or codes.ndim != 2 or attributions.shape != (len(codes), 4, codes.shape[1]):
        raise FormatError(
            f"{path}: 'attributions' are {attributions.shape} and 'codes' {codes.shape}; expected (n, 4, L) and (n, L). Check how it was made."
        )
    names = [str(name) for name in arrays["id"]] if "id" in arrays else [str(i + 1) for i in range(len(codes))]
    return names, codes.astype(np.uint8), attributions.astype(np.float32)
