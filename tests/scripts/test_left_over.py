"""A run leaves nothing in the system's temporary folder, whoever its workers were."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IMPATIENT = """
import xdist.workermanage
xdist.workermanage.NodeManager.EXIT_TIMEOUT = 0.1
pytest_plugins = ["lab.left_over"]
"""
"""What a worker does after its tests may take no longer (seconds)."""
SUITE = """
import time
from lab.left_over import at_the_end, own_folder

def test_one():
    (own_folder("left-") / "file").write_text("much")
    at_the_end(lambda: time.sleep(2))
"""


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_a_folder_goes_with_its_process_however_long_that_takes(
    tmp_path: Path, workers: tuple[str, ...]
) -> None:
    (tmp_path / "test_it.py").write_text(SUITE)
    (tmp_path / "conftest.py").write_text(IMPATIENT)
    there = tmp_path / "there"
    there.mkdir()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-c", "/dev/null", "-p", "xdist"),
            *("-p", "no:cacheprovider", "-p", "no:tmpdir", *workers),
        ],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONPATH": str(ROOT / "tests"),
            "TMPDIR": str(there),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert list(there.iterdir()) == []
