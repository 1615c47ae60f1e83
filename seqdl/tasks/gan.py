"""Two networks in a game: a generator that writes sequences, and a critic that tells them from real ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from seqdl.layers.adversary import Critic, critic_loss, generator_loss, told_right, unit_penalty, zero_centred_penalty
from seqdl.layers.generators import DictionaryGenerator, bases_of, generator
from seqdl.registry import TASKS
from seqdl.tasks.base import Task
from seqdl.tasks.game_options import check_game
from seqdl.tasks.game_watch import N_COMPARED, watch
from seqdl.tasks.reconstruction import check_condition, check_draw
from seqdl.tasks.selection import chosen, sharpness_of
from seqdl.types import Batch, Family, Floats

N_WATCHED = 2_048
"""Sequences drawn at the end of an epoch, to be held against held-out real ones, at most as many. With 512 (and 4-mers) the card of simulated
promoters went up and down between 1,250 and 2,500 steps by more than it fell, while motifs at free places rose from .7 to .9 of their rate."""
AT_ONCE = 256
SETTLED = 0.05
"""Of the learning rate, where it has fallen."""
MISFIT = 0.3
"""Weight of `GAN.misfit` beside the game. Without it conditions were hardly heard: promoters of E. coli drawn for the lowest and the highest third of
expression, scored by a network of its own, were told apart with an AUROC of .53, real ones with .88; at a weight of 1 with .98, too far apart."""
LASTING = 3
"""Epochs in a row after which a collapse is believed: single epochs early in a healthy game may look like one."""
COLLAPSED = 10.0
"""Added to the card of an epoch whose samples have collapsed, so that it is never the one that is kept."""


@TASKS.register("gan")
class GAN(Task):
    """A generative adversarial network [1]_; the epoch whose samples are nearest to held-out real ones is kept, not the one with the best loss.

    The default is a generator with a dictionary of placed filters, a critic with detectors beside the encoder, the relativistic loss with
    zero-centred penalties [2]_, and the mean of the generator's weights. ``generator=dense, loss=classic, output=softmax, detector=False,
    select=1`` is the GAN of the textbook, which collapses on DNA.

    Parameters
    ----------
    encoder : nn.Module
        The critic's: features (B, C, L') for one-hot (B, 4, L).
    outputs : list of str, optional
        Not used.
    strands : {"single", "augment"}, default "single"
    length : int
        Of the sequences (bp).
    generator : {"dictionary", "conv", "dense"}, default "dictionary"
    noise : int, default 64
        Numbers that a sequence is made of.
    output : {"gumbel", "softmax"}, default "gumbel"
        What the critic is shown: draws of bases, or their probabilities.
    loss : {"relativistic", "classic", "wgan", "hinge"}, default "relativistic"
    detector : bool, default True
        Whether the critic has detectors that do not care for the place.
    critic_steps : int, default 1
        Steps of the critic for each of the generator.
    penalty : float, default 0.1
        Weight of the gradient penalty, every fourth step: zero-centred, or around 1 with wgan, where 10 is usual.
    rate : float, default 0.002
        Learning rate of both.
    settle : float, in [0, 1], default 0.6
        Share of the training, at its end, in which the rate falls to a twentieth. At a constant rate the card of simulated promoters went up and
        down from 2,000 steps on.
    dropout : float, in [0, 1), default 0
        In the critic.
    average : float, in [0, 1), default 0.995
        Share of the old weights in the running mean of the generator's, from which samples are drawn.
    condition : int, default 0
        Classes, or 1 for a number, that both players are told. The critic is also shown real sequences that are told another's condition [3]_,
        which it learns to put below those that are told their own.
    select : int, default 4
        Draws for each that is kept, in proportion to the odds that the critic, calibrated on held-out sequences after training, gives them of being
        real [4]_; 1 keeps all. A fresh network told simulated promoters from real ones with an AUROC of .543 and .562 with 4, .575 with 1 (one
        seed, two sets of draws).
    stop : {"collapsed", "never"}, default "never"
        Whether training ends where samples collapse for three epochs.

    References
    ----------
    .. [1] Goodfellow et al., Generative adversarial nets (2014). .. [2] Huang et al., The GAN is dead; long live the GAN! A modern baseline
       GAN (2024). .. [3] Reed et al., Generative adversarial text to image synthesis (2016). .. [4] Azadi et al., Discriminator rejection
       sampling (2019).

    Examples
    --------
    >>> from seqdl.models.cnn import CNN
    >>> task = GAN(CNN(filters=8), length=50)
    >>> task.sample(3, 50).shape, task(torch.zeros(2, 4, 50)).shape
    (torch.Size([3, 50]), torch.Size([2, 1]))
    """

    family: Family = "generator"
    newer: ClassVar[dict[str, float]] = {"sharpness": 0.0}  # all draws were kept
    monitor = "val_card"
    budget = 4_000
    sharpness: Tensor

    def __init__(
        self,
        encoder: nn.Module,
        *,
        outputs: list[str] | None = None,
        strands: str = "single",
        length: int | None = None,
        generator: str = "dictionary",
        noise: int = 64,
        output: str = "gumbel",
        loss: str = "relativistic",
        detector: bool = True,
        critic_steps: int = 1,
        penalty: float = 0.1,
        rate: float = 0.002,
        settle: float = 0.6,
        dropout: float = 0.0,
        average: float = 0.995,
        condition: int = 0,
        select: int = 4,
        stop: str = "never",
    ) -> None:
        super().__init__(encoder, outputs=["real"], strands=strands)
        check_game(length, strands=strands, loss=loss, steps=(critic_steps, select), rate=rate, shares=(average, settle), stop=stop)
        assert length is not None
        self.automatic_optimization = False
        self.length, self.noise, self.output, self.game = length, noise, output, loss
        self.critic_steps, self.penalty, self.rate, self.settle, self.average = critic_steps, penalty, rate, settle, average
        self.condition, self.select, self.stop = condition, select, stop
        positions = max(1, length // int(encoder.stride))  # type: ignore[arg-type]  # nn.Module types every attribute as Tensor | Module
        del self.encoder
        self.critic = Critic(encoder, positions, detector=detector, condition=condition, dropout=dropout)
        self.generator = _make(generator, noise, length, condition=condition)
        self.mean = deepcopy(self.generator).requires_grad_(False)
        self.register_buffer("sharpness", torch.zeros(()))
        self.head = nn.Identity()
        self._real: list[Tensor] = []
        self._given_real: list[Tensor] = []
        self._told: dict[str, list[Tensor]] = {}
        self._n_collapsed = 0
        self.notices: list[str] = []

    @property
    def encoder_of_critic(self) -> nn.Module:
        """The encoder the critic reads with."""
        return self.critic.encoder

    # drawing -----------------------------------------------------------------------------------------

    def raw_logits(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the critic's score (B, 1) of sequences (B, 4, L)."""
        given = torch.zeros(len(x), self.condition, device=x.device) if self.condition else None
        scores: Tensor = self.critic(x, given)
        return scores.unsqueeze(1)

    def link(self, logits: Tensor) -> Tensor:
        """Return how real sequences look to the critic, 0 to 1."""
        return torch.sigmoid(logits)

    def _known(self, targets: Tensor) -> Tensor | None:
        """Return what both players are told, (B, condition)."""
        if not self.condition or not targets.shape[-1]:
            return None
        return targets[:, :1] if self.condition == 1 else nn.functional.one_hot(targets[:, 0].long(), self.condition).float()

    def _draw(self, network: nn.Module, n: int, given: Tensor | None) -> Tensor:
        """Return the logits of drawn sequences (n, 4, L)."""
        noise = torch.randn(n, self.noise, device=self.device)
        logits: Tensor = network(noise if given is None else torch.cat([noise, given.to(noise)], dim=1))
        return logits

    @property
    def latent(self) -> int:
        """Numbers that a sequence is made of."""
        return self.noise

    def decode(self, latent: Tensor, given: Tensor | None = None) -> Tensor:
        """Return the logits (B, 4, L) of latents (B, Z), the same ones for the same latent: with slots at their likeliest places."""
        known = self._known(given) if given is not None else None
        told = latent if known is None else torch.cat([latent, known.to(latent)], dim=1)
        places = {"draw": False} if isinstance(self.mean, DictionaryGenerator) else {}
        logits: Tensor = self.mean(told, **places)
        return logits

    @torch.no_grad()
    def sample(
        self, n: int, length: int, *, condition: float | None = None, temperature: float = 1.0, generator: torch.Generator | None = None
    ) -> Tensor:
        """Draw sequences from the mean generator, (n, L) uint8.

        Parameters
        ----------
        n, length : int
            How many, and the length the network was made for.
        condition : float, optional
            The number of the class, or the number, to draw for.
        temperature : float, above 0, default 1
            Of the draw of bases.
        generator : Generator, optional
            Source of chance.

        Raises
        ------
        InputError
            If the length is another, or a condition is missing or not known.
        """
        check_draw(length, length=self.length, condition=self.condition, given=condition, temperature=temperature)
        given = self._known(torch.full((n, 1), float(condition))) if condition is not None else None
        with _seeded(generator):
            if not self.sharpness > 0:
                return self._bases(n, given, temperature)
            told = None if given is None else given.repeat(self.select, 1)
            drawn = self._bases(n * self.select, told, temperature)
            return drawn[chosen(self.scores(drawn, told), n, sharpness=float(self.sharpness)).to(drawn.device)]

    def _bases(self, n: int, given: Tensor | None, temperature: float) -> Tensor:
        """Draw sequences (n, L) from the mean generator, whatever the critic thinks of them."""
        logits = self._draw(self.mean.eval(), n, given) / temperature
        if self.output == "softmax":
            return torch.multinomial(torch.softmax(logits, 1).transpose(1, 2).reshape(-1, 4), 1).view(n, -1).to(torch.uint8)
        return bases_of(logits, "gumbel").argmax(1).to(torch.uint8)

    @torch.no_grad()
    def scores(self, codes: Tensor, given: Tensor | None = None) -> Tensor:
        """Return the critic's scores (N,) of sequences (N, L) uint8 and what is told of them: the higher, the sooner it takes them for real."""
        self.critic.eval()
        parts = range(0, len(codes), AT_ONCE)
        return torch.cat([self.critic(self.one_hot(codes[i : i + AT_ONCE]), None if given is None else given[i : i + AT_ONCE]) for i in parts])

    @torch.no_grad()
    def sharpen(self, codes: Tensor, targets: Tensor) -> None:
        """Calibrate the critic on held-out sequences (N, L) and what is told of them (N, T): from then on draws are chosen by it."""
        self.sharpness.zero_()
        if self.select == 1 or not len(codes):
            return
        given, times = self._known(targets.to(self.device)), max(1, N_WATCHED // len(codes))
        told = None if given is None else given.repeat(times, 1)
        with _seeded(torch.Generator().manual_seed(0)):
            drawn = self._bases(len(codes) * times, told, 1.0)
        self.sharpness.fill_(sharpness_of(self.scores(codes.to(self.device), given), self.scores(drawn, told)))

    # the game ----------------------------------------------------------------------------------------

    def configure_optimizers(self) -> Any:
        """Return Adam for each player, with momentum in neither."""
        players = (self.critic, self.generator)
        betas = (0.0 if self.game != "classic" else 0.5, 0.9)
        return [torch.optim.Adam(player.parameters(), lr=self.rate, betas=betas, fused=True) for player in players]

    def on_train_epoch_start(self) -> None:
        """Let the rate fall towards the end: while it stays what it was, the players go round each other."""
        left = 1 - self.current_epoch / max(1, self.trainer.max_epochs or 1)
        rate = self.rate * max(SETTLED, min(1.0, left / self.settle if self.settle else 1.0))
        players: Any = self.optimizers()
        for moves in players:
            for group in moves.param_groups:
                group["lr"] = rate

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Move the critic, and every so many steps the generator; the critic's loss is given back."""
        players: Any = self.optimizers()
        critic_moves, generator_moves = players
        real, given = self.one_hot(batch.codes), self._known(batch.targets)
        both = batch_index % self.critic_steps == 0
        with torch.set_grad_enabled(both):  # both players move on one draw: a second costs the generator's pass once more
            drawn = bases_of(self._draw(self.generator, len(real), given), self.output)
        fake = drawn.detach()
        seen, on_fake = self.critic.read(real), self.critic(fake, given)
        on_real = self.critic.rate(seen, given)
        loss = critic_loss(self.game, on_real, on_fake)
        if given is not None:
            loss = loss + MISFIT * self.misfit(seen, given)
        if self.penalty and batch_index % 4 == 0:
            loss = loss + 4 * self.penalty * self._penalty(real, fake, given)
        critic_moves.zero_grad()
        self.manual_backward(loss)
        critic_moves.step()
        right_real, right_fake = told_right(self.game, on_real, on_fake)
        told = {"loss": loss, "gap": on_real.mean() - on_fake.mean(), "right_real": right_real, "right_fake": right_fake}
        if both:
            told["generator_loss"] = self._move_generator(generator_moves, drawn, on_real.detach(), given=given)
        for name, value in told.items():
            self._told.setdefault(name, []).append(value.detach())
        return loss.detach()

    def misfit(self, seen: Tensor, given: Tensor) -> Tensor:
        """Return the critic's loss where real sequences, as it sees them (B, F), are told the condition of their neighbour in the batch."""
        shift = max(1, len(seen) // 2)
        return critic_loss(self.game, self.critic.rate(seen, given), self.critic.rate(seen, given.roll(shift, 0)))

    def _penalty(self, real: Tensor, fake: Tensor, given: Tensor | None) -> Tensor:
        with torch.backends.cudnn.flags(enabled=False):  # cuDNN has no second derivative of recurrent layers
            if self.game == "wgan":
                return unit_penalty(self.critic, real, fake, given=given)
            return (zero_centred_penalty(self.critic, real, given) + zero_centred_penalty(self.critic, fake, given)) / 2

    def _move_generator(self, moves: Any, drawn: Tensor, on_real: Tensor, *, given: Tensor | None) -> Tensor:
        self.critic.requires_grad_(False)
        loss = generator_loss(self.game, on_real, self.critic(drawn, given))
        moves.zero_grad()
        self.manual_backward(loss)
        moves.step()
        self.critic.requires_grad_(True)
        with torch.no_grad():
            for kept, new in zip(self.mean.parameters(), self.generator.parameters(), strict=True):
                kept.lerp_(new, 1 - self.average)
            for held, now in zip(self.mean.buffers(), self.generator.buffers(), strict=True):
                held.copy_(now)
        return loss

    # watching ----------------------------------------------------------------------------------------

    def prepare(self, targets: Floats) -> None:
        """Begin to watch anew, and refuse targets that the condition does not fit."""
        check_condition(self.condition, targets)
        self._n_collapsed = 0
        self._told.clear()

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Keep held-out real sequences."""
        if sum(map(len, self._real)) < N_WATCHED:
            self._real.append(batch.codes.cpu())
            self._given_real.append(batch.targets.cpu())

    def on_validation_epoch_end(self) -> None:
        """Log how far samples are from held-out real sequences: words, places, neighbours, and what the critic thinks."""
        real, targets = torch.cat(self._real)[:N_WATCHED], torch.cat(self._given_real)[:N_WATCHED]
        self._real.clear()
        self._given_real.clear()
        given = self._known(targets)
        fake = self._watched(given)
        few = slice(0, min(len(real), N_COMPARED))
        told_few = None if given is None else given[few]
        on_real, on_fake = (self.critic(self.one_hot(codes[few].to(self.device)), told_few) for codes in (real, fake))
        found, reason = watch(fake, real)
        self._take_note(reason)
        found["collapsed"] = float(self._n_collapsed >= LASTING)
        card = found["js"] + found["positions"] ** 2 + (COLLAPSED if reason else 0.0)
        told = {"card": card, **found, "gap": float(on_real.mean() - on_fake.mean()), "loss": float(critic_loss(self.game, on_real, on_fake))}
        told |= dict(zip(("right_real", "right_fake"), map(float, told_right(self.game, on_real, on_fake)), strict=True))
        for name, value in told.items():
            self.log(f"val_{name}", float(value))
        self._log_steps()
        if self.stop == "collapsed" and self._n_collapsed >= LASTING:
            self.trainer.should_stop = True

    def _take_note(self, reason: str) -> None:
        """Count the epochs of a collapse, for this reason or none, and put its beginning and its end into words for whoever looks on."""
        lasted, self._n_collapsed = self._n_collapsed, self._n_collapsed + 1 if reason else 0
        if self._n_collapsed == LASTING:
            end = "training stops, and the" if self.stop == "collapsed" else "the"
            self.notices.append(f"samples have collapsed for {LASTING} epochs: {reason}; {end} epoch that is kept is the best one before")
        elif lasted >= LASTING and not reason:
            self.notices.append("samples are no longer collapsed")

    def _watched(self, given: Tensor | None) -> Tensor:
        """Draw the same noise every epoch, codes (N, L), told what held-out sequences are in turn."""
        network, drawn = self.mean.eval(), []
        with _seeded(torch.Generator().manual_seed(0)):
            for start in range(0, N_WATCHED, AT_ONCE):
                told = None if given is None else given[torch.arange(start, start + AT_ONCE) % len(given)]
                drawn.append(bases_of(self._draw(network, AT_ONCE, told), "gumbel").argmax(1).to(torch.uint8).cpu())
        return torch.cat(drawn)

    def _log_steps(self) -> None:
        """Log the means of what every step of the epoch told: to log at each step costs a tenth of the training."""
        for name, values in self._told.items():
            self.log(f"train_{name}", torch.stack(values).mean())
        self._told.clear()


@contextmanager
def _seeded(source: torch.Generator | None) -> Iterator[None]:
    """Draw from a source of one's own, for layers that ask torch's."""
    if source is None:
        yield
        return
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(torch.randint(0, 2**31 - 1, (1,), generator=source)))
        yield


def _make(name: str, noise: int, length: int, *, condition: int) -> nn.Module:
    return generator(name, noise, length, condition=condition)
