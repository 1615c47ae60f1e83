"""seqdl predict: predictions for sequences, regions or a whole genome."""

from __future__ import annotations

import argparse
from pathlib import Path

from seqdl.cli.console import Console

EPILOG = """examples:
  seqdl predict RUN --fasta X.fa -o out.tsv
  seqdl predict RUN --genome G.fa --regions B.bed -o out.tsv
  seqdl predict RUN --genome G.fa -o out.bw             tiled over the genome
  seqdl predict RUN --fasta X.fa -o out.npz             every base, of a network trained for that
  seqdl predict RUN --genome G.fa --input-signal I.bw -o out.bw
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
    from seqdl.experiment.run import load_run
    from seqdl.experiment.tile import predict_fasta, predict_regions, region_tiles, tile_genome, write_along, write_bigwig
    from seqdl.io.files import check_writable
    from seqdl.io.signal import open_signal
    from seqdl.io.table import write_tsv
    from seqdl.ledger import Ledger

    if bool(options.fasta) == bool(options.genome):
        raise InputError("expected either --fasta X.fa or --genome G.fa (with --regions B.bed, or alone to tile it). See seqdl predict --help.")
    if options.input_signal and not options.genome:
        raise InputError("--input-signal was given without --genome: signals lie along a genome. Add --genome G.fa.")
    task, ledger, device = load_run(options.run).task, Ledger(), options.device or "auto"
    output = options.output or "-"
    as_bigwig, as_arrays = output.lower().endswith((".bw", ".bigwig")), output.endswith(".npz")
    check_writable(output, force=options.force)
    signals = [open_signal(path, ledger=ledger) for path in options.input_signal or []]
    if options.genome and not options.regions:
        if not as_bigwig:
            raise InputError(
                f"-o {output}: a genome is tiled into a bigWig, and a name ending in .bw was expected. Use -o out.bw, or give --regions."
            )
        genome = Genome(options.genome)
        n = write_bigwig(Path(output), tile_genome(task, genome, step=options.step, signals=signals, device=device), genome.lengths)
        console.note(f"{n:,} {'stretches' if task.per_base else 'windows'} predicted into {output}")
        return 0
    if options.fasta:
        found = predict_fasta(task, options.fasta, ledger, device=device)
    else:
        genome = Genome(options.genome)
        found = predict_regions(task, genome, options.regions, ledger=ledger, signals=signals, device=device)
    for line in [*ledger.notes, *(f"dropped {n:,}: {reason}" for reason, n in ledger.counts().items())]:
        console.note(f"note: {line}")
    if as_arrays:
        write_along(Path(output), task, found, force=options.force)
        return 0
    if as_bigwig:
        if options.fasta:
            raise InputError(f"-o {output}: a bigWig lies along a genome, and sequences were given. Use -o out.tsv or out.npz, or give --genome.")
        write_bigwig(Path(output), region_tiles(task, found), genome.lengths)
        return 0
    table = found.columns(task)
    if console.json_mode:
        console.emit(table.to_dict(orient="records"))
    if not console.json_mode or output != "-":
        write_tsv(output, table, force=options.force, float_format="%.9g")
    return 0
