# SPDX-License-Identifier: Apache-2.0
"""Signs as bits on the CPU: element i is bit i mod 64 of word i / 64, 1 means +1. Words are int64 tensors."""

from __future__ import annotations

import ctypes

import torch
from torch import Tensor

from signstep._library import Draw, check, library

_ZERO_RANDOM, _TIE_RANDOM = 1, 0


def word_count(n: int) -> int:
    return (n + 63) // 64


def pack(values: Tensor, draw: Draw) -> Tensor:
    """float32, contiguous. 0, NaN and infinity fall by the draw's coins."""
    words = torch.zeros(word_count(values.numel()), dtype=torch.int64, device="cpu")
    check(
        library.signstep_pack(
            values.data_ptr(), values.numel(), _ZERO_RANDOM, ctypes.byref(draw), words.data_ptr(), None
        )
    )
    return words


def complement(words: Tensor, n: int) -> Tensor:
    """The bits of the negated values; those past element n stay 0."""
    turned = torch.bitwise_not(words)
    if n % 64 != 0:
        turned[-1] &= (1 << n % 64) - 1
    return turned


def unpack(words: Tensor, n: int) -> Tensor:
    """+1 and -1, float32."""
    values = torch.empty(n, dtype=torch.float32, device="cpu")
    check(library.signstep_unpack(words.data_ptr(), n, values.data_ptr()))
    return values


def majority(votes: Tensor, draw: Draw) -> Tensor:
    """votes: (workers, words), contiguous. A tie is a coin of the draw's seed and step, the same whoever counts."""
    workers, words = votes.shape
    out = torch.zeros(words, dtype=torch.int64, device="cpu")
    check(
        library.signstep_majority(
            votes.data_ptr(), workers, words, _TIE_RANDOM, ctypes.byref(draw), 0, out.data_ptr()
        )
    )
    return out
