"""Attributions: sequences a CPU second of each method beside captum and tangermeme, and the fast ISM beside the full one.

    python benchmarks/attribution.py                 about a minute and a half on one thread
    python benchmarks/attribution.py --length 200    other lengths

Everything runs on one thread and is timed in CPU seconds of the process, after one warm-up, so that a busy machine matters little. The
weights are random: they change no time. Whatever is timed is first compared: the same attributions, or the number is not printed.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from typing import Any

import captum.attr
import numpy as np
import tangermeme.saturation_mutagenesis as theirs
import torch
from tangermeme.deep_lift_shap import deep_lift_shap
from torch import nn

from seqdl.interpret.attribute import attribute, completeness_error
from seqdl.interpret.ism import mutation_effects
from seqdl.interpret.method import METHODS
from seqdl.interpret.references import make_references
from seqdl.models.basset import Basset
from seqdl.models.cnn import CNN
from seqdl.models.kmers import Kmers
from seqdl.tasks.binary import Binary
from seqdl.tasks.ensemble import Ensemble

REFERENCES = 10
N_ISM = 4
STEPS = 50
Work = Callable[[], Any]


def networks(length: int) -> dict[str, nn.Module]:
    """Return the network of `seqdl train`, a Basset, and one that every library can follow."""
    torch.manual_seed(0)
    pooled = (length - 18) // 4 - 6
    plain = nn.Sequential(
        nn.Conv1d(4, 128, 19), nn.ReLU(), nn.MaxPool1d(4), nn.Conv1d(128, 128, 7), nn.ReLU(), nn.MaxPool1d(pooled), nn.Flatten(), nn.Linear(128, 1)
    )
    words = [Binary(Kmers(width=width, dimensions=1, both_strands=True), pooling="sum") for width in (8, 7)]
    for member in words:
        nn.init.normal_(next(member.encoder.parameters()))
    default = Ensemble([*(Binary(CNN()) for _ in range(6)), *words])
    nets = {"default (six cnn, two kmers, both strands)": default, "basset (both strands)": Binary(Basset()), "plain": plain}
    for net in nets.values():
        for part in net.modules():
            if isinstance(part, nn.BatchNorm1d):
                part.running_mean.normal_(0, 0.3)
                part.running_var.uniform_(0.5, 2)
        net.eval()
    return nets


def sequences(n: int, length: int) -> np.ndarray:
    """Return random one-hot sequences."""
    codes = np.random.default_rng(0).integers(0, 4, (n, length))
    return np.ascontiguousarray(np.eye(4, dtype=np.float32)[codes].transpose(0, 2, 1))


def seconds(work: Work) -> tuple[float, Any]:
    """Return the CPU seconds of a piece of work, and what it gave."""
    began = time.process_time()
    found = work()
    return time.process_time() - began, found


def ism(nets: dict[str, nn.Module], length: int) -> None:
    """Print the fast ISM beside the full one and tangermeme's."""
    theirs._FAST_MIN_SECONDS = 0.0  # it leaves short jobs to the full way; here its fast way is what is asked for
    print(f"\nISM at {length} bp, sequences a CPU second\n")
    print(
        "| network | fast | every mutant in full | ratio | largest difference | largest effect | tangermeme (fast=True) | largest difference to it |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name, net in nets.items():
        x, few = sequences(N_ISM, length), sequences(1, length)
        mutation_effects(net, few)
        fast_s, fast = seconds(lambda net=net, x=x: mutation_effects(net, x, fast="yes"))
        full_s, full = seconds(lambda net=net, few=few: mutation_effects(net, few, fast="no"))
        peer = net if not isinstance(net, Binary | Ensemble) else Logits(net)
        peer_s, values = seconds(lambda peer=peer, x=x: peer_ism(peer, x))
        gap = "-" if values is None else f"{np.abs(values - (fast - fast.mean(1, keepdims=True))).max():.1e}"
        rate = "fails" if values is None else f"{len(x) / peer_s:.2f}"
        print(
            f"| {name} | {len(x) / fast_s:.1f} | {1 / full_s:.2f} | {len(x) / fast_s * full_s:.1f} | {np.abs(fast[:1] - full).max():.1e} "
            f"| {np.abs(fast).max():.3f} | {rate} | {gap} |"
        )


class Logits(nn.Module):
    """A task as a module whose forward gives logits."""

    def __init__(self, task: nn.Module) -> None:
        super().__init__()
        self.task = task

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits."""
        return self.task.logits(x)


def peer_ism(net: nn.Module, x: np.ndarray) -> np.ndarray | None:
    """Return tangermeme's centred effects, or None where it cannot."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return theirs.saturation_mutagenesis(net, torch.from_numpy(x), target=0, hypothetical=True, device="cpu", fast=True).numpy()
        except Exception as error:
            print(f"<!-- tangermeme: {type(error).__name__}: {str(error)[:100]} -->")
            return None


def methods(net: nn.Module, length: int) -> None:
    """Print each method on the network that every library can follow."""
    print(f"\nMethods on conv 128 x 19, max pool 4, conv 128 x 7, global max, {length} bp, {REFERENCES} references, {STEPS} steps or points\n")
    print("| method | seqdl | captum | tangermeme | largest difference to it | sum missed: seqdl, captum, tangermeme |")
    print("|---|---|---|---|---|---|")
    x = sequences(8, length)
    references = make_references(torch.from_numpy(x), REFERENCES).rows(slice(0, len(x)))
    for method in METHODS.names():
        known = METHODS.options(method)
        options = {name: STEPS for name in ("n_steps", "n_samples") if name in known}
        few = x[:2] if method == "integrated-gradients" else x
        given = {"references": references[: len(few)]} if "references" in known else {}
        attribute(net, few[:1], method=method, **({"references": references[:1]} if given else {}), **options)
        taken, scores = seconds(lambda few=few, method=method, given=given, options=options: attribute(net, few, method=method, **given, **options))
        columns, gaps = [f"{len(few) / taken:.1f}"], []
        missed = [missing(net, few, scores, references)] if given else []
        for peer in (by_captum, by_tangermeme):
            spent, found = seconds(lambda peer=peer, few=few, method=method: peer(net, few, method, references))
            columns.append("" if found is None else f"{len(few) / spent:.1f}")
            if found is not None:
                gaps.append(f"{np.abs(compared(found, few, spread=bool(given)) - compared(scores, few, spread=bool(given))).max():.1e}")
                missed += [missing(net, few, found, references)] if given else []
        print(f"| {method} | {' | '.join(columns)} | {', '.join(gaps)} | {', '.join(f'{value:.1e}' for value in missed)} |")


def compared(scores: np.ndarray, x: np.ndarray, *, spread: bool) -> np.ndarray:
    """Return one value a base; captum spreads what a position contributes over the base that is there and the one that was."""
    return scores.sum(1) if spread else (scores * x).sum(1)


def missing(net: nn.Module, x: np.ndarray, scores: np.ndarray, references: torch.Tensor) -> float:
    """Return the largest share of the change of the output that sums miss."""
    error = completeness_error(net, x, scores, references=references[: len(x)])
    return float(np.abs(error).max() / np.abs(scores.sum((1, 2)) - error).mean())


def by_captum(net: nn.Module, x: np.ndarray, method: str, references: torch.Tensor) -> np.ndarray | None:
    """Return captum's attributions, averaged over the references; None where it has no such method."""
    inputs = torch.from_numpy(x).requires_grad_(True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if method == "saliency":
            plain = captum.attr.Saliency(net).attribute(inputs, target=0, abs=False).detach().numpy()
            return plain - plain.mean(1, keepdims=True)
        if method == "input-x-gradient":
            plain = captum.attr.Saliency(net).attribute(inputs, target=0, abs=False).detach().numpy()
            return (plain - plain.mean(1, keepdims=True)) * x
        if method not in ("deeplift", "integrated-gradients"):
            return None
        total = np.zeros(x.shape, dtype=np.float32)
        for reference in references[: len(x)].unbind(1):
            if method == "deeplift":
                found = captum.attr.DeepLift(net).attribute(inputs, reference, target=0)
            else:
                found = captum.attr.IntegratedGradients(net).attribute(inputs, reference, target=0, n_steps=STEPS, method="riemann_middle")
            total += found.detach().numpy() / references.shape[1]
    return total


def by_tangermeme(net: nn.Module, x: np.ndarray, method: str, references: torch.Tensor) -> np.ndarray | None:
    """Return tangermeme's DeepLIFT; None for other methods."""
    if method == "ism":
        return peer_ism(net, x)
    if method != "deeplift":
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return deep_lift_shap(net, torch.from_numpy(x), references=references[: len(x)], device="cpu").numpy()


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--length", type=int, default=500, help="of the sequences (bp, default 500)")
    length = parser.parse_args().length
    torch.set_num_threads(1)
    nets = networks(length)
    ism(nets, length)
    methods(nets["plain"], length)


if __name__ == "__main__":
    main()
