# SPDX-License-Identifier: Apache-2.0
"""The package ends with the bits of the C++ optimizer, whose SHA-256 stand in tests/c/traces.json."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache

import pytest
import torch

import signstep
from conftest import TRACES, TraceNumbers, bits

FILE = json.loads(TRACES.read_text()) if TRACES.exists() else {"runs": []}
pytestmark = pytest.mark.skipif(not FILE["runs"], reason="traces.json is not there: no source tree around the tests")


@lru_cache(maxsize=None)
def numbers() -> tuple[list[torch.Tensor], list[list[torch.Tensor]]]:
    first, gradients = TraceNumbers(FILE["seed"]), TraceNumbers(FILE["seed"] + 1)
    return [first.fill(n) for n in FILE["sizes"]], [
        [gradients.fill(n) for n in FILE["sizes"]] for _ in range(FILE["steps"])
    ]


def make(run: dict, parameters: list) -> signstep.optimizer.SignOptimizer:
    given = dict(run["options"])
    rule = given.pop("optimizer")
    dither = {key.replace("dither_", "") if key != "dither" else "kind": value for key, value in given.items() if key.startswith("dither")}
    switch = {key.replace("switch_", ""): value for key, value in given.items() if key.startswith("switch")}
    common = {key: value for key, value in given.items() if not key.startswith(("dither", "switch"))}
    common["dither"] = signstep.Dither(**dither) if dither else None
    common["switch"] = signstep.Switch(**switch) if switch else None
    common["decoupled_weight_decay"] = run["decay"]
    if rule == "lion":
        return signstep.Lion(parameters, run["lr"], **common)
    return signstep.SignSGD(parameters, run["lr"], 0.9 if rule == "signum" else 0, **common)


def digest(run: dict) -> str:
    first, gradients = numbers()
    parameters = [torch.nn.Parameter(x.clone()) for x in first]
    optimizer = make(run, parameters)
    for t, step in enumerate(gradients):
        for p, g in zip(parameters, step):
            p.grad = g
        optimizer.param_groups[0]["lr"] = run["lr"] * (1.0 - t / FILE["steps"])
        optimizer.step()
    return hashlib.sha256(bits(parameters)).hexdigest()


@pytest.mark.parametrize("run", FILE["runs"], ids=lambda run: run["name"])
@pytest.mark.parametrize("threads", [1, 2])
def test_kernels_end_with_the_recorded_bits(run: dict, threads: int) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        assert digest(run) == run["sha256"]
    finally:
        torch.set_num_threads(before)


# A relative dither's sigma, and a calibrated Lambda, are sums, whose last bits may differ (docs/numerics.md).
@pytest.mark.parametrize(
    "run", [run for run in FILE["runs"] if "relative" not in str(run) and "switch" not in str(run)], ids=lambda run: run["name"]
)
def test_tensor_operations_end_with_the_recorded_bits(run: dict, by_tensor_operations) -> None:
    by_tensor_operations(True)
    assert digest(run) == run["sha256"]
