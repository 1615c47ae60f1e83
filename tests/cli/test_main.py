"""The protocol every verb keeps: exit codes, flags before or after the verb, what goes to stdout and what to stderr."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys

import pandas as pd
import pytest
import yaml

from seqdl.cli.main import VERBS, main

SEQDL = [sys.executable, "-m", "seqdl.cli.main"]
LONGEST_CPU_S = 0.4


@pytest.fixture(autouse=True)
def environment_is_kept(monkeypatch):
    monkeypatch.setenv("SEQDL_QUIET", "1")  # main sets it under --quiet; put back afterwards


def test_help_lists_every_verb(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"\n  {verb} " in text for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_help(verb, capsys):
    assert main([verb, "--help"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: seqdl {verb}")
    assert all(flag in text for flag in ("--seed", "--device", "--quiet", "--json", "--force"))


def cpu_seconds(words: list[str]) -> float:
    """Return the CPU time of the quickest of three runs of a command."""
    found = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(words, check=True, capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(found)


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["scan", "--help"]], ids=" ".join)
def test_help_answers_at_once(words):
    assert cpu_seconds([*SEQDL, *words]) < LONGEST_CPU_S


def test_importing_the_package_is_cheap_and_leaves_torch_alone():
    heavy = "{'torch', 'pandas', 'numba', 'matplotlib', 'sklearn', 'pytorch_lightning', 'Bio'}"
    code = f"import seqdl, sys; assert not {heavy} & set(sys.modules), {heavy} & set(sys.modules)"
    assert cpu_seconds([sys.executable, "-c", code]) < LONGEST_CPU_S


@pytest.mark.parametrize("verb", VERBS)
def test_no_help_needs_a_heavy_library(verb):
    code = (
        "import sys\nfrom seqdl.cli.main import main\n"
        f"assert main(['{verb}', '--help']) == 0\n"
        "assert not {'torch', 'pandas', 'numba', 'matplotlib', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["trian"], "no verb 'trian'. Did you mean 'train'?"),
        (["train", "--windw", "3"], "unknown flag --windw. Did you mean --window?"),
        (["train", "--see", "3"], "unknown flag --see. Did you mean --seed?"),
        (["verify"], "the following arguments are required: RUN"),
        (["train", "--seed", "many"], "--seed"),
        (["--seed", "-1", "doctor"], "a whole number from 0 to 4294967295 was expected"),
        (["models", "--device", "tpu"], "--device"),
        (["--loud"], "usage: seqdl VERB"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_malformed_command_line_leaves_with_2(words, said, capsys):
    assert main(words) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""


def test_seqdl_alone_explains_itself_and_version_tells_the_version(capsys):
    assert main([]) == 0
    assert "usage: seqdl VERB" in capsys.readouterr().out
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("seqdl 0.")


def test_the_package_can_be_run_as_a_module():
    told = subprocess.run([sys.executable, "-m", "seqdl", "--version"], capture_output=True, text=True, check=True)
    assert told.stdout.startswith("seqdl 0.")


@pytest.mark.parametrize("words", [["--json", "--quiet", "models"], ["models", "--json", "--quiet"], ["--json", "models", "--quiet"]])
def test_common_flags_stand_before_or_after_the_verb(words, capsys):
    assert main(words) == 0
    captured = capsys.readouterr()
    assert {row["name"] for row in json.loads(captured.out)} >= {"cnn", "basset"}
    assert captured.err == ""


def test_a_flag_with_a_value_may_stand_before_the_verb(tiny, capsys):
    assert main(["--seed", "7", "--device", "cpu", "train", *tiny.peaks, *tiny.options, "--print-config"]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["seed"] == 7


def test_results_go_to_stdout_and_notes_to_stderr(capsys):
    assert main(["models"]) == 0
    captured = capsys.readouterr()
    assert "cnn" in captured.out
    assert "seqdl models NAME" not in captured.out
    assert "seqdl models NAME" in captured.err


# one trained run, and what is asked of it ----------------------------------------------------------------


def test_a_model_is_shown_with_options_and_layers(capsys):
    assert main(["models", "cnn", "--length", "100", "--model.filters", "8"]) == 0
    text = capsys.readouterr().out
    assert "--model.width 15" in text
    assert "B x 8 x 100" in text


def test_a_task_is_shown_with_its_options(capsys):
    assert main(["tasks", "binary"]) == 0
    assert "--task.pooling max" in capsys.readouterr().out


@pytest.mark.parametrize(("verb", "name"), [("models", "cn"), ("tasks", "binry")])
def test_an_unknown_name_is_answered_with_a_guess(verb, name, capsys):
    assert main([verb, name]) == 1
    assert "Did you mean" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["evaluate", "motifs", "verify", "report"])
@pytest.mark.parametrize("kind", ["missing", "folder", "file"])
def test_what_is_no_run_folder_is_refused(verb, kind, tmp_path, capsys):
    place = tmp_path / "it"
    if kind == "folder":
        place.mkdir()
    elif kind == "file":
        place.write_text("x")
    assert main([verb, str(place), "--quiet"]) == 1
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert str(place) in captured.err


def test_verify_finds_nothing_in_an_untouched_run(tiny_run, capsys):
    assert main(["verify", str(tiny_run)]) == 0
    assert "files are as the manifest says" in capsys.readouterr().out


def test_verify_leaves_with_3_after_a_changed_byte(tiny_run, tmp_path, capsys):
    folder = tmp_path / "run"
    shutil.copytree(tiny_run, folder)
    content = bytearray((folder / "predictions.tsv").read_bytes())
    content[100] ^= 1
    (folder / "predictions.tsv").write_bytes(content)
    (folder / "log.csv").unlink()
    assert main(["verify", str(folder)]) == 3
    captured = capsys.readouterr()
    assert captured.out == f"changed: {folder / 'predictions.tsv'}\nmissing: {folder / 'log.csv'}\n"
    assert "1 files changed and 1 are missing" in captured.err
    assert main(["verify", str(folder), "--json", "--quiet"]) == 3
    assert json.loads(capsys.readouterr().out)["changed"] == [str(folder / "predictions.tsv")]


def test_predictions_of_a_fasta_are_a_table_on_stdout(tiny_run, tiny, tmp_path, capsys):
    assert main(["predict", str(tiny_run), "--fasta", tiny.fasta[0]]) == 0
    text = capsys.readouterr().out
    assert text.splitlines()[0] == "id\tprediction\tlogit"
    assert len(text.splitlines()) == 61
    assert main(["predict", str(tiny_run), "--fasta", tiny.fasta[0], "-o", str(tmp_path / "out.tsv")]) == 0
    assert (tmp_path / "out.tsv").read_text() == text
    assert main(["predict", str(tiny_run), "--fasta", tiny.fasta[0], "-o", str(tmp_path / "out.tsv")]) == 1
    assert "--force" in capsys.readouterr().err


def test_predictions_of_regions_are_those_of_the_run(tiny_run, tiny, tmp_path):
    own = pd.read_csv(tiny_run / "predictions.tsv", sep="\t").set_index("id")
    assert main(["predict", str(tiny_run), *tiny.peaks[:2], "--regions", tiny.path("peaks.bed"), "-o", str(tmp_path / "out.tsv"), "--quiet"]) == 0
    table = pd.read_csv(tmp_path / "out.tsv", sep="\t")
    table.index = table["chrom"] + ":" + table["start"].astype(str) + "-" + table["end"].astype(str) + "(.)"
    both = own.join(table[["logit"]].add_suffix("_again"), how="inner")
    assert len(both) == 24
    assert (both["logit"] - both["logit_again"]).abs().max() < 1e-5


def test_a_genome_too_short_for_one_window_is_refused(tiny_run, tmp_path, capsys):
    (tmp_path / "short.fa").write_text(">chr1\nACGTACGT\n")
    assert main(["predict", str(tiny_run), "--genome", str(tmp_path / "short.fa"), "-o", str(tmp_path / "out.bw"), "--quiet"]) == 1
    assert "no window fits into the genome" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["short.fa"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "expected either --fasta X.fa or --genome G.fa"),
        (["--fasta", "nowhere.fa"], "there is no file nowhere.fa"),
        (["--genome", "{genome}"], "a name ending in .bw was expected"),
        (["--genome", "{genome}", "--step", "0", "-o", "{tmp}/x.bw"], "--step 0: 1 to 60"),
        (["--genome", "{genome}", "--regions", "{gff}"], "looks like GFF"),
    ],
    ids=["nothing", "missing", "no bigWig", "step", "GFF"],
)
def test_predict_refuses_what_it_cannot_read(words, said, tiny_run, tiny, tmp_path, capsys):
    (tmp_path / "x.gff").write_text("chrI\tSGD\tgene\t100\t200\t.\t+\t.\tID=YAL001C\n")
    names = {"genome": tiny.path("genome.fa"), "tmp": tmp_path, "gff": tmp_path / "x.gff"}
    assert main(["predict", str(tiny_run), *(word.format(**names) for word in words), "--quiet"]) == 1
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["x.gff"]


def test_a_genome_is_tiled_into_a_bigwig(tiny_run, tiny, tmp_path):
    pybigtools = pytest.importorskip("pybigtools")
    assert main(["predict", str(tiny_run), *tiny.peaks[:2], "-o", str(tmp_path / "out.bw"), "--step", "20", "--quiet"]) == 0
    handle = pybigtools.open(str(tmp_path / "out.bw"))
    assert handle.chroms()["chrVI"] == 6_000
    values = list(handle.records("chrI", 0, 6_000))
    assert values[0][:2] == (20, 40)
    assert len(values) == (6_000 - 60) // 20 + 1
    assert all(0 <= value <= 1 for *_, value in values)


def test_evaluate_repeats_the_numbers_of_the_run(tiny_run, capsys):
    own = json.loads((tiny_run / "metrics.json").read_text())
    assert main(["evaluate", str(tiny_run), "--json", "--quiet"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["test"] == own["test"]
    assert found["baselines"] == own["baselines"]
    assert main(["evaluate", str(tiny_run), "--quiet", "--fail-on", "baseline"]) in (0, 3)


def test_an_unknown_check_is_refused(tiny_run, capsys):
    assert main(["evaluate", str(tiny_run), "--fail-on", "leaks"]) == 1
    assert "no check for --fail-on named 'leaks'. Did you mean 'leak'?" in capsys.readouterr().err


def test_motifs_are_named_against_another_database(tiny_run, tiny, tmp_path, capsys):
    output = tmp_path / "motifs"
    assert main(["motifs", str(tiny_run), "--database", tiny.path("known.meme"), "-o", str(output), "--json", "--quiet"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["match"] for row in rows} <= {"KNOWN1 REB1", "KNOWN2"}
    assert (output / "motifs.meme").is_file()
    assert len(list((output / "logos").glob("*.svg"))) == len(rows)


def test_a_broken_pipe_is_no_error(tiny_run, tiny):
    command = " ".join([*SEQDL, "models", "|", "head", "-c", "1"])
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "Error" not in done.stderr


@pytest.mark.parametrize("flag", ["--devices", "--nodes"])
def test_several_devices_are_refused_rather_than_passed_over(flag, capsys):
    assert main([flag, "1", "tasks"]) == 0
    assert main(["tasks", flag, "2"]) == 1
    assert f"{flag} 2: 1 was expected, since only train, evaluate and predict share their work out" in capsys.readouterr().err
    assert main(["train", flag, "0"]) == 2
    assert "0: 1 or more was expected" in capsys.readouterr().err
