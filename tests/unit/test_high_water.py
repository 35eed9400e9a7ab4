"""How far a registry was seen to come: moved by many at once, and never back."""

from __future__ import annotations

import fcntl
import multiprocessing
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from storage import canonical, high_water
from storage.audit import Head
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
