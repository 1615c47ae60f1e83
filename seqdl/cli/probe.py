"""seqdl probe: does a network generalise, or only memorise."""

from __future__ import annotations

import argparse
from pathlib import Path

from seqdl.cli.console import Console

EPILOG = """examples:
  seqdl probe RUN --what random-labels           trained on permuted labels: the test set should show chance
  seqdl probe RUN --what train-size --init OTHER scores over training examples, from scratch and from another run's encoder
  seqdl probe RUN --what width --repeats 5       scores over the width of the network: parameters against examples
  seqdl probe RUN --what random-labels, train-size, width

Each training is one network on the run's own data; WHAT.tsv, WHAT.svg and WHAT.json go to RUN/probe, or where -o says.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument("run", metavar="RUN", help="a run folder")
    parser.add_argument("--what", nargs="+", required=True, metavar="WHAT", help="random-labels, train-size, width: one or several")
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="trainings of each kind (default 3)")
    parser.add_argument("--sizes", type=float, nargs="+", metavar="SHARE", help="shares of the training examples (default 1/16 1/8 1/4 1/2 1)")
    parser.add_argument("--widths", type=float, nargs="+", metavar="FACTOR", help="factors on the channels (default 1/8 1/4 1/2 1 2 4)")
    parser.add_argument("--max-steps", type=int, metavar="N", help="steps of each training; default: those of the run")
    parser.add_argument("--init", metavar="RUN", help="with train-size: also start from the encoder of this run")
    parser.add_argument("-o", "--output", metavar="DIR", help="where the files go (default: RUN/probe)")


def run(options: argparse.Namespace, console: Console) -> int:
    """Train the variants, write the files, and say what was shown."""
    from seqdl.errors import InputError, OutputExistsError
    from seqdl.experiment.probe import SIZES, WIDTHS, Probe, check_probe, probe
    from seqdl.experiment.probe_verdict import plain, write_probe
    from seqdl.experiment.provenance import MANIFEST, refresh_outputs
    from seqdl.experiment.run import load_run

    kinds = [word for text in options.what for word in text.split(",") if word]
    if options.max_steps is not None and options.max_steps < 1:
        raise InputError(f"--max-steps {options.max_steps}: 1 or more was expected.")
    trained = load_run(options.run)
    how = Probe(
        repeats=options.repeats,
        sizes=options.sizes or SIZES,
        widths=options.widths or WIDTHS,
        max_steps=options.max_steps,
        init=options.init,
        seed=options.seed,
        device=options.device,
    )
    for kind in kinds:
        check_probe(trained, kind, how)
    folder = Path(options.output) if options.output else trained.folder / "probe"
    there = [folder / f"{kind}.tsv" for kind in kinds if (folder / f"{kind}.tsv").exists()]
    if there and not options.force:
        raise OutputExistsError(f"{there[0]}: is there already. Use --force to replace it, or -o for another folder.")
    found = []
    for kind in kinds:
        found.append(probe(trained, kind, how, say=console.note))
        paths = write_probe(folder, found[-1])
        console.result(found[-1]["verdict"])
        console.note(f"{paths[0]}, {paths[1].name}, {paths[2].name}")
    if folder.parent == trained.folder and (trained.folder / MANIFEST).is_file():
        refresh_outputs(trained.folder)
    console.emit([plain(one) for one in found])
    return 0
