"""The power goes at any call of a commit, and on disks that say what is not so."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from lab.desk.witnessed import WitnessedSite
from lab.dying import DiesAt, Killed

from storage.fileops import FileOps
from storage.journal import Journal
from storage.tinydb_registry import TinyDbRegistry

COMMITS = 4


def contents(path: Path) -> dict[str, bytes]:
    journal = Journal(path)
    try:
        return {key: journal.get("t", key) or b"" for key in journal.keys("t")}
    finally:
        journal.close()


def commit(journal: Journal, number: int) -> None:
    with journal.transaction():
        journal.put("t", f"k{number % 3}", b'{"n":%d}' % number)
        journal.put("t", "last", b'{"n":%d}' % number)


@pytest.mark.parametrize("half", [False, True], ids=["before", "half way"])
def test_dying_at_any_call_leaves_whole_commits_and_all_that_were_told(
    tmp_path: Path, half: bool
) -> None:
    states: list[dict[str, bytes]] = [{}]
    whole = Journal(tmp_path / "whole")
    for number in range(COMMITS):
        commit(whole, number)
        states.append({key: whole.get("t", key) or b"" for key in whole.keys("t")})
    whole.close()
    for call in range(1, 200):
        path, told = tmp_path / f"j{call}", 0
        ops = DiesAt(call, half=half)
        try:
            journal = Journal(path, ops=ops)
            for number in range(COMMITS):
                commit(journal, number)
                told += 1
            journal.close()
        except Killed:
            ops.is_dead()
        found = contents(path)
        assert found in states[told:], f"call {call}, told of {told}"
        if told == COMMITS:
            assert call > COMMITS, "every call of it was tried"
            return
    pytest.fail("never ended")


class Lying(FileOps):
    """From some moment on, a disk that says it is done and has done nothing."""

    def __init__(self) -> None:
        self.lies = False
        self.safe: dict[int, int] = {}
        """What is really there, by the file's own number."""

    def fsync(self, handle: int) -> None:
        if not self.lies:
            super().fsync(handle)
            _, number, size = self.identity_of(handle)
            self.safe[number] = size

    def power_goes(self, path: Path, chance: random.Random) -> None:
        """Leave what is safe and some of the rest, as it came to the disk."""
        _, number, size = self.identity(path)
        kept = chance.randint(self.safe[number], size - 1)
        with path.open("r+b") as stream:
            stream.truncate(kept)


@pytest.mark.parametrize("seed", range(6))
def test_what_a_disk_has_lost_that_said_it_was_safe_is_noticed(
    tmp_path: Path, seed: int
) -> None:
    """Nobody can bring it back; but nothing that was given out before counts."""
    path, disk = tmp_path / "registry.journal", Lying()
    site = WitnessedSite(tmp_path, TinyDbRegistry(path, ops=disk))
    site.world.release_code("ann")
    disk.lies = True
    site.change("ben", at="annex")
    site.registry.close()
    disk.power_goes(path, random.Random(seed))

    site.store = TinyDbRegistry(path)
    site.start()

    assert [e for e in site.store.audit_events() if e.kind == "registry.older"]
    (approval,) = site.registry.read(
        lambda view: view.approvals("credential-ann", limit=9)
    )
    assert approval.spent
    assert site.mark.read().lost > 0
    site.store.close()
