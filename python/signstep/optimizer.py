# SPDX-License-Identifier: Apache-2.0
"""The torch.optim.Optimizer that all rules are."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import Any, Callable, Iterable, Iterator, Mapping, Optional, TypeVar, Union

import torch
from torch import Tensor

from signstep import _library
from signstep._core import Core
from signstep._cuda import CudaPasses
from signstep._groups import OWN, check_gradient, check_group, rate_and_decay, refuse_shards
from signstep._passes import run_passes
from signstep._state import ARRAYS, SAVED, array_names, check_complete, check_saved, tensors_of
from signstep._work import Work, compute_type, count_changes, prepare
from signstep.options import Dither, Switch, stated
from signstep.report import StepReport

# Tensors, groups, or names with tensors (PyTorch 2.6 and later).
Params = Union[Iterable[Tensor], Iterable[dict[str, Any]], Iterable[tuple[str, Tensor]]]

_Function = TypeVar("_Function", bound=Callable[..., Any])
# torch.compile runs it as it is and goes on behind it: a graph holds no pointers. As PyTorch's own optimizers do it, from
# 2.1 on; torch.compiler.disable is the same, but takes seconds of every program that imports this one.
_outside_graphs: Callable[[_Function], _Function] = getattr(torch, "_disable_dynamo", lambda function: function)


_PRE_HOOKS = "_optimizer_load_state_dict_pre_hooks"  # PyTorch 2.1 and later
_POST_HOOKS = "_optimizer_load_state_dict_post_hooks"
_SAVE_HOOKS = "_optimizer_state_dict_post_hooks"


@contextmanager
def _none_of(owner: Any, hooks: str) -> Iterator[None]:
    """Without these hooks, which have run."""
    own = getattr(owner, hooks, None)
    if own is None:
        yield
        return
    setattr(owner, hooks, type(own)())
    try:
        yield
    finally:
        setattr(owner, hooks, own)


class SignOptimizer(torch.optim.Optimizer):
    """A sign rule with dither and switch. Its subclasses (signstep.rules) say which rule.

    Groups may differ in lr, decoupled_weight_decay, maximize and low_precision, which are read at every step; every
    torch.optim.lr_scheduler works, also after the switch, when SGD runs at Lambda times a group's lr. Groups may be added
    at any time, under Switch(scope="tensor") before the first step. A parameter without a gradient sits the step out; the
    step counts all the same.

    float32 on the CPU is stepped by the kernels of libsignstep.so, all parameters in one call on PyTorch's number of
    threads, without the GIL; on CUDA devices by those of libsignstep_cuda.so where it is (signstep.cuda_kernels), on
    PyTorch's current stream. Other devices and float64 are stepped by tensor operations. float16 and bfloat16 are
    computed in float32 with float32 state, and rounded as low_precision says: "nearest" loses steps below half a unit in
    the last place; "stochastic" keeps them on the average, reproducibly; "master" keeps float32 weights beside them.

    Draws depend on seed, step and a parameter's number over all groups alone: give each optimizer of a program its own
    seed. state_dict() holds all that a run needs to go on bit for bit.
    """

    def __init__(
        self,
        params: Params,
        rule: Mapping[str, Any],
        lr: Union[float, Tensor],
        decoupled_weight_decay: Optional[float],
        zero: str,
        dither: Optional[Dither],
        switch: Optional[Switch],
        seed: int,
        total_steps: int,
        maximize: bool,
        low_precision: str,
        differentiable: bool,
    ) -> None:
        if differentiable:
            raise ValueError(
                "differentiable is True; wanted False, as the derivative of a sign is 0 and the kernels keep no graph"
            )
        self._core = Core(stated({**rule, "zero": zero, "seed": seed, "total_steps": total_steps}, dither, switch), 0)
        if decoupled_weight_decay is None:
            decoupled_weight_decay = self._core.options["decoupled_weight_decay"]
        self._cuda = CudaPasses()
        self._report = StepReport()
        self._written: dict[int, int] = {}  # by a parameter's number: its version after a step from master weights
        self._order: list[Tensor] = []  # the parameters by number, as the last step found them
        defaults = {
            "lr": lr,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "low_precision": low_precision,
        }
        super().__init__(params, defaults)

    @property
    def report(self) -> StepReport:
        """What the last step did."""
        return self._report

    @property
    def options(self) -> dict[str, Any]:
        """The options in force, by the library's names; learning rates and decays are the groups'."""
        own = dict(self._core.options)
        for name in ("learning_rate", "decoupled_weight_decay"):
            own.pop(name)
        return own

    def __repr__(self) -> str:
        """The options that were stated, then the groups as in the base class."""
        name, groups = super().__repr__().split("\n", 1)
        stated = [f"    {key}: {value}" for key, value in self._core.given.items() if key != "optimizer"]
        return "\n".join([name, *stated, groups])

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """As the base class's; a group that is refused is not there afterwards."""
        super().add_param_group(param_group)
        try:
            first = sum(len(group["params"]) for group in self.param_groups[:-1])
            check_group(self.param_groups[-1], len(self.param_groups) - 1, first, self._core.options)
            if self._core.options["dither"] == "relative" or self._core.options["switch_when"] != "never":
                refuse_shards(self.param_groups[-1], first)
            self._core.grow(first + len(self.param_groups[-1]["params"]))
        except BaseException:
            self.param_groups.pop()
            raise
        self._order += self.param_groups[-1]["params"]

    @_outside_graphs
    @torch.no_grad()
    def step(self, closure: Optional[Callable[[], Any]] = None) -> Any:
        """One step. The closure, if any, is called once before it, with autograd on, and its value returned. TypeError
        or ValueError, before anything has moved, for a sparse gradient, one of another shape, and a rate or decay that
        cannot be; RuntimeError within torch.cuda.graph."""
        initialized: bool = torch.cuda.is_initialized()  # type: ignore[no-untyped-call, unused-ignore]
        if initialized and torch.cuda.is_current_stream_capturing():
            raise RuntimeError(
                "optimizer.step() was to be captured into a CUDA graph, whose replays would all be the same step; wanted it "
                "outside of one; capture forward and backward, and step after each replay"
            )
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        works = self._prepare()
        core = self._core
        before = core.steps
        foreign = any(work is not None and not work.by_kernels for work in works)
        _library.set_threads(torch.get_num_threads())
        seed = core.options["seed"]
        cuda = self._cuda.all_on_one(works, seed, before) if foreign else None
        self._report = core.step(
            (lambda passes: self._cuda.run(works, passes, seed, before, run_passes)) if foreign else None, cuda
        )
        stepped = [(i, work) for i, work in enumerate(works) if work is not None]
        count_changes([work.parameter for _, work in stepped if work.in_place])
        precision = [group["low_precision"] for group in self.param_groups for _ in group["params"]]
        for i, work in stepped:
            if not work.in_place:
                work.finish(precision[i], seed, before, i)
            if precision[i] == "master" and not work.parameter.is_inference():
                self._written[i] = work.parameter._version
        return loss

    def _prepare(self) -> list[Optional[Work]]:
        """What each parameter is stepped on, None for one that sits out; all checks are made before the first of them."""
        core, tensors = self._core, self._core.tensors
        order = [p for group in self.param_groups for p in group["params"]]
        if len(order) != len(tensors):
            raise ValueError(
                f"the groups hold {len(order)} parameters, and {len(tensors)} were given; wanted the same ones, as each has its "
                "state and its draws by its number; freeze one by requires_grad_(False) and grad = None, add some by "
                "add_param_group, or make a new optimizer"
            )
        if any(one is not other for one, other in zip(order, self._order)):
            numbers: dict[int, set[int]] = {}
            for i, p in enumerate(self._order):
                numbers.setdefault(id(p), set()).add(i)
            if any(i not in numbers.get(id(p), {i}) for i, p in enumerate(order)):
                raise ValueError(
                    "the parameters are in another order than before; wanted that of their coming, as each has its number in "
                    "the state and in the draws; put groups and parameters back"
                )
            self._order = order  # others in their places, which is their owner's business
        rates = [rate_and_decay(group, i) for i, group in enumerate(self.param_groups)]
        given: list[tuple[Tensor, Optional[Tensor], dict[str, Any], Any]] = []
        for group, (lr, decay) in zip(self.param_groups, rates):
            for p in group["params"]:
                gradient, tensor = p.grad, tensors[len(given)]
                if gradient is not None:
                    check_gradient(p, gradient, len(given))
                tensor.lr, tensor.decay, tensor.n = lr, decay, 0
                given.append((p, gradient, group, tensor))
        buffers = core.buffers()
        works: list[Optional[Work]] = []
        for i, (p, gradient, group, tensor) in enumerate(given):
            work = None
            if gradient is not None and p.numel() > 0:
                if group["maximize"]:
                    gradient = gradient.neg()
                changed = group["low_precision"] != "master" or p.is_inference() or self._written.get(i) != p._version
                work = prepare(p, gradient, self.state[p], group["low_precision"], buffers, changed)
                work.fill(tensor)
            works.append(work)
        return works

    def state_dict(self) -> dict[str, Any]:
        """As the base class's, with the numbers of the state as text under "signstep", and which arrays each parameter has
        under "signstep_arrays"."""
        with _none_of(self, _SAVE_HOOKS):  # they get the whole
            saved = super().state_dict()
        saved[SAVED] = self._core.state()
        saved[ARRAYS] = array_names(self.param_groups, self.state)
        for hook in list(getattr(self, _SAVE_HOOKS, {}).values()):
            changed = hook(self, saved)
            saved = saved if changed is None else changed
        return saved

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes up what state_dict() gave, the groups' rates and decays included. ValueError, and nothing is changed, for
        the state of other parameters, of another optimizer, of options that differ, by name, or without its arrays, and
        ValueError or TypeError for a group that no step could be taken at."""
        for hook in list(getattr(self, _PRE_HOOKS, {}).values()):  # before the base class, which gets a part
            changed = hook(self, state_dict)
            state_dict = state_dict if changed is None else changed
        check_saved(state_dict, self.param_groups)
        core = Core(self._core.given, len(self._core.tensors))
        core.restore(state_dict[SAVED])
        check_complete(state_dict, self.param_groups, core.steps if core.buffers() else 0)
        groups = self._checked_groups(state_dict)
        with _none_of(self, _PRE_HOOKS), _none_of(self, _POST_HOOKS):
            super().load_state_dict({"state": state_dict["state"], "param_groups": groups})
        for parameter, arrays in tensors_of(state_dict, self.param_groups):  # the base class would round them
            self.state[parameter] = arrays
        self._core = core
        self._report = StepReport()
        self._written = {}
        for hook in list(getattr(self, _POST_HOOKS, {}).values()):
            hook(self)

    def _checked_groups(self, saved: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The saved groups, with our own options where they lack some. The library knows nothing of a group's direction and
        rounding, whose draws are the seed's too."""
        groups = [
            {**{name: own[name] for name in OWN if name in own}, **other}
            for own, other in zip(self.param_groups, saved["param_groups"])
        ]
        for i, (own, other) in enumerate(zip(self.param_groups, groups)):
            rate_and_decay(other, i)
            names = ["maximize"]
            if any(compute_type(p.dtype) != p.dtype for p in own["params"]):
                names.append("low_precision")
            for name in names:
                if other.get(name, own[name]) != own[name]:
                    raise ValueError(
                        f"parameter group {i}: {name} is {other[name]!r} in the state dict and {own[name]!r} here; wanted the "
                        f"same; make the optimizer with {other[name]!r}, and set param_groups[{i}][{name!r}] after loading"
                    )
        seed, other_seed = self._core.options["seed"], json.loads(saved[SAVED])["options"].get("seed")
        if seed != other_seed and any(group["low_precision"] == "stochastic" for group in groups):
            raise ValueError(
                f"the state dict is of seed {other_seed}, this optimizer of {seed}; wanted the same, as low_precision "
                "'stochastic' draws; make the optimizer with the saved one's seed"
            )
        return groups

    def __getstate__(self) -> dict[str, Any]:
        base: dict[str, Any] = super().__getstate__()
        return {**base, SAVED: (self._core.given, len(self._core.tensors), self._core.state())}

    def __setstate__(self, state: dict[str, Any]) -> None:
        own = state.get(SAVED)
        super().__setstate__({name: value for name, value in state.items() if name != SAVED})
        self.defaults.pop("differentiable", None)  # the base class's, which a later group would inherit
        if own is not None:  # none where the base class loads a state dict
            options, tensors, numbers = own
            self._core = Core(options, tensors)
            self._core.restore(numbers)
            self._cuda = CudaPasses()
            self._report = StepReport()
            self._written = {}
            self._order = [p for group in self.param_groups for p in group["params"]]
