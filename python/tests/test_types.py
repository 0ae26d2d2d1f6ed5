# SPDX-License-Identifier: Apache-2.0
"""The package's type hints, by mypy's strict rules."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import signstep

pytest.importorskip("mypy", reason="mypy is not installed: the type hints are not checked")


def test_type_hints_are_strict(tmp_path: Path) -> None:
    package = Path(signstep.__file__).parent
    assert (package / "py.typed").exists()
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), str(package)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout
