"""seqdl train: one command, one folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from seqdl.cli.console import Console
from seqdl.cli.flags import add_config_flags, add_run_flags, config_from_flags, nested_from_flags

DOTTED = True
EPILOG = """examples:
  seqdl train --genome hg38.fa.gz --peaks peaks.bed -o RUN
  seqdl train positives.fa negatives.fa -o RUN
  seqdl train --fasta positives.fa --negatives dinuc -o RUN
  seqdl train configs/reb1.yaml -o RUN --set training.lr=1e-3
  seqdl train --genome sacCer3.fa.gz --peaks reb1.bed --folds 4 -o RUN
  seqdl train --resume -o RUN
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument("inputs", nargs="*", metavar="INPUT", help="POS.fa NEG.fa, and/or CONFIG.yaml")
    parser.add_argument("-o", "--output", metavar="RUN", help="the run folder to make")
    parser.add_argument("--config", metavar="FILE", help="YAML config; flags win over it")
    parser.add_argument("--set", action="append", metavar="KEY=VALUE", help="set any key of the config, such as training.lr=1e-3")
    parser.add_argument("--print-config", action="store_true", help="print the resolved config and stop")
    parser.add_argument("--dry-run", action="store_true", help="check everything, train nothing")
    parser.add_argument("--resume", action="store_true", help="go on with the run in -o from the end of an epoch, kept every few seconds")
    parser.add_argument("--folds", type=int, metavar="K", help="K trainings; each tests other chromosomes, of sequences other families")
    parser.add_argument("--seeds", type=int, metavar="K", help="K trainings that differ in nothing but their seed")
    add_config_flags(parser)
    add_run_flags(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    """Train, and print the network beside its baselines."""
    from seqdl.errors import InputError
    from seqdl.experiment.config import dump_config
    from seqdl.experiment.evaluate import comparison
    from seqdl.experiment.folds import train_folds, train_seeds
    from seqdl.experiment.team import Team
    from seqdl.experiment.train import check_output, load_resumable, make_plan, train

    folder = Path(options.output) if options.output else None
    if options.folds and options.seeds:
        raise InputError("--folds and --seeds were given together: one of them was expected. Run --folds with each --seed.")
    if options.resume and folder and not (options.folds or options.seeds) and not (options.inputs or options.config):
        config = load_resumable(folder)
        if nested_from_flags(options):
            message = "--resume goes on with a run as it was begun, and options were given that would change it. Leave them out, or train anew."
            raise InputError(message)
    else:
        config = config_from_flags(options)
    if options.print_config:
        console.result(dump_config(config))
        console.emit(config.to_dict())
        return 0
    if folder is None and not options.dry_run:
        raise InputError("no -o was given: the name of a folder for the run was expected. Add -o RUN.")
    if options.dry_run:
        if folder and not options.resume:
            check_output(folder, force=options.force)
        plan = make_plan(config)
        console.result(plan.summary() + "\ndry run: everything was checked, nothing was trained")
        console.emit({"config": plan.config.to_dict(), "examples": plan.data.sizes(), "dropped": plan.data.ledger.counts(), "steps": plan.n_steps})
        return 0
    assert folder is not None
    team = Team(devices=options.devices or 1, nodes=options.nodes or 1)
    if team.size > 1 and (options.folds or options.seeds):
        raise InputError("--devices and --nodes share out one training, and --folds and --seeds do several. Run each fold or seed by itself.")
    how = {"command": options.command, "force": options.force, "resume": options.resume, "say": console.note}
    if options.folds:
        metrics = train_folds(config, folder, n_folds=options.folds, **how)
    elif options.seeds:
        metrics = train_seeds(config, folder, n_seeds=options.seeds, **how)
    else:
        metrics = train(config, folder, **how, team=team).metrics
    console.result(comparison(metrics))
    console.emit(metrics)
    first = "fold0" if options.folds else "seed0" if options.seeds else ""
    console.note(f"report: {folder / first / 'report.html'}")
    return 0
