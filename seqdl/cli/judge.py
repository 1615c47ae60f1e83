"""seqdl judge: the report card of synthetic sequences."""

from __future__ import annotations

import argparse
from pathlib import Path

from seqdl.cli.console import Console

EPILOG = """examples:
  seqdl judge synthetic.fa --real heldout.fa --train train.fa -o CARD     card.json and a page, card.html
  seqdl judge synthetic.fa --real real.fa --database jaspar:fungi         motif content by the motifs of fungi
  seqdl judge synthetic.fa --real real.fa --fail-on collapsed,copies      exit 3 where samples collapsed or were copied

Every figure stands beside that of held-out real sequences (the noise floor), of Markov chains of order 0 to 5, of base frequencies by
position and of a dinucleotide shuffle. JS: divergence of k-mer spectra in bits. AUROC: how well a fresh classifier tells a set from real
sequences, .5 is best. motifs off: how many are at half or twice their rate. place r: correlation of where they stand. nearest: median
distance to the nearest other sequence of the set. copies: within a tenth of the bases of a training sequence. recall: share of real
sequences that lie among the set."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument("samples", metavar="SYNTHETIC.fa", help="the sequences to judge, from anywhere; - for stdin")
    parser.add_argument("--real", required=True, metavar="REAL.fa", help="real sequences, best ones that the generator has not seen")
    parser.add_argument("--train", metavar="TRAIN.fa", help="what the generator was trained on: copies are looked for in it (default: in REAL.fa)")
    parser.add_argument("--database", default="jaspar", metavar="NAME", help="motifs: jaspar (default), jaspar:fungi, a motif file, or none")
    parser.add_argument("--predictor", metavar="RUN", help="a trained run whose scores are compared")
    parser.add_argument("-o", "--output", metavar="DIR", help="write card.json and card.html into this folder")
    parser.add_argument("--fail-on", metavar="CHECK", help="collapsed, copies, or both with a comma: exit 3 where it is so")


def run(options: argparse.Namespace, console: Console) -> int:
    """Judge, print the table and the verdict, and write the card where that was asked for."""
    from seqdl.experiment.judge import CHECKS, card_table, check_card_folder, check_card_passes, judge_files, write_card
    from seqdl.experiment.measure import parse_checks

    checks = parse_checks(options.fail_on, CHECKS)
    if options.output:
        check_card_folder(Path(options.output), force=options.force)
    database = None if options.database == "none" else options.database
    card = judge_files(options.samples, options.real, options.train, database=database, predictor=options.predictor, seed=options.seed or 0)
    card.settings["command"] = options.command
    for note in card.notes:
        console.note(f"note: {note}")
    if options.output:
        console.note(f"page: {write_card(Path(options.output), card, force=options.force)}")
    console.result(f"{_aligned(card_table(card))}\n\n{card}")
    console.emit(card.to_dict())
    check_card_passes(card, checks)
    return 0


def _aligned(rows: list[tuple[str, ...]]) -> str:
    """Return rows as columns, the first to the left and the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]) for row in rows]
    return "\n".join(line.rstrip() for line in lines)
