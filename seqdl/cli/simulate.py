"""`seqdl simulate`: a genome, peaks and a truth table with planted motifs; or promoters alone."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from seqdl.cli.console import Console
    from seqdl.data.planting import Pairing
    from seqdl.data.simulate import Layout
    from seqdl.motif.motif import Motif

Number = TypeVar("Number", int, float)
SUMMARY = "a genome, peaks and a truth table with planted motifs"

# Well-known factors with motifs of 9 to 16 bp and 11 to 21 bits that do not resemble each other:
# CTCF, GABPA, HNF1A, SRF, CEBPA, REB1.
DEFAULT_MOTIFS = ("MA0139", "MA0062", "MA0046", "MA0083", "MA0102", "MA0363")
# MEF2C, TP53, HNF4A, RFX5, FOS::JUN, ESR1, TEAD4, ZBTB33.
DEFAULT_DECOYS = ("MA0497", "MA0106", "MA0114", "MA0510", "MA0099", "MA0112", "MA0809", "MA0527")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.description = (
        "Simulate a genome with peaks that hold known motifs, to see what a network finds.\n"
        "Writes genome.fa, peaks.bed, truth.tsv and motifs.meme into a folder; train on it with\n"
        "  seqdl train --genome DIR/genome.fa --peaks DIR/peaks.bed -o RUN --database DIR/motifs.meme\n"
        "With --promoters N: promoters.fa, truth.tsv and motifs.meme, sequences with two motifs at a place and two anywhere, to generate from:\n"
        "  seqdl train --fasta DIR/promoters.fa --task gan -o RUN --database DIR/motifs.meme"
    )
    parser.add_argument("-o", "--output", metavar="DIR", required=True, help="folder to write into")
    parser.add_argument(
        "--motifs", metavar="FILE", help="motifs to plant (MEME, JASPAR, TRANSFAC); default six of JASPAR: CTCF GABPA HNF1A SRF CEBPA REB1"
    )
    parser.add_argument(
        "--promoters", type=int, metavar="N", help="N promoters of one length, and no genome: TATA and Inr at a place, E-box and ETS anywhere"
    )
    parser.add_argument("--promoter-length", type=int, default=64, metavar="BP", help="length of the promoters in bp (default 64)")
    parser.add_argument("--n-peaks", type=int, default=2000, metavar="N", help="number of peaks (default 2000)")
    parser.add_argument("--peak-width", type=int, default=200, metavar="BP", help="width of peaks in bp (default 200)")
    parser.add_argument("--chromosomes", type=int, default=10, metavar="N", help="number of chromosomes (default 10)")
    parser.add_argument("--genome-length", type=int, metavar="BP", help="length of the genome in bp (default 7 times what the peaks take)")
    parser.add_argument(
        "--decoys", metavar="N|FILE", help="motifs planted everywhere, which tell nothing: a file, or how many of JASPAR's to take (up to 8)"
    )
    parser.add_argument(
        "--sites-per-peak",
        metavar="P0,P1,...",
        help="probabilities of 0, 1, 2, ... sites in a peak (default 0.02,0.28,0.4,0.3); 0,1 plants one of the motifs in each",
    )
    parser.add_argument("--pair-spacing", metavar="BP[:BP]", help="the first two motifs make a peak only together, so many bp apart, or from : to")
    parser.add_argument("--pair-orientation", default="same", metavar="WAY", help="of a pair: same (default), facing, away or any")
    parser.add_argument(
        "--pair-outside",
        default="lone",
        metavar="WHAT",
        help="outside peaks: lone (default), each motif of the pair alone; or rearranged, both in another spacing or orientation",
    )
    parser.add_argument("--labels", choices=("binary", "counts"), default="binary", help="counts also writes counts.tsv: every site doubles a count")
    parser.add_argument(
        "--background",
        default="chain",
        metavar="KIND",
        help="chain (default, drawn Markov chain of order 2, GC 0.42), uniform, markov (fitted on --background-fasta) or dinuc (shuffles of it)",
    )
    parser.add_argument("--background-fasta", metavar="FILE", help="real sequences that the background is made after")
    parser.add_argument("--order", type=int, default=3, metavar="K", help="order of --background markov (default 3)")
    parser.add_argument(
        "--gc-bias",
        type=float,
        default=0.0,
        metavar="X",
        help="GC content of peaks minus that of the genome, such as 0.1: a planted shortcut (default 0)",
    )


def run(options: argparse.Namespace, console: Console) -> int:
    """Simulate, write, and say what was written."""
    from pathlib import Path

    from seqdl.data.simulate import FILES, check_writable, simulate, write_simulation
    from seqdl.io.databases import load_database

    if options.promoters is not None:
        return _promoters(options, console)
    folder = Path(options.output)
    check_writable(folder, [folder / name for name in FILES.values()], force=options.force)
    motifs = load_database(options.motifs) if options.motifs else from_jaspar(DEFAULT_MOTIFS)
    simulation = simulate(
        motifs=motifs,
        n_peaks=options.n_peaks,
        decoys=_decoys(options.decoys),
        pair_spacing=_pairing(options),
        gc_bias=options.gc_bias,
        seed=options.seed or 0,
        layout=_layout(options),
    )
    paths = write_simulation(folder, simulation, force=options.force)
    size = sum(len(codes) for codes in simulation.genome.values())
    n_sites = int(simulation.truth["kind"].isin(["site", "pair"]).sum())
    for path in paths.values():
        console.result(str(path))
    console.note(
        f"{len(simulation.peaks):,} peaks with {n_sites:,} sites of {len(motifs)} motifs ({', '.join(motif.label for motif in motifs[:8])}"
        f"{', ...' if len(motifs) > 8 else ''}) in {size:,} bp on {len(simulation.genome)} chromosomes"
    )
    console.emit(
        {
            "files": {kind: str(path) for kind, path in paths.items()},
            "n_peaks": len(simulation.peaks),
            "n_sites": n_sites,
            "genome_length": size,
            "motifs": [motif.label for motif in motifs],
            "decoys": [motif.label for motif in simulation.decoys],
        }
    )
    return 0


def _promoters(options: argparse.Namespace, console: Console) -> int:
    """Simulate promoters, write them, and say what was written."""
    from seqdl.data.promoters import simulate_promoters, write_promoters

    codes, truth = simulate_promoters(options.promoters, seed=options.seed or 0, length=options.promoter_length)
    paths = write_promoters(options.output, codes, truth, force=options.force)
    for path in paths.values():
        console.result(str(path))
    n_sites = {str(name): int(n) for name, n in truth["motif"].value_counts(sort=False).items()}
    console.note(f"{len(codes):,} promoters of {codes.shape[1]} bp with {', '.join(f'{n:,} {name}' for name, n in n_sites.items())} sites")
    console.emit({"files": {kind: str(path) for kind, path in paths.items()}, "n_promoters": len(codes), "n_sites": n_sites})
    return 0


def _layout(options: argparse.Namespace) -> Layout:
    """Return the size, composition and labels that the flags ask for."""
    from seqdl.data.simulate import Layout
    from seqdl.data.simulated_background import Background
    from seqdl.data.simulated_tables import Counts
    from seqdl.io.fasta import read_fasta

    source = [record.codes for record in read_fasta(options.background_fasta)] if options.background_fasta else []
    sites = _numbers(options.sites_per_peak, "--sites-per-peak", ",", kind=float) if options.sites_per_peak else Layout.sites_per_peak
    return Layout(
        n_chromosomes=options.chromosomes,
        genome_length=options.genome_length,
        peak_width=options.peak_width,
        background=Background(options.background, source, options.order),
        counts=Counts() if options.labels == "counts" else None,
        sites_per_peak=sites,
    )


def _pairing(options: argparse.Namespace) -> Pairing | None:
    """Return how pairs stand, or None where none were asked for."""
    from seqdl.data.planting import Pairing
    from seqdl.errors import InputError

    if options.pair_spacing is None:
        given = [flag for flag, left in (("orientation", "same"), ("outside", "lone")) if getattr(options, f"pair_{flag}") != left]
        if given:
            raise InputError(f"--pair-{given[0]} was given without pairs; expected --pair-spacing beside it. Add --pair-spacing 5, for example.")
        return None
    found = _numbers(options.pair_spacing, "--pair-spacing", ":", kind=int)
    if len(found) > 2:
        raise InputError(f"--pair-spacing is {options.pair_spacing}; expected one number or two, such as 5 or 0:20. Mend it.")
    return Pairing((found[0], found[-1]), options.pair_orientation, options.pair_outside)


def _numbers(text: str, flag: str, between: str, *, kind: Callable[[str], Number]) -> tuple[Number, ...]:
    """Return the numbers of a flag."""
    from seqdl.errors import InputError

    try:
        return tuple(kind(word) for word in text.split(between))
    except ValueError:
        raise InputError(f"{flag} is {text}; expected numbers with {between!r} between them. Mend it.") from None


def from_jaspar(identifiers: tuple[str, ...]) -> list[Motif]:
    """Return the newest versions of JASPAR matrices."""
    from seqdl.io.databases import load_database

    found = {motif.name.split(".")[0]: motif for motif in load_database("jaspar")}
    return [found[identifier] for identifier in identifiers]


def _decoys(wanted: str | None) -> list[Motif]:
    """Return the decoys a flag asks for: none, the first few of the list, or those of a file."""
    from seqdl.errors import InputError
    from seqdl.io.databases import load_database

    if wanted is None:
        return []
    if not wanted.lstrip("-").isdigit():
        return load_database(wanted)
    if not 0 <= int(wanted) <= len(DEFAULT_DECOYS):
        raise InputError(f"{wanted} decoys were asked for; expected 0 to {len(DEFAULT_DECOYS)}. Give a motif file for others.")
    return from_jaspar(DEFAULT_DECOYS[: int(wanted)]) if int(wanted) else []
