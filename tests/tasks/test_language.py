"""Language models: what they may see, what they hide, and what they write."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seqdl.errors import InputError
from seqdl.experiment.build import create_model, create_task
from seqdl.layers.onehot import one_hot
from seqdl.layers.stepping import RereadingStepper, stepper_of


def causal(**options):
    torch.manual_seed(0)
    return create_task("next_base", create_model("lstm", bidirectional=False, hidden=8, filters=6, width=5, **options)).eval()


def codes(n=3, length=40, most=4):
    return torch.randint(0, most, (n, length), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def test_the_logits_of_a_base_follow_from_the_bases_before_it_alone():
    task, first = causal(), codes()
    second = first.clone()
    second[:, 20:] = (second[:, 20:] + 1) % 4
    a, b = task.logits(one_hot(first)), task.logits(one_hot(second))
    torch.testing.assert_close(a[..., :21], b[..., :21])
    assert not torch.allclose(a[..., 21:], b[..., 21:])


def test_an_encoder_that_looks_ahead_is_refused():
    with pytest.raises(InputError, match=r"LSTM sees the bases that follow .*bidirectional=False"):
        create_task("next_base", create_model("lstm"))


@pytest.mark.parametrize("task", ["next_base", "masked"])
def test_an_encoder_with_a_stride_is_refused(task):
    with pytest.raises(InputError, match="has a stride of 24 bp: features for every base were expected"):
        create_task(task, create_model("basset"))


def test_a_language_model_reads_one_strand():
    with pytest.raises(InputError, match="a language model reads one strand"):
        create_task("masked", create_model("cnn"), strands="shared")


def test_the_loss_is_the_cross_entropy_of_each_base_and_ambiguous_bases_are_not_asked():
    task, batch = causal(), codes(most=5)
    bits = task.base_bits(batch)
    probability = task(one_hot(batch))
    for row, column in ((0, 0), (1, 17), (2, 39)):
        base = int(batch[row, column])
        if base < 4:
            assert bits[row, column].item() == pytest.approx(-np.log2(probability[row, base, column].item()), abs=1e-5)
    assert torch.equal(bits.isnan(), batch == 4)


def test_an_untrained_model_with_no_weights_knows_nothing():
    task = causal()
    for parameter in task.parameters():
        torch.nn.init.zeros_(parameter)
    assert task.base_bits(codes()).mean().item() == pytest.approx(2.0)


def test_what_is_hidden_is_the_chosen_share_and_asked_for_nowhere_else():
    task = create_task("masked", create_model("cnn", filters=4), share=0.2)
    batch = codes(200, 100)
    seen, truth = task.corrupt(batch, seed=3)
    asked = truth < 4
    assert asked.float().mean().item() == pytest.approx(0.2, abs=0.01)
    assert torch.equal(truth[asked], batch[asked])
    assert torch.equal(seen[~asked], batch[~asked])
    assert (seen[asked] == 4).float().mean().item() == pytest.approx(0.8, abs=0.02)
    replaced = asked & (seen < 4) & (seen != batch)
    assert (replaced.sum() / asked.sum()).item() == pytest.approx(0.1, abs=0.02)
    again, _ = task.corrupt(batch, seed=3)
    assert torch.equal(seen, again)


def test_bases_that_are_measured_are_all_hidden_and_those_that_training_asks_for():
    torch.manual_seed(0)
    task, batch = create_task("masked", create_model("cnn", filters=4), share=0.3), torch.randint(0, 4, (20, 200), dtype=torch.uint8)
    asked = task.corrupt(batch, seed=3)[1]
    seen, truth = task.examine(batch, seed=3)
    assert torch.equal(truth, asked)
    assert (seen[truth < 4] == 4).all()
    assert torch.equal(seen[truth == 4], batch[truth == 4])


def test_a_model_that_repeats_what_it_sees_knows_nothing_when_it_is_measured():
    shown = torch.nn.Identity()
    shown.channels, shown.stride = 4, 1
    shown.forward = lambda x, lengths=None: x
    task, batch = create_task("masked", shown, hidden=0), torch.randint(0, 4, (8, 50), dtype=torch.uint8)
    with torch.no_grad():
        task.head.dense[-1].weight.copy_(20 * torch.eye(4).unsqueeze(-1))
        task.head.dense[-1].bias.zero_()
        bits = task.base_bits(batch, seed=0)
    torch.testing.assert_close(bits[~bits.isnan()], torch.full_like(bits[~bits.isnan()], 2.0))


def test_ambiguous_bases_are_never_hidden():
    task = create_task("masked", create_model("cnn", filters=4), share=0.9)
    batch = torch.full((5, 50), 4, dtype=torch.uint8)
    assert (task.corrupt(batch)[1] == 4).all()


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_share_of_nothing_or_everything_is_refused(share):
    with pytest.raises(InputError, match="the share of hidden bases is"):
        create_task("masked", create_model("cnn"), share=share)


@pytest.mark.parametrize("options", [{}, {"layers": 2}, {"filters": 0}])
def test_reading_base_by_base_gives_the_features_of_reading_at_once(options):
    torch.manual_seed(0)
    encoder = create_model("lstm", **{"bidirectional": False, "hidden": 8, "filters": 6, **options}).eval()
    x = one_hot(codes())
    for step in (stepper_of(encoder, 3), RereadingStepper(encoder)):
        found = torch.stack([step(x[..., place]) for place in range(x.shape[-1])], dim=-1)
        torch.testing.assert_close(found, encoder(x), atol=1e-5, rtol=1e-4)


def test_samples_have_the_probabilities_that_the_model_gives():
    task = causal()
    with torch.no_grad():
        task.first.copy_(torch.tensor([[0.0], [1.0], [2.0], [0.5]]))
    drawn = task.sample(20_000, 2, generator=torch.Generator().manual_seed(0))
    expected = torch.softmax(task.first[:, 0], 0)
    counts = torch.bincount(drawn[:, 0].long(), minlength=4) / len(drawn)
    torch.testing.assert_close(counts, expected.detach(), atol=0.01, rtol=0)
    behind = task(one_hot(torch.tensor([[2, 0]], dtype=torch.uint8)))[0, :, 1]
    second = drawn[drawn[:, 0] == 2, 1].long()
    torch.testing.assert_close(torch.bincount(second, minlength=4) / len(second), behind, atol=0.02, rtol=0)


def test_a_prompt_stands_at_the_beginning_and_a_low_temperature_takes_the_likeliest():
    task, prompt = causal(), torch.tensor([0, 1, 2, 3, 3], dtype=torch.uint8)
    cold = task.sample(4, 12, temperature=1e-4, prompt=prompt)
    assert torch.equal(cold[:, :5], prompt.expand(4, -1))
    assert (cold == cold[0]).all()
    greedy = task.logits(one_hot(cold[:1])).argmax(1)[0]
    assert torch.equal(greedy[5:].to(torch.uint8), cold[0, 5:])


@pytest.mark.parametrize(
    ("options", "message"), [({"temperature": 0.0}, "the temperature is 0.0"), ({"prompt": torch.zeros(9, dtype=torch.uint8)}, "the prompt has 9 bp")]
)
def test_sampling_refuses_what_makes_no_sense(options, message):
    with pytest.raises(InputError, match=message):
        causal().sample(2, 5, **options)
