"""`seqdl simulate`: a genome, peaks and a truth table with planted motifs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seqdl.cli.console import Console
    from seqdl.motif.motif import Motif

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
        "  seqdl train --genome DIR/genome.fa --peaks DIR/peaks.bed -o RUN --database DIR/motifs.meme"
    )
    parser.add_argument("-o", "--output", metavar="DIR", required=True, help="folder to write into")
    parser.add_argument(
        "--motifs", metavar="FILE", help="motifs to plant (MEME, JASPAR, TRANSFAC); default six of JASPAR: CTCF GABPA HNF1A SRF CEBPA REB1"
    )
    parser.add_argument("--n-peaks", type=int, default=2000, metavar="N", help="number of peaks (default 2000)")
    parser.add_argument("--peak-width", type=int, default=200, metavar="BP", help="width of peaks in bp (default 200)")
    parser.add_argument("--chromosomes", type=int, default=10, metavar="N", help="number of chromosomes (default 10)")
    parser.add_argument("--genome-length", type=int, metavar="BP", help="length of the genome in bp (default 7 times what the peaks take)")
    parser.add_argument(
        "--decoys", metavar="N|FILE", help="motifs planted everywhere, which tell nothing: a file, or how many of JASPAR's to take (up to 8)"
    )
    parser.add_argument("--pair-spacing", type=int, metavar="BP", help="the first two motifs make a peak only together, so many bp apart")
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

    from seqdl.data.simulate import FILES, Layout, check_writable, simulate, write_simulation
    from seqdl.io.databases import load_database

    folder = Path(options.output)
    check_writable(folder, [folder / name for name in FILES.values()], force=options.force)
    motifs = load_database(options.motifs) if options.motifs else from_jaspar(DEFAULT_MOTIFS)
    layout = Layout(n_chromosomes=options.chromosomes, genome_length=options.genome_length, peak_width=options.peak_width)
    simulation = simulate(
        motifs=motifs,
        n_peaks=options.n_peaks,
        decoys=_decoys(options.decoys),
        pair_spacing=options.pair_spacing,
        gc_bias=options.gc_bias,
        seed=options.seed or 0,
        layout=layout,
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
