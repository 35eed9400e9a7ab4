"""A system that takes or gives only a part of what is asked for, as it may."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from storage.journal import Journal


def test_all_is_written_and_read_however_little_the_system_takes_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, pread = os.write, os.pread
    monkeypatch.setattr(os, "write", lambda to, data: write(to, bytes(data)[:7]))
    monkeypatch.setattr(os, "pread", lambda of, count, at: pread(of, min(count, 7), at))
    path, value = tmp_path / "journal", b'"%s"' % (b"x" * 100)
    journal = Journal(path)
    for number in range(3):
        with journal.transaction():
            journal.put("t", f"k{number}", value)
    journal.close()
    monkeypatch.undo()
    again = Journal(path)
    assert [again.get("t", f"k{number}") for number in range(3)] == [value] * 3
    again.close()
    monkeypatch.setattr(os, "pread", lambda of, count, at: pread(of, min(count, 7), at))
    again = Journal(path)
    assert [again.get("t", f"k{number}") for number in range(3)] == [value] * 3
    assert not again.torn
    again.close()
