"""seqdl audit: leaks and shortcuts, before a network sees the data."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqdl.cli.flags import add_config_flags, config_from_flags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seqdl.cli.console import Console

EPILOG = """examples:
  seqdl audit positives.fa negatives.fa                  what train would see, by default split by homology
  seqdl audit positives.fa negatives.fa --split random   how much a random split would leak
  seqdl audit --genome G.fa --peaks P.bed -o DIR         audit.json, data/ and a page, audit.html
  seqdl audit config.yaml --fail-on leak,shortcut        exit 3 where the test set leaks or something simple tells the classes apart
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument("inputs", nargs="*", metavar="INPUT", help="POS.fa NEG.fa, or CONFIG.yaml of a training")
    parser.add_argument("-o", "--output", metavar="DIR", help="also write audit.json, audit.html and data/ into this folder")
    parser.add_argument("--fail-on", metavar="CHECK", help="leak, shortcut, or both with a comma: exit 3 where there is one")
    add_config_flags(parser, ("data",))


def run(options: argparse.Namespace, console: Console) -> int:
    """Audit, print what was found, and write it where that was asked for."""
    from seqdl.experiment.audit import CHECKS, audit_config, check_audit_folder, check_audit_passes, write_audit
    from seqdl.experiment.measure import parse_checks

    checks = parse_checks(options.fail_on, CHECKS)
    if options.output:
        check_audit_folder(Path(options.output), force=options.force)
    data, found = audit_config(config_from_flags(options))
    if options.output:
        page = write_audit(Path(options.output), data, found, force=options.force)
        console.note(f"page: {page}")
    console.result(as_text(found))
    console.emit(found)
    check_audit_passes(found, checks)
    return 0


def as_text(found: dict[str, Any]) -> str:
    """Return the verdict, the leak table, the shortcuts with the baseline, the class balance and the ledger as text."""
    from seqdl.report.sections.audit import baseline_rows, leak_table, shortcut_rows

    parts = [str(found)]
    leaks = leak_table(found["leakage"])
    if leaks and leaks["splits"]:
        rows = [(words, *cells, meaning) for words, meaning, cells, _ in leaks["rows"]]
        parts.append(_table(("examples also in training", *leaks["splits"], ""), rows))
    scores = [
        (row["name"], row["score"], row["positives"], row["negatives"], "shortcut" if row["is_shortcut"] else "")
        for row in shortcut_rows(found["shortcuts"])
    ]
    scores += [(name, score, "", "", f"baseline: {detail}") for name, score, detail in baseline_rows(found["baselines"])]
    if scores:
        parts.append(_table(("alone, on the test set", "AUROC", "positives", "negatives", ""), scores))
    classes = list(found["n"]["train"])
    parts.append(_table(("split", *classes), [(split, *(f"{sizes[name]:,}" for name in classes)) for split, sizes in found["n"].items()]))
    ledger = [f"left out {n:,}: {reason}" for reason, n in found["dropped"].items()] + [f"note: {note}" for note in found["notes"]]
    return "\n\n".join([*parts, *(["\n".join(ledger)] if ledger else [])])


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows as aligned columns, two spaces apart."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in (head, *rows))
