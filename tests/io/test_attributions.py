from __future__ import annotations

import numpy as np
import pytest

from seqdl.errors import FormatError, MissingFileError
from seqdl.io.attributions import read_attributions


@pytest.mark.parametrize("named", [True, False])
def test_attributions_come_with_codes_and_names(tmp_path, named):
    codes, scores = np.zeros((2, 5), np.uint8), np.ones((2, 4, 5), np.float32)
    np.savez(tmp_path / "a.npz", codes=codes, attributions=scores, prediction=np.zeros(2), **({"id": np.array(["p", "q"])} if named else {}))
    names, read_codes, read_scores = read_attributions(tmp_path / "a.npz")
    assert names == (["p", "q"] if named else ["1", "2"])
    np.testing.assert_array_equal(read_codes, codes)
    np.testing.assert_array_equal(read_scores, scores)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"codes": np.zeros((2, 5))}, "no array 'attributions' but codes"),
        ({"attributions": np.zeros((2, 4, 5))}, "no array 'codes' but attributions"),
        ({"attributions": np.zeros((2, 5, 4)), "codes": np.zeros((2, 5))}, r"'attributions' are \(2, 5, 4\)"),
        ({"attributions": np.array([{}], dtype=object), "codes": np.zeros((2, 5))}, "not an .npz of plain arrays"),
    ],
)
def test_a_file_that_is_something_else_is_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(FormatError, match=message):
        read_attributions(tmp_path / "a.npz")


def test_text_is_not_an_npz(tmp_path):
    (tmp_path / "a.npz").write_text("hello")
    with pytest.raises(FormatError, match=r"not an .npz"):
        read_attributions(tmp_path / "a.npz")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingFileError, match="nowhere"):
        read_attributions(tmp_path / "nowhere.npz")
