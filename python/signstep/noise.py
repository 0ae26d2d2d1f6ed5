# SPDX-License-Identifier: Apache-2.0
"""What the noise of mini-batch gradients does to their signs: measured on a model, told as a table, with advice on dither.

    noise = signstep.noise.measure(model, batches, lambda model, batch: loss(model(batch[0]), batch[1]))
    print(noise.table())
    print(noise.advice().text)

docs/theory.md derives what is shown. Simple noise scale: McCandlish et al. 2018, arXiv 1812.06162.
"""

from __future__ import annotations

import ctypes
import math
from dataclasses import dataclass, replace
from typing import Any, Callable, Iterable, Optional

import torch
from torch import Tensor, nn

from signstep import _library
from signstep._descent import DescentSample
from signstep._groups import check_gradient
from signstep._library import check, library

LEVELS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # of dither, relative to a tensor's rms
_SURE = 3.0  # standard errors


class _Moments:
    """Of every coordinate of a stream of gradients: signstep_moments, 32 bytes a coordinate."""

    def __init__(self, coordinates: int) -> None:
        self._coordinates = coordinates
        self._handle = ctypes.c_void_p()
        check(library.signstep_moments_new(coordinates, ctypes.byref(self._handle)))

    def __del__(self) -> None:
        if self._handle:
            library.signstep_moments_free(self._handle)

    def add(self, gradient: Tensor) -> None:
        check(library.signstep_moments_add(self._handle, gradient.data_ptr(), gradient.numel()))

    def read(self) -> list[Tensor]:
        """Mean, variance, skewness and excess kurtosis, float64."""
        out = [torch.empty(self._coordinates, dtype=torch.float64, device="cpu") for _ in range(4)]
        check(library.signstep_moments_read(self._handle, self._coordinates, *(array.data_ptr() for array in out)))
        return out


@dataclass(frozen=True)
class TensorNoise:
    """One parameter's. signal: |g|^2 of the true gradient, without bias, so it may be negative where noise drowns it.
    noise: the sum of the coordinates' variances. rms: of a mini-batch gradient's coordinates. weak: the share of coordinates
    whose signal-to-noise ratio |g| / sigma is below Noise.resolved, those left out whose gradient was 0 in every batch.
    progress: at each of LEVELS, the descent g . E[sign(gradient + dither)] of SignSGD without momentum, from the draws of up
    to 512 coordinates. silent: how many were left out."""

    name: str
    coordinates: int
    signal: float
    noise: float
    rms: float
    weak: float
    progress: tuple[float, ...]
    silent: int = 0


@dataclass(frozen=True)
class Advice:
    """For SignSGD without momentum: signs of an average have less noise, and another rms. level: the relative dither whose
    descent is largest, None for no dither. gain: its descent over that without dither."""

    level: Optional[float]
    gain: float
    text: str


@dataclass(frozen=True)
class Noise:
    """draws: mini-batches that were measured. batch_size: examples in each, None where it was not given. progress_errors,
    gain_errors: standard errors of the tensors' progress together, and of that less its value without dither."""

    draws: int
    batch_size: Optional[int]
    tensors: tuple[TensorNoise, ...]
    progress_errors: tuple[float, ...] = (0.0,) * len(LEVELS)
    gain_errors: tuple[float, ...] = (0.0,) * len(LEVELS)

    @property
    def resolved(self) -> float:
        """The signal-to-noise ratio from which so many draws tell a coordinate's signal, at least 1/10."""
        return max(0.1, 3 / math.sqrt(self.draws))

    @property
    def simple_noise_scale(self) -> float:
        """The batch at which noise and signal are as long as each other, in mini-batches, or in examples where batch_size is
        known: well below it a larger batch pays. Infinite where no signal was seen."""
        signal = sum(t.signal for t in self.tensors)
        noise = sum(t.noise for t in self.tensors)
        return (self.batch_size or 1) * noise / signal if signal > 0 else math.inf

    def advice(self) -> Advice:
        """What relative dither promises SignSGD without momentum, by all tensors' descent together. Dither repairs noise that
        is not symmetric and unimodal, which can drive signs the wrong way; where it is, dither slows each step down."""
        totals = [sum(t.progress[i] for t in self.tensors) for i in range(len(LEVELS))]
        best = max(range(len(LEVELS)), key=lambda i: totals[i])
        gain = totals[best] / totals[0] if totals[0] > 0 else math.inf
        if best > 0 and totals[best] - totals[0] > _SURE * self.gain_errors[best] and totals[best] > 0:
            level = LEVELS[best]
            than = f"{gain:.2f} times the descent without" if math.isfinite(gain) else "without it signs walk uphill"
            text = f"signstep.Dither(level={level:g}) with momentum=0: {than}, at this point of training"
            return Advice(level, gain, text)
        if totals[0] > _SURE * self.progress_errors[0]:
            return Advice(None, 1.0, "no dither: no level descends faster for sure than signs without it")
        return Advice(None, 1.0, "it cannot be told from so few batches: take more or larger ones and measure again")

    def table(self) -> str:
        """A line for each parameter, and one for all."""
        width = max([len(t.name) for t in self.tensors] + [3])
        lines = [f"{'parameter':<{width}}  {'numbers':>10}  {'rms':>9}  {'|g|/sigma':>9}  {f'below {self.resolved:.2g}':>10}"]
        count, silent = sum(t.coordinates for t in self.tensors), sum(t.silent for t in self.tensors)
        heard = [t for t in self.tensors if t.silent < t.coordinates]
        weak = sum(t.weak * (t.coordinates - t.silent) for t in heard) / max(1, count - silent)
        rows = [(t.name, t.coordinates, t.silent, t.rms, t.signal, t.noise, t.weak) for t in self.tensors]
        signal, noise = sum(t.signal for t in self.tensors), sum(t.noise for t in self.tensors)
        rms = math.sqrt(sum(t.rms**2 * t.coordinates for t in self.tensors) / count)
        for name, n, none, size, s, v, share in [*rows, ("all", count, silent, rms, signal, noise, weak)]:
            ratio = f"{math.sqrt(max(s, 0.0) / v) if v > 0 else math.inf:.3f}" if none < n else "-"
            below = f"{100 * share:.1f} %" if none < n else "-"
            lines.append(f"{name:<{width}}  {n:>10}  {size:>9.2e}  {ratio:>9}  {below:>10}")
        if silent > 0:
            lines.append(f"{silent} numbers had no gradient in any batch; the shares are of the others")
        unit = "examples" if self.batch_size else "batches of this size"
        lines.append(f"simple noise scale {self.simple_noise_scale:.0f} {unit}, from {self.draws} batches")
        return "\n".join(lines)


def measure(
    model: nn.Module,
    batches: Iterable[Any],
    loss_of: Callable[[nn.Module, Any], Tensor],
    *,
    batch_size: Optional[int] = None,
) -> Noise:
    """Gradients of loss_of(model, batch) for each of batches, at least 4 of one size, drawn independently; fewer than 50 give
    rough figures. Parameters, gradients and buffers (running statistics) are afterwards as they were. ValueError for too
    few batches, and for a loss whose gradient is NaN or infinite. 64 bytes a parameter of memory."""
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad and p.numel() > 0]
    if not named:
        raise ValueError("the model has no parameter that requires a gradient; wanted at least one")
    kept = [p.grad for _, p in named]
    buffers = [  # a model may put another tensor in the place of one
        (module._buffers, name, b, None if b is None else b.detach().clone())
        for module in model.modules()
        for name, b in module._buffers.items()
    ]
    halves = [_Moments(sum(p.numel() for _, p in named)) for _ in range(2)]
    sample = DescentSample([p.numel() for _, p in named])
    _library.set_threads(torch.get_num_threads())
    draws = 0
    try:
        for batch in batches:
            for _, p in named:
                p.grad = None
            with torch.enable_grad():
                loss: Any = loss_of(model, batch)
                loss.backward()
            flat = _flat([p for _, p in named])
            halves[draws % 2].add(flat)
            sample.add(flat)
            draws += 1
    finally:
        for (_, p), gradient in zip(named, kept):
            p.grad = gradient
        with torch.no_grad():
            for place, name, b, value in buffers:
                place[name] = b
                if b is not None and value is not None:
                    b.copy_(value)
    if draws < 4:
        raise ValueError(f"{draws} batches were given; wanted at least 4, and better 50 or more")
    return _noise(named, halves, sample, draws, batch_size)


def _flat(parameters: list[nn.Parameter]) -> Tensor:
    for i, p in enumerate(parameters):
        if p.grad is not None:
            check_gradient(p, p.grad, i)
    zero = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    return torch.cat([g.detach().to("cpu", torch.float32).reshape(-1) for g in zero])


def _noise(
    named: list[tuple[str, nn.Parameter]], halves: list[_Moments], sample: DescentSample, draws: int, batch_size: Optional[int]
) -> Noise:
    """Even and odd draws are independent, so the product of their means has no bias."""
    sizes = [p.numel() for _, p in named]
    one, other = ([torch.split(array, sizes) for array in half.read()[:2]] for half in halves)
    each_rms = [math.sqrt(float((g * h + (v + w) / 2).mean().clamp(min=0))) for g, v, h, w in zip(*one, *other)]
    descent = sample.measure(each_rms, LEVELS)
    noise = Noise(draws, batch_size, (), descent.errors, descent.gain_errors)
    rows = []
    for (name, _), n, g1, v1, g2, v2, rms, progress in zip(named, sizes, *one, *other, each_rms, descent.parameters):
        variance = (v1 + v2) / 2
        live = (variance > 0) | (g1 != 0) | (g2 != 0)
        snr_square = (((g1 + g2) / 2).square() / variance - 1 / draws)[live]  # infinite without noise
        rows.append(
            TensorNoise(
                name=name,
                coordinates=n,
                signal=float((g1 * g2).sum()),
                noise=float(variance.sum()),
                rms=rms,
                weak=float((snr_square < noise.resolved**2).to(torch.float64).mean()) if bool(live.any()) else 0.0,
                progress=tuple(progress),
                silent=n - int(live.sum()),
            )
        )
    return replace(noise, tensors=tuple(rows))
