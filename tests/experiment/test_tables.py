"""Tables and class files: what becomes of them, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from seqdl.cli.main import main
from seqdl.errors import DataError, FormatError, InputError
from seqdl.experiment.auto import resolve_auto
from seqdl.experiment.config import make_config
from seqdl.experiment.prepare import prepare
from seqdl.experiment.run import load_run
from seqdl.sequence.encode import decode

SITE = {"donor": "CAGGTAAG", "acceptor": "TTTTCAGG", "neither": ""}


def sequences(n: int, site: str, seed: int, length: int = 40) -> list[str]:
    rng = np.random.default_rng(seed)
    found = [decode(rng.integers(0, 4, length, dtype=np.uint8)) for _ in range(n)]
    return [text[:16] + site + text[16 + len(site) :] for text in found]


@pytest.fixture
def classes(tmp_path):
    """Return a table of three classes that one site at one place tells apart."""
    rows = [
        {"name": f"{kind}{i}", "seq": text, "kind": kind}
        for k, (kind, site) in enumerate(SITE.items())
        for i, text in enumerate(sequences(80, site, k))
    ]
    table = pd.DataFrame(rows).sample(frac=1, random_state=0)
    table.to_csv(tmp_path / "classes.csv", index=False)
    return tmp_path / "classes.csv"


@pytest.fixture
def numbers(tmp_path):
    """Return a table of numbers: how many G there are, and a split."""
    texts = sequences(300, "", 5)
    table = pd.DataFrame(
        {"sequence": texts, "y": [text.count("G") + 0.5 for text in texts], "set": ["training"] * 200 + ["validation"] * 50 + ["test"] * 50}
    )
    table.to_csv(tmp_path / "numbers.tsv", index=False, sep="\t")
    return tmp_path / "numbers.tsv"


def options(path, **more):
    return make_config({"data": {"table": str(path), **more}})


def test_words_make_classes_in_alphabetical_order(classes):
    data = prepare(options(classes, sequence_column="seq", target_columns=["kind"], id_column="name"))
    assert (data.kind, data.classes, data.outputs) == ("multiclass", ["acceptor", "donor", "neither"], ["target"])
    table = data.examples
    assert table["id"].str.rstrip("0123456789").tolist() == table["target"].tolist()
    assert [data.classes[int(k)] for k in data.targets()[:, 0]] == table["target"].tolist()
    assert data.sizes()["test"] == {"acceptor": 8, "donor": 8, "neither": 8}


def test_numbers_are_kept_and_a_split_column_is_followed(numbers):
    data = prepare(options(numbers, target_columns=["y"], split_column="set"))
    table = pd.read_csv(numbers, sep="\t")
    assert data.kind == "regression"
    np.testing.assert_allclose(data.targets()[:, 0], table["y"], rtol=1e-6)
    assert data.examples["split"].tolist() == table["set"].map({"training": "train", "validation": "val", "test": "test"}).tolist()
    assert data.examples["id"].tolist()[:2] == ["row1", "row2"]


def test_noughts_and_ones_make_two_classes(numbers):
    table = pd.read_csv(numbers, sep="\t").assign(bound=lambda t: (t["y"] > t["y"].median()).astype(int))
    table.to_csv(numbers, index=False, sep="\t")
    assert prepare(options(numbers, target_columns=["bound"])).kind == "binary"


def test_files_with_names_make_classes_in_their_order(tmp_path):
    files = []
    for k, (kind, site) in enumerate(SITE.items()):
        lines = [f">{kind}{i}\n{text}" for i, text in enumerate(sequences(30, site, k))]
        (tmp_path / f"{kind}.fa").write_text("\n".join(lines) + "\n")
        files.append(f"{kind}={tmp_path / kind}.fa")
    data = prepare(make_config({"data": {"fasta": files}}))
    assert data.classes == list(SITE)
    assert [path.name for path in data.inputs] == [f"{kind}.fa" for kind in SITE]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda t: t.drop(columns="y"), InputError, r"numbers\.tsv has no column 'y'\. Its columns are: sequence, set"),
        (lambda t: t.assign(y=t["y"].where(t.index != 6)), DataError, r"column 'y' holds no number in 1 rows; first: row 7"),
        (lambda t: t.assign(y=[f"w{i}" for i in t.index]), DataError, r"column 'y' holds 300 different words"),
        (lambda t: t.assign(y="same"), DataError, r"column 'y' holds one class, same"),
        (lambda t: t.assign(sequence=t["sequence"].where(t.index != 3, "")), FormatError, r"row 4: column 'sequence' is empty"),
        (lambda t: t.assign(sequence=t["sequence"].where(t.index != 3, "ACGJ")), FormatError, r"row 4, column 'sequence': .*'J'"),
        (lambda t: t.assign(set="later"), DataError, r"column 'set' holds later: train, val or test"),
    ],
    ids=["no target", "no number", "too many words", "one class", "empty sequence", "no DNA", "unknown split"],
)
def test_what_a_table_lacks_is_said_with_its_row(numbers, change, error, message):
    change(pd.read_csv(numbers, sep="\t")).to_csv(numbers, index=False, sep="\t")
    with pytest.raises(error, match=message):
        prepare(options(numbers, target_columns=["y"], split_column="set"))


def test_a_column_of_splits_and_folds_exclude_each_other(numbers):
    with pytest.raises(InputError, match="folds were asked for together with the split in column 'set'"):
        prepare(options(numbers, target_columns=["y"], split_column="set", fold=0, n_folds=3))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({}, "--target-columns names 0 columns"),
        ({"target_columns": ["y", "set"]}, "column 'set' holds words, beside other targets"),
        ({"target_columns": ["y", "y"]}, "--target-columns names y, y: different names"),
        ({"target_columns": ["y"], "split": "chromosome"}, "--split chromosome was given with sequences"),
        ({"target_columns": ["y"], "split": "column"}, "--split column was given without --split-column"),
        ({"target_columns": ["y"], "fasta": ["a.fa"]}, "several of --table, --fasta and --genome"),
    ],
)
def test_options_that_do_not_fit_a_table_are_refused(numbers, more, message):
    with pytest.raises(InputError, match=message):
        prepare(options(numbers, **more))


def test_a_task_that_does_not_fit_the_targets_is_refused(numbers):
    config = make_config({"data": {"table": str(numbers), "target_columns": ["y"]}, "task": "binary"})
    with pytest.raises(InputError, match="--task binary was given, but the targets are for regression"):
        resolve_auto(config, prepare(config))


FEW = [
    "--members",
    "1",
    "--model",
    "basset",
    "--model.filters",
    "16,16",
    "--model.widths",
    "9,5",
    "--model.pools",
    "2,2",
    "--task.pooling",
    "flatten",
    "--quiet",
]


def test_classes_are_learnt_measured_and_reported(classes, tmp_path, tiny, capsys):
    run = tmp_path / "run"
    words = [
        "train",
        "--table",
        str(classes),
        "--sequence-column",
        "seq",
        "--target-columns",
        "kind",
        "--database",
        tiny.path("known.meme"),
        "-o",
        str(run),
    ]
    assert main([*words, *FEW, "--task", "multiclass", "--max-steps", "120"]) == 0
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["test"]["accuracy"]["value"] > 0.8
    assert metrics["outputs"] == ["acceptor", "donor", "neither"]
    assert np.sum(metrics["confusion"]) == 24
    assert [row["name"] for row in metrics["per_class"]] == metrics["outputs"]
    assert set(metrics["baselines"]) == {"gc", "kmer", "position"}
    table = pd.read_csv(run / "predictions.tsv", sep="\t")
    chances = table[[f"prediction_{name}" for name in metrics["outputs"]]]
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-6)
    assert (chances.idxmax(axis=1) == "prediction_" + table["prediction"]).all()
    test = table[table["split"] == "test"]
    assert (test["target"] == test["prediction"]).mean() == pytest.approx(metrics["test"]["accuracy"]["value"])
    assert "accuracy" in capsys.readouterr().out
    again = load_run(run).predict(sequences(3, SITE["donor"], 99))
    assert list(again["prediction"]) == ["donor"] * 3


def test_numbers_are_learnt_in_their_own_units(numbers, tmp_path, tiny):
    run = tmp_path / "run"
    words = [
        "train",
        "--table",
        str(numbers),
        "--target-columns",
        "y",
        "--split-column",
        "set",
        "--database",
        tiny.path("known.meme"),
        "-o",
        str(run),
    ]
    more = ["--task", "regression", "--task.pooling", "mean", "--max-steps", "150"]
    assert main([*words, *FEW[:-3], *more, "--quiet"]) == 0
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["test"]["pearson"]["value"] > 0.8
    assert metrics["test"]["rmse"]["value"] < 2  # of counts of G, whose spread is 2.7
    assert set(metrics["baselines"]) == {"gc", "kmer", "position"}
    assert (run / "report.html").is_file()
    assert main(["evaluate", str(run), "--table", str(numbers), "--target-columns", "y", "--quiet"]) == 0


@pytest.mark.parametrize(("at", "begin"), [("start", 0), ("middle", 15), ("end", 30)])
def test_sequences_are_cut_where_it_was_asked_for_and_the_ledger_says_so(classes, at, begin):
    whole = prepare(options(classes, sequence_column="seq", target_columns=["kind"]))
    cut = prepare(options(classes, sequence_column="seq", target_columns=["kind"], crop=10, crop_at=at))
    np.testing.assert_array_equal(cut.codes, whole.codes[:, begin : begin + 10])
    assert cut.lengths is None
    assert any(f"240 sequences of up to 40 bp were cut to 10 bp, from their {at}" in note for note in cut.ledger.notes)


def test_shorter_sequences_are_padded_to_the_length(classes, tmp_path):
    table = pd.read_csv(classes)
    table.loc[0, "seq"] = table.loc[0, "seq"][:6]
    table.to_csv(tmp_path / "mixed.csv", index=False)
    cut = prepare(options(tmp_path / "mixed.csv", sequence_column="seq", target_columns=["kind"], crop=10))
    assert cut.length == 10
    assert sorted(set(cut.lengths)) == [6, 10]
    assert (cut.codes[cut.lengths == 6, 6:] == 4).all()
    assert any("1 sequences are shorter than 10 bp" in note for note in cut.ledger.notes)


def test_windows_of_a_genome_are_not_cut():
    with pytest.raises(InputError, match="--crop was given with a genome"):
        prepare(make_config({"data": {"genome": "g.fa", "peaks": "p.bed", "crop": 10}}))
