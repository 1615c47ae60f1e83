"""The networks of the default, each table beside what was measured of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqdl.data.dataset import SequenceData

Member = tuple[dict[str, Any], dict[str, Any]]

SITE_MEMBERS: tuple[Member, ...] = (
    ({"width": 15}, {"activation": "exp", "dropout": 0.3}),
    ({"width": 11}, {"activation": "relu", "dropout": 0.3}),
    ({"width": 21}, {"activation": "relu", "dropout": 0.3}),
    ({"width": 11}, {"activation": "exp", "dropout": 0.3}),
    ({"width": 15}, {"activation": "relu", "dropout": 0.3}),
    ({"width": 21}, {"activation": "exp", "dropout": 0.3}),
)
"""For bound or not, in this order: networks that differ, since the same one several times gains little. An exponential
behind the pooling pushes filters towards whole motifs; motifs are read from all of them."""

MANY_POSITIVES = 1_000
"""Positives in training from which on some networks are given more filters."""

MANY_MEMBERS: tuple[Member, ...] = (
    SITE_MEMBERS[0],
    ({"filters": 256, "width": 9}, {"activation": "relu", "dropout": 0.5}),
    ({"filters": 256, "width": 13}, {"activation": "relu", "dropout": 0.5}),
    SITE_MEMBERS[3],
    ({"filters": 256, "width": 11}, {"activation": "relu", "dropout": 0.5}),
    SITE_MEMBERS[2],
)
"""The same from 1,000 positives on: half of the networks have four times as many filters. On validation sets of SP1 and ARID3A (ENCODE, 3,000
positives, one seed) the six above together had an AUROC of .940 and .918, one network of 256 filters of 9 bp .941 and .906, two of 9 and 13 bp .945
and .918, the six with these two .947 and .923."""

WORD_MEMBERS: tuple[Member, ...] = (
    ({"name": "kmers"}, {"pooling": "sum"}),
    ({"name": "kmers", "width": 7}, {"pooling": "sum"}),
)
"""Beside the networks for sites, two that weigh words of DNA: they find weak and many kinds of sites that filters do not, and the other way round.
On the validation sets above words of 8 bp alone had an AUROC of .950 and .903, the eight together .951 and .924, the six .946 and .921."""

NUMBER_WORDS: Member = ({"name": "kmers", "kept": 5}, {"pooling": "sum"})
"""The same beside the networks for numbers. On validation sets (one fold and seed) words alone reached a Pearson r of .684 for yeast promoters
and .648 for E. coli's, the three networks together .538 and .713: it depends, and members are weighed on the validation split."""

EITHER_STRAND: Member = ({"name": "kmers", "kept": 5, "both_strands": True}, {"pooling": "sum"})
"""And words that count the same on both strands, as most sites of transcription factors do. On validation sets of yeast promoters (folds 1 and 2, one
seed) they reached .621 and .665, the words above .610 and .637, the two together .63 and .69; for E. coli .626 against .653; for 5'UTRs, which are
RNA, .471 against .648."""

SHORT = 25
"""Length (bp) below which a sequence is read as a whole, by dense layers: there is no room for a filter to look for anything."""

SHORT_MEMBERS: tuple[Member, ...] = (({}, {}), ({}, {"dropout": 0.3}), ({}, {"activation": "gelu"}))

PLACE_MEMBERS: tuple[Member, ...] = (
    ({"filters": (64, 64, 64), "widths": (11, 7, 5), "pools": (2, 2, 2)}, {"pooling": "flatten", "dropout": 0.5}),
    ({"filters": (64, 64, 64), "widths": (11, 7, 5), "pools": (2, 2, 2)}, {"pooling": "mean"}),
    ({"filters": (64, 64, 64), "widths": (15, 7, 5), "pools": (3, 2, 2)}, {"pooling": "flatten", "dropout": 0.5}),
)
"""For numbers: deeper networks, of which some read position by position and one does not. On a validation set of yeast promoters one network each
reached a Pearson r of .661 by flatten, with dropout .2 .378; .672 by mean pooling, .574 by max."""

CENTRED_MEMBERS: tuple[Member, ...] = (
    ({"filters": (64, 64, 64), "widths": (11, 7, 5), "pools": (2, 2, 2)}, {"pooling": "flatten", "dropout": 0.5}),
    ({"name": "lstm"}, {"pooling": "centre"}),
    ({"name": "lstm", "width": 15}, {"pooling": "centre"}),
)
"""For classes, where sequences have one length: they are mostly cut around what is asked about. One network each on validation sets, splice sites
(accuracy, three folds) and promoters of E. coli (AUROC, one fold): an LSTM of both directions read in the middle .974 and .976, under attention .922
and .958, by its maximum .898 and .957, at its ends .857 for splice sites; three convolutions read position by position .959 and .970; six one-layer
networks for sites together .957 for promoters."""

CENTRED_YES_NO: tuple[Member, ...] = (
    ({"filters": (128, 64, 64), "widths": (7, 7, 5), "pools": (2, 2, 2)}, {"pooling": "flatten", "dropout": 0.5}),
    CENTRED_MEMBERS[1],
    ({"name": "kmers", "kept": 5}, {"pooling": "sum"}),
    ({"name": "gru", "width": 7}, {"pooling": "centre"}),
    ({"name": "transformer", "pool": 2, "layers": 1}, {"pooling": "centre"}),
)
"""For yes or no where one strand was asked for and sequences have one length; tables and RNA, which have one strand by default, stay with
`SITE_MEMBERS` unless it is asked for. On validation sets of promoters of E. coli (four folds of ten, one seed) these five, counted equally, had an
AUROC of .982 and a correlation coefficient of .858; with the convolutions of `CENTRED_MEMBERS` in the transformer's place .981 and .847; with all
six .981 and .856; the transformer alone .970, the GRU .974, the LSTM .972."""

PLACED_NUMBERS: tuple[Member, ...] = (PLACE_MEMBERS[1], ({"name": "lstm"}, {"pooling": "attention"}), NUMBER_WORDS, EITHER_STRAND)
"""For numbers of sequences of one length. On validation sets of yeast promoters (folds 0, 1 and 2, one seed) the four, counted equally, had a Pearson
r of .666, .667 and .667; with three convolutions read position by position, which alone reached .54, .37 and .49 there where families are kept apart,
.637, .651 and .646; words alone .684, .631 and .666, ridge on k-mers .676, .592 and .655. For E. coli (fold 1) .735, with those .735, words .647."""

RAGGED_NUMBERS: tuple[Member, ...] = (
    ({}, {"pooling": "attention"}),
    ({"width": 15}, {"pooling": "attention"}),
    ({"name": "basset", **PLACE_MEMBERS[1][0]}, {"pooling": "mean"}),
    NUMBER_WORDS,
)
"""For numbers of sequences of several lengths. On a validation set of yeast 5'UTRs (2 to 50 nt, one fold and seed) an LSTM under attention alone
reached a Pearson r of .75, three convolutional networks together .709, words .655."""

CENTRED: dict[str, tuple[Sequence[Member], str]] = {
    "binary": (
        CENTRED_YES_NO,
        "three convolutions read position by position, recurrent networks and a transformer read in the middle, and words",
    ),
    "multiclass": (CENTRED_MEMBERS, "three convolutions read position by position, and LSTMs read in the middle"),
}

MOST_STEPWISE = 400
"""Length (bp) up to which networks are taken that go from base to base: what they cost grows with it, and they were measured on 60 and 81 bp."""

COUNT_MEMBERS: tuple[Member, ...] = (
    ({"filters": (64, 64, 64), "widths": (15, 7, 5), "pools": (3, 4, 4)}, {"pooling": "mean"}),
    ({"name": "kmers", "kept": 5}, {"pooling": "sum"}),
)
"""For counts. On validation windows of yeast (ATAC fragments in 500 bp, one seed) log counts correlated by .472 with the convolutions, .534 with the
words and .539 with both; filters are what motifs are read from."""

PROFILE_MEMBERS: tuple[Member, ...] = (
    ({"filters": 16, "layers": 6, "dropout": 0.2}, {}),
    ({"name": "kmers", "width": 6, "reach": 101}, {}),
    ({"name": "kmers", "width": 5, "kept": 5, "reach": 201}, {}),
)
"""For a profile: how coverage runs is told by the words within a nucleosome's length as much as by single sites. On validation windows around gene
starts of yeast (ATAC, one seed, 400 steps) the profiles correlated by .169, .274 and .260 with each, log totals by .563, .558 and .574; words within
101, 51 and 201 bp together reached .314 and .570; 32 filters in seven dilated layers, 1,000 steps, .113 and .546 before they fitted the noise."""

MODEL_FOR: dict[str, tuple[str, Sequence[Member], str]] = {
    "next_base": ("lstm", (({"bidirectional": False, "hidden": 128}, {}),), "a convolution and an LSTM that look back only"),
    "masked": ("lstm", (({"hidden": 64}, {}),), "a convolution and an LSTM of both directions"),
    "autoencoder": ("cnn", (({"filters": 64, "width": 9, "activation": "relu"}, {}),), "one convolution before the bottleneck"),
    "vae": ("cnn", (({"filters": 64, "width": 9, "activation": "relu"}, {}),), "one convolution before the bottleneck"),
    "autoencoder of sites": ("cnn", (({"filters": 64, "width": 21}, {}),), "one convolution, of which the best places count"),
    "gan": ("cnn", (({"filters": 48, "width": 9}, {}),), "one convolution in the critic, beside detectors"),
    "segmentation": ("dilated", (({"filters": 32, "layers": 7}, {}),), "dilated convolutions, read at every base"),
    "profile": ("dilated", PROFILE_MEMBERS, "dilated convolutions and words of DNA near a base, read at every base"),
    "enhancement": ("dilated", (({"filters": 16, "layers": 4, "first_width": 15}, {}),), "dilated convolutions, read at every base"),
    "localisation": ("dilated", (({"filters": 32, "layers": 4, "first_width": 15}, {}),), "dilated convolutions, read at every base"),
    "counts": ("basset", COUNT_MEMBERS, "three convolutions, averaged over the window, and weights of words"),
}
"""The network for tasks that read more than the best site or the place of a site: model, members, and what they are in words."""


def members_for(task: str, data: SequenceData, *, strands: str | None, n_positives: int) -> tuple[str, Sequence[Member], str]:
    """Return the model that members are of unless they name another, the members, and what they are in words.

    Parameters
    ----------
    task : str
    data : SequenceData
    strands : str or None
        What was asked for.
    n_positives : int
        Of the training split.
    """
    if task in MODEL_FOR:
        return MODEL_FOR[task]
    one_length = data.lengths is None
    if one_length and data.length < SHORT:
        return "mlp", SHORT_MEMBERS, "dense layers over all of a short sequence"
    if data.kind == "binary" and (strands != "single" or not one_length or data.genome is not None):
        filters = MANY_MEMBERS if n_positives >= MANY_POSITIVES else SITE_MEMBERS
        return "cnn", (*filters, *WORD_MEMBERS), "one convolution and a global maximum, and weights of words"
    if data.kind in CENTRED and one_length and data.length <= MOST_STEPWISE:
        return ("basset", *CENTRED[data.kind])
    return _deeper(data)


def _deeper(data: SequenceData) -> tuple[str, Sequence[Member], str]:
    """Return the members for numbers, and for what is too long to go through base by base."""
    one_length, numbers = data.lengths is None, data.kind == "regression"
    if numbers and not one_length and data.length <= MOST_STEPWISE:
        return "lstm", RAGGED_NUMBERS, "LSTMs under attention, three convolutions, and weights of words"
    if numbers and one_length and data.length <= MOST_STEPWISE:
        return "basset", PLACED_NUMBERS, "three convolutions, averaged, an LSTM under attention, and weights of words"
    words, beside = ((NUMBER_WORDS,), ", and weights of words") if numbers else ((), "")
    if one_length:
        return "basset", (*PLACE_MEMBERS, *words), f"three convolutions, read position by position or averaged{beside}"
    anywhere = [(options, {**head, "pooling": "attention" if head["pooling"] == "flatten" else head["pooling"]}) for options, head in PLACE_MEMBERS]
    return "basset", (*anywhere, *words), f"three convolutions, averaged with and without attention, since lengths differ{beside}"


def with_spans(members: Sequence[Member], data: SequenceData) -> Sequence[Member]:
    """Return the members: where what surrounds a window is read too, those of words and every other one of filters read the window alone.

    On a validation set of Fkh1 (fold 0, one seed) six that read 400 bp had an AUROC of .823, three of them with a span of 200 .846; for Reb1 and
    Abf1 networks of several widths together did as well as those of 400 bp. Words of 8 and 7 bp alone had .803 and .803 with 400 bp and .816 and .809
    with 200 (Fkh1), .889 and .880, and .891 and .880 (Reb1, fold 0).
    """
    if not data.context:
        return members
    window = data.length - 2 * data.context
    alone = [number % 2 == 1 or options.get("name") == "kmers" for number, (options, _) in enumerate(members)]
    return [(options, {**head, "span": window} if narrow else head) for narrow, (options, head) in zip(alone, members, strict=True)]
