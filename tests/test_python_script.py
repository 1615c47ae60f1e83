"""The Python script that users are shown runs as printed, with its file names pointed at real files."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib as mpl
import pytest
import torch


def printed_script() -> str:
    """Return the one Python script of the README."""
    blocks = re.findall(r"```python\n(.*?)```", (Path(__file__).parents[1] / "README.md").read_text(), flags=re.DOTALL)
    assert len(blocks) == 1
    return blocks[0]


@pytest.mark.slow
def test_the_script_runs_as_printed(shared_data, tmp_path, monkeypatch, capsys):
    script = printed_script()
    files = {
        "sacCer3.fa.gz": shared_data / "yeast_genome" / "S_cerevisiae.fasta.gz",
        "reb1.bed": shared_data / "yeast_peaks_dev" / "Reb1.sacCer3.bed",
        "yeast.meme": shared_data / "motifs" / "macisaac_yeast.v1.meme.gz",
    }
    for name, path in files.items():
        assert path.is_file(), path
        assert f'"{name}"' in script
        script = script.replace(f'"{name}"', f'"{path}"')
    monkeypatch.chdir(tmp_path)
    mpl.use("Agg")
    torch.manual_seed(0)
    scope: dict = {}
    exec(compile(script, "README.md", "exec"), scope)  # the page is ours

    printed = capsys.readouterr().out
    assert re.search(r"^auroc +0\.\d{3} \(0\.\d{3}-[01]\.\d{3}\)$", printed, flags=re.MULTILINE)
    assert re.search(r"^auprc ", printed, flags=re.MULTILINE)
    assert scope["run"].evaluate("test")["auroc"]["value"] > 0.8
    assert set(scope["data"].examples.query("split == 'test'")["chrom"]) == {"chrII", "chrIV"}
    x, scores = scope["x"], scope["scores"]
    assert x.shape == scores.shape == (min(1_000, len(scope["data"].rows("test"))), 4, 200)
    assert (scores[x == 0] == 0).all()
    assert list(scope["matches"].columns)[:2] == ["query", "target"]
    assert {"p", "q", "offset", "strand"} <= set(scope["matches"].columns)
    reb1 = scope["matches"][scope["matches"]["target"].str.contains("REB1")]
    assert reb1["q"].min() < 0.01
    assert (tmp_path / "runs" / "reb1" / "report.html").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]
