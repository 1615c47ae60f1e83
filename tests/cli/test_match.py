from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest

from seqdl.cli.main import main
from seqdl.io.motifs import write_meme
from seqdl.motif.compare import COLUMNS
from seqdl.motif.motif import Motif


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(3)
    known = [Motif(f"T{i}", rng.dirichlet([0.2] * 4, size=10).T, alt_name=f"F{i}") for i in range(40)]
    write_meme(tmp_path / "known.meme", known)
    write_meme(tmp_path / "mine.meme", [Motif("a", known[5].reverse_complement().ppm), Motif("b", known[9].ppm[:, 2:])])
    return tmp_path


def test_the_table_goes_to_stdout_and_words_to_stderr(files, capsys):
    assert main(["match", str(files / "mine.meme"), "--database", str(files / "known.meme")]) == 0
    said = capsys.readouterr()
    table = pd.read_csv(io.StringIO(said.out), sep="\t")
    assert list(table.columns) == list(COLUMNS)
    assert list(table["target"]) == ["T5 F5", "T9 F9"]
    assert list(table["strand"]) == ["-", "+"]
    assert "2 of 2 motifs have a match at q < 0.05 among 40" in said.err


def test_top_and_max_q_choose_rows_and_output_names_the_file(files, capsys):
    output = files / "out.tsv"
    arguments = ["match", str(files / "mine.meme"), "--database", str(files / "known.meme"), "-o", str(output), "--quiet"]
    assert main([*arguments, "--top", "3"]) == 0
    assert len(pd.read_csv(output, sep="\t")) == 6
    assert main(arguments) == 1
    assert "--force" in capsys.readouterr().err
    assert main([*arguments, "--force", "--top", "0", "--max-q", "0.001"]) == 0
    assert list(pd.read_csv(output, sep="\t")["target"]) == ["T5 F5", "T9 F9"]


def test_json_lists_the_matches(files, capsys):
    assert main(["match", str(files / "mine.meme"), "--database", str(files / "known.meme"), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["target"] for row in rows] == ["T5 F5", "T9 F9"]


def test_few_targets_are_warned_of(files, capsys):
    assert main(["match", str(files / "known.meme"), "--database", str(files / "mine.meme")]) == 0
    assert "holds 2 motifs: with fewer than 25 targets p-values are rough" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--database", "jaspar:fungus"], "Did you mean 'fungi'"), (["--database", "nowhere.meme"], "nowhere.meme"), (["--top", "-1"], "--top is -1")],
)
def test_wrong_input_ends_with_one_message(files, capsys, arguments, message):
    assert main(["match", str(files / "mine.meme"), *arguments]) == 1
    said = capsys.readouterr()
    assert message in said.err
    assert said.out == ""


def test_jaspar_names_a_known_factor(files, capsys):
    sites = np.eye(4)[:, [3, 3, 0, 1, 1, 1, 2]] * 0.94 + 0.015  # TTACCCG, what Reb1 binds
    write_meme(files / "reb1.meme", [Motif("filter0", sites)])
    assert main(["match", str(files / "reb1.meme"), "--database", "jaspar:fungi", "--top", "3"]) == 0  # Nsi1 binds the same
    assert "REB1" in capsys.readouterr().out
