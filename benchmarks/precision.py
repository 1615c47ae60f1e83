"""Whether bf16 costs accuracy: one network trained in fp32 and in bf16 from the same seeds, and its AUROC on held-out data.

    python benchmarks/precision.py --seeds 0 1 2 3 4

The default's first network (one convolution, strands shared) and a Basset-like one, on a set of ENCODE and on a fold of yeast peaks.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from accuracy import spread
from sets import SETS

from seqdl.evaluate.metrics import auroc
from seqdl.experiment.build import build_task
from seqdl.experiment.config import make_config
from seqdl.experiment.fit import Fitting
from seqdl.experiment.predict import data_logits
from seqdl.experiment.prepare import prepare

PRECISIONS = ("fp32", "bf16")
NETWORKS = ("cnn", "basset")
PARTS = {"GABPA": "test", "Reb1": "fold0"}


def scores(name: str, network: str, seed: int, folder: Path, *, steps: int) -> dict[str, float]:
    """Return the test AUROC after training in each precision from one seed."""
    config = {**SETS[name](folder)[PARTS[name]], "model": {"name": network}, "task": {"name": "binary"}, "strands": "shared", "seed": seed}
    data = prepare(make_config(config))
    rows, found = data.rows("test"), {}
    for precision in PRECISIONS:
        made = make_config({**config, "training": {"precision": precision, "max_steps": steps}})
        task = build_task(made, data)
        Fitting(task, data, folder / "run", made.training, seed=seed, device="cpu").run()
        found[precision] = auroc(data.truth()[rows, 0] > 0, data_logits(task, data, rows)[:, 0])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), choices=NETWORKS)
    parser.add_argument("--sets", nargs="+", default=list(PARTS), choices=list(PARTS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--steps", type=int, default=600)
    options = parser.parse_args()
    print(f"AUROC, mean and standard deviation over {len(options.seeds)} seeds, {options.steps} steps\n")
    print("| | " + " | ".join(PRECISIONS) + " | bf16 - fp32, seed by seed |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        for name in options.sets:
            for network in options.networks:
                found = [scores(name, network, seed, Path(place), steps=options.steps) for seed in options.seeds]
                columns = [spread([one[precision] for one in found], digits=4) for precision in PRECISIONS]
                print(f"| {name}, {network} | {' | '.join(columns)} | {spread([one['bf16'] - one['fp32'] for one in found], digits=4)} |", flush=True)


if __name__ == "__main__":
    main()
