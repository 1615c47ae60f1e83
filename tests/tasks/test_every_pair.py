"""Every task with every model that can serve it: it is built, trained a step, told of padding, and made again from its recipe."""

from __future__ import annotations

import itertools

import pytest
import torch

from seqdl.errors import InputError
from seqdl.experiment.build import create_model, create_task, rebuild_task
from seqdl.layers.onehot import one_hot
from seqdl.registry import MODELS, TASKS
from seqdl.types import Batch

LENGTH = 64
N = 16
PAIRS = list(itertools.product(TASKS.names(), MODELS.names()))
WHOLE = {name for name in MODELS.names() if "length" in MODELS.options(name)}
"""Models that read the window as a whole: they have one position, and nothing to say of a base."""
SUPERVISED = [name for name in TASKS.names() if TASKS.get(name).family == "supervised"]
EVERY_BASE = [name for name in SUPERVISED if TASKS.get(name).per_base]
SMALL = {"lstm": {"hidden": 8}, "gru": {"hidden": 8}, "rnn": {"hidden": 8}}


def options_for(task: str, model: str) -> dict:
    """Return what a model has to be told to serve a task."""
    found = dict(SMALL.get(model, {}))
    if task == "next_base" and "bidirectional" in MODELS.options(model):
        found["bidirectional"] = False
    if task == "enhancement":
        found["in_channels"] = 5
    if "length" in MODELS.options(model):
        found["length"] = LENGTH
    return found


def made(task: str, model: str):
    """Return a task around a model, or why there is none."""
    torch.manual_seed(0)
    strands = {"strands": "single"} if TASKS.get(task).family in ("language", "generator", "autoencoder") else {}
    length = {"length": LENGTH} if "length" in TASKS.options(task) else {}
    outputs = {"outputs": ["a", "b", "c"]} if task == "multiclass" else {}
    return create_task(task, create_model(model, **options_for(task, model)), **strands, **length, **outputs)


def batch_for(task: str, n_outputs: int, *, length: int = LENGTH, padding: int = 0) -> Batch:
    """Return a batch of what the task learns from."""
    draw = torch.Generator().manual_seed(4)
    codes = torch.randint(0, 4, (N, length), dtype=torch.uint8, generator=draw)
    codes = torch.cat([codes, torch.full((N, padding), 4, dtype=torch.uint8)], dim=1)
    if TASKS.get(task).per_base and TASKS.get(task).family == "supervised":
        targets = torch.zeros(N, n_outputs, length + padding)
        targets[..., 20:31] = 1.0
    else:
        targets = (torch.arange(N * n_outputs).reshape(N, n_outputs) % 3 == 0).float()
        if task == "multiclass":
            targets = (torch.arange(N) % 3).float()[:, None]
    signal = torch.rand(N, 1, length + padding, generator=draw) if task == "enhancement" else None
    lengths = torch.full((N,), length) if padding else None
    return Batch(codes, targets, torch.arange(N), lengths, signal)


def suited() -> list[tuple[str, str]]:
    """Return the pairs that can be built."""
    found = []
    for task, model in PAIRS:
        try:
            made(task, model)
        except InputError:
            continue
        found.append((task, model))
    return found


SUITED = suited()


def test_pairs_that_cannot_be_are_refused_for_a_known_reason():
    refused = {pair for pair in PAIRS if pair not in SUITED}
    for task, model in refused:
        with pytest.raises(InputError, match=r"expected|needs|one position|looks back|at every base"):
            made(task, model)
    for task in TASKS.names():
        served = [model for kind, model in SUITED if kind == task]
        assert served, task
    for task in ("binary", "multiclass", "regression", "counts"):
        assert not [pair for pair in refused if pair[0] == task]


def test_what_reads_the_window_as_a_whole_serves_no_task_of_every_base():
    assert {"segmentation", "profile", "enhancement", "localisation"} <= set(EVERY_BASE)
    assert not set(itertools.product(EVERY_BASE, WHOLE)) & set(SUITED)


@pytest.mark.slow
@pytest.mark.parametrize(("task", "model"), [pair for pair in SUITED if pair[0] != "gan"])  # two players take turns: test_gan.py watches both
def test_a_step_of_training_reaches_every_weight(task, model):
    found = made(task, model).train()
    found.batch_loss(batch_for(task, len(found.outputs) or 1)).backward()
    for path, weight in found.named_parameters():
        assert weight.grad is not None, path
        assert torch.isfinite(weight.grad).all(), path


@pytest.mark.slow
@pytest.mark.parametrize(("task", "model"), SUITED)
def test_recipe_and_weights_make_the_same_task_again(task, model, tmp_path):
    found = made(task, model).eval()
    torch.save({"seqdl": found.recipe, "state_dict": found.state_dict()}, tmp_path / "task.ckpt")
    state = torch.load(tmp_path / "task.ckpt", weights_only=True)
    twin = rebuild_task(state["seqdl"]).eval()
    twin.load_state_dict(state["state_dict"])
    x = found.inputs(batch_for(task, len(found.outputs) or 1))
    assert torch.equal(twin.logits(x), found.logits(x))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "model"), [pair for pair in SUITED if pair[1] not in WHOLE and TASKS.get(pair[0]).family in ("supervised", "language")]
)
def test_padding_never_changes_a_prediction(task, model):
    found = made(task, model).eval()
    short, padded = (batch_for(task, len(found.outputs) or 1, length=49, padding=padding) for padding in (0, 11))
    if short.signal is not None:
        padded = Batch(padded.codes, padded.targets, padded.index, padded.lengths, torch.cat([short.signal, torch.zeros(N, 1, 11)], dim=-1))
    alone, among = found.logits(found.inputs(short)), found.logits(found.inputs(padded), padded.lengths)
    torch.testing.assert_close(among[..., : alone.shape[-1]], alone, atol=1e-5, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(("task", "model"), SUITED)
def test_a_sequence_is_read_alike_alone_and_among_others(task, model):
    found = made(task, model).eval()
    x = one_hot(batch_for(task, 1).codes[:3])
    if task == "enhancement":
        x = torch.cat([x, torch.rand(3, 1, LENGTH)], dim=1)
    torch.testing.assert_close(found.logits(x), torch.cat([found.logits(row.unsqueeze(0)) for row in x]), atol=1e-5, rtol=1e-4)
