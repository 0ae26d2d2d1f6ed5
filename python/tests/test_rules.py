# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import fields

import pytest
import torch

import signstep
from signstep import Dither, Switch


def walk(optimizer_of, gradients, x=0.0) -> list[float]:
    p = torch.nn.Parameter(torch.tensor([x]))
    optimizer = optimizer_of([p])
    seen = []
    for g in gradients:
        p.grad = torch.tensor([float(g)])
        optimizer.step()
        seen.append(p.item())
    return seen


KNOWN = [1, 1, -3, -1, 0, 0.5]


def test_known_answers() -> None:
    """docs/algorithms.md has them."""
    assert walk(lambda p: signstep.Signum(p, 1.0, decoupled_weight_decay=0), KNOWN) == [-1, -2, -1, 0, 1, 2]
    assert walk(lambda p: signstep.SignSGD(p, 1.0, 0, decoupled_weight_decay=0), KNOWN) == [-1, -2, -1, 0, 0, -1]
    up = [-g for g in KNOWN]
    assert walk(lambda p: signstep.Signum(p, 1.0, decoupled_weight_decay=0, maximize=True), up) == [-1, -2, -1, 0, 1, 2]


def test_lion_looks_ahead_with_the_first_beta() -> None:
    lion = walk(lambda p: signstep.Lion(p, 1.0, (0.5, 0.9), decoupled_weight_decay=0), [1, -0.05, -0.05])
    assert lion == [-1, -2, -3]  # u: 0.5, 0.5 * 0.1 - 0.025, 0.5 * 0.085 - 0.025
    assert walk(lambda p: signstep.Lion(p, 1.0, (0.0, 0.9), decoupled_weight_decay=0), [1, -0.05, -0.05]) == [-1, 0, 1]


def test_decay_is_decoupled_and_its_default_the_rules() -> None:
    assert walk(lambda p: signstep.Signum(p, 0.5, decoupled_weight_decay=0.5), [0.0], x=4.0) == [3.0]
    for optimizer, decay in ((signstep.Signum, 0.05), (signstep.Lion, 0.1)):
        assert optimizer([torch.nn.Parameter(torch.zeros(1))]).param_groups[0]["decoupled_weight_decay"] == decay
    plain = signstep.SignSGD([torch.nn.Parameter(torch.zeros(1))], momentum=0)
    assert plain.param_groups[0]["decoupled_weight_decay"] == 0.1
    assert not plain.state and plain.options["optimizer"] == "signsgd"


def test_sign_steps_carry_no_state_without_momentum() -> None:
    p = torch.nn.Parameter(torch.zeros(3))
    optimizer = signstep.SignSGD([p], momentum=0)
    p.grad = torch.ones(3)
    optimizer.step()
    assert optimizer.state[p] == {}


def test_every_described_option_can_be_stated() -> None:
    stated = {"optimizer", "learning_rate", "momentum", "decoupled_weight_decay", "beta1", "beta2", "zero", "seed", "total_steps"}
    stated |= {"dither" if f.name == "kind" else f"dither_{f.name}" for f in fields(Dither)}
    stated |= {f"switch_{f.name}" for f in fields(Switch)}
    assert stated == {option["name"] for option in signstep.described_options()}


@pytest.mark.parametrize(
    "make, error, message",
    [
        (lambda p: signstep.Signum(p, lr=-1.0), ValueError, "lr is -1.0; wanted a finite number"),
        (lambda p: signstep.Signum(p, lr=float("nan")), ValueError, "lr is nan"),
        (lambda p: signstep.Signum(p, lr="fast"), TypeError, "lr is 'fast'; wanted a number"),
        (lambda p: signstep.Signum(p, lr=1.0, decoupled_weight_decay=2.0), ValueError, "lower one"),
        (lambda p: signstep.Signum(p, momentum=1.0), ValueError, r"momentum .*in \[0, 1\)"),
        (lambda p: signstep.Signum(p, momentum=None), TypeError, "momentum is None"),
        (lambda p: signstep.Lion(p, betas=(0.9,)), TypeError, "betas"),
        (lambda p: signstep.Lion(p, betas=(0.9, 1.5)), ValueError, "beta2"),
        (lambda p: signstep.Signum(p, zero="none"), ValueError, "zero.*skip"),
        (lambda p: signstep.Signum(p, seed=-1), ValueError, "seed"),
        (lambda p: signstep.Signum(p, dither="relative"), TypeError, "wanted a signstep.Dither"),
        (lambda p: signstep.Signum(p, dither=Dither()), ValueError, "total_steps is 0"),
        (lambda p: signstep.Signum(p, dither=Dither("relativ"), total_steps=9), ValueError, "relative"),
        (lambda p: signstep.Signum(p, dither=Dither("absolute"), total_steps=9), ValueError, "dither_level"),
        (lambda p: signstep.Signum(p, switch=Switch(at=2.0), total_steps=9), ValueError, "switch_at"),
        (lambda p: signstep.SignSGD(p, momentum=0, switch=Switch(), total_steps=9), ValueError, "switch_direction"),
        (lambda p: signstep.Signum(p, differentiable=True), ValueError, "derivative of a sign"),
        (lambda p: signstep.Signum(p, maximize=1), TypeError, "maximize"),
        (lambda p: signstep.Signum(p, low_precision="up"), ValueError, "stochastic"),
        (lambda p: signstep.Signum([]), ValueError, "empty"),
        (lambda p: signstep.Signum([{"params": p, "weight_decay": 0.1}]), ValueError, "'weight_decay' was set, and nothing reads it"),
        (lambda p: signstep.Signum([torch.zeros(2, dtype=torch.int64)]), TypeError, "torch.int64"),
        (lambda p: signstep.Signum([torch.zeros(2, dtype=torch.complex64)]), TypeError, "torch.complex64"),
        (lambda p: signstep.Signum([torch.zeros(2).to_sparse()]), TypeError, "dense"),
    ],
)
def test_what_cannot_be_is_refused_by_name(make, error, message) -> None:
    with pytest.raises(error, match=message):
        make([torch.nn.Parameter(torch.zeros(2))])


def test_numbers_of_numpy_are_numbers() -> None:
    numpy = pytest.importorskip("numpy", reason="numpy is not installed: its numbers were not given")
    p = [torch.nn.Parameter(torch.zeros(1))]
    optimizer = signstep.Signum(p, numpy.float32(0.5), numpy.float64(0.25), seed=numpy.int64(7), total_steps=numpy.int32(9))
    assert (optimizer.options["momentum"], optimizer.options["seed"], optimizer.options["total_steps"]) == (0.25, 7, 9)
    p[0].grad = torch.ones(1)
    optimizer.step()
    assert p[0].item() == -0.5
    assert signstep.Signum(p, torch.tensor(0.5)).step() is None
    optimizer.param_groups[0]["lr"] = torch.tensor([0.5, 0.5])
    with pytest.raises(TypeError, match="wanted a number, or a tensor of one"):
        optimizer.step()


def test_repr_has_what_was_stated_and_the_groups() -> None:
    optimizer = signstep.Lion([torch.nn.Parameter(torch.zeros(1))], dither=Dither(), total_steps=7)
    lines = repr(optimizer).split("\n")
    assert lines[0] == "Lion ("
    for line in ("    beta1: 0.9", "    dither: relative", "    total_steps: 7", "Parameter Group 0", "    lr: 0.0003"):
        assert line in lines


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_a_blend_takes_the_signs_of_the_rules_average(momentum: float) -> None:
    """SGD without momentum steps along the gradient and leaves m to the sign; with it, m becomes SGD's d."""
    torch.manual_seed(1)
    p = torch.nn.Parameter(torch.zeros(200, dtype=torch.float64))
    switch = signstep.Switch(step=12, blend=6, momentum=momentum, decay="sign")
    optimizer = signstep.Signum([p], lr=1e-3, decoupled_weight_decay=0, total_steps=40, switch=switch)
    m, x, rate = torch.zeros_like(p), torch.zeros_like(p), 0.0
    for t in range(25):
        g = torch.randn(200, dtype=torch.float64) + 0.3
        p.grad = g.clone()
        optimizer.step()
        sign = torch.sign(0.9 * m + 0.1 * g)
        alpha = 1 - (t - 11) / 6 if 12 <= t < 18 else 0.0
        if t < 12:
            m = 0.9 * m + 0.1 * g
            x = x - 1e-3 * sign
        else:
            d = g if momentum == 0 else momentum * m + (1 - momentum) * g
            m = d if momentum > 0 or t >= 18 else 0.9 * m + 0.1 * g
            x = x - alpha * 1e-3 * sign - (1 - alpha) * rate * d
        if t == 11:
            rate = optimizer.report.sgd_rate
        assert torch.allclose(p.detach(), x, atol=1e-12), t
