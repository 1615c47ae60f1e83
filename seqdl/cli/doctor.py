"""seqdl doctor: is this installation fit."""

from __future__ import annotations

import argparse

from seqdl.cli.console import Console


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""


def run(options: argparse.Namespace, console: Console) -> int:
    """Print versions and devices, train for seconds, and say PASS or FAIL."""
    from seqdl.errors import CheckFailed
    from seqdl.experiment.doctor import LEAST_AUROC, examine

    console.note("training on a planted motif ...")
    found = examine(options.device or "auto", options.seed or 0)
    for section in ("versions", "devices"):
        console.result("\n".join(f"{name:<18} {value}" for name, value in found[section].items()) + "\n")
    verdict = f"planted motif: test AUROC {found['auroc']:.3f} ({LEAST_AUROC} or more was expected)"
    console.result(("PASS  " if found["passed"] else "FAIL  ") + verdict)
    console.emit(found)
    if not found["passed"]:
        raise CheckFailed(verdict)
    return 0
