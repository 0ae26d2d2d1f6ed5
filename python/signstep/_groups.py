# SPDX-License-Identifier: Apache-2.0
"""What a parameter group may hold, checked when it comes and at every step."""

from __future__ import annotations

import difflib
import math
from numbers import Real
from typing import Any, Mapping

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy

from signstep._work import LOW_PRECISION

OWN = ("lr", "decoupled_weight_decay", "maximize", "low_precision")
_OTHER_RULES = ("weight_decay", "momentum", "betas", "dampening", "nesterov")  # groups' keys of other optimizers
_MOST_ELEMENTS = 2**34
_LARGEST_FLOAT = 3.4028234663852886e38


def number(group: Mapping[str, Any], name: str, place: str) -> float:
    value = group[name]
    one = value.numel() == 1 if isinstance(value, Tensor) else isinstance(value, Real) and not isinstance(value, bool)
    if not one:
        raise TypeError(f"{place}: {name} is {value!r}; wanted a number, or a tensor of one")
    return float(value)


def rate_and_decay(group: Mapping[str, Any], index: int) -> tuple[float, float]:
    """lr and decoupled_weight_decay of a group. TypeError or ValueError for what no step can be taken at, and for what
    was put there since it came and would have no effect."""
    place = f"parameter group {index}"
    for key in _OTHER_RULES:
        if key in group:
            raise ValueError(
                f"{place}: {key!r} was set, and nothing reads it; wanted {', '.join(OWN)} (weight decay is "
                "decoupled_weight_decay)"
            )
    for key in OWN:
        if key not in group:
            raise ValueError(f"{place}: {key!r} is gone; wanted {', '.join(OWN)}")
    if not isinstance(group["maximize"], bool):
        raise TypeError(f"{place}: maximize is {group['maximize']!r}; wanted True or False")
    if group["low_precision"] not in LOW_PRECISION:
        raise ValueError(f"{place}: low_precision is {group['low_precision']!r}; wanted one of {', '.join(LOW_PRECISION)}")
    lr, decay = number(group, "lr", place), number(group, "decoupled_weight_decay", place)
    if not 0 <= lr <= _LARGEST_FLOAT:
        raise ValueError(f"{place}: lr is {lr}; wanted a finite number of at least 0 that float32 holds")
    if not (decay >= 0 and math.isfinite(decay)):
        raise ValueError(f"{place}: decoupled_weight_decay is {decay}; wanted a finite number of at least 0")
    if lr * decay >= 1:
        raise ValueError(
            f"{place}: lr {lr} times decoupled_weight_decay {decay} is {lr * decay}; wanted less than 1, the share by "
            "which a step shrinks the weights; lower one"
        )
    return lr, decay


def check_group(group: Mapping[str, Any], index: int, first: int, options: Mapping[str, Any]) -> None:
    """A new group, whose first parameter has number `first` over all groups. options: the optimizer's, of which a group has
    none of its own. What resembles no option is somebody else's, a scheduler's or a wrapper's, and stays."""
    place = f"parameter group {index}"
    for key in group:
        if key in OWN or key in _OTHER_RULES:
            continue
        if near := difflib.get_close_matches(key, OWN, 1, 0.7):
            raise ValueError(f"{place}: {key!r} is nothing that a group may have; did you mean {near[0]!r}?")
        if key in options or key == "switch":
            raise ValueError(
                f"{place}: {key!r} is the optimizer's, for all groups alike; wanted {', '.join(OWN)}, in which groups may "
                "differ"
            )
    rate_and_decay(group, index)
    for i, parameter in enumerate(group["params"], start=first):
        if not parameter.is_floating_point():
            raise TypeError(f"parameter {i} is {parameter.dtype}; wanted real floating-point numbers, whose sign is a step")
        if parameter.layout != torch.strided:
            raise TypeError(f"parameter {i} is {parameter.layout}; wanted a dense tensor")
        if parameter.dtype not in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
            raise TypeError(f"parameter {i} is {parameter.dtype}; wanted float16, bfloat16, float32 or float64")
        if not is_lazy(parameter) and parameter.numel() >= _MOST_ELEMENTS:
            raise ValueError(f"parameter {i} has {parameter.numel()} elements; wanted less than 2^34; split it")


def refuse_shards(group: Mapping[str, Any], first: int) -> None:
    """For a rule whose sums are over a whole tensor: TypeError where a parameter is a shard of one, as in FSDP1."""
    for i, parameter in enumerate(group["params"], start=first):
        if getattr(parameter, "_fsdp_flattened", False):
            raise TypeError(
                f"parameter {i} is a shard of FullyShardedDataParallel's; wanted whole tensors, as relative dither and a "
                "switch go by a tensor's sums, and each rank would take another rate; use DistributedDataParallel"
            )


def check_gradient(parameter: Tensor, gradient: Tensor, i: int) -> None:
    if gradient.layout is not torch.strided:
        raise TypeError(
            f"parameter {i} has a sparse gradient; wanted a dense one, as a sign rule steps every coordinate; build the "
            "layer with sparse=False"
        )
    if gradient.shape != parameter.shape:
        raise ValueError(
            f"parameter {i} is of shape {tuple(parameter.shape)} and its gradient of {tuple(gradient.shape)}; wanted one "
            "shape"
        )
