# SPDX-License-Identifier: Apache-2.0
"""torch.compile with its default backend, inductor: a compiled model, and a compiled training step whose optimizer.step()
is a graph break. The optimizer must do to the compiled gradients what it does to any."""

from __future__ import annotations

from typing import Any, Callable

import pytest
import torch
from torch import nn

import signstep

STEPS = 6


@pytest.fixture(scope="module", autouse=True)
def inductor() -> None:
    """Skips where PyTorch itself cannot compile: it is too old, or misses a compiler or a package of its own."""
    if not hasattr(torch, "_disable_dynamo"):
        pytest.skip("this PyTorch is older than 2.1: nothing was compiled")
    try:
        torch.compile(lambda x: x.sin() + 1)(torch.ones(8))
    except Exception as error:
        pytest.skip(f"this PyTorch cannot compile a sine ({' '.join(str(error).splitlines()[:2])}): nothing was compiled")


def lion(p: Any) -> torch.optim.Optimizer:
    return signstep.Lion(p, 1e-3)


def dithered(p: Any) -> torch.optim.Optimizer:
    options = dict(dither=signstep.Dither(), switch=signstep.Switch(step=3, blend=1), total_steps=STEPS, seed=3)
    return signstep.Signum(p, 1e-3, **options)


def network() -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 16), nn.GELU(), nn.Linear(16, 3))
    return model, torch.randn(32, 6), torch.randint(0, 3, (32,))


class Recorded:
    """The gradients that each step saw, for another optimizer to step along."""

    def __init__(self, model: nn.Module) -> None:
        self.gradients: list[list[torch.Tensor]] = []
        self.model = model

    def add(self) -> None:
        self.gradients.append([p.grad.clone() for p in self.model.parameters()])

    def replayed(self, make: Callable[[Any], torch.optim.Optimizer]) -> list[torch.Tensor]:
        """Where `make`'s optimizer goes from the same start along these gradients, without anything compiled."""
        model, _, _ = network()
        optimizer = make(model.parameters())
        for step in self.gradients:
            for p, g in zip(model.parameters(), step):
                p.grad = g
            optimizer.step()
        return [p.detach() for p in model.parameters()]


@pytest.mark.parametrize("make", [lion, dithered])
def test_a_compiled_model_is_stepped(make: Callable[[Any], torch.optim.Optimizer]) -> None:
    model, x, y = network()
    compiled = torch.compile(model)
    optimizer, seen, losses = make(compiled.parameters()), Recorded(model), []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(compiled(x), y)
        loss.backward()
        seen.add()
        optimizer.step()
        losses.append(loss.item())
    assert len(set(losses)) == STEPS  # each forward pass saw the weights of the step before it
    torch.testing.assert_close(compiled(x), model(x), rtol=1e-4, atol=1e-5)
    for p, q in zip(model.parameters(), seen.replayed(make)):
        assert torch.equal(p, q)


@pytest.mark.parametrize("make", [lion, dithered])
def test_a_compiled_training_step(make: Callable[[Any], torch.optim.Optimizer]) -> None:
    model, x, y = network()
    optimizer, seen = make(model.parameters()), Recorded(model)

    def train() -> torch.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    compiled = torch.compile(train)
    losses = []
    for _ in range(STEPS):
        losses.append(compiled().item())
        seen.add()
    assert len(set(losses)) == STEPS
    assert optimizer.report.phase == ("sgd" if make is dithered else "sign")
    for p, q in zip(model.parameters(), seen.replayed(make)):
        assert torch.equal(p, q)
