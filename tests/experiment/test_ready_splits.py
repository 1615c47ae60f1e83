"""Splits that are given as files are taken as they are."""

from __future__ import annotations

import numpy as np
import pytest

from seqdl.errors import InputError
from seqdl.experiment.config import make_config
from seqdl.experiment.prepare import prepare
from seqdl.io.fasta import write_fasta
from seqdl.sequence.encode import decode


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    made = {}
    for name, n in (("pos", 20), ("neg", 25), ("val_pos", 4), ("val_neg", 5), ("test_pos", 6), ("test_neg", 7)):
        made[name] = rng.integers(0, 4, (n, 60), dtype=np.uint8)
        write_fasta(tmp_path / f"{name}.fa", [f"{name}{i}" for i in range(n)], made[name])
    return tmp_path, made


def paths(folder, *names):
    return [str(folder / f"{name}.fa") for name in names]


def test_every_sequence_is_in_the_split_and_the_class_of_its_file(files):
    folder, made = files
    given = {
        "fasta": paths(folder, "pos", "neg"),
        "val_fasta": paths(folder, "val_pos", "val_neg"),
        "test_fasta": paths(folder, "test_pos", "test_neg"),
    }
    data = prepare(make_config({"data": given}))
    for row, codes in zip(data.examples.itertuples(), data.codes, strict=True):
        name = row.id.rstrip("0123456789")
        assert row.split == {"pos": "train", "neg": "train"}.get(name, name.split("_")[0])
        assert row.target == float(name.endswith("pos"))
        assert decode(codes) == decode(made[name][int(row.id[len(name) :])])
    assert data.sizes() == {
        "train": {"positives": 20, "negatives": 25},
        "val": {"positives": 4, "negatives": 5},
        "test": {"positives": 6, "negatives": 7},
    }


def test_what_no_file_gives_is_taken_from_training(files):
    folder, _ = files
    data = prepare(make_config({"data": {"fasta": paths(folder, "pos", "neg"), "test_fasta": paths(folder, "test_pos", "test_neg")}}))
    assert data.sizes()["test"] == {"positives": 6, "negatives": 7}
    assert sum(data.sizes()["train"].values()) + sum(data.sizes()["val"].values()) == 45
    assert min(data.sizes()["val"].values()) >= 1


def test_one_file_of_a_split_is_refused(files):
    folder, _ = files
    with pytest.raises(InputError, match=r"--test-fasta was given 1 file: two were expected"):
        prepare(make_config({"data": {"fasta": paths(folder, "pos", "neg"), "test_fasta": paths(folder, "test_pos")}}))
