"""A desk whose registry lacks a file of its evidence: named, and the rest is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lab.desk.office import Office

from kiosk.core.errors import Message
from kiosk.desk.tables import Look
from kiosk.texts import sentence
from storage.tinydb_registry import TinyDbRegistry

pytestmark = pytest.mark.slow


def overwrite(file: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(data[:100] + bytes(len(data) - 100))


SPOILS: dict[str, Callable[[Path], None]] = {
    "missing": Path.unlink,
    "damaged": overwrite,
}


class Spoiled:
    """An office with sealed evidence, of which a file is spoiled."""

    def __init__(self, folder: Path, how: str) -> None:
        registry = TinyDbRegistry(
            folder / "registry.journal", sealing={"living": 1, "batch": 3}
        )
        self.registry = registry
        self.office = Office(registry=registry)
        for name in ("alice", "bob"):
            self.office.person(name)
            self.office.holder(name)
        self.office.sign_in("aaron")
        self.whole = self.events()
        while registry.evidence.seal():
            pass
        first = registry.evidence.segments()[0]
        self.lost = first.events
        self.file = registry.evidence.folder / first.file
        SPOILS[how](self.file)
        self.said = f"evidence_{how}"

    def events(self) -> int:
        return len(list(self.registry.audit_events()))

    def names_it(self) -> bool:
        """Say whether the page names the file, in words."""
        told = [
            line.text
            for line in self.office.page.lines
            if isinstance(line.text, Message) and line.text.key.endswith(self.said)
        ]
        return [each.data["path"] for each in told] == [str(self.file)] and all(
            self.file.name in sentence(each) for each in told
        )

    def rows(self) -> int:
        table = self.office.page.table
        return len(table.rows) if table else 0


@pytest.fixture(name="spoiled", params=SPOILS)
def _spoiled(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Spoiled]:
    spoiled = Spoiled(tmp_path, request.param)
    yield spoiled
    spoiled.registry.close()


def test_the_evidence_shows_what_it_has_and_names_what_it_has_not(
    spoiled: Spoiled,
) -> None:
    spoiled.office.choose("evidence")
    assert spoiled.office.page.name == "evidence"
    assert spoiled.names_it()
    assert spoiled.rows() == spoiled.whole - spoiled.lost


def test_so_does_a_search_in_it(spoiled: Spoiled) -> None:
    spoiled.office.choose("evidence")
    spoiled.office.page = spoiled.office.desk.look(Look(term="bob"))
    assert spoiled.names_it()
    assert spoiled.rows() > 0


def test_a_card_is_found_and_opened_and_its_history_names_the_file(
    spoiled: Spoiled,
) -> None:
    spoiled.office.open("alice")
    assert spoiled.office.page.name == "credential"
    assert spoiled.office.page.title == "Alice Example"
    spoiled.office.choose("history")
    assert spoiled.office.page.name == "history"
    assert spoiled.names_it()


def test_lists_and_the_risk_report_need_no_evidence(spoiled: Spoiled) -> None:
    spoiled.office.choose("risk")
    assert spoiled.office.page.name == "risk"
    assert spoiled.rows() > 0


@pytest.mark.parametrize("which", ["verify", "receipt"])
def test_what_needs_all_of_it_says_what_is_not_there(
    spoiled: Spoiled, which: str, tmp_path: Path
) -> None:
    office = spoiled.office
    office.choose("audit")
    if which == "verify":
        office.choose("verify")
    else:
        office.submit(file=str(tmp_path / "copy.jsonl"))
    assert office.page.name == "audit"
    assert office.page.notice is not None
    assert office.notice.endswith(spoiled.said)
    assert office.page.notice.data["path"] == str(spoiled.file)
    assert spoiled.file.name in sentence(office.page.notice)
    office.back()
    assert office.page.name == "menu"
