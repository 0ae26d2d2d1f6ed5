# SPDX-License-Identifier: Apache-2.0
"""The methods that the examples hold beside each other, each for a run of that many steps."""

from __future__ import annotations

from typing import Any, Callable

import torch

import signstep

METHODS: dict[str, Callable[[Any, int], torch.optim.Optimizer]] = {
    "adamw": lambda p, steps: torch.optim.AdamW(p, lr=1e-3, weight_decay=0.05),
    "lion": lambda p, steps: signstep.Lion(p, lr=3e-4),
    "signum": lambda p, steps: signstep.Signum(p, lr=1e-3),
    "dithered-switch": lambda p, steps: signstep.Signum(
        p, lr=1e-3, dither=signstep.Dither(), switch=signstep.Switch(at=0.6), total_steps=steps, seed=1
    ),
}


def schedule(optimizer: torch.optim.Optimizer, steps: int) -> Any:
    """A cosine to 0 after a linear warm-up over 5 % of the run."""
    ramp = max(1, steps // 20)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, steps - ramp))
    warm = torch.optim.lr_scheduler.LinearLR(optimizer, 0.1, 1.0, ramp)
    return torch.optim.lr_scheduler.SequentialLR(optimizer, [warm, cosine], [ramp])


def tell_event(optimizer: torch.optim.Optimizer) -> None:
    event = getattr(getattr(optimizer, "report", None), "event", None)
    if event:
        print(f"  {event}")
