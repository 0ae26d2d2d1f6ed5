# SPDX-License-Identifier: Apache-2.0
"""Saving, loading, copying: a run that was interrupted ends with the bits of one that was not."""

from __future__ import annotations

import copy
import io
import json
import pickle

import pytest
import torch

import signstep
from signstep import Dither, Switch

OPTIONS = dict(dither=Dither(), switch=Switch(step=8, blend=4), total_steps=24, seed=5)


def make(dtype=torch.float32, low_precision="nearest", maximum=False, model_seed=0):
    torch.manual_seed(model_seed)
    model = torch.nn.Sequential(torch.nn.Linear(11, 13), torch.nn.Tanh(), torch.nn.Linear(13, 2)).to(dtype)
    options = dict(OPTIONS, dither=Dither("maximum")) if maximum else OPTIONS
    groups = [{"params": model[0].parameters()}, {"params": model[2].parameters(), "lr": 3e-3}]
    return model, signstep.Lion(groups, 1e-2, low_precision=low_precision, **options)


def train(model, optimizer, first, last) -> None:
    for t in range(first, last):
        for i, p in enumerate(model.parameters()):
            p.grad = torch.randn(p.shape, generator=torch.Generator().manual_seed(97 * t + i)).to(p.dtype)
        optimizer.step()


def same(one, other) -> bool:
    return all(torch.equal(p, q) for p, q in zip(one.parameters(), other.parameters()))


VARIANTS = [
    dict(),
    dict(maximum=True),
    dict(dtype=torch.float64),
    dict(dtype=torch.bfloat16),
    dict(dtype=torch.bfloat16, low_precision="stochastic"),
    dict(dtype=torch.float16, low_precision="master"),
]


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@pytest.mark.parametrize("stop", [0, 3, 10, 20])  # before the first step; sign, blend and SGD
def test_a_loaded_run_goes_on_with_the_same_bits(variant: dict, stop: int) -> None:
    model, optimizer = make(**variant)
    train(model, optimizer, 0, stop)
    file = io.BytesIO()
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file)
    train(model, optimizer, stop, 24)

    other, loaded = make(**variant, model_seed=1)
    train(other, loaded, 0, 2)  # what it did before is forgotten
    other.load_state_dict(saved["model"])
    loaded.load_state_dict(saved["optimizer"])
    train(other, loaded, stop, 24)
    assert same(model, other)
    assert json.loads(loaded.state_dict()["signstep"]) == json.loads(optimizer.state_dict()["signstep"])


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda both: pickle.loads(pickle.dumps(both))])
@pytest.mark.parametrize("stop", [0, 10, 20])
def test_a_copy_goes_its_own_way_with_the_same_bits(copied, stop: int) -> None:
    model, optimizer = make()
    train(model, optimizer, 0, stop)
    other, twin = copied((model, optimizer))
    train(model, optimizer, stop, 24)
    assert stop == 24 or not same(model, other)
    train(other, twin, stop, 24)
    assert same(model, other)
    assert type(twin) is signstep.Lion and twin.report == optimizer.report


def test_the_groups_are_loaded_with_the_state() -> None:
    model, optimizer = make()
    optimizer.param_groups[1]["lr"] = 0.5
    _, other = make()
    other.load_state_dict(optimizer.state_dict())
    assert [group["lr"] for group in other.param_groups] == [1e-2, 0.5]


def test_another_optimizers_state_is_refused_and_changes_nothing() -> None:
    model, optimizer = make()
    train(model, optimizer, 0, 3)
    before = copy.deepcopy(optimizer.state_dict())

    def refused(state: dict, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            optimizer.load_state_dict(state)
        now = optimizer.state_dict()
        assert now["signstep"] == before["signstep"] and now["param_groups"] == before["param_groups"]
        for key, arrays in before["state"].items():
            for name, array in arrays.items():
                assert torch.equal(array, now["state"][key][name])

    refused(torch.optim.AdamW(model.parameters()).state_dict(), "no state dict of a signstep optimizer")
    fewer = signstep.Lion(list(model.parameters()), 1e-2, **OPTIONS)
    refused(fewer.state_dict(), r"groups of \[4\] parameters, this optimizer \[2, 2\]")
    groups = [{"params": model[0].parameters()}, {"params": model[2].parameters()}]
    refused(signstep.Lion(groups, 1e-2, betas=(0.9, 0.95), **OPTIONS).state_dict(), "beta2 is 0.99, wanted 0.95")
    damaged = copy.deepcopy(before)
    damaged["state"][0]["m"] = torch.zeros(5)
    refused(damaged, r"the m of parameter 0 is of shape \(5,\) in the state dict; wanted \(13, 11\)")
    damaged = copy.deepcopy(before)
    damaged["signstep"] = damaged["signstep"][:-2]
    refused(damaged, "state")


def test_master_weights_of_another_time_are_forgotten() -> None:
    p = torch.nn.Parameter(torch.ones(4, dtype=torch.bfloat16))
    optimizer = signstep.SignSGD([p], 2**-4, momentum=0, decoupled_weight_decay=0, low_precision="master")
    for dtype in (torch.bfloat16, torch.float32, torch.bfloat16):
        p.data = p.data.to(dtype)
        for _ in range(4):
            p.grad = torch.ones(4, dtype=dtype)
            optimizer.step()
    assert torch.equal(p.detach().float(), torch.full((4,), 1 - 12 * 2**-4))


def test_a_hook_that_changes_what_is_loaded_is_heard() -> None:
    model, optimizer = make()
    if not hasattr(optimizer, "register_load_state_dict_pre_hook"):
        pytest.skip("this PyTorch has no hooks of loading")
    train(model, optimizer, 0, 3)
    saved = copy.deepcopy(optimizer.state_dict())
    calls = []

    def sevens(_, state_dict):
        calls.append(1)
        for arrays in state_dict["state"].values():
            arrays["m"] = torch.full_like(arrays["m"], 7.0)
        return state_dict

    other, loaded = make()
    loaded.register_load_state_dict_pre_hook(sevens)
    loaded.load_state_dict(saved)
    assert len(calls) == 1
    assert all(torch.all(loaded.state[p]["m"] == 7.0) for p in other.parameters())


def reloaded(optimizer):
    optimizer.load_state_dict(optimizer.state_dict())
    return optimizer


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o)), reloaded])
def test_a_group_joins_after_a_copy_or_a_load(copied) -> None:
    optimizer = copied(make()[1])
    optimizer.add_param_group({"params": [torch.nn.Parameter(torch.ones(2))]})
    assert len(optimizer.param_groups) == 3


def test_a_state_without_its_averages_is_refused() -> None:
    model, optimizer = make()
    train(model, optimizer, 0, 3)
    saved = optimizer.state_dict()
    saved["state"] = {}
    _, fresh = make()
    with pytest.raises(ValueError, match="parameter 0 was saved with m and the state dict has none for it, so its averages"):
        fresh.load_state_dict(saved)
    del saved["signstep_arrays"]  # as 0.1 saved
    with pytest.raises(ValueError, match="is of step 3 and has no array of any parameter"):
        fresh.load_state_dict(saved)
    assert not fresh.state and '"steps":0' in fresh.state_dict()["signstep"]
    plain = signstep.SignSGD(model.parameters(), 1e-3, 0)  # which keeps none
    plain.step()
    signstep.SignSGD(model.parameters(), 1e-3, 0).load_state_dict(plain.state_dict())


def test_the_averages_of_one_parameter_that_are_lost_are_missed() -> None:
    model, optimizer = make()
    train(model, optimizer, 0, 3)
    for lose in (lambda state: state.pop(2), lambda state: state[2].pop("m")):
        saved = copy.deepcopy(optimizer.state_dict())
        lose(saved["state"])
        with pytest.raises(ValueError, match="parameter 2 was saved with m and the state dict has none for it"):
            make()[1].load_state_dict(saved)


def test_a_switched_rule_without_momentum_has_averages_that_can_be_lost() -> None:
    """Before its switch it keeps none, so a state that was filled into that of a new optimizer lacks them."""

    def sgd():
        switch = Switch(step=2, blend=1, calibrate_from=0.05, momentum=0.9, direction="gradient")
        model = torch.nn.Linear(4, 3)
        return model, signstep.SignSGD(model.parameters(), 0.01, 0, switch=switch, total_steps=20)

    model, optimizer = sgd()
    train(model, optimizer, 0, 8)
    assert optimizer.report.phase == "sgd"
    saved = copy.deepcopy(optimizer.state_dict())
    saved["state"] = {}
    _, fresh = sgd()
    with pytest.raises(ValueError, match="was saved with m"):
        fresh.load_state_dict(saved)
    del saved["signstep_arrays"]
    with pytest.raises(ValueError, match="has no array of any parameter"):
        fresh.load_state_dict(saved)


def test_a_state_of_parameters_that_had_no_gradient_yet_is_loaded() -> None:
    model, optimizer = make()
    optimizer.step()
    optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    train(model, optimizer, 1, 3)
    other, straight = make()
    straight.step()
    train(other, straight, 1, 3)
    assert same(model, other)


def test_a_lazy_layer_that_has_not_run_takes_a_state() -> None:
    one, other = torch.nn.LazyLinear(2), torch.nn.LazyLinear(2)
    optimizer, loaded = (signstep.Signum(layer.parameters(), lr=0.1) for layer in (one, other))

    def step(layer, o) -> None:
        layer.zero_grad()
        layer(torch.ones(1, 3)).sum().backward()
        o.step()

    step(one, optimizer)
    saved = copy.deepcopy((one.state_dict(), optimizer.state_dict()))
    loaded.load_state_dict(saved[1])
    other.load_state_dict(saved[0])
    step(one, optimizer)
    step(other, loaded)
    assert same(one, other)


def test_what_a_user_keeps_beside_the_arrays_stays() -> None:
    model, optimizer = make()
    train(model, optimizer, 0, 2)
    parameter = next(model.parameters())
    optimizer.state[parameter]["mine"] = 5
    optimizer.load_state_dict(optimizer.state_dict())
    assert optimizer.state[parameter]["mine"] == 5


@pytest.mark.skipif(not hasattr(torch.optim.Optimizer, "register_load_state_dict_post_hook"), reason="PyTorch before 2.1")
def test_hooks_after_saving_and_loading_see_the_whole_and_are_heard() -> None:
    model, optimizer = make()
    train(model, optimizer, 0, 2)
    seen = []
    optimizer.register_state_dict_post_hook(lambda o, saved: seen.append(sorted(saved)))
    saved = optimizer.state_dict()
    assert seen == [["param_groups", "signstep", "signstep_arrays", "state"]]

    def sevens(o):
        for arrays in o.state.values():
            arrays["m"].fill_(7)

    handle = optimizer.register_load_state_dict_post_hook(sevens)
    optimizer.load_state_dict(saved)
    assert all((arrays["m"] == 7).all() for arrays in optimizer.state.values())
    handle.remove()
    optimizer.load_state_dict(saved)
    assert not any((arrays["m"] == 7).all() for arrays in optimizer.state.values())
