"""Embeddings as files that are written piece by piece."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from seqdl.errors import InputError, OutputExistsError
from seqdl.experiment.embed_files import check_ending, stream_h5ad, stream_npz, stream_tsv, write_embeddings

PIECES = [(["a", "much-longer"], np.array([[1, 2], [3, 4]], dtype=np.float32)), (["é"], np.array([[5, 6.5]], dtype=np.float32))]


def test_arrays_that_are_streamed_are_those_of_all_pieces(tmp_path):
    assert stream_npz(str(tmp_path / "x.npz"), iter(PIECES), force=False) == 3
    with np.load(tmp_path / "x.npz", allow_pickle=False) as arrays:
        assert set(arrays) == {"embedding", "id"}
        np.testing.assert_array_equal(arrays["embedding"], np.concatenate([values for _, values in PIECES]))
        assert arrays["embedding"].dtype == np.float32
        assert arrays["id"].tolist() == ["a", "much-longer", "é"]


def test_the_same_arrays_are_the_same_bytes(tmp_path):
    for name in ("x.npz", "y.npz"):
        stream_npz(str(tmp_path / name), iter(PIECES), force=False)
    assert (tmp_path / "x.npz").read_bytes() == (tmp_path / "y.npz").read_bytes()


def test_no_rows_are_read_before_the_earlier_ones_are_written(tmp_path):
    held = []

    def pieces():
        for k in range(50):
            values = np.full((10, 2), k, dtype=np.float32)
            held.append(values.base is None)
            yield [f"s{k}_{i}" for i in range(10)], values

    assert stream_npz(str(tmp_path / "x.npz"), pieces(), force=False) == 500
    assert len(held) == 50
    assert [path.name for path in tmp_path.iterdir()] == ["x.npz"]


def test_annotated_data_that_are_streamed_are_those_of_all_pieces(tmp_path):
    anndata = pytest.importorskip("anndata")
    assert stream_h5ad(str(tmp_path / "x.h5ad"), iter(PIECES), force=False) == 3
    found = anndata.read_h5ad(tmp_path / "x.h5ad")
    np.testing.assert_array_equal(found.X, np.concatenate([values for _, values in PIECES]))
    assert found.obs_names.tolist() == ["a", "much-longer", "é"]
    assert found.var_names.tolist() == ["z1", "z2"]
    assert [path.name for path in tmp_path.iterdir()] == ["x.h5ad"]


def test_annotated_data_hold_the_columns_and_the_map(tmp_path):
    anndata = pytest.importorskip("anndata")
    table = pd.DataFrame({"id": ["a", "b", "c"], "label": ["x", "y", "x"], "map1": [0.0, 1.0, 2.0], "map2": [2.0, 1.0, 0.0]})
    write_embeddings(str(tmp_path / "x.h5ad"), table, np.eye(3), force=False)
    found = anndata.read_h5ad(tmp_path / "x.h5ad")
    assert found.obs["label"].tolist() == ["x", "y", "x"]
    np.testing.assert_array_equal(found.obsm["X_map"], table[["map1", "map2"]])
    with pytest.raises(OutputExistsError, match=r"x\.h5ad"):
        write_embeddings(str(tmp_path / "x.h5ad"), table, np.eye(3), force=False)


@pytest.mark.parametrize(("stream", "name"), [(stream_npz, "x.npz"), (stream_tsv, "x.tsv"), (stream_h5ad, "x.h5ad")])
def test_a_fault_on_the_way_leaves_nothing_behind(stream, name, tmp_path):
    def broken():
        yield PIECES[0]
        raise InputError("the second piece is wrong")

    with pytest.raises(InputError, match="the second piece is wrong"):
        stream(str(tmp_path / name), broken(), force=False)
    assert not list(tmp_path.iterdir())


def test_an_ending_that_is_no_format_is_refused():
    with pytest.raises(InputError, match=r"-o x\.csv: a name ending in \.tsv"):
        check_ending("x.csv")
