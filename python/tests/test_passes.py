# SPDX-License-Identifier: Apache-2.0
"""Tensor operations against the kernels: x, m and maxima bit for bit on float32, sums to rounding."""

from __future__ import annotations

import math

import pytest
import torch

import signstep
from conftest import bits
from signstep import Dither, Switch

SHAPES = [(3, 5, 7), (1,), (4099,), (0,), (16, 8, 3, 3)]

CASES = {
    "signsgd": dict(momentum=0),
    "zero random": dict(momentum=0, zero="random"),
    "zero plus": dict(zero="plus"),
    "absolute": dict(dither=Dither("absolute", level=0.7)),
    "uniform": dict(dither=Dither("absolute", level=0.7, noise="uniform")),
    "gradient": dict(dither=Dither("absolute", level=0.7, on="gradient")),
    "gradient without m": dict(momentum=0, dither=Dither("absolute", level=0.7, on="gradient")),
    "post": dict(dither=Dither("absolute", level=0.7, on="post")),
    "mean": dict(dither=Dither("absolute", level=0.7, on="mean")),
    "mean uniform": dict(dither=Dither("absolute", level=0.7, on="mean", noise="uniform")),
    "maximum": dict(dither=Dither("maximum", level=0.9)),
    "maximum uniform": dict(dither=Dither("maximum", noise="uniform", shape="constant"), zero="plus"),
    "relative": dict(dither=Dither()),
}


def run(device_steps: int, **options):
    torch.manual_seed(5)
    parameters = [torch.nn.Parameter(torch.randn(shape)) for shape in SHAPES]
    parameters[4].data = parameters[4].data.contiguous(memory_format=torch.channels_last)
    optimizer = signstep.SignSGD(parameters, 1e-2, total_steps=20, seed=2**62 + 11, **options)
    reports = []
    for t in range(device_steps):
        for p in parameters:
            p.grad = torch.randn(p.shape)
        parameters[2].grad[:40] = 0
        parameters[0].grad[1, 2, 3] = math.nan
        parameters[2].grad[50] = math.inf
        optimizer.step()
        reports.append(optimizer.report)
    return parameters, optimizer, reports


@pytest.mark.parametrize("name", CASES)
def test_signs_have_the_kernels_bits(name: str, by_tensor_operations) -> None:
    # One step where sums enter a sigma, which the second would feel.
    steps = 1 if name == "relative" else 6
    # Elements count in memory order by the kernels: channels-last weights draw in another order than by index.
    shapes = slice(0, 4) if "dither" in CASES[name] or "zero" in CASES[name] else slice(0, 5)
    by_tensor_operations(False)
    kernels, one, seen = run(steps, **CASES[name])
    by_tensor_operations(True)
    operations, other, reports = run(steps, **CASES[name])
    assert bits(kernels[shapes]) == bits(operations[shapes])
    for p, q in zip(kernels[shapes], operations[shapes]):
        assert one.state[p].keys() == other.state[q].keys()
        for key in one.state[p]:
            assert bits([one.state[p][key]]) == bits([other.state[q][key]]), key
    assert [r.nonfinite for r in seen] == [r.nonfinite for r in reports] == [2] * steps
    assert seen[0].first_nonfinite == reports[0].first_nonfinite == 0


SWITCHES = {
    "norm": Switch(step=3, blend=3),
    "swats gradient": Switch(step=3, blend=3, projection="swats", direction="gradient", negative="absolute"),
    "by tensor": Switch(step=3, blend=0, scope="tensor"),
    "l2": Switch(step=3, blend=2, decay="l2"),
    "follow": Switch(step=3, blend=2, follow=True, momentum=0, projection="inner", direction="gradient", negative="absolute"),
}


@pytest.mark.parametrize("name, momentum", [(name, 0.9) for name in SWITCHES] + [("swats gradient", 0)])
def test_the_switch_differs_by_the_rounding_of_sums_alone(name: str, momentum: float, by_tensor_operations) -> None:
    by_tensor_operations(False)
    kernels, _, seen = run(12, momentum=momentum, switch=SWITCHES[name])
    by_tensor_operations(True)
    operations, _, reports = run(12, momentum=momentum, switch=SWITCHES[name])
    assert [r.phase for r in seen] == [r.phase for r in reports]
    assert seen[-1].phase == "sgd"
    for a, b in zip(seen, reports):
        assert (a.lambda_ is None) == (b.lambda_ is None)
        assert a.lambda_ is None or a.lambda_ == pytest.approx(b.lambda_, rel=1e-12)
    for p, q in zip(kernels, operations):
        torch.testing.assert_close(p, q, rtol=1e-6, atol=1e-6)


def test_float64_is_computed_in_float64() -> None:
    p = torch.nn.Parameter(torch.tensor([1.0, -1.0, 0.5], dtype=torch.float64))
    optimizer = signstep.Signum([p], lr=0.1, decoupled_weight_decay=0.3)
    p.grad = torch.tensor([1e-300, -2.0, 0.0], dtype=torch.float64)
    optimizer.step()
    k = 1 - 0.1 * 0.3
    assert p.tolist() == [k * 1.0 - 0.1, k * -1.0 + 0.1, k * 0.5]
    assert optimizer.state[p]["m"].dtype == torch.float64


def test_float64_draws_the_words_of_float32() -> None:
    def signs(dtype: torch.dtype) -> list[float]:
        p = torch.nn.Parameter(torch.zeros(500, dtype=dtype))
        optimizer = signstep.SignSGD([p], 1.0, 0, decoupled_weight_decay=0, dither=Dither("absolute", level=1, shape="constant"))
        p.grad = torch.linspace(-2, 2, 500).to(dtype)
        optimizer.step()
        return p.tolist()

    assert signs(torch.float32) == signs(torch.float64)
