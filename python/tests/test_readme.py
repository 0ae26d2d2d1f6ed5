# SPDX-License-Identifier: Apache-2.0
"""python/README.md's program runs, switches and learns."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.skipif(not README.exists(), reason="no README.md beside the tests")
def test_the_readmes_program(capsys: pytest.CaptureFixture[str]) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.S)
    exec(compile(program, str(README), "exec"), {})
    switched, loss = capsys.readouterr().out.splitlines()
    assert switched.startswith("switched to SGD after step 120")
    assert float(loss.split()[1]) < 0.1
