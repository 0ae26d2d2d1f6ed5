# SPDX-License-Identifier: Apache-2.0
"""What a state dict says of the groups, which the library knows nothing of."""

from __future__ import annotations

import copy

import pytest
import torch

import signstep


def test_another_direction_or_rounding_is_refused() -> None:
    def low(**options):
        return signstep.SignSGD([torch.nn.Parameter(torch.ones(4, dtype=torch.bfloat16))], 1e-3, 0, **options)

    with pytest.raises(ValueError, match="parameter group 0: low_precision is 'nearest' in the state dict and 'master' here"):
        low(low_precision="master").load_state_dict(low().state_dict())
    with pytest.raises(ValueError, match="maximize is True in the state dict and False here"):
        low().load_state_dict(low(maximize=True).state_dict())
    wide = signstep.SignSGD([torch.nn.Parameter(torch.ones(4))], 1e-3, 0, low_precision="master")
    wide.load_state_dict(low().state_dict())  # float32 is not rounded


def test_stochastic_rounding_goes_on_with_its_own_seed_alone() -> None:
    def rounded(seed):
        return signstep.SignSGD([torch.nn.Parameter(torch.ones(9))], 1e-3, 0, low_precision="stochastic", seed=seed)

    with pytest.raises(ValueError, match="is of seed 3, this optimizer of 4"):
        rounded(4).load_state_dict(rounded(3).state_dict())
    rounded(3).load_state_dict(rounded(3).state_dict())


@pytest.mark.parametrize(
    "damage, error, message",
    [
        (lambda s: s.update(signstep=None), ValueError, "'signstep' of the state dict is NoneType"),
        (lambda s: s.update(signstep_arrays=None), ValueError, "'signstep_arrays' of the state dict is NoneType"),
        (lambda s: s["param_groups"][0].update(lr=-1.0), ValueError, "parameter group 0: lr is -1.0"),
        (lambda s: s["param_groups"][0].update(lr="x"), TypeError, "parameter group 0: lr"),
        (lambda s: s["param_groups"][0].update(weight_decay=0.1), ValueError, "'weight_decay' was set"),
    ],
)
def test_a_state_that_no_step_could_be_taken_after_is_refused(damage, error, message: str) -> None:
    p = torch.nn.Parameter(torch.ones(3))
    optimizer = signstep.Signum([p])
    p.grad = torch.ones(3)
    optimizer.step()
    state = copy.deepcopy(optimizer.state_dict())
    damage(state)
    with pytest.raises(error, match=message):
        optimizer.load_state_dict(state)
    optimizer.step()


def test_a_groups_option_that_the_state_lacks_stays() -> None:
    p = torch.nn.Parameter(torch.ones(3, dtype=torch.bfloat16))
    optimizer = signstep.Signum([p], low_precision="stochastic")
    state = optimizer.state_dict()
    del state["param_groups"][0]["low_precision"]
    optimizer.load_state_dict(state)
    p.grad = torch.ones_like(p)
    optimizer.step()
    assert optimizer.param_groups[0]["low_precision"] == "stochastic"
