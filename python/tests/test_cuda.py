# SPDX-License-Identifier: Apache-2.0
"""Tensors of a CUDA device by the kernels of libsignstep_cuda.so: on a device, and without one by the library that
runs the same kernels in loops on the CPU (SIGNSTEP_CUDA_EMULATED names it)."""

from __future__ import annotations

import copy
import math
import os
import subprocess
import sys
from typing import Iterator

import pytest
import torch

import signstep
from conftest import bits
from signstep import Dither, Switch, _cuda, _library, _work

SHAPES = [(3, 5, 7), (1,), (4099,), (0,), (16, 8, 3, 3)]

CASES = {
    "signsgd": dict(momentum=0),
    "zero random": dict(momentum=0, zero="random"),
    "relative": dict(dither=Dither()),
    "gradient": dict(dither=Dither("absolute", level=0.7, on="gradient")),
    "post": dict(dither=Dither("absolute", level=0.7, on="post")),
    "mean": dict(dither=Dither("relative", on="mean")),
    "maximum uniform": dict(dither=Dither("maximum", noise="uniform", shape="constant"), zero="plus"),
    "switch": dict(switch=Switch(step=3, blend=3), dither=Dither()),
    "switch by tensor": dict(switch=Switch(step=3, blend=0, scope="tensor", decay="l2")),
}


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A device whose tensors the kernels take."""
    if torch.cuda.is_available():
        assert signstep.cuda_kernels(0) == ""
        yield "cuda"
        return
    assert "SIGNSTEP_CUDA_REQUIRED" not in os.environ, f"no CUDA device: {signstep.cuda_kernels()}"
    if "SIGNSTEP_CUDA_EMULATED" not in os.environ:
        pytest.skip(f"no CUDA device, and SIGNSTEP_CUDA_EMULATED names no library: {signstep.cuda_kernels()}")
    monkeypatch.setenv("SIGNSTEP_CUDA_LIBRARY", os.environ["SIGNSTEP_CUDA_EMULATED"])
    monkeypatch.setattr(_cuda, "DEVICES", ("cpu",))
    _cuda.cuda_kernels.cache_clear()
    yield "cpu"
    _cuda.cuda_kernels.cache_clear()


def parameters_on(device: str, dtype: torch.dtype) -> list[torch.nn.Parameter]:
    torch.manual_seed(5)
    values = [torch.randn(shape).to(dtype) for shape in SHAPES]
    values[4] = values[4].contiguous(memory_format=torch.channels_last)
    return [torch.nn.Parameter(value.to(device)) for value in values]


def step(parameters: list[torch.nn.Parameter], optimizer: torch.optim.Optimizer, generator: torch.Generator) -> None:
    for p in parameters:
        g = torch.randn(p.shape, generator=generator)
        if p.shape == (4099,):
            g[:40] = 0
            g[50] = math.inf
        p.grad = g.to(p.device, p.dtype)
    optimizer.step()


def run(device: str, steps: int, dtype: torch.dtype = torch.float32, **options):
    parameters = parameters_on(device, dtype)
    precision = options.pop("low_precision", "nearest")
    optimizer = signstep.SignSGD(parameters, 1e-2, total_steps=20, seed=2**62 + 11, low_precision=precision, **options)
    generator = torch.Generator().manual_seed(9)
    for _ in range(steps):
        step(parameters, optimizer, generator)
    return parameters, optimizer


def state_bits(parameters, optimizer) -> bytes:
    return bits([array.cpu() for p in parameters for _, array in sorted(optimizer.state[p].items())])


def as_elsewhere(monkeypatch: pytest.MonkeyPatch, device: str) -> None:
    """From here on the emulated device's tensors are the device's alone."""
    if device == "cpu":
        monkeypatch.setattr(_work, "KERNEL_DEVICES", ())


@pytest.mark.parametrize("name", CASES)
def test_a_run_has_the_bits_of_the_cpus(name: str, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cpu, one = run("cpu", 8, **CASES[name])
    as_elsewhere(monkeypatch, device)
    there, other = run(device, 8, **CASES[name])
    assert bits([p.cpu() for p in there]) == bits(cpu)
    assert state_bits(there, other) == state_bits(cpu, one)
    assert other.report == one.report
    assert other.state_dict()["signstep"] == one.state_dict()["signstep"]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("low_precision", ["nearest", "stochastic", "master"])
def test_low_precision_has_the_bits_of_the_cpus(
    dtype: torch.dtype, low_precision: str, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = dict(dtype=dtype, low_precision=low_precision, dither=Dither(), switch=Switch(step=4, blend=2))
    with monkeypatch.context() as without:
        without.setattr(_cuda, "DEVICES", ())
        cpu, one = run("cpu", 8, **options)
    as_elsewhere(monkeypatch, device)
    there, other = run(device, 8, **options)
    # Channels-last weights are stepped in the order of indices on both.
    assert bits([p.float().cpu() for p in there]) == bits([p.float() for p in cpu])
    assert state_bits(there, other) == state_bits(cpu, one)
    assert other.report == one.report


def test_a_run_goes_on_from_the_cpus(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, one = run("cpu", 8, **CASES["switch"])
    half, saved = run("cpu", 4, **CASES["switch"])
    as_elsewhere(monkeypatch, device)
    moved = [torch.nn.Parameter(p.detach().to(device)) for p in half]
    optimizer = signstep.SignSGD(moved, 1e-2, total_steps=20, seed=2**62 + 11, **CASES["switch"])
    optimizer.load_state_dict(copy.deepcopy(saved.state_dict()))
    generator = torch.Generator().manual_seed(9)
    for _ in range(4):  # the gradients that were
        for p in moved:
            torch.randn(p.shape, generator=generator)
    for _ in range(4):
        step(moved, optimizer, generator)
    assert bits([p.cpu() for p in moved]) == bits(whole)
    assert state_bits(moved, optimizer) == state_bits(whole, one)


def test_an_optimizer_is_copied_and_steps(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    as_elsewhere(monkeypatch, device)
    parameters, optimizer = run(device, 3, dither=Dither())
    twins, twin = copy.deepcopy((parameters, optimizer))
    step(parameters, optimizer, torch.Generator().manual_seed(1))
    step(twins, twin, torch.Generator().manual_seed(1))
    assert bits([p.cpu() for p in parameters]) == bits([p.cpu() for p in twins])


def test_a_launch_is_captured_and_replayed(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if device != "cuda":
        pytest.skip("a graph needs a device")
    parameters, optimizer = run(device, 3, momentum=0.9)
    for p in parameters:  # a gradient of another layout is stepped along by a copy, which a replay would not find again
        p.grad = torch.empty_like(p).copy_(p.grad)
    optimizer.step()
    twins, twin = copy.deepcopy((parameters, optimizer))
    (steps,) = optimizer._cuda._steps.values()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        _library.check(
            _library.library.signstep_cuda_launch(steps.handle, torch.cuda.current_stream().cuda_stream)
        )
    for _ in range(2):
        graph.replay()
    torch.cuda.synchronize()
    for _ in range(2):
        for p, q in zip(parameters, twins):
            q.grad = p.grad
        twin.step()
    assert bits([p.cpu() for p in parameters]) == bits([q.cpu() for q in twins])


def test_a_step_is_not_captured(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parameters, optimizer = run(device, 3, momentum=0.9)
    before = bits([p.cpu() for p in parameters])
    if device == "cuda":
        with pytest.raises(RuntimeError, match="outside of one"), torch.cuda.graph(torch.cuda.CUDAGraph()):
            optimizer.step()
    else:
        with monkeypatch.context() as capturing, pytest.raises(RuntimeError, match="outside of one"):
            capturing.setattr(torch.cuda, "is_initialized", lambda: True)
            capturing.setattr(torch.cuda, "is_current_stream_capturing", lambda: True)
            optimizer.step()
    assert bits([p.cpu() for p in parameters]) == before and optimizer._core.steps == 3
    optimizer.step()
    assert bits([p.cpu() for p in parameters]) != before


def test_a_step_is_of_the_current_stream(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if device != "cuda":
        pytest.skip("a stream needs a device")
    p = torch.nn.Parameter(torch.zeros(1 << 20, device=device))
    optimizer = signstep.SignSGD([p], 1.0, 0, decoupled_weight_decay=0)
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        torch.cuda._sleep(50_000_000)  # the gradient is late, and the step after it
        p.grad = torch.ones_like(p)
        optimizer.step()
    torch.cuda.synchronize()
    assert torch.equal(p.detach(), torch.full_like(p, -1.0))


def test_autograd_sees_the_change(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    as_elsewhere(monkeypatch, device)
    p = torch.nn.Parameter(torch.ones(5, device=device))
    square = (p * p).sum()
    p.grad = torch.ones_like(p)
    signstep.SignSGD([p], 0.1, 0).step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        square.backward()


def test_float64_goes_by_tensor_operations_beside_the_kernels(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    as_elsewhere(monkeypatch, device)
    wide = torch.nn.Parameter(torch.ones(3, dtype=torch.float64, device=device))
    narrow = torch.nn.Parameter(torch.ones(3, device=device))
    optimizer = signstep.Signum([wide, narrow], 0.5, decoupled_weight_decay=0)
    wide.grad, narrow.grad = torch.ones_like(wide), torch.ones_like(narrow)
    optimizer.step()
    assert wide.tolist() == narrow.tolist() == [0.5] * 3


def test_a_failure_is_told(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    as_elsewhere(monkeypatch, device)
    p = torch.nn.Parameter(torch.ones(3, device=device))
    p.grad = torch.ones_like(p)
    monkeypatch.setitem(_cuda.TYPES, torch.float32, 7)
    with pytest.raises(RuntimeError, match="x_type is 7"):
        signstep.SignSGD([p], 0.1, 0).step()


def test_one_device_is_stepped_without_a_way_through_python(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    as_elsewhere(monkeypatch, device)
    monkeypatch.setattr(_cuda.CudaPasses, "run", None)  # which tensors of several kinds need
    parameters, optimizer = run(device, 3, **CASES["relative"])
    wide = torch.nn.Parameter(torch.ones(3, dtype=torch.float64, device=device))
    optimizer.add_param_group({"params": [wide]})
    wide.grad = torch.ones_like(wide)
    with pytest.raises(TypeError):
        step(parameters, optimizer, torch.Generator().manual_seed(1))


def test_a_library_that_is_not_there_is_named() -> None:
    environment = {**os.environ, "SIGNSTEP_CUDA_LIBRARY": "/nowhere/libsignstep_cuda.so"}
    command = [sys.executable, "-c", "import signstep; print(signstep.cuda_kernels())"]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert "/nowhere/libsignstep_cuda.so" in told


def told_with_code(code: str, script: str) -> str:
    """What a program says where the loops' device answers the question for kernels with a code of CUDA's."""
    library = os.environ.get("SIGNSTEP_CUDA_EMULATED")
    if library is None:
        pytest.skip("SIGNSTEP_CUDA_EMULATED names no library, so no device refuses")
    environment = {**os.environ, "SIGNSTEP_CUDA_LIBRARY": library, "SIGNSTEP_EMULATED_CODE": code}
    return subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    ).stdout


def test_a_device_that_nothing_was_compiled_for_is_named() -> None:
    told = told_with_code("209", "import signstep; print(signstep.cuda_kernels() == '', signstep.cuda_kernels(0))")
    assert told.startswith("True the CUDA kernels cannot run on device 0, of sm_61")


def test_memory_that_ran_out_is_no_answer() -> None:
    script = """
import os, signstep
try:
    print(signstep.cuda_kernels(0))
except RuntimeError as error:
    print(error)
os.unsetenv("SIGNSTEP_EMULATED_CODE")
print(signstep.cuda_kernels(0) == "")
"""
    failed, later = told_with_code("2", script).splitlines()
    assert failed.startswith("CUDA failed at loading the kernels on device 0: out of memory (code 2)")
    assert later == "True"
