"""Evidence is exported and judged as it is at one moment, while stations go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lab.desk.witnessed import PINS, WitnessedSite, events_of, verdict

from kiosk.authority.proof.verification import evidence_of, verify
from storage import audit
from storage.memory_registry import MemoryRegistry
from storage.records import AuditEvent
from storage.signed_note import NoteKey


class ChainAfterChain(MemoryRegistry):
    """It is read as a database is: a chain, then the next, with time between."""

    meanwhile: dict[str, Callable[[], None]]
    """What happens once, when that chain was read."""

    def audit_events(self, *, lane: str | None = None) -> Iterator[AuditEvent]:
        for each in [lane] if lane else list(self.read(lambda view: view.heads())):
            yield from super().audit_events(lane=each)
            self.meanwhile.pop(each, lambda: None)()


@pytest.fixture(name="store", params=[str, audit.shared_lane])
def _store(request: pytest.FixtureRequest) -> ChainAfterChain:
    store = ChainAfterChain(request.param)
    store.meanwhile = {}
    return store


@pytest.fixture(name="site")
def _site(tmp_path: Path, store: ChainAfterChain) -> WitnessedSite:
    site = WitnessedSite(tmp_path, store)
    site.change("ann", at="lobby")
    return site


def is_registered_and_used(site: WitnessedSite) -> None:
    """The office puts a new card on record, and it is used where its chain is later."""
    guid = site.world.directory.add_account("carl")
    made, puk = site.world.make_card("carl", pin=PINS[0])
    site.world.register("carl", made, puk, account_guid=guid, template="staff")
    site._pins["carl"] = 0
    site.change("carl", at="lobby")


def test_a_card_that_is_new_when_its_record_was_passed_breaks_no_export(
    site: WitnessedSite, store: ChainAfterChain
) -> None:
    store.meanwhile[store.lane_of("kiosk-1")] = lambda: is_registered_and_used(site)
    said = verdict(site.export(), "--key", site.key)
    assert not store.meanwhile, "it has happened"
    assert said.code == 0, said.text
    assert "Password writes: 1" in said.text
    said = verdict(site.export(), "--key", site.key)
    assert said.code == 0, said.text
    assert "Password writes: 2" in said.text


def test_a_card_that_is_new_when_its_record_was_passed_is_no_finding(
    site: WitnessedSite, store: ChainAfterChain
) -> None:
    store.meanwhile[store.lane_of("kiosk-1")] = lambda: is_registered_and_used(site)
    key = NoteKey.read(site.key)
    verified = verify(evidence_of(store), keys=[key])
    assert not store.meanwhile, "it has happened"
    assert verified.is_sound, verified
    assert verified.writes == 1
    assert verify(evidence_of(store), keys=[key]).writes == 2


def test_a_write_that_comes_while_an_extract_is_made_breaks_it_not(
    site: WitnessedSite, store: ChainAfterChain
) -> None:
    """Of a card whose key the extract would have to have, and has not."""
    store.meanwhile[store.lane_of("lobby")] = lambda: site.change("ben", at="lobby")
    file = site.export(station="lobby")
    assert not store.meanwhile, "it has happened"
    said = verdict(file, "--key", site.key)
    assert said.code == 0, said.text
    assert "Password writes: 1" in said.text
    assert len(events_of(site.export(station="lobby"))) > len(events_of(file))
