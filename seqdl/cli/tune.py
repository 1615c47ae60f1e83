"""seqdl tune: a search for hyper-parameters."""

from __future__ import annotations

import argparse
from pathlib import Path

from seqdl.cli.console import Console
from seqdl.cli.flags import add_config_flags, add_run_flags, config_from_flags

DOTTED = True
EPILOG = """examples:
  seqdl tune --genome hg38.fa.gz --peaks peaks.bed -o SEARCH --trials 50
  seqdl tune positives.fa negatives.fa -o SEARCH --search training.lr=1e-3:1e-1:log model.filters=32,64,128
  seqdl tune positives.fa negatives.fa -o SEARCH --resume      take part in it, from as many processes as you like
  seqdl train SEARCH/best.yaml -o RUN                          train with what was found, and test

Trials are judged on the validation split; the test split is not looked at. Needs Optuna: pip install 'seqdl[tune]'.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument("inputs", nargs="*", metavar="INPUT", help="POS.fa NEG.fa, and/or CONFIG.yaml")
    parser.add_argument("-o", "--output", metavar="DIR", help="the folder of the search")
    parser.add_argument("--config", metavar="FILE", help="YAML config; flags win over it")
    parser.add_argument("--set", action="append", metavar="KEY=VALUE", help="set any key of the config, such as training.lr=1e-3")
    parser.add_argument("--search", nargs="+", default=(), metavar="KEY=RANGE", help="what to try: KEY=LOW:HIGH, KEY=LOW:HIGH:log or KEY=A,B,C")
    parser.add_argument("--trials", type=int, default=30, metavar="N", help="finished trials in all (default 30)")
    parser.add_argument("--minutes", type=float, metavar="M", help="begin no trial after so many")
    parser.add_argument("--no-prune", action="store_true", help="train every trial to its end")
    parser.add_argument("--resume", action="store_true", help="go on with the search in -o, or take part in it")
    add_config_flags(parser)
    add_run_flags(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    """Search, and print the best trial."""
    from seqdl.errors import InputError
    from seqdl.experiment.train import check_output
    from seqdl.experiment.tune import Search, Tuner, load_optuna

    load_optuna()
    if not options.output:
        raise InputError("no -o was given: the name of a folder for the search was expected. Add -o DIR.")
    folder = Path(options.output)
    if not options.resume:
        check_output(folder, force=options.force)
    search = Search(options.search, n_trials=options.trials, minutes=options.minutes, prune=not options.no_prune)
    found = Tuner(config_from_flags(options), search, say=console.note).run(folder, force=options.force, resume=options.resume)
    if found:
        best = found["best"]
        values = ", ".join(f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in best["values"].items())
        console.result(f"best: trial {best['number']}, {found['monitor']} {best['score']:.4f}; {values}")
        console.result(
            f"{found['n_trials']}; the best of many is too good on validation: train it and test, with seqdl train {found['config']} -o RUN"
        )
    console.emit(found)
    return 0
