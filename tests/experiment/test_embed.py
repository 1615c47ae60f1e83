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
from seqdl.sequence.encode import decode

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


@pytest.mark.slow
def test_umap_keeps_groups_apart():
    pytest.importorskip("umap")
    group = np.repeat([0.0, 50.0], 40)
    found = map_of(np.random.default_rng(0).normal(group[:, None], 1, (80, 5)), "umap")
    near = np.linalg.norm(found[:, None] - found, axis=-1).argsort(1)[:, 1:6]
    assert (group[near] == group[:, None]).all()
    assert found.shape == (80, 2)


def test_maps_of_too_few_are_refused():
    with pytest.raises(InputError, match="a map of 2 sequences"):
        map_of(np.zeros((2, 4)), "tsne")


# the same from Python -----------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["path", "strings", "codes", "one-hot"])
def given(folder, request):
    """Return the sequences of x.fa in each of the forms that Python takes."""
    codes = np.stack([record.codes for record in read_fasta(folder / "x.fa")])
    texts = [decode(row) for row in codes]
    return {"path": str(folder / "x.fa"), "strings": texts, "codes": codes, "one-hot": one_hot(torch.from_numpy(codes))}[request.param]


def test_latents_from_python_are_those_of_the_command_line_whatever_form_the_sequences_have(folder, given):
    expected = table(folder)[[f"z{k}" for k in range(1, 7)]]
    np.testing.assert_allclose(load_run(folder / "autoencoder").embed(given), expected, rtol=1e-4, atol=1e-5)


def test_what_is_given_back_in_python_is_what_the_command_line_writes(folder, given, tmp_path):
    words = ["reconstruct", str(folder / "autoencoder"), "--fasta", str(folder / "x.fa")]
    assert main([*words, "-o", str(tmp_path / "s.tsv")]) == 0
    assert main([*words, "-o", str(tmp_path / "b.fa")]) == 0
    found = load_run(folder / "autoencoder").reconstruct(given)
    scores = pd.read_csv(tmp_path / "s.tsv", sep="\t")
    np.testing.assert_allclose(found.table[["n_bases", "accuracy", "bits_per_base"]], scores[["n_bases", "accuracy", "bits_per_base"]], rtol=1e-5)
    np.testing.assert_array_equal(found.codes, [record.codes for record in read_fasta(tmp_path / "b.fa")])
    whole = np.stack([record.codes for record in read_fasta(folder / "x.fa")])
    assert found.share == pytest.approx((found.codes == whole).mean())


def test_the_same_seed_draws_the_same_in_python_and_on_the_command_line(folder, tmp_path):
    assert main(["generate", str(folder / "vae"), "-n", "7", "--seed", "3", "-o", str(tmp_path / "a.fa")]) == 0
    run = load_run(folder / "vae")
    np.testing.assert_array_equal(run.generate(7, seed=3), [record.codes for record in read_fasta(tmp_path / "a.fa")])
    assert (run.generate(7, seed=4) != run.generate(7, seed=3)).any()


@pytest.mark.parametrize("name", ["autoencoder", "vae"])
@pytest.mark.parametrize("split", ["val", "test"])
def test_an_autoencoder_is_evaluated_as_in_its_metrics(folder, name, split):
    expected = json.loads((folder / name / "metrics.json").read_text())[split]
    found = load_run(folder / name).evaluate(split)
    for metric in ("accuracy", "bits_per_base"):
        assert found[metric] == pytest.approx(expected[metric], rel=1e-5)


def test_baselines_of_an_autoencoder_stand_beside_it_in_a_table(folder):
    metrics = json.loads((folder / "autoencoder" / "metrics.json").read_text())
    found = load_run(folder / "autoencoder").baselines()
    assert found.index.tolist() == ["network", *metrics["baselines"]]
    assert found.loc["network", "accuracy"] == pytest.approx(metrics["test"]["accuracy"]["value"])
    assert found.loc["pca", "accuracy"] == pytest.approx(metrics["baselines"]["pca"]["accuracy"]["value"])


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda run: run.generate(5), "the task Autoencoder writes no sequences"),
        (lambda run: run.base_bits(["ACGT"]), "Autoencoder says no probability of a base: a language model"),
        (lambda run: run.along(), "Autoencoder predicts nothing at every base"),
        (lambda run: run.embed(["ACGT"]), "the sequences: 'sequence1' has 4 bp, and the network was made for 24 bp"),
        (lambda run: run.embed("ACGT"), "the sequences are the one text 'ACGT'; a list of texts, or the path of a FASTA, was expected"),
        (lambda run: run.embed(np.zeros((4, 24))), r"float64 of the shape \(4, 24\); codes \(N, L\) as integers or one-hot"),
        (lambda run: run.embed([]), "the sequences cannot be read: there are none"),
    ],
)
def test_what_a_run_cannot_answer_is_said(folder, ask, message):
    with pytest.raises(ValueError, match=message):
        ask(load_run(folder / "autoencoder"))
