"""How far the members of an ensemble disagree: an uncertainty beside each prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from seqdl.experiment.team import ALONE, Team
from seqdl.tasks.ensemble import Ensemble

if TYPE_CHECKING:
    from seqdl.data.dataset import SequenceData
    from seqdl.tasks.base import Task
    from seqdl.types import Floats, Ints


class MemberSpread:
    """Stands in for an ensemble where logits are asked for, and answers with the standard deviation over its members.

    Parameters
    ----------
    ensemble : Ensemble
        Of two members or more.
    """

    def __init__(self, ensemble: Ensemble) -> None:
        self.ensemble, self.outputs = ensemble, ensemble.outputs

    def to(self, place: Any) -> MemberSpread:
        """Move the ensemble."""
        self.ensemble.to(place)
        return self

    def eval(self) -> MemberSpread:
        """Put the ensemble into evaluation mode."""
        self.ensemble.eval()
        return self

    def one_hot(self, codes: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return codes as the ensemble reads them."""
        return self.ensemble.one_hot(codes, lengths)

    def logits(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the standard deviation of the members' logits (B, T), on the scale of the ensemble's."""
        return self.ensemble.disagreement(self.ensemble.member_logits(x, lengths)) * self.ensemble.scale


def spread_columns(task: Task, data: SequenceData, rows: Ints, *, device: str = "auto", team: Team = ALONE) -> dict[str, Floats]:
    """Return the column logit_sd (of several outputs logit_sd_NAME) for some rows; nothing of what is one network, or per base.

    Parameters
    ----------
    task : Task
    data : SequenceData
    rows : int array (N,)
    device : str
    team : Team, optional
        The processes that predict together.
    """
    from seqdl.experiment.predict import data_logits

    if not isinstance(task, Ensemble) or len(task.tasks) < 2 or task.per_base:
        return {}
    stand_in: Any = MemberSpread(task)
    found = np.asarray(data_logits(stand_in, data, rows, device=device, team=team))
    names = [f"logit_sd_{name}" for name in task.outputs] if len(task.outputs) > 1 else ["logit_sd"]
    return {name: found[:, t] for t, name in enumerate(names)}
