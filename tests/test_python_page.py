"""Every script of docs/python.md runs as printed, on simulated files and with its trainings cut short."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import torch

import seqdl

PAGE = Path(__file__).parents[1] / "docs" / "python.md"
SCRIPTS = dict(re.findall(r"^## ([A-Z][^\n]*)\n\n```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return a folder with the files that the page names."""
    folder = tmp_path_factory.mktemp("page")
    motifs = [element.motif for element in seqdl.promoter_elements()]
    made = seqdl.simulate(motifs=motifs, n_peaks=200, seed=0, layout=seqdl.Layout(peak_width=200))
    seqdl.write_fasta(folder / "genome.fa", list(made.genome), list(made.genome.values()))
    seqdl.write_meme(folder / "motifs.meme", motifs)
    made.peaks.to_csv(folder / "peaks.bed", sep="\t", header=False, index=False)
    made.truth[["chrom", "start", "end"]].to_csv(folder / "sites.bed", sep="\t", header=False, index=False)
    codes, truth = seqdl.simulate_promoters(500, seed=0)
    seqdl.write_fasta(folder / "promoters.fa", [f"p{i}" for i in range(len(codes))], codes)
    seqdl.write_fasta(folder / "new.fa", ["a", "b"], codes[:2])
    n_sites = np.bincount(truth["sequence"], minlength=len(codes)) + np.random.default_rng(0).normal(size=len(codes))
    table = pd.DataFrame({"sequence": [seqdl.decode(row) for row in codes], "expression": n_sites})
    table.to_csv(folder / "table.csv", index=False)
    return folder


def held(metric):
    """Return a check that a run was measured by this metric."""
    return lambda scope: metric in scope["run"].evaluate("test")


CHECKS = {
    "Binding": lambda scope: held("auroc")(scope) and scope["table"]["id"].tolist() == ["a", "b"] and len(scope["known"]) == 4,
    "Tables": lambda scope: held("pearson")(scope) and scope["scores"].shape == (10, 4, 64) and scope["data"].kind == "regression",
    "Labels": lambda scope: held("auprc")(scope) and scope["held"].guess.shape == scope["held"].truth.shape and scope["data"].kind == "labels",
    "A language": lambda scope: held("bits_per_base")(scope) and (scope["drawn"][:, :4] == [3, 0, 3, 0]).all() and Path("drawn.fa").is_file(),
    "An autoencoder": lambda scope: held("accuracy")(scope) and scope["latents"].shape == (500, 16) and 0 < scope["back"].share < 1,
    "A GAN": lambda scope: scope["samples"].shape == (500, 64) and "samples" in scope["card"].table().index,
    "Inside": lambda scope: scope["ahead"].values["forget"].shape == (20, 32, 64) and scope["looks"]["head.pool"].shape == (20, 1, 64),
    "Looking": lambda scope: len(scope["motifs"]) <= 8 and scope["best"].codes.shape == (1, 200),
}


def test_every_script_is_short_and_uses_public_names():
    assert len(SCRIPTS) == len(CHECKS) == PAGE.read_text(encoding="utf-8").count("```python")
    for script in SCRIPTS.values():
        assert len([line for line in script.splitlines() if line]) <= 20
        assert set(re.findall(r"\bseqdl\.([A-Za-z_]+)", script)) <= set(seqdl.__all__)
        assert "from seqdl" not in script


@pytest.mark.slow
@pytest.mark.parametrize("title", SCRIPTS)
def test_the_script_runs_as_printed(title, files, tmp_path, monkeypatch):
    for path in files.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    mpl.use("Agg")
    torch.manual_seed(0)
    script = re.sub(r"max_(steps|epochs)=\d+", lambda match: f"max_{match[1]}={20 if match[1] == 'steps' else 1}", SCRIPTS[title])
    scope: dict = {}
    exec(compile(script, title, "exec"), scope)  # the page is ours
    (check,) = [check for begin, check in CHECKS.items() if title.startswith(begin)]
    assert check(scope)
