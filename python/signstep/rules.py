# SPDX-License-Identifier: Apache-2.0
"""The sign rules. For parameters x with gradient g, averages m and decay factor k = 1 - lr decoupled_weight_decay:

    u = b1 m + (1 - b1) g;  m = b2 m + (1 - b2) g;  x = k x - lr sign(u),  sign(0) = 0

SignSGD, Signum: Bernstein et al. 2018, arXiv 1802.04434. Lion: Chen et al. 2023, arXiv 2302.06675.
"""

from __future__ import annotations

from typing import Mapping, NoReturn, Optional, Union

from torch import Tensor

from signstep.optimizer import Params, SignOptimizer
from signstep.options import Dither, Switch, sign_rule


_HINTS = {
    "weight_decay": "wanted decoupled_weight_decay, by lr times which a step shrinks the weights",
    "l2_penalty": "wanted decoupled_weight_decay, as a penalty in the gradient would only turn signs",
    "learning_rate": "wanted lr",
    "betas": "wanted momentum; signstep.Lion has betas",
    "momentum": "wanted betas",
    "nesterov": "Lion's look-ahead is signstep.Lion",
    "foreach": "leave it out: all parameters are stepped in one call",
    "fused": "leave it out: all parameters are stepped in one call",
    "capturable": "leave it out: a step waits for its report and is in no CUDA graph",
}


def _refuse(name: str, others: Mapping[str, object]) -> None:
    """TypeError for keywords that other optimizers have."""
    for key in others:
        hint = f"; {_HINTS[key]}" if key in _HINTS else ""
        raise TypeError(f"{name}() got an unexpected keyword argument {key!r}{hint}")


class SignSGD(SignOptimizer):
    """b1 = b2 = momentum in [0, 1): 0 is plain SignSGD, which keeps no state; above 0 it is Signum, 4 bytes a parameter.

    params: tensors, or groups as dicts. lr: at least 0, float or 0-dimensional tensor. decoupled_weight_decay: at least 0,
    lr times it below 1; None: 0.05, without momentum 0.1. zero: the sign of 0, "skip" (no step), "random" (a coin),
    "plus". dither, switch: see Dither and Switch. seed: of all draws, in [0, 2^63). total_steps: of the run, for annealed
    dither and shares of the run; 0: not known. maximize: steps uphill. low_precision: how float16 and bfloat16 parameters
    are rounded, "nearest", "stochastic" (keeps small steps on the average), "master" (keeps float32 weights beside them).
    TypeError and ValueError say what was seen and wanted.
    """

    def __init__(
        self,
        params: Params,
        lr: Union[float, Tensor] = 1e-3,
        momentum: float = 0.9,
        *,
        decoupled_weight_decay: Optional[float] = None,
        zero: str = "skip",
        dither: Optional[Dither] = None,
        switch: Optional[Switch] = None,
        seed: int = 0,
        total_steps: int = 0,
        maximize: bool = False,
        low_precision: str = "nearest",
        differentiable: bool = False,
        **others: NoReturn,
    ) -> None:
        _refuse(type(self).__name__, others)
        super().__init__(
            params,
            sign_rule(momentum),
            lr,
            decoupled_weight_decay,
            zero,
            dither,
            switch,
            seed,
            total_steps,
            maximize,
            low_precision,
            differentiable,
        )


class Signum(SignSGD):
    """SignSGD with momentum, 0.9 unless said otherwise: the same class under the name that the literature has for it."""


class Lion(SignOptimizer):
    """b1, b2 = betas, each in [0, 1). decoupled_weight_decay None: 0.1. The rest is SignSGD's."""

    def __init__(
        self,
        params: Params,
        lr: Union[float, Tensor] = 3e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        *,
        decoupled_weight_decay: Optional[float] = None,
        zero: str = "skip",
        dither: Optional[Dither] = None,
        switch: Optional[Switch] = None,
        seed: int = 0,
        total_steps: int = 0,
        maximize: bool = False,
        low_precision: str = "nearest",
        differentiable: bool = False,
        **others: NoReturn,
    ) -> None:
        _refuse(type(self).__name__, others)
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise TypeError(f"betas is {betas!r}; wanted two numbers")
        super().__init__(
            params,
            {"optimizer": "lion", "beta1": betas[0], "beta2": betas[1]},
            lr,
            decoupled_weight_decay,
            zero,
            dither,
            switch,
            seed,
            total_steps,
            maximize,
            low_precision,
            differentiable,
        )
