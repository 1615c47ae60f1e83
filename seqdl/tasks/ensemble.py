"""Several members under one roof: trained side by side, answering with their weighted mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from seqdl.errors import InputError
from seqdl.tasks.base import Task
from seqdl.types import Batch, Floats


class Ensemble(Task):
    """Members of the same objective, each with its own encoder and head, in one checkpoint.

    They see the same batches and share no weights; the logits are the mean of theirs, in which all count the same until `weigh` is told
    otherwise. Members that differ (activation,
    width of the filters) gain more than the same one several times.

    Parameters
    ----------
    members : sequence of Task
        At least one; all of one class, with the same outputs.

    Examples
    --------
    >>> from seqdl.models.cnn import CNN
    >>> from seqdl.tasks.binary import Binary
    >>> task = Ensemble([Binary(CNN(filters=8)), Binary(CNN(filters=8, width=11))]).eval()
    >>> task(torch.zeros(2, 4, 50)).shape
    torch.Size([2, 1])
    """

    newer: ClassVar[dict[str, float]] = {"weights": 1.0}  # all counted the same
    weights: Tensor

    def __init__(self, members: Sequence[Task]) -> None:
        if not members:
            raise InputError("an ensemble was asked for without members: at least one task was expected.")
        first = members[0]
        for member in members:
            if type(member) is not type(first) or member.outputs != first.outputs:
                raise InputError(
                    f"an ensemble mixes {type(first).__name__} with outputs {first.outputs} and {type(member).__name__} with outputs "
                    f"{member.outputs}: one kind of task with the same outputs was expected."
                )
        self.serves, self.family, self.per_base = first.serves, first.family, first.per_base
        super().__init__(first.encoder, outputs=first.outputs, strands=first.strands)
        del self.encoder
        self.members = torch.nn.ModuleList(members)
        self.register_buffer("weights", torch.ones(len(members), len(self.outputs)))
        self.monitor, self.higher_is_better = first.monitor, first.higher_is_better
        self.calibrated, self.two_classes, self.exclusive = first.calibrated, first.two_classes, first.exclusive
        self.logarithmic = first.logarithmic
        self.recipe = {"members": [member.recipe for member in members]}

    @property
    def tasks(self) -> list[Task]:
        """The members, typed."""
        return [member for member in self.members if isinstance(member, Task)]

    @property
    def reader(self) -> Task:
        """The member that is asked where one will do: for the loss and the link, which are the same in all, or for an embedding."""
        return self.tasks[0]

    def member_logits(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the logits of each member, (M, B, T), or (M, B, T, L)."""
        return torch.stack([member.logits(x, lengths) for member in self.tasks])

    def raw_logits(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the weighted mean of the members' logits."""
        logits = self.member_logits(x, lengths)
        return (self._shares(logits) * logits).sum(0)

    def combined(self, member_logits: Tensor, members: Sequence[int] | None = None) -> Tensor:
        """Return the logits of the ensemble, calibrated where that was done, for those of its members, or of some of them, (M, B, T)."""
        return self.adjusted((self._shares(member_logits, members) * member_logits).sum(0))

    def weigh(self, weights: Floats) -> None:
        """Set how much each member counts for each output, (M, T)."""
        self.weights.copy_(torch.from_numpy(np.asarray(weights, dtype=np.float32)).view_as(self.weights))

    def weighed(self, member_logits: Tensor) -> Tensor:
        """Return the logits of all members (M, B, T) so scaled that their plain mean is what the ensemble says."""
        return len(member_logits) * self._shares(member_logits) * member_logits

    def disagreement(self, member_logits: Tensor) -> Tensor:
        """Return the standard deviation over members of logits (M, B, T): of yes or no on one scale, of numbers weighed as the mean is."""
        if self.two_classes:
            return self.weighed(member_logits).std(0)
        shares = self._shares(member_logits)
        apart = member_logits - (shares * member_logits).sum(0)
        return ((shares * apart**2).sum(0) * len(shares) / (len(shares) - 1)).sqrt()

    def _shares(self, member_logits: Tensor, members: Sequence[int] | None = None) -> Tensor:
        """Return the share of each member in the mean, (M, 1, T) or (M, 1, T, 1); where those that are asked count nothing, they count the same."""
        weights = self.weights if members is None else self.weights[list(members)]
        weights = torch.where(weights.sum(0) > 0, weights, 1.0)
        return (weights / weights.sum(0)).view(len(weights), 1, -1, *[1] * (member_logits.ndim - 3)).to(member_logits)

    def prepare(self, targets: Floats) -> None:
        """Let each member take note of the training targets."""
        for member in self.tasks:
            member.prepare(targets)

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of the mean logits."""
        return self.reader.loss(logits, targets)

    def link(self, logits: Tensor) -> Tensor:
        """Return predictions for logits."""
        return self.reader.link(logits)

    def metrics(self, targets: Floats, predictions: Floats) -> dict[str, float]:
        """Return the metrics of the members' objective."""
        return self.reader.metrics(targets, predictions)

    def summary(self, logits: Tensor) -> Tensor:
        """Return one logit a sequence and output."""
        return self.reader.summary(logits)

    def pool(self, predictions: Floats) -> Floats:
        """Return one prediction a sequence and output."""
        return self.reader.pool(predictions)

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Return the sum of the members' losses: none sees another's gradient."""
        x, targets = self.inputs(batch), self.known_targets(batch)
        losses = torch.stack([member.loss(member.logits(x, batch.lengths), targets) for member in self.tasks])
        self.mean_loss.add(self, losses.detach().mean(), n=len(batch.codes), batch_index=batch_index)
        return losses.sum()
