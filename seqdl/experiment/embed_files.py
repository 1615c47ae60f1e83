"""Embeddings as files: TSV, NPZ and h5ad, written as they come, so that memory does not grow with them."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pandas as pd

from seqdl.errors import InputError
from seqdl.io.files import writing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from seqdl.types import Floats

ENDINGS = (".tsv", ".tsv.gz", ".npz", ".h5ad")
_AT_ONCE = 65_536  # names that are made an array at a time


def check_ending(output: str) -> None:
    """Raise `InputError` unless the name says one of the formats."""
    if output != "-" and not output.endswith(ENDINGS):
        raise InputError(f"-o {output}: a name ending in {', '.join(ENDINGS)} was expected. Rename it.")
    if output.endswith(".h5ad"):
        try:
            import anndata  # noqa: F401  # only whether it is there
        except ImportError:
            raise InputError(
                f"-o {output} needs the library anndata, which is not installed. pip install 'seqdl[anndata]', or write TSV or NPZ."
            ) from None


def stream_tsv(output: str, pieces: Iterable[tuple[list[str], Floats]], *, force: bool) -> int:
    """Write embeddings as a table as they come, and return how many there were."""
    n = 0
    with writing(output, force=force) as handle:
        for names, values in pieces:
            if not n:
                handle.write("\t".join(["id", *(f"z{k}" for k in range(1, values.shape[1] + 1))]) + "\n")
            text = np.char.mod("%.6g", values)
            handle.writelines(f"{name}\t" + "\t".join(row) + "\n" for name, row in zip(names, text, strict=True))
            n += len(names)
    return n


def stream_npz(output: str, pieces: Iterable[tuple[list[str], Floats]], *, force: bool) -> int:
    """Write embeddings as arrays ``id`` (N,) and ``embedding`` (N, Z) as they come, and return how many there were.

    An array's header tells its size, so that rows wait in unnamed files beside the output until all have come.
    """
    with _waiting(output, pieces, force=force) as (handle, rows, texts, (n, width, longest)), zipfile.ZipFile(handle, "w") as archive:
        _put(archive, "embedding", _chunks(rows), kind=("<f4", (n, width)))
        _put(archive, "id", _words(texts, longest), kind=(f"<U{longest}", (n,)))
    return n


def stream_h5ad(output: str, pieces: Iterable[tuple[list[str], Floats]], *, force: bool) -> int:
    """Write embeddings as AnnData, sequences by latents, and return how many there were; names are held in memory, rows are not."""
    with _waiting(output, pieces, force=force) as (handle, rows, texts, (n, width, _)):
        texts.seek(0)
        obs = pd.DataFrame(index=pd.Index([line[:-1].decode() for line in texts], name="id"))
        values = np.memmap(rows, dtype="<f4", shape=(n, width), mode="r").view(np.ndarray)
        _write_h5ad(handle, values, obs, beside=Path(output).resolve().parent)
    return n


@contextlib.contextmanager
def _waiting(
    output: str, pieces: Iterable[tuple[list[str], Floats]], *, force: bool
) -> Iterator[tuple[BinaryIO, IO[bytes], IO[bytes], tuple[int, int, int]]]:
    """Yield the file to write, unnamed files of all rows and of all names, and how many, how wide and how long these are."""
    beside = Path(output).resolve().parent
    n, width, longest = 0, 0, 1
    with writing(output, force=force, binary=True) as handle, tempfile.TemporaryFile(dir=beside) as rows, tempfile.TemporaryFile(dir=beside) as texts:
        for names, values in pieces:
            rows.write(np.ascontiguousarray(values, dtype="<f4").tobytes())
            texts.write("".join(f"{name}\n" for name in names).encode())
            n, width, longest = n + len(names), values.shape[1], max(longest, *map(len, names))
        rows.flush()
        yield handle, rows, texts, (n, width, longest)


def _write_h5ad(handle: BinaryIO, values: Floats, obs: pd.DataFrame, *, beside: Path, points: Floats | None = None) -> None:
    """Write rows (N, Z), what is known of each, and a map (N, 2) if there is one; HDF5 needs a file of its own on the way."""
    import anndata

    with tempfile.TemporaryDirectory(dir=beside, prefix=".h5ad.") as folder:
        path = Path(folder) / "rows.h5ad"
        var = pd.DataFrame(index=[f"z{k}" for k in range(1, values.shape[1] + 1)])
        obsm: dict[str, Any] = {} if points is None else {"X_map": points}
        anndata.AnnData(X=values, obs=_of_objects(obs), var=_of_objects(var), obsm=obsm).write_h5ad(path)
        with path.open("rb") as made:
            shutil.copyfileobj(made, handle)


def _of_objects(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with text as Python strings, since readers before AnnData 0.11 know no other."""
    text = [name for name in table if isinstance(table[name].dtype, pd.StringDtype)]
    return table.astype(dict.fromkeys(text, object)).set_index(table.index.astype(object))


def _put(archive: zipfile.ZipFile, name: str, parts: Iterable[bytes], *, kind: tuple[str, tuple[int, ...]]) -> None:
    """Write one array into the archive, part by part."""
    entry = zipfile.ZipInfo(f"{name}.npy")  # without a time, so that the same arrays give the same bytes
    entry.compress_type = zipfile.ZIP_DEFLATED if kind[0].startswith("<U") else zipfile.ZIP_STORED  # floats hardly shrink
    with archive.open(entry, "w", force_zip64=True) as stream:
        out: Any = stream
        np.lib.format.write_array_header_1_0(out, {"descr": kind[0], "fortran_order": False, "shape": kind[1]})
        for part in parts:
            out.write(part)


def _chunks(file: IO[bytes], size: int = 1 << 20) -> Iterator[bytes]:
    file.seek(0)
    while part := file.read(size):
        yield part


def _words(file: IO[bytes], longest: int) -> Iterator[bytes]:
    """Yield lines of a file as the bytes of a text array."""
    file.seek(0)
    while lines := list(islice(file, _AT_ONCE)):
        yield np.array([line[:-1].decode() for line in lines], dtype=f"<U{longest}").tobytes()


def write_embeddings(output: str, table: pd.DataFrame, values: Floats, *, force: bool) -> None:
    """Write names, further columns and embeddings (N, Z) in the format that the name says."""
    if output.endswith(".npz"):
        with writing(output, force=force, binary=True) as handle:
            columns: dict[str, Any] = {str(name): _plain(column) for name, column in table.items()}
            np.savez_compressed(handle, embedding=values, **columns)
        return
    if output.endswith(".h5ad"):
        points = table[["map1", "map2"]].to_numpy() if {"map1", "map2"} <= set(table) else None
        obs = table.drop(columns="id").set_index(pd.Index(table["id"].astype(str), name="id"))
        with writing(output, force=force, binary=True) as handle:
            _write_h5ad(handle, values, obs, beside=Path(output).resolve().parent, points=points)
        return
    from seqdl.io.table import write_tsv

    columns = {f"z{k}": values[:, k - 1] for k in range(1, values.shape[1] + 1)}
    write_tsv(output, table.assign(**columns), force=force, float_format="%.6g")


def _plain(column: pd.Series[Any]) -> NDArray[Any]:
    """Return a column as an array that is read without pickle."""
    return column.to_numpy() if pd.api.types.is_numeric_dtype(column) else column.to_numpy(dtype=str)
