# SPDX-License-Identifier: Apache-2.0
"""What a step works on for one parameter: its values, gradient and state in the type and the order that the step is
computed in, and the way back into the parameter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, MutableMapping, Optional

import torch
from torch import Tensor
from torch.utils import _python_dispatch

from signstep import _cuda, _library
from signstep._rounding import round_stochastically

LOW_PRECISION = ("nearest", "stochastic", "master")
KERNEL_DEVICES = ("cpu",)  # whose memory the kernels take
# Whether it is of a subclass that holds its elements in tensors of its own; PyTorch 2.1 and later.
_is_wrapper: Callable[[object], bool] = getattr(_python_dispatch, "is_traceable_wrapper_subclass", lambda t: False)


def compute_type(dtype: torch.dtype) -> torch.dtype:
    """The type that a parameter's step is computed in and its state is kept in."""
    return torch.float64 if dtype == torch.float64 else torch.float32


def _dense(t: Tensor) -> bool:
    """Whether the elements fill their memory once, in whatever order of dimensions."""
    if t.is_contiguous():
        return True
    expected = 1
    for size, stride in sorted(
        ((size, stride) for size, stride in zip(t.shape, t.stride()) if size != 1), key=lambda pair: pair[1]
    ):
        if stride != expected:
            return False
        expected *= size
    return True


def _same_order(a: Tensor, b: Tensor) -> bool:
    if a.is_contiguous() and b.is_contiguous():
        return True
    return all(size <= 1 or one == two for size, one, two in zip(a.shape, a.stride(), b.stride()))


@dataclass
class Work:
    parameter: Tensor
    x: Tensor  # the parameter itself, or what is rounded into it
    g: Tensor
    m: Optional[Tensor]
    maximum: Optional[Tensor]
    by_kernels: bool
    by_cuda: bool = False  # by the kernels of its device
    stochastic: bool = False  # rounded so by them

    def fill(self, tensor: Any) -> None:
        """Into a signstep_tensor whose rate and decay are there."""
        tensor.n = self.x.numel()
        if not self.by_kernels:
            tensor.x = None
            return
        tensor.x, tensor.g = self.x.data_ptr(), self.g.data_ptr()
        tensor.m = None if self.m is None else self.m.data_ptr()
        tensor.maximum = None if self.maximum is None else self.maximum.data_ptr()

    def fill_cuda(self, tensor: Any) -> None:
        """Into a signstep_cuda_tensor."""
        tensor.x, tensor.g, tensor.n = self.x.data_ptr(), self.g.data_ptr(), self.x.numel()
        tensor.m = None if self.m is None else self.m.data_ptr()
        tensor.maximum = None if self.maximum is None else self.maximum.data_ptr()
        tensor.x_type, tensor.g_type = _cuda.TYPES[self.x.dtype], _cuda.TYPES[self.g.dtype]
        tensor.stochastic = self.stochastic

    @property
    def in_place(self) -> bool:
        """Whether the kernels write into the parameter itself."""
        return (self.by_kernels or self.by_cuda) and (
            self.x is self.parameter or self.x.data_ptr() == self.parameter.data_ptr()
        )

    def finish(self, low_precision: str, seed: int, step: int, number: int) -> None:
        """After a step that was not in place: into the parameter."""
        if self.x.dtype == self.parameter.dtype:
            if self.x.data_ptr() != self.parameter.data_ptr():
                self.parameter.copy_(self.x)
        elif low_precision == "stochastic":
            self.parameter.copy_(round_stochastically(self.x, self.parameter.dtype, seed, step, number))
        else:
            self.parameter.copy_(self.x)


def count_changes(parameters: list[Tensor]) -> None:
    """Tells autograd that the kernels wrote into them."""
    if _increments_many:
        torch.autograd.graph.increment_version(parameters)
        return
    for parameter in parameters:  # writing nothing into a view counts as a change of what it views
        parameter.detach().as_strided((0,), (1,)).zero_()


def _can_increment_many() -> bool:
    try:
        torch.autograd.graph.increment_version([torch.empty(0)])
    except (AttributeError, TypeError, RuntimeError):  # not there, or for one tensor alone
        return False
    return True


_increments_many = _can_increment_many()


def prepare(
    parameter: Tensor,
    gradient: Tensor,
    state: MutableMapping[str, Any],
    low_precision: str,
    buffers: int,
    changed: bool = True,
) -> Work:
    """gradient has the parameter's shape and is dense. The state gets the arrays that buffers asks for, 0 at first, and
    those that it has in the parameter's order and on its device. changed: others may have written into the parameter since
    its last step. ValueError where an array of the state has another shape, TypeError for what cannot be stepped."""
    dtype = compute_type(parameter.dtype)
    if (  # as most are; what is below does the same in twice the time
        parameter.dtype is torch.float32
        and gradient.dtype is torch.float32
        and type(parameter) is torch.nn.Parameter
        and ((by_kernels := parameter.device.type in KERNEL_DEVICES) or _cuda.takes(parameter.device))
        and parameter.is_contiguous()
        and gradient.is_contiguous()
        and not gradient.is_neg()
        and not parameter.is_neg()
    ):
        if "master" in state:  # of when it was float16 or bfloat16; it would undo what comes now
            del state["master"]
        m = _fitted(state, "m", parameter, dtype) if buffers & _library.M else None
        maximum = _fitted(state, "maximum", parameter, dtype) if buffers & _library.MAXIMUM else None
        return Work(parameter, parameter, gradient, m, maximum, by_kernels, not by_kernels)
    if parameter.device.type == "meta" or type(parameter).__name__ == "DTensor" or _is_wrapper(parameter):
        raise TypeError(
            f"a parameter of shape {tuple(parameter.shape)} is "
            f"{'on the meta device' if parameter.device.type == 'meta' else f'a {type(parameter).__name__}'}; wanted a tensor "
            "with its elements at hand: materialise it, or shard nothing (a rule's sums are over a whole tensor)"
        )
    if any(size > 1 and stride == 0 for size, stride in zip(parameter.shape, parameter.stride())):
        raise TypeError(
            f"a parameter of shape {tuple(parameter.shape)} is expanded: several of its elements are one number in memory; "
            "wanted a tensor with its own elements, such as parameter.clone()"
        )
    if "master" in state and (low_precision != "master" or parameter.dtype == dtype):
        del state["master"]
    plain = type(parameter) in (Tensor, torch.nn.Parameter)
    by_kernels = dtype == torch.float32 and parameter.device.type in KERNEL_DEVICES and plain
    by_cuda = not by_kernels and dtype == torch.float32 and plain and _cuda.takes(parameter.device)
    dense = by_kernels or by_cuda  # wanted
    x, g = parameter.detach(), gradient.detach()
    # by the kernels
    rounded = (
        by_cuda and low_precision != "master" and parameter.dtype != dtype and x.is_contiguous() and not x.is_neg()
    )
    if rounded:
        fits = g.dtype in (parameter.dtype, dtype) and g.is_contiguous() and not g.is_neg()
    else:
        if low_precision == "master" and parameter.dtype != dtype:
            x = state["master"] = _master(state.get("master"), x, dtype, changed)
        elif parameter.dtype != dtype or (dense and (not _dense(x) or x.is_neg())):
            x = x.to(dtype, copy=True, memory_format=torch.contiguous_format)
        fits = g.dtype == dtype and (not dense or (_same_order(x, g) and _dense(g) and not g.is_neg()))
    return Work(
        parameter=parameter,
        x=x,
        g=g if fits else torch.empty_like(x).copy_(g),
        m=_fitted(state, "m", x, dtype) if buffers & _library.M else None,
        maximum=_fitted(state, "maximum", x, dtype) if buffers & _library.MAXIMUM else None,
        by_kernels=by_kernels,
        by_cuda=by_cuda,
        stochastic=rounded and low_precision == "stochastic",
    )


def _master(master: Optional[Tensor], x: Tensor, dtype: torch.dtype, changed: bool) -> Tensor:
    """The float32 weights of x: those that were kept, except where x is no longer their rounding, as after
    model.load_state_dict or a clamp."""
    if master is None:
        return x.to(dtype).contiguous()
    _require_shape(master, "master", x)
    master = master.to(x.device)
    if not _dense(master):  # a user's cut
        master = master.contiguous()
    if not changed or torch.equal(master.to(x.dtype), x):
        return master
    return torch.where(master.to(x.dtype) == x, master, x.to(dtype)).contiguous()


def _require_shape(array: Tensor, name: str, x: Tensor) -> None:
    if array.shape != x.shape:
        raise ValueError(
            f"the {name} of a parameter is of shape {tuple(array.shape)} and the parameter, which has changed, of "
            f"{tuple(x.shape)}; change optimizer.state[parameter][{name!r}] alike, or delete optimizer.state[parameter] to "
            "begin it anew"
        )


def _fitted(state: MutableMapping[str, Any], name: str, x: Tensor, dtype: torch.dtype) -> Tensor:
    """state[name] in this type, on x's device and in its order: a module may have been moved or laid out anew."""
    array: Optional[Tensor] = state.get(name)
    if array is not None:
        _require_shape(array, name, x)
    if array is not None and array.device == x.device and array.dtype == dtype and _same_order(array, x):
        return array
    fresh = torch.zeros_like(x, dtype=dtype, requires_grad=False)
    if array is not None:
        fresh.copy_(array)
    state[name] = fresh
    return fresh
