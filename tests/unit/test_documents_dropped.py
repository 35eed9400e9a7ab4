"""A table that is dropped in a transaction: for that one, for others, and undone."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.journal import Journal


def known(journal: Journal) -> dict[str, bytes | None]:
    journal.look()
    return {key: journal.get("t", key) for key in journal.keys("t")}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    journal = Journal(tmp_path / "journal")
    with journal.transaction():
        for key in "abc":
            journal.put("t", key, b"1")
        journal.put("other", "a", b"1")
    journal.close()
    return journal.path


def test_who_drops_it_sees_only_what_came_afterwards(path: Path) -> None:
    journal, other = Journal(path), Journal(path)
    with journal.transaction():
        journal.put("t", "d", b"2")
        journal.drop("t")
        assert journal.keys("t") == []
        assert [journal.get("t", key) for key in "abcd"] == [None] * 4
        assert journal.size("t") == 0
        assert journal.tables() == {"other"}
        journal.put("t", "b", b"3")
        assert known(journal) == {"b": b"3"}
        assert known(other).keys() == set("abc")
    again = Journal(path)
    for each in (journal, other, again):
        assert known(each) == {"b": b"3"}
        assert each.get("other", "a") == b"1"
        each.close()


def test_what_is_undone_is_there_again(path: Path) -> None:
    journal = Journal(path)

    def half_way() -> None:
        with journal.transaction():
            journal.drop("t")
            journal.put("t", "b", b"3")
            raise KeyError

    with pytest.raises(KeyError):
        half_way()
    assert known(journal) == dict.fromkeys("abc", b"1")
    with journal.transaction():
        assert known(journal) == dict.fromkeys("abc", b"1")
    journal.close()
