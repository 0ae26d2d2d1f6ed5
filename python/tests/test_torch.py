# SPDX-License-Identifier: Apache-2.0
"""What PyTorch's own parts ask of an optimizer."""

from __future__ import annotations

import threading
import time

import pytest
import torch
from torch.optim import lr_scheduler, swa_utils

import signstep
from signstep import Switch


def make(**options):
    torch.manual_seed(0)
    model = torch.nn.Linear(4, 3)
    return model, signstep.Signum(model.parameters(), 0.01, **options)


def set_gradients(model, seed: int) -> None:
    for i, p in enumerate(model.parameters()):
        p.grad = torch.randn(p.shape, generator=torch.Generator().manual_seed(31 * seed + i))


SCHEDULERS = {
    "LambdaLR": lambda o: lr_scheduler.LambdaLR(o, lambda t: 1 / (1 + t)),
    "MultiplicativeLR": lambda o: lr_scheduler.MultiplicativeLR(o, lambda t: 0.9),
    "StepLR": lambda o: lr_scheduler.StepLR(o, 3),
    "MultiStepLR": lambda o: lr_scheduler.MultiStepLR(o, [2, 5]),
    "ConstantLR": lambda o: lr_scheduler.ConstantLR(o, 0.5),
    "LinearLR": lambda o: lr_scheduler.LinearLR(o),
    "ExponentialLR": lambda o: lr_scheduler.ExponentialLR(o, 0.9),
    "PolynomialLR": lambda o: lr_scheduler.PolynomialLR(o),
    "CosineAnnealingLR": lambda o: lr_scheduler.CosineAnnealingLR(o, 12),
    "CosineAnnealingWarmRestarts": lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 4),
    "CyclicLR": lambda o: lr_scheduler.CyclicLR(o, 1e-3, 1e-2, 3, cycle_momentum=False),
    "OneCycleLR": lambda o: lr_scheduler.OneCycleLR(o, 1e-2, total_steps=20, cycle_momentum=False),
    "SequentialLR": lambda o: lr_scheduler.SequentialLR(o, [lr_scheduler.ConstantLR(o), lr_scheduler.StepLR(o, 2)], [4]),
    "ChainedScheduler": lambda o: lr_scheduler.ChainedScheduler([lr_scheduler.StepLR(o, 4), lr_scheduler.ExponentialLR(o, 0.9)]),
    "SWALR": lambda o: swa_utils.SWALR(o, swa_lr=1e-3),
}


@pytest.mark.parametrize("name", SCHEDULERS)
def test_every_scheduler_sets_the_rate_in_all_phases(name: str) -> None:
    model, optimizer = make(decoupled_weight_decay=0, switch=Switch(step=4, blend=2, decay="sign"))
    scheduler = SCHEDULERS[name](optimizer)
    phases = []
    for t in range(12):
        lr = optimizer.param_groups[0]["lr"]
        before = model.weight.detach().clone()
        set_gradients(model, t)
        optimizer.step()
        report = optimizer.report
        phases.append(report.phase)
        if report.phase == "sign":
            torch.testing.assert_close((model.weight - before).abs(), torch.full((3, 4), lr), rtol=1e-4, atol=1e-7)
        elif report.phase == "sgd":
            rate = report.lambda_ * lr
            assert report.sgd_rate == pytest.approx(rate)
            m = optimizer.state[model.weight]["m"]
            torch.testing.assert_close(before - model.weight, rate * m, rtol=1e-3, atol=1e-6)
        scheduler.step()
    assert phases == ["sign"] * 4 + ["blend"] * 2 + ["sgd"] * 6


def test_reduce_on_plateau() -> None:
    model, optimizer = make()
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0)
    for _ in range(3):
        set_gradients(model, 0)
        optimizer.step()
        scheduler.step(1.0)
    assert optimizer.param_groups[0]["lr"] < 0.01


def test_momentum_cannot_be_cycled() -> None:
    _, optimizer = make()
    with pytest.raises(ValueError, match="momentum"):
        lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=20)


def test_a_closure_is_called_once_with_autograd_before_the_step() -> None:
    model, optimizer = make(decoupled_weight_decay=0)
    before = [p.detach().clone() for p in model.parameters()]
    calls = []

    def closure():
        optimizer.zero_grad()
        loss = model(torch.ones(2, 4)).square().sum()
        loss.backward()
        calls.append(loss.item())
        return loss

    loss = optimizer.step(closure)
    assert calls == [loss.item()]
    assert all(torch.allclose((p - q).abs(), torch.full_like(q, 0.01), atol=1e-7) for p, q in zip(model.parameters(), before))


@pytest.mark.parametrize("to_none", [False, True])
def test_zero_grad(to_none: bool) -> None:
    model, optimizer = make(decoupled_weight_decay=0)
    set_gradients(model, 0)
    optimizer.zero_grad(set_to_none=to_none)
    before = model.weight.detach().clone()
    optimizer.step()
    assert torch.equal(model.weight, before)  # sign(0) takes no step
    assert (model.weight.grad is None) == to_none


def test_clipped_gradients_give_the_same_signs() -> None:
    model, optimizer = make()
    other, unclipped = make()
    for p in model.parameters():
        assert p.grad is None
    set_gradients(model, 0)
    set_gradients(other, 0)
    torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0**-7)
    optimizer.step()
    unclipped.step()
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), other.parameters()))


@pytest.mark.skipif(not hasattr(torch.amp, "GradScaler"), reason="this PyTorch has no GradScaler for the CPU")
def test_grad_scaler_skips_the_step_where_it_found_infinity() -> None:
    model, optimizer = make(decoupled_weight_decay=0)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    for infinite in (False, True):
        before = model.weight.detach().clone()
        optimizer.zero_grad()
        scaler.scale(model(torch.ones(2, 4)).sum()).backward()
        if infinite:
            model.weight.grad[0, 0] = float("inf")
        scaler.step(optimizer)
        scaler.update()
        assert torch.equal(model.weight, before) == infinite
    assert scaler.get_scale() == 2.0**9
    assert optimizer.state_dict()["signstep"].count('"steps":1') >= 1


@pytest.mark.skipif(not hasattr(torch, "compile"), reason="this PyTorch has no torch.compile")
def test_a_compiled_model_trains_to_the_same_bits_as_its_optimizer_sees() -> None:
    model, optimizer = make()
    compiled = torch.compile(model, backend="eager")
    other, plain = make()
    x = torch.randn(8, 4, generator=torch.Generator().manual_seed(3))
    for _ in range(5):
        for network, o in ((compiled, optimizer), (other, plain)):
            o.zero_grad()
            network(x).square().sum().backward()
            o.step()
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), other.parameters()))


def test_other_optimizers_beside_it_are_left_alone() -> None:
    model, optimizer = make()
    other = torch.nn.Linear(4, 3)
    reference = torch.nn.Linear(4, 3)
    reference.load_state_dict(other.state_dict())
    beside, alone = torch.optim.AdamW(other.parameters()), torch.optim.AdamW(reference.parameters())
    for t in range(5):
        for network in (model, other, reference):
            set_gradients(network, t)
        beside.step()
        optimizer.step()
        alone.step()
    assert all(torch.equal(p, q) for p, q in zip(other.parameters(), reference.parameters()))


def test_other_threads_run_during_a_step() -> None:
    """The kernels hold no lock of the interpreter: in at least one of the steps a thread that looks at the clock was never
    kept from it for half of the step."""
    p = torch.nn.Parameter(torch.zeros(30_000_000))
    p.grad = torch.ones_like(p)
    optimizer = signstep.SignSGD([p], 1e-3, 0)
    seen: list[float] = []
    begun, done = threading.Event(), threading.Event()

    def watch() -> None:
        begun.set()
        while not done.is_set():
            seen.append(time.perf_counter())
            time.sleep(1e-4)

    thread = threading.Thread(target=watch)
    thread.start()
    begun.wait()
    steps = []
    for _ in range(20):
        first = time.perf_counter()
        optimizer.step()
        steps.append((first, time.perf_counter()))
    done.set()
    thread.join()

    def longest_wait(first: float, last: float) -> float:
        looks = [first, *(t for t in seen if first < t < last), last]
        return max(b - a for a, b in zip(looks, looks[1:])) / (last - first)

    assert min(longest_wait(*step) for step in steps) < 0.5


def test_hooks_are_called() -> None:
    if not hasattr(torch.optim.Optimizer, "register_step_post_hook"):
        pytest.skip("this PyTorch has no step hooks")
    model, optimizer = make()
    seen = []
    optimizer.register_step_post_hook(lambda *arguments: seen.append(1))
    set_gradients(model, 0)
    optimizer.step()
    assert seen == [1]
