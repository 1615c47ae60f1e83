"""How far to believe the network: what its numbers say beside the baselines, the sample sizes and the training."""

from __future__ import annotations

import numpy as np
import pandas as pd

from seqdl.report.classes import class_table
from seqdl.report.facts import (
    BASELINES,
    UP_IS_WORSE,
    baseline_detail,
    baselines,
    best_epoch,
    calls,
    class_counts,
    gain_over,
    guess,
    headline_measures,
    is_binary,
    judged_by,
    label_of,
    score,
    steps,
)
from seqdl.report.folder import RunFolder
from seqdl.report.numbers import Estimate, count, decimal, number, percent, plural
from seqdl.report.section import Finding, Tone

FEW_STEPS = 500
"""Below this a network of this kind is usually unfinished."""
FEW_POSITIVES, VERY_FEW_POSITIVES = 100, 30
SMALL_TRAINING_SET, SMALL_SET_OF_NUMBERS = 300, 1_000
"""Positives, or examples of the rarest class; and examples with a number."""
WIDE_INTERVAL = 0.1
MUCH_LOWER = 0.05
CALIBRATED, UNCALIBRATED = 0.05, 0.1
SCALED, OFF_SCALE = 0.05, 0.15
"""Share of the variance that is lost by a wrong offset or slope."""
RARE = 0.001
"""One positive in a thousand windows: the order of magnitude of binding sites in a genome."""


def against_baselines(run: RunFolder) -> list[Finding]:
    """Hold the network against guessing, the best known motif and the k-mer model."""
    measure = judged_by(run)
    network = score(run, measure) if measure else None
    if measure is None or network is None:
        return []
    chance = guess(run, measure)
    if chance is not None and network.bounds[0] <= chance:
        text = (
            f"The test {label_of(measure)} is {network}; {_round(chance)} is guessing. "
            "Nothing was learned that holds on unseen examples: look at the data, not at the motifs."
        )
        return [Finding("serious", "No better than guessing", text)]
    rivals = baselines(run, measure)
    found = [finding for name in rivals if name != "gc" and (finding := _beside(run, name, measure))]
    if found or not rivals:
        return found
    name, best = next(iter(rivals.items()))
    gain = gain_over(run, name, measure)
    if _difference(gain, network, best)[0] <= 0:
        text = f"GC content alone reaches {best}, the network {network}. What it adds beyond base composition has not been shown."
        return [Finding("serious" if network.value <= best.value else "caution", "Not shown to be better than GC content", text)]
    how = f"a gain of {gain} on the same examples" if gain else "the intervals do not touch"
    text = f"{_sentence(label_of(measure))} {network} on the test set, against {best} for the strongest baseline, {_named(run, name)}; {how}."
    return [Finding("good", "Better than every baseline", text)]


def other_measures(run: RunFolder) -> list[Finding]:
    """Say of a network that is better than every baseline by which other of the measures that the page leads with one of them scores higher."""
    if [finding.tone for finding in against_baselines(run)] != ["good"]:
        return []
    lead, behind, plainly = judged_by(run), [], False
    for measure in headline_measures(run):
        network, rivals = score(run, measure), {name: found for name, found in baselines(run, measure).items() if name != "gc"}
        if measure == lead or network is None or not rivals:
            continue
        name, best = next(iter(rivals.items()))
        sign = -1 if measure in UP_IS_WORSE else 1
        if sign * (network.value - best.value) < 0:
            behind.append(f"{label_of(measure)} {network} for the network, {best} for {_named(run, name)}")
            plainly |= max(sign * bound for bound in _difference(gain_over(run, name, measure), network, best)) < 0
    if not behind:
        return []
    advice = "If that is what you need the predictions for, use the baseline." if plainly else "The difference may be none."
    return [Finding("caution" if plainly else "note", "Not better by every measure", f"{_sentence('; '.join(behind))}. {advice}")]


def latents(run: RunFolder) -> list[Finding]:
    """Say whether an autoencoder uses its latents at all."""
    latent = run.metrics.get("latent") or {}
    text = str(latent.get("text") or "")
    if not latent.get("collapsed"):
        return []
    kind = "The posterior has collapsed" if latent.get("kl_bits") is not None else "The latents are ignored"
    return [Finding("serious", kind, f"{text[:1].upper()}{text[1:]}")]


def samples(run: RunFolder) -> list[Finding]:
    """Return what the report card found of the samples of a generator."""
    if run.metrics.get("family") != "generator":
        return []
    found = (run.metrics.get("verdict") or {}).get("findings") or []
    return [Finding(entry["tone"], str(entry["title"]), str(entry["text"])) for entry in found]


def _beside(run: RunFolder, name: str, measure: str) -> Finding | None:
    """Compare the network with one baseline; None where it is clearly better, or either is not defined."""
    network, other = score(run, measure), baselines(run, measure).get(name)
    if network is None or other is None:
        return None
    gain = gain_over(run, name, measure)
    if _difference(gain, network, other)[0] > 0:
        return None
    short = BASELINES.get(name, name)
    numbers = f"{_sentence(label_of(measure))} {network} for the network, {other} for {_named(run, name)}, on the same test examples."
    advice = "use the PWM" if name == "pwm" else f"use the {short}"
    if network.value <= other.value:
        reason = "It is simpler, and here it does no worse."
        return Finding("serious", f"The network is not better than the {short}: {advice}", f"{numbers} {reason}")
    if gain:
        reason = f"The difference, {gain} on the same examples, may be none. Until more examples say otherwise, {advice}: it is simpler."
    else:
        reason = f"The intervals overlap. Unless a paired comparison on the same examples says otherwise, {advice}: it is simpler."
    return Finding("caution", f"Not shown to be better than the {short}", f"{numbers} {reason}")


def _difference(gain: Estimate | None, network: Estimate, other: Estimate) -> tuple[float, float]:
    """Return the bounds of a measure of the network less that of a baseline: on the same resamples where drawn, else from both intervals."""
    return gain.bounds if gain else (network.bounds[0] - other.bounds[1], network.bounds[1] - other.bounds[0])


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]


def _round(value: float) -> str:
    return f"{value:g}" if value in (0, 0.5) else decimal(value)


def _named(run: RunFolder, name: str) -> str:
    words = BASELINES.get(name, name)
    detail = baseline_detail(run, name).partition(" (")[0].removeprefix(words).strip(" ,:")  # the table has the rest
    return f"the {words} ({detail})" if detail else f"the {words}"


def sample_size(run: RunFolder) -> list[Finding]:
    """Say where the test set is too small to tell."""
    found = []
    measure = judged_by(run) or "auroc"
    network = score(run, measure)
    known = f" The interval of the {label_of(measure)} is {network.interval}." if network and network.interval else ""
    tested, words = _scarcest(run, "test")
    if tested is not None and tested < FEW_POSITIVES:
        tone: Tone = "serious" if tested < VERY_FEW_POSITIVES else "caution"
        where = "more test chromosomes" if run.section("data").get("genome") else "a larger test split"
        more = f"{where}, or cross-validation with --folds 5"
        rest = "That class's numbers, and the means over classes, rest" if run.task == "multiclass" else "The scores rest"
        text = f"{rest} on {words}.{known} Test on more: {more}."
        found.append(Finding(tone, f"Only {words} in the test set", text))
    elif network is not None and network.width > WIDE_INTERVAL:
        text = (
            f"The {label_of(measure)} is {network}. A difference smaller than half of that interval means nothing. "
            "Test on more, or cross-validate with --folds 5."
        )
        found.append(Finding("caution", "The score is only roughly known", text))
    trained, words = _scarcest(run, "train")
    if trained is not None and trained < (SMALL_SET_OF_NUMBERS if run.task == "regression" else SMALL_TRAINING_SET):
        simple = "a known motif or a k-mer model" if is_binary(run) else "a linear model of k-mers or positions"
        text = f"Trained on {words}. With so few {simple} is hard to beat; read the comparison above closely."
        found.append(Finding("note", "A small training set", text))
    return found


def _scarcest(run: RunFolder, split: str) -> tuple[int | None, str]:
    """Return how many examples there are of what a split has fewest of, and the same in words."""
    counts = class_counts(run).get(split, {})
    if not counts:
        return None, ""
    if run.task == "regression":
        return sum(counts.values()), plural(sum(counts.values()), "example")
    if run.task == "multiclass":
        rarest = min(counts, key=lambda name: counts[name])
        return counts[rarest], f"{plural(counts[rarest], 'example')} of {rarest}"
    n = counts.get("positives")
    return n, "" if n is None else plural(n, "positive")


def training(run: RunFolder) -> list[Finding]:
    """Say where training stopped too early, or did not carry over."""
    found = []
    taken = steps(run)
    if taken is not None and taken < FEW_STEPS:
        text = (
            f"Under {FEW_STEPS} steps a network like this is usually unfinished. Allow more epochs (--max-epochs) or smaller batches (--batch-size)."
        )
        found.append(Finding("caution", f"Trained for {plural(taken, 'step')} only", text))
    if run.log is not None and _was_cut_short(run.log):
        text = "The last epoch was the best one on the validation set, so more epochs may still help (--max-epochs)."
        found.append(Finding("note", "Still improving when it stopped", text))
    measure = judged_by(run) or "auroc"
    validation, test = score(run, measure, "val"), score(run, measure)
    if validation and test and validation.value - test.value > MUCH_LOWER:
        text = (
            f"{_sentence(label_of(measure))} {validation} on the validation set, {test} on the test set. "
            "The two sets differ, or the choices were fitted to the first. Believe the second."
        )
        found.append(Finding("caution", "The test score is well below the validation score", text))
    return found


def _was_cut_short(log: pd.DataFrame) -> bool:
    """Tell whether the last epoch was the best while the learning rate had not been brought down."""
    if len(log) < 2 or best_epoch(log) != float(pd.to_numeric(log["epoch"]).max()):
        return False
    rate = pd.to_numeric(log["lr"], errors="coerce").dropna() if "lr" in log else pd.Series(dtype=float)
    return rate.empty or bool(rate.iloc[-1] > 0.1 * rate.max())


def scale(run: RunFolder) -> list[Finding]:
    """Say whether predicted numbers can be read as such, or only their order."""
    correlation, explained = score(run, "pearson"), score(run, "r2")
    if run.task != "regression" or correlation is None or explained is None:
        return []
    lost = correlation.value**2 - explained.value
    numbers = f"They explain {percent(explained.value)} of the variance" if explained.value > 0 else "They are further off than the mean would be"
    if lost <= SCALED:
        return [Finding("good", "The predictions are on the scale of the target", f"{numbers}, as much as their correlation allows for.")]
    text = f"{numbers}; with another offset and slope it would be {percent(correlation.value**2)}. Use them to rank, not as numbers."
    return [Finding("caution" if lost > OFF_SCALE else "note", "The predictions are off the scale of the target", text)]


def missed_classes(run: RunFolder) -> list[Finding]:
    """Name the classes most of whose examples are taken for others."""
    found = []
    table = class_table(run)
    for row in table.rows if table else ():
        recall = number(row.get("recall"))
        if table is None or recall is None or recall >= 0.5 or not int(row["n"]):
            continue
        own = table.names.index(str(row["name"]))
        others = [(n, name) for i, (n, name) in enumerate(zip(table.confusion[own], table.names, strict=True)) if i != own]
        instead = f", most of the others taken for {max(others)[1]}" if others and max(others)[0] else ""
        text = f"Of {plural(int(row['n']), 'test example')}, {percent(recall)} are called {row['name']}{instead}. The accuracy hides this."
        found.append(Finding("caution", f"{row['name']} is mostly missed", text))
    return found


def calibration(run: RunFolder) -> list[Finding]:
    """Say whether probabilities can be read as such."""
    error, outcome = score(run, "ece"), calls(run)
    if error is None or outcome is None:
        return []
    _, target, prediction = run.scored()[0]
    missed = f"Predicted probabilities miss the observed shares by {decimal(error.value)} on average"
    if error.value <= CALIBRATED:
        return [Finding("good", "The probabilities are calibrated", f"{missed}, on a test set with this share of positives.")]
    drift = float(prediction.mean() - target.mean())
    sure = float(np.maximum(prediction, 1 - prediction).mean() - ((prediction >= 0.5) == (target == 1)).mean())
    lean = "too high" if drift > 0.02 else "too low" if drift < -0.02 else "too sure" if sure > 0 else "too timid"
    if error.value <= UNCALIBRATED:
        return [Finding("note", "The probabilities are roughly calibrated", f"{missed}; they tend to be {lean}.")]
    return [Finding("caution", "The probabilities are off", f"{missed}; they tend to be {lean}. Use them to rank, not as probabilities.")]


def rarity(run: RunFolder) -> list[Finding]:
    """Say what a call is worth where positives are rare."""
    outcome = calls(run)
    if outcome is None or outcome.prevalence < 5 * RARE or not outcome.false_alarms or not outcome.found:
        return []
    text = (
        f"At a threshold of 0.5 the network finds {percent(outcome.found)} of the "
        f"positives and calls {percent(outcome.false_alarms)} of the negatives. "
        f"In this test set {percent(outcome.prevalence)} are positive; where one window in {count(1 / RARE)} is, "
        f"about {percent(outcome.precision_at(RARE))} of the calls would be right. "
        "Raise the threshold before scanning a genome."
    )
    return [Finding("note", "In a genome, positives are rarer than here", text)]


def one_seed(run: RunFolder) -> list[Finding]:
    """Say that one training shows no spread."""
    if "seeds" in run.metrics or "folds" in run.metrics or score(run, judged_by(run) or "auroc") is None:
        return []
    text = (
        "The intervals say how the score would move with other test examples, "
        "not with another seed or other training data. --seeds 3 or --folds 5 shows that spread."
    )
    return [Finding("note", "One training, one seed", text)]
