"""The whole path, on a small genome: what a run folder holds, and that it can be repeated, resumed, verified and opened again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

import seqdl
from seqdl.cli.main import main
from seqdl.experiment.checkpoint import load_task
from seqdl.experiment.folds import over_runs, summarise
from seqdl.experiment.provenance import verify
from seqdl.io.fasta import read_fasta

FILES = [
    "attributions/examples.npz",
    "audit.json",
    "checkpoints/best.ckpt",
    "checkpoints/last.ckpt",
    "config.yaml",
    "data/dropped.tsv",
    "data/examples.tsv",
    "data/negatives.bed",
    "log.csv",
    "manifest.json",
    "metrics.json",
    "motifs/families.meme",
    "motifs/gallery.svg",
    "motifs/motifs.jaspar",
    "motifs/motifs.meme",
    "motifs/motifs.transfac",
    "motifs/motifs.tsv",
    "motifs/positions.svg",
    "predictions.tsv",
    "report.html",
]


@pytest.fixture(autouse=True)
def environment_is_kept(monkeypatch):
    monkeypatch.setenv("SEQDL_QUIET", "1")


@pytest.fixture
def copied(tiny_run, tmp_path):
    folder = tmp_path / "copied"
    shutil.copytree(tiny_run, folder)
    return folder


def test_a_run_folder_holds_what_is_promised(tiny_run):
    files = {path.relative_to(tiny_run).as_posix() for path in tiny_run.rglob("*") if path.is_file()}
    assert files >= set(FILES)
    assert {name for name in files if name not in FILES} == {name for name in files if name.startswith("motifs/logos/")}
    assert len([name for name in files if name.startswith("motifs/logos/")]) == len(pd.read_csv(tiny_run / "motifs" / "motifs.tsv", sep="\t"))


@pytest.mark.slow
def test_the_folder_holds_against_the_check_from_outside(tiny_run, shared_data):
    check = shared_data.parent / "check" / "run_folder.py"
    if not check.is_file():
        pytest.skip(f"there is no {check}")
    done = subprocess.run([sys.executable, str(check), str(tiny_run)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_example_has_its_place_target_and_split(tiny_run, tiny):
    table = pd.read_csv(tiny_run / "data" / "examples.tsv", sep="\t")
    assert list(table.columns) == ["id", "chrom", "start", "end", "strand", "target", "split"]
    assert table["id"].is_unique
    assert ((table["end"] - table["start"]) == 60).all()
    assert table.groupby("chrom")["split"].nunique().max() == 1
    assert table.query("target == 1").shape[0] == 72
    predictions = pd.read_csv(tiny_run / "predictions.tsv", sep="\t")
    held_out = table[table["split"] != "train"]
    assert set(predictions["id"]) == set(held_out["id"])
    np.testing.assert_allclose(predictions["prediction"], 1 / (1 + np.exp(-predictions["logit"])), rtol=1e-6)


def test_the_config_names_its_inputs_and_not_its_output(tiny_run, tiny):
    found = yaml.safe_load((tiny_run / "config.yaml").read_text())
    assert found["data"]["genome"] == tiny.path("genome.fa")
    assert str(tiny_run) not in (tiny_run / "config.yaml").read_text()


def test_the_checkpoint_gives_the_predictions_of_the_run(tiny_run):
    run = seqdl.load_run(tiny_run)
    own = pd.read_csv(tiny_run / "predictions.tsv", sep="\t")
    np.testing.assert_allclose(run.predictions["logit"], own["logit"], rtol=1e-6, atol=1e-7)
    state = torch.load(tiny_run / "checkpoints" / "best.ckpt", weights_only=True)
    assert state["seqdl"]["model"]["name"] == "cnn"
    assert load_task(tiny_run / "checkpoints" / "last.ckpt").outputs == ["target"]


def test_sequences_are_predicted_with_the_other_strand_alike(tiny_run, tiny):
    run = seqdl.load_run(tiny_run)
    codes = [record.codes for record in read_fasta(tiny.fasta[0])][:5]
    letters = ["".join("ACGTN"[c] for c in row) for row in codes]
    other = ["".join("TGCAN"[c] for c in row[::-1]) for row in codes]
    np.testing.assert_allclose(run.predict(letters)["logit"], run.predict(other)["logit"], rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(run.predict(letters)["logit"], run.predict(np.stack(codes))["logit"])


def test_a_run_measures_itself_as_its_metrics_say(tiny_run):
    run = seqdl.load_run(tiny_run)
    own = json.loads((tiny_run / "metrics.json").read_text())
    assert dict(run.evaluate("test")) == own["test"]
    assert dict(run.evaluate("val")) == own["val"]
    assert "auroc" in str(run.evaluate("test"))
    with pytest.raises(ValueError, match="split 'train': 'test' or 'val' was expected"):
        run.evaluate("train")


@pytest.mark.parametrize("missing", ["config.yaml", "checkpoints/best.ckpt"])
def test_a_folder_without_a_finished_run_is_refused(missing, copied):
    (copied / missing).unlink()
    with pytest.raises(FileNotFoundError, match=f"there is no {missing}, so this is not the folder of a finished run"):
        seqdl.load_run(copied)


def test_a_report_is_rebuilt_and_the_folder_still_holds(copied):
    (copied / "report.html").unlink()
    assert not verify(copied).holds
    assert main(["report", str(copied), "--quiet"]) == 0
    assert (copied / "report.html").is_file()
    assert verify(copied).missing == []


# provenance -----------------------------------------------------------------------------------------


def test_the_manifest_covers_every_file(tiny_run, tiny):
    manifest = json.loads((tiny_run / "manifest.json").read_text())
    files = {path.relative_to(tiny_run).as_posix() for path in tiny_run.rglob("*") if path.is_file()} - {"manifest.json"}
    assert set(manifest["outputs"]) == files
    assert set(manifest["inputs"]) == {tiny.path(name) for name in ("genome.fa", "peaks.bed", "known.meme")}
    assert {"python", "torch", "numpy", "seqdl"} <= set(manifest["versions"])
    assert manifest["command"].startswith("seqdl train --genome")
    assert (manifest["seed"], manifest["device"]) == (0, "cpu")
    assert verify(tiny_run).holds


@pytest.mark.parametrize("name", [name for name in FILES if name != "manifest.json"])  # which does not hash itself
def test_one_changed_byte_is_found(name, copied):
    content = bytearray((copied / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copied / name).write_bytes(content)
    assert verify(copied).changed == [str(copied / name)]


def test_a_changed_input_is_found(copied, tiny, tmp_path):
    shutil.copyfile(tiny.path("peaks.bed"), tmp_path / "peaks.bed")
    manifest = json.loads((copied / "manifest.json").read_text())
    manifest["inputs"][str(tmp_path / "peaks.bed")] = manifest["inputs"].pop(tiny.path("peaks.bed"))
    (copied / "manifest.json").write_text(json.dumps(manifest))
    assert verify(copied).holds
    with (tmp_path / "peaks.bed").open("a") as handle:
        handle.write("\n")
    assert verify(copied).changed == [str(tmp_path / "peaks.bed")]


def test_a_manifest_that_is_no_json_is_refused(copied):
    (copied / "manifest.json").write_text("{\n")
    with pytest.raises(ValueError, match=r"manifest\.json, line \d: not JSON"):
        verify(copied)


# repeating, resuming, checking ------------------------------------------------------------------------


def test_a_run_repeats_itself_from_its_own_config(tiny_run, tmp_path):
    again = tmp_path / "again"
    assert main(["train", str(tiny_run / "config.yaml"), "-o", str(again), "--quiet"]) == 0
    for name in ("metrics.json", "predictions.tsv", "data/examples.tsv", "data/negatives.bed", "motifs/motifs.tsv", "audit.json", "config.yaml"):
        assert (again / name).read_bytes() == (tiny_run / name).read_bytes(), name
    assert main(["train", str(tiny_run / "config.yaml"), "-o", str(again), "--quiet"]) == 1
    (again / "mine.txt").write_text("not ours")
    assert main(["train", str(tiny_run / "config.yaml"), "-o", str(again), "--quiet", "--force", "--seed", "1"]) == 0
    assert (again / "metrics.json").read_bytes() != (tiny_run / "metrics.json").read_bytes()
    assert (again / "mine.txt").read_text() == "not ours"


def test_resuming_a_finished_run_changes_nothing(copied, tiny_run):
    assert main(["train", "--resume", "-o", str(copied), "--quiet"]) == 0
    for name in ("metrics.json", "predictions.tsv"):
        assert (copied / name).read_bytes() == (tiny_run / name).read_bytes(), name


def test_a_dry_run_writes_nothing(tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", *tiny.peaks, *tiny.options, "-o", "run", "--dry-run"]) == 0
    captured = capsys.readouterr()
    assert "dry run: everything was checked, nothing was trained" in captured.out
    assert "train 48 + 96, val 12 + 12, test 12 + 12; 60 bp" in captured.out
    assert list(tmp_path.iterdir()) == []
    assert not list(tiny.folder.glob("*.fai"))


def test_printing_the_config_reads_no_input_and_writes_nothing(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--genome", "nowhere.fa", "--peaks", "nowhere.bed", "-o", "run", "--print-config"]) == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("when", ["before the first epoch ends", "later"])
def test_an_interrupted_training_can_be_taken_up_as_the_message_says(when, tiny, tiny_run, tmp_path, monkeypatch, capsys):
    from seqdl.tasks.binary import Binary

    folder, step = tmp_path / "run", Binary.training_step

    def step_or_stop(self, batch, batch_index):
        if self.trainer.current_epoch == (0 if when.startswith("before") else 5) and batch_index == 1:
            raise KeyboardInterrupt
        return step(self, batch, batch_index)

    with monkeypatch.context() as patch:
        patch.setattr(Binary, "training_step", step_or_stop)
        assert main(["train", *tiny.peaks, *tiny.options, "--strands", "shared", "-o", str(folder), "--quiet"]) == 130
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert not (folder / "manifest.json").exists()
    command = said.split("seqdl train ")[1].split()
    assert main(["train", *command, "--quiet"]) == 0
    for name in ("metrics.json", "predictions.tsv"):
        assert (folder / name).read_bytes() == (tiny_run / name).read_bytes(), name


@pytest.mark.slow
def test_ctrl_c_leaves_a_folder_that_can_be_resumed(tiny, tmp_path):
    folder = tmp_path / "run"
    words = [sys.executable, "-m", "seqdl.cli.main", "train", *tiny.peaks, *tiny.options, "--max-steps", "20000", "-o", str(folder)]
    ignored = signal.signal(signal.SIGINT, signal.default_int_handler)  # tests that run in the background have it ignored, and hand that on
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    signal.signal(signal.SIGINT, ignored)
    deadline = time.monotonic() + 90
    while not (folder / "checkpoints" / "last.ckpt").exists():
        assert time.monotonic() < deadline, "the first epoch did not end"
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.1)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert f"seqdl train --resume -o {folder}" in err.splitlines()[-1]
    assert out == ""
    torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    assert (folder / "config.yaml").is_file()


@pytest.mark.slow
def test_folds_are_run_folders_and_their_numbers_stand_over_them(tiny, tmp_path, capsys):
    folder = tmp_path / "folds"
    words = ["train", *tiny.peaks, *tiny.options, "--folds", "3", "-o", str(folder), "--json"]
    assert main(words) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads((folder / "metrics.json").read_text())
    tested = []
    for fold in range(3):
        assert verify(folder / f"fold{fold}").holds
        table = pd.read_csv(folder / f"fold{fold}" / "data" / "examples.tsv", sep="\t")
        tested.append(set(table.loc[table["split"] == "test", "chrom"]))
        value = json.loads((folder / f"fold{fold}" / "metrics.json").read_text())["test"]["auroc"]["value"]
        assert found["test"]["auroc"]["values"][fold] == value
    assert tested == [{"chrI", "chrIV"}, {"chrII", "chrV"}, {"chrIII", "chrVI"}]
    assert found["test"]["auroc"]["value"] == pytest.approx(np.mean(found["test"]["auroc"]["values"]))
    before = (folder / "fold0" / "manifest.json").read_bytes()
    shutil.rmtree(folder / "fold2")
    assert main([*words, "--resume"]) == 0
    assert (folder / "fold0" / "manifest.json").read_bytes() == before
    assert json.loads((folder / "metrics.json").read_text())["test"] == found["test"]


def test_numbers_over_runs_leave_out_what_is_undefined():
    runs = [
        {
            "test": {"auroc": {"value": value}, "brier": {"value": None}},
            "val": {},
            "test_leak_free": {},
            "baselines": {"gc": {"auroc": {"value": 0.5}}},
        }
        for value in (0.8, 0.9, 1.0)
    ]
    found = over_runs(runs)
    assert found["test"]["auroc"]["value"] == pytest.approx(0.9)
    assert found["test"]["brier"]["value"] is None
    assert found["baselines"]["gc"]["auroc"]["value"] == 0.5


def test_the_interval_of_a_mean_is_that_of_scipy():
    from scipy import stats

    values = [0.81, 0.86, 0.9, 0.88]
    low, high = stats.t.interval(0.95, 3, loc=np.mean(values), scale=stats.sem(values))
    found = summarise(values)
    assert (found["low"], found["high"]) == (pytest.approx(low), pytest.approx(high))
    assert summarise([0.7])["low"] is None


# from sequences, and from Python ------------------------------------------------------------------------


def test_two_fasta_files_are_enough(tiny, tmp_path, capsys):
    assert main(["train", *tiny.fasta, *tiny.options, "-o", str(tmp_path / "run")]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[1].startswith("network")
    assert [line.split()[0] for line in captured.out.splitlines()[2:5]] == ["gc", "kmer", "pwm"]
    assert f"report: {tmp_path / 'run' / 'report.html'}" in captured.err
    table = pd.read_csv(tmp_path / "run" / "data" / "examples.tsv", sep="\t")
    assert table["chrom"].isna().all()
    assert verify(tmp_path / "run").holds


@pytest.mark.slow
def test_sequences_of_different_lengths_and_an_ensemble_make_a_run(tiny, tmp_path):
    records = (tmp_path / "positives.fa", tiny.fasta[1])
    lines = open(tiny.fasta[0]).read().splitlines()  # noqa: SIM115, PTH123
    records[0].write_text("\n".join(line if line.startswith(">") else line[: 40 + i % 20] for i, line in enumerate(lines)) + "\n")
    words = ["train", str(records[0]), records[1], "--max-steps", "24", "--members", "2", "--database", tiny.path("known.meme"), "--device", "cpu"]
    assert main([*words, "-o", str(tmp_path / "run"), "--quiet"]) == 0
    assert verify(tmp_path / "run").holds
    run = seqdl.load_run(tmp_path / "run")
    own = pd.read_csv(tmp_path / "run" / "predictions.tsv", sep="\t")
    np.testing.assert_allclose(run.predictions["logit"], own["logit"], rtol=1e-6, atol=1e-7)


def python_data(tiny):
    genome = seqdl.Genome(tiny.path("genome.fa"))
    peaks = seqdl.resize(seqdl.read_bed(tiny.path("peaks.bed")), 60)
    negatives = seqdl.sample_background(peaks, genome, match="gc", ratio=1, seed=0)
    return seqdl.SequenceData.binary(genome, positives=peaks, negatives=negatives, val=["chrV"], test=["chrVI"])


def test_a_task_is_fitted_from_python(tiny, tmp_path):
    data = python_data(tiny)
    torch.manual_seed(0)
    task = seqdl.create_task("binary", seqdl.create_model("cnn", filters=6))
    run = seqdl.fit(task, data, folder=tmp_path / "run", max_epochs=2, seed=0, device="cpu")
    assert run.evaluate("test")["auroc"]["low"] <= run.evaluate("test")["auroc"]["value"]
    assert run.motifs(tiny.path("known.meme"))["name"].is_unique
    opened = seqdl.load_run(tmp_path / "run")
    np.testing.assert_array_equal(opened.predict(data.codes[:4])["logit"], run.predict(data.codes[:4])["logit"])
    with pytest.raises(FileNotFoundError, match="trained from Python, on data that its config does not name"):
        _ = opened.data
    with pytest.raises(FileExistsError, match="is there already and not empty"):
        seqdl.fit(task, data, folder=tmp_path / "run", max_epochs=1)


def test_a_task_whose_outputs_do_not_fit_the_data_is_refused(tiny, tmp_path):
    task = seqdl.create_task("binary", seqdl.create_model("cnn", filters=6), outputs=["a", "b"])
    with pytest.raises(ValueError, match=r"the task has outputs \['a', 'b'\] and the data \['target'\]"):
        seqdl.fit(task, python_data(tiny), folder=tmp_path / "run", max_epochs=1)
    with pytest.raises(LookupError, match=r"no training option named 'epochs'\. Did you mean 'max_epochs'"):
        seqdl.fit(task, python_data(tiny), folder=tmp_path / "run", epochs=1)
    assert not (tmp_path / "run").exists()
