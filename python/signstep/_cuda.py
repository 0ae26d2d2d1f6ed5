# SPDX-License-Identifier: Apache-2.0
"""The passes of a step on CUDA devices, by the kernels of libsignstep_cuda.so where that and a device are there."""

from __future__ import annotations

import ctypes
from functools import lru_cache
from typing import Any, Callable, Optional, Sequence

import torch

from signstep import _library
from signstep._library import check, library, text_of

DEVICES = ("cuda",)  # PyTorch's, whose memory the kernels take
TYPES = {torch.float32: 0, torch.float16: 1, torch.bfloat16: 2}


@lru_cache(maxsize=None)
def cuda_kernels(device: Optional[int] = None) -> str:
    """"" where tensors of CUDA devices are stepped by the kernels, else why they are stepped by tensor operations. With the
    number of a device also whether the kernels were compiled for it; this takes the device into use, and RuntimeError says
    that it cannot be now, as where memory runs out."""
    if device is not None:
        return text_of(library.signstep_cuda_obstacle, device)
    if library.signstep_cuda_devices(ctypes.byref(ctypes.c_uint32())) == _library.OK:
        return ""
    why: bytes = library.signstep_last_error()
    return why.decode()


def takes(device: torch.device) -> bool:
    return device.type in DEVICES and cuda_kernels(device.index or 0) == ""


class _Steps:
    """A signstep_cuda: the tables of one device's steps."""

    def __init__(self, index: int) -> None:
        self.handle = ctypes.c_void_p()
        check(library.signstep_cuda_new(index, ctypes.byref(self.handle)))

    def __del__(self) -> None:
        if self.handle:
            library.signstep_cuda_free(self.handle)


def _stream(device: torch.device) -> int:
    """The one that PyTorch works in now."""
    stream: int = torch.cuda.current_stream(device).cuda_stream if device.type == "cuda" else 0
    return stream


class CudaPasses:
    """One optimizer's, whose tables are kept from step to step."""

    def __init__(self) -> None:
        self._steps: dict[int, _Steps] = {}
        self._tensors = (_library.CudaTensor * 0)()

    def _steps_of(self, device: torch.device) -> ctypes.c_void_p:
        index = device.index or 0
        if index not in self._steps:
            self._steps[index] = _Steps(index)
        return self._steps[index].handle

    def all_on_one(self, works: Sequence[Any], seed: int, step: int) -> Optional[_library.CudaStep]:
        """What the library needs to do a step's passes by itself, where those works that the CPU's kernels do not take are
        all for the kernels of one device. Good until the next call."""
        device = None
        if len(self._tensors) != len(works):
            self._tensors = (_library.CudaTensor * len(works))()
        for tensor, work in zip(self._tensors, works):
            if work is None or work.by_kernels:
                continue
            if not work.by_cuda or (device is not None and work.x.device != device):
                return None
            device = work.x.device
            work.fill_cuda(tensor)
        if device is None:
            return None
        return _library.CudaStep(
            self._steps_of(device),
            ctypes.addressof(self._tensors),
            len(works),
            _stream(device),
            _library.Draw(seed, step, 0, 0),
        )

    def run(
        self,
        works: Sequence[Any],
        passes: Sequence[Any],
        seed: int,
        step: int,
        others: Callable[[Sequence[Any], Sequence[Any]], list[list[float]]],
    ) -> list[list[float]]:
        """Does passes, all of one kind, works[pass.tensor] being a pass's: launched on every device, those of tensors that
        the kernels cannot take by others(works, passes), and only then waited for."""
        tensors = (_library.CudaTensor * len(works))()
        places: dict[torch.device, list[int]] = {}
        rest = []
        for place, one in enumerate(passes):
            work = works[one.tensor]
            if not work.by_cuda:
                rest.append(place)
                continue
            work.fill_cuda(tensors[one.tensor])
            places.setdefault(work.x.device, []).append(place)
        launched = []
        for device, own in places.items():
            handle = self._steps_of(device)
            given = (_library.Pass * len(own))(*(passes[place] for place in own))
            rounding = _library.Draw(seed, step, 0, 0)
            check(
                library.signstep_cuda_set(
                    handle, ctypes.addressof(tensors), len(works), given, len(own), ctypes.byref(rounding)
                )
            )
            check(library.signstep_cuda_launch(handle, _stream(device)))
            launched.append((handle, own))
        sums: list[list[float]] = [[] for _ in passes]
        if rest:
            for place, seen in zip(rest, others(works, [passes[place] for place in rest])):
                sums[place] = seen
        for handle, own in launched:
            statistics = (_library.Statistics * len(own))()
            check(library.signstep_cuda_read(handle, len(own), statistics))
            for place, s in zip(own, statistics):
                sums[place] = [s.finite, s.nonfinite, s.nonzero, s.s_dot_v, s.v_dot_v, s.u_dot_u]
        return sums
