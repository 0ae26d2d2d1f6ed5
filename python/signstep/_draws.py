# SPDX-License-Identifier: Apache-2.0
"""The kernels' draws by tensor operations on any device, word for word (docs/numerics.md): a function of seed, purpose,
step, tensor and element. Philox4x32-10: Salmon, Moraes, Dror, Shaw 2011, SC'11."""

from __future__ import annotations

import struct

import torch
from torch import Tensor

DITHER, REFINEMENT, GAUSSIAN, ZERO_COIN, ROUNDING = 1, 2, 3, 4, 14

_MASK = 0xFFFFFFFF
_SQRT_HALF_BITS = 0x3F3504F3
_CDF_END = 6.5
_CDF = [
    float.fromhex(text)
    for text in (
        "0x1.bd958a2f5aab1p-4 -0x1.bd8ab8b09149cp-5 0x1.4deef8ec63306p-5 -0x1.157db54e2b6aep-5 0x1.e16fddd120931p-6 "
        "-0x1.a890441cd6c5dp-6 0x1.760738a3d74c2p-6 -0x1.439df5e6a06e1p-6 0x1.0ebb398ea3e10p-6 -0x1.bba5b33edd117p-7 "
        "0x1.6820e774f808bp-7 -0x1.ffc25b30262a3p-8 0x1.219043736df1cp-8 -0x1.d29b6978ef3d2p-9 0x1.ff2a24a37d045p-9 "
        "-0x1.d26a93ce15d40p-10 -0x1.be7e5fbc001e5p-12 -0x1.5ca475efe513ep-14 0x1.9077db9ac1f52p-11 "
        "-0x1.487cc43ab01f8p-12"
    ).split()
]
_LOG = (-0.499999977336, 0.333333129418, -0.250007511602, 0.200026954263, -0.166289214916, 0.14173459743,
        -0.130725506222, 0.129178270847, -0.080645980139)  # fmt: skip
_SINE = (-0.166666506693, 0.00833197866438, -0.000194956363544)
_COSINE = (0.0416666468665, -0.00138873675162, 2.44384516314e-5)


def single(number: float) -> float:
    """Rounded to float32."""
    value: float = struct.unpack("f", struct.pack("f", number))[0]
    return value


def _multiply(factor: int, word: Tensor) -> tuple[Tensor, Tensor]:
    """High and low 32 bits of a product of two 32-bit numbers, without leaving 63 bits."""
    low, high = factor * (word & 0xFFFF), factor * (word >> 16)
    middle = high + (low >> 16)
    return middle >> 16, ((middle & 0xFFFF) << 16) | (low & 0xFFFF)


class Stream:
    """The words of one purpose, on a device. Elements are numbered 0 .. n - 1, in the order of their indices."""

    def __init__(self, seed: int, purpose: int, step: int, tensor: int, device: torch.device, rank: int = 0) -> None:
        self._key = (seed & _MASK, seed >> 32)
        self._counter = (step & _MASK, (tensor << 8) | purpose, (rank << 16) | (step >> 32))
        self._device = device

    def _groups(self, count: int) -> Tensor:
        """The four words of groups 0 .. count - 1: (count, 4), int64."""
        c0 = torch.arange(count, dtype=torch.int64, device=self._device)
        c1, c2, c3 = (torch.full_like(c0, word) for word in self._counter)
        k0, k1 = self._key
        for _ in range(10):
            high0, low0 = _multiply(0xD2511F53, c0)
            high1, low1 = _multiply(0xCD9E8D57, c2)
            c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
            k0, k1 = (k0 + 0x9E3779B9) & _MASK, (k1 + 0xBB67AE85) & _MASK
        return torch.stack((c0, c1, c2, c3), dim=1)

    def words(self, n: int) -> Tensor:
        """Word i mod 4 of group i / 4."""
        return self._groups((n + 3) // 4).reshape(-1)[:n]

    def halfwords(self, n: int) -> Tensor:
        """Halfword i mod 8 of group i / 8, as a signed 16-bit number in int64."""
        words = self._groups((n + 7) // 8).reshape(-1, 1)
        halves = torch.cat((words & 0xFFFF, words >> 16), dim=1).reshape(-1)[:n]
        return torch.where(halves >= 0x8000, halves - 0x10000, halves)

    def coins(self, n: int) -> Tensor:
        """+1 or -1 by bit i mod 128 of group i / 128, float32."""
        words = self._groups((n + 127) // 128).reshape(-1, 1)
        bits = (words >> torch.arange(32, device=self._device)) & 1
        return (2 * bits.reshape(-1)[:n] - 1).to(torch.float32)

    def normal(self, n: int) -> Tensor:
        """Standard normal numbers, float32: Box and Muller, radius from word k and angle from word k + 16 of each run of
        32, the cosine for element k and the sine for element k + 16."""
        words = self.words((n + 31) // 32 * 32).reshape(-1, 2, 16)
        square = _log_of_24_bits(((words[:, 0] >> 8) + 1).to(torch.float32)) * -2.0
        radius = torch.sqrt(square.to(torch.float64)).to(torch.float32)  # PyTorch 2.15 rounds float32's root wrongly
        cosine, sine = _cosine_and_sine(words[:, 1])
        return torch.stack((radius * cosine, radius * sine), dim=1).reshape(-1)[:n]


def _log_of_24_bits(k: Tensor) -> Tensor:
    """ln(k / 2^24) for an integer k in [1, 2^24], in float32."""
    shifted = k.view(torch.int32) - _SQRT_HALF_BITS
    e = ((shifted >> 23) - 24).to(torch.float32)
    f = ((shifted & 0x7FFFFF) + _SQRT_HALF_BITS).view(torch.float32) - 1.0
    p = torch.full_like(f, single(_LOG[-1]))
    for coefficient in reversed(_LOG[:-1]):
        p = p * f + single(coefficient)
    return e * single(0.693359375) + (f + (f * f * p + e * single(-2.12194440e-4)))


def _cosine_and_sine(angle: Tensor) -> tuple[Tensor, Tensor]:
    quarter = ((angle + 0x20000000) & _MASK) >> 30
    rest = (angle - (quarter << 30)) & _MASK
    a = torch.where(rest >= 0x80000000, rest - (1 << 32), rest).to(torch.float32) * single(1.4629180792671596e-9)
    a2 = a * a
    s0, s1, s2 = (single(c) for c in _SINE)
    c0, c1, c2 = (single(c) for c in _COSINE)
    sine = a + a * a2 * ((a2 * s2 + s1) * a2 + s0)
    cosine = (1.0 - a2 * 0.5) + a2 * a2 * ((a2 * c2 + c1) * a2 + c0)
    swap = (quarter & 1) == 1
    cosine, sine = torch.where(swap, sine, cosine), torch.where(swap, cosine, sine)
    return (
        torch.where(((quarter + 1) & 2) == 2, -cosine, cosine),
        torch.where((quarter & 2) == 2, -sine, sine),
    )


def normal_cdf_odd(z: Tensor) -> Tensor:
    """Phi(z) - 1/2 in float64, as random/normal_cdf.h defines it."""
    t = z * z * (2 / (_CDF_END * _CDF_END)) - 1
    p = torch.full_like(t, _CDF[-1])
    for coefficient in reversed(_CDF[:-1]):
        p = p * t + coefficient
    inside = z * p
    inside = torch.where(z >= _CDF_END, torch.full_like(z, 0.5), inside)
    return torch.where(z <= -_CDF_END, torch.full_like(z, -0.5), inside)
