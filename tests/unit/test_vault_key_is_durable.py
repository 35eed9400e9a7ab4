"""A new key of the vault is on the disk before it seals anything, and none is lost."""

from __future__ import annotations

import fcntl
import os
import stat
import threading
from pathlib import Path

import pytest

from storage.vault import KeyRing, add_key


def test_a_new_key_and_the_name_of_its_file_are_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was sealed with it would never open again after a power cut."""
    path, done = tmp_path / "vault.key", list[str | int]()
    fsync = os.fsync

    def watched(handle: int) -> None:
        status = os.fstat(handle)
        is_folder = stat.S_ISDIR(status.st_mode)
        done.append("its name" if is_folder else status.st_size)
        fsync(handle)

    monkeypatch.setattr(os, "fsync", watched)
    for _ in range(2):
        done.clear()
        add_key(path)
        assert done == [path.stat().st_size, "its name"]


def test_of_two_who_add_a_key_at_once_neither_writes_over_the_other(
    tmp_path: Path,
) -> None:
    path = tmp_path / "vault.key"
    first = add_key(path)
    added: list[str] = []
    thread = threading.Thread(target=lambda: added.append(add_key(path)))
    with path.open("r+b") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive(), "it waits for whoever is at it"
        line = path.read_bytes().replace(first.encode(), b"meanwhile")
        stream.seek(0, os.SEEK_END)
        stream.write(line)
    thread.join(30)
    assert KeyRing.from_file(path).ids == (first, "meanwhile", *added)
