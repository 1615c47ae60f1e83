"""seqdl predict: predictions for sequences, regions or a whole genome."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqdl.cli.console import Console

if TYPE_CHECKING:
    from seqdl.data.genome import Genome
    from seqdl.experiment.team import Team
    from seqdl.experiment.tile import Predicted
    from seqdl.tasks.base import Task

EPILOG = """examples:
  seqdl predict RUN --fasta X.fa -o out.tsv
  seqdl predict RUN --genome G.fa --regions B.bed -o out.tsv
  seqdl predict RUN --genome G.fa -o out.bw             tiled over the genome
  seqdl predict RUN --fasta X.fa -o out.npz             every base, of a network trained for that
  seqdl predict RUN --genome G.fa --input-signal I.bw -o out.bw
  seqdl predict RUN --genome G.fa -o out.bw --devices 4   shared out among four GPUs
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument("run", metavar="RUN", help="a run folder")
    parser.add_argument("--fasta", metavar="X.fa", help="sequences to predict; - is stdin")
    parser.add_argument("--genome", metavar="G.fa", help="genome of --regions, or to tile")
    parser.add_argument("--regions", metavar="B.bed", help="windows around the middle of these intervals are predicted")
    parser.add_argument("--input-signal", nargs="+", metavar="I.bw", help="signals that the network reads beside the bases")
    parser.add_argument("--step", type=int, metavar="BP", help="bases from window to window over a genome (default 50; half a window per base)")
    parser.add_argument("-o", "--output", metavar="OUT", help="TSV; .bw for a bigWig of a genome; .npz for every base (default: TSV on stdout)")


def run(options: argparse.Namespace, console: Console) -> int:
    """Predict, and write a table or a bigWig."""
    from seqdl.data.genome import Genome
    from seqdl.errors import InputError
    from seqdl.experiment.predict import device_name
    from seqdl.experiment.run import load_run
    from seqdl.experiment.team import Team, check_devices, check_readable_by_all
    from seqdl.experiment.tile import predict_fasta, predict_regions
    from seqdl.io.files import check_writable
    from seqdl.io.signal import open_signal
    from seqdl.ledger import Ledger

    if bool(options.fasta) == bool(options.genome):
        raise InputError("expected either --fasta X.fa or --genome G.fa (with --regions B.bed, or alone to tile it). See seqdl predict --help.")
    if options.input_signal and not options.genome:
        raise InputError("--input-signal was given without --genome: signals lie along a genome. Add --genome G.fa.")
    team, device = Team(devices=options.devices or 1, nodes=options.nodes or 1), options.device or "auto"
    check_devices(team, device_name(device))
    check_readable_by_all(team, [options.fasta, options.genome, options.regions, *(options.input_signal or [])])
    task, ledger = load_run(options.run).task, Ledger()
    output = options.output or "-"
    check_writable(output, force=options.force)
    how: dict[str, Any] = {"device": device, "team": team}
    if options.genome:
        how["signals"] = [open_signal(path, ledger=ledger) for path in options.input_signal or []]
        if not options.regions and not _is_bigwig(output):
            raise InputError(
                f"-o {output}: a genome is tiled into a bigWig, and a name ending in .bw was expected. Use -o out.bw, or give --regions."
            )
        genome = Genome(options.genome)
        if not options.regions:
            n = _tile(Path(output), task, genome, step=options.step, **how)
            console.note(f"{n:,} {'stretches' if task.per_base else 'windows'} predicted into {output}")
            return 0
        found = predict_regions(task, genome, options.regions, ledger=ledger, **how)
    elif _is_bigwig(output):
        raise InputError(f"-o {output}: a bigWig lies along a genome, and sequences were given. Use -o out.tsv or out.npz, or give --genome.")
    else:
        found = predict_fasta(task, options.fasta, ledger, **how)
    team.dismiss()
    for line in [*ledger.notes, *(f"dropped {n:,}: {reason}" for reason, n in ledger.counts().items())]:
        console.note(f"note: {line}")
    _write(output, task, found, lengths=genome.lengths if options.genome else {}, force=options.force, console=console)
    return 0


def _is_bigwig(output: str) -> bool:
    return output.lower().endswith((".bw", ".bigwig"))


def _tile(output: Path, task: Task, genome: Genome, *, team: Team, **how: Any) -> int:
    """Predict windows over a genome and write them as bigWig; return how many stretches there are, to the first of several processes."""
    from seqdl.experiment.tile import tile_genome, write_bigwig

    tiles = tile_genome(task, genome, team=team, **how)
    if not team.leads:
        for _ in tiles:  # this process predicts its part of each, and the first writes them
            pass
        team.dismiss()
    n = write_bigwig(output, tiles, genome.lengths)
    team.dismiss()
    return n


def _write(output: str, task: Task, found: Predicted, *, lengths: dict[str, int], force: bool, console: Console) -> None:
    """Write predictions as what the name of the file says."""
    from seqdl.experiment.tile import region_tiles, write_along, write_bigwig
    from seqdl.io.table import write_tsv

    if output.endswith(".npz"):
        write_along(Path(output), task, found, force=force)
        return
    if _is_bigwig(output):
        write_bigwig(Path(output), region_tiles(task, found), lengths)
        return
    table = found.columns(task)
    if console.json_mode:
        console.emit(table.to_dict(orient="records"))
    if not console.json_mode or output != "-":
        write_tsv(output, table, force=force, float_format="%.9g")
