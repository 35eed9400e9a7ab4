"""How far a registry was seen to come: moved by many at once, and never back."""

from __future__ import annotations

import errno
import fcntl
import multiprocessing
import os
import stat
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from storage import canonical, high_water
from storage.audit import Head
from storage.fileops import FileOps
from storage.high_water import HighWater, HighWaterMark

HASH = "a" * 64
MOVES = 300


def mark_of(folder: Path) -> HighWaterMark:
    return HighWaterMark(folder / "registry.seen", "world")


def head(seq: int) -> Head:
    return Head(seq, HASH)


def seen(folder: Path) -> dict[str, int]:
    return {lane: it.seq for lane, it in mark_of(folder).read().lanes.items()}


def moves(folder: Path, lane: str) -> None:
    """Move a chain of its own on and on, and one that all have."""
    mark = mark_of(folder)
    for seq in range(1, MOVES + 1):
        mark.move({lane: head(seq), "shared": head(seq)}, seq)


Start = Callable[[Path, list[str]], None]


def on_threads(folder: Path, lanes: list[str]) -> None:
    threads = [Thread(target=moves, args=[folder, each]) for each in lanes]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


def in_processes(folder: Path, lanes: list[str]) -> None:
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=moves, args=[folder, each]) for each in lanes]
    for each in processes:
        each.start()
    for each in processes:
        each.join()
        assert each.exitcode == 0


@pytest.mark.parametrize("start", [on_threads, in_processes])
def test_what_many_move_at_once_is_lost_for_none_of_them(
    tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(high_water, "_LONGEST", 2_000)  # it is written anew often
    lanes = [f"lane-{number}" for number in range(4)]
    start(tmp_path, lanes)
    assert seen(tmp_path) == dict.fromkeys([*lanes, "shared"], MOVES)
    assert mark_of(tmp_path).read().covered == MOVES
    assert [each.name for each in tmp_path.iterdir()] == ["registry.seen"]


def test_a_move_that_is_behind_moves_nothing(tmp_path: Path) -> None:
    first, second = mark_of(tmp_path), mark_of(tmp_path)
    first.move({"a": head(1)}, 0)
    second.move({"a": head(9)}, 9)
    first.move({"a": head(2)}, 2)
    assert seen(tmp_path) == {"a": 9}
    assert first.read().covered == 9


def test_a_file_does_not_grow_without_an_end(tmp_path: Path) -> None:
    mark = mark_of(tmp_path)
    for seq in range(1, 2_000):
        mark.move({f"lane-{seq % 64}": head(seq)}, seq)
    assert (tmp_path / "registry.seen").stat().st_size < 80 * 1024
    assert len(seen(tmp_path)) == 64


@pytest.mark.parametrize("torn", [b"\n{", b"\n" + bytes(40), b'\n{"registry":"wor'])
def test_a_line_that_is_not_whole_hides_none_of_the_others(
    tmp_path: Path, torn: bytes
) -> None:
    mark = mark_of(tmp_path)
    mark.move({"a": head(1)}, 1)
    mark.move({"a": head(2)}, 2)
    with (tmp_path / "registry.seen").open("ab") as stream:
        stream.write(torn)
    mark.move({"a": head(2), "b": head(3)}, 3)
    assert seen(tmp_path) == {"a": 2, "b": 3}


def test_what_was_seen_of_a_registry_that_was_put_back_does_not_return(
    tmp_path: Path,
) -> None:
    mark = mark_of(tmp_path)
    mark.move({"a": head(5), "b": head(7)}, 9)
    mark.move({"a": head(6), "b": head(7)}, 9)
    mark.set_back({"a": head(2)}, now=1.0, lost=11)
    mark.move({"a": head(3)}, 0)
    found = mark.read()
    assert found.lanes == {"a": head(3)}
    assert (found.covered, found.set_back_at, found.lost) == (0, 1.0, 11)


def test_the_mark_of_another_registry_is_replaced(tmp_path: Path) -> None:
    HighWaterMark(tmp_path / "registry.seen", "another").move({"a": head(5)}, 5)
    assert seen(tmp_path) == {}
    mark_of(tmp_path).move({"b": head(1)}, 0)
    assert seen(tmp_path) == {"b": 1}


def test_a_file_of_one_line_is_gone_on_with(tmp_path: Path) -> None:
    before = HighWater(registry="world", lanes={"a": head(5)}, covered=5)
    (tmp_path / "registry.seen").write_bytes(canonical.encode(before))
    mark = mark_of(tmp_path)
    assert mark.read() == before
    mark.move({"a": head(6)}, 5)
    assert seen(tmp_path) == {"a": 6}


def test_a_file_that_is_gone_is_written_whole_again(tmp_path: Path) -> None:
    mark = mark_of(tmp_path)
    mark.move({"a": head(1), "b": head(1)}, 1)
    (tmp_path / "registry.seen").unlink()
    mark.move({"a": head(2), "b": head(1)}, 1)
    assert seen(tmp_path) == {"a": 2, "b": 1}


@pytest.mark.parametrize("data", [b"{", bytes(64), b"\n", b"[]", b'{"registry": 5}'])
def test_a_mark_that_cannot_be_read_is_not_taken_for_none(
    tmp_path: Path, data: bytes
) -> None:
    (tmp_path / "registry.seen").write_bytes(data)
    mark = mark_of(tmp_path)
    assert mark.read().lanes == {}
    assert mark.is_damaged
    mark.move({"a": head(1)}, 0)
    assert seen(tmp_path) == {"a": 1}
    mark.read()
    assert not mark.is_damaged, "it was begun anew"


def test_neither_is_one_that_the_system_does_not_give(tmp_path: Path) -> None:
    (tmp_path / "registry.seen").mkdir()
    mark = mark_of(tmp_path)
    mark.read()
    assert mark.is_damaged


@pytest.mark.parametrize("is_begun", [False, True])
def test_a_station_that_begins_has_none_and_is_not_damaged(
    tmp_path: Path, *, is_begun: bool
) -> None:
    if is_begun:  # another process of it is just writing the first
        (tmp_path / "registry.seen").touch()
    mark = mark_of(tmp_path)
    mark.read()
    assert not mark.is_damaged


@pytest.mark.parametrize("size", [64, 64 * 1024], ids=["a line", "written anew"])
def test_a_process_that_stands_still_at_the_file_holds_up_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(high_water, "LOCK_SECONDS", 0.05)
    monkeypatch.setattr(high_water, "_LONGEST", size)
    mark = mark_of(tmp_path)
    mark.move({"a": head(1)}, 0)
    with (tmp_path / "registry.seen").open("rb") as stopped:
        fcntl.flock(stopped, fcntl.LOCK_EX)
        with pytest.raises(TimeoutError):
            mark.move({"a": head(2)}, 0)
        assert seen(tmp_path) == {"a": 1}, "it can be read meanwhile"
    mark.move({"a": head(2)}, 0)
    assert seen(tmp_path) == {"a": 2}


# --- how the file is written ----------------------------------------------------------


def file_of(folder: Path) -> Path:
    return folder / "registry.seen"


def test_it_is_for_the_station_alone_and_nothing_else_is_left(tmp_path: Path) -> None:
    mark = mark_of(tmp_path)
    for seq in (1, 2):
        mark.move({"a": head(seq)}, seq)
        assert stat.S_IMODE(file_of(tmp_path).stat().st_mode) == 0o600
    mark.restart({"a": head(1)})
    assert stat.S_IMODE(file_of(tmp_path).stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["registry.seen"]


def test_one_that_is_only_begun_is_for_the_station_alone_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: int) -> None:
        raise OSError(errno.EIO, "the disk")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError, match="the disk"):
        mark_of(tmp_path).move({"a": head(1)}, 1)
    (there,) = tmp_path.iterdir()
    assert (there.name, there.read_bytes()) == ("registry.seen", b"")
    assert stat.S_IMODE(there.stat().st_mode) == 0o600


def test_what_was_there_stays_until_all_of_the_next_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = mark_of(tmp_path)
    mark.move({"a": head(1)}, 1)
    synced: list[int] = []

    def sync(handle: int) -> None:
        assert seen(tmp_path) == {"a": 1}
        synced.append(os.fstat(handle).st_size)

    monkeypatch.setattr(os, "fsync", sync)
    mark.set_back({"a": head(9)}, now=1.0, lost=0)
    assert synced == [file_of(tmp_path).stat().st_size]
    assert seen(tmp_path) == {"a": 9}


def test_where_nothing_has_moved_nothing_is_written(tmp_path: Path) -> None:
    mark = mark_of(tmp_path)
    mark.move({"a": head(3)}, 5)
    before = file_of(tmp_path).stat()
    for covered in (5, 4):
        mark.move({"a": head(3)}, covered)
        after = file_of(tmp_path).stat()
        assert (after.st_ino, after.st_size) == (before.st_ino, before.st_size)


@pytest.mark.parametrize("is_set_back", [False, True])
def test_a_checkpoint_that_covers_more_moves_it_though_no_chain_has(
    tmp_path: Path, *, is_set_back: bool
) -> None:
    mark = mark_of(tmp_path)
    if is_set_back:
        mark.set_back({}, now=1.0, lost=0)
    mark.move({"a": head(1)}, 0)
    mark.move({"a": head(1)}, 1)
    assert mark_of(tmp_path).read().covered == 1


def test_none_yet_says_nothing(tmp_path: Path) -> None:
    assert mark_of(tmp_path).file == file_of(tmp_path)
    assert not mark_of(tmp_path).is_damaged, "nobody has looked"
    assert mark_of(tmp_path).read() == HighWater(
        registry="world", lanes={}, covered=0, set_back_at=0.0, lost=0
    )
    mark = mark_of(tmp_path)
    mark.set_back({"a": head(1)}, now=7.0, lost=3)
    mark.restart({"a": head(2)})
    assert mark.read() == HighWater(
        registry="world", lanes={"a": head(2)}, covered=0, set_back_at=0.0, lost=0
    )


@pytest.mark.parametrize(("over", "is_anew"), [(0, False), (1, True)])
def test_only_one_that_is_too_long_is_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, over: int, *, is_anew: bool
) -> None:
    mark = mark_of(tmp_path)
    mark.move({"a": head(1)}, 0)
    before = file_of(tmp_path).stat()
    monkeypatch.setattr(high_water, "_LONGEST", before.st_size - over)
    mark.move({"a": head(2)}, 0)
    assert (file_of(tmp_path).stat().st_ino != before.st_ino) is is_anew
    assert seen(tmp_path) == {"a": 2}


@pytest.mark.parametrize("lacking", [1, 5])
def test_a_line_that_the_disk_did_not_take_whole_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacking: int
) -> None:
    """Without its last byte it would be no line, and the mark would not have moved."""
    mark = mark_of(tmp_path)
    mark.move({"a": head(1)}, 0)
    write = os.write
    monkeypatch.setattr(os, "write", lambda to, data: write(to, data[:-lacking]))
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        mark.move({"a": head(2)}, 0)
    monkeypatch.undo()
    mark.move({"a": head(2)}, 0)
    assert seen(tmp_path) == {"a": 2}


def handles() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_no_file_stays_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = mark_of(tmp_path)
    mark.move({"a": head(1)}, 0)
    before = handles()
    for seq in range(2, 9):
        monkeypatch.setattr(high_water, "_LONGEST", 1 if seq % 2 else 64 * 1024)
        mark.move({"a": head(seq)}, 0)
    assert handles() == before


@pytest.mark.parametrize("happens", ["written anew", "removed"])
def test_a_file_that_is_replaced_just_before_its_lock_takes_no_line_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, happens: str
) -> None:
    mark = mark_of(tmp_path)
    mark.move({"a": head(1)}, 0)
    lock = high_water._lock

    def late(handle: int, *, is_shared: bool) -> None:
        monkeypatch.setattr(high_water, "_lock", lock)
        if happens == "removed":
            file_of(tmp_path).unlink()
        else:
            mark_of(tmp_path).move({"b": head(1)}, 0)
        lock(handle, is_shared=is_shared)

    monkeypatch.setattr(high_water, "_lock", late)
    mark.move({"a": head(2)}, 0)
    others = {} if happens == "removed" else {"b": 1}
    assert seen(tmp_path) == {"a": 2, **others}


def test_lines_are_added_by_many_at_once_and_it_is_written_anew_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(high_water, "LOCK_SECONDS", 0.05)
    mark = mark_of(tmp_path)
    mark.move({"a": head(1)}, 0)
    with file_of(tmp_path).open("rb") as adding:
        fcntl.flock(adding, fcntl.LOCK_SH)
        mark.move({"a": head(2)}, 0)
        with pytest.raises(TimeoutError):
            mark.restart({"a": head(9)})
    assert seen(tmp_path) == {"a": 2}


def test_a_commit_is_held_up_for_a_second_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    lock = FileOps.lock

    def waited(ops: FileOps, handle: int, seconds: float, *, is_shared: bool) -> bool:
        waits.append(seconds)
        return lock(ops, handle, seconds, is_shared=is_shared)

    monkeypatch.setattr(FileOps, "lock", waited)
    mark = mark_of(tmp_path)
    mark.move({"a": head(1)}, 0)
    mark.move({"a": head(2)}, 0)
    assert len(waits) == 2
    assert all(0 < each <= 1 for each in waits)


def test_what_cannot_be_read_is_told_to_who_reads_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file_of(tmp_path).write_bytes(b"{")
    mark_of(tmp_path).read()
    assert "high_water.unreadable type=DecodeError" in caplog.text
    file_of(tmp_path).unlink()
    file_of(tmp_path).mkdir()
    mark_of(tmp_path).read()
    assert f"high_water.unreadable errno={errno.EISDIR}" in caplog.text


# --- how much is missing --------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "there", "lost"),
    [
        ({}, {"a": head(3)}, 0),
        ({"a": head(3)}, {"a": head(3)}, 0),
        ({"a": head(3)}, {"a": head(4)}, 0),
        ({"a": head(3)}, {"a": Head(4, "b" * 64)}, 0),
        ({"a": head(3)}, {}, 3),
        ({"a": head(7)}, {"a": head(5)}, 2),
        ({"a": head(7)}, {"a": Head(5, "b" * 64)}, 2),
        ({"a": head(3)}, {"a": Head(3, "b" * 64)}, 1),
        ({"a": head(7), "b": head(2)}, {"a": head(5), "c": head(9)}, 4),
        ({"a": head(3), "b": head(2)}, {"a": Head(3, "b" * 64), "b": head(1)}, 2),
    ],
)
def test_what_was_seen_and_is_not_there_is_counted(
    known: dict[str, Head], there: dict[str, Head], lost: int
) -> None:
    assert high_water.missing(known, there) == lost
