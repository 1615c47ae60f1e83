"""The search for hyper-parameters: what is tried, judged, given up, kept on disk. Optuna is stood in for where its choices are to be known."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import subprocess
import sys
from enum import Enum
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import yaml

from seqdl.cli.main import main
from seqdl.experiment import tune
from seqdl.experiment.config import make_config, read_config
from seqdl.experiment.search_space import Choices, Range, default_space, parse_space
from seqdl.experiment.tune import Search, Tuner

SPACE = ["training.lr=1e-4:1e-1:log", "model.filters=4,6", "task.dropout=0:0.5", "training.batch_size=16:32"]


# what may be tried --------------------------------------------------------------------------------------


def test_ranges_and_choices_are_read():
    assert parse_space([*SPACE, "training.optimiser=adam,sgd"]) == {
        "training.lr": Range(1e-4, 1e-1, log=True),
        "model.filters": Choices((4, 6)),
        "task.dropout": Range(0, 0.5),
        "training.batch_size": Range(16, 32),
        "training.optimiser": Choices(("adam", "sgd")),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("training.lr", "--search training.lr: KEY=LOW:HIGH"),
        ("training.lr=", "KEY=LOW:HIGH, KEY=LOW:HIGH:log or KEY=A,B,C was expected"),
        ("training.lr=1:a", "KEY=LOW:HIGH, KEY=LOW:HIGH:log or KEY=A,B,C was expected"),
        ("training.lr=1:2:3:4", "KEY=LOW:HIGH, KEY=LOW:HIGH:log or KEY=A,B,C was expected"),
        ("training.lr=2:1", "a range from 2 to 1 holds nothing"),
        ("training.lr=0:1:log", "a range from 0 to 1, by order of magnitude holds nothing"),
        ("model.filters=4,,6", "KEY=LOW:HIGH, KEY=LOW:HIGH:log or KEY=A,B,C was expected"),
    ],
)
def test_what_is_no_range_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        parse_space([text])


def test_a_key_is_given_once():
    with pytest.raises(ValueError, match=r"training\.lr was given before"):
        parse_space(["training.lr=1e-3:1e-1", "training.lr=1,2"])


def test_what_is_tried_by_default_are_options_that_there_are():
    config = make_config({"model": {"name": "cnn", "filters": 10}, "task": "binary"})
    space = default_space(config)
    assert space["model.filters"] == Choices((5, 10, 20))
    assert {"training.lr", "training.weight_decay", "task.dropout"} <= set(space)
    nested = config.to_dict()
    for key, one in space.items():
        section, name = key.split(".")
        nested[section][name] = one.first()
    make_config(nested)


# a stand-in for Optuna ------------------------------------------------------------------------------------


class State(Enum):
    RUNNING, COMPLETE, PRUNED, FAIL = range(4)


class Pruned(Exception):
    pass


class Trial:
    """Draws at random, and is given up where its number is among `losers`."""

    def __init__(self, number: int, rng: random.Random, losers: set[int]) -> None:
        self.number, self.rng, self.losers = number, rng, losers
        self.params, self.state, self.value, self.reported = {}, State.RUNNING, None, []

    def _keep(self, key, value):
        self.params[key] = value
        return value

    def suggest_float(self, key, low, high, *, log):
        return self._keep(key, low * (high / low) ** self.rng.random() if log else self.rng.uniform(low, high))

    def suggest_int(self, key, low, high, *, log):
        return self._keep(key, self.rng.randint(low, high))

    def suggest_categorical(self, key, choices):
        return self._keep(key, self.rng.choice(choices))

    def report(self, value, step):
        self.reported.append((value, step))

    def should_prune(self):
        return self.number in self.losers and len(self.reported) == 2


class Study:
    def __init__(self, **options) -> None:
        self.options, self.trials, self.rng, self.losers = options, [], random.Random(0), set()

    def ask(self):
        self.trials.append(Trial(len(self.trials), self.rng, self.losers))
        return self.trials[-1]

    def tell(self, trial, value=None, *, state=State.COMPLETE):
        trial.state = state
        trial.value = value if state is State.COMPLETE else trial.reported[-1][0] if trial.reported else None


class Optuna(SimpleNamespace):
    """The names of Optuna that a search uses; studies are kept by the path of their journal."""

    def __init__(self) -> None:
        kept: dict[str, Study] = {}

        def create_study(**options):
            assert options["load_if_exists"]
            study = kept.setdefault(options["storage"], Study(**options))
            study.losers = self.losers
            return study

        self.losers: set[int] = set()
        super().__init__(
            create_study=create_study,
            TrialPruned=Pruned,
            trial=SimpleNamespace(TrialState=State),
            logging=SimpleNamespace(WARNING=30, set_verbosity=lambda level: None),
            storages=SimpleNamespace(JournalStorage=lambda backend: backend, journal=SimpleNamespace(JournalFileBackend=lambda path: path)),
            samplers=SimpleNamespace(TPESampler=lambda seed: ("tpe", seed)),
            pruners=SimpleNamespace(
                MedianPruner=lambda n_startup_trials, n_warmup_steps: ("median", n_startup_trials, n_warmup_steps), NopPruner=lambda: "none"
            ),
        )


@pytest.fixture
def optuna(monkeypatch):
    made = Optuna()
    monkeypatch.setattr(tune, "load_optuna", lambda: made)
    return made


def tuner(tiny, n_trials: int = 4, **options):
    nested = {"data": {"fasta": tiny.fasta}, "training": {"max_steps": 12}, "model": {"name": "cnn", "filters": 4, "width": 7}, "device": "cpu"}
    return Tuner(make_config(nested | options.pop("config", {})), Search(SPACE, n_trials=n_trials, **options))


def test_trials_are_judged_on_validation_and_the_best_is_a_config(tiny, optuna, tmp_path):
    found = tuner(tiny).run(tmp_path / "search")
    table = pd.read_csv(tmp_path / "search" / "trials.tsv", sep="\t")
    assert table["state"].tolist() == ["complete"] * 4
    assert found["best"]["score"] == pytest.approx(table["val_auroc"].max(), abs=1e-6)
    assert found["best"]["number"] == table["trial"][table["val_auroc"].idxmax()]
    assert found["n_trials"] == {"complete": 4, "pruned": 0, "fail": 0}
    for number in range(4):
        place = tmp_path / "search" / "trials" / f"{number:04d}"
        log = pd.read_csv(place / "log.csv")
        assert table["val_auroc"][number] == pytest.approx(log["val_auroc"].max(), abs=1e-6)
        assert sorted(path.name for path in place.iterdir()) == ["config.yaml", "log.csv"]
    best = make_config(read_config(tmp_path / "search" / "best.yaml"))
    values = found["best"]["values"]
    assert (best.training.lr, best.model["filters"], best.task["dropout"]) == (values["training.lr"], values["model.filters"], values["task.dropout"])
    assert best.model["width"] == 7
    assert best.data.fasta == tiny.fasta


def test_a_trial_that_is_given_up_trains_no_further(tiny, optuna, tmp_path):
    optuna.losers = {1}
    said = []
    search = tuner(tiny, 3)
    search.say = said.append
    found = search.run(tmp_path / "search")
    assert found["n_trials"] == {"complete": 2, "pruned": 1, "fail": 0}
    assert len(pd.read_csv(tmp_path / "search" / "trials" / "0001" / "log.csv")) == 2
    assert "trial 1: given up after 2 epochs" in said[1]
    assert found["best"]["number"] != 1


def test_a_search_is_gone_on_with_until_its_trials_are_done(tiny, optuna, tmp_path):
    tuner(tiny, 2).run(tmp_path / "search")
    found = tuner(tiny, 3).run(tmp_path / "search", resume=True)
    assert found["n_trials"]["complete"] == 3
    assert len(list((tmp_path / "search" / "trials").iterdir())) == 3
    with pytest.raises(FileExistsError, match="is there already and not empty"):
        tuner(tiny, 3).run(tmp_path / "search")


def test_another_search_is_not_mixed_with_the_one_in_the_folder(tiny, optuna, tmp_path):
    tuner(tiny, 1).run(tmp_path / "search")
    other = tuner(tiny, 2, config={"seed": 5})
    with pytest.raises(ValueError, match="the search there has another config or another space"):
        other.run(tmp_path / "search", resume=True)
    with pytest.raises(FileNotFoundError, match="no search was begun there"):
        other.run(tmp_path / "nowhere", resume=True)


def test_a_trial_that_fails_is_counted_and_the_search_goes_on(tiny, optuna, tmp_path, monkeypatch):
    from seqdl.errors import InputError

    train = Tuner._train

    def fails_first(self, values, place, report):
        if place.name == "0000":
            raise InputError("the weights became infinite while training")
        train(self, values, place, report)

    monkeypatch.setattr(Tuner, "_train", fails_first)
    assert tuner(tiny, 2).run(tmp_path / "search")["n_trials"] == {"complete": 1, "pruned": 0, "fail": 1}


def test_where_no_trial_is_finished_it_is_said(tiny, optuna, tmp_path):
    optuna.losers = {0, 1}
    with pytest.raises(ValueError, match="none of 2 trials was finished"):
        tuner(tiny, 2).run(tmp_path / "search")


@pytest.mark.parametrize("prune", [True, False])
def test_processes_side_by_side_share_a_journal_and_draw_differently(prune, tiny, optuna, tmp_path):
    search = tuner(tiny, 1, prune=prune)
    first, second = (search._study(tmp_path, joins=joins).options for joins in (False, False))
    assert first["storage"] == second["storage"] == str(tmp_path / "study.journal")
    assert (first["direction"], first["sampler"]) == ("maximize", ("tpe", 0))
    assert first["pruner"] == (("median", 5, 3) if prune else "none")
    assert optuna.create_study is not None
    assert search._study(tmp_path / "other", joins=True).options["sampler"] == ("tpe", None)


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (["model.filtres=4,8"], r"no option of model 'cnn' named 'filtres'\. Did you mean 'filters'"),
        (["training.lr=0.1:1000"], None),
        (["training.momentum=2,3"], r"training\.momentum is 2\.0: 0 to 0\.999 was expected"),
    ],
)
def test_a_space_that_does_not_fit_the_config_is_refused_before_a_trial(space, message, tiny, optuna):
    nested = {"data": {"fasta": tiny.fasta}, "model": {"name": "cnn", "filters": 4}, "device": "cpu"}
    if message is None:
        Tuner(make_config(nested), Search(space))
        return
    with pytest.raises((LookupError, ValueError), match=message):
        Tuner(make_config(nested), Search(space))


def test_of_an_ensemble_one_network_is_searched_for(tiny, optuna):
    found = Tuner(make_config({"data": {"fasta": tiny.fasta}, "device": "cpu"}), Search())
    assert (found.config.members, found.config.ensemble, found.config.model["name"]) == (1, [], "cnn")


# from the command line ------------------------------------------------------------------------------------


def test_the_command_prints_the_best_trial(tiny, optuna, tmp_path, capsys):
    words = ["tune", *tiny.fasta, "--model", "cnn", "--model.filters", "4", "--max-steps", "12", "--device", "cpu", "--trials", "2"]
    words += ["--search", "training.lr=1e-3:1e-1:log", "-o", str(tmp_path / "search")]
    assert main([*words, "--json", "--quiet"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["monitor"] == "val_auroc"
    assert yaml.safe_load(Path(found["config"]).read_text())["training"]["lr"] == found["best"]["values"]["training.lr"]
    assert main([*words, "--quiet"]) == 1
    assert "is there already and not empty" in capsys.readouterr().err


@pytest.mark.skipif(importlib.util.find_spec("optuna") is not None, reason="optuna is installed")
def test_without_optuna_the_extra_is_named(tiny, tmp_path, capsys):
    assert main(["tune", *tiny.fasta, "-o", str(tmp_path / "search")]) == 1
    assert "seqdl tune needs the package optuna, which is not installed. Install it with: pip install 'seqdl[tune]'" in capsys.readouterr().err
    assert not (tmp_path / "search").exists()


@pytest.mark.skipif(importlib.util.find_spec("optuna") is None, reason="optuna is not installed")
def test_with_optuna_a_search_is_kept_on_disk_and_taken_up_again(tiny, tmp_path):
    tuner(tiny, 2).run(tmp_path / "search")
    found = tuner(tiny, 4).run(tmp_path / "search", resume=True)
    assert found["n_trials"]["complete"] + found["n_trials"]["pruned"] == 4
    assert (tmp_path / "search" / "study.journal").is_file()


def test_optuna_gives_up_what_lies_below_the_median(tiny, tmp_path, monkeypatch):
    pytest.importorskip("optuna")
    monkeypatch.setattr(tune, "STARTUP_TRIALS", 1)
    monkeypatch.setattr(tune, "STARTUP_EPOCHS", 1)
    said = []
    search = tuner(tiny, 5)
    search.say = said.append
    found = search.run(tmp_path / "search")
    table = pd.read_csv(tmp_path / "search" / "trials.tsv", sep="\t").set_index("trial")
    pruned = table.index[table["state"] == "pruned"].tolist()
    assert found["n_trials"] == {"complete": 5 - len(pruned), "pruned": len(pruned), "fail": 0}
    assert 1 <= len(pruned) < 5
    for number in table.index:
        n_epochs = len(pd.read_csv(tmp_path / "search" / "trials" / f"{number:04d}" / "log.csv"))
        assert (n_epochs < 12) == (number in pruned)
        assert said[number].startswith(f"trial {number}: given up after {n_epochs} epochs" if number in pruned else f"trial {number}: val_auroc")
    assert found["best"]["number"] not in pruned


TAKE_PART = """
import sys, time
from pathlib import Path
from seqdl.experiment.config import make_config
from seqdl.experiment.tune import Search, Tuner
number, folder, fasta = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
nested = {"data": {"fasta": fasta}, "training": {"max_steps": 12}, "model": {"name": "cnn", "filters": 4, "width": 7}, "device": "cpu"}
search = Tuner(make_config(nested), Search(["training.lr=1e-3:1e-1:log"], n_trials=8), say=print)
(folder.parent / f"ready{number}").touch()
while len(list(folder.parent.glob("ready*"))) < 2 or (number and not (folder / "search.yaml").is_file()):
    time.sleep(0.05)
search.run(folder, resume=bool(number))
"""


@pytest.mark.slow
def test_two_processes_take_part_in_one_search(tiny, tmp_path):
    pytest.importorskip("optuna")
    folder = tmp_path / "search"
    words = [[sys.executable, "-c", TAKE_PART, str(number), str(folder), *tiny.fasta] for number in range(2)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "SEQDL_QUIET": "1"}
    processes = [subprocess.Popen(one, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for one in words]
    said = [process.communicate(timeout=300) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    table = pd.read_csv(folder / "trials.tsv", sep="\t")
    assert 8 <= len(table) <= 9  # one may be under way when the eighth ends
    assert table["trial"].tolist() == list(range(len(table)))
    assert table["training.lr"].is_unique
    own = [[int(line.split()[1].rstrip(":")) for line in out.splitlines()] for out, _ in said]
    assert min(map(len, own)) >= 1
    assert sorted(own[0] + own[1]) == table["trial"].tolist()
    complete = table[table["state"] == "complete"]
    best = yaml.safe_load((folder / "best.yaml").read_text())
    assert best["training"]["lr"] == pytest.approx(complete["training.lr"][complete["val_auroc"].idxmax()])
