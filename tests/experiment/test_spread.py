"""The disagreement of an ensemble's members beside each prediction."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seqdl.experiment.build import create_model, create_task
from seqdl.experiment.doctor import planted_set
from seqdl.experiment.predict import data_logits, prediction_table
from seqdl.experiment.spread import spread_columns
from seqdl.tasks.ensemble import Ensemble


@pytest.mark.parametrize("outputs", [["target"], ["one", "two"]])
def test_the_spread_is_the_standard_deviation_of_the_members(outputs):
    data = planted_set(n=60, length=40)
    members = []
    for seed in range(3):
        torch.manual_seed(seed)
        members.append(create_task("binary", create_model("cnn", filters=4, width=7), outputs=outputs))
    task = Ensemble(members).eval()
    task.calibrate(np.full(len(outputs), 2.0), np.ones(len(outputs)))
    found = spread_columns(task, data, data.rows("test"), device="cpu")
    each = np.stack([data_logits(member, data, data.rows("test"), device="cpu") for member in task.tasks])
    expected = 2 * each.std(0, ddof=1)
    assert list(found) == (["logit_sd"] if len(outputs) == 1 else ["logit_sd_one", "logit_sd_two"])
    np.testing.assert_allclose(np.stack(list(found.values()), axis=1), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("n_members", [0, 1, 2])
def test_one_network_has_no_spread(n_members):
    data = planted_set(n=60, length=40)
    made = [create_task("binary", create_model("cnn", filters=4, width=7)) for _ in range(max(1, n_members))]
    task = (Ensemble(made) if n_members else made[0]).eval()
    assert ("logit_sd" in prediction_table(task, data, device="cpu").columns) == (n_members == 2)
