# SPDX-License-Identifier: Apache-2.0
"""The package's type hints, by mypy's strict rules; its syntax, by Python 3.9's."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import signstep

PACKAGE = Path(signstep.__file__).parent


@pytest.mark.parametrize("file", sorted(PACKAGE.glob("*.py")), ids=lambda file: file.name)
def test_python_3_9_reads_it(file: Path) -> None:
    ast.parse(file.read_text(encoding="utf-8"), feature_version=(3, 9))


@pytest.mark.skipif(importlib.util.find_spec("mypy") is None, reason="mypy is not installed: the type hints are not checked")
def test_type_hints_are_strict(tmp_path: Path) -> None:
    assert (PACKAGE / "py.typed").exists()
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), str(PACKAGE)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout
