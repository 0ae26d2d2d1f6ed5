# SPDX-License-Identifier: Apache-2.0
"""A signstep_optimizer: options, the numbers of the state, and the step on arrays that are given to it."""

from __future__ import annotations

import ctypes
import json
from typing import Any, Callable, Mapping, Optional

from signstep import _library
from signstep._library import check, library, text_of
from signstep.report import StepReport, report_of

# Does passes on tensors that the kernels cannot take: six numbers for each, in the order of Statistics.
Passes = Callable[[list[Any]], list[list[float]]]


class Core:
    """Copied and pickled as a new one with its options and numbers."""

    _handle: Any = None

    def __init__(self, options: Mapping[str, Any], tensors: int) -> None:
        self._handle = ctypes.c_void_p()
        self.given = dict(options)
        check(
            library.signstep_optimizer_new(json.dumps(self.given).encode(), tensors, ctypes.byref(self._handle))
        )
        self.tensors = (_library.Tensor * tensors)()
        self.options: dict[str, Any] = json.loads(text_of(library.signstep_optimizer_options, self._handle))

    def __del__(self) -> None:
        if self._handle:
            library.signstep_optimizer_free(self._handle)

    def __getstate__(self) -> tuple[dict[str, Any], int, str]:
        return self.given, len(self.tensors), self.state()

    def __setstate__(self, kept: tuple[dict[str, Any], int, str]) -> None:
        options, tensors, numbers = kept
        Core.__init__(self, options, tensors)
        self.restore(numbers)

    def grow(self, tensors: int) -> None:
        check(library.signstep_optimizer_grow(self._handle, tensors))
        self.tensors = (_library.Tensor * tensors)()

    def set_rank(self, rank: int) -> None:
        check(library.signstep_optimizer_set_rank(self._handle, rank))

    def buffers(self) -> int:
        buffers: int = library.signstep_optimizer_buffers(self._handle)
        return buffers

    @property
    def steps(self) -> int:
        steps: int = library.signstep_optimizer_steps(self._handle)
        return steps

    def state(self) -> str:
        return text_of(library.signstep_optimizer_state, self._handle)

    def restore(self, state: str) -> None:
        check(library.signstep_optimizer_restore(self._handle, state.encode()))

    def step(self, passes: Optional[Passes], cuda: Optional[_library.CudaStep] = None) -> StepReport:
        """One step over self.tensors, which the caller has filled. Those that the kernels cannot take are stepped by
        passes, or, without a way through Python, as cuda says."""
        failure: list[BaseException] = []

        def called(_: Any, given: Any, count: int, statistics: Any) -> int:
            try:
                assert passes is not None
                for i, sums in enumerate(passes([given[i] for i in range(count)])):
                    finite, nonfinite, nonzero, *products = sums
                    statistics[i] = _library.Statistics(int(finite), int(nonfinite), int(nonzero), *products)
                return 0
            except BaseException as error:  # it must not pass through C
                failure.append(error)
                return 1

        context = None
        if cuda is not None:
            function, context = _library.cuda_passes, ctypes.addressof(cuda)
        else:
            function = _library.PassesFunction() if passes is None else _library.PassesFunction(called)
        report = _library.Report()
        code = library.signstep_optimizer_step(
            self._handle, ctypes.addressof(self.tensors), len(self.tensors), function, context, ctypes.byref(report)
        )
        if failure:
            raise failure[0]
        check(code)
        event = text_of(library.signstep_optimizer_event, self._handle) if report.has_event else None
        return report_of(report, event)
