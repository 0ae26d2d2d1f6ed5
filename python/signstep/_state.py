# SPDX-License-Identifier: Apache-2.0
"""A state dict, held against the parameters that it is to be loaded for."""

from __future__ import annotations

import json
from typing import Any, Iterator, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy

from signstep._work import compute_type

SAVED = "signstep"  # the numbers of the state
ARRAYS = "signstep_arrays"  # array_names()
_ARRAYS = ("m", "maximum", "master")  # a parameter's; what else lies beside them is the user's


def _numbered(saved: Mapping[str, Any], groups: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Tensor, Any]]:
    """Each parameter with the key of its saved state."""
    for own, other in zip(groups, saved["param_groups"]):
        yield from zip(own["params"], other["params"])


def check_saved(saved: Mapping[str, Any], groups: Sequence[Mapping[str, Any]]) -> None:
    """ValueError for what is no state dict of a signstep optimizer, or is one of other parameters."""
    if SAVED not in saved or "state" not in saved or "param_groups" not in saved:
        raise ValueError(
            "this is no state dict of a signstep optimizer, as it has no 'signstep'; wanted what state_dict() gave "
            "(torch.distributed.checkpoint.state_dict, FSDP and ZeroRedundancyOptimizer leave it out)"
        )
    for name in (SAVED, ARRAYS):
        if not isinstance(saved.get(name, ""), str):
            raise ValueError(f"{name!r} of the state dict is {type(saved[name]).__name__}; wanted the text that state_dict() gave")
    seen = [len(group["params"]) for group in saved["param_groups"]]
    wanted = [len(group["params"]) for group in groups]
    if seen != wanted:
        raise ValueError(
            f"the state dict has groups of {seen} parameters, this optimizer {wanted}; make the optimizer with the "
            "parameters of the saved one, in their order"
        )
    for i, (parameter, key) in enumerate(_numbered(saved, groups)):
        if is_lazy(parameter):  # whose shape a first step will show
            continue
        for name, array in saved["state"].get(key, {}).items():
            if name in _ARRAYS and (not isinstance(array, Tensor) or array.shape != parameter.shape):
                shape = tuple(array.shape) if isinstance(array, Tensor) else type(array).__name__
                raise ValueError(
                    f"the {name} of parameter {i} is of shape {shape} in the state dict; wanted {tuple(parameter.shape)}; "
                    "make the optimizer with the parameters of the saved one, in their order"
                )


def array_names(groups: Sequence[Mapping[str, Any]], state: Mapping[Tensor, Any]) -> str:
    """Which arrays each parameter has, by its number: as text, which a distributed checkpoint brings along whole."""
    return json.dumps([[name for name in _ARRAYS if name in state.get(p, {})] for group in groups for p in group["params"]])


def check_complete(saved: Mapping[str, Any], groups: Sequence[Mapping[str, Any]], steps: int) -> None:
    """ValueError where a parameter has not the arrays that it was saved with; where that was not written down (by 0.1),
    where none of them has any after `steps` steps of a rule that keeps some."""
    hint = (
        "so its averages are lost; wanted what state_dict() gave (torch.distributed.checkpoint.load fills only what is there: "
        "load into the state dict of an optimizer that has taken a step, with all gradients, in the same phase)"
    )
    have = [
        [name for name in _ARRAYS if name in saved["state"].get(key, {})] for _, key in _numbered(saved, groups)
    ]
    if ARRAYS not in saved:
        if steps > 0 and not any(have):
            raise ValueError(f"the state dict is of step {steps} and has no array of any parameter, {hint}")
        return
    for i, (names, wanted) in enumerate(zip(have, json.loads(saved[ARRAYS]))):
        if names != wanted:
            raise ValueError(
                f"parameter {i} was saved with {' and '.join(wanted) or 'no array'} and the state dict has "
                f"{' and '.join(names) or 'none'} for it, {hint}"
            )


def tensors_of(
    saved: Mapping[str, Any], groups: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[Tensor, dict[str, Any]]]:
    """Each parameter with copies of its saved arrays, on its device and in the type that they are kept in, and what else
    lies there as it is."""
    for parameter, key in _numbered(saved, groups):
        if key in saved["state"]:
            dtype = compute_type(parameter.dtype)
            yield parameter, {
                name: torch.empty_like(array, dtype=dtype, device=parameter.device).copy_(array) if name in _ARRAYS else array
                for name, array in saved["state"][key].items()
            }
