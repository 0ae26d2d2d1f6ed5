# SPDX-License-Identifier: Apache-2.0
"""Stochastic rounding to float16 and bfloat16: up with the probability that makes the mean right, by a draw that is a
function of seed, step, tensor and element."""

from __future__ import annotations

import torch
from torch import Tensor

from signstep._draws import ROUNDING, Stream


def round_stochastically(x: Tensor, dtype: torch.dtype, seed: int, step: int, tensor: int) -> Tensor:
    """x, float32, in dtype. With a <= |x| <= b its neighbours there, b with probability (|x| - a) / (b - a), to 2^-17;
    numbers that dtype has stay, and NaN and infinity; a finite one never becomes infinite."""
    nearest = x.to(dtype)
    bits = nearest.view(torch.int16)
    size = x.abs()
    down = torch.where(nearest.to(torch.float32).abs() > size, bits - 1, bits)  # sign and size: one less is inwards
    low = down.view(dtype).to(torch.float32).abs()
    high = (down + 1).view(dtype).to(torch.float32).abs()
    draws = Stream(seed, ROUNDING, step, tensor, x.device).halfwords(x.numel()).reshape(x.shape)
    uniform = (draws.to(torch.float32) + 32768.5) * 2.0**-16
    up = torch.logical_and(uniform < (size - low) / (high - low), torch.isfinite(high))
    rounded = torch.where(up, down + 1, down).view(dtype)
    return torch.where(torch.isfinite(x), rounded, nearest)
