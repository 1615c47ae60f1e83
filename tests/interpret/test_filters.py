"""Filters as motifs, on networks whose answer is known."""

import numpy as np
import pytest
import torch
from torch import nn

from seqdl.errors import InputError, ShapeError, UnknownNameError
from seqdl.interpret.filters import dead_filters, filter_activations, filter_motifs
from seqdl.interpret.sites import find_sites
from seqdl.sequence.encode import decode, encode, one_hot

SITE = "GATTACAG"


def matched_filter(site=SITE, *, layer=None, **options):
    """Return a convolution whose filter 0 is a site and whose filter 1 is dead."""
    conv = nn.Conv1d(4, 2, len(site), bias=False, **options) if layer is None else layer
    weight = torch.zeros_like(conv.weight)
    weight.view(2, 4, len(site))[0] = torch.from_numpy(one_hot(encode(site))) - 0.25
    conv.weight.data = weight
    return conv


def planted(draw, *, n=60, length=50, strand=1, seed=0):
    """Random sequences with one site each, and where it starts."""
    x, start = draw(n, length, seed), np.random.default_rng(seed + 1).integers(0, length - len(SITE), n)
    site = one_hot(encode(SITE))[::strand, ::strand]
    for row, at in enumerate(start):
        x[row, :, at : at + len(SITE)] = site
    return x, start


@pytest.mark.parametrize("method", ["top", "fraction", "weighted"])
def test_a_planted_site_comes_back(method, draw):
    x, _ = planted(draw)
    (motif,) = filter_motifs(nn.Sequential(matched_filter(), nn.ReLU()), x, method=method, n_sites=50)
    assert motif.name == "filter0"
    assert decode(motif.ppm.argmax(0).astype(np.uint8)) == SITE
    assert motif.width == len(SITE)


@pytest.mark.parametrize("strand", [1, -1])
def test_a_motif_is_oriented_as_its_filter_whichever_strand_the_site_is_on(strand, draw):
    x, start = planted(draw, strand=strand)
    (motif,) = filter_motifs(matched_filter(), x, n_sites=50)
    assert motif.consensus == SITE
    sites = find_sites(matched_filter(), x, n_sites=50)
    assert set(sites.strand[0]) == {strand}
    assert np.array_equal(sites.start[0], start[sites.sequence[0]])


def test_the_other_strand_is_not_read_unless_asked_for(draw):
    x, _ = planted(draw, strand=-1)
    (motif,) = filter_motifs(matched_filter(), x, n_sites=20, both_strands=False)
    assert motif.information_bits < 12


@pytest.mark.parametrize(
    "conv",
    [
        lambda: matched_filter(padding=4),
        lambda: matched_filter(padding=3),
        lambda: matched_filter(stride=2),
        lambda: matched_filter(layer=nn.Conv2d(4, 2, (1, len(SITE)), bias=False)),
    ],
    ids=["padding 4", "padding 3", "stride 2", "Conv2d"],
)
def test_sites_lie_where_the_filter_found_them(conv, draw):
    x, start = planted(draw)
    sites = find_sites(conv(), x, n_sites=20, both_strands=False)
    perfect = sites.score[0] > 5.9
    assert perfect.any()
    assert np.array_equal(sites.start[0][perfect], start[sites.sequence[0][perfect]])
    assert np.array_equal(sites.onehot[0][perfect], np.broadcast_to(one_hot(encode(SITE)), (perfect.sum(), 4, len(SITE))))


def test_a_dilated_filter_gives_the_whole_span(draw):
    conv = nn.Conv1d(4, 1, 3, dilation=2, bias=False)
    conv.weight.data[0] = torch.from_numpy(one_hot(encode("GAT")))
    (motif,) = filter_motifs(conv, draw(100, 40), n_sites=80)
    assert motif.width == 5
    assert decode(motif.ppm.argmax(0).astype(np.uint8))[::2] == "GAT"
    assert (motif.information_per_position[[0, 2, 4]] > 1.5).all()


def test_top_sites_are_the_best_over_all_sequences(draw):
    """Against a plain search: the best window and the best one not overlapping it of each sequence, then the best of all."""
    x = draw(30, 40)
    torch.manual_seed(0)
    conv = nn.Conv1d(4, 3, 6)
    with torch.no_grad():
        forward, reverse = conv(torch.from_numpy(x)).numpy(), conv(torch.from_numpy(x).flip(1, 2)).numpy()[..., ::-1]
    sites = find_sites(conv, x, n_sites=25, batch_size=7)
    for f in range(3):
        expected = []
        for row in range(30):
            best = np.maximum(forward[row, f], reverse[row, f])
            first = best.argmax()
            expected.append(best[first])
            expected.append(best[np.abs(np.arange(len(best)) - first) >= 6].max())
        assert np.allclose(sites.score[f], np.sort(expected)[::-1][:25], atol=1e-5)


@pytest.mark.parametrize("method", ["top", "fraction", "weighted"])
def test_the_batch_size_changes_nothing(method, draw, two_strands):
    x = draw(50, 30)
    whole, small = (filter_motifs(two_strands, x, method=method, n_sites=20, batch_size=size) for size in (256, 7))
    assert [motif.name for motif in whole] == [motif.name for motif in small]
    assert all(np.allclose(a.pfm, b.pfm, rtol=1e-4) for a, b in zip(whole, small, strict=True))


def test_fraction_counts_every_window_over_half_of_the_maximum(draw):
    x = draw(20, 30)
    conv = matched_filter("GAT")
    with torch.no_grad():
        activation = conv(torch.from_numpy(x)).numpy()[:, 0]
    rows, starts = np.nonzero(activation > activation.max() / 2)
    counts = sum(x[row, :, start : start + 3] for row, start in zip(rows, starts, strict=True))
    (motif,) = filter_motifs(conv, x, method="fraction", both_strands=False)
    assert np.array_equal(motif.pfm, counts)
    assert motif.n_sites == len(rows)


def test_a_module_called_on_both_strands_is_read_like_its_layer(draw, two_strands):
    x = draw(80, 30)
    for a, b in zip(filter_motifs(two_strands, x), filter_motifs(two_strands.conv, x), strict=True):
        assert np.array_equal(a.pfm, b.pfm)


def test_an_activation_behind_the_convolution_may_be_named(draw):
    x, _ = planted(draw)
    net = nn.Sequential(matched_filter(), nn.ReLU(), nn.AdaptiveMaxPool1d(1))
    by_name, by_default = filter_motifs(net, x, layer="1", n_sites=50), filter_motifs(net, x, n_sites=50)
    assert np.array_equal(by_name[0].pfm, by_default[0].pfm)


def test_windows_with_ambiguous_bases_are_left_out(draw):
    x, start = planted(draw)
    x[np.arange(len(x)), :, start + 3] = 0
    assert (find_sites(matched_filter(), x, n_sites=30).onehot[0].sum(1) == 1).all()


def test_sequences_without_a_single_clean_window_give_nothing(draw):
    x = draw(4, 20)
    x[2:] = 0
    sites = find_sites(matched_filter(), x, n_sites=100)
    assert set(sites.sequence[0][np.isfinite(sites.score[0])]) == {0, 1}
    assert np.isneginf(filter_activations(matched_filter(), x)[2:]).all()


def test_dead_filters_are_listed_and_left_out(draw):
    x = draw(20, 30)
    assert dead_filters(matched_filter(), x) == ["filter1"]
    assert [motif.name for motif in filter_motifs(matched_filter(), x)] == ["filter0"]


def test_activations_are_the_maxima_over_both_strands(draw, two_strands):
    x = torch.from_numpy(draw(9, 30))
    with torch.no_grad():
        expected = torch.maximum(two_strands.conv(x).amax(2), two_strands.conv(x.flip(1, 2)).amax(2))
    assert np.allclose(filter_activations(two_strands, x), expected.numpy(), atol=1e-5)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"layer": "convolution"}, UnknownNameError, "no layer named 'convolution'. Did you mean 'conv'"),
        ({"layer": "dense"}, InputError, "Name a convolution, or the norm or activation right behind it"),
        ({"method": "best"}, UnknownNameError, "no way of extracting motifs named 'best'"),
        ({"n_sites": 0}, InputError, "n_sites is 0; expected at least 1"),
    ],
)
def test_what_cannot_be_done_is_said(options, error, message, draw, two_strands):
    with pytest.raises(error, match=message):
        filter_motifs(two_strands, draw(5, 30), **options)


def test_a_network_without_convolution_over_bases_is_refused(draw):
    with pytest.raises(InputError, match="Sequential has no convolution over the four bases"):
        filter_motifs(nn.Sequential(nn.Flatten(), nn.Linear(80, 1)), draw(5, 20))


def test_sequences_shorter_than_the_filter_are_refused(draw):
    with pytest.raises(ShapeError, match=r"7 bp long, shorter than the filters of layer '' \(8 bp\)"):
        filter_motifs(matched_filter(), draw(5, 7))


def test_no_sequence_at_all_is_refused():
    with pytest.raises(ShapeError, match="x holds 0 sequences"):
        filter_motifs(matched_filter(), np.zeros((0, 4, 20)))


def test_padding_by_name_is_the_padding_torch_makes(draw):
    x = draw(5, 30)
    conv = nn.Conv1d(4, 2, 7, padding="same")
    sites = find_sites(conv, x, n_sites=3, both_strands=False)
    with torch.no_grad():
        alone = nn.functional.conv1d(torch.from_numpy(sites.onehot[1]), conv.weight, conv.bias)[:, 1, 0]
    assert np.allclose(alone.numpy(), sites.score[1], atol=1e-5)


@pytest.mark.parametrize("method", ["top", "fraction", "weighted"])
def test_codes_give_the_motifs_of_their_one_hot(method, draw, two_strands):
    x = draw(40, 30)
    x[3, :, 4:9] = 0
    codes = np.where(x.any(1), x.argmax(1), 4).astype(np.uint8)
    for a, b in zip(filter_motifs(two_strands, x, method=method), filter_motifs(two_strands, codes, method=method), strict=True):
        assert a.name == b.name
        np.testing.assert_allclose(a.pfm, b.pfm, rtol=1e-5)


@pytest.mark.parametrize("method", ["top", "fraction"])
def test_a_negative_norm_turns_the_filter_round(method, draw):
    """The motif is that of the network whose convolution has the other sign and whose norm has not."""
    x, _ = planted(draw)
    nets = []
    for sign in (1, -1):
        norm = nn.BatchNorm1d(2)
        norm.weight.data.fill_(-sign)
        net = nn.Sequential(matched_filter(), norm, nn.ReLU(), nn.AdaptiveMaxPool1d(1)).eval()
        net[0].weight.data *= sign
        nets.append(net)
    turned, mirrored = (filter_motifs(net, x, method=method, n_sites=50) for net in nets)
    assert [motif.name for motif in turned] == [motif.name for motif in mirrored] == ["filter0"]
    np.testing.assert_allclose(turned[0].pfm, mirrored[0].pfm, rtol=1e-4)
    site = one_hot(encode(SITE)).astype(bool)
    assert turned[0].ppm[site].max() < 0.25  # the sites of such a filter have none of the bases that its convolution looks for


def test_a_later_convolution_gives_motifs_as_wide_as_what_it_sees(draw):
    """Its filter adds up GATT and, seven bases on, ACAG: two halves of a motif with a gap."""
    first = nn.Conv1d(4, 2, 4, bias=False)
    for f, half in enumerate(("GATT", "ACAG")):
        first.weight.data[f] = torch.from_numpy(one_hot(encode(half)))
    second = nn.Conv1d(2, 1, 8, bias=False)
    second.weight.data.zero_()
    second.weight.data[0, 0, 0] = second.weight.data[0, 1, 7] = 1
    x, start = draw(80, 60), np.random.default_rng(1).integers(0, 48, 80)
    for row, at in zip(x, start, strict=True):
        row[:, at : at + 4], row[:, at + 7 : at + 11] = one_hot(encode("GATT")), one_hot(encode("ACAG"))
    (motif,) = filter_motifs(nn.Sequential(first, nn.ReLU(), second), x, layer="2", n_sites=60, both_strands=False)
    assert motif.width == 11
    assert motif.consensus[:4] + motif.consensus[7:] == "GATTACAG"
    assert motif.information_per_position[4:7].max() < 0.3


def test_memory_does_not_grow_with_the_number_of_sequences(draw, two_strands):
    """What is held of each batch is thinned out: only the sites of the best remain, and the activations never stand side by side."""
    from seqdl.interpret.inputs import Sequences
    from seqdl.interpret.locate import filter_bank
    from seqdl.interpret.sites import _Best, windows  # what is kept is the point

    best = _Best(5)
    for some in windows(filter_bank(two_strands, length=30), two_strands, Sequences(draw(300, 30)), batch_size=10):
        best.take(some)
        assert best.n_found <= 2 * 6 * 5 + 2 * 10 * 6
        assert some.activation.shape[0] <= 10
