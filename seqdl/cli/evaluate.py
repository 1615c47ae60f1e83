"""seqdl evaluate: metrics beside baselines."""

from __future__ import annotations

import argparse
from pathlib import Path

from seqdl.cli.console import Console
from seqdl.cli.flags import add_config_flags, config_from_flags, nested_from_flags

EPILOG = """examples:
  seqdl evaluate RUN                                  the run's own test split
  seqdl evaluate RUN --fasta POS.fa NEG.fa            other sequences
  seqdl evaluate RUN --genome G.fa --peaks P.bed      other peaks
  seqdl evaluate RUN --fail-on baseline               exit 3 unless the network is above every baseline
  seqdl evaluate RUN --devices 4                      predictions shared out among four GPUs
  seqdl evaluate VAE --fasta X.fa --fail-on collapsed exit 3 where latents are ignored
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument("run", metavar="RUN", help="a run folder")
    parser.add_argument("-o", "--output", metavar="FILE.json", help="also write the metrics here")
    parser.add_argument(
        "--fail-on",
        metavar="CHECK",
        help="baseline, leak: exit 3 where a baseline is not beaten, or the test set leaks; of an autoencoder, VAE or GAN also collapsed; "
        "of a GAN copies",
    )
    add_config_flags(parser, ("data",))


def run(options: argparse.Namespace, console: Console) -> int:
    """Measure the network, and print it beside its baselines."""
    from seqdl.experiment.evaluate import comparison
    from seqdl.experiment.intervals import window_within
    from seqdl.experiment.measure import check_passes, checks_of, leaks_in_words, measure
    from seqdl.experiment.provenance import write_json
    from seqdl.experiment.run import load_run
    from seqdl.experiment.team import Team
    from seqdl.experiment.tile import trained_length
    from seqdl.io.files import check_writable

    trained, team = load_run(options.run), Team(devices=options.devices or 1, nodes=options.nodes or 1)
    if options.device:
        trained.config["device"] = options.device
    checks = checks_of(trained.task, options.fail_on)
    if options.output:
        check_writable(options.output, force=options.force)
    inputs = config_from_flags(options)
    given = inputs if inputs.data.names_inputs else None
    if given and "window" not in nested_from_flags(options).get("data", {}):
        given.data.window = window_within(trained_length(trained.task), given.data.context or 0)
    metrics = measure(trained, given, seed=options.seed, say=console.note, team=team)
    if options.output:
        write_json(Path(options.output), metrics)
    console.result(comparison(metrics))
    console.result(f"\n{metrics['test']}")
    if metrics.get("n_leaks"):
        console.result(f"\n{leaks_in_words(metrics)}")
    if metrics.get("text"):
        console.result(f"\n{metrics['text']}")
    console.emit(metrics)
    check_passes(metrics, checks)
    return 0
