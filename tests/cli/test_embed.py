"""seqdl embed with labels, clusters, motifs and pictures, of a small autoencoder; and what it refuses."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest

from seqdl.cli.main import main
from seqdl.experiment.embed_groups import named_files
from seqdl.io.fasta import write_fasta

N, LENGTH = 120, 30
SITE = np.array([3, 3, 0, 1, 1, 1, 2, 2, 1, 0], dtype=np.uint8)  # TTACCCGGCA, KNOWN1 of the small database


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with two kinds of sequence, one of which holds a site, as one FASTA and as two, their labels, and a trained run."""
    path = tmp_path_factory.mktemp("groups")
    rng = np.random.default_rng(0)
    codes = rng.choice(4, (N, LENGTH), p=[0.44, 0.06, 0.06, 0.44]).astype(np.uint8)
    codes[::2] = rng.choice(4, (N // 2, LENGTH), p=[0.06, 0.44, 0.44, 0.06])
    codes[::2, 10:20] = SITE
    names = [f"s{i}" for i in range(N)]
    write_fasta(path / "x.fa", names, codes)
    write_fasta(path / "gc.fa", names[::2], codes[::2])
    write_fasta(path / "at.fa", names[1::2], codes[1::2])
    rows = [f"{name}\t{'at' if i % 2 else 'gc'}" for i, name in enumerate(names)]
    (path / "labels.tsv").write_text("\n".join(["id\tlabel", *reversed(rows)]) + "\n")  # in another order
    (path / "few.tsv").write_text("\n".join(["id\tlabel", *rows[:50]]) + "\n")
    (path / "many.tsv").write_text("\n".join(["id\tlabel", *rows, "s999\tgc"]) + "\n")
    (path / "twice.tsv").write_text("\n".join(["id\tlabel", *rows, rows[3]]) + "\n")
    (path / "one.tsv").write_text("\n".join(["id\tlabel", *(f"{name}\tgc" for name in names)]) + "\n")
    (path / "rare.tsv").write_text("\n".join(["id\tlabel", *(f"{name}\t{'b' if i < 2 else 'a'}" for i, name in enumerate(names))]) + "\n")
    (path / "bare.tsv").write_text("\n".join(rows) + "\n")
    words = ["train", "--fasta", str(path / "x.fa"), "--split", "random", "--task", "autoencoder", "--model", "cnn", "--model.filters", "8"]
    words += ["--model.width", "5", "--task.latent", "6", "--max-steps", "60", "--device", "cpu", "-o", str(path / "run"), "--quiet"]
    assert main(words) == 0
    return path


def embed(folder, *words, fasta=("x.fa",)):
    files = [word.replace("=", f"={folder}/") if "=" in word else str(folder / word) for word in fasta]
    return main(["embed", str(folder / "run"), "--fasta", *files, "--quiet", "--device", "cpu", *map(str, words)])


def test_labels_follow_the_ids_and_are_read_off_beside_pca_of_kmers(folder, tmp_path, capsys):
    assert embed(folder, "--labels", folder / "labels.tsv", "-o", tmp_path / "o.tsv", "--json") == 0
    found = json.loads(capsys.readouterr().out)["probe"]
    assert set(found["spaces"]) == {"network", "pca_one_hot", "pca_kmers"}
    assert found["spaces"]["network"]["auroc"] > 0.9
    assert found["n"] == N
    table = pd.read_csv(tmp_path / "o.tsv", sep="\t")
    assert (table["label"] == np.where(np.arange(N) % 2, "at", "gc")).all()


def test_a_class_a_file_is_a_label_a_sequence(folder, tmp_path, capsys):
    assert embed(folder, "-o", tmp_path / "o.tsv", fasta=("gc=gc.fa", "at=at.fa")) == 0
    said = capsys.readouterr().out
    assert "PCA of 5-mers" in said
    assert "learned from labels" not in said
    assert pd.read_csv(tmp_path / "o.tsv", sep="\t")["label"].value_counts().to_dict() == {"gc": N // 2, "at": N // 2}


def test_a_network_that_learned_from_labels_is_not_trusted_with_those_it_was_trained_on(tiny, tiny_run, tmp_path, capsys):
    files = [f"yes={tiny.path('positives.fa')}", f"no={tiny.path('negatives.fa')}"]
    assert main(["embed", str(tiny_run), "--fasta", *files, "--device", "cpu", "--quiet", "-o", str(tmp_path / "o.tsv")]) == 0
    assert "WARNING: the network learned from labels" in capsys.readouterr().out


def test_the_motif_of_a_cluster_is_found_and_drawn_and_clusters_agree_with_labels(folder, tiny, tmp_path, capsys):
    words = ["--clusters", "2", "--database", tiny.path("known.meme"), "--labels", folder / "labels.tsv", "--json", "-o", tmp_path / "o.tsv"]
    assert embed(folder, *words) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["rand_index"]["network_labels"] > 0.6
    assert set(found["rand_index"]) == {"network_kmers", "network_labels", "kmers_labels"}
    table, motifs = pd.read_csv(tmp_path / "o.tsv", sep="\t"), pd.read_csv(tmp_path / "clusters.tsv", sep="\t")
    planted = table[table["label"] == "gc"]["cluster"].mode()[0]
    first = motifs.iloc[0]
    assert (first["motif"], first["cluster"]) == ("KNOWN1 REB1", planted)
    assert first["rate"] > 0.8
    assert first["rate_elsewhere"] < 0.2
    assert first["rate_shuffled"] < 0.4
    assert "KNOWN1 REB1" in (tmp_path / "clusters_logos" / f"cluster{planted}.svg").read_text()
    assert {"cluster", "cluster_kmers"} <= set(table)


def test_the_same_is_said_in_words(folder, tiny, tmp_path, capsys):
    words = ["--clusters", "2", "--database", tiny.path("known.meme"), "-o", tmp_path / "o.tsv", "--motifs-out", tmp_path / "m.tsv"]
    assert embed(folder, *words) == 0
    said = capsys.readouterr().out
    assert re.search(r"adjusted Rand index of clusters: \d\.\d+ with those of PCA of 5-mers", said)
    assert re.search(r"cluster \d: 1 motifs at q below 0\.05; first KNOWN1 REB1 \(\d+% of it, \d+% elsewhere, \d+% of its shuffles\)", said)
    assert (tmp_path / "m.tsv").exists()
    assert (tmp_path / "m_logos").is_dir()


@pytest.mark.parametrize("words", [[], ["--map", "tsne"], ["--clusters", "2"]])
def test_a_map_is_drawn(folder, tmp_path, words):
    assert embed(folder, *words, "--plot", tmp_path / "map.svg", "-o", tmp_path / "o.tsv") == 0
    assert "<svg" in (tmp_path / "map.svg").read_text()
    assert {"map1", "map2"} <= set(pd.read_csv(tmp_path / "o.tsv", sep="\t"))


def test_arrays_are_streamed_as_the_table_is(folder, tmp_path):
    assert embed(folder, "-o", tmp_path / "o.npz") == 0
    assert embed(folder, "-o", tmp_path / "o.tsv") == 0
    table = pd.read_csv(tmp_path / "o.tsv", sep="\t")
    with np.load(tmp_path / "o.npz") as arrays:
        np.testing.assert_allclose(arrays["embedding"], table.drop(columns="id"), rtol=1e-5, atol=1e-6)
        assert arrays["id"].tolist() == table["id"].tolist()


REFUSED = {
    "--labels few.tsv": r"few\.tsv has 50 labels for the 120 sequences of .*x\.fa, and 's50' has no label: one for each sequence was expected",
    "--labels many.tsv": r"many\.tsv has 121 labels for the 120 sequences of .*x\.fa, and 's999' is no sequence",
    "--labels twice.tsv": r"twice\.tsv: the id 's3' is there more than once",
    "--labels one.tsv": r"the labels hold one class, gc: two or more were expected",
    "--labels rare.tsv": r"the label b is that of 2 sequences: 5 or more of each were expected",
    "--labels bare.tsv": r"bare\.tsv has no column 'id'",
    "--labels nowhere.tsv": r"nowhere\.tsv",
    "--database jaspar": r"--database was given without --clusters",
    "--motifs-out m.tsv": r"--motifs-out was given without --database",
    "--plot map.png": r"--plot .*map\.png: a name ending in \.svg was expected",
    "--query x.fa --clusters 2": r"--query was given with a map, clusters or labels",
    "--clusters 1": r"--clusters is 1: a number from 2",
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_cannot_be_done_is_refused_in_one_line_and_leaves_nothing(folder, tmp_path, capsys, words):
    given = [str(folder / word) if "." in word else word for word in words.split()]
    before = set(folder.rglob("*"))
    assert embed(folder, *given, "-o", tmp_path / "o.tsv") == 1
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert re.search(REFUSED[words], said.err), said.err
    assert not list(tmp_path.iterdir())
    assert set(folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("fasta", "words", "message"),
    [
        (["gc=gc.fa", "at.fa"], [], "one file, or NAME=FILE for each class, was expected"),
        (["gc=gc.fa", "gc=at.fa"], [], "one file, or NAME=FILE for each class, was expected"),
        (["gc=gc.fa", "at=at.fa"], ["--labels", "labels.tsv"], "--labels was given with files that are a class each"),
    ],
)
def test_classes_need_a_name_each_and_no_second_source(folder, capsys, fasta, words, message):
    assert embed(folder, *words, fasta=fasta) == 1
    assert message in capsys.readouterr().err


def test_a_table_on_stdout_leaves_no_place_for_that_of_motifs(folder, capsys):
    assert embed(folder, "--clusters", "2", "--database", "jaspar") == 1
    assert "-o or --motifs-out was expected" in capsys.readouterr().err


def test_a_file_with_an_equals_sign_in_its_name_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a=b.fa").write_text(">a\nACGT\n")
    assert named_files(["a=b.fa"]) == [("", "a=b.fa")]
