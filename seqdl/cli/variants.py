"""seqdl variants: what variants do to a network's predictions."""

from __future__ import annotations

import argparse

from seqdl.cli.console import Console

EPILOG = """examples:
  seqdl variants RUN --genome G.fa --vcf V.vcf.gz -o out.tsv
  seqdl variants RUN --genome G.fa --vcf V.vcf --rename-chromosomes --mismatch skip --shifts 0,20,-20 -o out.vcf.gz

effect is the logit with the alternative allele less that with the reference; effect_sd is its standard deviation over the members of an
ensemble. motif_lost and motif_gained have a hit (p < 1e-4) on one allele only. Windows are as wide as those of the training."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this verb."""
    parser.add_argument("run", metavar="RUN", help="a run folder")
    parser.add_argument("--genome", metavar="G.fa", required=True, help="the genome that the variants are of")
    parser.add_argument("--vcf", metavar="V.vcf", required=True, help="variants, plain or gzipped; - is stdin")
    parser.add_argument("-o", "--output", default="-", metavar="OUT", help="TSV, or VCF where it ends in .vcf or .vcf.gz (default: TSV on stdout)")
    parser.add_argument("--vcf-output", metavar="OUT.vcf", help="also write a VCF")
    parser.add_argument(
        "--mismatch",
        choices=("error", "skip", "swap"),
        default="error",
        help="where REF is not in the genome: stop (default), leave the variant out, or take ALT for REF where that fits",
    )
    parser.add_argument("--rename-chromosomes", action="store_true", help="take chr1 for chrI, MT for chrmt, and the like")
    parser.add_argument("--chromosome-aliases", metavar="A.tsv", help="names of one chromosome in each line")
    parser.add_argument("--shifts", default="0", metavar="BP,BP", help="average over windows moved by so many bp, such as 0,20,-20 (default 0)")
    parser.add_argument(
        "--strands", choices=("both", "given"), help="average over both strands, or read the given one (default: both, unless trained on one)"
    )
    parser.add_argument("--motifs", metavar="DB", help="motifs that may be lost or gained: jaspar:GROUP, a file, none (default: the run's own)")
    parser.add_argument("--top", type=int, default=5, metavar="N", help="variants of largest effect to name on stderr (default 5)")


def run(options: argparse.Namespace, console: Console) -> int:
    """Score the variants and write them."""
    from seqdl.data.genome import Genome
    from seqdl.experiment.run import load_run
    from seqdl.experiment.variants import motifs_of_run, read_variants, score_variants, windowing_of, write_variants
    from seqdl.io.files import check_writable
    from seqdl.ledger import Ledger

    shifts = parse_shifts(options.shifts)
    for path in filter(None, (options.output, options.vcf_output)):
        check_writable(path, force=options.force)
    trained, genome, ledger = load_run(options.run), Genome(options.genome), Ledger()
    motifs = motifs_of_run(trained, options.motifs)
    windowing = windowing_of(trained.task, shifts=shifts, both_strands=None if options.strands is None else options.strands == "both")
    variants = read_variants(
        options.vcf, genome, mismatch=options.mismatch, rename=options.rename_chromosomes, aliases=options.chromosome_aliases, ledger=ledger
    )
    table = score_variants(trained.task, variants, genome, windowing=windowing, motifs=motifs, ledger=ledger)
    for line in ledger.notes:
        console.note(f"note: {line}")
    if options.output != "-" or not console.json_mode:
        write_variants(options.output, table, force=options.force)
    if options.vcf_output:
        write_variants(options.vcf_output, table, force=options.force)
    console.emit(table.to_dict(orient="records"))
    for effect in [column for column in table if str(column).startswith("effect") and not str(column).startswith("effect_sd")][:1]:
        largest = table.reindex(table[effect].abs().sort_values(ascending=False, kind="stable").index).head(options.top)
        for row in largest.to_dict("records"):
            changes = "".join(f", {what} {row[f'motif_{what}']}" for what in ("lost", "gained") if row.get(f"motif_{what}"))
            console.note(f"{row['id']}  {row[effect]:+.3f}{changes}")
    console.note(f"{len(table):,} variants scored")
    return 0


def parse_shifts(text: str) -> list[int]:
    """Return the shifts of ``BP,BP``.

    Examples
    --------
    >>> parse_shifts("0,20,-20")
    [0, 20, -20]
    """
    from seqdl.errors import InputError

    words = [word.strip() for word in text.split(",")]
    if not all(word.removeprefix("-").isdigit() for word in words):
        raise InputError(f"--shifts {text}: whole numbers of bp, parted by commas, were expected, such as 0,20,-20.")
    return [int(word) for word in words]
