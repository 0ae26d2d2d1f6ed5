# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import struct
from pathlib import Path
from typing import Callable, Sequence

import pytest
import torch
from torch import Tensor

from signstep import _work

TRACES = Path(__file__).parents[2] / "tests" / "c" / "traces.json"


class TraceNumbers:
    """The numbers of tests/c/c_fixtures.h: a linear congruential generator (Knuth's MMIX)."""

    def __init__(self, seed: int) -> None:
        self._state = seed

    def fill(self, n: int) -> Tensor:
        out = []
        for _ in range(n):
            self._state = (self._state * 6364136223846793005 + 1442695040888963407) % 2**64
            out.append(((self._state >> 40) - 2**23) * 2.0**-20)
        return torch.tensor(out, dtype=torch.float32)


def bits(values: Sequence[Tensor]) -> bytes:
    return b"".join(struct.pack(f"{v.numel()}f", *v.detach().reshape(-1).tolist()) for v in values)


@pytest.fixture
def by_tensor_operations(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Whether float32 on the CPU is stepped as on a device that has no kernels."""

    def choose(chosen: bool) -> None:
        monkeypatch.setattr(_work, "KERNEL_DEVICES", () if chosen else ("cpu",))

    return choose
