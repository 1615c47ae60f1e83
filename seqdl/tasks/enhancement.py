"""A clean signal from a noisy one."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from seqdl.errors import InputError, UnknownNameError
from seqdl.layers.losses import mean_of_known, poisson_nll
from seqdl.layers.onehot import mask_positions
from seqdl.registry import TASKS
from seqdl.tasks.along import AlongTask, check_counts, correlation
from seqdl.types import Batch, Floats

LOSSES = ("log", "poisson", "mse")
N_BASES = 4
LEAST_SHARE = 0.05
"""Of the typical signal: what is added before the logarithm."""


@TASKS.register("enhancement")
class Enhancement(AlongTask):
    """A signal at every base from a noisier measurement of it, with the sequence beside it or without.

    The network corrects a smoothed copy of the input signal, whose weights are learned too: it begins where smoothing ends.

    Parameters
    ----------
    encoder : nn.Module
        Features (B, C, L') for one-hot and signals (B, 4 + C, L).
    outputs : list of str, optional
        Names of the signals; one, "target", by default.
    strands : {"shared", "average", "augment", "single"}, default "shared"
        See `Task`.
    activation : str, default "relu"
        Behind the normalisation of the features.
    hidden : int, default 32
        Units of a further layer at every base; 0 leaves it out.
    dropout : float, in [0, 1), default 0.1
    loss : {"log", "poisson", "mse"}, default "poisson"
        Squared error of log(1 + signal), Poisson's likelihood, or squared error of the signal itself, which may be
        negative then; with the first two the network multiplies the smoothed signal, with the last it adds to it.
    span : int, default 101
        Width of the smoothing (bp), odd; 0 leaves it out.
    use_sequence : bool, default True
        Whether the bases are read beside the signal.
    length : int, optional
        Length of the sequences (bp).

    Examples
    --------
    >>> from seqdl.models.cnn import CNN
    >>> task = Enhancement(CNN(in_channels=5, filters=8), outputs=["ATAC"]).eval()
    >>> task(torch.zeros(2, 5, 50)).shape
    torch.Size([2, 1, 50])
    """

    serves = ("signal",)
    monitor = "val_pearson"
    higher_is_better = True
    typical: Tensor
    variance: Tensor

    def __init__(
        self,
        encoder: nn.Module,
        *,
        outputs: list[str] | None = None,
        strands: str = "shared",
        activation: str = "relu",
        hidden: int = 32,
        dropout: float = 0.1,
        loss: str = "poisson",
        span: int = 101,
        use_sequence: bool = True,
        length: int | None = None,
    ) -> None:
        super().__init__(encoder, outputs=outputs, strands=strands, activation=activation, hidden=hidden, dropout=dropout, length=length)
        if loss not in LOSSES:
            raise UnknownNameError("loss of the task 'enhancement'", loss, LOSSES)
        if span and span % 2 == 0:
            raise InputError(f"the smoothing has a span of {span} bp: an odd number, or 0, was expected. Use {span + 1}.")
        self.kind_of_loss, self.span, self.use_sequence = loss, span, use_sequence
        self.kernel = nn.Parameter(torch.full((len(self.outputs), 1, span), 1.0 / span)) if span else None
        self.register_buffer("typical", torch.ones(len(self.outputs), 1))
        self.register_buffer("variance", torch.ones(len(self.outputs), 1), persistent=False)

    def prepare(self, targets: Floats) -> None:
        """Take note of the typical size of the training targets (N, T, L).

        Raises
        ------
        InputError
            If one is negative and the loss is none that allows for it.
        """
        if self.kind_of_loss != "mse":
            check_counts(targets, "enhancement")
        mean = np.nanmean(np.abs(targets), axis=(0, 2), dtype=np.float64)
        spread = np.nanvar(targets, axis=(0, 2), dtype=np.float64)
        self.typical.copy_(torch.from_numpy(np.asarray(np.maximum(mean, 1e-6))).unsqueeze(1))
        self.variance.copy_(torch.from_numpy(np.where(spread > 0, spread, 1.0)).unsqueeze(1))
        if self.kernel is None and self.kind_of_loss != "mse":
            self.calibrate(np.ones_like(mean), np.log(np.maximum(mean, 1e-6)))

    def inputs(self, batch: Batch) -> Tensor:
        """Return what the encoder reads of a batch, (B, 4 + C, L).

        Raises
        ------
        InputError
            If the data hold no signal to begin from.
        """
        if batch.signal is None:
            raise InputError(
                "the task enhancement was given examples without an input signal: a noisy track was expected beside the clean one. "
                "Add --input-signal I.bw, or use --task profile to predict the signal from the sequence alone."
            )
        return super().inputs(batch)

    def _strand_logits(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return logits (B, T, L) of one reading: the smoothed signal, corrected."""
        if x.shape[1] <= N_BASES:
            raise InputError(
                f"the input has {x.shape[1]} channels: 4 bases and at least one signal behind them were expected. Give the signal that is to be "
                "enhanced."
            )
        bases = x[:, :N_BASES] if self.use_sequence else torch.zeros_like(x[:, :N_BASES])
        signal = x[:, N_BASES:]
        read = signal if self.kind_of_loss == "mse" else signal.clamp(min=0).log1p()
        correction = super()._strand_logits(torch.cat([bases, read], dim=1), lengths)
        return correction if self.kernel is None else mask_positions(correction + self._smoothed(signal, lengths), lengths)

    def _smoothed(self, signal: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the smoothed mean of the input signals, (B, T, L), its logarithm where the loss is on that scale."""
        assert self.kernel is not None
        ends = torch.full((len(signal),), signal.shape[-1], device=signal.device) if lengths is None else lengths
        place = torch.arange(-(self.span // 2), signal.shape[-1] + self.span // 2, device=signal.device).clamp(min=0)
        source = torch.minimum(place.unsqueeze(0), ends.unsqueeze(1) - 1).unsqueeze(1)  # beyond an end its last value goes on
        wide = signal.mean(1, keepdim=True).gather(-1, source)
        kernel = (self.kernel + self.kernel.flip(-1)) / 2  # the same on either strand
        smooth = nn.functional.conv1d(wide, kernel)
        return smooth if self.kind_of_loss == "mse" else (smooth.clamp(min=0) + LEAST_SHARE * self.typical).log()

    def pool(self, predictions: Floats) -> Floats:
        """Return the total of each window, (N, T)."""
        return np.asarray(np.nansum(predictions, axis=-1))

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss over the bases that are known."""
        truth = targets.nan_to_num()
        if self.kind_of_loss == "mse":
            return mean_of_known((logits - truth) ** 2 / self.variance.to(logits), targets)
        if self.kind_of_loss == "log":
            return mean_of_known((nn.functional.softplus(logits) - truth.log1p()) ** 2, targets)
        return mean_of_known(poisson_nll(logits, truth) / self.typical.to(logits), targets)

    def link(self, logits: Tensor) -> Tensor:
        """Return the signal at every base."""
        return logits if self.kind_of_loss == "mse" else torch.exp(logits)

    def metrics(self, targets: Floats, predictions: Floats) -> dict[str, float]:
        """Return Pearson's correlation over bases, averaged over the outputs."""
        return {"pearson": float(np.mean([correlation(targets[:, t], predictions[:, t]) for t in range(targets.shape[1])]))}
