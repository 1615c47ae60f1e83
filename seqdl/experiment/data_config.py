"""The section `data` of a config: where the examples come from and how they are split."""

from __future__ import annotations

from dataclasses import dataclass

from seqdl.experiment.option import COUNT, NOT_NEGATIVE, option


@dataclass
class DataConfig:
    """Where the examples come from and how they are split."""

    genome: str | None = option(None, "genome FASTA, plain or compressed", is_path=True, metavar="G.fa")
    peaks: str | None = option(None, "BED or narrowPeak of bound regions", is_path=True, metavar="P.bed")
    regions: str | None = option(
        None, "with --signal or --labels: BED of regions; default: windows side by side over the genome", is_path=True, metavar="R.bed"
    )
    signal: list[str] | None = option(None, "bigWig or bedGraph to predict, one or several", is_path=True, metavar="S.bw")
    input_signal: list[str] | None = option(None, "bigWig or bedGraph that the network reads beside the bases", is_path=True, metavar="I.bw")
    labels: str | None = option(None, "BED or GFF of features: a label for every base", is_path=True, metavar="L.gff")
    label_features: list[str] | None = option(None, "with --labels: the kinds of feature, such as CDS; default: all", metavar="NAME")
    fasta: list[str] | None = option(
        None,
        "two FASTA files: positives, negatives; or one, with --negatives dinuc; or several classes: name=FILE ...; or one without labels, "
        "for autoencoders, language models and GANs",
        is_path=True,
        metavar="FILE",
    )
    table: str | None = option(None, "CSV or TSV with a column of sequences and a column of targets", is_path=True, metavar="T.csv")
    sequence_column: str = option("sequence", "with --table: column of the sequences", metavar="NAME")
    target_columns: list[str] | None = option(
        None, "with --table: columns of the targets: 0 and 1, classes, or numbers; several make several outputs", metavar="NAME"
    )
    id_column: str | None = option(None, "with --table: column of the names; default: the row's number", metavar="NAME")
    split_column: str | None = option(None, "with --table: column that says train, val or test", metavar="NAME")
    negatives: str | None = option(
        None, "gc: GC-matched genomic (default with a genome), genomic, flank, dinuc: shuffled positives; or a file", metavar="KIND|FILE"
    )
    ratio: int = option(2, "negatives a positive where they are made, in validation and test", metavar="N")
    train_ratio: int = option(20, "the same in training, where more of them help", metavar="N")
    window: int = option(200, "width of the window around a peak or region (bp)", metavar="BP")
    context: int | None = option(
        None,
        "with --peaks: bases on either side of a window that are read too; default: what makes 400 bp of it",
        metavar="BP",
        within=NOT_NEGATIVE,
    )
    step: int | None = option(None, "windows over a genome: bases from one to the next; default: --window", metavar="BP", within=COUNT)
    center: str | None = option(None, "centre of the window; default: the summit where the file has one", choices=("summit", "midpoint"))
    exclude: str | None = option(None, "BED of regions that no window may touch", is_path=True, metavar="B.bed")
    split: str | None = option(None, "default: chromosome for intervals, homology for FASTA", choices=("chromosome", "homology", "random", "column"))
    val_chromosomes: list[str] | None = option(None, "chromosomes for validation", metavar="CHROM")
    test_chromosomes: list[str] | None = option(None, "chromosomes for the test", metavar="CHROM")
    val_fasta: list[str] | None = option(None, "ready-made validation set: positives, negatives", is_path=True, metavar="FILE")
    test_fasta: list[str] | None = option(None, "ready-made test set: positives, negatives", is_path=True, metavar="FILE")
    fold: int | None = option(None, "with --folds in a config: this fold only", metavar="K")
    n_folds: int | None = option(None, "number of folds that --fold counts in", metavar="K")
    rename_chromosomes: bool = option(False, "reconcile chr1, 1, chrI, I, chrM, MT, chrmt with the genome's names")
    chromosome_aliases: str | None = option(None, "TSV of alias and genome name, used with --rename-chromosomes", is_path=True, metavar="A.tsv")
    ambiguous: str = option(
        "zero",
        "letters other than A C G T (N and IUPAC alike): zero: no base at all, uniform: a quarter of each base, "
        "drop: drop the example, error: refuse it; padding is no base in any case",
        choices=("zero", "uniform", "drop", "error"),
    )
    crop: int | None = option(None, "with --fasta or --table: cut sequences to so many bp; the shorter are padded", metavar="BP", within=COUNT)
    crop_at: str = option("middle", "what --crop keeps of a sequence", choices=("start", "middle", "end"))
    deduplicate: bool = option(False, "drop repeated sequences, also on the other strand")

    @property
    def along_genome(self) -> bool:
        """Whether targets lie along a genome: signals, labels, or nothing but windows of it."""
        return bool(self.genome) and not self.peaks

    @property
    def names_inputs(self) -> bool:
        """Whether examples can be made of what is named here."""
        return bool(self.genome or self.peaks or self.fasta or self.table)
