"""seqdl design, and generate --condition: on runs that were trained within seconds."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch

from seqdl.cli.main import main
from seqdl.data.dataset import SequenceData
from seqdl.errors import InputError
from seqdl.experiment.build import create_model, create_task
from seqdl.experiment.checkpoint import load_task
from seqdl.experiment.train import fit
from seqdl.io.fasta import read_fasta, write_fasta
from seqdl.sequence.composition import gc_content
from seqdl.sequence.encode import decode

LENGTH = 60
CLASSES = ["low", "high"]


def read(path):
    return pd.read_csv(path, sep="\t")


def data_of(n=60, seed=0):
    """Return two classes, one rich in G and C."""
    rng = np.random.default_rng(seed)
    target = rng.integers(0, 2, n)
    codes = [rng.choice(4, LENGTH, p=[0.1, 0.4, 0.4, 0.1] if one else [0.4, 0.1, 0.1, 0.4]).astype(np.uint8) for one in target]
    split = ["test" if i % 5 == 0 else "val" if i % 5 == 1 else "train" for i in range(n)]
    made = SequenceData.from_sequences(codes, np.array(CLASSES, dtype=object)[target], split, names=[f"s{i}" for i in range(n)])
    made.classes = list(CLASSES)
    return made


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Train a predictor of two classes, an ensemble, a conditional vae and gan, and an unconditional gan."""
    folder, data = tmp_path_factory.mktemp("design"), data_of()

    def fitted(name, task, **options):
        torch.manual_seed(0)
        fit(task, data, folder / name, device="cpu", **options)

    def encoder(seed=0):
        torch.manual_seed(seed)
        return create_model("cnn", filters=4, width=5)

    fitted("classes", create_task("multiclass", encoder(), outputs=CLASSES, strands="single", pooling="flatten", length=LENGTH), max_steps=20)
    for name in ("vae", "gan"):
        fitted(name, create_task(name, encoder(), length=LENGTH, condition=2), max_steps=12)
    fitted("plain", create_task("gan", encoder(), length=LENGTH), max_steps=6)
    return folder


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    path = tmp_path_factory.mktemp("start") / "start.fa"
    codes = np.random.default_rng(5).integers(0, 4, (3, LENGTH)).astype(np.uint8)
    codes[0, 10:16] = [2, 2, 3, 0, 1, 1]  # GGTACC
    write_fasta(path, ["a", "b", "c"], codes)
    return path


# design ------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_designs_of_a_trained_run_score_higher_and_keep_their_constraints(tiny_run, tiny, tmp_path, capsys):
    folder, out = tmp_path / "run2", tmp_path / "out"
    options = [*tiny.peaks, *tiny.options, "--strands", "shared", "--seed", "7", "-o", str(folder), "--quiet"]
    assert main(["train", *options]) == 0
    limits = ["--gc", "0.3:0.6", "--forbid", f"GAATTC,{tiny.path('known.meme')}"]
    assert main(["design", str(tiny_run), "-n", "3", *limits, "--check", str(folder), "-o", str(out), "--quiet"]) == 0
    said = capsys.readouterr().out
    table, designs = read(out / "designs.tsv"), read_fasta(out / "designs.fa")
    assert [record.name for record in designs] == table["id"].tolist() == ["random1_design", "random2_design", "random3_design"]
    assert (table["score_after"] > table["score_before"]).all()
    assert (table["constraints"] == "met").all()
    assert all(0.3 <= gc_content(record.codes) <= 0.6 and "GAATTC" not in decode(record.codes) for record in designs)
    assert "3 designs by greedy towards the max of target" in said
    assert "the highest test example" in said
    assert "checked by the run run2" in said
    assert "WARNING" not in said
    assert main(["predict", str(tiny_run), "--fasta", str(out / "designs.fa"), "-o", str(tmp_path / "p.tsv"), "--quiet"]) == 0
    np.testing.assert_allclose(read(tmp_path / "p.tsv")["logit"], table["score_after"], rtol=1e-4)


def test_a_single_network_without_a_check_is_warned_of(runs, start, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["design", str(runs / "classes"), "--output", "high", "--fasta", str(start), "--max-changes", "5", "-o", str(out)]) == 0
    assert "WARNING: nothing checked these designs" in capsys.readouterr().out
    table = read(out / "designs.tsv")
    assert (table["changes"] <= 5).all()
    assert table["check_after"].isna().all()
    assert json.loads((out / "design.json").read_text())["check"] is None


def test_the_score_of_a_class_is_its_log_odds_and_the_prediction_its_probability(runs, start, tmp_path):
    out = tmp_path / "out"
    assert main(["design", str(runs / "classes"), "--output", "high", "--fasta", str(start), "--towards", "0.7", "-o", str(out), "--quiet"]) == 0
    table = read(out / "designs.tsv")
    np.testing.assert_allclose(table["prediction_after"], 1 / (1 + np.exp(-table["score_after"])), rtol=1e-4)
    np.testing.assert_allclose(table["prediction_after"], 0.7, atol=0.02)
    assert main(["predict", str(runs / "classes"), "--fasta", str(out / "designs.fa"), "-o", str(tmp_path / "p.tsv"), "--quiet"]) == 0
    np.testing.assert_allclose(read(tmp_path / "p.tsv")["prediction_high"], table["prediction_after"], rtol=1e-4)


def test_the_last_member_of_an_ensemble_is_left_out_and_checks(tmp_path, start, capsys):
    from seqdl.experiment.design import Wanted, design
    from seqdl.experiment.design_starts import starts_from_fasta
    from seqdl.experiment.run import Run
    from seqdl.interpret.search import Search
    from seqdl.sequence.encode import one_hot
    from seqdl.tasks.ensemble import Ensemble

    torch.manual_seed(0)
    task = Ensemble([create_task("regression", create_model("cnn", filters=4, width=5)) for _ in range(3)]).eval()
    found = design(Run(tmp_path, task=task), starts_from_fasta(str(start)), Wanted(search=Search(steps=5), device="cpu"))
    x = torch.from_numpy(one_hot(np.stack(found.codes)))
    with torch.no_grad():
        members = task.member_logits(x)[:, :, 0].numpy()
    np.testing.assert_allclose(found.table["score_after"], members[:2].mean(0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.table["check_after"], members[2], rtol=1e-4, atol=1e-5)
    assert "the median prediction of the members that were optimised goes" in found.verdict[0]
    assert "checked by the last of the 3 members of the ensemble, which was left out" in found.verdict[1]
    assert "It learnt from the same examples" in found.verdict[1]


@pytest.mark.parametrize("method", ["evolutionary", "gradient"])
@pytest.mark.parametrize("name", ["vae", "gan", "plain"])
def test_the_latents_of_a_generator_are_searched(method, name, runs, tmp_path):
    out = tmp_path / "out"
    words = [
        "--generator",
        str(runs / name),
        "--method",
        method,
        "-n",
        "2",
        "--steps",
        "5",
        "--gc",
        "0.3:0.7",
        *(["--condition", "high"] if name != "plain" else []),
    ]
    assert main(["design", str(runs / "classes"), "--output", "low", *words, "-o", str(out), "--quiet"]) == 0
    table = read(out / "designs.tsv")
    assert table["gc"].between(0.3, 0.7).all()
    assert table["id"].tolist() == ["latent1_design", "latent2_design"]


def test_a_vae_begins_with_the_latents_of_given_sequences_and_protected_bases_stay(runs, start, tmp_path):
    out = tmp_path / "out"
    words = ["--generator", str(runs / "vae"), "--condition", "low", "--fasta", str(start), "--steps", "3", "--protect", "10:20"]
    assert main(["design", str(runs / "classes"), *words, "-o", str(out), "--quiet"]) == 0
    for before, after in zip(read_fasta(start), read_fasta(out / "designs.fa"), strict=True):
        assert (before.codes[10:20] == after.codes[10:20]).all()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--gc 0.6", "'' is no number; LOW:HIGH, such as 0.3:0.6, was expected"),
        ("--gc 0.6:0.3", "the GC range is 0.6 to 0.3: two shares from 0 to 1 were expected"),
        ("--forbid missing.meme", "--forbid missing.meme: is no IUPAC word, and there is no such file"),
        ("--forbid ,", "forbids nothing; IUPAC words or a motif file were expected"),
        ("--protect 10:20", "--protect was given without --fasta"),
        ("--fasta START --protect 10-20", "stretches START:END in bp were expected"),
        ("--fasta START --protect 8:20 --forbid GGTACC", "hold the forbidden GGTACC: bases that may stay were expected"),
        ("--fasta START -n 3", "-n was given with --fasta: starts of one kind were expected"),
        ("--output hihg", "no output of this network named 'hihg'. Did you mean 'high'?"),
        ("--towards up", "'up' is no number; max, min or a number was expected"),
        ("--towards 1.5 --fasta START", "the network predicts numbers between 0 and 1, and one of them was expected"),
        ("-n 0", "at least one start was expected"),
        ("--starts shuffled", "there is nothing to shuffle"),
        ("--generator classes", "the task multiclass has no latents to draw from; a vae or a gan was expected"),
        ("--generator vae", "needs a condition and none was given. Add --condition"),
        ("--generator vae --condition hihg", "no class of this network named 'hihg'. Did you mean 'high'? Available: low, high"),
        ("--generator plain --fasta START", "a GAN cannot say which latents a sequence has"),
        ("--generator plain --method beam", "no search method among latents named 'beam'"),
        ("--condition high", "--condition was given without --generator"),
        ("--check vae", "the task vae learns without labels; a run with one prediction a sequence was expected"),
        ("--check classes", "is the run that is optimised; a run that was trained apart was expected"),
        ("--fasta SHORT", "60 were expected, since flatten pooling reads the length it was made for. Give sequences of that length"),
        ("--steps 0", "steps is 0: 1 or more was expected"),
    ],
)
def test_what_cannot_be_designed_is_said_and_no_folder_is_left(words, message, runs, start, tmp_path, capsys):
    (tmp_path / "short.fa").write_text(">s\nACG\n")
    named = {"START": start, "SHORT": tmp_path / "short.fa", **{name: runs / name for name in ("classes", "vae", "plain")}}
    out = tmp_path / "out"
    given = [str(named.get(word, word)) for word in words.split()]
    fallback = [] if any(word in words for word in ("--fasta", "--starts", "--generator")) else ["--starts", "uniform"]
    assert main(["design", str(runs / "classes"), *given, *fallback, "-o", str(out)]) == 1
    assert message in capsys.readouterr().err
    assert not out.exists()


def test_a_network_that_pools_a_short_start_away_says_so():
    from seqdl.experiment.design_scores import Predictor, check_lengths

    predictor = Predictor(create_task("binary", create_model("basset")), 0)
    with pytest.raises(InputError, match=r"the network cannot take sequences of 3 bp \(.*\); longer ones were expected. Give starts"):
        check_lengths(predictor, [np.zeros(3, dtype=np.uint8)])


@pytest.mark.parametrize("name", ["vae", "gan"])
def test_a_generative_run_is_no_predictor(name, runs, tmp_path, capsys):
    assert main(["design", str(runs / name), "-o", str(tmp_path / "out")]) == 1
    assert f"the task {name} learns without labels; a run with one prediction a sequence was expected" in capsys.readouterr().err


# conditions by name ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["vae", "gan"])
def test_a_class_is_asked_for_by_its_name_or_its_number(name, runs, tmp_path):
    for word, file in (("high", "name"), ("1", "number"), ("low", "other")):
        assert main(["generate", str(runs / name), "-n", "5", "--condition", word, "-o", str(tmp_path / f"{file}.fa"), "--quiet"]) == 0
    texts = {file: (tmp_path / f"{file}.fa").read_text() for file in ("name", "number", "other")}
    assert texts["name"] == texts["number"] != texts["other"]
    assert load_task(runs / name / "checkpoints" / "best.ckpt").recipe["classes"] == CLASSES


@pytest.mark.parametrize("word", ["hihg", "2", "0.5", "-1"])
@pytest.mark.parametrize("name", ["vae", "gan"])
def test_a_class_that_is_not_there_is_said_with_those_that_are(name, word, runs, capsys):
    assert main(["generate", str(runs / name), "-n", "5", f"--condition={word}"]) == 1
    assert f"no class of this network named '{word}'." in (said := capsys.readouterr().err)
    assert "Available: low, high" in said


@pytest.mark.parametrize("name", ["vae", "gan"])
def test_what_is_judged_after_training_holds_each_class_by_its_share(name, runs):
    from seqdl.experiment.generator import draw_like_training
    from seqdl.experiment.run import Run
    from seqdl.experiment.samples import draw

    run = Run(runs / name, data=data_of())
    share = float((run.data.targets("train") == 0).mean())
    n = int(np.ceil(200 * share - 1e-9))
    parts = [draw(run.task, n, LENGTH, seed=0, condition=0.0), draw(run.task, 200 - n, LENGTH, seed=1, condition=1.0)]
    found = draw_like_training(run, 200, seed=0)
    assert sorted(row.tobytes() for row in found) == sorted(row.tobytes() for row in np.concatenate(parts))


def test_a_number_is_asked_for_as_such_and_words_are_refused(runs, tmp_path, capsys):
    folder = tmp_path / "numbers"
    shutil.copytree(runs / "vae", folder)
    content = torch.load(folder / "checkpoints" / "best.ckpt", weights_only=True)
    torch.manual_seed(0)
    task = create_task("vae", create_model("cnn", filters=4, width=5), length=LENGTH, condition=1)
    content["seqdl"]["task"], content["state_dict"] = task.recipe["task"], task.state_dict()
    torch.save(content, folder / "checkpoints" / "best.ckpt")
    assert main(["generate", str(folder), "-n", "3", "--condition", "0.25", "-o", str(tmp_path / "x.fa"), "--quiet"]) == 0
    assert main(["generate", str(folder), "-n", "3", "--condition", "high"]) == 1
    assert "--condition high: the network is told a number, and this is none." in capsys.readouterr().err
