"""How far to believe the network: what the data, their split and their motifs say."""

from __future__ import annotations

import pandas as pd

from seqdl.audit.summary import MANY_RELATED
from seqdl.report.facts import NEGATIVES, is_binary, judged_by, label_of, negatives_kind, score
from seqdl.report.folder import RunFolder
from seqdl.report.numbers import decimal, number, percent, plural
from seqdl.report.section import Finding, Tone

VAGUE_BITS = 8.0
"""Filters with less information match something by chance most of the time."""
SIGNIFICANT = 0.05
MANY_LEAKS = 0.05
SAME_SCORE = 0.005
MANY_DROPPED = 0.05
FEATURES = {"gc": "GC content", "length": "sequence length", "n_content": "the share of unknown bases"}


def leaks(run: RunFolder) -> list[Finding]:
    """Say whether test examples are in the training set."""
    row = (run.audit.get("leakage") or {}).get("test")
    if not isinstance(row, dict) or not row.get("n"):
        return []
    n, found = int(row["n"]), int(row.get("n_leaky") or 0)
    if not found:
        text = (
            f"None of the {plural(n, 'test example')} is in the training set as a copy, a reverse complement, a near-copy or an overlapping interval."
        )
        return [Finding("good", "No leak between training and test", text)]
    share = found / n
    measure = judged_by(run) or "auroc"
    cleaned, whole, label = score(run, measure, "test_leak_free"), score(run, measure), label_of(measure)
    comparison = (
        f" Without them the {label} is {cleaned}; with them it is {whole}. Quote the first."
        if cleaned and whole
        else " Read the score without them, or split by chromosome or homology."
    )
    where = f"{plural(found, 'test example')} of {n:,} ({percent(share)}) {'is' if found == 1 else 'are'} also in the training set"
    if cleaned and whole and share <= MANY_LEAKS and abs(whole.value - cleaned.value) < SAME_SCORE:
        text = f"{where}. It makes no difference: without them the {label} is {cleaned}, with them {whole}."
        return [Finding("note", "A few test examples are in the training set", text)]
    text = f"{where}, so the test score flatters the network.{comparison}"
    return [Finding("serious" if share > MANY_LEAKS else "caution", "The test set leaks", text)]


def related(run: RunFolder) -> list[Finding]:
    """Say whether test examples have close relatives in the training set that are no leaks by definition."""
    row = (run.audit.get("leakage") or {}).get("test")
    share = number(row.get("related_rate")) if isinstance(row, dict) else None
    if not row or share is None or share <= MANY_RELATED:
        return []
    text = (
        f"{plural(int(row['n_related']), 'test example')} ({percent(share)}) share half or more of their 24-mers with the training set, as variants "
        "of one sequence do. They are not counted as leaks, yet the score flatters the network; --split homology keeps relatives together."
    )
    return [Finding("caution", "Test examples have close relatives in training", text)]


def shortcuts(run: RunFolder) -> list[Finding]:
    """Say whether something simple separates the classes."""
    measured = [entry for entry in run.audit.get("shortcuts") or [] if isinstance(entry, dict) and number(entry.get("auroc")) is not None]
    found = []
    for entry in measured:
        if entry.get("is_shortcut"):
            name = FEATURES.get(str(entry.get("name")), str(entry.get("name")))
            bounds = f" ({decimal(entry.get('low'))}–{decimal(entry.get('high'))})" if number(entry.get("low")) is not None else ""
            text = (
                f"Alone, it reaches AUROC {decimal(entry['auroc'])}{bounds}. "
                "The network may have learned this instead of binding sites, and would fail where it is matched."
            )
            found.append(Finding("serious", f"A shortcut: {name} separates the classes", text))
    if measured and not found:
        highest = max(measured, key=lambda entry: float(entry["auroc"]))
        text = (
            "GC content, length and unknown bases do not tell the classes apart; the strongest, "
            f"{FEATURES.get(str(highest.get('name')), '')}, reaches AUROC {decimal(highest['auroc'])}."
        )
        found.append(Finding("good", "No shortcut", text))
    return found


def contradictions(run: RunFolder) -> list[Finding]:
    """Say whether some sequences are both positive and negative."""
    n = int(number(run.audit.get("n_contradictions")) or 0)
    if not n:
        return []
    text = f"{plural(n, 'sequence')} stand in both classes, on either strand. No network can get both right; check how the negatives were made."
    return [Finding("caution", "Some sequences are both positive and negative", text)]


def negatives(run: RunFolder) -> list[Finding]:
    """Say what the kind of negatives means for the question."""
    kind = negatives_kind(run)
    if not kind or not is_binary(run):
        return []
    said = {
        "gc": "They have the GC content of the positives, so base composition cannot help. Scores hold against such windows only.",
        "genomic": "Where positives are richer in GC, part of the score is GC content; --negatives gc takes that away.",
        "dinuc": "Telling real DNA from shuffled DNA is part of the task. Such a network does much worse "
        "against real windows of the genome: do not scan with it before testing it there.",
        "flank": "They share base composition and openness, and some may hold sites of their own.",
        "file": "How they were chosen decides what the network could learn; scores hold against negatives of that kind only.",
    }
    tone: Tone = "caution" if kind == "dinuc" else "note"
    title = f"Negatives: {NEGATIVES.get(kind, 'a file of your own')}"
    return [Finding(tone, title, said[kind] + " Never compare scores across kinds of negatives.")]


def split(run: RunFolder) -> list[Finding]:
    """Say what a random split means."""
    if str(run.section("data").get("split") or "") != "random":
        return []
    text = (
        "Relatives of a test example (repeats, paralogues, "
        "overlapping windows) can stand in the training set. --split chromosome or homology keeps them apart."
    )
    return [Finding("caution", "The split was random", text)]


def dropped(run: RunFolder) -> list[Finding]:
    """Say where many examples were left out."""
    if run.dropped is None or run.examples is None or run.dropped.empty:
        return []
    n = len(run.dropped)
    share = n / (n + len(run.examples))
    if share <= MANY_DROPPED:
        return []
    reason = str(run.dropped["reason"].value_counts().index[0])
    text = f"{plural(n, 'example')} ({percent(share)}) were left out, most because: {reason}. What remains may differ from what was asked about."
    return [Finding("caution", "Many examples were left out", text)]


def motifs(run: RunFolder) -> list[Finding]:
    """Say how much the motifs carry."""
    table = run.motifs
    if table is None or table.empty:
        return []
    bits = pd.to_numeric(table["information_bits"], errors="coerce")
    known = pd.to_numeric(table["match_q"], errors="coerce") < SIGNIFICANT if "match_q" in table else pd.Series(data=False, index=table.index)
    sharp = int((known & (bits >= VAGUE_BITS)).sum())
    what = "motif" if "of_members" in table else "filter"
    if sharp:
        text = (
            f"{plural(sharp, what)} of {len(table)} {'is' if sharp == 1 else 'are'} sharp ({VAGUE_BITS:g} "
            f"bits or more) and {'matches' if sharp == 1 else 'match'} a known motif at q < {SIGNIFICANT:g}."
        )
        if run.section("training").get("init_motifs"):
            return [Finding("note", "Known motifs were given to the network", f"{text} Filters began as known motifs: these are what training left.")]
        return [Finding("good", "The network reads known motifs", text)]
    text = (
        f"No {what} both holds {VAGUE_BITS:g} bits or more and matches a known motif at q < {SIGNIFICANT:g}. "
        "The motifs may be new, or the network may predict from composition; a vague filter matches something by chance."
    )
    return [Finding("caution", "No sharp filter looks like a known motif", text)]
