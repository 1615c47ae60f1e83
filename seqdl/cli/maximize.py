"""seqdl maximize: sequences that drive a filter or an output as far as it goes."""

from __future__ import annotations

import argparse

from seqdl.cli.console import Console
from seqdl.cli.outputs import add_output_flags, folder_and_output

EPILOG = """examples:
  seqdl maximize RUN --filter 6 -o filter6
  seqdl maximize RUN -n 3 -o best                 the first output; --output NAME for another

Written are maximized.tsv (the best sequences, what they reach, and what the best test sequence reaches), maximized.meme and logos/ (of the
relaxed sequences: tall where a base has to be there) and gallery.svg."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument("run", metavar="RUN", help="a run folder")
    parser.add_argument("--filter", metavar="K", help="a filter (3, filter3, member1_filter3) instead of an output")
    parser.add_argument("--layer", metavar="NAME", help="the filter's layer (default: the first convolution over the bases)")
    parser.add_argument("-n", type=int, default=5, metavar="N", help="number of starts (default 5)")
    add_output_flags(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    """Climb, write what was reached, and say it beside the best real sequence."""
    import re
    from pathlib import Path

    from seqdl.errors import InputError
    from seqdl.experiment.maximize import drive, write_driven
    from seqdl.experiment.run import load_run
    from seqdl.experiment.train import check_output

    if options.layer is not None and options.filter is None:
        raise InputError(f"--layer {options.layer} without --filter: which of its filters was expected. Add --filter K, or leave --layer out.")
    trained = load_run(options.run)
    folder, output = folder_and_output(options, trained.task.outputs)
    check_output(Path(folder), force=options.force)
    name = None
    if options.filter is not None:
        named = re.fullmatch(r"(member\d+_)?(?:filter)?(\d+)", options.filter)
        if named is None:
            raise InputError(
                f"--filter {options.filter}: the number of a filter was expected, such as 3 or filter3, or member1_filter3 of an ensemble. "
                "See the names in motifs.tsv."
            )
        name = f"{named[1] or ''}filter{int(named[2])}"
    found = drive(trained, filter_name=name, output=output, layer=options.layer, n=options.n, seed=options.seed or 0)
    write_driven(Path(folder), found)
    console.result(found.verdict())
    console.emit({"verdict": found.verdict(), "sequences": found.table.to_dict(orient="records")})
    console.note(f"{len(found.table)} sequences in {folder}")
    return 0
