"""Embedding and reconstruction from the command line, of a small autoencoder."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch

from seqdl.cli.main import main
from seqdl.errors import InputError
from seqdl.experiment.embed import clusters_of, map_of, nearest
from seqdl.experiment.run import load_run
from seqdl.io.fasta import read_fasta, write_fasta
from seqdl.layers.onehot import one_hot

N, LENGTH = 90, 24


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a FASTA of two kinds of sequence and a run of each kind of autoencoder."""
    path = tmp_path_factory.mktemp("embed")
    rng = np.random.default_rng(0)
    codes = rng.choice(4, (N, LENGTH), p=[0.4, 0.1, 0.1, 0.4]).astype(np.uint8)
    codes[::2] = rng.choice(4, (N // 2, LENGTH), p=[0.1, 0.4, 0.4, 0.1])
    write_fasta(path / "x.fa", [f"s{i}" for i in range(N)], codes)
    for task, more in (("autoencoder", []), ("vae", ["--task.beta", "0.1"])):
        words = ["train", "--fasta", str(path / "x.fa"), "--split", "random", "--task", task, "--model", "cnn", "--model.filters", "8"]
        words += ["--model.width", "5", "--task.latent", "6", "--max-steps", "40", "-o", str(path / task), "--quiet", *more]
        assert main(words) == 0
    return path


def table(folder, *words):
    assert main(["embed", str(folder / "autoencoder"), "--fasta", str(folder / "x.fa"), "-o", str(folder / "out.tsv"), "--force", *words]) == 0
    return pd.read_csv(folder / "out.tsv", sep="\t")


def test_latents_are_those_of_the_network_in_the_order_of_the_file(folder):
    found = table(folder)
    records = read_fasta(folder / "x.fa")
    task = load_run(folder / "autoencoder").task.eval()
    with torch.no_grad():
        expected = task.embed(one_hot(torch.from_numpy(np.stack([record.codes for record in records])))).numpy()
    assert found["id"].tolist() == [record.name for record in records]
    np.testing.assert_allclose(found[[f"z{k}" for k in range(1, 7)]], expected, rtol=1e-4, atol=1e-5)


def test_a_map_and_clusters_are_columns_and_clusters_find_the_two_kinds(folder):
    found = table(folder, "--map", "pca", "--clusters", "2")
    assert {"map1", "map2", "cluster"} <= set(found)
    kind = np.arange(N) % 2
    agreement = (found["cluster"] == kind).mean()
    assert max(agreement, 1 - agreement) > 0.8


def test_arrays_are_written_where_the_name_says_so(folder):
    words = ["embed", str(folder / "autoencoder"), "--fasta", str(folder / "x.fa"), "-o", str(folder / "out.npz"), "--force"]
    assert main(words) == 0
    with np.load(folder / "out.npz") as arrays:
        assert arrays["embedding"].shape == (N, 6)
        assert arrays["id"][0] == "s0"


def test_the_nearest_to_a_sequence_is_itself(folder):
    found = table(folder, "--query", str(folder / "x.fa"), "--neighbours", "2")
    first = found[found["rank"] == 1]
    assert (first["query"] == first["id"]).all()
    assert first["distance"].to_numpy() == pytest.approx(0, abs=1e-5)


def test_a_sequence_of_another_length_is_refused_by_name(folder, tmp_path, capsys):
    write_fasta(tmp_path / "short.fa", ["tiny"], ["ACGT"])
    assert main(["embed", str(folder / "autoencoder"), "--fasta", str(tmp_path / "short.fa"), "-o", str(tmp_path / "o.tsv")]) == 1
    assert "'tiny' has 4 bp, and the network was made for 24 bp" in capsys.readouterr().err
    assert not (tmp_path / "o.tsv").exists()


def test_scores_count_the_bases_that_are_given_back(folder, tmp_path):
    words = ["reconstruct", str(folder / "autoencoder"), "--fasta", str(folder / "x.fa")]
    assert main([*words, "-o", str(tmp_path / "s.tsv")]) == 0
    assert main([*words, "-o", str(tmp_path / "b.fa")]) == 0
    scores = pd.read_csv(tmp_path / "s.tsv", sep="\t")
    right = [(a.codes == b.codes).mean() for a, b in zip(read_fasta(folder / "x.fa"), read_fasta(tmp_path / "b.fa"), strict=True)]
    np.testing.assert_allclose(scores["accuracy"], right, rtol=1e-5)


def test_the_line_between_two_latents_begins_and_ends_with_what_they_are_decoded_to(folder, tmp_path):
    words = ["reconstruct", str(folder / "autoencoder"), "--fasta", str(folder / "x.fa")]
    assert main([*words, "--between", "s0", "s1", "--steps", "4", "-o", str(tmp_path / "way.fa")]) == 0
    assert main([*words, "-o", str(tmp_path / "b.fa")]) == 0
    way, back = read_fasta(tmp_path / "way.fa"), read_fasta(tmp_path / "b.fa")
    assert len(way) == 4
    np.testing.assert_array_equal(way[0].codes, back[0].codes)
    np.testing.assert_array_equal(way[-1].codes, back[1].codes)


def test_a_name_that_is_not_there_is_said(folder, tmp_path, capsys):
    words = ["reconstruct", str(folder / "autoencoder"), "--fasta", str(folder / "x.fa"), "--between", "s0", "nobody"]
    assert main([*words, "-o", str(tmp_path / "w.fa")]) == 1
    assert "named 'nobody'" in capsys.readouterr().err


def test_a_vae_writes_sequences_of_its_length_and_the_same_ones_again(folder, tmp_path):
    for name in ("a.fa", "b.fa"):
        assert main(["generate", str(folder / "vae"), "-n", "7", "--seed", "3", "-o", str(tmp_path / name)]) == 0
    assert (tmp_path / "a.fa").read_bytes() == (tmp_path / "b.fa").read_bytes()
    assert {len(record.codes) for record in read_fasta(tmp_path / "a.fa")} == {LENGTH}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--length", "50"], "the network writes 24 bp"),
        (["--prompt", "ACGT"], "prompt was given, but the task VAE draws without it"),
        (["--condition", "1"], "was trained without a condition"),
        (["-n", "0"], "n is 0: one sequence or more"),
    ],
)
def test_generate_refuses_what_the_network_cannot_do(folder, capsys, words, message):
    assert main(["generate", str(folder / "vae"), *words]) == 1
    assert message in capsys.readouterr().err


def test_an_autoencoder_writes_no_new_sequences(folder, capsys):
    assert main(["generate", str(folder / "autoencoder")]) == 1
    assert "the task Autoencoder writes no sequences" in capsys.readouterr().err


def test_what_a_run_folder_of_an_autoencoder_holds(folder):
    metrics = json.loads((folder / "vae" / "metrics.json").read_text())
    assert {"accuracy", "bits_per_base"} <= set(metrics["test"])
    assert {"majority", "positions", "pca"} == set(metrics["baselines"])
    assert isinstance(metrics["latent"]["collapsed"], bool)
    assert metrics["latent"]["kl_bits"] > 0
    assert (folder / "vae" / "report.html").is_file()
    assert pd.read_csv(folder / "autoencoder" / "latents.tsv", sep="\t").shape[1] == 3 + 6


def test_clouds_are_found_and_neighbours_are_those_of_all_distances():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(size=(40, 3)), rng.normal(size=(40, 3)) + 12])
    assert len(set(clusters_of(x, "hdbscan")[:40])) == 1
    assert (clusters_of(x, "2")[:40] != clusters_of(x, "2")[40:]).all()
    rows, distance = nearest(x, x[:3], n=5)
    every = np.linalg.norm(x[:3, None] - x[None], axis=2)
    np.testing.assert_allclose(distance, np.sort(every, axis=1)[:, :5], atol=1e-9)
    np.testing.assert_array_equal(rows[:, 0], [0, 1, 2])


@pytest.mark.parametrize("how", ["1", "999", "many"])
def test_clusters_that_cannot_be_made_are_refused(how):
    with pytest.raises(InputError, match=f"--clusters is {how}"):
        clusters_of(np.zeros((10, 2)), how)


def test_maps_of_too_few_are_refused():
    with pytest.raises(InputError, match="a map of 2 sequences"):
        map_of(np.zeros((2, 4)), "tsne")
