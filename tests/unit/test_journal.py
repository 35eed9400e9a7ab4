"""The journal in crashes and damage: an exact prefix, or a refusal that says where."""

from __future__ import annotations

import errno
import gc
import multiprocessing
import os
import random
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lab.open_files import open_files
from tinydb import Query, TinyDB

from storage.errors import StoreCorrupt, StoreFull, StorePoisoned, StoreUnsuitable
from storage.fileops import FileOps
from storage.journal import Journal
from storage.tinydb_journal import JournalStorage, open_db

pytestmark = pytest.mark.slow


def fill(path: Path, commits: int = 4) -> list[dict[str, bytes]]:
    """Write some commits; return the table after each, first the empty one."""
    journal = Journal(path)
    states: list[dict[str, bytes]] = [{}]
    for number in range(commits):
        with journal.transaction():
            journal.put("t", f"k{number}", b'{"n":%d}' % number)
            journal.put("t", "last", b'{"n":%d}' % number)
        states.append({key: journal.get("t", key) or b"" for key in journal.keys("t")})
    journal.close()
    return states


def state(path: Path) -> dict[str, bytes]:
    journal = Journal(path)
    try:
        return {key: journal.get("t", key) or b"" for key in journal.keys("t")}
    finally:
        journal.close()


def copy_with(data: bytes, path: Path) -> Path:
    for old in path.parent.glob(f"{path.name}*"):
        old.unlink()
    path.write_bytes(data)
    return path


def test_cut_at_every_byte_leaves_a_committed_prefix(tmp_path: Path) -> None:
    states = fill(tmp_path / "whole")
    data = (tmp_path / "whole").read_bytes()
    seen = []
    for end in range(len(data) + 1):
        found = state(copy_with(data[:end], tmp_path / "cut"))
        assert found in states
        seen.append(states.index(found))
    assert seen == sorted(seen)
    assert seen[-1] == len(states) - 1


def test_a_torn_tail_is_kept_aside_and_recovery_is_final(tmp_path: Path) -> None:
    fill(tmp_path / "whole")
    data = (tmp_path / "whole").read_bytes()
    path = copy_with(data[:-5], tmp_path / "cut")
    journal = Journal(path)
    assert journal.torn
    kept = Path(journal.torn).read_bytes()
    journal.close()
    assert path.read_bytes() + kept == data[:-5]
    again = Journal(path)
    assert not again.torn
    again.close()


def test_every_flipped_byte_is_refused_or_cut_never_believed(tmp_path: Path) -> None:
    states = fill(tmp_path / "whole")
    data = (tmp_path / "whole").read_bytes()
    last_group = data.rindex(b"\nG ") + 1
    chosen = random.Random(7)
    for at in range(len(data)):
        damaged = bytearray(data)
        damaged[at] ^= 1 << chosen.randrange(8)
        path = copy_with(bytes(damaged), tmp_path / "bad")
        if at >= last_group:
            assert state(path) == states[-2]
            continue
        with pytest.raises((StoreCorrupt, StoreUnsuitable)):
            Journal(path)


@pytest.mark.parametrize("is_on", [True, False])
def test_reading_leaves_the_collector_of_garbage_as_it_was(
    tmp_path: Path, is_on: bool
) -> None:
    """It rests meanwhile; a program that found it off ever after would only grow."""
    fill(tmp_path / "j")
    bad = tmp_path / "bad"
    bad.write_bytes(b"no journal at all, and long enough to be looked at\n" * 9)
    was_on = gc.isenabled()
    try:
        (gc.enable if is_on else gc.disable)()
        state(tmp_path / "j")
        assert gc.isenabled() is is_on
        with pytest.raises(StoreUnsuitable):
            Journal(bad)
        assert gc.isenabled() is is_on
    finally:
        (gc.enable if was_on else gc.disable)()


def test_a_store_that_is_refused_leaves_no_file_open(tmp_path: Path) -> None:
    path = tmp_path / "bad"
    path.write_bytes(b"something else, and long enough to be seen as that\n")
    before = open_files()
    for _ in range(3):
        with pytest.raises(StoreUnsuitable):
            Journal(path)
    assert open_files() == before


def test_damage_names_its_offset_and_changes_nothing(tmp_path: Path) -> None:
    fill(tmp_path / "j")
    data = bytearray((tmp_path / "j").read_bytes())
    first_group = data.index(b"G 1")
    data[first_group + 40] ^= 1
    path = copy_with(bytes(data), tmp_path / "bad")
    with pytest.raises(StoreCorrupt) as error:
        Journal(path)
    assert error.value.data["offset"] == first_group
    assert path.read_bytes() == bytes(data)


@pytest.mark.parametrize("zeros", [1, 16, 512, 4096])
def test_zeros_behind_the_end_are_a_torn_tail(tmp_path: Path, zeros: int) -> None:
    states = fill(tmp_path / "j")
    data = (tmp_path / "j").read_bytes()
    assert state(copy_with(data + bytes(zeros), tmp_path / "z")) == states[-1]


def test_compaction_keeps_everything_and_forgets_the_dead(tmp_path: Path) -> None:
    path = tmp_path / "j"
    states = fill(path, commits=50)
    journal = Journal(path)
    before = path.stat().st_size
    journal.compact()
    assert path.stat().st_size < before
    with journal.transaction():
        journal.put("t", "after", b"{}")
    journal.close()
    assert state(path) == {**states[-1], "after": b"{}"}


class Broken(FileOps):
    """Fails one call with an error, after writing some of the bytes."""

    def __init__(self, call: str, code: int) -> None:
        self.call, self.code, self.is_armed = call, code, False

    def _fail(self, call: str) -> None:
        if self.is_armed and call == self.call:
            raise OSError(self.code, os.strerror(self.code))

    def write(self, handle: int, data: bytes) -> None:
        if self.is_armed and self.call == "write":
            super().write(handle, data[: len(data) // 2])
        self._fail("write")
        super().write(handle, data)

    def fsync(self, handle: int) -> None:
        self._fail("fsync")
        super().fsync(handle)

    def rename(self, source: Path, target: Path) -> None:
        self._fail("rename")
        super().rename(source, target)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_changes_nothing_and_passes(tmp_path: Path, code: int) -> None:
    states = fill(tmp_path / "j")
    ops = Broken("write", code)
    journal = Journal(tmp_path / "j", ops=ops)
    ops.is_armed = True
    with pytest.raises(StoreFull), journal.transaction():
        journal.put("t", "new", b"{}")
    assert journal.get("t", "new") is None
    ops.is_armed = False
    with journal.transaction():
        journal.put("t", "later", b"{}")
    journal.close()
    assert state(tmp_path / "j") == {**states[-1], "later": b"{}"}


def test_a_failed_fsync_poisons_until_it_is_opened_again(tmp_path: Path) -> None:
    fill(tmp_path / "j")
    ops = Broken("fsync", errno.EIO)
    journal = Journal(tmp_path / "j", ops=ops)
    ops.is_armed = True
    with pytest.raises(StorePoisoned), journal.transaction():
        journal.put("t", "new", b"{}")
    ops.is_armed = False
    with pytest.raises(StorePoisoned), journal.transaction():
        journal.put("t", "more", b"{}")
    journal.close()
    assert "last" in state(tmp_path / "j")


def test_a_compaction_that_cannot_rename_leaves_the_old_file(tmp_path: Path) -> None:
    states = fill(tmp_path / "j")
    ops = Broken("rename", errno.EIO)
    journal = Journal(tmp_path / "j", ops=ops)
    ops.is_armed = True
    with pytest.raises(StoreFull):
        journal.compact()
    journal.close()
    assert state(tmp_path / "j") == states[-1]


def compact_by_and_by(journal: Journal) -> None:
    while journal.compact_if_worthwhile():
        pass


def test_a_compaction_by_and_by_that_failed_begins_anew_when_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.journal.COMPACT_BYTES", 0)
    fill(tmp_path / "j", commits=2)
    ops = Broken("rename", errno.EIO)
    journal = Journal(tmp_path / "j", ops=ops)
    for number in range(40):
        with journal.transaction():
            journal.put("t", "last", b'{"n":%d}' % number)
    expected = state(tmp_path / "j")
    before = (tmp_path / "j").stat().st_size
    ops.is_armed = True
    with pytest.raises(StoreFull):
        compact_by_and_by(journal)
    assert (tmp_path / "j").stat().st_size == before
    ops.is_armed = False
    compact_by_and_by(journal)
    journal.close()
    assert (tmp_path / "j").stat().st_size < before
    assert state(tmp_path / "j") == expected


def test_a_file_that_is_no_journal_is_refused_untouched(tmp_path: Path) -> None:
    (tmp_path / "j").write_text("something else entirely, and longer than a line")
    with pytest.raises(StoreUnsuitable):
        Journal(tmp_path / "j")
    assert (tmp_path / "j").read_text().startswith("something")


def test_a_network_file_system_is_refused(tmp_path: Path) -> None:
    class Nfs(FileOps):
        def filesystem(self, folder: Path) -> str:
            return "nfs4"

    with pytest.raises(StoreUnsuitable):
        Journal(tmp_path / "j", ops=Nfs())


def test_the_file_is_private(tmp_path: Path) -> None:
    fill(tmp_path / "store" / "j")
    assert (tmp_path / "store" / "j").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "store").stat().st_mode & 0o777 == 0o700


# --- several processes --------------------------------------------------------


def _count(path: Path, times: int) -> None:
    journal = Journal(path)
    for _ in range(times):
        with journal.transaction():
            value = int(journal.get("t", "counter") or b"0")
            journal.put("t", "counter", b"%d" % (value + 1))
    journal.close()


def _consume(path: Path, wins: Path) -> None:
    journal = Journal(path)
    for number in range(60):
        with journal.transaction():
            if journal.get("nonces", str(number)) is not None:
                journal.delete("nonces", str(number))
                with wins.open("a") as log:
                    log.write(f"{number}\n")
    journal.close()


def run_together(target: Callable[..., None], *args: object) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=target, args=args) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0


def test_no_update_of_several_processes_is_lost(tmp_path: Path) -> None:
    run_together(_count, tmp_path / "j", 40)
    assert state(tmp_path / "j") == {"counter": b"120"}


def test_each_nonce_has_one_winner_among_processes(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    with journal.transaction():
        for number in range(60):
            journal.put("nonces", str(number), b"{}")
    journal.close()
    run_together(_consume, tmp_path / "j", tmp_path / "wins")
    wins = (tmp_path / "wins").read_text().split()
    assert sorted(map(int, wins)) == list(range(60))


def test_a_reader_follows_a_compaction_by_another(tmp_path: Path) -> None:
    fill(tmp_path / "j", commits=10)
    one, other = Journal(tmp_path / "j"), Journal(tmp_path / "j")
    other.compact()
    with other.transaction():
        other.put("t", "after", b"{}")
    one.refresh()
    assert one.get("t", "after") == b"{}"
    with one.transaction():
        one.put("t", "mine", b"{}")
    other.refresh()
    assert other.get("t", "mine") == b"{}"
    one.close()
    other.close()


def _write_for_ever(path: Path, acknowledged: Path) -> None:
    journal = Journal(path)
    with acknowledged.open("a", buffering=1) as log:
        for number in range(100_000):
            with journal.transaction():
                journal.put("t", "counter", b"%d" % number)
                journal.put("t", f"k{number % 7}", b"%d" % number)
            log.write(f"{number}\n")


def test_a_killed_writer_loses_nothing_it_was_told_is_safe(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    for round_ in range(3):
        path, log = tmp_path / f"j{round_}", tmp_path / f"log{round_}"
        writer = context.Process(target=_write_for_ever, args=(path, log))
        writer.start()
        while writer.is_alive() and (not log.exists() or log.stat().st_size < 500):
            writer.join(0.01)
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        writer.join(10)
        told = int(log.read_text().split()[-1])
        found = state(path)
        counter = int(found["counter"])
        assert counter in (told, told + 1)
        assert int(found[f"k{counter % 7}"]) == counter


# --- it stays TinyDB ------------------------------------------------------------


@pytest.fixture(params=["ours", "plain"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TinyDB]:
    opened = (
        open_db(tmp_path / "j")
        if request.param == "ours"
        else TinyDB(tmp_path / "j", storage=JournalStorage)
    )
    with opened:
        yield opened


def test_tables_queries_and_searches_work(db: TinyDB) -> None:
    people = db.table("people")
    first = people.insert({"name": "Ann", "age": 31})
    people.insert_multiple([{"name": "Bob", "age": 25}, {"name": "Cem", "age": 40}])
    who = Query()
    assert people.get(doc_id=first) == {"name": "Ann", "age": 31}
    assert [each["name"] for each in people.search(who.age > 30)] == ["Ann", "Cem"]
    people.update({"age": 26}, who.name == "Bob")
    people.upsert({"name": "Dee", "age": 1}, who.name == "Dee")
    people.upsert({"name": "Dee", "age": 2}, who.name == "Dee")
    people.remove(who.name == "Cem")
    assert sorted((e["name"], e["age"]) for e in people) == [
        ("Ann", 31),
        ("Bob", 26),
        ("Dee", 2),
    ]
    assert people.count(who.age < 30) == 2
    assert db.tables() == {"people"}
    db.drop_table("people")
    assert db.table("people").all() == []


def test_changing_a_result_changes_nothing_in_the_store(db: TinyDB) -> None:
    db.insert({"deep": {"list": [1]}})
    db.all()[0]["deep"]["list"].append(2)
    assert db.all() == [{"deep": {"list": [1]}}]


def test_several_changes_are_one_transaction(tmp_path: Path) -> None:
    db = open_db(tmp_path / "j")

    def half_way() -> None:
        with db.storage.transaction():
            db.table("a").insert({"n": 1})
            raise KeyError

    with pytest.raises(KeyError):
        half_way()
    assert db.tables() == set()
    with db.storage.transaction():
        db.table("a").insert({"n": 1})
        db.table("b").insert({"n": 2})
    size = (tmp_path / "j").read_bytes().count(b"\nG ")
    assert db.tables() == {"a", "b"}
    assert size == 1


def test_a_folder_in_its_place_is_named_as_that(tmp_path: Path) -> None:
    with pytest.raises(StoreUnsuitable):
        Journal(tmp_path)


def test_a_file_that_is_let_go_is_nobodys_any_more(tmp_path: Path) -> None:
    """Closed twice, its number may be another file's that was opened meanwhile."""
    closed: list[int] = []

    class Interrupted(FileOps):
        def close(self, handle: int) -> None:
            closed.append(handle)
            super().close(handle)

        def let_go(self, handle: int) -> None:
            self.close(handle)
            raise KeyboardInterrupt

    before = open_files()
    with pytest.raises(KeyboardInterrupt):
        Journal(tmp_path / "new", ops=Interrupted())
    assert len(closed) == len(set(closed)) > 1
    assert open_files() == before
