"""Effects of variants, against chromosomes that are rewritten as text."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from seqdl.data.genome import Genome
from seqdl.errors import InputError
from seqdl.interpret.motif_changes import motif_changes
from seqdl.interpret.readout import reverse_complement
from seqdl.interpret.variants import Windowing, allele_windows, variant_effects
from seqdl.layers.pooling import GlobalMax
from seqdl.motif.motif import Motif
from seqdl.sequence.encode import decode, encode, one_hot

LENGTH = 24


def table(rows):
    made = pd.DataFrame(rows, columns=["chrom", "start", "ref", "alt"])
    return made.assign(end=made["start"] + made["ref"].str.len())


def window_of(chromosome, first, length):
    """Cut a window out of text, N beyond the ends."""
    return "".join(chromosome[i] if 0 <= i < len(chromosome) else "N" for i in range(first, first + length))


@st.composite
def chromosome_and_variant(draw):
    text = draw(st.text("ACGT", min_size=1, max_size=60))
    start = draw(st.integers(0, len(text) - 1))
    size = draw(st.integers(1, min(4, len(text) - start)))
    return text, start, size, draw(st.text("ACGT", min_size=1, max_size=5)), draw(st.integers(-6, 6))


@settings(max_examples=150, deadline=None)
@given(chromosome_and_variant())
def test_windows_are_cut_out_of_the_rewritten_chromosome(case):
    text, start, size, alt, shift = case
    ref = text[start : start + size]
    genome = Genome.from_codes({"other": encode("ACGT" * 10), "chrI": encode(text)})
    found = allele_windows(table([("chrI", start, ref, alt)]), genome, length=LENGTH, shift=shift)
    first = (2 * start + size) // 2 - LENGTH // 2 + shift
    rewritten = text[:start] + alt + text[start + size :]
    assert decode(found[0][0]) == window_of(text, first, LENGTH)
    assert decode(found[1][0]) == window_of(rewritten, first, LENGTH)


class Counts(nn.Module):
    """Counts the bases of the best site for GATTA on the given strand; two outputs."""

    def __init__(self):
        super().__init__()
        self.conv, self.pool = nn.Conv1d(4, 1, 5, bias=False), GlobalMax()
        self.conv.weight.data[0] = torch.from_numpy(one_hot(encode("GATTA")))

    def forward(self, x):
        found = self.pool(self.conv(x))
        return torch.cat([found, 2 * found], 1)


GENOME = Genome.from_codes({"chrI": encode("C" * 30 + "GATTA" + "C" * 30), "chrII": encode("C" * 30 + "TAATC" + "C" * 30)})


def test_the_effect_is_the_difference_of_the_outputs_of_all_outputs():
    variants = table([("chrI", 31, "A", "C"), ("chrI", 31, "AT", "A"), ("chrI", 5, "C", "G")])
    found = variant_effects(Counts(), variants, GENOME, windowing=Windowing(LENGTH, both_strands=False))
    np.testing.assert_allclose(found.effect[:, 0], [-1, -2, 1])  # GCTTA; GATAC; a lone G where nothing was
    np.testing.assert_allclose(found.effect[:, 1], 2 * found.effect[:, 0])
    np.testing.assert_allclose(found.ref[:, 0], [5, 5, 0])
    assert np.isnan(found.spread).all()


def test_both_strands_are_averaged_where_the_network_reads_one():
    variants = table([("chrII", 32, "A", "C")])
    one, two = (variant_effects(Counts(), variants, GENOME, windowing=Windowing(LENGTH, both_strands=both)) for both in (False, True))
    codes = allele_windows(variants, GENOME, length=LENGTH)
    with torch.no_grad():
        x = [torch.from_numpy(one_hot(some)) for some in codes]
        forward = [Counts()(some)[:, 0].numpy() for some in x]
        turned = [Counts()(reverse_complement(some))[:, 0].numpy() for some in x]
    np.testing.assert_allclose(one.effect[:, 0], forward[1] - forward[0])
    np.testing.assert_allclose(two.effect[:, 0], (forward[1] - forward[0] + turned[1] - turned[0]) / 2)


def test_shifts_are_averaged(two_strands):
    rng = np.random.default_rng(0)
    genome = Genome.from_codes({"chrI": rng.integers(0, 4, 200).astype(np.uint8)})
    variants = table([("chrI", at, decode(genome.codes("chrI")[at : at + 1]), "A") for at in (50, 80, 120)])
    each = [variant_effects(two_strands, variants, genome, windowing=Windowing(LENGTH, [shift])).effect for shift in (-5, 0, 6)]
    together = variant_effects(two_strands, variants, genome, windowing=Windowing(LENGTH, [-5, 0, 6])).effect
    np.testing.assert_allclose(together, np.mean(each, axis=0), atol=1e-6)


def test_the_spread_is_that_of_the_members_and_the_outputs_are_their_mean():
    variants = table([("chrI", 31, "A", "C"), ("chrI", 5, "C", "G")])
    net = Counts()
    found = variant_effects(net, variants, GENOME, length=LENGTH, members=lambda x: torch.stack([net(x), 3 * net(x), 5 * net(x)]))
    alone = variant_effects(net, variants, GENOME, length=LENGTH)
    np.testing.assert_allclose(found.effect, 3 * alone.effect)
    np.testing.assert_allclose(found.spread, np.std([1, 3, 5], ddof=1) * np.abs(alone.effect))


def test_the_batch_size_changes_nothing(two_strands):
    genome = Genome.from_codes({"chrI": np.random.default_rng(0).integers(0, 4, 400).astype(np.uint8)})
    variants = table([("chrI", at, decode(genome.codes("chrI")[at : at + 1]), "ACG"[at % 3]) for at in range(0, 400, 9)])
    small, large = (variant_effects(two_strands, variants, genome, windowing=Windowing(LENGTH, batch_size=size)).effect for size in (4, 256))
    np.testing.assert_allclose(small, large, atol=1e-5)


def test_no_variant_gives_no_effect():
    assert len(variant_effects(Counts(), table([]).astype({"start": np.int64, "end": np.int64}), GENOME, length=LENGTH).effect) == 0


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        ([("chrI", 5, "C", "G")], {}, "no length was given; the length of the windows was expected"),
        ([("chrI", 5, "C", "A" * 13)], {"length": LENGTH}, r"an allele of more than half of the window \(24 bp\); first: chrI, position 6, 13 bp"),
        ([("chrI", 5, "C", "G")], {"windowing": Windowing(LENGTH, [0, 7])}, r"the shifts are \[0, 7\] for windows of 24 bp"),
        ([("chrI", 5, "C", "G")], {"windowing": Windowing(LENGTH, [])}, r"the shifts are \[\] for windows"),
        ([("chr1", 5, "C", "G")], {"length": LENGTH}, "on chromosomes the genome does not have: chr1"),
    ],
)
def test_what_cannot_be_done_is_said(rows, options, message):
    with pytest.raises(InputError, match=message):
        variant_effects(Counts(), table(rows), GENOME, **options)


MOTIF = Motif("m1", one_hot(encode("GATTACA")) * 30, alt_name="TOY")
WITH_SITE = Genome.from_codes({"chrI": encode("C" * 20 + "GATTACA" + "C" * 20), "chrII": encode("C" * 20 + "TGTAATC" + "C" * 20)})


@pytest.mark.parametrize(
    ("row", "lost", "gained"),
    [
        (("chrI", 22, "T", "G"), "m1 TOY", ""),
        (("chrI", 22, "TT", "T"), "m1 TOY", ""),
        (("chrI", 22, "T", "TC"), "m1 TOY", ""),
        (("chrII", 22, "T", "G"), "m1 TOY", ""),
        (("chrI", 10, "C", "G"), "", ""),
        (("chrI", 10, "C", "GATTACA"), "", "m1 TOY"),
        (("chrI", 19, "CG", "CCG"), "", ""),
    ],
    ids=["substitution", "deletion", "insertion", "other strand", "elsewhere", "made", "moved"],
)
def test_a_motif_is_lost_or_gained_where_one_allele_alone_has_a_hit(row, lost, gained):
    found = motif_changes(table([("chrI", 0, "C", "A"), row]), WITH_SITE, [MOTIF])
    assert found.iloc[0].tolist() == ["", ""]
    assert found.iloc[1].tolist() == [lost, gained]


def test_the_motif_with_the_smallest_p_value_is_named():
    short = Motif("short", one_hot(encode("ATTACA")) * 30)
    found = motif_changes(table([("chrI", 22, "T", "G")]), WITH_SITE, [short, MOTIF], pvalue=1e-3)
    assert found["motif_lost"].tolist() == ["m1 TOY"]
