"""Judge synthetic sequences: from files, from Python, inside a generative run; and write the card as a folder with a page."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqdl.data.simulate import check_writable
from seqdl.errors import CheckFailed, InputError, OutputExistsError
from seqdl.evaluate.card import Card, CardMaker, Figures, Probe, make_card
from seqdl.evaluate.card_pools import make_pools
from seqdl.evaluate.embedding import precision_recall
from seqdl.evaluate.sequence_set import Sequences, SequenceSet
from seqdl.evaluate.spectra import kolmogorov_smirnov
from seqdl.experiment.given import Given, read_sequences
from seqdl.experiment.provenance import write_json
from seqdl.io.fasta import read_fasta
from seqdl.ledger import Ledger
from seqdl.motif.motif import Motif
from seqdl.progress import track
from seqdl.types import Floats

if TYPE_CHECKING:
    import pandas as pd

    from seqdl.experiment.run import Run
    from seqdl.tasks.base import Task

CHECKS = ("collapsed", "copies")
FILES = ("card.json", "card.html")
RUN_MARKS = ("config.yaml", "manifest.json", "checkpoints")
HEADS = ("JS 3-mer", "JS 6-mer", "AUROC 4-mer", "AUROC CNN", "motifs off", "place r", "nearest", "copies", "recall")
"""Of the columns of `Card.table`, as they are shown."""


def judge(
    samples: Sequences,
    real: Sequences,
    train: Sequences | None = None,
    *,
    motifs: Sequence[Motif] = (),
    predictor: Task | None = None,
    cnn: bool = True,
    seed: int = 0,
) -> Card:
    """Judge synthetic sequences against real ones.

    Half of the real sequences, at most as many as there are samples, are held out; both they and the samples are held against the others,
    and so are Markov chains of order 0 to 5, base frequencies by position and a dinucleotide shuffle.

    Parameters
    ----------
    samples, real : uint8 array (N, L), or sequences of uint8 arrays (L_i,)
        Codes: at least 50 samples and 100 real sequences, best ones that the generator has not seen.
    train : the same, optional
        What the generator was trained on. Copies are looked for in them; without them, among the real sequences.
    motifs : sequence of Motif, optional
        Known motifs; of more than 24 those are taken that real sequences hold beyond their composition.
    predictor : Task, optional
        A trained task whose scores are compared.
    cnn : bool, default True
        Whether fresh CNNs are trained to tell each set from real sequences: most of the time that it takes.
    seed : int, default 0
        Of everything that is drawn.

    Returns
    -------
    Card
        `to_dict` for JSON; prints as its verdict.

    Raises
    ------
    DataError
        If there are too few sequences, or the real ones are the training sequences.
    InputError
        If the predictor does not read sequences alone.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> real = rng.integers(0, 4, (200, 40)).astype(np.uint8)
    >>> card = judge(real[rng.integers(0, 4, 100)], real, cnn=False)           # four sequences, over and over
    >>> card.collapsed, card.to_dict()["sample"]["diversity"]["nearest_median"]
    (True, 0.0)
    """
    given = SequenceSet.of(train, name="training sequences") if train is not None else None
    pools = make_pools(SequenceSet.of(samples, name="samples"), SequenceSet.of(real, name="real sequences"), given, seed=seed)
    probes: list[Probe] = []
    if cnn:
        probes.append(CnnProbe(seed))
    if predictor is not None:
        probes.append(PredictorProbe(predictor))
    maker = CardMaker(pools, motifs, probes=probes, seed=seed)
    return make_card(maker, track=_track, settings={"cnn": cnn, "predictor": predictor is not None, "train": train is not None})


def judge_sequences(
    samples: Given,
    real: Given,
    train: Given | None = None,
    *,
    motifs: str | Sequence[Motif] = (),
    predictor: Run | Task | None = None,
    cnn: bool = True,
    seed: int = 0,
) -> Card:
    """Judge synthetic sequences against real ones, as `seqdl judge` does.

    Parameters
    ----------
    samples, real : path of a FASTA, list of str or of codes, codes (N, L), or one-hot (N, 4, L)
        At least 50 samples and 100 real sequences, best ones that the generator has not seen.
    train : the same, optional
        What the generator was trained on: copies are looked for in it.
    motifs : str or sequence of Motif, optional
        Known motifs: "jaspar", "jaspar:fungi", a motif file, or a list; without them motif content is left out.
    predictor : Run or Task, optional
        A trained run whose scores are compared.
    cnn : bool, default True
        Whether fresh CNNs are trained to tell each set from real sequences: most of the time that it takes.
    seed : int, default 0

    Returns
    -------
    Card
        Prints as its verdict; `table()` for the figures, `to_dict()` for all that there is.

    Raises
    ------
    DataError
        If there are too few sequences, or the real ones are the training sequences.
    InputError
        If the predictor does not read sequences alone.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> real = rng.integers(0, 4, (200, 40)).astype(np.uint8)
    >>> card = judge_sequences(["ACGTACGTACGTACGT"] * 60, real, cnn=False)
    >>> card.collapsed, float(card.table().loc["samples", "nearest"])
    (True, 0.0)
    """
    sets = [
        None if some is None else read_sequences(some, name=name)[1].list()
        for some, name in ((samples, "samples"), (real, "real sequences"), (train, "training sequences"))
    ]
    assert sets[0] is not None
    assert sets[1] is not None
    if isinstance(motifs, str):
        from seqdl.io.databases import load_database

        motifs = load_database(motifs)
    task: Any = getattr(predictor, "task", predictor)
    return judge(sets[0], sets[1], sets[2], motifs=motifs, predictor=task, cnn=cnn, seed=seed)


def judge_files(
    samples: str, real: str, train: str | None = None, *, database: str | None = None, predictor: str | None = None, seed: int = 0
) -> Card:
    """Judge the sequences of a FASTA file.

    Parameters
    ----------
    samples, real : path or "-"
        FASTA files.
    train : path, optional
    database : str, optional
        "jaspar", "jaspar:fungi" or a motif file.
    predictor : path, optional
        The folder of a trained run.
    seed : int, default 0

    Returns
    -------
    Card
        What was taken with care in the files stands in its notes.

    Raises
    ------
    InputError
        If standard input is named twice.
    """
    if [str(path) for path in (samples, real, train)].count("-") > 1:
        raise InputError("standard input was named twice: it can be read once. Give one of the files by its name.")
    ledger = Ledger()
    sets = [None if path is None else [record.codes for record in read_fasta(path, ledger=ledger)] for path in (samples, real, train)]
    motifs: list[Motif] = []
    if database:
        from seqdl.io.databases import load_database

        motifs = load_database(database)
    task = None
    if predictor:
        from seqdl.experiment.run import load_run

        task = load_run(predictor).task
    assert sets[0] is not None
    assert sets[1] is not None
    card = judge(sets[0], sets[1], sets[2], motifs=motifs, predictor=task, seed=seed)
    card.notes.extend(ledger.notes)
    card.settings.update({"samples": str(samples), "real": str(real), "training": train, "database": database, "predictor": predictor})
    return card


def _track(names: Iterable[str], label: str) -> Iterable[str]:
    return track(names, label)


class CnnProbe:
    """Trains a fresh CNN on each set; adds to the two-sample figures."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __call__(self, some: SequenceSet, real: SequenceSet) -> Figures:
        """Return how well a fresh CNN tells the two apart."""
        from seqdl.experiment.two_sample import cnn_test

        return {"two_sample": {"cnn": cnn_test(some, real, seed=self.seed)}}


class PredictorProbe:
    """Scores each set with a trained task; the real ones once."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self._real: tuple[Floats, SequenceSet] | None = None

    def __call__(self, some: SequenceSet, real: SequenceSet) -> Figures:
        """Return the scores of each output beside those of real sequences."""
        if self._real is None or self._real[1] is not real:
            self._real = self._scores(real), real
        own, theirs = self._scores(some), self._real[0]
        outputs = {
            name: {"mean": float(own[:, t].mean()), "sd": float(own[:, t].std()), "ks": kolmogorov_smirnov(own[:, t], theirs[:, t])}
            for t, name in enumerate(self.task.outputs)
        }
        space = precision_recall(own, theirs) if own.shape[1] > 1 else {}
        return {"predictor": outputs, **({"predictor_space": space} if space else {})}

    def _scores(self, some: SequenceSet) -> Floats:
        """Return the logits of sequences, (N, T)."""
        import torch

        from seqdl.experiment.predict import predict_logits

        lengths = None if some.length else some.lengths
        try:
            logits = predict_logits(self.task, some.codes, lengths=lengths, device="cpu")
        except RuntimeError as error:
            reason = " ".join(str(error).split())[:160]
            raise InputError(
                f"the predictor cannot read these sequences of {some.codes.shape[1]} bp ({reason}); a network that takes DNA of this length and "
                "nothing beside was expected. Give another --predictor, or none."
            ) from None
        return np.asarray(self.task.summary(torch.from_numpy(logits)).numpy(), dtype=np.float64)


def check_card_passes(card: Card, checks: Sequence[str]) -> None:
    """Raise `CheckFailed` for the checks, of collapsed and copies, that do not pass."""
    titles = {finding["check"]: finding["text"] for finding in card.verdict["findings"] if finding["tone"] == "serious"}
    failed = [f"{check}: {titles[key]}" for check, key in (("collapsed", "collapse"), ("copies", "copies")) if check in checks and key in titles]
    if failed:
        raise CheckFailed(" ".join(failed))


def check_card_folder(folder: Path, *, force: bool = False) -> None:
    """Raise `OutputExistsError` if a card may not be written to `folder`.

    A training run is never written into, not even with `force`: its manifest would no longer hold.
    """
    marks = [name for name in RUN_MARKS if (folder / name).exists()]
    if marks:
        raise OutputExistsError(f"{folder}: is the folder of a run (it holds {marks[0]}), whose files a card would replace. Choose another folder.")
    check_writable(folder, [folder / name for name in FILES], force=force)


def write_card(folder: Path, card: Card, *, force: bool = False) -> Path:
    """Write card.json and card.html, both or none.

    Parameters
    ----------
    folder : Path
        Made where it is not there.
    card : Card
    force : bool, default False
        Replace an earlier card.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    OutputExistsError
        If a card is there already and `force` is not set, or a run is.
    """
    from seqdl.report.judge_page import build_judge_page

    check_card_folder(folder, force=force)
    folder = Path(folder).resolve()
    new = [place for place in (folder, *folder.parents) if not place.exists()]
    holder = (folder if folder.is_dir() else folder.parent) / f".card-{uuid.uuid4().hex}.part"
    try:
        try:
            holder.mkdir(parents=True)
            write_json(holder / "card.json", card.to_dict())
            build_judge_page(holder)
            folder.mkdir(parents=True, exist_ok=True)
            for name in FILES:
                (holder / name).replace(folder / name)
        finally:
            shutil.rmtree(holder, ignore_errors=True)
    except BaseException:  # an interrupt, too, leaves nothing half made
        for place in new:
            shutil.rmtree(place, ignore_errors=True)
        raise
    return folder / "card.html"


def card_table(card: Card) -> list[tuple[str, ...]]:
    """Return the figures that matter as rows of text: the head, then a row for the samples, real sequences and each generator."""
    table = card.table()
    return [("", *HEADS), *((str(name), *_cells(row)) for name, row in table.iterrows())]


def _cells(row: pd.Series[float]) -> list[str]:
    if row.isna().all():
        return ["-"] * len(row)
    near, shown = row["nearest"], {"js_3": 4, "js_6": 4, "kmer_auroc": 3, "cnn_auroc": 3, "motifs_off": 0, "place_r": 2, "recall": 2}
    digits = shown | {"nearest": 0 if not 0 < near < 1 else 2}
    return [
        f"{round(100 * row[name], 1 if row[name] >= 0.01 else 2):g} %" if name == "copies" else _number(row[name], digits[name]) for name in row.index
    ]


def _number(value: float, digits: int) -> str:
    return "-" if np.isnan(value) else f"{value:.{digits}f}"
