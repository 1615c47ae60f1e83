"""seqdl: deep learning on genomic sequence.

The public names are loaded when they are first used, so that ``import seqdl`` is cheap.

Examples
--------
>>> import seqdl
>>> "create_model" in dir(seqdl)
True
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "Constraints": "seqdl.interpret.constraints",
    "Genome": "seqdl.data.genome",
    "Layout": "seqdl.data.simulate",
    "Motif": "seqdl.motif.motif",
    "Pairing": "seqdl.data.planting",
    "Run": "seqdl.experiment.run",
    "Search": "seqdl.interpret.search",
    "SeqdlError": "seqdl.errors",
    "SequenceData": "seqdl.data.dataset",
    "Signal": "seqdl.io.signal",
    "attention_weights": "seqdl.interpret.traces",
    "attribute": "seqdl.interpret.attribute",
    "audit_data": "seqdl.experiment.audit",
    "base_labels": "seqdl.data.targets",
    "base_profile": "seqdl.data.targets",
    "binned_counts": "seqdl.data.targets",
    "check_attributions": "seqdl.interpret.checks",
    "check_reference": "seqdl.data.variants",
    "check_signal": "seqdl.io.signal",
    "create_model": "seqdl.experiment.build",
    "create_task": "seqdl.experiment.build",
    "decode": "seqdl.sequence.encode",
    "design_sequences": "seqdl.interpret.design",
    "dinucleotide_shuffle": "seqdl.sequence.shuffle",
    "encode": "seqdl.sequence.encode",
    "filter_motifs": "seqdl.interpret.filters",
    "find_seqlets": "seqdl.interpret.seqlets",
    "fit": "seqdl.experiment.train",
    "judge_sequences": "seqdl.experiment.judge",
    "load_database": "seqdl.io.databases",
    "load_run": "seqdl.experiment.run",
    "marginalise": "seqdl.interpret.spike",
    "match_motifs": "seqdl.motif.compare",
    "maximize_input": "seqdl.interpret.maximize",
    "mutation_effects": "seqdl.interpret.ism",
    "one_hot": "seqdl.sequence.encode",
    "open_signal": "seqdl.io.signal",
    "promoter_elements": "seqdl.data.promoters",
    "read_bed": "seqdl.io.bed",
    "read_fasta": "seqdl.io.fasta",
    "read_gff": "seqdl.io.gff",
    "read_meme": "seqdl.io.meme",
    "read_motifs": "seqdl.io.motifs",
    "read_vcf": "seqdl.io.vcf",
    "rename_chromosomes": "seqdl.data.chromosomes",
    "resize": "seqdl.data.intervals",
    "sample_background": "seqdl.data.background",
    "scan": "seqdl.motif.scan",
    "simulate": "seqdl.data.simulate",
    "simulate_promoters": "seqdl.data.promoters",
    "spacing_curve": "seqdl.interpret.spike",
    "split_by_homology": "seqdl.data.split",
    "tile": "seqdl.data.intervals",
    "trace": "seqdl.interpret.traces",
    "variant_effects": "seqdl.interpret.variants",
    "write_fasta": "seqdl.io.fasta",
    "write_meme": "seqdl.io.meme",
    "write_vcf": "seqdl.io.vcf",
}

if TYPE_CHECKING:
    from seqdl import plot as plot
    from seqdl.data.background import sample_background as sample_background
    from seqdl.data.chromosomes import rename_chromosomes as rename_chromosomes
    from seqdl.data.dataset import SequenceData as SequenceData
    from seqdl.data.genome import Genome as Genome
    from seqdl.data.intervals import resize as resize
    from seqdl.data.intervals import tile as tile
    from seqdl.data.planting import Pairing as Pairing
    from seqdl.data.promoters import promoter_elements as promoter_elements
    from seqdl.data.promoters import simulate_promoters as simulate_promoters
    from seqdl.data.simulate import Layout as Layout
    from seqdl.data.simulate import simulate as simulate
    from seqdl.data.split import split_by_homology as split_by_homology
    from seqdl.data.targets import base_labels as base_labels
    from seqdl.data.targets import base_profile as base_profile
    from seqdl.data.targets import binned_counts as binned_counts
    from seqdl.data.variants import check_reference as check_reference
    from seqdl.errors import SeqdlError as SeqdlError
    from seqdl.experiment.audit import audit_data as audit_data
    from seqdl.experiment.build import create_model as create_model
    from seqdl.experiment.build import create_task as create_task
    from seqdl.experiment.judge import judge_sequences as judge_sequences
    from seqdl.experiment.run import Run as Run
    from seqdl.experiment.run import load_run as load_run
    from seqdl.experiment.train import fit as fit
    from seqdl.interpret.attribute import attribute as attribute
    from seqdl.interpret.checks import check_attributions as check_attributions
    from seqdl.interpret.constraints import Constraints as Constraints
    from seqdl.interpret.design import design_sequences as design_sequences
    from seqdl.interpret.filters import filter_motifs as filter_motifs
    from seqdl.interpret.ism import mutation_effects as mutation_effects
    from seqdl.interpret.maximize import maximize_input as maximize_input
    from seqdl.interpret.search import Search as Search
    from seqdl.interpret.seqlets import find_seqlets as find_seqlets
    from seqdl.interpret.spike import marginalise as marginalise
    from seqdl.interpret.spike import spacing_curve as spacing_curve
    from seqdl.interpret.traces import attention_weights as attention_weights
    from seqdl.interpret.traces import trace as trace
    from seqdl.interpret.variants import variant_effects as variant_effects
    from seqdl.io.bed import read_bed as read_bed
    from seqdl.io.databases import load_database as load_database
    from seqdl.io.fasta import read_fasta as read_fasta
    from seqdl.io.fasta import write_fasta as write_fasta
    from seqdl.io.gff import read_gff as read_gff
    from seqdl.io.meme import read_meme as read_meme
    from seqdl.io.meme import write_meme as write_meme
    from seqdl.io.motifs import read_motifs as read_motifs
    from seqdl.io.signal import Signal as Signal
    from seqdl.io.signal import check_signal as check_signal
    from seqdl.io.signal import open_signal as open_signal
    from seqdl.io.vcf import read_vcf as read_vcf
    from seqdl.io.vcf import write_vcf as write_vcf
    from seqdl.motif.compare import match_motifs as match_motifs
    from seqdl.motif.motif import Motif as Motif
    from seqdl.motif.scan import scan as scan
    from seqdl.sequence.encode import decode as decode
    from seqdl.sequence.encode import encode as encode
    from seqdl.sequence.encode import one_hot as one_hot
    from seqdl.sequence.shuffle import dinucleotide_shuffle as dinucleotide_shuffle

__all__ = [*_HOME, "__version__", "plot"]  # noqa: PLE0604  # the names are strings of a table


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (PEP 562)."""
    if name == "plot":
        return importlib.import_module("seqdl.plot")
    if name not in _HOME:
        raise AttributeError(f"module 'seqdl' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted([*__all__, *(name for name in globals() if name.startswith("__"))])
