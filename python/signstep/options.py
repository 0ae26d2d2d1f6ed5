# SPDX-License-Identifier: Apache-2.0
"""Dither and switch as a user states them. What is None has the default that docs/algorithms.md gives; ranges and names
are checked by the library, whose description of the options is the only one (signstep.described_options())."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from numbers import Integral, Real
from typing import Any, Mapping, Optional, Union


def _stated(options: Any, prefix: str) -> dict[str, Any]:
    values = {field.name: getattr(options, field.name) for field in fields(options)}
    return {prefix + name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True)
class Dither:
    """Noise before the sign, s = sign(u + sigma xi), so that P(s = +1) = Phi(u / sigma) and E[s] is about
    sqrt(2 / pi) u / sigma where |u| is well below sigma: the magnitude that the sign throws away comes back.

    kind: "relative", sigma = c_t times the tensor's rms of u; "absolute", sigma = c_t; "maximum", sigma_i = c_t times
        the coordinate's largest |u| so far (4 bytes a parameter).
    level, final: c_0 and c_T, at least 0. shape: "constant", "linear", "cosine", "exponential", "inverse-sqrt", from
        c_0 to c_T over the share `until` of the run, (0, 1]. All but "constant" need the optimizer's total_steps.
    on: "update"; "gradient", g + sigma xi before the averages; "post", after the sign; "mean", E[s] without noise.
    noise: "gaussian" or "uniform".
    """

    kind: str = "relative"
    level: Optional[float] = None
    final: Optional[float] = None
    shape: Optional[str] = None
    until: Optional[float] = None
    on: Optional[str] = None
    noise: Optional[str] = None

    def options(self) -> dict[str, Any]:
        stated = _stated(self, "dither_")
        stated["dither"] = stated.pop("dither_kind")
        return stated


@dataclass(frozen=True)
class Switch:
    """The calibrated switch from the sign rule to SGD at Lambda times the scheduled rate, adapted from SWATS (Keskar,
    Socher 2017, arXiv 1712.07628).

    when: "at", after the share `at` of the run, (0, 1), or exactly after `step` sign steps; "auto", when the rate has
        settled (tolerance, patience, min_steps, after, fallback).
    projection: "norm", "swats", "inner". direction: "momentum", "gradient". scope: "global", "tensor".
    average: memory of the estimates, [0, 1). blend: steps over which SGD fades in, but for `step` at most
    half of those left. momentum: SGD's, [0, 1).
    calibrate_from: share of the run from which SignSGD keeps an average. negative: "skip", "absolute".
    follow: whether the average goes on after the switch. decay: "decoupled", "l2", "sign"; penalty: SGD's own decay.
    All but step need the optimizer's total_steps.
    """

    when: str = "at"
    at: Optional[float] = None
    step: Optional[int] = None
    projection: Optional[str] = None
    direction: Optional[str] = None
    scope: Optional[str] = None
    negative: Optional[str] = None
    average: Optional[float] = None
    tolerance: Optional[float] = None
    patience: Optional[int] = None
    min_steps: Optional[int] = None
    after: Optional[float] = None
    fallback: Optional[float] = None
    blend: Optional[int] = None
    momentum: Optional[float] = None
    calibrate_from: Optional[float] = None
    follow: Optional[bool] = None
    decay: Optional[str] = None
    penalty: Optional[float] = None

    def options(self) -> dict[str, Any]:
        if self.step == 0:
            raise ValueError("switch: step is 0; wanted at least 1, or at, a share of total_steps")
        return _stated(self, "switch_")


def _plain(name: str, value: Any) -> Union[bool, int, float, str]:
    """An option as JSON has it; NumPy's numbers are numbers."""
    if isinstance(value, (bool, str)):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        if not math.isfinite(value):
            raise ValueError(f"{name} is {value}; wanted a finite number")
        return float(value)
    raise TypeError(f"{name} is {value!r}; wanted a number or text")


def sign_rule(momentum: float) -> dict[str, Any]:
    """The rule of SignSGD and Signum; the library judges what is no number of [0, 1)."""
    plain = isinstance(momentum, Real) and momentum == 0
    return {"optimizer": "signsgd"} if plain else {"optimizer": "signum", "momentum": momentum}


def stated(options: Mapping[str, Any], dither: Optional[Dither], switch: Optional[Switch]) -> dict[str, Any]:
    """All that the library is to be told. TypeError for what is of another kind."""
    for name, value, kind in (("dither", dither, Dither), ("switch", switch, Switch)):
        if value is not None and not isinstance(value, kind):
            raise TypeError(f"{name} is {value!r}; wanted a signstep.{kind.__name__} or None")
    whole = dict(options)
    for part in (dither, switch):
        whole.update(part.options() if part is not None else {})
    return {name: _plain(name, value) for name, value in whole.items()}
