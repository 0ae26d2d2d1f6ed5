# SPDX-License-Identifier: Apache-2.0
"""Against implementations that are not ours, on the gradients of a ResNet-18 in training: the first step's signs are
theirs, and after 300 steps so are the values, to rounding. Others add in other orders, so an average that is within
rounding of 0 may have the other sign and step the other way; such steps are rare and counted. An AdamW that trains the
network beside ours goes where it goes alone.

SIGNSTEP_WIDTH=64: the whole network of 11.2 million numbers on 32x32 images, in the place of a narrow one on 8x8."""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import pytest
import torch
from torch import Tensor

import signstep

EXAMPLES = Path(__file__).parents[1] / "examples"
STEPS, LR, DECAY = 300, 1e-3, 0.1
WIDTH = int(os.environ.get("SIGNSTEP_WIDTH", "8"))
SIDE = 32 if WIDTH >= 64 else 8


def lion_pytorch(parameters: list) -> Any:
    return importlib.import_module("lion_pytorch").Lion(parameters, lr=LR, betas=(0.9, 0.99), weight_decay=DECAY)


def kozistr(foreach: bool, momentum: float = 0.9) -> Callable[[list], Any]:
    def make(parameters: list) -> Any:
        return importlib.import_module("pytorch_optimizer").SignSGD(
            parameters, lr=LR, momentum=momentum, weight_decay=DECAY, foreach=foreach
        )

    return make


class Optax:
    """An optax transformation with an optimizer's step, without decay."""

    def __init__(self, parameters: list, name: str, **options: Any) -> None:
        self._jax, optax = importlib.import_module("jax"), importlib.import_module("optax")
        self._parameters = parameters
        self._rule = getattr(optax, name)(LR, **options)
        values = [self._jax.numpy.asarray(p.detach().numpy().copy()) for p in parameters]
        self._state = self._rule.init(values)
        self._apply = self._jax.jit(lambda g, s, x: self._next(optax, g, s, x))

    def _next(self, optax: Any, g: Any, state: Any, x: Any) -> Any:
        updates, state = self._rule.update(g, state, x)
        return optax.apply_updates(x, updates), state

    def step(self) -> None:
        asarray = self._jax.numpy.asarray
        g = [asarray(p.grad.numpy().copy()) for p in self._parameters]
        x = [asarray(p.detach().numpy().copy()) for p in self._parameters]
        x, self._state = self._apply(g, self._state, x)
        with torch.no_grad():
            for p, value in zip(self._parameters, x):
                p.copy_(torch.from_numpy(importlib.import_module("numpy").array(value)))


def optax(name: str, **options: Any) -> Callable[[list], Any]:
    return lambda parameters: Optax(parameters, name, **options)


PAIRS: dict[str, tuple[str, Callable, Callable]] = {
    "lion, lion-pytorch": ("lion_pytorch", lambda p: signstep.Lion(p, LR, decoupled_weight_decay=DECAY), lion_pytorch),
    "signum, pytorch_optimizer": ("pytorch_optimizer", lambda p: signstep.Signum(p, LR, decoupled_weight_decay=DECAY), kozistr(False)),
    "signum, pytorch_optimizer foreach": ("pytorch_optimizer", lambda p: signstep.Signum(p, LR, decoupled_weight_decay=DECAY), kozistr(True)),
    "signsgd, pytorch_optimizer": ("pytorch_optimizer", lambda p: signstep.SignSGD(p, LR, 0, decoupled_weight_decay=DECAY), kozistr(False, 0.0)),
    "signum, optax": ("optax", lambda p: signstep.Signum(p, LR, decoupled_weight_decay=0), optax("signum")),
    "lion, optax": ("optax", lambda p: signstep.Lion(p, LR, decoupled_weight_decay=DECAY), optax("lion", weight_decay=DECAY)),
}


def there(package: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importlib.import_module(package)
        return True
    except ImportError:
        return False


@dataclass
class Walk:
    """Our values and theirs, after the first step and after the last."""

    first: list[Tensor]
    their_first: list[Tensor]
    last: list[Tensor]
    their_last: list[Tensor]


def values(parameters: list) -> list[Tensor]:
    return [p.detach().clone() for p in parameters]


@pytest.fixture(scope="module")
def walks() -> dict[str, Walk]:
    """Each pair that is here, and as "adamw" the one that trains the network beside them with its copy that is alone: all
    along the gradients of that network."""
    sys.path.insert(0, str(EXAMPLES))
    try:
        from resnet18 import ResNet18
    finally:
        sys.path.pop(0)
    torch.manual_seed(0)
    model = ResNet18(width=WIDTH)
    trained = list(model.parameters())
    images, labels = torch.randn(256, 3, SIDE, SIDE), torch.randint(0, 10, (256,))

    def copies() -> list:
        return [torch.nn.Parameter(p.detach().clone()) for p in trained]

    alone = copies()
    pairs = {"adamw": (trained, torch.optim.AdamW(trained, 1e-3), alone, torch.optim.AdamW(alone, 1e-3))}
    x = copies()
    beside = [(x, signstep.Lion(x, LR))]  # at least one of ours, whoever else is here
    for name, (package, ours, theirs) in PAIRS.items():
        if there(package):
            x, y = copies(), copies()
            pairs[name] = (x, ours(x), y, theirs(y))
            beside.append((x, pairs[name][1]))
    first: dict[str, tuple[list, list]] = {}
    for t in range(STEPS):
        chosen = torch.randint(0, 256, (8 if WIDTH >= 64 else 16,))
        model.zero_grad()
        torch.nn.functional.cross_entropy(model(images[chosen]), labels[chosen]).backward()
        for _, _, y, other in pairs.values():
            for q, source in zip(y, trained):
                q.grad = source.grad.clone()
            other.step()
        for x, one in beside:
            for p, source in zip(x, trained):
                p.grad = source.grad  # the very tensor that AdamW steps along afterwards
            one.step()
        pairs["adamw"][1].step()
        if t == 0:
            first = {name: (values(x), values(y)) for name, (x, _, y, _) in pairs.items()}
    return {name: Walk(*first[name], values(x), values(y)) for name, (x, _, y, _) in pairs.items()}


@pytest.mark.parametrize("name", PAIRS)
def test_the_walk_is_theirs(name: str, walks: dict[str, Walk]) -> None:
    if name not in walks:
        pytest.skip(f"{PAIRS[name][0]} is not installed: not held against it")
    walk = walks[name]
    assert len(walk.first) == 62
    for p, q in zip(walk.first, walk.their_first):
        # lr is a thousand times what rounding may be of: one sign apart would be 2 lr.
        torch.testing.assert_close(p, q, rtol=1e-6, atol=1e-7)
    last = list(zip(walk.last, walk.their_last))
    apart = sum(int(((p - q).abs() > 1e-5 + 1e-4 * p.abs()).sum()) for p, q in last)
    count = sum(p.numel() for p in walk.last)
    print(f"{name}: {apart} of {count} apart after {STEPS} steps, by at most {max(float((p - q).abs().max()) for p, q in last):.1e}")
    assert apart <= count * 1e-4
    # All others together, to rounding; what is apart is so by few steps.
    for p, q in last:
        assert (p - q).abs().max() <= 1e-5 + 1e-4 * p.abs().max() + 8 * LR


def test_adamw_beside_it_is_unaffected(walks: dict[str, Walk]) -> None:
    walk = walks["adamw"]
    for p, q in zip(walk.first + walk.last, walk.their_first + walk.their_last):
        assert torch.equal(p, q)
    assert not torch.equal(walk.first[0], walk.last[0])
