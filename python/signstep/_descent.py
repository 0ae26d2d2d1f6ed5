# SPDX-License-Identifier: Apache-2.0
"""The descent g . E[sign(gradient + dither)] from mini-batch gradients of some coordinates of each parameter."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Sequence

import torch
from torch import Tensor

_SAMPLED = 512  # coordinates of a parameter whose draws are kept
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Descent:
    """At each level: of each parameter; standard errors of their sum, and of the sum less that at the first level."""

    parameters: list[list[float]]
    errors: tuple[float, ...]
    gain_errors: tuple[float, ...]


class DescentSample:
    """One coordinate in each of up to 512 stretches of a parameter, where the golden ratio puts it. 2 KiB a parameter and
    draw at most."""

    def __init__(self, sizes: Sequence[int]) -> None:
        self._sizes, self._places, self._draws = list(sizes), [], []  # type: ignore[var-annotated]
        first = 0
        for n in sizes:
            m = min(n, _SAMPLED)
            i = torch.arange(m + 1, dtype=torch.float64, device="cpu")
            edges = (i * n / m).floor()
            self._places.append(first + (edges[:-1] + (i[:-1] * _GOLDEN % 1) * edges.diff()).to(torch.int64))
            first += n
        self._all_places = torch.cat(self._places)

    def add(self, gradient: Tensor) -> None:
        """The next draw: all parameters one after the other, float32."""
        self._draws.append(gradient[self._all_places])

    def measure(self, rms: Sequence[float], levels: Sequence[float]) -> Descent:
        """Of dither that is levels[j] times rms[i] in parameter i. g and the sign are of different draws, so that no draw's
        own noise counts as descent; errors are of the draws, by the jackknife over them (Efron, Stein 1981, Ann. Statist.
        9(3)), and of the sample (Cochran 1977, section 2.8)."""
        parts = [place.numel() for place in self._places]
        by_parameter = torch.split(torch.stack(self._draws), parts, -1)
        k = len(self._draws)
        without = torch.zeros(len(levels), k, dtype=torch.float64, device="cpu")  # each draw, of the sum
        of_sample = [[0.0] * len(levels) for _ in range(2)]  # variances, of the sum and of its gain
        parameters = []
        for n, size, part in zip(self._sizes, rms, by_parameter):
            draws, m = part.to(torch.float64), part.shape[1]
            weight, first, row = n / m, None, []
            for j, level in enumerate(levels):
                signs = torch.erf(draws / (level * size * math.sqrt(2))) if level * size > 0 else torch.sign(draws)
                own, all_draws, all_signs = draws * signs, draws.sum(0), signs.sum(0)
                each = (all_draws * all_signs - own.sum(0)) / (k * (k - 1))
                rest = (all_draws - draws) * (all_signs - signs) - (own.sum(0) - own)
                without[j] += weight * rest.sum(1) / ((k - 1) * (k - 2))
                first = each if first is None else first
                for variances, values in zip(of_sample, (each, each - first)):
                    if m > 1:
                        variances[j] += weight * weight * m * (1 - m / n) * float(values.var())
                row.append(weight * float(each.sum()))
            parameters.append(row)

        def errors(totals: Tensor, variances: list[float]) -> tuple[float, ...]:
            of_draws = (k - 1) / k * (totals - totals.mean(1, keepdim=True)).square().sum(1)
            return tuple(math.sqrt(a + b) for a, b in zip(of_draws.tolist(), variances))

        return Descent(parameters, errors(without, of_sample[0]), errors(without - without[0], of_sample[1]))
