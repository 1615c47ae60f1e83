"""Fixtures that several test folders share."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: threads that wait must not burn the cores that others test on


@pytest.fixture(autouse=True, scope="session")
def private_cache(tmp_path_factory):
    """Keep the tests' genome cache out of the user's."""
    before = os.environ.get("SEQDL_CACHE")
    os.environ["SEQDL_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["SEQDL_CACHE"]
    else:
        os.environ["SEQDL_CACHE"] = before


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data, or skip (fail where SEQDL_REQUIRE_DATA is set)."""
    folder = Path(os.environ.get("SEQDL_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        message = f"real data are not at {folder}; set SEQDL_DATA to their folder"
        if os.environ.get("SEQDL_REQUIRE_DATA"):
            pytest.fail(message)
        pytest.skip(message)
    return folder


SITE = "TTACCCGGCA"
TINY_OPTIONS = ["--model", "cnn", "--model.filters", "8", "--max-steps", "24", "--window", "60", "--ratio", "1", "--train-ratio", "2"]


@dataclass(frozen=True)
class Tiny:
    """A small data set with one planted site, as files; trained on within a second or two."""

    folder: Path

    def path(self, name: str) -> str:
        return str(self.folder / name)

    @property
    def options(self) -> list[str]:
        """Flags that keep a training small and JASPAR out of it."""
        return [*TINY_OPTIONS, "--device", "cpu", "--database", self.path("known.meme")]

    @property
    def peaks(self) -> list[str]:
        return ["--genome", self.path("genome.fa"), "--peaks", self.path("peaks.bed"), "--context", "0"]

    @property
    def fasta(self) -> list[str]:
        return [self.path("positives.fa"), self.path("negatives.fa")]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> Tiny:
    """Write a genome of six chromosomes with twelve peaks each, two FASTA files, and two known motifs."""
    from seqdl.io.motifs import write_meme
    from seqdl.motif.motif import Motif

    folder = tmp_path_factory.mktemp("tiny")
    rng = np.random.default_rng(0)
    letters = np.array(list("ACGT"))
    site = np.array(["ACGT".index(base) for base in SITE])
    genome, peaks = [], []
    for chrom in ("chrI", "chrII", "chrIII", "chrIV", "chrV", "chrVI"):
        codes = rng.integers(0, 4, 6_000)
        for i, start in enumerate(range(100, 5_860, 480)):
            codes[start + 25 : start + 35] = site if i % 2 else 3 - site[::-1]
            peaks.append(f"{chrom}\t{start}\t{start + 60}\n")
        genome.append(f">{chrom}\n{''.join(letters[codes])}\n")
    (folder / "genome.fa").write_text("".join(genome))
    (folder / "peaks.bed").write_text("".join(peaks))
    for name, planted in (("positives", True), ("negatives", False)):
        codes = rng.integers(0, 4, (60, 60))
        if planted:
            codes[:, 20:30] = site
        (folder / f"{name}.fa").write_text("".join(f">{name[:3]}{i}\n{''.join(letters[row])}\n" for i, row in enumerate(codes)))
    known = [Motif("KNOWN1", np.eye(4)[:, site] * 0.96 + 0.01, alt_name="REB1"), Motif("KNOWN2", np.eye(4)[:, [0, 1, 2, 3, 0, 0, 1]] * 0.96 + 0.01)]
    write_meme(folder / "known.meme", known)
    return Tiny(folder)


@pytest.fixture(scope="session")
def tiny_run(tiny, tmp_path_factory) -> Path:
    """Train once on the small genome; copy the folder before changing anything in it."""
    from seqdl.cli.main import main

    folder = tmp_path_factory.mktemp("trained") / "run"
    before = os.environ.get("SEQDL_QUIET")
    assert main(["train", *tiny.peaks, *tiny.options, "--strands", "shared", "-o", str(folder), "--quiet"]) == 0
    if before is None:
        os.environ.pop("SEQDL_QUIET", None)
    return folder


def pytest_make_parametrize_id(val, argname):
    """Leave bytes out of the ids of tests: a clock or a draw packed into them would differ between parallel workers."""
    return argname if isinstance(val, bytes) else None
