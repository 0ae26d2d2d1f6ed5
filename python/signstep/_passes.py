# SPDX-License-Identifier: Apache-2.0
"""The passes of a step by tensor operations, for tensors that the kernels cannot take: other devices, and float64, which
is computed in float64. On float32 the bits of x, m and of every draw are the kernels' (docs/numerics.md); sums are
added in PyTorch's order."""

from __future__ import annotations

from typing import Any, Optional, Sequence

import torch
from torch import Tensor

from signstep import _draws, _library
from signstep._draws import Stream
from signstep._work import Work

_ZERO_RANDOM, _ZERO_PLUS = 1, 2
_ON_GRADIENT, _ON_POST, _ON_MEAN = 1, 2, 3
_SUMS_ALL = 2


class _Numbers:
    """A step's numbers as a tensor of this type takes them: rounded to float32 as the kernels do it, or whole."""

    def __init__(self, x: Tensor) -> None:
        self._wide = x.dtype == torch.float64

    def of(self, number: float) -> float:
        return number if self._wide else _draws.single(number)

    def complement(self, b: float) -> float:
        return 1 - b if self._wide else _draws.single(1.0 - _draws.single(b))

    def average(self, m: Tensor, g: Tensor, b: float) -> Tensor:
        return m * self.of(b) + g * self.complement(b)


def run_passes(works: Sequence[Optional[Work]], passes: Sequence[Any]) -> list[list[float]]:
    """Steps or measures works[pass.tensor] for each pass. Returns the statistics, asked of a device after all its passes
    are under way."""
    sums = []
    for one in passes:
        work = works[one.tensor]
        assert work is not None
        sums.append(_sgd(work, one) if one.kind == _library.PASS_SGD else _sign(work, one))
    numbers = [one.to("cpu", non_blocking=False) for one in sums]
    return [one.tolist() for one in numbers]


def _statistics(finite: Tensor, *sums: Optional[Tensor]) -> Tensor:
    count = finite.sum().to(torch.float64)
    none = torch.zeros_like(count)
    rest = [none if one is None else one.to(torch.float64) for one in sums]
    return torch.stack([count, finite.numel() - count, *rest])


def _where_finite(finite: Tensor, a: Tensor) -> Tensor:
    return torch.where(finite, a, torch.zeros_like(a))


def _product_sum(a: Tensor, b: Tensor) -> Tensor:
    return (a.to(torch.float64) * b.to(torch.float64)).sum()


def _flat_like(draws: Tensor, like: Tensor) -> Tensor:
    return draws.reshape(like.shape)


class _Noise:
    def __init__(self, one: Any, like: Tensor) -> None:
        self._one, self._like = one, like

    def _stream(self, purpose: int) -> Stream:
        one = self._one
        return Stream(one.seed, purpose, one.step, one.tensor, self._like.device, one.rank)

    def normal(self) -> Tensor:
        return _flat_like(self._stream(_draws.GAUSSIAN).normal(self._like.numel()), self._like).to(self._like.dtype)

    def coins(self) -> Tensor:
        return _flat_like(self._stream(_draws.ZERO_COIN).coins(self._like.numel()), self._like).to(self._like.dtype)

    def signs(self, u: Tensor, sigma: Tensor) -> Tensor:
        """+-1 with P(+1) = Phi(u / sigma), or (1 + u / sigma) / 2 for uniform noise; or their means."""
        z = u.to(torch.float64) / sigma.to(torch.float64)
        if self._one.dither_on == _ON_MEAN:
            mean = torch.clamp(z, -1, 1) if self._one.noise else 2 * _draws.normal_cdf_odd(z)
            return mean.to(u.dtype)
        n = u.numel()
        h = _flat_like(self._stream(_draws.DITHER).halfwords(n), u).to(torch.float64)
        w = _flat_like(self._stream(_draws.REFINEMENT).words(n), u).to(torch.float64)
        fine = (w + 0.5) * 2.0**-32
        if self._one.noise:
            plus = h + fine < z * 2.0**15
        else:
            plus = ((h + 32768.0) + fine) * 2.0**-16 < _draws.normal_cdf_odd(z) + 0.5
        return torch.where(plus, torch.ones_like(u), torch.full_like(u, -1))


def _sign(work: Work, one: Any) -> Tensor:
    """PASS_SIGN, and PASS_MEASURE, which touches nothing: the equations of kernels/sign_kernel.h."""
    x, g = work.x, work.g
    numbers = _Numbers(x)
    noise = _Noise(one, g)
    measure = one.kind == _library.PASS_MEASURE
    averages = bool(one.arrays & _library.M) and (numbers.of(one.b1) != 0 or numbers.of(one.b2) != 0)
    sigma = 0.0 if measure else numbers.of(one.sigma)
    on_gradient = sigma > 0 and one.dither_on == _ON_GRADIENT and averages
    post = sigma > 0 and one.dither_on == _ON_POST

    u = m = g
    if averages:
        assert work.m is not None
        noisy = g + noise.normal() * sigma if on_gradient else g
        u = numbers.average(work.m, noisy, one.b1)
        m = u if one.b1 == one.b2 else numbers.average(work.m, noisy, one.b2)
    finite = torch.logical_and(torch.isfinite(u), torch.isfinite(m))
    square = _where_finite(finite, g if one.dither_on == _ON_GRADIENT else u)
    if measure:
        return _statistics(finite, None, None, None, _product_sum(square, square))

    scale: Optional[Tensor] = None
    if work.maximum is not None:
        work.maximum.copy_(torch.where(finite, torch.maximum(work.maximum, u.abs()), work.maximum))
        scale = work.maximum * sigma
    s = _signs(noise, u, one, sigma if not (on_gradient or post) else 0.0, scale)

    nonzero = s_dot_v = v_dot_v = None
    if one.sums == _SUMS_ALL:
        v = _where_finite(finite, m if one.v_is_m else g)
        counted = _where_finite(finite, s)
        nonzero, s_dot_v, v_dot_v = (counted != 0).sum(), _product_sum(counted, v), _product_sum(v, v)
    u_dot_u = _product_sum(square, square) if one.sums else None

    if post:
        s = s + noise.normal() * sigma
    stepped = x * numbers.of(one.decay_factor) - s * numbers.of(one.lr)
    rate = numbers.of(one.sgd_rate)
    if rate != 0:
        stepped = stepped - (g if one.sgd_along_g else m) * rate
    x.copy_(torch.where(finite, stepped, x))
    if averages and work.m is not None:
        work.m.copy_(torch.where(finite, m, work.m))
    return _statistics(finite, nonzero, s_dot_v, v_dot_v, u_dot_u)


def _signs(noise: _Noise, u: Tensor, one: Any, sigma: float, scale: Optional[Tensor]) -> Tensor:
    """sign(u), dithered where sigma is above 0 by it, or by the coordinates' own scales."""
    if sigma > 0 and scale is None:
        return noise.signs(u, torch.full((), sigma, dtype=torch.float64, device=u.device))
    s = torch.sign(u)
    if one.zero == _ZERO_PLUS:
        s = torch.where(u == 0, torch.ones_like(s), s)
    if one.zero == _ZERO_RANDOM:
        s = torch.where(u == 0, noise.coins(), s)
    if sigma > 0 and scale is not None:
        bare = scale == 0
        s = torch.where(bare, s, noise.signs(u, torch.where(bare, torch.ones_like(scale), scale)))
    return s


def _sgd(work: Work, one: Any) -> Tensor:
    """PASS_SGD: the equations of kernels/sgd_kernel.h."""
    x, g = work.x, work.g
    numbers = _Numbers(x)
    l2 = numbers.of(one.l2)
    h = g + x * l2 if l2 != 0 else g
    has_d = bool(one.arrays & _library.M) and numbers.of(one.b2) != 0
    d = h
    if has_d:
        assert work.m is not None
        d = numbers.average(work.m, h, one.b2)
    finite = torch.isfinite(d)
    stepped = x * numbers.of(one.decay_factor) - d * numbers.of(one.sgd_rate)
    x.copy_(torch.where(finite, stepped, x))
    if has_d and work.m is not None:
        work.m.copy_(torch.where(finite, d, work.m))
    return _statistics(finite, None, None, None, None)
