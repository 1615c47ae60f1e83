"""seqdl generate: sequences from a language model, a VAE or a GAN."""

from __future__ import annotations

import argparse

from seqdl.cli.console import Console

EPILOG = """examples:
  seqdl generate RUN -n 1000 -o synthetic.fa
  seqdl generate RUN -n 100 --prompt TATAAA --temperature 0.8 --length 300
  seqdl judge synthetic.fa --real real.fa -o CARD       are they any good?
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument("run", metavar="RUN", help="the run folder of a generative task: next_base, vae, gan")
    parser.add_argument("-n", "--number", type=int, default=1000, metavar="N", help="sequences to draw (default 1000)")
    parser.add_argument("--length", type=int, metavar="BP", help="their length, of a language model (default: that of the training sequences)")
    parser.add_argument("--temperature", type=float, metavar="T", help="of a language model: below 1 likely bases become likelier (default 1)")
    parser.add_argument("--prompt", metavar="BASES", help="of a language model: what every sequence begins with")
    parser.add_argument("--condition", metavar="WHAT", help="of a conditional model: the class, by name or number, or the number to draw for")
    parser.add_argument("-o", "--output", metavar="OUT.fa", help="FASTA to write (default: stdout)")


def run(options: argparse.Namespace, console: Console) -> int:
    """Draw sequences and write them as FASTA."""
    from pathlib import Path

    from seqdl.experiment.run import load_run
    from seqdl.experiment.samples import generate, write_samples
    from seqdl.io.files import check_writable
    from seqdl.sequence.encode import decode

    output = options.output or "-"
    check_writable(output, force=options.force)
    task = load_run(options.run).task
    more = {"length": options.length, "temperature": options.temperature, "prompt": options.prompt, "condition": options.condition}
    codes = generate(task, options.number, seed=options.seed or 0, **more)
    if console.json_mode:
        console.emit([decode(row) for row in codes])
    if not console.json_mode or output != "-":
        write_samples(Path(output), codes, force=options.force)
    console.note(f"{len(codes):,} sequences of {codes.shape[1]:,} bp{'' if output == '-' else f' in {output}'}")
    return 0
