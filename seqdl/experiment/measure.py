"""Evaluate a trained run, on its own test split or on other data, and hold it against what was asked."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from seqdl.errors import CheckFailed, InputError, UnknownNameError
from seqdl.experiment import unlabelled
from seqdl.experiment.complete import leaks_of, silent
from seqdl.experiment.evaluate import HEADINGS, Evaluation, evaluate_baselines, evaluate_predictions, number
from seqdl.experiment.intervals import context_within
from seqdl.experiment.predict import device_name, prediction_table
from seqdl.experiment.prepare import prepare_all, tells_peaks_apart
from seqdl.experiment.team import ALONE, Team, check_devices, check_readable_by_all
from seqdl.experiment.yardstick import measured_as, yardstick
from seqdl.io.databases import load_database

if TYPE_CHECKING:
    import pandas as pd

    from seqdl.data.dataset import SequenceData
    from seqdl.experiment.config import Config
    from seqdl.experiment.run import Run
    from seqdl.motif.motif import Motif
    from seqdl.tasks.base import Task

CHECKS = ("baseline", "leak")
LOWER = ("bits_per_base",)
"""Headlines of which the lower is better."""


def parse_checks(text: str | None, known: Sequence[str] = CHECKS) -> list[str]:
    """Return the checks of a comma-separated list.

    Raises
    ------
    UnknownNameError
        If one is not among those that are known.

    Examples
    --------
    >>> parse_checks("baseline,leak")
    ['baseline', 'leak']
    """
    names = [word.strip() for word in (text or "").split(",") if word.strip()]
    for name in names:
        if name not in known:
            raise UnknownNameError("check for --fail-on", name, known)
    return names


def checks_of(task: Task, text: str | None) -> list[str]:
    """Return the checks of a comma-separated list that can be made of a trained task.

    Raises
    ------
    UnknownNameError
        If one is not known at all.
    InputError
        If one does not fit a task of this family.
    """
    fitting = CHECKS if task.family == "supervised" else unlabelled.CHECKS[task.family]
    every = dict.fromkeys([*CHECKS, *(name for names in unlabelled.CHECKS.values() for name in names)])
    names = parse_checks(text, tuple(every))
    for name in names:
        if name not in fitting:
            raise InputError(
                f"--fail-on {name} was given for a run of the task {type(task).__name__}, of which that says nothing: "
                f"{' or '.join(fitting)} was expected. Leave {name} out."
            )
    return names


def measure(
    run: Run,
    inputs: Config | None = None,
    *,
    motifs: Sequence[Motif] | None = None,
    seed: int | None = None,
    say: Callable[[str], None] = silent,
    team: Team = ALONE,
) -> dict[str, Any]:
    """Measure a run beside its baselines.

    Parameters
    ----------
    run : Run
    inputs : Config, optional
        Other data to measure on; by default the run's own splits. The baselines are fitted on the run's training
        split in either case, and leaks are looked for between that and what is measured.
    motifs : sequence of Motif, optional
        Candidates for the best known motif, a baseline; by default those of the run's database.
    seed : int, optional
        Of the bootstrap; by default the run's.
    say : callable
    team : Team, optional
        The processes that predict together, all of which run this; all but the first end when that is done.

    Returns
    -------
    dict
        "test", "test_leak_free", "baselines", "n_leaks", and "val" for the run's own data; of a run without targets what
        `measure_unlabelled` returns.
    """
    seed = int(run.config.get("seed", 0)) if seed is None else seed
    device = run.config.get("device", "auto")
    check_measuring_team(team, run, inputs, device=device)
    if inputs is not None:
        inputs = _as_trained(run, inputs)
    if run.task.family != "supervised":
        found = unlabelled.measure_unlabelled(run, None if inputs is None else unlabelled.others(run.task, inputs), seed=seed, say=say)
        return found | {"test": Evaluation(found["test"])}
    data = run.data if inputs is None else _beside_training(run.data, check_kind(prepare_all(inputs), run.data))
    if run.task.per_base:
        from seqdl.experiment.along import held_by, measure_along

        held = held_by(run.task, data, device=device, team=team)
        team.dismiss()
        found = measure_along(run.task, data, held, motifs=_known(run, motifs), seed=seed, say=say)
        return found | {"task": run.config["task"]["name"], "outputs": run.task.outputs, "test": Evaluation(found["test"])}
    own = inputs is None and team.size == 1
    predictions = run.predictions if own else prediction_table(run.task, data, device=device, team=team)
    team.dismiss()
    leaks = leaks_of(data)
    kind = measured_as(run.task, data)
    by = yardstick(kind, run.task.outputs)
    found = evaluate_predictions(predictions, by, leaky=leaks.leaky[predictions.index], seed=seed)
    say("fitting the baselines on the run's training split: GC, k-mers and others")
    found["baselines"], _ = evaluate_baselines(data, predictions, by, motifs=_known(run, motifs), seed=seed)
    found |= {"task": kind, "headline": by.headline, "outputs": run.task.outputs}
    found["test"] = Evaluation(found["test"])
    found["n_leaks"] = int(leaks.leaky[data.rows("test")].sum())
    return found if inputs is None else found | {"val": {}}


def _known(run: Run, motifs: Sequence[Motif] | None) -> list[Motif]:
    """Return the motifs that were given, else those of the run's database."""
    return load_database(run.config.get("database") or "jaspar") if motifs is None else list(motifs)


def baseline_table(found: Mapping[str, Any]) -> pd.DataFrame:
    """Return what `measure` found as a table: the network on test examples, then each baseline.

    Examples
    --------
    >>> found = {"headline": ["auroc"], "test": {"auroc": {"value": 0.9, "low": 0.8, "high": 1.0}}, "baselines": {"gc": {"auroc": {"value": 0.6}}}}
    >>> print(baseline_table(found))
             auroc  auroc_low  auroc_high
    network    0.9        0.8         1.0
    gc         0.6        NaN         NaN
    """
    import pandas as pd

    rows = {"network": found["test"], **found["baselines"]}
    ends = {"value": "", "low": "_low", "high": "_high"}
    return pd.DataFrame(
        {
            name: {f"{metric}{tail}": (row.get(metric) or {}).get(end) for metric in found["headline"] for end, tail in ends.items()}
            for name, row in rows.items()
        },
        dtype=float,
    ).T


def check_measuring_team(team: Team, run: Run, inputs: Config | None, *, device: str) -> None:
    """Raise `InputError` if several processes cannot share out what is measured."""
    check_devices(team, device_name(device))
    if team.size > 1 and run.task.family != "supervised":
        raise InputError(
            f"--devices {team.devices} --nodes {team.nodes}: a run of the task {type(run.task).__name__} is measured by one process; several "
            "share out runs with targets. Leave them out."
        )
    given = [] if inputs is None else [value for value in vars(inputs.data).values() if isinstance(value, str | list)]
    words = [str(word) for value in given for word in ([value] if isinstance(value, str) else value)]
    check_readable_by_all(team, [word.split("=")[-1] for word in words])


def _as_trained(run: Run, inputs: Config) -> Config:
    """Return inputs of which what is read is read as in the training: for its task and, around peaks, as far as the network did."""
    inputs = dataclasses.replace(inputs, task=run.config.get("task") or inputs.task)
    length = run.task.recipe.get("length")
    if inputs.data.context is not None or not length or inputs.data.negatives == "dinuc" or not tells_peaks_apart(inputs):
        return inputs
    return dataclasses.replace(inputs, data=dataclasses.replace(inputs.data, context=context_within(int(length), inputs.data.window)))


def check_kind(other: SequenceData, own: SequenceData) -> SequenceData:
    """Return the data, or raise `InputError` if they ask for another task than the run was trained for."""
    if len(other.outputs) != len(own.outputs) or (other.signal is None) != (own.signal is None):
        raise InputError(
            f"the run was trained with {len(own.outputs)} outputs{'' if own.signal is None else ' and an input signal'}, and these data have "
            f"{len(other.outputs)}{'' if other.signal is None else ' and an input signal'}: the same was expected. Name as many columns or files."
        )
    if other.kind != own.kind or not set(other.classes or ()) <= set(own.classes or ()):
        was = f"{own.kind} ({', '.join(own.classes)})" if own.classes else own.kind
        now = f"{other.kind} ({', '.join(other.classes)})" if other.classes else other.kind
        raise InputError(f"the run was trained for {was}, and these data are {now}: the same was expected. Give data of that kind.")
    return other


def _beside_training(own: SequenceData, other: SequenceData) -> SequenceData:
    """Return the run's training examples with other examples as the test split.

    Where the run reads what surrounds its windows its validation examples are kept too: baselines are chosen on them.
    """
    from seqdl.data.dataset import SequenceData

    context = own.context if other.lengths is None and other.length == own.length else 0
    rows = np.concatenate([own.rows("train"), own.rows("val")]) if context else own.rows("train")
    sequences = [*own.sequences(rows), *other.sequences(other.rows())]
    if own.tracks is not None and own.length != other.length:
        raise InputError(
            f"the run was trained on windows of {own.length:,} bp, and these data have {other.length:,} bp: the same was expected. "
            f"Use --window {own.length}."
        )
    parts = own.examples["split"].iloc[rows]
    split = [*parts, *["test"] * len(other)]
    names = [*(parts + ":" + own.examples["id"].iloc[rows]), *other.examples["id"]]
    made = SequenceData.from_sequences(sequences, np.zeros(len(names)), split, names=names)
    targets = {
        name: np.concatenate([own.examples[name].to_numpy()[rows], other.examples[theirs].to_numpy()])
        for name, theirs in zip(own.outputs, other.outputs, strict=True)
    }
    made.examples = made.examples.drop(columns=["target", "split"]).assign(**targets, split=split)
    for name in ("outputs", "classes", "numeric", "counts", "labels", "ambiguous"):
        setattr(made, name, getattr(own, name))
    for name in ("tracks", "signal"):
        mine, theirs = getattr(own, name), getattr(other, name)
        setattr(made, name, None if mine is None or theirs is None else np.concatenate([mine[rows], theirs]))
    made.context = context
    return made


def leaks_in_words(metrics: dict[str, Any]) -> str:
    """Return how many test examples leak, and what is left of the first measure without them.

    Examples
    --------
    >>> leaks_in_words({"n_leaks": 40, "headline": ("auroc",), "test_leak_free": {"auroc": {"value": 0.425}}})
    'WARNING: 40 test examples are in the training set too, or nearly so. Without them: AUROC 0.425'
    """
    n, lead = metrics["n_leaks"], metrics["headline"][0]
    said = f"WARNING: {n:,} test example{' is' if n == 1 else 's are'} in the training set too, or nearly so."
    left = (metrics.get("test_leak_free") or {}).get(lead)
    return f"{said} Without {'it' if n == 1 else 'them'}: {HEADINGS.get(lead, lead)} {number(left)}" if left else said


def check_passes(metrics: dict[str, Any], checks: list[str]) -> None:
    """Raise `CheckFailed` for the first check that does not pass."""
    unlabelled.check_unlabelled(metrics, checks)
    if "leak" in checks and metrics["n_leaks"]:
        raise CheckFailed(f"{metrics['n_leaks']:,} test examples leak from the training set.")
    if "baseline" in checks:
        lead = metrics["headline"][0]
        network, sign, word = metrics["test"][lead]["value"], -1 if lead in LOWER else 1, "below" if lead in LOWER else "above"
        for name, entry in metrics["baselines"].items():
            value = entry[lead]["value"]
            if value is not None and (network is None or sign * network <= sign * value):
                raise CheckFailed(
                    f"the network's {lead}, {network:.3f}, is not {word} that of the baseline '{name}', {value:.3f} ({entry['detail']})."
                )
