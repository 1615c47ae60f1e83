"""The whole path: prepare, audit, fit, evaluate, motifs, report; one folder."""

from __future__ import annotations

import dataclasses
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqdl.errors import DataError, InputError, MissingFileError, OutputExistsError
from seqdl.experiment.auto import n_that_count
from seqdl.experiment.build import build_task
from seqdl.experiment.callbacks import Notices
from seqdl.experiment.complete import complete, silent, write_data
from seqdl.experiment.config import Config, config_of_run, dump_config, read_config
from seqdl.experiment.fit import Fitting, accelerator, check_training, plan_schedule, training_options
from seqdl.experiment.lr_finder import settle_lr
from seqdl.experiment.predict import device_name
from seqdl.experiment.prepare import prepare, resolve_data, resolve_strands
from seqdl.experiment.run import Run
from seqdl.experiment.team import ALONE, Team, check_team
from seqdl.experiment.transfer import checkpoint_of, resolve_start
from seqdl.io.files import writing

if TYPE_CHECKING:
    from seqdl.data.dataset import SequenceData
    from seqdl.tasks.base import Task

FEW_STEPS = 500
LEAST_WATCHED = 10


@dataclass
class Plan:
    """A training that has been checked and not begun."""

    config: Config
    data: SequenceData
    task: Task
    reason: str
    n_steps: int
    notes: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """Return what would be trained, on what, in a few lines."""
        n = sum(p.numel() for p in self.task.parameters())
        kinds = " + ".join(next(iter(self.data.sizes().values())))
        lines = [f"{'examples (' + kinds + ')' if '+' in kinds else kinds}: {self.data.summary()}; {self.data.length} bp"]
        dropped = self.data.ledger.counts()
        lines += [f"dropped {count:,}: {reason}" for reason, count in dropped.items()]
        lines += [f"note: {note}" for note in self.data.ledger.notes]
        auto = f" ({self.reason})" if self.reason else ""
        task, models = (
            self.config.task["name"],
            Counter(one["name"] for one in (self.config.model, *(member["model"] for member in self.config.ensemble))),
        )
        counted = " + ".join(f"{name} x {k}" if k > 1 else name for name, k in models.items())
        lines.append(f"network: {counted} with task {task}, strands {self.config.strands}, {n:,} parameters{auto}; {self.n_steps:,} steps")
        lines += self.notes
        if self.n_steps < FEW_STEPS:
            lines.append(
                f"warning: {self.n_steps} steps are few: under {FEW_STEPS} a network is seldom trained to its end. Raise --max-steps or --max-epochs."
            )
        return "\n".join(lines)


def make_plan(config: Config) -> Plan:
    """Check everything and build the task; nothing is trained and nothing written.

    Parameters
    ----------
    config : Config

    Raises
    ------
    SeqdlError
        If anything is wrong with the config or the inputs.
    """
    from seqdl.io.databases import load_database

    accelerator(config.device)
    load_database(config.database)
    data = prepare(config)
    config, reason = resolve_start(config, data)
    config = dataclasses.replace(config, strands=resolve_strands(config, data), data=resolve_data(config))
    _check_sequences(config, data)
    built = build_task(config, data)
    _try_out(built, data)
    config.training, notes = check_training(config.training, built, data, device=config.device)
    if config.training.init:
        data.inputs.append(checkpoint_of(config.training.init))
    if config.training.init_motifs:
        data.inputs.append(Path(config.training.init_motifs))
    schedule = plan_schedule(config.training, len(data.rows("train")), n_that_count(data), budget=built.budget)
    return Plan(config, data, built, reason, schedule.steps, notes)


def _check_sequences(config: Config, data: SequenceData) -> None:
    """Raise if a task for sequences of one length is given several and no rule to make them one, or a generator too few to be held against."""
    from seqdl.registry import TASKS

    family = TASKS.get(config.task["name"]).family
    if data.lengths is not None and config.data.crop is None and family in ("autoencoder", "generator"):
        raise InputError(
            f"the sequences are {data.lengths.min():,} to {data.lengths.max():,} bp long, and the task {config.task['name']} is for one length: "
            "a rule to make them one was expected. Add --crop BP, which cuts the longer and pads the shorter."
        )
    n_val = len(data.rows("val"))
    if family == "generator" and n_val < LEAST_WATCHED:
        raise DataError(
            f"there are {len(data):,} sequences, {n_val} of them in the validation split that samples are held against at every epoch: "
            f"{LEAST_WATCHED} there, or about {10 * LEAST_WATCHED} in all, were expected, and 500 in all for a report card. Give more."
        )


def _try_out(task: Task, data: SequenceData) -> None:
    """Raise `InputError` if the task cannot read the examples, before anything is written."""
    import torch

    from seqdl.data.gather import CodesDataset
    from seqdl.interpret.locate import filter_bank

    try:
        span = filter_bank(getattr(task, "reader", task)).geometry.span
    except InputError:  # a network without filters over the bases has no span
        span = 0
    if span > data.length:
        raise InputError(
            f"the sequences are {data.length} bp long, shorter than the network's filters: at least {span} bp were expected. Widen --window."
        )
    batch = CodesDataset(data, data.rows()[:2]).__getitems__([0, 1])
    try:
        with torch.inference_mode():
            task.eval()(task.inputs(batch), batch.lengths)
    except (RuntimeError, ValueError) as error:
        raise InputError(
            f"the network cannot read sequences of {data.length} bp: {' '.join(str(error).split())[:200]}. Change its options or --window."
        ) from None
    task.train()


def check_output(folder: Path, *, force: bool) -> None:
    """Raise `OutputExistsError` if a run or anything else is already at `folder` and may not be replaced."""
    if folder.is_file():
        raise OutputExistsError(f"{folder}: is a file; a folder that does not exist yet was expected. Choose another name.")
    if folder.is_dir() and any(folder.iterdir()) and not force:
        hint = "Go on with --resume, replace it with --force" if (folder / "config.yaml").is_file() else "Replace its files with --force"
        raise OutputExistsError(f"{folder}: is there already and not empty. {hint}, or choose another folder.")


def train(
    config: Config,
    folder: Path,
    *,
    command: str = "",
    force: bool = False,
    resume: bool = False,
    say: Callable[[str], None] = silent,
    team: Team = ALONE,
) -> Run:
    """Prepare, audit, fit, evaluate, find motifs and report.

    Parameters
    ----------
    config : Config
    folder : Path
        The run folder.
    command : str
        What was typed, for the manifest.
    force : bool
        Replace what is in the folder.
    resume : bool
        Go on from last.ckpt, the end of an epoch; from the beginning where none was ended.
    say : callable
        Told of each step, in a line.
    team : Team, optional
        The processes that train together, all of which run this; all but the first end when training does.

    Returns
    -------
    Run

    Raises
    ------
    SeqdlError
        If inputs or options are wrong; the folder is made only when everything has been checked.
    """
    started = time.monotonic()
    folder = Path(folder)
    begun = (folder / "checkpoints" / "last.ckpt").is_file()
    if resume and not begun and not (folder / "config.yaml").is_file():
        raise MissingFileError(f"{folder}: no run was begun there, so there is nothing to go on from. Train anew, without --resume.")
    if not resume and team.leads:
        check_output(folder, force=force)
    plan = make_plan(config)
    check_team(team, plan.config.training, plan.task, data=plan.data, device=device_name(config.device))
    say = say if team.leads else silent
    say(plan.summary())
    fitting = Fitting(plan.task, plan.data, folder, plan.config.training, seed=config.seed, device=config.device, resume=resume and begun)
    fitting.team, fitting.callbacks = team, [Notices(say)]
    tested = settle_lr(fitting, say)
    if team.leads:
        if not resume and folder.is_dir():
            _clear(folder)
        start_folder(folder, plan.data, dataclasses.replace(plan.config, training=fitting.training))
        if tested is not None:
            tested.write(folder / "lr_range.tsv")
    fitting.run()
    if not team.leads:
        raise SystemExit(0)
    run = Run(folder, task=plan.task, data=plan.data)
    complete(run, command=command or f"seqdl train {folder / 'config.yaml'}", seconds=time.monotonic() - started, say=say)
    return run


def start_folder(folder: Path, data: SequenceData, config: Config) -> None:
    """Make the run folder with what is known before training: config, examples, ledger, audit."""
    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    with writing(folder / "config.yaml", force=True) as handle:
        handle.write(dump_config(config))
    write_data(folder, data)


def _clear(folder: Path) -> None:
    """Remove what an earlier run left, and nothing else."""
    import shutil

    for name in ("checkpoints", "data", "motifs", "attributions", "tensorboard", "wandb"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in ("config.yaml", "manifest.json", "audit.json", "log.csv", "lr_range.tsv", "metrics.json", "predictions.tsv", "report.html"):
        (folder / name).unlink(missing_ok=True)


def load_resumable(folder: Path) -> Config:
    """Return the config of a run that was begun.

    Raises
    ------
    MissingFileError
        If no run was begun there.
    """
    path = Path(folder) / "config.yaml"
    if not path.is_file():
        raise MissingFileError(f"{folder}: there is no config.yaml, so nothing to resume. Train with seqdl train INPUTS -o {folder}.")
    return config_of_run(read_config(path))


def fit(task: Task, data: SequenceData, folder: str | Path, *, seed: int = 0, device: str = "auto", force: bool = False, **options: Any) -> Run:
    """Train a task on data, from Python.

    Parameters
    ----------
    task : Task
        From `create_task`. Its weights are drawn when it is made; call ``torch.manual_seed`` before that to repeat them.
    data : SequenceData
    folder : str or Path
        The run folder.
    seed : int, default 0
        Of batches and dropout.
    device : str, default "auto"
    force : bool, default False
        Replace what is in the folder.
    **options
        Of the training, as `seqdl train --help` lists them: max_epochs, max_steps, batch_size, lr, optimiser, schedule, weight_decay,
        clip, patience, init, freeze, encoder_lr, keep and others.

    Returns
    -------
    Run
        ``run.evaluate("test")``, ``run.predict(...)``, ``run.motifs()``, ``run.report()``.

    Raises
    ------
    UnknownNameError
        If there is no such option.
    """
    folder = Path(folder)
    training = training_options(options)
    check_output(folder, force=force)
    if task.family == "supervised" and len(task.outputs) != len(data.classes or data.outputs):
        raise InputError(
            f"the task has outputs {task.outputs} and the data {data.outputs}: as many were expected. Make the task with outputs={data.outputs}."
        )
    data.check_classes()
    training, _ = check_training(training, task, data, device=device)
    if training.jitter:
        data.flanks(training.jitter)  # refuses what has none, before the folder is made
    model = task.recipe.get("model") or {"name": "auto"}
    fitting = Fitting(task, data, folder, training, seed=seed, device=device)
    tested = settle_lr(fitting, silent)
    named = {"model": model, "task": task.recipe.get("task", {"name": "auto"})}
    if folder.is_dir():
        _clear(folder)
    start_folder(folder, data, Config(**named, training=fitting.training, strands=task.strands, seed=seed, device=device))
    if tested is not None:
        tested.write(folder / "lr_range.tsv")
    fitting.run()
    return Run(folder, task=task, data=data)
