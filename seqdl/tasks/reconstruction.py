"""What tasks share that put a sequence through a few latents and back."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from seqdl.errors import InputError, UnknownNameError
from seqdl.layers.decoders import LocalDecoder, decoder
from seqdl.layers.onehot import reverse_complement
from seqdl.layers.sites import SiteBottleneck, SiteDecoder
from seqdl.tasks.base import Task
from seqdl.tasks.language import BASES
from seqdl.types import PAD, Batch, Family, Floats

BOTTLENECKS = ("dense", "local", "sites")
LOCAL_BASES = 3
"""Bases that share latents in a local bottleneck, where the encoder's own stride is no longer than that."""


class Reconstruction(Task):
    """An encoder, a bottleneck of Z latents, and a decoder: logits (B, 4, L) are those of the bases that were read.

    Parameters
    ----------
    encoder : nn.Module
    strands : {"single", "augment"}
    latent : int
        Number of latents Z.
    length : int
        Of the windows (bp).
    shape : tuple of str
        Bottleneck and decoder: ("dense", "conv"), ("dense", "dense"), ("dense", "recurrent"), ("local", ...) or ("sites", ...).
    condition : tuple of int
        Number of classes, or 1 for a number, that encoder and decoder are told beside the sequence; 0 for nothing.

    Raises
    ------
    InputError
        If there are more latents than numbers in the input, or they cannot be shared out among positions.
    """

    family: Family = "autoencoder"
    per_base = True
    monitor = "val_loss"
    sizes: int = 1
    """Numbers the bottleneck gives for each latent: 1, or 2 for a mean and a variance."""

    def __init__(self, encoder: nn.Module, *, strands: str, latent: int, length: int | None, shape: tuple[str, str], condition: int = 0) -> None:
        super().__init__(encoder, outputs=list(BASES), strands=strands)
        if strands not in ("single", "augment"):
            raise InputError(
                f"strands '{strands}' were asked for: a reconstruction is of one strand. Say single, or augment to see both in training."
            )
        if length is None:
            raise InputError("an autoencoder was asked for without a length: it is built for windows of one length. Give the task length=BP.")
        bottleneck, kind = shape
        if bottleneck not in BOTTLENECKS:
            raise UnknownNameError("bottleneck", bottleneck, BOTTLENECKS)
        if not 1 <= latent <= 4 * length:
            raise InputError(
                f"{latent} latents were asked for: 1 to {4 * length}, the size of the input of {length} bp, were expected. Lower --task.latent."
            )
        if condition and bottleneck != "dense":
            raise InputError(f"a bottleneck of {bottleneck} was asked for with a condition: a dense one was expected. Say --task.bottleneck dense.")
        self.latent, self.length, self.condition, self.bottleneck = latent, length, condition, bottleneck
        channels, stride = int(encoder.channels), int(encoder.stride)  # type: ignore[arg-type]  # nn.Module types every attribute as Tensor | Module
        if bottleneck == "local":
            self.squeeze, self.decoder = self._local(channels, stride)
        elif bottleneck == "sites":
            self.squeeze, self.decoder = self._sites(channels, stride)
        else:
            self.squeeze = nn.Sequential(nn.Flatten(1), nn.Linear(channels * (length // stride) + condition, self.sizes * latent))
            self.decoder = decoder(kind, latent + condition, length)

    def _local(self, channels: int, stride: int) -> tuple[nn.Module, nn.Module]:
        """Return bottleneck and decoder in which each stretch of bases has latents of its own."""
        stretch = max(1, LOCAL_BASES // stride)
        positions = self.length // (stride * stretch)
        if not positions or self.latent % positions:
            raise InputError(
                f"{self.latent} latents cannot be shared out among {positions} stretches of {stride * stretch} bp: a multiple of {positions} was "
                f"expected. Use {max(1, round(self.latent / max(1, positions))) * positions} latents, or the dense bottleneck."
            )
        each = self.latent // positions
        squeeze = nn.Sequential(nn.Conv1d(channels, self.sizes * each, stretch, stride=stretch), nn.Flatten(1))
        return squeeze, LocalDecoder(each, stride=stride * stretch, length=self.length)

    def _sites(self, channels: int, stride: int) -> tuple[nn.Module, nn.Module]:
        """Return bottleneck and decoder in which each latent is a pattern that is put where it fits best."""
        if stride != 1:
            raise InputError(
                f"the encoder {type(self.encoder).__name__} has a stride of {stride} bp: for a bottleneck of sites a score for every base was "
                "expected. Use one of stride 1, such as cnn or dilated."
            )
        return SiteBottleneck(channels, self.latent), SiteDecoder(self.latent)

    # latents -----------------------------------------------------------------------------------------

    def scores(self, x: Tensor) -> Tensor:
        """Return how well each pattern of a bottleneck of sites fits along both strands of one-hot (B, 4, L), (B, Z, 2 L)."""
        found: Tensor = self.squeeze(self.encoder(x), self.encoder(reverse_complement(x)))
        return found

    def squeezed(self, x: Tensor, given: Tensor | None = None) -> Tensor:
        """Return what the bottleneck gives for one-hot (B, 4, L), (B, sizes * Z)."""
        features: Tensor = self.encoder(x)
        if self.condition:
            features = torch.cat([features.flatten(1), self._known(given, len(x)).to(features)], dim=1)
        found: Tensor = self.squeeze(features)
        return found

    def embed(self, x: Tensor, given: Tensor | None = None) -> Tensor:
        """Return the latents (B, Z) of one-hot (B, 4, L)."""
        return SiteBottleneck.best(self.scores(x)) if self.bottleneck == "sites" else self.squeezed(x, given)

    def decode(self, latent: Tensor, given: Tensor | None = None) -> Tensor:
        """Return the logits (B, 4, L) of latents (B, Z).

        Raises
        ------
        InputError
            If the bottleneck is one of sites, whose latents do not say where they are.
        """
        if self.bottleneck == "sites":
            raise InputError(
                "latents of a bottleneck of sites were to be decoded on their own: they say how well a pattern fits and not where. "
                "Train with --task.bottleneck dense or local for that."
            )
        if self.condition:
            latent = torch.cat([latent, self._known(given, len(latent)).to(latent)], dim=1)
        logits: Tensor = self.decoder(latent)
        return logits

    def given_back(self, x: Tensor, given: Tensor | None = None) -> Tensor:
        """Return the logits (B, 4, L) of what one-hot (B, 4, L) is given back as."""
        if self.bottleneck == "sites":
            logits: Tensor = self.decoder(self.scores(x), x)
            return logits
        return self.decode(self.embed(x, given), given)

    def _known(self, given: Tensor | None, n: int) -> Tensor:
        """Return what is told beside the sequence as numbers (B, condition); zeros where nothing is known."""
        if given is None:
            return torch.zeros(n, self.condition)
        return given[:, :1] if self.condition == 1 else nn.functional.one_hot(given[:, 0].long(), self.condition)

    # the objective -----------------------------------------------------------------------------------

    def raw_logits(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the logits (B, 4, L) of what the latents of one-hot (B, 4, L) are decoded to."""
        return self.given_back(x)

    def link(self, logits: Tensor) -> Tensor:
        """Return the probability of each base, (B, 4, L)."""
        return torch.softmax(logits, dim=1)

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy of logits (B, 4, L) against codes (B, L), in nats a base."""
        return nn.functional.cross_entropy(logits, targets.long(), ignore_index=PAD)

    def seen(self, codes: Tensor) -> Tensor:
        """Return the codes as the encoder reads them while training; a denoising task damages them."""
        return codes

    def prepare(self, targets: Floats) -> None:
        """Refuse targets that the condition does not fit; nothing else is read of them."""
        check_condition(self.condition, targets)

    def _given(self, batch: Batch) -> Tensor | None:
        return batch.targets if self.condition and batch.targets.shape[-1] else None

    def batch_loss(self, batch: Batch) -> Tensor:
        """Return the loss of one batch: how well it is given back."""
        given = self._given(batch)
        return self.loss(self.given_back(self.one_hot(self.seen(batch.codes)), given), batch.codes)

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Keep the sums of one batch: nats, right bases, bases, and whatever else the objective counts."""
        given, codes = self._given(batch), batch.codes
        logits = self.given_back(self.one_hot(codes), given)
        known = codes < PAD
        nats = self.loss(logits, codes) * known.sum()
        self._seen.append((torch.stack([nats, ((logits.argmax(1) == codes) & known).sum(), known.sum()]).double().cpu(), torch.empty(0)))

    def on_validation_epoch_end(self) -> None:
        """Log the loss, bits per base and the share of bases given back over the validation set."""
        nats, right, n = torch.stack([sums for sums, _ in self._seen]).sum(0).tolist()
        self._seen.clear()
        self.log("val_loss", nats / n)
        self.log("val_bits_per_base", nats / n / math.log(2))
        self.log("val_accuracy", right / n)


def check_condition(condition: int, targets: Floats) -> None:
    """Raise `InputError` where targets (N, T) are no classes of a condition that has several."""
    if condition > 1 and targets.size and not 0 <= targets.min() <= targets.max() < condition:
        raise InputError(
            f"the condition has {condition} classes, and the targets are numbers from {targets.min():g} to {targets.max():g}. "
            "Set --task.condition to the number of classes, or 1 for a number."
        )


def check_draw(asked: int, *, length: int, condition: int, given: float | None, temperature: float) -> None:
    """Raise `InputError` if a network that writes `length` bp, told `condition` numbers or classes, cannot be drawn from as asked."""
    if asked != length:
        raise InputError(f"sequences of {asked} bp were asked for: the network writes {length} bp. Leave --length out.")
    if bool(condition) != (given is not None):
        said = "needs a condition and none was given" if condition else "was trained without a condition, and one was given"
        raise InputError(f"the network {said}. {'Add' if condition else 'Leave out'} --condition.")
    if not temperature > 0:
        raise InputError(f"the temperature is {temperature}: a number above 0 was expected. Use 1 for what the model says.")
