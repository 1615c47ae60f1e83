"""`seqdl match`: name motifs by their nearest known motifs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seqdl.cli.console import Console

EPILOG = """examples:
  seqdl match run/motifs/motifs.meme
  seqdl match my.meme --database jaspar:fungi --top 5 -o matches.tsv
  seqdl match my.meme --database yeast.meme.gz

The table has a row a match: query, target, p (Tomtom, both strands), q (Benjamini-Hochberg over all targets of the query),
offset (the query's start counted from the target's), strand of the target, overlap (bp)."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the verb."""
    parser.add_argument("motifs", metavar="MOTIFS", help="motif file (MEME, JASPAR, TRANSFAC, PFM; .gz), - for stdin, or a name such as jaspar:fungi")
    parser.add_argument(
        "--database",
        default="jaspar",
        metavar="NAME|FILE",
        help="known motifs: jaspar (default), jaspar:fungi, jaspar:vertebrates, jaspar2024 ..., or a motif file",
    )
    parser.add_argument("--top", type=int, default=1, metavar="N", help="matches a motif (default 1; 0: all)")
    parser.add_argument("--max-q", type=float, metavar="Q", help="leave out matches with a q-value above this")
    parser.add_argument("-o", "--output", default="-", metavar="TSV", help="the table (default: stdout)")


def run(options: argparse.Namespace, console: Console) -> int:
    """Match and write the table."""
    from seqdl.cli.patience import patience
    from seqdl.errors import InputError
    from seqdl.io.databases import load_database
    from seqdl.io.table import write_tsv
    from seqdl.motif.compare import FEW_TARGETS, match_motifs

    if options.top < 0:
        raise InputError(f"--top is {options.top}; expected 1 or more matches a motif, or 0 for all.")
    queries, targets = load_database(options.motifs), load_database(options.database)
    if len(targets) < FEW_TARGETS:
        console.note(f"{options.database} holds {len(targets)} motifs: with fewer than {FEW_TARGETS} targets p-values are rough")
    with patience(console, "motif matching"):
        table = match_motifs(queries, targets, top=options.top or None)
    if options.max_q is not None:
        table = table[table["q"] <= options.max_q]
    if options.output != "-" or not console.json_mode:
        write_tsv(options.output, table, force=options.force, float_format="%.6g")
    named = table.loc[table["q"] < 0.05, "query"].nunique()
    console.note(f"{named} of {len(queries)} motifs have a match at q < 0.05 among {len(targets):,} in {options.database}")
    console.emit(table.to_dict(orient="records"))
    return 0
