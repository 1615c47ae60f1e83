"""The filters of all members of an ensemble: hand-built networks whose families are known."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from seqdl.data.dataset import SequenceData
from seqdl.errors import NoFiltersError
from seqdl.experiment.motif_files import write_motifs
from seqdl.experiment.motif_members import committee_of, common_families, networks_of, place_of
from seqdl.experiment.motifs import MOTIF_COLUMNS, OVER_MEMBERS, Reading, extract_motifs
from seqdl.interpret.families import merged
from seqdl.interpret.readout import evaluating
from seqdl.io.motifs import read_meme
from seqdl.models.cnn import CNN
from seqdl.motif.motif import Motif
from seqdl.sequence.encode import encode
from seqdl.tasks.binary import Binary
from seqdl.tasks.ensemble import Ensemble

WORDS = {"A": "TTACCCGGCAG", "B": "CACGTTGGAAT", "C": "GATGACTCATC"}
TURNED = str.maketrans("ACGT", "TGCA")
MEMBERS = (("A", "B", ""), ("turned A", "shifted B", "C"), ("A", "", "short A"))
"""What each filter of each member looks for; an empty one is dead."""
FAMILIES = {"A": {(0, 0), (1, 0), (2, 0), (2, 2)}, "B": {(0, 1), (1, 1)}, "C": {(1, 2)}}
WIDTH, LENGTH = 13, 80


def word_of(what):
    how, _, name = what.rpartition(" ")
    word = WORDS[name]
    return {"": word, "turned": word.translate(TURNED)[::-1], "shifted": word[1:], "short": word[:-1]}[how]


def member(looks_for, seed):
    """Return a network whose filters fire on whole words, and whose answer rises with each."""
    task = Binary(CNN(filters=len(looks_for), width=WIDTH), outputs=["site"], hidden=0, dropout=0)
    weight = task.encoder.conv.weight.data.zero_()
    for f, what in enumerate(looks_for):
        if what:
            word = word_of(what)
            start = seed % (WIDTH - len(word) + 1)  # words stand in different places of the filters
            fit = torch.linspace(0.9, 1.1, len(word)) + 0.013 * (f + 3 * seed)  # so that hardly two sequences are answered the same
            weight[f, encode(word).astype(int), np.arange(start, start + len(word))] = fit
    norm, dense = task.head.dense[0], task.head.dense[-1]
    norm.running_mean.fill_(6.5)  # of eleven bases that fit
    dense.weight.data[:] = torch.tensor([[1.0 + 0.1 * seed] * len(looks_for)])
    return task.eval()


@pytest.fixture(scope="module")
def data():
    """Return positives that hold one word or the other, on either strand, and negatives without."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (900, LENGTH)).astype(np.uint8)
    for i, name in zip(range(450), itertools.cycle("AAABBC"), strict=False):
        site = encode(word_of(f"turned {name}" if i % 2 else name))
        start = rng.integers(0, LENGTH - len(site))
        codes[i, start : start + len(site)] = site
    split = rng.permutation(np.tile(["train", "val", "test"], 300))
    return SequenceData.from_sequences(list(codes), np.repeat([1.0, 0.0], 450), list(split), names=[f"s{i}" for i in range(900)], output="site")


@pytest.fixture(scope="module")
def known():
    rng = np.random.default_rng(1)
    other = [Motif(f"M{k}", rng.dirichlet([0.3] * 4, 10).T) for k in range(30)]
    return [*(Motif(f"K{name}", np.eye(4)[:, encode(word).astype(int)] * 0.96 + 0.01, alt_name=name) for name, word in WORDS.items()), *other]


def ensemble(order=(0, 1, 2)):
    return Ensemble([member(MEMBERS[k], k) for k in order]).eval()


@pytest.fixture(scope="module")
def found(data, known):
    return extract_motifs(ensemble(), data, known, reading=Reading(n_sites=40))


def families_in(found, order=(0, 1, 2)):
    """Return the families as sets of (member, filter), the members numbered as in `MEMBERS`."""
    return {frozenset((order[k], f) for k, f in map(place_of, (motif.name for motif in family))) for family in found.families.values()}


def test_filters_that_look_alike_make_one_motif_over_all_members(found):
    assert families_in(found) == {frozenset(family) for family in FAMILIES.values()}
    table = found.table.set_index("match")
    assert {label.split()[1]: (row["members"], row["of_members"], row["filters"]) for label, row in table.iterrows()} == {
        "A": (3, 3, 4),
        "B": (2, 3, 2),
        "C": (1, 3, 1),
    }
    assert list(found.table.columns) == [*MOTIF_COLUMNS, *OVER_MEMBERS]


def test_a_motif_is_named_after_its_sharpest_filter(found):
    for name, family in found.families.items():
        assert name == family[0].name
        assert family[0].information_bits == max(motif.information_bits for motif in family)
    assert [motif.name for motif in found.motifs] == list(found.table["name"]) == list(found.table["family"])


def test_a_motif_is_all_filters_of_its_family_laid_over_each_other(found):
    for motif, family in zip(found.motifs, found.families.values(), strict=True):
        assert motif.n_sites == pytest.approx(sum(filter_.n_sites for filter_ in family))
        np.testing.assert_array_equal(motif.pfm, merged(family).pfm)
    assert found.table["n_sites"].tolist() == [round(motif.n_sites) for motif in found.motifs]
    assert found.table["information_bits"].tolist() == [motif.information_bits for motif in found.motifs]


def test_dead_filters_of_all_members_are_counted(found):
    assert found.dead == ["member0_filter2", "member2_filter1"]
    assert found.n_filters == 9
    assert "9 filters of layer 'encoder.conv' in 3 networks, 2 of them dead" in found.summary()
    assert "3 families of filters that look alike, a motif each; 2 are in more than one network" in found.summary()


@pytest.mark.parametrize("order", [(2, 1, 0), (1, 2, 0)])
def test_the_order_of_the_members_does_not_change_the_families(found, data, known, order):
    turned = extract_motifs(ensemble(order), data, known, reading=Reading(n_sites=40))
    assert families_in(turned, order) == families_in(found)
    a, b = (one.table.set_index("match")[["importance", "members", "filters", "information_bits"]].sort_index() for one in (found, turned))
    pd.testing.assert_frame_equal(a, b, atol=2e-4)  # a pair of sequences or two that are answered the same but for rounding


def test_families_of_motifs_do_not_depend_on_their_order():
    rng = np.random.default_rng(0)
    motifs = [Motif(f"m{k}", rng.dirichlet([0.1] * 4, 11).T * 50) for k in range(6)]
    motifs += [Motif(f"n{k}", motif.pfm[::-1, ::-1] + rng.random((4, 11))) for k, motif in enumerate(motifs)]
    expected = {frozenset(motif.name for motif in family) for family in common_families(motifs)}
    for _ in range(5):
        shuffled = [motifs[i] for i in rng.permutation(len(motifs))]
        assert {frozenset(motif.name for motif in family) for family in common_families(shuffled)} == expected
    assert len(expected) == 6


def test_importance_is_what_the_ensemble_loses_without_the_family(found, data):
    """By brute force: hooks replace the channels by their means, and the whole ensemble is run again."""
    task = ensemble()
    rows = data.rows("test")
    x, target = torch.from_numpy(np.asarray(data.one_hot_of(rows))), data.targets()[rows][:, 0]

    def auroc(silent):
        handles = []
        for k, part in enumerate(task.tasks):
            own = [f for m, f in silent if m == k]
            means = torch.cat([part.encoder.conv(x), part.encoder.conv(x.flip(1, 2))]).mean((0, 2))

            def replace(_module, _inputs, output, own=own, means=means):
                output = output.clone()
                output[:, own] = means[own, None]
                return output

            handles.append(part.encoder.conv.register_forward_hook(replace))
        logits = task.logits(x)[:, 0].double().numpy()
        for handle in handles:
            handle.remove()
        pairs = logits[target == 1][:, None] - logits[target == 0]
        return ((pairs > 0) + (pairs == 0) / 2).mean()

    with torch.no_grad(), evaluating(task):
        full = auroc([])
        expected = {name: full - auroc([place_of(motif.name) for motif in family]) for name, family in found.families.items()}
    for row in found.table.to_dict("records"):
        assert row["importance"] == pytest.approx(expected[row["name"]], abs=1e-4)
        assert row["importance"] == row["family_importance"]
        assert row["direction"] == 1
    assert found.table["importance"].is_monotonic_decreasing
    assert found.table["importance"].iloc[0] > 0.05


def test_a_committee_answers_as_the_calibrated_ensemble_does(data):
    task = ensemble()
    task.calibrate(np.array([1.7]), np.array([-0.4]))
    x = torch.from_numpy(np.asarray(data.one_hot_of(data.rows("test")[:20])))
    with torch.no_grad():
        torch.testing.assert_close(committee_of(task).combine(task.member_logits(x)), task.logits(x))


def test_every_filter_is_written_with_its_family(found, tmp_path):
    write_motifs(tmp_path, found, length=LENGTH)
    table = pd.read_csv(tmp_path / "filters.tsv", sep="\t")
    assert len(table) == 7
    assert {tuple(row) for row in table[["member", "filter"]].to_numpy()} == set().union(*FAMILIES.values())
    assert (table.groupby("family").size() == found.table.set_index("name")["filters"].sort_index().rename_axis("family")).all()
    assert [motif.name for motif in read_meme(tmp_path / "filters.meme")] == list(table["name"])
    families = read_meme(tmp_path / "families.meme")
    assert [motif.name for motif in families] == list(found.table["name"])
    assert all(whole.n_sites == pytest.approx(sum(m.n_sites for m in found.families[whole.name]), abs=1) for whole in families)
    assert "in 3 of 3 networks" in (tmp_path / "gallery.svg").read_text()
    assert {path.stem for path in (tmp_path / "logos").iterdir()} == set(found.table["name"])


def test_vague_families_stay_in_the_table_and_are_not_drawn(found, tmp_path):
    table = found.table.assign(information_bits=[20.0, 15.0, 3.0])
    write_motifs(tmp_path, type(found)(**{**vars(found), "table": table}), length=LENGTH)
    gallery = (tmp_path / "gallery.svg").read_text()
    ET.fromstring(gallery)
    assert "1 vague ones (under 8 bits) are in motifs.tsv only" in gallery
    assert "Logos of 2 motifs" in gallery
    assert len(pd.read_csv(tmp_path / "motifs.tsv", sep="\t")) == 3


def test_a_network_alone_has_a_row_a_filter_as_ever(data, known, tmp_path):
    found = extract_motifs(ensemble().tasks[2], data, known, reading=Reading(n_sites=40))
    assert sorted(found.table["name"]) == ["filter0", "filter2"]
    assert found.table["family"].nunique() == 1
    assert list(found.table.columns) == list(MOTIF_COLUMNS)
    assert found.summary().endswith("2 motifs in 1 families")
    (tmp_path / "filters.tsv").write_text("of an ensemble that was here before\n")
    write_motifs(tmp_path, found, length=LENGTH)
    assert not (tmp_path / "filters.tsv").exists()


def test_an_ensemble_of_one_is_read_as_that_network(data, known):
    only = Ensemble([member(MEMBERS[0], 0)]).eval()
    assert set(networks_of(only)) == {""}
    assert "filter0" in set(extract_motifs(only, data, known, reading=Reading(n_sites=40)).table["name"])


class Flat(nn.Module):
    """An encoder without filters."""

    channels, stride = 4, 1

    def forward(self, x, lengths=None):
        return x


def test_members_without_filters_are_passed_over_unless_none_has_any(data, known):
    mixed = Ensemble([Binary(Flat(), outputs=["site"]), member(MEMBERS[1], 1)]).eval()
    found = extract_motifs(mixed, data, known, reading=Reading(n_sites=40))
    assert found.table["of_members"].tolist() == [1, 1, 1]
    assert set(found.table["name"]) == {"member1_filter0", "member1_filter1", "member1_filter2"}
    with pytest.raises(NoFiltersError, match="no convolution over the four bases"):
        networks_of(Ensemble([Binary(Flat()), Binary(Flat())]))
