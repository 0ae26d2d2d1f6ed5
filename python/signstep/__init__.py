# SPDX-License-Identifier: Apache-2.0
"""SignSGD, Signum and Lion for PyTorch, with dither and the calibrated switch to SGD.

    optimizer = signstep.Signum(model.parameters(), lr=1e-3)

Equations and their sources: docs/algorithms.md; what is exact: docs/numerics.md; a tour: docs/using-from-python.md.
"""

from signstep import noise
from signstep._cuda import cuda_kernels
from signstep._library import described_options, version
from signstep.distributed import MajorityVote, majority_vote_hook
from signstep.options import Dither, Switch
from signstep.report import StepReport
from signstep.rules import Lion, SignSGD, Signum

__all__ = [
    "Dither",
    "Lion",
    "MajorityVote",
    "SignSGD",
    "Signum",
    "StepReport",
    "Switch",
    "cuda_kernels",
    "described_options",
    "majority_vote_hook",
    "noise",
]
__version__ = version()
