"""The game of generator and critic: losses and penalties against arithmetic, samples, and what is watched."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from seqdl.data.dataset import SequenceData
from seqdl.errors import InputError, UnknownNameError
from seqdl.experiment.build import create_model, create_task
from seqdl.experiment.callbacks import Notices
from seqdl.experiment.train import fit
from seqdl.layers.adversary import LOSSES, Critic, critic_loss, generator_loss, told_right, unit_penalty, zero_centred_penalty
from seqdl.layers.generators import GENERATORS, DictionaryGenerator, bases_of, generator
from seqdl.layers.onehot import one_hot
from seqdl.tasks.game_watch import watch
from seqdl.tasks.selection import chosen, sharpness_of

LENGTH = 30
REAL, FAKE = torch.tensor([2.0, -1.0]), torch.tensor([0.5, 0.0])


def made(**options):
    torch.manual_seed(0)
    return create_task("gan", create_model("cnn", filters=4, width=5), length=LENGTH, **options)


def codes(n, seed=0):
    return torch.randint(0, 4, (n, LENGTH), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("name", "critic", "writer"),
    [
        ("wgan", (0.25 - 0.5), -0.25),
        ("hinge", (0 + 2) / 2 + (1.5 + 1) / 2, -0.25),
        ("classic", np.mean(np.log1p(np.exp([-2, 1]))) + np.mean(np.log1p(np.exp([0.5, 0]))), np.mean(np.log1p(np.exp([-0.5, 0])))),
        ("relativistic", np.mean(np.log1p(np.exp([-1.5, 1]))), np.mean(np.log1p(np.exp([1.5, -1])))),
    ],
)
def test_the_losses_are_those_of_the_papers(name, critic, writer):
    assert critic_loss(name, REAL, FAKE).item() == pytest.approx(critic, rel=1e-5)
    assert generator_loss(name, REAL, FAKE).item() == pytest.approx(writer, rel=1e-5)


class Slope(torch.nn.Module):
    """A critic whose gradient is known: 3 at one base of one position."""

    def forward(self, x, given=None):
        return 3 * x[:, 1, 2]


def test_penalties_are_those_of_a_known_gradient():
    x = one_hot(codes(4))
    assert zero_centred_penalty(Slope(), x).item() == pytest.approx(9.0)
    assert unit_penalty(Slope(), x, x.flip(0)).item() == pytest.approx(4.0)


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("condition", [0, 3])
def test_generators_write_every_base(name, condition):
    found = generator(name, 8, LENGTH, condition=condition)(torch.randn(5, 8 + condition))
    assert found.shape == (5, 4, LENGTH)


def test_a_slot_lays_its_filter_where_it_is_placed():
    made = DictionaryGenerator(4, LENGTH, slots=1, width=3).eval()
    for part in (made.begin, made.bases, made.places, made.nowhere):
        torch.nn.init.zeros_(part.weight)
        torch.nn.init.zeros_(part.bias)
    with torch.no_grad():
        made.filters.copy_(torch.arange(12.0).view(1, 4, 3) + 1)
        made.nowhere.bias.fill_(-1e6)  # always somewhere
    torch.manual_seed(0)
    logits = made(torch.zeros(20, 4)).detach()
    for row in logits:
        middle = int(row[3].argmax()) - 1  # the last column of the filter is its largest
        if 1 <= middle < LENGTH - 1:
            torch.testing.assert_close(row[:, middle - 1 : middle + 2], made.filters[0])
            return
    pytest.fail("no filter was placed inside")


def test_draws_are_single_bases_and_their_gradient_reaches_the_logits():
    logits = torch.randn(3, 4, LENGTH, requires_grad=True)
    drawn = bases_of(logits, "gumbel")
    assert set(drawn.detach().unique().tolist()) <= {0.0, 1.0}
    assert drawn.detach().sum(1).eq(1).all()
    drawn[:, 0].sum().backward()
    assert logits.grad.abs().sum() > 0
    torch.testing.assert_close(bases_of(logits, "softmax"), torch.softmax(logits, 1))


def test_the_critic_is_told_the_condition():
    critic = Critic(create_model("cnn", filters=4, width=5), LENGTH, condition=2).eval()
    x = one_hot(codes(1))
    assert critic(x, torch.tensor([[1.0, 0.0]])) != critic(x, torch.tensor([[0.0, 1.0]]))


def test_what_a_sequence_shows_is_weighed_by_what_is_told_of_it():
    critic = Critic(create_model("cnn", filters=4, width=5), LENGTH, condition=2).eval()
    for part in critic.score.parameters():
        torch.nn.init.zeros_(part)  # all that is left is the product of what is seen and what is told
    x, given = one_hot(codes(6)), torch.eye(2).repeat(3, 1)
    seen = critic.read(x)
    expected = (seen * critic.told.weight.T[[0, 1, 0, 1, 0, 1]]).mean(1)
    torch.testing.assert_close(critic(x, given), expected)
    assert torch.equal(critic.rate(seen, given), critic(x, given))


def test_a_critic_learns_that_a_sequence_does_not_fit_its_condition():
    torch.manual_seed(0)
    task = made(condition=2)
    rows = torch.cat([torch.zeros(32, LENGTH), torch.full((32, LENGTH), 2.0)]).to(torch.uint8)  # class 0 is all A, class 1 all G
    x, given = task.one_hot(rows), torch.eye(2).repeat_interleave(32, 0)
    moves = torch.optim.Adam(task.critic.parameters(), lr=1e-2)
    for _ in range(20):
        moves.zero_grad()
        task.misfit(task.critic.read(x), given).backward()
        moves.step()
    assert (task.critic(x, given) > task.critic(x, 1 - given)).all()


def test_the_same_seed_writes_the_same_sequences():
    task = made()
    first = task.sample(5, LENGTH, generator=torch.Generator().manual_seed(3))
    assert torch.equal(first, task.sample(5, LENGTH, generator=torch.Generator().manual_seed(3)))
    assert not torch.equal(first, task.sample(5, LENGTH, generator=torch.Generator().manual_seed(4)))


@pytest.mark.parametrize(
    "options", [{"loss": name} for name in LOSSES] + [{"generator": "dense", "loss": "classic", "output": "softmax", "detector": False}]
)
def test_every_game_is_played_and_both_networks_move(options, tmp_path):
    rng = np.random.default_rng(0)
    rows = list(rng.integers(0, 4, (120, LENGTH)).astype(np.uint8))
    data = SequenceData.from_sequences(rows, np.zeros(120), ["train"] * 80 + ["val"] * 20 + ["test"] * 20, names=[f"s{i}" for i in range(120)])
    data.examples, data.outputs = data.examples.drop(columns="target"), []
    task = made(**options)
    before = {name: value.clone() for name, value in task.state_dict().items()}
    fit(task, data, tmp_path / "run", max_steps=24, seed=0, keep="last")
    after = task.state_dict()
    for part in ("critic", "generator", "mean"):
        moved = [name for name in before if name.startswith(part) and not torch.equal(before[name], after[name])]
        assert moved, part
    log = pd.read_csv(tmp_path / "run" / "log.csv")
    assert log["step"].iloc[-1] == 24
    assert log["lr"].iloc[0] == pytest.approx(0.002)
    assert log["lr"].iloc[-1] == pytest.approx(0.002 * (1 / 12) / 0.6, rel=1e-4)  # the last of twelve epochs
    assert log[["train_generator_loss", "train_gap", "val_gap"]].notna().all(axis=None)
    for column in ("train_right_real", "train_right_fake", "val_right_real", "val_right_fake"):
        assert log[column].between(0, 1).all()


@pytest.mark.parametrize(("name", "shares"), [("classic", (1.0, 0.5)), ("hinge", (1.0, 0.5)), ("wgan", (0.5, 1.0)), ("relativistic", (0.5, 1.0))])
def test_a_critic_is_right_about_its_threshold_or_half_way_between_its_means(name, shares):
    real, fake = torch.tensor([9.0, 1.0]), torch.tensor([-1.0, 2.0])  # half-way between 5 and 0.5 is 2.75
    assert tuple(share.item() for share in told_right(name, real, fake)) == shares


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("condition", [0, 1, 3])
def test_a_latent_is_decoded_alike_each_time_and_passes_a_gradient_on(name, condition):
    task = made(generator=name, condition=condition).eval()
    latent = torch.randn(4, task.latent, requires_grad=True)
    given = torch.ones(4, 1) if condition else None
    first, second = (task.decode(latent, given) for _ in range(2))
    assert torch.equal(first, second)
    assert first.shape == (4, 4, LENGTH)
    assert torch.equal(task.decode(latent[:1], None if given is None else given[:1]).argmax(1), first[:1].argmax(1))
    first.sum().backward()
    assert latent.grad.abs().sum() > 0


def test_targets_that_are_no_classes_of_the_condition_are_refused():
    with pytest.raises(InputError, match="the condition has 3 classes, and the targets are numbers from 0 to 5"):
        made(condition=3).prepare(np.array([[0.0], [5.0]]))


class Likes(torch.nn.Module):
    """A critic that counts A, whatever it is told."""

    def forward(self, x, given=None):
        return x[:, 0].mean(-1) + (0 if given is None else 0 * given.sum(1))


@pytest.mark.parametrize("condition", [0, 3])
def test_draws_that_a_calibrated_critic_takes_for_real_are_kept(condition):
    task = made(condition=condition).eval()
    task.critic = Likes()
    real = codes(400)
    real[:, :4] = 0  # more A than the generator writes
    given = 1.0 if condition else None
    source = lambda: torch.Generator().manual_seed(0)  # noqa: E731
    before = task.sample(1_000, LENGTH, condition=given, generator=source())
    task.sharpen(real, torch.ones(400, 1))
    assert task.sharpness > 1
    after = task.sample(1_000, LENGTH, condition=given, generator=source())
    shares = [(some == 0).float().mean() for some in (before, after, real)]
    assert tuple(after.shape) == (1_000, LENGTH)
    assert abs(shares[1] - shares[2]) < abs(shares[0] - shares[2]) / 2
    torch.testing.assert_close(after, task.sample(1_000, LENGTH, condition=given, generator=source()))


def test_a_critic_that_sees_nothing_chooses_nothing():
    assert sharpness_of(torch.ones(5), torch.ones(9)) == 0
    assert sharpness_of(torch.tensor([0.0, 1.0]), torch.tensor([5.0, 6.0])) == 0  # it takes the drawn ones for real
    task = made(select=1).eval()
    task.sharpen(codes(200), torch.zeros(200, 0))
    assert task.sharpness == 0
    torch.manual_seed(0)
    kept = chosen(torch.arange(40.0), 10, sharpness=0.0)
    assert len(set(kept.tolist())) == 10
    assert kept.min() < 20


def test_a_checkpoint_without_a_calibrated_critic_is_read():
    task = made()
    state = {name: value for name, value in task.state_dict().items() if name != "sharpness"}
    task.load_state_dict(state)
    assert task.sharpness == 0


def test_a_generator_that_writes_one_sequence_is_seen_and_a_real_one_is_not():
    real = codes(300)
    one = codes(1, seed=5).expand(300, -1).clone()
    found, reason = watch(one, real)
    assert found["collapsed"] == 1.0
    assert "half of the samples lie within 0 of another" in reason
    found, reason = watch(codes(300, seed=9), real)
    assert (found["collapsed"], reason) == (0.0, "")


def test_a_collapse_that_lasts_is_said_once_and_so_is_its_end():
    task, said = made(), []
    teller, at = Notices(said.append), SimpleNamespace(current_epoch=0)
    for at.current_epoch, reason in enumerate(["", "near", "", "near", "near", "near", "near", ""]):
        task._take_note(reason)
        teller.on_validation_end(at, task)
    assert said == [
        "epoch 5: samples have collapsed for 3 epochs: near; the epoch that is kept is the best one before",
        "epoch 7: samples are no longer collapsed",
    ]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"loss": "wgam"}, UnknownNameError, "no loss of the game named 'wgam'. Did you mean 'wgan'"),
        ({"generator": "deep"}, UnknownNameError, "no generator named 'deep'"),
        ({"strands": "shared"}, InputError, "a GAN writes one strand"),
        ({"critic_steps": 0}, InputError, "critic_steps 0"),
        ({"settle": 1.5}, InputError, "settle 1.5 were given"),
        ({"stop": "soon"}, UnknownNameError, "no reason to stop named 'soon'"),
    ],
)
def test_games_that_cannot_be_played_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        made(**options)


def test_a_gan_asks_for_a_length():
    with pytest.raises(InputError, match="a GAN was asked for without a length"):
        create_task("gan", create_model("cnn"))
