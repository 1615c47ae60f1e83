"""`seqdl scan`: motif hits in sequences or in a genome."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from seqdl.cli.console import Console
    from seqdl.motif.motif import Motif
    from seqdl.types import Codes

EPILOG = """examples:
  seqdl scan my.meme --fasta peaks.fa -o hits.bed
  seqdl scan jaspar:fungi --genome sacCer3.fa.gz --pvalue 1e-5 -o hits.bed.gz

The BED has 8 columns: chrom, start, end, name, score (-10 log10 p, at most 1000), strand, log-odds score in bits, p.
The p-value is of one window on one strand, against independent bases; it is not corrected for the number of windows."""
COLUMNS = ("#chrom", "start", "end", "name", "score", "strand", "bits", "p")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the verb."""
    parser.add_argument("motifs", metavar="MOTIFS", help="motif file (MEME, JASPAR, TRANSFAC, PFM; .gz), or a name such as jaspar:fungi")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--fasta", metavar="FASTA", help="sequences to scan; - for stdin")
    where.add_argument("--genome", metavar="FASTA", help="a genome to scan, plain or gzipped; its codes are cached")
    parser.add_argument("--pvalue", type=float, default=1e-4, metavar="P", help="p-value that a hit may have at most (default 1e-4)")
    parser.add_argument("--forward-only", action="store_true", help="scan the strand as given only (default: both)")
    parser.add_argument("-o", "--output", default="-", metavar="BED", help="the hits (default: stdout)")


def run(options: argparse.Namespace, console: Console) -> int:
    """Scan and write the hits."""
    from seqdl.cli.patience import patience
    from seqdl.io.databases import load_database
    from seqdl.io.table import write_tsv
    from seqdl.motif.scan import scan

    motifs = load_database(options.motifs)
    names, sequences = _sequences(options, console)
    with patience(console, "motif scanning"):
        hits = scan(motifs, sequences, names=names, pvalue=options.pvalue, both_strands=not options.forward_only)
    bed = _bed(hits, motifs)
    if options.output != "-" or not console.json_mode:
        write_tsv(options.output, bed, force=options.force, float_format="%.6g")
    n_bases = sum(len(codes) for codes in sequences)
    console.note(f"{len(bed):,} hits of {len(motifs):,} motifs in {len(names):,} sequences ({n_bases:,} bp) at p <= {options.pvalue:g}")
    if console.json_mode:
        content = {"n_hits": len(bed), "n_motifs": len(motifs), "n_sequences": len(names), "n_bases": n_bases, "pvalue": options.pvalue}
        listed = bed.rename(columns={"#chrom": "chrom"}).to_dict(orient="records") if options.output == "-" else None
        console.emit({**content, "output": None, "hits": listed} if listed is not None else {**content, "output": options.output})
    return 0


def _sequences(options: argparse.Namespace, console: Console) -> tuple[list[str], list[Codes]]:
    """Return the names and codes of what is to be scanned."""
    if options.genome:
        from seqdl.data.genome import Genome

        genome = Genome(options.genome)
        return list(genome.lengths), [genome.codes(chrom) for chrom in genome.lengths]
    from seqdl.io.fasta import read_fasta
    from seqdl.ledger import Ledger

    ledger = Ledger()
    records = read_fasta(options.fasta, ledger=ledger)
    for note in ledger.notes:
        console.note(note)
    return [record.name for record in records], [record.codes for record in records]


def _bed(hits: pd.DataFrame, motifs: list[Motif]) -> pd.DataFrame:
    """Turn hits into BED columns; BED names hold no blanks."""
    import numpy as np
    import pandas as pd

    labels = {motif.name: motif.label.replace(" ", "_") for motif in reversed(motifs)}
    p = hits["p"].to_numpy()
    score = np.minimum(np.rint(-10 * np.log10(np.maximum(p, 1e-300))), 1000).astype(np.int64)
    columns = [
        hits["sequence"],
        hits["start"],
        hits["end"],
        hits["motif"].map(labels).astype("str"),
        score,
        hits["strand"],
        hits["score"].round(4),
        p,
    ]
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))
