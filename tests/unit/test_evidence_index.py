"""An index that is made anew has nothing of the one before, also of one that died."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from storage.evidence_index import EvidenceIndex

SHA256 = "ab" * 32


@pytest.fixture
def died(tmp_path: Path) -> Path:
    """A folder whose index was left as a killed process leaves it."""
    running, folder = tmp_path / "running", tmp_path / "died"
    running.mkdir()
    index = EvidenceIndex(running)
    index.add(1, SHA256, [])
    shutil.copytree(running, folder)
    index.close()
    return folder


def test_what_a_killed_process_had_taken_is_there(died: Path) -> None:
    index = EvidenceIndex(died)
    assert index.covered(1) == SHA256
    index.close()


def test_nothing_of_it_is_there_when_it_was_thrown_away(died: Path) -> None:
    assert (died / "index.sqlite-wal").stat().st_size > 0
    index = EvidenceIndex(died)
    index.make_anew()
    assert list(died.iterdir()) == []
    assert index.covered(1) is None
    index.close()
