# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
import fractions

import pytest
import torch

import signstep
from signstep import Dither, Switch


def parameter(n: int = 3) -> torch.nn.Parameter:
    return torch.nn.Parameter(torch.ones(n))


def test_groups_differ_in_rate_decay_and_direction() -> None:
    a, b, c = parameter(), parameter(), parameter()
    optimizer = signstep.Signum(
        [{"params": [a]}, {"params": [b], "lr": 0.5, "decoupled_weight_decay": 1.0}, {"params": [c], "maximize": True}],
        lr=0.25,
        decoupled_weight_decay=0,
    )
    for p in (a, b, c):
        p.grad = torch.ones(3)
    optimizer.step()
    assert (a[0].item(), b[0].item(), c[0].item()) == (0.75, 0.0, 1.25)
    optimizer.param_groups[0]["lr"] = 0.0
    optimizer.param_groups[1]["decoupled_weight_decay"] = 0.0
    optimizer.step()
    assert (a[0].item(), b[0].item()) == (0.75, -0.5)


def test_a_late_group_joins_at_the_end() -> None:
    late, early = parameter(100), parameter(100)
    optimizer = signstep.Signum([early], 1e-2, dither=Dither(), switch=Switch(step=4, blend=2), total_steps=20, seed=1)
    for t in range(12):
        if t == 2:
            optimizer.add_param_group({"params": [late], "lr": 0.1})
        for p in (early, late):
            p.grad = torch.randn(100, generator=torch.Generator().manual_seed(t))
        optimizer.step()
    assert optimizer.report.phase == "sgd" and not torch.equal(late, torch.ones(100))


def test_a_group_that_is_refused_is_not_there() -> None:
    a, b = parameter(), parameter()
    optimizer = signstep.Signum([a])
    with pytest.raises(ValueError, match="parameter group 1: 'momentum' was set, and nothing reads it"):
        optimizer.add_param_group({"params": [b], "momentum": 0.5})
    with pytest.raises(ValueError):
        optimizer.add_param_group({"params": [a]})
    with pytest.raises(TypeError, match="parameter 1 is torch.int32"):
        optimizer.add_param_group({"params": [torch.zeros(2, dtype=torch.int32)]})
    assert len(optimizer.param_groups) == 1
    optimizer.add_param_group({"params": [b]})
    a.grad = b.grad = torch.ones(3)
    optimizer.step()
    assert torch.equal(a, b)

    by_tensor = signstep.Signum([parameter()], switch=Switch(step=9, scope="tensor"))
    by_tensor.step()
    with pytest.raises(ValueError, match="switch_scope is tensor"):
        by_tensor.add_param_group({"params": [parameter()]})
    assert len(by_tensor.param_groups) == 1


def test_a_group_that_fails_in_any_way_is_not_there() -> None:
    a, b = parameter(), parameter()
    optimizer = signstep.Signum([a])
    with pytest.raises(RuntimeError):
        optimizer.add_param_group({"params": [b], "lr": torch.tensor(0.1, device="meta")})
    a.grad = torch.ones(3)
    optimizer.step()
    assert len(optimizer.param_groups) == 1


@pytest.mark.parametrize("copied", [False, True])
def test_another_order_of_the_parameters_is_refused(copied: bool) -> None:
    a, b = parameter(), parameter()
    optimizer = signstep.Signum([{"params": [a]}, {"params": [b]}])
    if copied:
        optimizer = copy.deepcopy(optimizer)
        a, b = (group["params"][0] for group in optimizer.param_groups)
    a.grad = b.grad = torch.ones(3)
    optimizer.step()
    optimizer.param_groups.reverse()
    before = a.detach().clone()
    with pytest.raises(ValueError, match="in another order than before"):
        optimizer.step()
    assert torch.equal(a, before)
    optimizer.param_groups.reverse()
    optimizer.step()
    c = parameter()
    c.grad = torch.ones(3)
    optimizer.param_groups[0]["params"][0] = c  # another in its place is its owner's business
    optimizer.step()
    assert not torch.equal(c, torch.ones(3))


@pytest.mark.parametrize("name, value", [("lr", float("inf")), ("lr", -1), ("decoupled_weight_decay", float("nan"))])
def test_a_group_changed_to_what_cannot_be_is_refused_before_anything_moves(name: str, value: float) -> None:
    a, b = parameter(), parameter()
    optimizer = signstep.Signum([{"params": [a]}, {"params": [b]}])
    a.grad = b.grad = torch.ones(3)
    optimizer.param_groups[1][name] = value
    with pytest.raises(ValueError, match="parameter group 1"):
        optimizer.step()
    assert torch.equal(a, torch.ones(3))


def test_parameters_that_come_or_go_by_hand_are_refused() -> None:
    a, b = parameter(), parameter()
    optimizer = signstep.Signum([{"params": [a]}, {"params": [b]}], lr=0.25)
    a.grad = b.grad = torch.ones(3)
    optimizer.step()
    before = a.detach().clone()
    group = optimizer.param_groups.pop()
    with pytest.raises(ValueError, match="the groups hold 1 parameters, and 2 were given"):
        optimizer.step()
    optimizer.param_groups.append(group)
    optimizer.param_groups[0]["params"].append(parameter())
    with pytest.raises(ValueError, match="the groups hold 3 parameters"):
        optimizer.step()
    assert torch.equal(a, before)
    optimizer.param_groups[0]["params"].pop()
    optimizer.step()
    assert not torch.equal(a, before)


@pytest.mark.parametrize("key, value", [("weight_decay", 0.1), ("momentum", 0.5), ("low_precision", "nearset")])
def test_what_nothing_reads_is_refused_when_it_comes_later(key: str, value: object) -> None:
    a = parameter()
    optimizer = signstep.Signum([a])
    optimizer.param_groups[0][key] = value
    a.grad = torch.ones(3)
    with pytest.raises(ValueError, match=key):
        optimizer.step()
    assert torch.equal(a, torch.ones(3))


def test_numbers_that_are_none_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="momentum is nan"):
        signstep.Signum([parameter()], momentum=float("nan"))
    with pytest.raises(ValueError, match="step is 0; wanted at least 1"):
        signstep.Signum([parameter()], switch=Switch(step=0))


def test_a_meta_parameter_is_refused_before_others_move() -> None:
    a, b = parameter(), torch.nn.Parameter(torch.ones(3, device="meta"))
    optimizer = signstep.Signum([a, b])
    a.grad, b.grad = torch.ones(3), torch.ones(3, device="meta")
    with pytest.raises(TypeError, match="on the meta device"):
        optimizer.step()
    assert torch.equal(a, torch.ones(3))


def test_a_direction_that_is_none_is_refused_before_a_step() -> None:
    p = parameter()
    optimizer = signstep.Signum([p])
    p.grad = torch.ones(3)
    optimizer.param_groups[0]["maximize"] = "False"
    with pytest.raises(TypeError, match="maximize is 'False'; wanted True or False"):
        optimizer.step()
    del optimizer.param_groups[0]["maximize"]
    with pytest.raises(ValueError, match="'maximize' is gone"):
        optimizer.step()
    assert torch.equal(p, torch.ones(3))


def test_another_optimizers_word_in_a_new_group_is_told_ours() -> None:
    with pytest.raises(ValueError, match="weight decay is decoupled_weight_decay"):
        signstep.Signum([{"params": [parameter()], "weight_decay": 1e-4}])


def test_shards_are_refused_where_a_rule_sums_over_tensors() -> None:
    shard = parameter()
    shard._fsdp_flattened = True  # as FullyShardedDataParallel marks its own
    signstep.Signum([shard])
    for options in (dict(dither=Dither(), total_steps=9), dict(switch=Switch(step=3), total_steps=9)):
        with pytest.raises(TypeError, match="is a shard of FullyShardedDataParallel's"):
            signstep.Signum([shard], **options)


def test_a_lazy_layer_is_trained() -> None:
    layer = torch.nn.LazyLinear(2)
    optimizer = signstep.Signum(layer.parameters(), lr=0.1)
    layer(torch.ones(1, 3)).sum().backward()
    before = [p.clone() for p in layer.parameters()]
    optimizer.step()
    for p, was in zip(layer.parameters(), before):
        assert not torch.equal(p, was)


def test_a_wrappers_key_stays_and_a_misspelt_option_is_told() -> None:
    """As in everybody's SAM, whose groups have a rho."""
    optimizer = signstep.Signum([{"params": [parameter()], "rho": 0.05, "lr_scale": 2}], lr=0.1)
    assert optimizer.param_groups[0]["rho"] == 0.05
    for key, message in (
        ("decoupled_wd", "did you mean 'decoupled_weight_decay'"),
        ("maximise", "did you mean 'maximize'"),
        ("total_steps", "'total_steps' is the optimizer's, for all groups alike"),
        ("dither", "'dither' is the optimizer's"),
    ):
        with pytest.raises(ValueError, match=message):
            signstep.Signum([{"params": [parameter()], key: 1}])


def test_other_optimizers_keywords_are_told_ours() -> None:
    with pytest.raises(TypeError, match=r"Signum\(\) got an unexpected keyword argument 'weight_decay'; wanted decoupled_weight"):
        signstep.Signum([parameter()], weight_decay=0.1)
    with pytest.raises(TypeError, match=r"Lion\(\) got an unexpected keyword argument 'momentum'; wanted betas"):
        signstep.Lion([parameter()], momentum=0.9)
    with pytest.raises(TypeError, match="'fused'; leave it out"):
        signstep.SignSGD([parameter()], fused=True)
    with pytest.raises(TypeError, match="unexpected keyword argument 'rho'$"):
        signstep.SignSGD([parameter()], rho=1)
    with pytest.raises(TypeError, match="seed is None; wanted a number or text"):
        signstep.SignSGD([parameter()], seed=None)


def test_a_momentum_of_0_is_plain_whatever_number_it_is() -> None:
    for zero in (0, 0.0, fractions.Fraction(0), torch.zeros(1).numpy()[0] if numpy_is_there() else 0):
        optimizer = signstep.SignSGD([parameter()], momentum=zero)
        assert optimizer.options["optimizer"] == "signsgd" and optimizer.param_groups[0]["decoupled_weight_decay"] == 0.1


def numpy_is_there() -> bool:
    try:
        torch.zeros(1).numpy()
    except RuntimeError:
        return False
    return True
