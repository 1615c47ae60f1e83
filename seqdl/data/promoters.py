"""Simulated promoters whose answer is known: two motifs at a place, two anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seqdl.data.markov import CHAINS, markov_bases
from seqdl.data.simulate import check_writable, whole_folder
from seqdl.errors import InputError
from seqdl.io.fasta import write_fasta
from seqdl.io.meme import write_meme
from seqdl.io.table import write_tsv
from seqdl.motif.motif import Motif
from seqdl.sequence.edit import reverse_complement
from seqdl.types import Codes

GC = 0.46
TSS_SHARE = 0.75
"""The transcription start lies three quarters into the sequence."""
SHORTEST = 60
_CHAIN_SEED = 20_170_301  # the background is one chain, whatever the seed of the draw
_WARM_UP = 4  # bp
_TRIES = 20  # places tried before a site is given up
FILES = {"promoters": "promoters.fa", "truth": "truth.tsv", "motifs": "motifs.meme"}
TRUTH_COLUMNS = ("sequence", "start", "end", "strand", "motif")


@dataclass(frozen=True, eq=False)
class Element:
    """One motif of the simulated promoters, and where it stands.

    Attributes
    ----------
    motif : Motif
        Sites are drawn from its probabilities.
    probability : float
        Share of the promoters that have one.
    offset : int or None
        Most frequent first base, counted from the transcription start; None is anywhere, without overlap.
    spread : tuple of float
        Probability of each shift around `offset`, from the left.
    both_strands : bool
        Whether it reads in either direction, equally often.
    """

    motif: Motif
    probability: float
    offset: int | None = None
    spread: tuple[float, ...] = (1.0,)
    both_strands: bool = False


def _motif(name: str, consensus: str, sharpness: float) -> Motif:
    """Return a motif in which each letter's bases share `sharpness`, and the others the rest."""
    bases = {"A": "A", "C": "C", "G": "G", "T": "T", "W": "AT", "Y": "CT", "R": "AG", "N": "ACGT"}
    columns = []
    for letter in consensus:
        members = bases[letter]
        rest = 0.0 if len(members) == 4 else (1 - sharpness) / (4 - len(members))
        share = 0.25 if len(members) == 4 else sharpness / len(members)
        columns.append([share if base in members else rest for base in "ACGT"])
    return Motif(name, np.array(columns).T, n_sites=1000)


def promoter_elements() -> tuple[Element, ...]:
    """Return what `simulate_promoters` plants.

    ==========  =========  ==============  ============================================================================
    motif       consensus  share with one  place of its first base, from the transcription start
    ==========  =========  ==============  ============================================================================
    TATA        TATAWAAR   .70             -31, with shifts of -2 to 2 at probabilities .10 .20 .40 .20 .10; forward
    Inr         YYANWYY    .80             -2, with shifts of -1 to 1 at probabilities .15 .70 .15; forward
    E-box       CACGTG     .40             anywhere (its own reverse complement)
    ETS         ACCGGAAGT  .40             anywhere, on either strand
    ==========  =========  ==============  ============================================================================

    Each letter of a consensus holds with a probability of .95 (TATA, E-box, ETS) or .90 (Inr). Sites do not overlap.

    Examples
    --------
    >>> [(element.motif.name, element.motif.consensus) for element in promoter_elements()]
    [('TATA', 'TATAWAAR'), ('Inr', 'YYANWYY'), ('E-box', 'CACGTG'), ('ETS', 'ACCGGAAGT')]
    """
    return (
        Element(_motif("TATA", "TATAWAAR", 0.95), 0.7, offset=-31, spread=(0.1, 0.2, 0.4, 0.2, 0.1)),
        Element(_motif("Inr", "YYANWYY", 0.90), 0.8, offset=-2, spread=(0.15, 0.7, 0.15)),
        Element(_motif("E-box", "CACGTG", 0.95), 0.4),
        Element(_motif("ETS", "ACCGGAAGT", 0.95), 0.4, both_strands=True),
    )


def simulate_promoters(n: int, *, seed: int, length: int = 64) -> tuple[Codes, pd.DataFrame]:
    """Make promoters with motifs planted in them (see `promoter_elements`).

    The bases around come from one Markov chain of order 2 with a GC content of .46, the same for every seed: two draws are two
    samples of one distribution.

    Parameters
    ----------
    n : int
        How many.
    seed : int
        Of everything that is drawn.
    length : int, default 64
        bp; the transcription start is base three quarters of it (48 of 64), counted from 0.

    Returns
    -------
    codes : uint8 array, (n, length)
    truth : DataFrame
        ``sequence`` (row of `codes`), ``start``, ``end`` (0-based, half-open), ``strand``, ``motif``: a row a planted site.

    Raises
    ------
    InputError
        If there are none to make, or they are too short to hold the motifs.

    Examples
    --------
    >>> codes, truth = simulate_promoters(1000, seed=0)
    >>> codes.shape, (truth["motif"].value_counts(sort=False) / 1000).round(1).sort_index().to_dict()
    ((1000, 64), {'E-box': 0.4, 'ETS': 0.4, 'Inr': 0.8, 'TATA': 0.7})
    """
    if n < 1:
        raise InputError(f"n is {n}; at least one promoter was expected. Ask for 1 or more.")
    if length < SHORTEST:
        raise InputError(f"length is {length} bp; {SHORTEST} bp or more were expected, since TATA and Inr lie 29 bp apart. Ask for longer ones.")
    rng = np.random.default_rng(seed)
    codes = _background(n, length, rng)
    taken = np.zeros(codes.shape, dtype=np.bool_)
    planted = [_plant(element, codes, taken, rng=rng) for element in promoter_elements()]
    truth = pd.concat(planted).sort_values(["sequence", "start"], kind="stable").reset_index(drop=True)
    return codes, truth[list(TRUTH_COLUMNS)]


def write_promoters(folder: str | Path, codes: Codes, truth: pd.DataFrame, *, force: bool = False) -> dict[str, Path]:
    """Write simulated promoters: promoters.fa, truth.tsv with a row a site (0-based, half-open), and motifs.meme.

    Parameters
    ----------
    folder : str or Path
        Made where it does not exist.
    codes : uint8 array, (n, length)
    truth : DataFrame
        Both from `simulate_promoters`; the sequences are named promoter1, promoter2, ...
    force : bool, default False
        Whether files that are there may be overwritten.

    Returns
    -------
    dict of str to Path
        What was written, by its kind (promoters, truth, motifs).

    Raises
    ------
    OutputExistsError
        If one of the files is there and `force` was not given; nothing is written then.
    """
    to = Path(folder)
    paths = {kind: to / name for kind, name in FILES.items()}
    check_writable(to, list(paths.values()), force=force)
    names = [f"promoter{i}" for i in range(1, len(codes) + 1)]
    with whole_folder(to) as work:
        write_fasta(work / FILES["promoters"], names, codes, force=force)
        write_tsv(work / FILES["truth"], truth.assign(sequence=np.array(names)[truth["sequence"].to_numpy()]), force=force)
        write_meme(work / FILES["motifs"], [element.motif for element in promoter_elements()], force=force)
    return paths


def _background(n: int, length: int, rng: np.random.Generator) -> Codes:
    """Draw the bases around the motifs, (n, length): whole sequences from each chain, their first bases left out since a chain begins anywhere."""
    whole = _WARM_UP + length
    n_drawn = -(-n // CHAINS) * CHAINS
    bases = markov_bases(n_drawn * whole, gc=GC, rng=rng, chain=np.random.default_rng(_CHAIN_SEED))
    return np.ascontiguousarray(bases.reshape(n_drawn, whole)[:n, _WARM_UP:])


def _plant(element: Element, codes: Codes, taken: NDArray[np.bool_], *, rng: np.random.Generator) -> pd.DataFrame:
    """Write sites of one motif into codes (n, L), mark their bases as taken, and return where they are."""
    width = element.motif.width
    rows = np.flatnonzero(rng.random(len(codes)) < element.probability)
    starts = _starts(element, taken, rows, rng=rng)
    rows, starts = rows[starts >= 0], starts[starts >= 0]
    edges = np.cumsum(element.motif.ppm, axis=0)[:3]  # (3, W)
    sites = (rng.random((len(rows), 1, width)) > edges).sum(axis=1).astype(np.uint8)
    minus = rng.random(len(rows)) < 0.5 * element.both_strands
    sites[minus] = reverse_complement(sites[minus])
    places = starts[:, None] + np.arange(width)
    codes[rows[:, None], places] = sites
    taken[rows[:, None], places] = True
    strand = np.where(minus, "-", "+").astype(object)
    return pd.DataFrame({"sequence": rows, "start": starts, "end": starts + width, "strand": strand, "motif": element.motif.name})


def _starts(element: Element, taken: NDArray[np.bool_], rows: NDArray[np.int64], *, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw where the sites of these rows begin; -1 where no room was found."""
    length, width = taken.shape[1], element.motif.width
    if element.offset is not None:
        first = int(TSS_SHARE * length) + element.offset - len(element.spread) // 2
        return first + rng.choice(len(element.spread), size=len(rows), p=element.spread).astype(np.int64)
    starts = np.full(len(rows), -1, dtype=np.int64)
    for _ in range(_TRIES):
        open_rows = np.flatnonzero(starts < 0)
        if not len(open_rows):
            break
        drawn = rng.integers(0, length - width + 1, size=len(open_rows))
        free = ~taken[rows[open_rows, None], drawn[:, None] + np.arange(width)].any(axis=1)
        starts[open_rows[free]] = drawn[free]
    return starts
