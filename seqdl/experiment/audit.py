"""Audit examples before a network sees them: from flags, from Python, and as a folder with a page."""

from __future__ import annotations

import dataclasses
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqdl.data.simulate import check_writable
from seqdl.errors import CheckFailed, InputError, OutputExistsError
from seqdl.experiment.complete import audit, write_data
from seqdl.experiment.config import Config, make_config
from seqdl.experiment.prepare import prepare, resolve_data

if TYPE_CHECKING:
    from seqdl.data.dataset import SequenceData

CHECKS = ("leak", "shortcut")
FILES = ("audit.json", "audit.html", "data/examples.tsv", "data/dropped.tsv", "data/negatives.bed")
RUN_MARKS = ("config.yaml", "manifest.json", "checkpoints")


class Audit(dict[str, Any]):
    """What `seqdl.audit.summary.audit_examples` returns, with the k-mer baseline; prints as its verdict.

    Examples
    --------
    >>> print(Audit(verdict=["No leak.", "No shortcut."], leak=False))
    No leak.
    No shortcut.
    """

    def __str__(self) -> str:
        """Return the verdict, a sentence a line."""
        return "\n".join(self["verdict"])


def audit_data(data: SequenceData | None = None, *, seed: int = 0, **options: Any) -> Audit:
    """Look for leaks between the splits and for shortcuts; nothing is removed unless ``deduplicate=True`` is given.

    Parameters
    ----------
    data : SequenceData, optional
        The examples; or they are made from `options`.
    seed : int, default 0
        Of what is sampled, split at random or folded.
    **options
        The data flags of `seqdl train`: fasta=[...], genome=..., peaks=..., negatives=..., split=..., and so on.

    Returns
    -------
    Audit
        A dict, ready for JSON: "n", "leakage", "leak", "shortcuts", "shortcut", "baselines", "n_duplicates", "n_contradictions",
        "dropped", "notes", "verdict", "seed", and "data", the options with their defaults. Prints as its verdict.

    Raises
    ------
    InputError
        If both data and options are given, or something is wrong with them.
    UnknownNameError
        If there is no such option.

    Examples
    --------
    >>> from seqdl.data.dataset import SequenceData
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> codes = list(rng.integers(0, 4, (60, 50)).astype(np.uint8))
    >>> codes[59] = codes[0]                                            # a test example that is also in training
    >>> names = [f"s{i}" for i in range(60)]
    >>> data = SequenceData.from_sequences(codes, np.tile([1.0, 0.0], 30), ["train"] * 40 + ["test"] * 20, names=names)
    >>> found = audit_data(data)
    >>> found["leak"], found["leakage"]["test"]["n_exact"]
    (True, 1)
    """
    if data is None:
        return audit_config(make_config({"data": options, "seed": seed}))[1]
    if options:
        raise InputError(f"data were given together with {', '.join(options)}: one source of examples was expected. Leave one of them out.")
    return _with_baseline(data, {}, seed)


def audit_config(config: Config) -> tuple[SequenceData, Audit]:
    """Make the examples of a config and audit them.

    Parameters
    ----------
    config : Config
        Its data section and its seed count.

    Raises
    ------
    SeqdlError
        If the inputs are wrong or do not suffice; nothing has been written then.
    """
    data = prepare(config)
    return data, _with_baseline(data, dataclasses.asdict(resolve_data(config)), config.seed)


def _with_baseline(data: SequenceData, settings: dict[str, Any], seed: int) -> Audit:
    """Audit, and add what a k-mer model reaches: a baseline, since k-mers are what a network is to learn from."""
    found = Audit(audit(data))
    baselines = _kmer_baseline(data, seed) if found["shortcuts"] and data.kind == "binary" else {}
    sentences = []
    for entry in baselines.values():
        score = entry["auroc"]
        if score["value"] is not None:
            between = "" if score["low"] is None else f", 95 % interval {score['low']:.2f} to {score['high']:.2f}"
            sentences.append(
                f"Baseline: k-mers alone reach an AUROC of {score['value']:.2f} on the test set{between}. This is no shortcut, but a network "
                "has to do better to be worth its while."
            )
    found.update(baselines=baselines, verdict=[*found["verdict"], *sentences], seed=seed, data=settings)
    return found


def _kmer_baseline(data: SequenceData, seed: int) -> dict[str, Any]:
    """Fit k-mers on the training split and measure them on the test split; empty where a class is lacking."""
    from seqdl.evaluate.bootstrap import with_intervals
    from seqdl.evaluate.kmer_baseline import fit_kmer
    from seqdl.experiment.evaluate import baseline_rows

    rows = baseline_rows(data, seed)
    train, test = data.targets()[rows, 0] > 0, data.targets("test")[:, 0]
    if not len(test) or len(set(train.tolist())) < 2:
        return {}
    model = fit_kmer(data.codes[rows], train, seed=seed)
    measured = with_intervals(test, model.predict(data.codes_of("test")), seed=seed, metrics=("auroc", "auprc"))
    return {model.name: measured | {"detail": model.detail}}


def check_audit_passes(found: Audit, checks: Sequence[str]) -> None:
    """Raise `CheckFailed` for the checks, of leak and shortcut, that do not pass."""
    failed = []
    if "leak" in checks and found["leak"]:
        row = found["leakage"]["test"]
        failed.append(f"leak: {row['n_leaky']:,} of the {row['n']:,} test examples are also in the training set")
    if "shortcut" in checks and found["shortcut"]:
        names = [entry["name"] for entry in found["shortcuts"] if entry["is_shortcut"]]
        failed.append(f"shortcut: {', '.join(names)} alone separates the classes")
    if failed:
        raise CheckFailed(f"{'; '.join(failed)}. The verdict says what to do.")


def check_audit_folder(folder: Path, *, force: bool = False) -> None:
    """Raise `OutputExistsError` if an audit may not be written to `folder`.

    A training run is never written into, not even with `force`: its manifest would no longer hold.
    """
    marks = [name for name in RUN_MARKS if (folder / name).exists()]
    if marks:
        raise OutputExistsError(f"{folder}: is the folder of a run (it holds {marks[0]}), whose files an audit would replace. Choose another folder.")
    check_writable(folder, [folder / name for name in FILES], force=force)


def write_audit(folder: Path, data: SequenceData, found: Audit, *, force: bool = False) -> Path:
    """Write audit.json, data/ and audit.html, all of them or none.

    Parameters
    ----------
    folder : Path
        Made where it is not there.
    data : SequenceData
    found : Audit
        What was found in `data`.
    force : bool, default False
        Replace an earlier audit.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    OutputExistsError
        If an audit is there already and `force` is not set, or a run is.
    """
    from seqdl.report.audit_page import build_audit_page

    check_audit_folder(folder, force=force)
    folder = Path(folder).resolve()
    new = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        holder = (folder if folder.is_dir() else folder.parent) / f".audit-{uuid.uuid4().hex}.part"
        staged = holder / folder.name
        try:
            write_data(staged, data, found=found)
            build_audit_page(staged)
            (folder / "data").mkdir(parents=True, exist_ok=True)
            for name in FILES:
                (folder / name).unlink(missing_ok=True)
                if (staged / name).is_file():
                    (staged / name).replace(folder / name)
        finally:
            shutil.rmtree(holder, ignore_errors=True)
    except BaseException:  # an interrupt, too, leaves nothing half made
        for place in new:
            shutil.rmtree(place, ignore_errors=True)
        raise
    return folder / "audit.html"
