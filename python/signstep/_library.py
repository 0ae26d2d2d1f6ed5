# SPDX-License-Identifier: Apache-2.0
"""libsignstep.so and signstep.h's types, by ctypes, which lets other threads run while a function of it does."""

from __future__ import annotations

import ctypes
import json
import os
from typing import Any, Callable

OK, INTERNAL, OPTION, DATA, CHECKPOINT, ENVIRONMENT, CALLBACK = range(7)
M, MAXIMUM = 1, 2
PASS_SIGN, PASS_MEASURE, PASS_SGD = range(3)
PHASES = ("sign", "blend", "sgd")


class Tensor(ctypes.Structure):
    """signstep_tensor."""

    _fields_ = [
        ("x", ctypes.c_void_p),
        ("g", ctypes.c_void_p),
        ("m", ctypes.c_void_p),
        ("maximum", ctypes.c_void_p),
        ("n", ctypes.c_uint64),
        ("lr", ctypes.c_double),
        ("decay", ctypes.c_double),
    ]


class Report(ctypes.Structure):
    """signstep_report."""

    _fields_ = [
        ("nonfinite", ctypes.c_uint64),
        ("first_nonfinite", ctypes.c_uint64),
        ("dither_level", ctypes.c_double),
        ("gamma", ctypes.c_double),
        ("lambda_", ctypes.c_double),
        ("sgd_rate", ctypes.c_double),
        ("phase", ctypes.c_uint32),
        ("has_event", ctypes.c_uint32),
    ]


class Statistics(ctypes.Structure):
    """signstep_statistics."""

    _fields_ = [
        ("finite", ctypes.c_uint64),
        ("nonfinite", ctypes.c_uint64),
        ("nonzero", ctypes.c_uint64),
        ("s_dot_v", ctypes.c_double),
        ("v_dot_v", ctypes.c_double),
        ("u_dot_u", ctypes.c_double),
    ]


class Pass(ctypes.Structure):
    """signstep_pass."""

    _fields_ = [
        (name, ctypes.c_uint32)
        for name in ("kind", "tensor", "arrays", "zero", "dither_on", "noise", "sums", "v_is_m", "sgd_along_g")
    ] + [(name, ctypes.c_double) for name in ("b1", "b2", "lr", "decay_factor", "sigma", "sgd_rate", "l2")]
    _fields_ += [("seed", ctypes.c_uint64), ("step", ctypes.c_uint64), ("rank", ctypes.c_uint32)]


class Draw(ctypes.Structure):
    """signstep_draw."""

    _fields_ = [
        ("seed", ctypes.c_uint64),
        ("step", ctypes.c_uint64),
        ("tensor", ctypes.c_uint32),
        ("rank", ctypes.c_uint32),
    ]


class CudaTensor(ctypes.Structure):
    """signstep_cuda_tensor."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("x", "g", "m", "maximum")),
        ("n", ctypes.c_uint64),
        *((name, ctypes.c_uint32) for name in ("x_type", "g_type", "stochastic")),
    ]


class CudaStep(ctypes.Structure):
    """signstep_cuda_step."""

    _fields_ = [
        ("cuda", ctypes.c_void_p),
        ("tensors", ctypes.c_void_p),
        ("count", ctypes.c_uint64),
        ("stream", ctypes.c_void_p),
        ("rounding", Draw),
    ]


PassesFunction = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(Pass), ctypes.c_uint64, ctypes.POINTER(Statistics)
)


def _load() -> ctypes.CDLL:
    path = os.environ.get("SIGNSTEP_LIBRARY") or os.path.join(os.path.dirname(__file__), "libsignstep.so")
    try:
        return ctypes.CDLL(path)
    except OSError as error:
        raise ImportError(
            f"cannot load {path} ({error}); install the package by pip, import it from build/python, or name a "
            "libsignstep.so in SIGNSTEP_LIBRARY"
        ) from error


library = _load()

_pointer, _size, _u64, _u32, _double = (
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_uint64,
    ctypes.c_uint32,
    ctypes.c_double,
)
_out_text = [ctypes.c_char_p, _size, ctypes.POINTER(_size)]
_arguments: dict[str, list[Any]] = {
    "signstep_set_threads": [_u32],
    "signstep_options": _out_text,
    "signstep_optimizer_new": [ctypes.c_char_p, _u64, ctypes.POINTER(_pointer)],
    "signstep_optimizer_grow": [_pointer, _u64],
    "signstep_optimizer_set_rank": [_pointer, _u32],
    "signstep_optimizer_options": [_pointer, *_out_text],
    "signstep_optimizer_step": [_pointer, _pointer, _u64, PassesFunction, _pointer, ctypes.POINTER(Report)],
    "signstep_optimizer_event": [_pointer, *_out_text],
    "signstep_optimizer_state": [_pointer, *_out_text],
    "signstep_optimizer_restore": [_pointer, ctypes.c_char_p],
    "signstep_pack": [_pointer, _u64, _u32, ctypes.POINTER(Draw), _pointer, ctypes.POINTER(_u64)],
    "signstep_unpack": [_pointer, _u64, _pointer],
    "signstep_apply": [_pointer, _u64, _double, _double, _pointer],
    "signstep_majority": [_pointer, _u64, _u64, _u32, ctypes.POINTER(Draw), _u64, _pointer],
    "signstep_cuda_devices": [ctypes.POINTER(_u32)],
    "signstep_cuda_obstacle": [_u32, *_out_text],
    "signstep_cuda_new": [_u32, ctypes.POINTER(_pointer)],
    "signstep_cuda_set": [_pointer, _pointer, _u64, ctypes.POINTER(Pass), _u64, ctypes.POINTER(Draw)],
    "signstep_cuda_launch": [_pointer, _pointer],
    "signstep_cuda_read": [_pointer, _u64, ctypes.POINTER(Statistics)],
    "signstep_moments_new": [_u64, ctypes.POINTER(_pointer)],
    "signstep_moments_add": [_pointer, _pointer, _u64],
    "signstep_expected_sign": [_u64, _pointer, _pointer, _pointer, _pointer, _double, _pointer],
    "signstep_moments_read": [_pointer, _u64, _pointer, _pointer, _pointer, _pointer],
}
for _name, _types in _arguments.items():
    getattr(library, _name).argtypes = _types
    getattr(library, _name).restype = ctypes.c_int
for _name in ("signstep_optimizer_free", "signstep_moments_free", "signstep_cuda_free"):
    getattr(library, _name).argtypes = [_pointer]
    getattr(library, _name).restype = None
for _name in ("signstep_optimizer_buffers", "signstep_optimizer_run_buffers"):
    getattr(library, _name).argtypes = [_pointer]
    getattr(library, _name).restype = _u32
for _name in ("signstep_optimizer_steps", "signstep_moments_draws"):
    getattr(library, _name).argtypes = [_pointer]
    getattr(library, _name).restype = _u64
library.signstep_threads.argtypes = []
library.signstep_threads.restype = _u32
for _name in ("signstep_version", "signstep_last_error"):
    getattr(library, _name).argtypes = []
    getattr(library, _name).restype = ctypes.c_char_p

cuda_passes = ctypes.cast(library.signstep_cuda_passes, PassesFunction)  # its context is a CudaStep

_errors: dict[int, type[Exception]] = {OPTION: ValueError, DATA: ValueError, CHECKPOINT: ValueError}


def check(code: int) -> None:
    """Raises what a function's code means: ValueError for wrong input, else RuntimeError."""
    if code != OK:
        raise _errors.get(code, RuntimeError)(library.signstep_last_error().decode())


def text_of(function: Callable[..., int], *arguments: Any) -> str:
    """The text that a function of signstep.h writes."""
    needed = _size()
    check(function(*arguments, None, 0, ctypes.byref(needed)))
    text = ctypes.create_string_buffer(needed.value)
    check(function(*arguments, text, needed.value, ctypes.byref(needed)))
    return text.value.decode()


def set_threads(threads: int) -> None:
    if library.signstep_threads() != threads:
        check(library.signstep_set_threads(threads))


def version() -> str:
    text: bytes = library.signstep_version()
    return text.decode()


def described_options() -> list[dict[str, Any]]:
    """Every option of the sign rules with name, group, type, default, unit, what is wanted, and help."""
    options: list[dict[str, Any]] = json.loads(text_of(library.signstep_options))
    return options
