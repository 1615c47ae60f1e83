"""seqdl predict: predictions for sequences, regions or a whole genome."""

from __future__ import annotations

import argparse
from pathlib import Path

from seqdl.cli.console import Console

EPILOG = """examples:
  seqdl predict RUN --fasta X.fa -o out.tsv
  seqdl predict RUN --genome G.fa --regions B.bed -o out.tsv
  seqdl predict RUN --genome G.fa -o out.bw             tiled over the genome
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument("run", metavar="RUN", help="a run folder")
    parser.add_argument("--fasta", metavar="X.fa", help="sequences to predict; - is stdin")
    parser.add_argument("--genome", metavar="G.fa", help="genome of --regions, or to tile")
    parser.add_argument("--regions", metavar="B.bed", help="windows around the middle of these intervals are predicted")
    parser.add_argument("--step", type=int, default=50, metavar="BP", help="bases from window to window over a genome (default 50)")
    parser.add_argument("-o", "--output", metavar="OUT", help="TSV, or .bw for a bigWig of a genome (default: TSV on stdout)")


def run(options: argparse.Namespace, console: Console) -> int:
    """Predict, and write a table or a bigWig."""
    from seqdl.data.genome import Genome
    from seqdl.errors import InputError
    from seqdl.experiment.run import load_run
    from seqdl.experiment.tile import predict_fasta, predict_regions, tile_genome, write_bigwig
    from seqdl.io.files import check_writable
    from seqdl.io.table import write_tsv
    from seqdl.ledger import Ledger

    if bool(options.fasta) == bool(options.genome):
        raise InputError("expected either --fasta X.fa or --genome G.fa (with --regions B.bed, or alone to tile it). See seqdl predict --help.")
    task, ledger, device = load_run(options.run).task, Ledger(), options.device or "auto"
    output = options.output or "-"
    check_writable(output, force=options.force)
    if options.genome and not options.regions:
        if not output.endswith((".bw", ".bigwig", ".bigWig")):
            raise InputError(
                f"-o {output}: a genome is tiled into a bigWig, and a name ending in .bw was expected. Use -o out.bw, or give --regions."
            )
        genome = Genome(options.genome)
        n = write_bigwig(Path(output), tile_genome(task, genome, step=options.step, device=device), genome.lengths)
        console.note(f"{n:,} windows predicted into {output}")
        return 0
    if options.fasta:
        table = predict_fasta(task, options.fasta, ledger, device=device)
    else:
        table = predict_regions(task, Genome(options.genome), options.regions, ledger=ledger, device=device)
    for line in [*ledger.notes, *(f"dropped {n:,}: {reason}" for reason, n in ledger.counts().items())]:
        console.note(f"note: {line}")
    if console.json_mode:
        console.emit(table.to_dict(orient="records"))
    if not console.json_mode or output != "-":
        write_tsv(output, table, force=options.force, float_format="%.9g")
    return 0
