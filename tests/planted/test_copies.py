"""What `planted.copies.run` says of tests that fail, hang or leave somebody behind."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from planted.bugs import ROOT

_TESTS = """
import os, time

def test_passes(): pass
def test_fails(): raise AssertionError
def test_hangs(): time.sleep(1000)

def test_fails_and_leaves_a_fork():
    if not os.fork():
        time.sleep(20)
        os._exit(0)
    raise AssertionError
"""
_RUNS = """
import json, sys
from pathlib import Path
from msgspec.structs import asdict
from planted.copies import run
copy, test, limits = sys.argv[1:]
told = run(Path(copy), [f"test_it.py::{test}"], **json.loads(limits))
print(json.dumps(asdict(told)))
"""


def _told(folder: Path, test: str, **limits: int) -> dict[str, object]:
    (folder / "test_it.py").write_text(_TESTS, "utf-8")
    shutil.copy(ROOT / "pyproject.toml", folder)
    said = subprocess.run(
        [sys.executable, "-c", _RUNS, str(folder), test, json.dumps(limits)],
        cwd=ROOT / "tests",
        check=True,
        capture_output=True,
        timeout=100,
    )
    told: dict[str, object] = json.loads(said.stdout)
    return told


def test_a_test_that_passes_is_sound(tmp_path: Path) -> None:
    told = _told(tmp_path, "test_passes", seconds=90)
    assert (told["code"], told["failed"], told["broken"]) == (0, "", "")


@pytest.mark.parametrize("test", ["test_fails", "test_fails_and_leaves_a_fork"])
def test_a_test_that_fails_is_named(tmp_path: Path, test: str) -> None:
    told = _told(tmp_path, test, seconds=90)
    assert (told["failed"], told["broken"]) == (f"test_it.py::{test}", "")


def test_a_test_that_hangs_fails_after_its_seconds(tmp_path: Path) -> None:
    told = _told(tmp_path, "test_hangs", seconds=90, test_seconds=1)
    assert (told["failed"], told["hung"]) == ("test_it.py::test_hangs", False)


def test_tests_that_hang_are_ended_after_all_their_seconds(tmp_path: Path) -> None:
    told = _told(tmp_path, "test_hangs", seconds=3)
    assert (told["hung"], told["broken"]) == (True, "ended after 3 s")
