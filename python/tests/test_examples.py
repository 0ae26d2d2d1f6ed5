# SPDX-License-Identifier: Apache-2.0
"""The examples run to their end with every method, and learn what they are given."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
METHODS = ["adamw", "lion", "signum", "dithered-switch"]
pytestmark = pytest.mark.skipif(not EXAMPLES.exists(), reason="no examples beside the tests")


def run(name: str, *arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_cifar10_resnet18(tmp_path: Path) -> None:
    """Ten classes of one grey level each."""
    for name, records in (("data_batch_1.bin", 40), ("test_batch.bin", 20)):
        (tmp_path / name).write_bytes(b"".join(bytes([i % 10]) + bytes([25 * (i % 10)]) * 3072 for i in range(records)))
    out = run("cifar10_resnet18.py", "--data", tmp_path, "--width", 8, "--batch", 10, "--epochs", 3)
    assert re.findall(r"^(\S+): epoch 3, loss [0-9.]+, test [0-9.]+ %$", out, re.M) == METHODS
    assert out.count("switched to SGD after step 7") == 1
    assert "wanted the folder" in subprocess.run(
        [sys.executable, str(EXAMPLES / "cifar10_resnet18.py"), "--data", str(tmp_path / "none")], capture_output=True, text=True
    ).stderr


def test_small_gpt(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("abcdefgh" * 200)
    sizes = ("--steps", 60, "--batch", 8, "--context", 16, "--width", 16, "--layers", 1, "--heads", 2)
    out = run("small_gpt.py", "--text", text, *sizes)
    seen = re.findall(r"^(\S+): step 60, loss [0-9.]+, held out ([0-9.]+) bits a byte$", out, re.M)
    assert [method for method, _ in seen] == METHODS
    assert all(float(bits) < 7.5 for _, bits in seen)  # 8 is what an untrained one has
