"""Autoencoders and VAEs: shapes, what is refused, and objectives against arithmetic."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from seqdl.errors import InputError, UnknownNameError
from seqdl.experiment.build import create_model, create_task
from seqdl.layers.decoders import DECODERS, LocalDecoder, decoder
from seqdl.layers.onehot import one_hot, reverse_complement
from seqdl.layers.sites import SiteDecoder
from seqdl.tasks.autoencoder import damaged
from seqdl.tasks.vae import divergence
from seqdl.types import Batch

LENGTH = 50


def codes(n=6, length=LENGTH, most=4):
    return torch.randint(0, most, (n, length), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def made(task="autoencoder", *, model="cnn", **options):
    torch.manual_seed(0)
    return create_task(task, create_model(model, filters=8) if model == "cnn" else create_model(model), length=LENGTH, **options)


@pytest.mark.parametrize("kind", DECODERS)
@pytest.mark.parametrize("length", [7, 50, 101])
def test_a_decoder_gives_four_logits_for_every_base(kind, length):
    assert decoder(kind, 5, length)(torch.randn(3, 5)).shape == (3, 4, length)


@pytest.mark.parametrize(("stride", "length"), [(1, 10), (3, 10), (24, 100)])
def test_a_local_decoder_gives_every_base_also_behind_the_last_whole_stride(stride, length):
    made = LocalDecoder(2, stride=stride, length=length).eval()
    assert made(torch.randn(3, 2 * (length // stride))).shape == (3, 4, length)


def test_latents_of_a_local_bottleneck_change_their_own_stretch_and_its_neighbours_only():
    task = made(latent=16, bottleneck="local").eval()  # 16 stretches of 3 bp
    latent = torch.zeros(1, 16)
    moved = latent.clone()
    moved[0, 8] = 3.0
    change = (task.decode(latent) - task.decode(moved)).abs().sum(1)[0]
    assert change[24:27].min() > 0
    assert change[:21].max() == 0
    assert change[30:].max() == 0


def test_latents_of_sites_are_the_same_for_both_strands_and_wherever_the_sites_are():
    task = made(latent=6, bottleneck="sites").eval()
    x = one_hot(codes())
    torch.testing.assert_close(task.embed(x), task.embed(reverse_complement(x)))
    site = torch.zeros(2, 4, LENGTH)
    site[0, :, 10:18] = site[1, :, 30:38] = one_hot(codes(1, 8))[0]
    moved = task.embed(site)
    torch.testing.assert_close(moved[0], moved[1])


def test_of_sites_the_other_strand_is_given_back_as_the_other_strand():
    task = made(latent=6, bottleneck="sites").eval()
    x = one_hot(codes())
    torch.testing.assert_close(task.logits(reverse_complement(x)), reverse_complement(task.logits(x)), atol=1e-5, rtol=1e-4)


def test_a_pattern_is_put_where_it_fits_best_on_the_strand_it_fits_best_on():
    made = SiteDecoder(1, width=3)
    torch.nn.init.zeros_(made.patterns.bias)
    with torch.no_grad():
        made.patterns.weight.copy_(torch.eye(4)[:, [0, 1, 3]])  # A C T
    scores = torch.zeros(2, 1, 20)
    scores[0, 0, 4], scores[1, 0, 10 + 4] = 9.0, 9.0
    found = made(scores, torch.ones(2, 4, 10) / 4).argmax(1)
    assert found[0, 3:6].tolist() == [0, 1, 3]
    assert found[1, 4:7].tolist() == [0, 2, 3]  # A G T, around position 10 - 1 - 4


def test_latents_of_sites_are_not_decoded_on_their_own():
    with pytest.raises(InputError, match="they say how well a pattern fits and not where"):
        made(latent=6, bottleneck="sites").decode(torch.zeros(1, 6))


@pytest.mark.parametrize("model", ["cnn", "basset"])
@pytest.mark.parametrize("task", ["autoencoder", "vae"])
def test_latents_and_reconstructions_have_their_shapes(task, model):
    found = made(task, model=model, latent=6).eval()
    x = one_hot(codes())
    assert found.embed(x).shape == (6, 6)
    assert found(x).sum(1).allclose(torch.ones(6, LENGTH), atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"latent": 201}, "201 latents were asked for: 1 to 200, the size of the input of 50 bp"),
        ({"latent": 0}, "0 latents were asked for"),
        ({"latent": 10, "bottleneck": "local"}, "10 latents cannot be shared out among 16 stretches of 3 bp"),
        ({"strands": "shared"}, "a reconstruction is of one strand"),
        ({"damage": 1.0}, "the share of damaged bases is 1.0"),
        ({"latent": 16, "bottleneck": "local", "condition": 2}, "a bottleneck of local was asked for with a condition"),
        ({"bottleneck": "sites", "condition": 2}, "a bottleneck of sites was asked for with a condition"),
        ({"bottleneck": "sites", "model": "basset"}, "the encoder Basset has a stride of 24 bp: for a bottleneck of sites"),
    ],
)
def test_what_cannot_be_built_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        made(**options)


def test_an_autoencoder_asks_for_a_length():
    with pytest.raises(InputError, match="an autoencoder was asked for without a length"):
        create_task("autoencoder", create_model("cnn"))


def test_an_unknown_decoder_is_refused_with_the_names_there_are():
    with pytest.raises(UnknownNameError, match=r"no decoder named 'convv'\. Did you mean 'conv'"):
        made(decoder="convv")


def test_an_unknown_bottleneck_is_refused_with_the_names_there_are():
    with pytest.raises(UnknownNameError, match=r"no bottleneck named 'site'\. Did you mean 'sites'"):
        made(bottleneck="site")


@pytest.mark.parametrize("options", [{"beta": -1.0}, {"anneal": 2.0}, {"free_bits": -0.1}])
def test_weights_out_of_range_are_refused(options):
    with pytest.raises(InputError, match="beta and free_bits of 0 or more"):
        made("vae", **options)


def test_the_divergence_is_that_of_torch():
    mean, spread = torch.randn(5, 3), torch.randn(5, 3)
    expected = kl_divergence(Normal(mean, (spread / 2).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(divergence(mean, spread), expected)


def test_the_weight_of_the_divergence_rises_to_beta():
    task = made("vae", beta=0.4, anneal=0.5)

    class Trainer:
        estimated_stepping_batches, global_step = 100, 0

    task._trainer = Trainer()
    weights = []
    for step in (0, 25, 50, 90):
        Trainer.global_step = step
        weights.append(task.weight())
    assert weights == pytest.approx([0.0, 0.2, 0.4, 0.4])


def test_free_bits_are_paid_for_even_where_latents_carry_nothing():
    task = made("vae", beta=1.0, anneal=0.0, free_bits=0.5, latent=4).eval()
    for parameter in task.squeeze.parameters():
        torch.nn.init.zeros_(parameter)  # mean 0, variance 1: the prior itself
    batch = Batch(codes(), torch.empty(6, 0), torch.arange(6))
    torch.manual_seed(0)
    drawn = torch.randn(6, 4)
    expected = task.loss(task.decode(drawn), batch.codes) + 4 * 0.5 * math.log(2) / LENGTH
    torch.manual_seed(0)
    assert task.batch_loss(batch).item() == pytest.approx(expected.item(), rel=1e-5)


def test_damage_hides_half_and_replaces_half_of_its_share():
    whole = codes(400, 100)
    found = damaged(whole, 0.2, generator=torch.Generator().manual_seed(0))
    assert (found == 4).float().mean().item() == pytest.approx(0.1, abs=0.01)
    assert ((found != whole) & (found < 4)).float().mean().item() == pytest.approx(0.1, abs=0.01)


def test_a_condition_changes_what_is_written_and_classes_must_fit():
    task = made("vae", condition=3, latent=4).eval()
    first = task.sample(5, LENGTH, condition=0, generator=torch.Generator().manual_seed(0))
    second = task.sample(5, LENGTH, condition=2, generator=torch.Generator().manual_seed(0))
    assert not torch.equal(first, second)
    with pytest.raises(InputError, match="the condition has 3 classes, and the targets are numbers from 0 to 5"):
        task.prepare(torch.tensor([[0.0], [5.0]]).numpy())
    with pytest.raises(InputError, match="needs a condition and none was given"):
        task.sample(1, LENGTH)
