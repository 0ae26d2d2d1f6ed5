# SPDX-License-Identifier: Apache-2.0
"""Two Gloo processes vote through DistributedDataParallel."""

from __future__ import annotations

import copy
import fractions
import io
import json
import os
import warnings
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

import signstep

pytestmark = pytest.mark.skipif(
    not (dist.is_available() and dist.is_gloo_available() if hasattr(dist, "is_gloo_available") else dist.is_available()),
    reason="this PyTorch has no Gloo",
)

STEPS = 6


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(30, 200), torch.nn.ReLU(), torch.nn.Linear(200, 700), torch.nn.ReLU(), torch.nn.Linear(700, 3))


def batch(rank: int, t: int):
    generator = torch.Generator().manual_seed(100 * rank + t)
    return torch.randn(8, 30, generator=generator), torch.randint(0, 3, (8,), generator=generator)


def loss_of(model: torch.nn.Module, rank: int, t: int) -> torch.Tensor:
    x, y = batch(rank, t)
    return torch.nn.functional.cross_entropy(model(x), y)


def worker(rank: int, folder: str, dithered: bool) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    model = network()
    ddp = torch.nn.parallel.DistributedDataParallel(model, bucket_cap_mb=0.05)  # several buckets, rebuilt after a step
    optimizer = signstep.SignSGD(model.parameters(), 1e-2, 0, decoupled_weight_decay=0)
    dither = signstep.Dither("absolute", level=0.01, shape="constant") if dithered else None
    vote = signstep.MajorityVote(optimizer, 0.9, dither=dither, seed=4)
    ddp.register_comm_hook(vote, signstep.majority_vote_hook)
    seen = []
    for t in range(STEPS):
        ddp.zero_grad()
        before = [p.detach().clone() for p in model.parameters()]
        loss_of(ddp, rank, t).backward()
        gradients = [p.grad.clone() for p in model.parameters()]
        optimizer.step()
        seen.append((before, gradients))
        if t == 2:  # a vote that was saved and loaded goes on
            state = copy.deepcopy(vote.state_dict())
            vote.load_state_dict(state)
    assert vote.nonfinite == 0
    torch.save(ddp, io.BytesIO())  # which holds the vote, from PyTorch 2 on
    twin = copy.deepcopy(vote)
    assert json.loads(twin.state_dict()["signstep"]) == json.loads(vote.state_dict()["signstep"])
    assert all(torch.equal(p, q) for p, q in zip(twin.state_dict()["m"], vote.state_dict()["m"]))
    torch.save({"seen": seen, "last": [p.detach() for p in model.parameters()], "m": vote.state_dict()["m"]}, f"{folder}/{rank}.pt")
    dist.destroy_process_group()
    os._exit(0)  # now and then PyTorch 1.13 waits for Gloo's thread, which waits for Python's lock, when a DDP model goes


def run(folder: Path, dithered: bool) -> list:
    folder.mkdir()
    mp.spawn(worker, (str(folder), dithered), nprocs=2)
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


def test_two_processes_take_the_majoritys_signs(tmp_path: Path) -> None:
    one, other = run(tmp_path / "a", False)
    assert all(torch.equal(p, q) for p, q in zip(one["last"], other["last"]))
    model = network()
    averages = [[torch.zeros_like(p) for p in model.parameters()] for _ in range(2)]
    ties = plus = 0
    for t, (before, gradients) in enumerate(one["seen"]):
        signs = []
        for rank in range(2):
            with torch.no_grad():
                for p, value in zip(model.parameters(), before):
                    p.copy_(value)
            model.zero_grad()
            loss_of(model, rank, t).backward()
            for m, p in zip(averages[rank], model.parameters()):
                m.copy_(m * 0.9 + p.grad * 0.1)
            signs.append([torch.sign(m) for m in averages[rank]])
        for i, g in enumerate(gradients):
            votes = signs[0][i] + signs[1][i]
            assert torch.equal(g.abs(), torch.ones_like(g))
            agreed = votes.abs() == 2
            assert torch.equal(g[agreed], votes[agreed] / 2)
            tied = signs[0][i] * signs[1][i] == -1
            ties += int(tied.sum())
            plus += int((g[tied] > 0).sum())
            assert torch.equal(g, other["seen"][t][1][i])  # a tie's coin is the same for both
    assert ties > 10_000 and abs(plus / ties - 0.5) < 4 * 0.5 / ties**0.5
    for rank, saved in enumerate((one, other)):
        assert all(torch.allclose(m, n.reshape(m.shape), atol=1e-7) for m, n in zip(averages[rank], saved["m"]))


def test_ranks_dither_apart_and_step_alike(tmp_path: Path) -> None:
    one, other = run(tmp_path / "a", True)
    again, _ = run(tmp_path / "b", True)
    assert all(torch.equal(p, q) for p, q in zip(one["last"], other["last"]))
    assert all(torch.equal(p, q) for p, q in zip(one["last"], again["last"]))
    plain, _ = run(tmp_path / "c", False)
    assert not all(torch.equal(p, q) for p, q in zip(one["last"], plain["last"]))


def voting(rank: int, seed: int) -> tuple:
    model = torch.nn.Linear(3, 1, bias=False)
    ddp = torch.nn.parallel.DistributedDataParallel(model)
    optimizer = signstep.SignSGD(model.parameters(), 0.1, 0)
    ddp.register_comm_hook(signstep.MajorityVote(optimizer, 0, seed=seed), signstep.majority_vote_hook)
    return ddp, optimizer


def order_worker(rank: int, folder: str, layers: int) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    torch.manual_seed(0)
    model = torch.nn.Sequential(*[torch.nn.Linear(5, 5, bias=False) for _ in range(layers)])
    ddp = torch.nn.parallel.DistributedDataParallel(model, bucket_cap_mb=1e-5)  # a bucket each, put in order anew
    parameters = list(model.parameters())
    optimizer = signstep.SignSGD(parameters if rank == 0 else parameters[::-1], 0.1, 0)
    ddp.register_comm_hook(signstep.MajorityVote(optimizer, 0), signstep.majority_vote_hook)
    told = "nothing"
    try:
        for _ in range(3):
            ddp(torch.full((1, 5), 1.0 + rank)).sum().backward()
            optimizer.step()
            ddp.zero_grad()
    except Exception as error:  # of the type that DDP makes of it
        told = str(error)
    Path(folder, f"{rank}.json").write_text(json.dumps(told))
    os._exit(0)


def test_another_order_of_parameters_is_refused(tmp_path: Path) -> None:
    """Votes are counted place by place: with other lists the ranks' replicas would part, and nothing would say so."""
    for layers in (1, 3):
        folder = tmp_path / str(layers)
        folder.mkdir()
        mp.spawn(order_worker, (str(folder), layers), nprocs=2)
        for rank in range(2):
            told = json.loads((folder / f"{rank}.json").read_text())
            wanted = f"rank {1 - rank}'s optimizer has the parameters in another order than rank {rank}'s"
            assert told == "nothing" if layers == 1 else wanted in told, told


def odd_worker(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    ddp, optimizer = voting(rank, 1)
    told = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            ddp.zero_grad()
            with ddp.no_sync():
                ddp(torch.full((1, 3), 1e-3)).sum().backward()
            ddp(torch.full((1, 3), -5e-3)).sum().backward()
            assert ddp.module.weight.grad.tolist() == [[-1, -1, -1]]
            optimizer.step()
        told.append(len([w for w in caught if "no_sync" in str(w.message)]))
        for _ in range(3):
            ddp.zero_grad()
            ddp(torch.full((1, 3), 1e-3)).sum().backward()  # probed, and thrown away
        told.append(len([w for w in caught if "no_sync" in str(w.message)]))
        for _ in range(3):
            ddp(torch.full((1, 3), 1e-3)).sum().backward()
        told.append(len([w for w in caught if "accumulate under model.no_sync()" in str(w.message)]))
    ddp, _ = voting(rank, rank)
    try:
        ddp(torch.ones(1, 3)).sum().backward()
    except Exception as error:  # of the type that DDP makes of it
        told.append(str(error))
    Path(folder, f"{rank}.json").write_text(json.dumps(told))
    os._exit(0)


def test_accumulation_is_warned_of_once_and_another_seed_is_refused(tmp_path: Path) -> None:
    mp.spawn(odd_worker, (str(tmp_path),), nprocs=2)
    for rank in range(2):
        before, probed, after, refused = json.loads((tmp_path / f"{rank}.json").read_text())
        assert (before, probed, after) == (0, 0, 1)
        assert f"rank {1 - rank} votes with seed {1 - rank} at step 0, rank {rank} with seed {rank}" in refused


def test_options_are_judged_as_the_optimizers_are() -> None:
    optimizer = signstep.SignSGD([torch.nn.Parameter(torch.zeros(2))], momentum=0)
    signstep.MajorityVote(optimizer, momentum=fractions.Fraction(9, 10))
    for momentum, error in ((None, TypeError), (float("nan"), ValueError)):
        with pytest.raises(error, match="momentum is"):
            signstep.MajorityVote(optimizer, momentum=momentum)
    with pytest.raises(TypeError, match="dither is 'relative'; wanted a signstep.Dither"):
        signstep.MajorityVote(optimizer, dither="relative")


@pytest.mark.parametrize(
    "make",
    [
        lambda p: signstep.Signum(p),
        lambda p: signstep.Lion(p),
        lambda p: torch.optim.SGD(p, 0.1),
        lambda p: signstep.SignSGD(p, momentum=0, dither=signstep.Dither("absolute", level=1, shape="constant")),
        lambda p: signstep.SignSGD(p, momentum=0, switch=signstep.Switch(step=5, direction="gradient")),
    ],
)
def test_an_optimizer_with_momentum_dither_or_switch_of_its_own_is_refused(make) -> None:
    with pytest.raises(ValueError, match="momentum=0"):
        signstep.MajorityVote(make([torch.nn.Parameter(torch.zeros(2))]))


def test_what_is_no_bit_is_refused() -> None:
    optimizer = signstep.SignSGD([torch.nn.Parameter(torch.zeros(2))], momentum=0)
    with pytest.raises(ValueError, match="more than one bit"):
        signstep.MajorityVote(optimizer, dither=signstep.Dither(on="mean"), total_steps=5)
    vote = signstep.MajorityVote(optimizer, dither=signstep.Dither("relative"), total_steps=5)
    state = vote.state_dict()
    vote.load_state_dict(state)  # of no step yet
    half = [torch.ones(2, dtype=torch.float16)]
    vote.load_state_dict({**state, "m": half})
    assert vote.state_dict()["m"][0].dtype == torch.float32
    with pytest.raises(ValueError, match="m in the state are not of these parameters"):
        vote.load_state_dict({**state, "m": [torch.zeros(3)]})
    with pytest.raises(ValueError, match="this is no state of a MajorityVote, as it has no 'm'"):
        vote.load_state_dict(optimizer.state_dict())
