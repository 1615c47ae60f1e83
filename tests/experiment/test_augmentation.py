"""Augmentation and ambiguous bases, from the flag to the checkpoint."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

import seqdl
from seqdl.cli.main import main
from seqdl.data.dataset import SequenceData
from seqdl.data.genome import Genome
from seqdl.errors import InputError, Interrupted
from seqdl.experiment.build import create_model, create_task
from seqdl.experiment.checkpoint import load_task
from seqdl.experiment.config import make_config
from seqdl.experiment.fit import fit_task, training_options
from seqdl.experiment.predict import predict_logits
from seqdl.experiment.prepare import prepare
from seqdl.experiment.run import load_run
from seqdl.experiment.training_config import TrainingConfig
from seqdl.layers.onehot import one_hot
from seqdl.sequence.encode import decode
from seqdl.tasks.ensemble import Ensemble

VARIED = TrainingConfig(max_steps=8, batch_size=16, jitter=9, mask=0.05, mutate=0.05)
PLAIN = TrainingConfig(max_steps=8, batch_size=16)


@pytest.fixture
def data() -> SequenceData:
    """Return intervals of a genome of which one base in twenty is ambiguous."""
    rng = np.random.default_rng(0)
    genome = Genome.from_codes({name: rng.choice(5, 4_000, p=[0.2375] * 4 + [0.05]).astype(np.uint8) for name in ("a", "b", "c")})
    starts = np.tile(np.arange(0, 3_960, 60), 3)
    table = pd.DataFrame({"chrom": np.repeat(["a", "b", "c"], 66), "start": starts, "end": starts + 50, "name": "x", "score": 0.0, "strand": "."})
    return SequenceData.binary(genome, positives=table[::2], negatives=table[1::2], val=["b"], test=["c"], reverse_complement=True)


def task(seed=0):
    torch.manual_seed(seed)
    return create_task("binary", create_model("cnn", filters=4, width=9), strands="single")


def weights(trained):
    return torch.cat([p.detach().flatten() for p in trained.parameters()])


# augmentation ---------------------------------------------------------------------------------------


def test_a_varied_training_repeats_to_the_bit_and_differs_from_a_plain_one(data, tmp_path):
    found = []
    for name, training in (("a", VARIED), ("b", VARIED), ("c", PLAIN)):
        trained = task()
        fit_task(trained, data, tmp_path / name, training=training, device="cpu")
        found.append(weights(trained))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_a_varied_training_taken_up_again_ends_as_one_that_was_never_stopped(data, tmp_path, monkeypatch):
    whole, stopped, resumed = task(), task(), task(seed=9)
    fit_task(whole, data, tmp_path / "whole", training=VARIED, device="cpu")
    step = type(stopped).training_step

    def step_or_stop(self, batch, batch_index):
        if self.trainer.current_epoch == 4:
            raise KeyboardInterrupt
        return step(self, batch, batch_index)

    with monkeypatch.context() as patch:
        patch.setattr(type(stopped), "training_step", step_or_stop)
        with pytest.raises(Interrupted, match="training was stopped after epoch 4"):
            fit_task(stopped, data, tmp_path / "stopped", training=VARIED, device="cpu")
    fit_task(resumed, data, tmp_path / "stopped", training=VARIED, device="cpu", resume=True)
    assert torch.equal(weights(resumed), weights(whole))


def test_examples_themselves_are_left_as_they_are(data, tmp_path):
    before = data.codes.copy()
    fit_task(task(), data, tmp_path, training=VARIED, device="cpu")
    np.testing.assert_array_equal(data.codes, before)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"jitter": -1}, r"training\.jitter is -1: 0 or more was expected"),
        ({"jitter": 1.5}, r"training\.jitter is 1\.5: a whole number was expected"),
        ({"mask": 1}, r"training\.mask is 1\.0: 0 to 0\.99 was expected"),
        ({"mutate": 0.8}, r"training\.mutate is 0\.8: 0 to 0\.75 was expected"),
    ],
)
def test_what_is_out_of_bounds_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        training_options(options)


def test_jitter_of_fasta_is_refused_before_anything_is_written(tiny, tmp_path, capsys):
    assert main(["train", *tiny.fasta, *tiny.options, "--jitter", "5", "-o", str(tmp_path / "run")]) == 1
    message = capsys.readouterr().err
    assert "jitter is 5 bp, but the examples are sequences, without the flanks" in message
    assert "Leave jitter out, or give --genome and --peaks" in message
    assert not (tmp_path / "run").exists()


def test_jitter_of_sequences_from_python_is_refused_before_anything_is_written(tmp_path):
    codes = np.random.default_rng(0).integers(0, 4, (12, 30), dtype=np.uint8)
    data = SequenceData.from_sequences(
        list(codes), np.arange(12) % 2, ["train", "train", "val", "val", "test", "test"] * 2, names=list("abcdefghijkl")
    )
    with pytest.raises(InputError, match="jitter is 3 bp, but the examples are sequences"):
        seqdl.fit(task(), data, tmp_path / "run", jitter=3)
    assert not (tmp_path / "run").exists()


def test_shuffled_negatives_have_no_flanks_and_stay_as_they_are(tiny):
    config = {"genome": tiny.path("genome.fa"), "peaks": tiny.path("peaks.bed"), "negatives": "dinuc", "window": 60, "train_ratio": 2}
    data = prepare(make_config({"data": config, "training": {"jitter": 20}}))
    flanks, shuffled = data.flanks(20), (data.examples["target"] == 0).to_numpy()
    assert (flanks.starts[shuffled] == -1).all()
    assert not flanks.room[shuffled].any()
    assert (flanks.room[~shuffled] == 20).all()


def test_the_flags_reach_the_run_and_the_run_can_be_read(tiny, tmp_path):
    folder = tmp_path / "run"
    flags = ["--jitter", "5", "--mask", "0.02", "--mutate", "0.01", "--ambiguous", "uniform"]
    assert main(["train", *tiny.peaks, *tiny.options, *flags, "-o", str(folder), "--quiet"]) == 0
    run = load_run(folder)
    assert {key: run.config["training"][key] for key in ("jitter", "mask", "mutate")} == {"jitter": 5, "mask": 0.02, "mutate": 0.01}
    assert run.task.ambiguous == run.data.ambiguous == "uniform"


# ambiguous bases ------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["zero", "uniform"])
@pytest.mark.parametrize("members", [1, 2])
def test_a_checkpoint_reads_ambiguous_bases_as_its_training_did(way, members, data, tmp_path):
    data.ambiguous = way
    trained = task() if members == 1 else Ensemble([task(0), task(1)])
    fit_task(trained, data, tmp_path, training=PLAIN, device="cpu")
    again = load_task(tmp_path / "checkpoints" / "best.ckpt")
    assert again.ambiguous == way
    logits = predict_logits(again, data.codes, device="cpu")
    with torch.inference_mode():
        expected = again.logits(one_hot(torch.from_numpy(data.codes), ambiguous=way)).numpy()
        other = again.logits(one_hot(torch.from_numpy(data.codes), ambiguous="uniform" if way == "zero" else "zero")).numpy()
    np.testing.assert_allclose(logits, expected, rtol=1e-5, atol=1e-6)
    assert np.abs(logits - other).max() > 1e-3


def test_a_checkpoint_from_before_reads_them_as_zeros():
    made = task()
    made.recipe.pop("ambiguous", None)
    assert made.ambiguous == "zero"


def test_padding_is_no_base_where_ambiguous_bases_are_quarters(data, tmp_path):
    data.ambiguous = "uniform"
    trained = task()
    fit_task(trained, data, tmp_path, training=PLAIN, device="cpu")
    short = data.codes[:6, :40]
    padded = np.concatenate([short, np.full((6, 10), 4, dtype=np.uint8)], axis=1)
    found = predict_logits(trained, padded, lengths=np.full(6, 40), device="cpu")
    np.testing.assert_allclose(found, predict_logits(trained, short, device="cpu"), rtol=1e-5, atol=1e-6)


def test_one_hot_of_data_is_what_the_network_reads(data):
    data.ambiguous = "uniform"
    x = data.one_hot("test")
    assert (data.codes_of("test") == 4).any()
    np.testing.assert_array_equal(x, one_hot(torch.from_numpy(data.codes_of("test")), ambiguous="uniform").numpy())


@pytest.mark.parametrize(("way", "words"), [("zero", "read as all zeros"), ("uniform", "read as a quarter of each base")])
def test_the_ledger_says_how_they_are_read(way, words, data, tmp_path):
    files = []
    for name, kept in (("pos", data.targets()[:, 0] > 0), ("neg", data.targets()[:, 0] == 0)):
        path = tmp_path / f"{name}.fa"
        path.write_text("".join(f">{name}{i}\n{decode(codes)}\n" for i, codes in enumerate(data.codes[kept])))
        files.append(str(path))
    made = prepare(make_config({"data": {"fasta": files, "ambiguous": way}}))
    assert made.ambiguous == way
    assert any(words in note for note in made.ledger.notes)


def test_help_says_how_each_reading_works(capsys):
    assert main(["train", "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "uniform: a quarter of each base" in text
    assert "padding is no base in any case" in text
