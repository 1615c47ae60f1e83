"""What the report card of synthetic sequences catches, whom it accuses wrongly, and what it costs.

    python benchmarks/judge.py splits                real against real: how many of 20 splits get a clean bill (--data promoters, ctcf or ecoli)
    python benchmarks/judge.py caught                collapse, copies, Markov chains and position-wise frequencies: what is found
    python benchmarks/judge.py monitor               the collapse monitor on 256 samples: found, and false alarms
    python benchmarks/judge.py cnn                   how well the CNN tells simple generators from simulated promoters, 10,000 of each
    python benchmarks/judge.py cost                  the whole card of 10,000 x 200 bp against 10,000: CPU seconds and memory

Reads the development data at ../shared/data, or where SEQDL_DATA points, for ctcf and ecoli alone.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import os
import resource
import time
from pathlib import Path

import numpy as np

from seqdl.data.promoters import promoter_elements, simulate_promoters
from seqdl.evaluate.card import CardMaker, Figures, motif_rows
from seqdl.evaluate.card_pools import make_pools
from seqdl.evaluate.card_verdict import verdict
from seqdl.evaluate.diversity import Collapse, collapse_monitor
from seqdl.evaluate.markov_ladder import MarkovChain, position_sample, simple_generators
from seqdl.evaluate.sequence_set import SequenceSet
from seqdl.experiment.judge import CnnProbe, judge
from seqdl.experiment.two_sample import cnn_test
from seqdl.io.databases import load_database
from seqdl.io.fasta import read_fasta
from seqdl.sequence.encode import encode
from seqdl.types import Codes

DATA = Path(os.environ.get("SEQDL_DATA", Path(__file__).parents[2] / "shared" / "data"))
LENGTH = 64


def quick_verdict(samples: Codes, real: Codes, train: Codes | None, seed: int = 0) -> Figures:
    """Return the verdict without the simple generators, which it only mentions."""
    sets = [None if some is None else SequenceSet.of(some) for some in (samples, real, train)]
    assert sets[0] is not None
    assert sets[1] is not None
    motifs = [element.motif for element in promoter_elements()] if samples.shape[1] == LENGTH else load_database("jaspar")
    maker = CardMaker(make_pools(sets[0], sets[1], sets[2], seed=seed), motifs, probes=[CnnProbe(seed)], seed=seed)
    own, floor = maker.figures(maker.pools.sample), maker.figures(maker.pools.held_out)
    collapse = Collapse.between(own.diversity, floor.diversity)
    return verdict(own.figures, floor.figures, {}, collapse=collapse, motifs=motif_rows(maker, own, floor))


def real_sequences(name: str, n: int, seed: int) -> Codes:
    """Return real sequences of one length, at most n of them at random."""
    if name == "promoters":
        return simulate_promoters(n, seed=seed)[0]
    if name == "ctcf":
        codes = [record.codes for record in read_fasta(DATA / "human_ctcf/ctcf.fa.gz")]
    else:
        with gzip.open(DATA / "ecoli_promoter_mpra/ecoli_mpra_expr.csv.gz", "rt", encoding="utf-8-sig") as lines:
            rows = list(csv.reader(lines))[1:]
        codes = [encode(next(word for word in row if len(word) > 100)) for row in rows]
    same = [one for one in codes if len(one) == len(codes[0])]
    return np.array(same)[np.random.default_rng(seed).permutation(len(same))[:n]]


def splits(name: str, n: int, times: int) -> None:
    clean = 0
    for seed in range(times):
        began, codes = time.process_time(), real_sequences(name, 3 * n, seed)
        third = len(codes) // 3
        found = quick_verdict(codes[:third], codes[third : 3 * third], None, seed)
        against = [finding["title"] for finding in found["findings"] if finding["tone"] in ("serious", "caution")]
        clean += not against
        print(f"{name}, split {seed}, {third:,} samples: {against or 'clean'}  ({time.process_time() - began:.0f} CPU s)", flush=True)
    print(f"{name}: {clean} of {times} clean")


def collapsed(codes: Codes, share: float, rng: np.random.Generator, *, modes: int = 32, changed: int = 1) -> Codes:
    """Replace a share of sequences by a few modes, each with some bases drawn anew."""
    codes, n = codes.copy(), int(share * len(codes))
    fresh = simulate_promoters(modes, seed=int(rng.integers(2**31)))[0]
    codes[:n] = fresh[rng.integers(0, modes, n)]
    for _ in range(changed):
        codes[np.arange(n), rng.integers(0, codes.shape[1], n)] = rng.integers(0, 4, n)
    return codes


def caught(n: int) -> None:
    for seed in range(3):
        rng = np.random.default_rng(seed)
        real, train, held = (simulate_promoters(size, seed=100 + 10 * seed + i)[0] for i, size in enumerate((2 * n, 2 * n, n)))
        copied, mutated = held.copy(), held.copy()
        copied[: n // 100] = train[: n // 100]
        mutated[: n // 20] = train[: n // 20]
        mutated[np.arange(n // 20), rng.integers(0, LENGTH, n // 20)] = rng.integers(0, 4, n // 20)
        sets = {
            "healthy": held,
            "collapsed whole": collapsed(held, 1, rng),
            "collapsed half": collapsed(held, 0.5, rng),
            "collapsed quarter": collapsed(held, 0.25, rng, changed=2),
            "1 % copies": copied,
            "5 % copies, a base changed": mutated,
            "Markov order 3": MarkovChain.fit(train, 3).sample(n, LENGTH, rng=rng),
            "bases by position": position_sample(train, n, rng=rng),
        }
        for name, codes in sets.items():
            found = quick_verdict(codes, real, train, seed)
            print(
                f"seed {seed}, {name}: collapsed {found['collapsed']}, copies {found['copies']}",
                [f["title"] for f in found["findings"] if f["tone"] in ("serious", "caution")],
                flush=True,
            )


def monitor(times: int) -> None:
    pool = simulate_promoters(60_000, seed=5)[0]
    found: dict[str, int] = {}
    rng = np.random.default_rng(0)
    chain = MarkovChain.fit(pool[:10_000], 3)
    for _ in range(times):
        rows = rng.permutation(len(pool))
        first, second = pool[rows[:256]], pool[rows[256:512]]
        sets = {"real": first, "Markov order 3": chain.sample(256, LENGTH, rng=rng), "bases by position": position_sample(pool, 256, rng=rng)}
        sets |= {f"{100 * share:.0f} % collapsed": collapsed(first, share, rng, changed=2) for share in (0.25, 0.5, 1)}
        for name, codes in sets.items():
            found[name] = found.get(name, 0) + collapse_monitor(codes, second).collapsed
    for name, n in found.items():
        print(f"{name}: called collapsed in {n} of {times}")


def cnn(n: int) -> None:
    for seed in range(3):
        real, train, held = (SequenceSet.of(simulate_promoters(n, seed=200 + 10 * seed + i)[0]) for i in range(3))
        for name, some in {**simple_generators(train, n, seed=seed), "real": held}.items():
            assert some is not None
            began = time.process_time()
            entry = cnn_test(some, real, seed=seed)
            print(
                f"seed {seed}, {name}: AUROC {entry['value']:.3f} ({entry['low']:.3f}-{entry['high']:.3f})  {time.process_time() - began:.1f} CPU s",
                flush=True,
            )


def cost(n: int, length: int) -> None:
    real, samples = simulate_promoters(n, seed=1, length=length)[0], simulate_promoters(n, seed=2, length=length)[0]
    motifs = load_database("jaspar")
    began, before = time.process_time(), time.perf_counter()
    card = judge(samples, real, motifs=motifs)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{n:,} x {length} bp: {time.process_time() - began:.0f} CPU s, {time.perf_counter() - before:.0f} s, at most {memory:.2f} GiB; {card.clean=}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("splits", "caught", "monitor", "cnn", "cost"))
    parser.add_argument("--data", choices=("promoters", "ctcf", "ecoli"), default="promoters")
    parser.add_argument("-n", type=int, help="sequences of each kind")
    parser.add_argument("--times", type=int, help="splits, or draws of the monitor")
    options = parser.parse_args()
    if options.what == "splits":
        splits(options.data, options.n or 1_000, options.times or 20)
    elif options.what == "monitor":
        monitor(options.times or 200)
    elif options.what == "cost":
        cost(options.n or 10_000, 200)
    else:
        {"caught": caught, "cnn": cnn}[options.what](options.n or (1_000 if options.what == "caught" else 10_000))


if __name__ == "__main__":
    main()
