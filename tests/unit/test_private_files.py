"""Files for their owner alone: 0600 in any umask, whole or not at all."""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab.registries import draft

from kiosk.core import private_files
from kiosk.setup import backup
from kiosk.setup.backup import Places
from storage import archive
from storage.fileops import FileOps
from storage.journal import Journal
from storage.tinydb_registry import TinyDbRegistry


@pytest.fixture(autouse=True)
def open_handed() -> Iterator[None]:
    """A person whose files anybody may read."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode(file: Path) -> int:
    return file.stat().st_mode & 0o777


def test_a_new_file_and_its_folders_are_for_their_owner(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b" / "file"
    private_files.create(file, b"one")
    assert (file.read_bytes(), mode(file)) == (b"one", 0o600)
    assert (mode(file.parent), mode(file.parent.parent)) == (0o700, 0o700)


def test_every_folder_that_a_registry_needs_is_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "journal"
    Journal(path).close()
    assert (mode(path.parent), mode(path.parent.parent)) == (0o700, 0o700)


def test_every_folder_that_an_archive_needs_is_for_its_owner(tmp_path: Path) -> None:
    registry = TinyDbRegistry(tmp_path / "journal")
    away = tmp_path / "a" / "b"
    ops = FileOps()
    moved = archive.move(
        registry, registry.evidence, ops, away, before=1.0, draft=draft()
    )
    assert list(moved) == []
    assert (mode(away), mode(away.parent)) == (0o700, 0o700)
    registry.close()


def test_every_folder_that_a_backup_needs_is_for_its_owner(tmp_path: Path) -> None:
    for name in ("kiosk.toml", "vault.key"):
        (tmp_path / name).write_text("")
    places = Places(
        config=tmp_path / "kiosk.toml",
        registry=tmp_path / "journal",
        registry_id="registry-1",
        vault_key=tmp_path / "vault.key",
        templates=tmp_path / "templates",
    )
    TinyDbRegistry(places.registry).close()
    made = tmp_path / "backups" / "of-today"
    backup.back_up(places, made, now=1.0)
    assert (mode(made), mode(made.parent)) == (0o700, 0o700)


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"before")
    with pytest.raises(FileExistsError):
        private_files.create(file, b"after")
    assert file.read_bytes() == b"before"


def test_a_link_to_elsewhere_is_no_new_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        private_files.create(tmp_path / "link", b"one")
    with pytest.raises(OSError, match="link"):
        private_files.opened_to_append(tmp_path / "link")
    assert not (tmp_path / "elsewhere").exists()


def test_what_is_replaced_is_the_old_or_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    private_files.replace(file, b"one")
    private_files.replace(file, b"two")
    assert (file.read_bytes(), mode(file)) == (b"two", 0o600)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        private_files.replace(file, b"three")
    assert file.read_bytes() == b"two"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_what_a_dead_process_left_beside_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / f".file.{os.getpid()}").write_bytes(b"half")
    private_files.replace(tmp_path / "file", b"one")
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_new_file_goes_again_when_writing_it_does_not_end_well(
    tmp_path: Path,
) -> None:
    def write_half() -> None:
        with private_files.created(tmp_path / "file") as stream:
            stream.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert list(tmp_path.iterdir()) == []


def test_little_of_a_large_file_waits_for_the_disk_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else who makes a small file durable just then would wait behind all of it."""
    monkeypatch.setattr(private_files, "_STEP", 20_000)
    durable = [0]

    def fdatasync(handle: int) -> None:
        durable.append(os.fstat(handle).st_size)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    with private_files.created(tmp_path / "file") as stream:
        for _ in range(30):
            stream.write(bytes(9_000))
    durable.append(30 * 9_000)
    waited = [end - begin for begin, end in itertools.pairwise(durable)]
    assert max(waited) < 20_000 + 9_000
    assert (tmp_path / "file").stat().st_size == 30 * 9_000


def test_a_file_that_the_disk_takes_only_half_of_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fdatasync(_handle: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(private_files, "_STEP", 20_000)
    monkeypatch.setattr(os, "fdatasync", fdatasync)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        private_files.create(tmp_path / "file", bytes(30_000))
    assert list(tmp_path.iterdir()) == []


def test_of_several_files_all_or_none_are_there(tmp_path: Path) -> None:
    def write_one_of_two() -> None:
        with private_files.all_or_none() as written:
            private_files.create(tmp_path / "one", b"1")
            written.append(tmp_path / "one")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_one_of_two()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("moment", ["os.fsync", "_Steady", "_make_names_durable"])
def test_what_is_ended_at_any_moment_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    def ends(*_: object) -> None:
        raise KeyboardInterrupt

    if moment.startswith("_"):
        monkeypatch.setattr(private_files, moment, ends)
    else:
        monkeypatch.setattr(moment, ends)
    with pytest.raises(KeyboardInterrupt):
        private_files.create(tmp_path / "file", b"one")
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []
