"""The service fuzzed from its own document, by another run of pytest.

What is to be asked is worked out when such tests are gathered, which takes seconds:
that is not for every worker of every run. `the_document_fuzzed` has the tests.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.long, pytest.mark.slow]

TESTS = Path(__file__).with_name("the_document_fuzzed.py")
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("asked_by", "at_least"), [("a_station", 30), ("nobody", 25)], ids=str
)
def test_whatever_the_document_allows_is_answered_as_it_says(
    asked_by: str, at_least: int
) -> None:
    options = ["-o", "addopts=", "--import-mode=importlib", "-p", "no:randomly", "-q"]
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            *options,
            "-k",
            f"test_{asked_by}",
            str(TESTS),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    told = re.search(r"(\d+) passed", run.stdout)
    assert told is not None
    assert int(told[1]) > at_least, "an operation of the document is not asked"
