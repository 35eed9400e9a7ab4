"""The registry's disk fails at every commit of every operation."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from lab.histories import STORIES, History, Story

from kiosk.simulation.world import World
from kiosk.visit.views import Outcome
from storage.fileops import FileOps
from storage.tinydb_registry import TinyDbRegistry

by_story = pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)


class FailingDisk(FileOps):
    """Fails its n-th write from when it is armed, and every later one until healed."""

    def __init__(self, code: int) -> None:
        self.code = code
        self.left: int | None = None
        self.writes = 0

    def write(self, handle: int, data: bytes) -> None:
        self.writes += 1
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise OSError(self.code, os.strerror(self.code))
        super().write(handle, data)


def writes_of(story: Story, folder: Path) -> int:
    """How often the operation writes when nothing goes wrong."""
    disk = FailingDisk(errno.ENOSPC)
    history = History(story, TinyDbRegistry(folder / "whole", ops=disk))
    before = 0

    def count(world: World) -> None:
        nonlocal before
        before = disk.writes

    history.attempt(count)
    return disk.writes - before


@by_story
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS], ids=errno.errorcode.get)
def test_the_disk_is_full_or_readonly_from_any_commit_on(
    story: Story, code: int, tmp_path: Path
) -> None:
    for at in range(writes_of(story, tmp_path)):
        disk = FailingDisk(code)
        history = History(story, TinyDbRegistry(tmp_path / f"r{at}", ops=disk))

        def arm(world: World, disk: FailingDisk = disk, at: int = at) -> None:
            disk.left = at

        result = history.attempt(arm)
        if result is not None:
            assert result.outcome is not Outcome.DONE
        disk.left = None
        history.look()
        history.assert_invariants(result)
        history.come_home()
        assert history.is_in_step(), f"the disk failed at write {at}"
        history.world.registry.close()


@by_story
def test_a_history_on_the_journal_is_the_history_in_memory(
    story: Story, tmp_path: Path
) -> None:
    remembered, durable = History(story), History(story, TinyDbRegistry(tmp_path / "r"))
    for history in (remembered, durable):
        history.attempt()
    kinds = [
        [event.kind for event in history.world.registry.audit_events()]
        for history in (remembered, durable)
    ]
    assert kinds[0] == kinds[1]
    assert durable.is_in_step()
