"""A search for hyper-parameters with Optuna: judged on the validation split, kept on disk, shared by several processes."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytorch_lightning as pl

from seqdl.errors import DependencyError, InputError, Interrupted, MissingFileError, SeqdlError
from seqdl.experiment.build import build_task
from seqdl.experiment.complete import silent
from seqdl.experiment.config import Config, apply_setting, dump_config, make_config
from seqdl.experiment.fit import Fitting, check_training
from seqdl.experiment.prepare import prepare, resolve_data, resolve_strands
from seqdl.experiment.search_space import default_space, parse_space
from seqdl.experiment.train import check_output
from seqdl.experiment.transfer import resolve_start
from seqdl.io.files import writing
from seqdl.io.table import write_tsv

if TYPE_CHECKING:
    from seqdl.data.dataset import SequenceData

STUDY = "seqdl"
JOURNAL, SEARCH, TRIALS, BEST = "study.journal", "search.yaml", "trials.tsv", "best.yaml"
STARTUP_TRIALS, STARTUP_EPOCHS = 5, 3
"""Trials, and epochs of each, before one is given up early."""


@dataclasses.dataclass(frozen=True)
class Search:
    """What to try, and how long.

    Parameters
    ----------
    space : sequence of str
        See `parse_space`; without any, a default for the network.
    n_trials : int, default 30
        Finished trials in all, those of other processes included; each of these may end one more that it had begun.
    minutes : float, optional
        No trial is begun after so many.
    prune : bool, default True
        Give up trials whose scores lie below the median of those before them.
    """

    space: Sequence[str] = ()
    n_trials: int = 30
    minutes: float | None = None
    prune: bool = True


class Report(pl.Callback):
    """Tells a trial the score of every epoch, and ends it where it is given up.

    Parameters
    ----------
    trial : Trial
        Of Optuna.
    monitor : str
    pruned : type of exception
        Raised where the trial is given up.
    """

    def __init__(self, trial: Any, monitor: str, pruned: type[Exception]) -> None:
        self.trial, self.monitor, self.pruned = trial, monitor, pruned
        self.scores: list[float] = []

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Report the score of the epoch."""
        self.scores.append(float(trainer.callback_metrics[self.monitor]))
        self.trial.report(self.scores[-1], trainer.current_epoch)
        if self.trial.should_prune():
            raise self.pruned


def load_optuna() -> Any:
    """Return Optuna.

    Raises
    ------
    DependencyError
        If it is not installed.
    """
    if importlib.util.find_spec("optuna") is None:
        raise DependencyError("seqdl tune needs the package optuna, which is not installed. Install it with: pip install 'seqdl[tune]'")
    return importlib.import_module("optuna")


class Tuner:
    """A search over a config; of an ensemble one network is searched for.

    Parameters
    ----------
    config : Config
        What is not searched.
    search : Search
    say : callable
        Told of each trial, in a line.

    Raises
    ------
    DependencyError
        If Optuna is not installed.
    SeqdlError
        If the config or the space is wrong; nothing has been written then.
    """

    def __init__(self, config: Config, search: Search, *, say: Callable[[str], None] = silent) -> None:
        self.optuna = load_optuna()
        if search.n_trials < 1:
            raise InputError(f"--trials {search.n_trials}: 1 or more was expected.")
        self.search, self.say, self.data = search, say, prepare(config)
        config, _ = resolve_start(dataclasses.replace(config, members=1, ensemble=[]), self.data)
        self.config = dataclasses.replace(config, strands=resolve_strands(config, self.data), data=resolve_data(config))
        self.space = parse_space(search.space) if search.space else default_space(self.config)
        first = self.trial_config({key: one.first() for key, one in self.space.items()})
        self.task = build_task(first, self.data)
        check_training(first.training, self.task, self.data, device=first.device)

    def run(self, folder: Path, *, force: bool = False, resume: bool = False) -> dict[str, Any]:
        """Search until as many trials are done as were asked for.

        Parameters
        ----------
        folder : Path
            Gets study.journal, trials/NUMBER, trials.tsv and best.yaml.
        force : bool
            Replace an earlier search.
        resume : bool
            Go on with the search in the folder, or take part in it while others do.

        Returns
        -------
        dict
            "best" (number, score and values of the best trial), "monitor", "n_trials" by state, "config" (the path of best.yaml).

        Raises
        ------
        InputError
            If no trial was finished, or the search in the folder is another one.
        """
        self._open(folder, force=force, resume=resume)
        study = self._study(folder, joins=resume)
        began, n_own = time.monotonic(), 0
        while self._n_done(study) < self.search.n_trials and not (n_own and self._is_late(began)):
            self._try(study, folder)
            n_own += 1
            self._write(study, folder)
        return self._write(study, folder)

    def trial_config(self, values: dict[str, Any]) -> Config:
        """Return the config with values put in."""
        nested = self.config.to_dict()
        for key, value in values.items():
            apply_setting(nested, f"{key}={value}")
        return make_config(nested)

    def _open(self, folder: Path, *, force: bool, resume: bool) -> None:
        """Make the folder, or check that the search in it is this one."""
        asked = "".join([dump_config(self.config), *(f"# {key}: {one}\n" for key, one in self.space.items())])
        if resume:
            if not (folder / SEARCH).is_file():
                raise MissingFileError(f"{folder}: no search was begun there, so there is none to go on with. Leave --resume out.")
            if (folder / SEARCH).read_text() != asked:
                raise InputError(f"{folder}: the search there has another config or another space ({SEARCH} tells). Give the same, or another -o.")
            return
        check_output(folder, force=force)
        for name in (JOURNAL, TRIALS, BEST):
            (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder / "trials", ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        with writing(folder / SEARCH, force=True) as handle:
            handle.write(asked)

    def _study(self, folder: Path, *, joins: bool) -> Any:
        """Open the study in the folder; a journal file is safe when several processes write, and who joins draws other values."""
        optuna = self.optuna
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(folder / JOURNAL)))
        pruner = optuna.pruners.MedianPruner(n_startup_trials=STARTUP_TRIALS, n_warmup_steps=STARTUP_EPOCHS)
        direction = "maximize" if self.task.higher_is_better else "minimize"
        return optuna.create_study(
            study_name=STUDY,
            storage=storage,
            direction=direction,
            sampler=optuna.samplers.TPESampler(seed=None if joins else self.config.seed),
            pruner=pruner if self.search.prune else optuna.pruners.NopPruner(),
            load_if_exists=True,
        )

    def _n_done(self, study: Any) -> int:
        return sum(trial.state.name in ("COMPLETE", "PRUNED", "FAIL") for trial in study.trials)

    def _is_late(self, began: float) -> bool:
        return self.search.minutes is not None and time.monotonic() - began > 60 * self.search.minutes

    def _try(self, study: Any, folder: Path) -> None:
        """Do one trial: train on the training split, judge on validation."""
        states = self.optuna.trial.TrialState
        trial = study.ask()
        values = {key: one.suggest(trial, key) for key, one in self.space.items()}
        place = folder / "trials" / f"{trial.number:04d}"
        report = Report(trial, self.task.monitor, self.optuna.TrialPruned)
        words = ", ".join(f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in values.items())
        try:
            self._train(values, place, report)
        except self.optuna.TrialPruned:
            study.tell(trial, state=states.PRUNED)
            self.say(f"trial {trial.number}: given up after {len(report.scores)} epochs; {words}")
        except Interrupted:
            study.tell(trial, state=states.FAIL)
            raise Interrupted(f"the search was stopped in trial {trial.number}. Go on with the same command and --resume.") from None
        except SeqdlError as error:
            study.tell(trial, state=states.FAIL)
            self.say(f"trial {trial.number}: failed: {error}; {words}")
        else:
            best = float(np.max(report.scores) if self.task.higher_is_better else np.min(report.scores))
            study.tell(trial, best)
            self.say(f"trial {trial.number}: {self.task.monitor} {best:.4f}; {words}")
        finally:
            shutil.rmtree(place / "checkpoints", ignore_errors=True)

    def _train(self, values: dict[str, Any], place: Path, report: Report) -> None:
        config = self.trial_config(values)
        data = self._data(config, values)
        task = build_task(config, data)
        training, _ = check_training(config.training, task, data, device=config.device)
        place.mkdir(parents=True, exist_ok=True)
        with writing(place / "config.yaml", force=True) as handle:
            handle.write(dump_config(config))
        Fitting(task, data, place, training, seed=config.seed, device=config.device, callbacks=[report]).run()

    def _data(self, config: Config, values: dict[str, Any]) -> SequenceData:
        """Return the examples: made anew only where the trial changes how."""
        anew = any(key == "strands" or key.startswith("data.") for key in values)
        return prepare(config) if anew else self.data

    def _write(self, study: Any, folder: Path) -> dict[str, Any]:
        """Write trials.tsv and best.yaml, and return what there is."""
        import pandas as pd

        trials = [trial for trial in study.trials if trial.state.name in ("COMPLETE", "PRUNED", "FAIL")]
        rows = [{"trial": trial.number, "state": trial.state.name.lower(), self.task.monitor: trial.value} | trial.params for trial in trials]
        write_tsv(folder / TRIALS, pd.DataFrame(rows), force=True)
        states = {state: sum(row["state"] == state for row in rows) for state in ("complete", "pruned", "fail")}
        finished = [trial for trial in trials if trial.state.name == "COMPLETE"]
        if not finished:
            if len(trials) < self.search.n_trials:
                return {}
            raise InputError(f"{folder}: none of {len(trials)} trials was finished ({states}). See {TRIALS}; narrow --search or train longer.")
        best = (max if self.task.higher_is_better else min)(finished, key=lambda trial: trial.value)
        with writing(folder / BEST, force=True) as handle:
            handle.write(dump_config(self.trial_config(best.params)))
        found = {"number": best.number, "score": best.value, "values": best.params}
        return {"best": found, "monitor": self.task.monitor, "n_trials": states, "config": str(folder / BEST)}
