# SPDX-License-Identifier: Apache-2.0
"""Layouts, types and gradients of parameters."""

from __future__ import annotations

import pytest
import torch

import signstep
from conftest import bits
from signstep import Dither


def steps(parameter, gradients, **options):
    optimizer = signstep.Signum([parameter], 1e-2, **options)
    for g in gradients:
        parameter.grad = g
        optimizer.step()
    return optimizer


def gradients(shape, count=5):
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(shape, generator=generator) for _ in range(count)]


def test_any_layout_of_the_parameter_and_its_gradient_gives_the_same_values() -> None:
    shape = (6, 4, 5, 3)
    first = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    plain = torch.nn.Parameter(first.clone())
    steps(plain, gradients(shape))
    layouts = {
        "channels last": first.clone().contiguous(memory_format=torch.channels_last),
        "permuted": first.permute(3, 1, 0, 2).contiguous().permute(2, 1, 3, 0),
        "strided": torch.empty(6, 4, 5, 6)[..., ::2].copy_(first),
        "expanded memory": torch.empty(12, 4, 5, 3)[::2].copy_(first),
    }
    for name, values in layouts.items():
        for of_gradient in (lambda g: g, lambda g: g.contiguous(memory_format=torch.channels_last), lambda g: g.transpose(0, 1).contiguous().transpose(0, 1)):
            p = torch.nn.Parameter(values.clone(memory_format=torch.preserve_format) if name != "strided" else torch.empty(6, 4, 5, 6)[..., ::2].copy_(first))
            assert p.stride() == values.stride() or name == "expanded memory"
            steps(p, [of_gradient(g) for g in gradients(shape)])
            assert torch.equal(p, plain), name


def test_dither_on_strided_parameters_draws_in_the_order_of_indices() -> None:
    dither = dict(dither=Dither("absolute", level=1.0, shape="constant"))
    plain, strided = torch.nn.Parameter(torch.zeros(40, 7)), torch.nn.Parameter(torch.zeros(40, 14)[:, ::2])
    steps(plain, gradients((40, 7)), **dither)
    steps(strided, gradients((40, 7)), **dither)
    assert torch.equal(plain, strided)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_low_precision_is_the_float32_step_rounded(dtype: torch.dtype) -> None:
    shape = (33, 5)
    first = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(dtype)
    low, wide = torch.nn.Parameter(first.clone()), torch.nn.Parameter(first.float())
    a = signstep.Signum([low], 1e-2)
    b = signstep.Signum([wide], 1e-2)
    for g in gradients(shape):
        low.grad = g.to(dtype)
        wide.grad = g.to(dtype).float()
        with torch.no_grad():
            wide.copy_(low.float())
        a.step()
        b.step()
        assert torch.equal(low, wide.to(dtype))
    assert a.state[low]["m"].dtype == torch.float32
    assert bits([a.state[low]["m"]]) == bits([b.state[wide]["m"]])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_master_weights_take_the_float32_walk(dtype: torch.dtype) -> None:
    first = torch.randn(50, generator=torch.Generator().manual_seed(0)).to(dtype)
    low, wide = torch.nn.Parameter(first.clone()), torch.nn.Parameter(first.float())
    a = signstep.Signum([low], 1e-5, low_precision="master")
    b = signstep.Signum([wide], 1e-5)
    for g in gradients((50,), 200):
        low.grad, wide.grad = g.to(dtype), g.to(dtype).float()
        a.step()
        b.step()
    assert torch.equal(a.state[low]["master"], wide)
    assert torch.equal(low, wide.to(dtype))
    assert not torch.equal(low, first)


def test_stochastic_rounding_keeps_small_steps_on_the_average_and_repeats() -> None:
    def walk(low_precision: str, seed: int = 3):
        p = torch.nn.Parameter(torch.ones(20000, dtype=torch.bfloat16))
        optimizer = signstep.SignSGD([p], 1e-4, 0, decoupled_weight_decay=0, low_precision=low_precision, seed=seed)
        for _ in range(20):
            p.grad = torch.ones(20000, dtype=torch.bfloat16)
            optimizer.step()
        return p.detach().float()

    assert torch.equal(walk("nearest"), torch.ones(20000))  # 1e-4 is below half of bfloat16's 2^-8 there
    seen = walk("stochastic")
    # A step of 1e-4 on a grid of 2^-8 below 1: the mean is 1 - 20e-4, its standard error below 2^-8 sqrt(20) / 2 / sqrt(20000).
    assert abs(seen.mean().item() - (1 - 20e-4)) < 5 * 2**-8 * 20**0.5 / 2 / 20000**0.5
    assert torch.equal(seen, walk("stochastic"))
    assert not torch.equal(seen, walk("stochastic", seed=4))


def test_stochastic_rounding_is_a_neighbour_and_leaves_what_is_exact() -> None:
    from signstep._rounding import round_stochastically

    x = torch.randn(5000, generator=torch.Generator().manual_seed(0)) * torch.logspace(-9, 4.8, 5000)
    x[:4] = torch.tensor([0.0, -0.0, float("inf"), float("nan")])
    for dtype in (torch.float16, torch.bfloat16):
        seen = round_stochastically(x, dtype, 1, 2, 3)
        exact = x.to(dtype)
        assert torch.equal(round_stochastically(exact.float()[4:], dtype, 1, 2, 3), exact[4:])
        assert seen[2] == float("inf") and seen[3].isnan() and torch.isfinite(seen[4:]).all()
        step = torch.maximum((torch.nextafter(exact, torch.full_like(exact, float("inf"))).float() - exact.float()).abs(),
                             (torch.nextafter(exact, torch.full_like(exact, -float("inf"))).float() - exact.float()).abs()) if dtype == torch.bfloat16 else None
        if step is not None:
            assert ((seen.float() - x).abs()[4:] <= step[4:]).all()
        assert (seen[4:] != exact[4:]).any()


def test_gradients_that_cannot_be_are_refused_before_anything_moves() -> None:
    dense, sparse = torch.nn.Parameter(torch.zeros(3)), torch.nn.Embedding(5, 2, sparse=True)
    optimizer = signstep.Signum([dense, sparse.weight])
    sparse(torch.tensor([1])).sum().backward()
    dense.grad = torch.ones(3)
    with pytest.raises(TypeError, match="parameter 1 has a sparse gradient"):
        optimizer.step()
    assert torch.equal(dense, torch.zeros(3)) and not optimizer.state[dense]


def test_a_parameter_without_a_gradient_sits_out() -> None:
    one, other = torch.nn.Parameter(torch.ones(3)), torch.nn.Parameter(torch.ones(3))
    optimizer = signstep.Signum([one, other], 0.1)
    other.grad = torch.ones(3)
    optimizer.step()
    assert torch.equal(one, torch.ones(3)) and not torch.equal(other, torch.ones(3))
    assert not optimizer.state[one]


def test_a_parameter_may_be_moved_to_another_type_or_layout_in_a_run() -> None:
    layer = torch.nn.Conv2d(4, 6, 3)
    optimizer = signstep.Signum(layer.parameters(), 1e-2)
    reference = torch.nn.Conv2d(4, 6, 3)
    reference.load_state_dict(layer.state_dict())
    other = signstep.Signum(reference.parameters(), 1e-2)
    for t in range(6):
        if t == 3:
            layer.to(memory_format=torch.channels_last)
        for p, q in zip(layer.parameters(), reference.parameters()):
            q.grad = torch.randn(q.shape, generator=torch.Generator().manual_seed(t))
            p.grad = q.grad.clone()
        optimizer.step()
        other.step()
    assert all(torch.equal(p, q) for p, q in zip(layer.parameters(), reference.parameters()))


def test_autograd_notices_that_a_saved_value_was_stepped() -> None:
    p = torch.nn.Parameter(torch.ones(3))
    optimizer = signstep.Signum([p], 0.1)
    loss = (p * p).sum()
    p.grad = torch.ones(3)
    optimizer.step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize("dither", [None, Dither("maximum")])
@pytest.mark.parametrize("shape", [(5, 6), (3, 6), (6, 4), (24,), (3_000_000,)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_a_parameter_of_another_shape_is_refused_before_anything_moves(dtype: torch.dtype, shape, dither) -> None:
    other, p = torch.nn.Parameter(torch.ones(3)), torch.nn.Parameter(torch.ones(4, 6, dtype=dtype))
    optimizer = signstep.Signum([other, p], 0.1, dither=dither, total_steps=9)
    for shape_now in ((4, 6), shape):
        p.data = torch.ones(shape_now, dtype=dtype)
        other.grad, p.grad = torch.ones(3), torch.ones(shape_now, dtype=dtype)
        before = other.detach().clone()
        if shape_now == (4, 6):
            optimizer.step()
            continue
        with pytest.raises(ValueError, match=r"the m of a parameter is of shape \(4, 6\) and the parameter, which has changed"):
            optimizer.step()
    assert torch.equal(other, before) and torch.equal(p, torch.ones(shape, dtype=dtype))
    del optimizer.state[p]  # as the message says
    optimizer.step()
    assert optimizer.state[p]["m"].shape == shape


def test_master_weights_of_another_shape_are_refused() -> None:
    p = torch.nn.Parameter(torch.ones(4, 6, dtype=torch.bfloat16))
    optimizer = signstep.SignSGD([p], 0.1, 0, low_precision="master")
    p.grad = torch.ones_like(p)
    optimizer.step()
    p.data = torch.ones(6, 4, dtype=torch.bfloat16)
    p.grad = torch.ones_like(p)
    with pytest.raises(ValueError, match=r"the master of a parameter is of shape \(4, 6\)"):
        optimizer.step()


def test_master_weights_that_were_cut_are_stepped_in_their_places() -> None:
    p = torch.nn.Parameter(torch.zeros(2, 6, dtype=torch.bfloat16))
    optimizer = signstep.Signum([p], 2.0**-9, decoupled_weight_decay=0, low_precision="master")
    p.grad = torch.ones_like(p)
    optimizer.step()
    p.data = p.data[:, :3].clone()
    for name in ("m", "master"):
        optimizer.state[p][name] = optimizer.state[p][name][:, :3]
    for _ in range(3):
        p.grad = torch.ones_like(p)
        optimizer.step()
    assert torch.equal(p.float(), torch.full((2, 3), -4 * 2.0**-9))


def test_a_parameter_with_the_negative_bit_goes_downhill() -> None:
    p = torch.nn.Parameter(torch.ones(4)._neg_view())
    optimizer = signstep.SignSGD([p], 0.25, 0, decoupled_weight_decay=0)
    p.grad = torch.ones(4)
    optimizer.step()
    assert torch.equal(p.detach() + 0, torch.full((4,), -1.25))


def test_a_wrapper_of_tensors_is_refused_before_others_move() -> None:
    wrapped = pytest.importorskip("torch.testing._internal.two_tensor", reason="this PyTorch has no TwoTensor").TwoTensor
    one, p = torch.nn.Parameter(torch.ones(3)), torch.nn.Parameter(wrapped(torch.ones(4), torch.ones(4)))
    optimizer = signstep.Signum([one, p], 0.1)
    one.grad, p.grad = torch.ones(3), wrapped(torch.ones(4), torch.ones(4))
    with pytest.raises(TypeError, match="a TwoTensor; wanted a tensor with its elements at hand"):
        optimizer.step()
    assert torch.equal(one, torch.ones(3))


def test_an_expanded_parameter_is_refused_before_others_move() -> None:
    a, e = torch.nn.Parameter(torch.ones(3)), torch.nn.Parameter(torch.ones(1).expand(3))
    optimizer = signstep.Signum([a, e], 0.1)
    a.grad, e.grad = torch.ones(3), torch.ones(3)
    with pytest.raises(TypeError, match="is expanded"):
        optimizer.step()
    assert torch.equal(a, torch.ones(3)) and optimizer.report.phase == signstep.StepReport().phase


def test_what_others_write_into_a_parameter_goes_into_its_master_weights() -> None:
    """Where nothing was written the master keeps the bits that bfloat16 cannot hold."""
    p = torch.nn.Parameter(torch.ones(4, dtype=torch.bfloat16))
    optimizer = signstep.SignSGD([p], 2**-10, 0, decoupled_weight_decay=0, low_precision="master")

    def step() -> None:
        p.grad = torch.ones_like(p)
        optimizer.step()

    step()
    step()
    assert torch.equal(optimizer.state[p]["master"], torch.full((4,), 1 - 2**-9))
    with torch.no_grad():
        p[1] = 5.0
        p[2].clamp_(max=0.5)
    step()
    kept = 1 - 3 * 2**-10
    assert optimizer.state[p]["master"].tolist() == [kept, 5 - 2**-10, 0.5 - 2**-10, kept]
    assert p[1].item() == 5.0 and p[2].item() == 0.5  # their steps are below bfloat16's, and kept all the same
