"""What cannot run here is named and counted apart; under CI it fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_PLUGINS = ("-p", "no:cacheprovider", "-p", "no:schemathesis", "-p", "xdist")
"""Of those that are installed, what these runs need: the others take seconds."""
SUITE = """
import pytest
from lab.not_run import not_run

pytest_plugins = ["lab.not_run"]

@pytest.fixture(scope="session")
def reader():
    raise not_run("no reader: buy one")

def test_one(reader): pass
def test_two(reader): pass
def test_three(): pass
def test_four(): pytest.skip("on purpose")
"""


def run(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_parts.py").write_text(SUITE)
    surroundings = {key: value for key, value in os.environ.items() if key != "CI"}
    return subprocess.run(
        [sys.executable, "-m", "pytest", *_PLUGINS, "-c", "/dev/null"],
        cwd=folder,
        env={
            **surroundings,
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONPATH": str(ROOT / "tests"),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_is_missing_is_named_with_its_tests_and_counted_apart(
    tmp_path: Path,
) -> None:
    done = run(tmp_path)
    assert done.returncode == pytest.ExitCode.OK
    lines = [line.strip() for line in done.stdout.splitlines()]
    assert "2 tests: no reader: buy one" in lines
    assert "2 test_parts.py" in lines
    for counted in ("1 passed", "1 skipped", "2 not run"):
        assert counted in lines[-1]


@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_under_ci_it_is_a_failure(tmp_path: Path, workers: tuple[str, ...]) -> None:
    done = run(tmp_path, CI="true", PYTEST_ADDOPTS=" ".join(workers))
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "no reader: buy one" in done.stdout
    assert "2 errors" in done.stdout
