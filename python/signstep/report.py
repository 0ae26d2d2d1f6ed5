# SPDX-License-Identifier: Apache-2.0
"""What a step tells of itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Optional

from signstep import _library


@dataclass(frozen=True)
class StepReport:
    """nonfinite: coordinates that were NaN or infinite, which took no step and no decay. first_nonfinite: the number of
    the parameter with the first of them, over all groups. phase: "sign", "blend" or "sgd", of this step. gamma and
    lambda_: the switch's estimate and average, sgd_rate lambda_ times the learning rate; None where there is none.
    event: one line where the switch happened, or was refused, with this step.
    """

    nonfinite: int = 0
    first_nonfinite: Optional[int] = None
    dither_level: float = 0.0
    phase: str = "sign"
    gamma: Optional[float] = None
    lambda_: Optional[float] = None
    sgd_rate: Optional[float] = None
    event: Optional[str] = None


def _number(value: float) -> Optional[float]:
    return None if math.isnan(value) else value


def report_of(report: _library.Report, event: Optional[str]) -> StepReport:
    return StepReport(
        nonfinite=report.nonfinite,
        first_nonfinite=report.first_nonfinite if report.nonfinite else None,
        dither_level=report.dither_level,
        phase=_library.PHASES[report.phase],
        gamma=_number(report.gamma),
        lambda_=_number(report.lambda_),
        sgd_rate=_number(report.sgd_rate),
        event=event,
    )
