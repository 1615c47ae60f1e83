"""Autoencoders whose latents are patterns at their best places: what they know of motifs that may stand anywhere."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import seqdl
from seqdl.cli.main import main
from seqdl.evaluate.clusters import rand_index
from seqdl.evaluate.latent_space import principal_components
from seqdl.experiment.autoencoder import kmer_roots
from seqdl.experiment.embed import clusters_of
from seqdl.experiment.run import load_run
from seqdl.io.fasta import write_fasta
from seqdl.sequence.edit import reverse_complement

MOTIFS = ("TTCAGCACCATGG", "CCACTAGGGGGCG", "ACTTCCGGTAGAC")
EACH, LENGTH = 400, 60


def planted(seed=0):
    """Return random sequences with one of three motifs at any place on either strand, and which."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, (EACH * len(MOTIFS), LENGTH)).astype(np.uint8)
    which = np.repeat(np.arange(len(MOTIFS)), EACH)
    for row, kind in enumerate(which):
        word = seqdl.encode(MOTIFS[kind])
        start = rng.integers(0, LENGTH - len(word))
        codes[row, start : start + len(word)] = word if rng.random() < 0.5 else reverse_complement(word[None])[0]
    return codes, which


@pytest.mark.slow
def test_sequences_with_the_same_motif_anywhere_on_either_strand_are_one_cluster(tmp_path):
    codes, which = planted()
    data = seqdl.SequenceData.from_sequences(codes, None, np.resize(["train"] * 8 + ["val", "test"], len(codes)))
    torch.manual_seed(0)
    task = seqdl.create_task("autoencoder", seqdl.create_model("cnn", filters=16, width=21), length=LENGTH, latent=8, bottleneck="sites", damage=0.3)
    run = seqdl.fit(task, data, tmp_path / "run", max_steps=500)
    words = kmer_roots(codes)
    (components,), _, _ = principal_components(words, [words], 8)
    found, beside = (rand_index(clusters_of(values, "3"), which) for values in (run.embed(codes), components))
    assert found > 0.8
    assert found > beside + 0.3


def test_a_run_of_sites_says_that_its_decoder_is_told_places_and_takes_a_wider_network_by_default(tmp_path):
    write_fasta(tmp_path / "x.fa", [f"s{i}" for i in range(90)], planted()[0][::13][:90])
    words = ["train", "--fasta", str(tmp_path / "x.fa"), "--split", "random", "--task", "autoencoder", "--task.bottleneck", "sites"]
    assert main([*words, "--task.latent", "4", "--task.damage", "0.3", "--max-steps", "12", "-o", str(tmp_path / "run"), "--quiet"]) == 0
    run = load_run(tmp_path / "run")
    assert run.config["model"] == {"name": "cnn", "filters": 64, "width": 21}
    assert run.metrics["latent"]["strand_agreement"] == 1
    assert run.metrics["baselines"]["pca"]["detail"].endswith("the network's decoder is told places besides")
    restored = run.metrics["restored"]
    n = {part: restored[part]["flanks4"] for part in ("hidden", "replaced")}
    assert min(n.values()) <= restored["flanks4"] <= max(n.values())
    assert "Each latent says how well a pattern fits" in (tmp_path / "run" / "report.html").read_text()
