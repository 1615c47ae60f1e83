"""Filters that start from known motifs."""

from __future__ import annotations

import json

import numpy as np
import pytest

from seqdl.cli.main import main
from seqdl.experiment.config import make_config
from seqdl.experiment.train import make_plan
from seqdl.io.motifs import read_motifs
from seqdl.layers.conv import first_convolution


@pytest.mark.parametrize(("strands", "n_filters"), [("shared", 2), ("single", 4)])
def test_a_motif_takes_a_filter_a_strand(tiny, strands, n_filters):
    known = tiny.path("known.meme")
    model, training = {"name": "cnn", "filters": 8, "width": 11}, {"init_motifs": known, "max_steps": 24}
    plan = make_plan(make_config({"data": {"fasta": tiny.fasta}, "model": model, "training": training, "strands": strands}))
    assert f"{n_filters} filters start from the motifs of {known}" in plan.summary()
    weight = first_convolution(plan.task.encoder).weight.detach().numpy()
    pwm = read_motifs(known)[0].pwm()  # 10 bp, at the front of 11
    assert np.corrcoef(weight[0][:, :10].ravel(), pwm.ravel())[0, 1] == pytest.approx(1, abs=1e-6)
    if strands == "single":
        assert np.corrcoef(weight[1][:, :10].ravel(), pwm[::-1, ::-1].ravel())[0, 1] == pytest.approx(1, abs=1e-6)


def test_filters_that_are_frozen_keep_the_motif(tiny, tmp_path):
    run = tmp_path / "run"
    words = [*tiny.fasta, *tiny.options, "--init-motifs", tiny.path("known.meme"), "--freeze", "1", "--quiet", "-o", str(run)]
    assert main(["train", *words]) == 0
    motifs = (run / "motifs" / "motifs.tsv").read_text()
    assert "KNOWN1" in motifs
    assert tiny.path("known.meme") in json.loads((run / "manifest.json").read_text())["inputs"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--init-motifs", "absent.meme"], "absent.meme"),
        (["--init-motifs", "KNOWN", "--model.filters", "1"], "2 motifs ask for 2 filters, and the first convolution has 1"),
        (["--init-motifs", "KNOWN", "--model", "transformer", "--model.filters", "8", "--init", "x"], "--init and --init-motifs were both given"),
        (["--freeze", "1"], "or --init-motifs FILE"),
    ],
)
def test_what_cannot_be_is_refused(tiny, tmp_path, capsys, words, message):
    words = [tiny.path("known.meme") if word == "KNOWN" else word for word in words]
    assert main(["train", *tiny.fasta, *tiny.options, *words, "-o", str(tmp_path / "run")]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
