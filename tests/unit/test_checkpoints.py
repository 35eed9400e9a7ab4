"""Checkpoints: when they are signed, and what an older registry is taken for."""

from __future__ import annotations

import logging
import socket
import time
from pathlib import Path

import pytest
from lab.desk.witnessed import WitnessedSite, forget_events, verdict

from kiosk.authority.proof import heads
from kiosk.authority.proof.checkpointed_registry import (
    EVERY_EVENTS,
    CheckpointedRegistry,
)
from kiosk.authority.proof.verification import evidence_of
from kiosk.core.secret import Secret
from storage.audit import Head
from storage.checkpoints import LANE, Checkpoint, SignedCheckpoint
from storage.completeness import judge
from storage.errors import StoreFull
from storage.high_water import HighWaterMark
from storage.memory_registry import MemoryRegistry
from storage.records import AuditDraft, Nonce, NoncePurpose
from storage.registry import Tx
from storage.signed_note import MalformedNote
from storage.tinydb_registry import TinyDbRegistry


@pytest.fixture(name="site")
def _site(tmp_path: Path) -> WitnessedSite:
    """A site with everything covered, by two checkpoints."""
    site = WitnessedSite(tmp_path)
    assert numbers(site) == [1], "the first event is not left for a minute"
    site.registry.checkpoint()
    return site


def happened(site: WitnessedSite, times: int = 1) -> None:
    """Write down that something happened, in one commit."""

    def commit(tx: Tx) -> None:
        for _ in range(times):
            draft = AuditDraft(
                at=site.clock.now(), station="lobby", kind="x", actor="a"
            )
            tx.audit(draft)

    site.registry.run(commit)


def look(site: WitnessedSite) -> None:
    """Read something, as every look at the station's health does."""
    site.registry.read(lambda view: view.count())


def numbers(site: WitnessedSite) -> list[int]:
    return [event.seq for event in site.store.audit_events(lane=LANE)]


# --- when ---------------------------------------------------------------------


def test_what_another_process_has_signed_over_is_not_signed_again(
    site: WitnessedSite,
) -> None:
    """Any number of authorities share a registry; a minute has one checkpoint."""
    other = CheckpointedRegistry(
        site.store,
        vault=site.world.parts.vault,
        clock=site.clock,
        station="kiosk-9",
        mark=HighWaterMark(site.folder / "elsewhere.seen", "world"),
    )
    before = numbers(site)
    for _ in range(12):
        happened(site)
        other.run(
            lambda tx: tx.audit(
                AuditDraft(at=site.clock.now(), station="annex", kind="x", actor="a")
            )
        )
        site.clock.advance(20.0)
        look(site)
        other.read(lambda view: view.count())
    signed = len(numbers(site)) - len(before)
    assert 3 <= signed <= 5, "240 seconds"


def test_a_minute_after_something_happened_a_checkpoint_covers_it(
    site: WitnessedSite,
) -> None:
    happened(site)
    site.clock.advance(59.0)
    look(site)
    assert numbers(site) == [1, 2]
    site.clock.advance(1.0)
    look(site)
    assert numbers(site) == [1, 2, 3]
    newest = SignedCheckpoint.of(heads.newest(site.store)).checkpoint
    assert newest.heads["lobby"].seq == 1


def test_when_nothing_happens_nothing_is_signed(site: WitnessedSite) -> None:
    for _ in range(10):
        site.clock.advance(3600.0)
        look(site)
    assert numbers(site) == [1, 2]


def test_a_thousand_events_are_not_left_for_a_minute(site: WitnessedSite) -> None:
    happened(site, EVERY_EVENTS - 1)
    assert numbers(site) == [1, 2]
    happened(site)
    assert numbers(site) == [1, 2, 3]


def test_what_happened_last_is_covered_when_the_station_closes(
    site: WitnessedSite,
) -> None:
    happened(site)
    site.registry.close()
    assert numbers(site) == [1, 2, 3]


def test_what_a_killed_process_left_uncovered_the_next_one_covers(
    site: WitnessedSite,
) -> None:
    happened(site)
    site.start()
    site.clock.advance(60.0)
    look(site)
    assert numbers(site) == [1, 2, 3]


def test_two_processes_sign_once_for_what_happened(site: WitnessedSite) -> None:
    first = site.registry
    site.start()
    second = site.registry
    happened(site)
    first.idle(site.clock.now())
    site.clock.advance(60.0)
    for each in (first, second):
        each.idle(site.clock.now())
    assert numbers(site) == [1, 2, 3]


def test_after_a_clock_was_ahead_the_newest_is_the_one_that_was_signed_last(
    site: WitnessedSite,
) -> None:
    """Also for an authority on another host, which has seen nothing of it."""
    for ahead in (365 * 86_400.0, -365 * 86_400.0):
        site.clock.set_wall(ahead)
        happened(site)
        site.registry.checkpoint()
    last = site.store.read(lambda view: view.heads())[LANE].seq
    assert heads.newest(site.store).seq == last
    site.mark = HighWaterMark(site.folder / "elsewhere.seen", "world")
    site.start()
    assert site.registry.checkpoint() == last, "it covers everything"


def test_each_checkpoint_names_the_one_before(site: WitnessedSite) -> None:
    for _ in range(3):
        happened(site)
        site.registry.checkpoint()
    links = list(site.store.audit_events(lane=LANE))
    read = [SignedCheckpoint.of(link).checkpoint for link in links]
    assert [each.number for each in read] == [1, 2, 3, 4, 5]
    assert [each.before for each in read[1:]] == [link.hash for link in links[:-1]]


# --- what cannot be done is said, and ends nothing ----------------------------


class Full(MemoryRegistry):
    """A store that has no room for checkpoints."""

    is_full = False

    def run(self, fn):  # type: ignore[no-untyped-def]  # as its base
        def guarded(tx: Tx):  # type: ignore[no-untyped-def]  # whatever fn returns
            before = tx.heads().get(LANE)
            result = fn(tx)
            if self.is_full and tx.heads().get(LANE) != before:
                raise StoreFull(path="registry")
            return result

        return super().run(guarded)


def test_a_checkpoint_that_finds_no_room_ends_no_visit_and_is_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = Full()
    site = WitnessedSite(tmp_path, store)
    before = numbers(site)
    store.is_full = True
    site.clock.advance(60.0)
    with caplog.at_level(logging.ERROR):
        site.change("ann", at="lobby")
    assert "evidence.no_checkpoint" in caplog.text
    store.is_full = False
    site.clock.advance(60.0)
    look(site)
    assert numbers(site) == [*before, before[-1] + 1]


def test_a_mark_that_cannot_be_written_ends_no_visit(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    site = WitnessedSite(tmp_path)
    (tmp_path / "registry.seen").unlink()
    (tmp_path / "registry.seen").mkdir()
    with caplog.at_level(logging.ERROR):
        site.change("ann", at="lobby")
    assert "high_water.not_written" in caplog.text


# --- an older registry than was seen ------------------------------------------


def test_an_older_registry_is_recognised_and_nothing_it_gave_out_counts(
    tmp_path: Path,
) -> None:
    path = tmp_path / "registry.journal"
    site = WitnessedSite(tmp_path, TinyDbRegistry(path))
    code = site.world.release_code("ann")
    nonce = Nonce(
        value=b"n" * 32,
        purpose=NoncePurpose.SIGN_IN,
        bound_to="x",
        station="lobby",
        expires_at=site.clock.now() + 600,
    )
    site.registry.run(lambda tx: tx.issue_nonce(nonce))
    copy = path.read_bytes()
    site.change("ben", at="annex")
    site.registry.close()

    path.write_bytes(copy)
    site.store = TinyDbRegistry(path)
    site.start()

    (event,) = [e for e in site.store.audit_events() if e.kind == "registry.older"]
    assert event.data == {"nonces": "1", "codes": "1"}
    (approval,) = site.registry.read(
        lambda view: view.approvals("credential-ann", limit=9)
    )
    assert approval.spent
    assert isinstance(code, Secret)
    taken = site.registry.run(
        lambda tx: tx.consume_nonce(
            nonce.value,
            purpose=nonce.purpose,
            bound_to="x",
            station="lobby",
            now=site.clock.now(),
        )
    )
    assert not taken
    mark = site.mark.read()
    assert mark.set_back_at == site.clock.now()
    assert mark.lost > 0
    site.store.close()


def test_it_is_said_once_and_the_station_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "registry.journal"
    site = WitnessedSite(tmp_path, TinyDbRegistry(path))
    copy = path.read_bytes()
    site.change("ben", at="annex")
    site.registry.close()
    path.write_bytes(copy)
    for _ in range(3):
        site.store = TinyDbRegistry(path)
        site.start()
        site.registry.close()
    events = TinyDbRegistry(path)
    assert [e.kind for e in events.audit_events()].count("registry.older") == 1
    events.close()


def test_a_registry_that_only_grew_is_no_older_one(site: WitnessedSite) -> None:
    happened(site)
    for _ in range(3):
        site.registry.close()
        site.start()
        happened(site)
    kinds = [event.kind for event in site.store.audit_events()]
    assert "registry.older" not in kinds


def test_another_chain_of_the_same_length_is_an_older_registry(
    site: WitnessedSite,
) -> None:
    happened(site)
    site.registry.close()
    events = list(site.store.audit_events())
    lobby = next(event for event in events if event.station == "lobby")
    forget_events(site.store, events.index(lobby))
    site.store.run(
        lambda tx: tx.audit(AuditDraft(at=1.0, station="lobby", kind="y", actor="b"))
    )
    site.start()
    assert "registry.older" in [event.kind for event in site.store.audit_events()]


@pytest.mark.parametrize("looked_at", ["by a commit", "while idle", "by an export"])
def test_a_registry_that_goes_back_under_a_running_authority_is_noticed_at_once(
    site: WitnessedSite, looked_at: str
) -> None:
    """A standby took over that had not got the last commits."""
    nonce = Nonce(
        value=b"n" * 32,
        purpose=NoncePurpose.OPERATION,
        bound_to="x",
        station="lobby",
        expires_at=site.clock.now() + 100,
    )
    happened(site)
    site.registry.run(lambda tx: tx.issue_nonce(nonce))
    reached = len(list(site.store.audit_events()))
    happened(site, times=2)
    forget_events(site.store, reached)
    if looked_at == "while idle":
        site.registry.idle(site.clock.now())
    elif looked_at == "by an export":
        site.registry.checkpoint()

    def use(tx: Tx) -> bool:
        draft = AuditDraft(at=site.clock.now(), station="lobby", kind="x", actor="a")
        tx.audit(draft)
        return tx.consume_nonce(
            nonce.value,
            purpose=nonce.purpose,
            bound_to="x",
            station="lobby",
            now=site.clock.now(),
        )

    assert not site.registry.run(use), "it may have been used in what was lost"
    happened(site)
    kinds = [event.kind for event in site.store.audit_events()]
    assert kinds.count("registry.older") == 1
    assert site.mark.read().lost == 2


@pytest.mark.parametrize("content", [b"", b'{"registry":"other","lanes":{}}'])
def test_a_mark_that_says_nothing_of_this_registry_accuses_nobody(
    site: WitnessedSite, content: bytes
) -> None:
    happened(site)
    (site.folder / "registry.seen").write_bytes(content)
    site.start()
    kinds = {event.kind for event in site.store.audit_events()}
    assert not kinds & {"registry.older", "registry.unwitnessed"}


def test_where_the_mark_cannot_be_read_nothing_that_was_given_out_counts(
    site: WitnessedSite,
) -> None:
    """Whether an older copy was put back nobody can tell: as if it had been, once."""
    happened(site)
    site.world.release_code("ann")
    (site.folder / "registry.seen").write_bytes(b"{")
    for _ in range(2):
        site.start()
    (approval,) = site.registry.read(
        lambda view: view.approvals("credential-ann", limit=9)
    )
    assert approval.spent
    kinds = [event.kind for event in site.store.audit_events()]
    assert kinds.count("registry.unwitnessed") == 1
    assert "registry.older" not in kinds
    assert site.mark.read().set_back_at == site.clock.now()


def test_the_mark_is_for_its_owner_only(site: WitnessedSite) -> None:
    assert (site.folder / "registry.seen").stat().st_mode & 0o777 == 0o600


def test_an_older_registry_is_another_one_for_who_kept_a_checkpoint(
    tmp_path: Path,
) -> None:
    path = tmp_path / "registry.journal"
    site = WitnessedSite(tmp_path, TinyDbRegistry(path))
    site.registry.checkpoint()
    copy = path.read_bytes()
    site.change("ben", at="annex")
    site.registry.checkpoint()
    kept = site.head
    site.registry.close()
    path.write_bytes(copy)
    site.store = TinyDbRegistry(path)
    site.start()
    for _ in range(3):
        happened(site)
        site.registry.checkpoint()
    assert verdict(site.export(), "--head", kept).code == 1
    site.store.close()


# --- elsewhere ----------------------------------------------------------------


def test_a_syslog_is_told_of_every_checkpoint_when_it_is_signed(
    tmp_path: Path,
) -> None:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listening.bind(str(tmp_path / "log"))
    listening.settimeout(5.0)
    site = WitnessedSite(tmp_path)
    site.tell = lambda event: heads.log_elsewhere(str(tmp_path / "log"), event)
    site.start()
    happened(site)
    site.registry.checkpoint()
    heard = listening.recv(1000).decode()
    listening.close()
    assert heard == f"<85>pin-kiosk: checkpoint {site.head}"
    assert verdict(site.export(), "--head", heard.rpartition(" ")[2]).code == 0


def test_a_syslog_over_udp_gets_a_message_of_rfc_5424(site: WitnessedSite) -> None:
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listening.bind(("127.0.0.1", 0))
    listening.settimeout(5.0)
    event = heads.newest(site.store)
    heads.log_elsewhere(f"127.0.0.1:{listening.getsockname()[1]}", event)
    heard = listening.recv(1000).decode()
    listening.close()
    assert heard.startswith("<85>1 20")
    assert heard.endswith(f" pin-kiosk - - - checkpoint {site.head}")


def test_a_syslog_that_is_not_there_ends_nothing(
    site: WitnessedSite, caplog: pytest.LogCaptureFixture
) -> None:
    site.tell = lambda event: heads.log_elsewhere("/nowhere/log", event)
    site.start()
    happened(site)
    with caplog.at_level(logging.ERROR):
        site.registry.checkpoint()
    assert "evidence.not_told" in caplog.text


# --- the text -----------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n",
        "pin-kiosk/x\ncheckpoint 1\n2026-01-01T10:00:00Z\n",
        "pin-kiosk/x\ncheckpoint 01\n2026-01-01T10:00:00Z\nbefore " + "0" * 64 + "\n",
        "pin-kiosk/x\ncheckpoint 1\nyesterday\nbefore " + "0" * 64 + "\n",
        "pin-kiosk/x\ncheckpoint 1\n2026-01-01T10:00:00Z\nbefore "
        + "0" * 64
        + "\n1 short lobby\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(MalformedNote):
        Checkpoint.read(text)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_a_checkpoint_is_read_the_same_wherever_an_auditor_sits(
    zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Checkpoint(
        origin="pin-kiosk/4f0c1f6a9f3e2b71",
        number=12,
        at=1_795_874_944.0,
        before="5b" * 32,
        heads={"kiosk-1": Head(1234, "8c" * 32)},
    )
    with monkeypatch.context() as there:
        there.setenv("TZ", zone)
        time.tzset()
        text = written.text()
        read = Checkpoint.read(text)
    time.tzset()
    assert text.splitlines()[2] == "2026-11-28T14:09:04Z"
    assert read == written


def test_since_when_events_are_uncovered_is_when_the_first_of_them_was(
    site: WitnessedSite,
) -> None:
    def uncovered() -> tuple[int, float]:
        whole = judge(evidence_of(site.store))
        return whole.uncovered, whole.uncovered_since

    assert uncovered() == (0, 0.0)
    site.clock.advance(5.0)
    first = site.clock.now()
    happened(site)
    site.clock.advance(7.0)
    happened(site)
    assert uncovered() == (2, first)
