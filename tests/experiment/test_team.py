"""Several processes that train one network or predict with it: what each takes, who leads, and that together they are one."""

from __future__ import annotations

import csv
import os
import socket
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from seqdl.cli.main import main
from seqdl.data.datamodule import Loading, SequenceDataModule
from seqdl.experiment.build import create_model, create_task
from seqdl.experiment.config import TrainingConfig
from seqdl.experiment.doctor import planted_set
from seqdl.experiment.team import CheckTeam, Team, check_devices, check_readable_by_all, check_team
from seqdl.layers.shared_norm import SharedBatchNorm, shared_norms

RANKS = ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID", "SLURM_NTASKS")


@pytest.fixture(autouse=True)
def no_ranks(monkeypatch):
    for name in RANKS:
        monkeypatch.delenv(name, raising=False)


def batches(part: tuple[int, int]) -> list[list[int]]:
    data = planted_set(n=100, length=40)
    loader = SequenceDataModule(data, Loading(12, 5, 0.4, part=part), seed=3).train_dataloader()
    return [batch.index.tolist() for batch in loader]


@pytest.mark.parametrize("size", [2, 3, 4])
def test_the_parts_of_a_batch_are_the_batch(size):
    whole = batches((0, 1))
    parts = [batches((rank, size)) for rank in range(size)]
    for number, batch in enumerate(whole):
        taken = [part[number] for part in parts]
        assert {len(part) for part in taken} == {12 // size}
        assert sorted(item for part in taken for item in part) == sorted(batch)


@pytest.mark.parametrize(
    ("team", "environment", "rank"),
    [
        (Team(), {"RANK": "3", "LOCAL_RANK": "1"}, 0),
        (Team(2), {}, 0),
        (Team(2), {"LOCAL_RANK": "1"}, 1),
        (Team(2, 2), {"LOCAL_RANK": "1", "NODE_RANK": "1"}, 3),
        (Team(2, 2), {"RANK": "2", "LOCAL_RANK": "0"}, 2),
        (Team(2, 2), {"SLURM_PROCID": "3", "SLURM_NTASKS": "4"}, 3),
        (Team(2), {"SLURM_PROCID": "0", "SLURM_NTASKS": "1", "LOCAL_RANK": "1"}, 1),
    ],
)
def test_a_process_knows_its_number_however_it_was_started(team, environment, rank, monkeypatch):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert team.rank == rank
    assert team.leads == (rank == 0)


@pytest.mark.parametrize(
    ("team", "training", "device", "message"),
    [
        (Team(3), {"batch_size": 64}, "cpu", "a batch of 64 examples cannot be shared out evenly among 3 processes. Use --batch-size 63"),
        (Team(2, 4), {"batch_size": 60}, "cpu", "evenly among 8 processes. Use --batch-size 56"),
        (Team(2), {"batch_size": 128}, "cpu", None),
        (Team(2), {"batch_size": 63}, "cpu", "a batch of 60 examples"),
        (Team(-1), {}, "cpu", "--devices -1: 1 or more was expected"),
        (Team(1, 0), {}, "cpu", "--nodes 0: 1 or more was expected"),
        (Team(2), {}, "mps", "--devices 2: mps is one device"),
    ],
)
def test_what_cannot_be_shared_out_is_refused(team, training, device, message):
    data = planted_set(n=1_000 if training.get("batch_size", 64) != 63 else 100, length=40)
    task = create_task("binary", create_model("cnn", filters=4))
    if message in (None, "a batch of 60 examples"):
        check_team(team, TrainingConfig(**training), task, data=data, device=device)
        return
    with pytest.raises(ValueError, match=message.replace(".", r"\.")):
        check_team(team, TrainingConfig(**training), task, data=data, device=device)


def test_a_process_that_is_alone_where_others_were_asked_for_trains_nothing():
    with pytest.raises(ValueError, match=r"2 processes were asked for .* and this one is number 0 of 1\. Start as many"):
        CheckTeam(Team(2)).on_fit_start(None, None)
    CheckTeam(Team()).on_fit_start(None, None)


@pytest.mark.parametrize("flag", ["--folds", "--seeds"])
def test_several_trainings_are_not_shared_out(flag, tiny, tmp_path, capsys):
    assert main(["train", *tiny.fasta, *tiny.options, flag, "3", "--devices", "2", "-o", str(tmp_path / "runs")]) == 1
    assert "share out one training" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


# norms ----------------------------------------------------------------------------------------------------


def test_one_process_has_the_plain_norm():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv1d(4, 3, 3), nn.BatchNorm1d(3), nn.ReLU())
    x, names = torch.randn(5, 4, 9), list(net.state_dict())
    expected = net(x)
    with shared_norms(net):
        assert isinstance(net[1], SharedBatchNorm)
        assert torch.equal(net(x), expected)
        assert list(net.state_dict()) == names
    assert type(net[1]) is nn.BatchNorm1d


NORMS = """
import sys, torch
from torch import nn
from seqdl.layers.shared_norm import shared_norms
torch.manual_seed(0)
rank, size = int(sys.argv[1]), 2
torch.distributed.init_process_group("gloo", init_method="file://" + sys.argv[2], rank=rank, world_size=size)
net = nn.Sequential(nn.Conv1d(4, 3, 3), nn.BatchNorm1d(3), nn.Tanh(), nn.Flatten(), nn.Linear(21, 2), nn.BatchNorm1d(2))
x, y = torch.randn(8, 4, 9), torch.randn(8, 2)
if rank == 0:
    (net(x) - y).square().mean().backward()
    whole = [p.grad.clone() for p in net.parameters()], [b.clone() for b in net.buffers()]
    net.zero_grad()
    for part in net.modules():
        if isinstance(part, nn.BatchNorm1d):
            part.reset_running_stats()
with shared_norms(net):
    (net(x[rank::size]) - y[rank::size]).square().mean().backward()
for p in net.parameters():
    torch.distributed.all_reduce(p.grad)
    p.grad /= size
if rank == 0:
    for ours, theirs in zip([p.grad for p in net.parameters()] + list(net.buffers()), whole[0] + whole[1], strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-4)
torch.distributed.destroy_process_group()
"""


@pytest.mark.slow
def test_two_processes_have_the_norm_and_the_gradient_of_the_whole_batch(tmp_path):
    words = [[sys.executable, "-c", NORMS, str(rank), str(tmp_path / "meeting")] for rank in range(2)]
    processes = [subprocess.Popen(one, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}) for one in words]
    for process in processes:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err


# trainings ------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_two_processes_train_what_one_does(tiny, tmp_path):
    words = ["train", *tiny.fasta, *tiny.options, "--max-steps", "36", "--batch-size", "32", "--task", "binary", "--task.dropout", "0", "--quiet"]
    assert main([*words, "-o", str(tmp_path / "one")]) == 0
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    two = [sys.executable, "-m", "seqdl.cli.main", *words, "--devices", "2", "-o", str(tmp_path / "two")]
    done = subprocess.run(two, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    logs = [[list(row.values())[:7] for row in csv.DictReader((tmp_path / name / "log.csv").open())] for name in ("one", "two")]
    np.testing.assert_allclose(*[np.array(log, dtype=float) for log in logs], rtol=1e-3, atol=1e-4)
    tables = [pd.read_csv(tmp_path / name / "predictions.tsv", sep="\t") for name in ("one", "two")]
    assert tables[0]["id"].tolist() == tables[1]["id"].tolist()
    np.testing.assert_allclose(tables[0]["logit"], tables[1]["logit"], rtol=1e-3, atol=1e-3)
    files = [sorted(p.relative_to(tmp_path / n).as_posix() for p in (tmp_path / n).rglob("*") if "logos" not in p.parts) for n in ("one", "two")]
    assert files[0] == files[1]


# predictions ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_what_is_shared_out_comes_back_whole_and_in_order(size, monkeypatch):
    parts = []
    for rank in range(size):
        monkeypatch.setenv("LOCAL_RANK", str(rank))
        parts.append(list(Team(size).share(range(0, 40, 10))))
    assert [item for part in parts for item in part] == [0, 10, 20, 30]
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_more_gpus_than_there_are_are_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(ValueError, match=r"--devices 4: this machine has 1 GPU\. Use --devices 1"):
        check_devices(Team(4), "cuda")
    check_devices(Team(1, 2), "cuda")


@pytest.mark.parametrize("verb", ["predict", "evaluate"])
def test_a_stream_is_not_read_by_several_processes(verb, tiny, tiny_run, capsys):
    files = ["-"] if verb == "predict" else ["-", tiny.fasta[1]]
    assert main([verb, str(tiny_run), "--fasta", *files, "--device", "cpu", "--devices", "2"]) == 1
    assert "-: each of 2 processes reads the input, and a stream can be read once: a file was expected" in capsys.readouterr().err


def test_a_named_pipe_is_a_stream_too(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="a stream can be read once"):
        check_readable_by_all(Team(2), [None, str(tmp_path / "pipe")])
    check_readable_by_all(Team(), ["-"])
    check_readable_by_all(Team(2), [str(tmp_path), __file__, "nowhere.fa"])


def together(words: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command by two processes of this machine."""
    two = [sys.executable, "-m", "seqdl.cli.main", *words, "--devices", "2"]
    return subprocess.run(two, env={**os.environ, "OMP_NUM_THREADS": "1", **environment}, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> str:
    """Write 1,300 sequences of 60 bp, which make three batches."""
    path = tmp_path_factory.mktemp("many") / "many.fa"
    codes = np.random.default_rng(4).integers(0, 4, (1_300, 60))
    path.write_text("".join(f">s{i}\n{''.join('ACGT'[c] for c in row)}\n" for i, row in enumerate(codes)))
    return str(path)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["fasta", "genome"])
def test_two_processes_predict_what_one_does_to_the_last_byte(form, tiny, tiny_run, many, tmp_path):
    words = ["predict", str(tiny_run), "--device", "cpu"]
    words += ["--fasta", many] if form == "fasta" else ["--genome", tiny.path("genome.fa"), "--step", "20"]
    ending = "tsv" if form == "fasta" else "bw"
    assert main([*words, "-o", str(tmp_path / f"one.{ending}")]) == 0
    done = together([*words, "-o", str(tmp_path / f"two.{ending}")])
    assert done.returncode == 0, done.stderr
    assert (tmp_path / f"one.{ending}").read_bytes() == (tmp_path / f"two.{ending}").read_bytes()
    assert done.stdout == ""
    assert done.stderr.count("predicted into") == (form == "genome")


@pytest.mark.slow
def test_two_processes_measure_what_one_does_and_one_of_them_speaks(tiny, tiny_run, capsys):
    words = ["evaluate", str(tiny_run), "--device", "cpu", "--json"]
    assert main(words) == 0
    one = capsys.readouterr().out
    done = together(words)
    assert done.returncode == 0, done.stderr
    assert done.stdout == one
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
def test_processes_that_torchrun_would_start_share_out_a_prediction(tiny_run, many, tmp_path):
    words = [sys.executable, "-m", "seqdl.cli.main", "predict", str(tiny_run), "--device", "cpu", "--fasta", many, "--devices", "2"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    common = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "GROUP_RANK": "0", "OMP_NUM_THREADS": "1"}
    common |= {"TORCHELASTIC_RUN_ID": "1"}
    processes = []
    for rank in ("0", "1"):
        environment = {**os.environ, **common, "RANK": rank, "LOCAL_RANK": rank}
        processes.append(subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    said = [process.communicate(timeout=300) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    assert said[1] == ("", "")
    assert main(["predict", str(tiny_run), "--device", "cpu", "--fasta", many, "-o", str(tmp_path / "one.tsv")]) == 0
    assert said[0][0] == (tmp_path / "one.tsv").read_text()


@pytest.mark.slow
def test_fewer_processes_than_were_asked_for_predict_nothing(tiny_run, many):
    alone = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29555", "GROUP_RANK": "0"}
    alone |= {"TORCHELASTIC_RUN_ID": "1", "LOCAL_WORLD_SIZE": "1"}
    done = together(["predict", str(tiny_run), "--device", "cpu", "--fasta", many], **alone)
    assert done.returncode == 1
    assert "2 processes were asked for (2 devices on 1 nodes)" in done.stderr
    assert "by torchrun --nproc-per-node 2" in done.stderr
