"""seqdl reconstruct: what an autoencoder gives back of each sequence, and a score to find outliers by."""

from __future__ import annotations

import argparse

from seqdl.cli.console import Console

EPILOG = """examples:
  seqdl reconstruct RUN --fasta X.fa -o scores.tsv
  seqdl reconstruct RUN --fasta X.fa -o back.fa           the sequences as they are given back
  seqdl reconstruct RUN --fasta X.fa --between a b --steps 9 -o path.fa
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument("run", metavar="RUN", help="the run folder of an autoencoder or a VAE")
    parser.add_argument("--fasta", required=True, metavar="X.fa", help="sequences; - is stdin")
    parser.add_argument("--between", nargs=2, metavar=("A", "B"), help="decode the straight line between the latents of these two instead")
    parser.add_argument("--steps", type=int, default=9, metavar="N", help="with --between: sequences on the way, both ends included (default 9)")
    parser.add_argument("-o", "--output", metavar="OUT", help="TSV of scores, or .fa for sequences (default: TSV on stdout)")


def run(options: argparse.Namespace, console: Console) -> int:
    """Reconstruct, and write scores or sequences."""
    from seqdl.experiment.reconstruct import between, reconstruct_fasta
    from seqdl.experiment.run import load_run
    from seqdl.io.fasta import write_fasta
    from seqdl.io.files import check_writable
    from seqdl.io.table import write_tsv

    output = options.output or "-"
    check_writable(output, force=options.force)
    task = load_run(options.run).task
    if options.between:
        names, codes = between(task, options.fasta, options.between, steps=options.steps)
        write_fasta(output, names, codes, force=options.force)
        return 0
    found = reconstruct_fasta(task, options.fasta)
    table = found.table
    if output.endswith((".fa", ".fasta", ".fa.gz", ".fasta.gz")):
        write_fasta(output, table["id"].tolist(), found.codes, force=options.force)
    else:
        write_tsv(output, table, force=options.force, float_format="%.6g")
    strangest = table["id"].iloc[int(table["bits_per_base"].argmax())]
    console.note(f"{len(table):,} sequences, {found.share:.3f} of their bases given back; the strangest: {strangest}")
    return 0
