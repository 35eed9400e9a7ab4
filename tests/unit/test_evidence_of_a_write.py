"""What a write says of itself is what the card signed for: nothing of it may differ."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from lab.histories import PASSWORD_BEFORE, STORIES, History
from msgspec.structs import replace

from kiosk.authority.operation.authorised_time import CLOCK_STEP, WRITE_SECONDS
from kiosk.authority.proof.evidence import Proofs, unproven_writes
from kiosk.authority.proof.verification import evidence_of, shown, verify
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.directory.values import Account
from kiosk.simulation.domain.controller import SimulatedDc
from kiosk.visit.views import Outcome
from storage.coverage import Coverage
from storage.records import AuditEvent, Keyless

OTHER = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"


def of_a_write(history: History) -> list[AuditEvent]:
    history.attempt()
    return list(history.world.registry.audit_events())


@pytest.fixture(name="history")
def _history() -> History:
    return History(STORIES[0])


def changed(
    events: list[AuditEvent], change: Callable[[AuditEvent], AuditEvent]
) -> list[AuditEvent]:
    """Let the write say something else of itself."""
    return [
        change(each) if each.kind == "operation.writing" else each for each in events
    ]


def with_data(**data: str) -> Callable[[AuditEvent], AuditEvent]:
    return lambda event: replace(event, data={**event.data, **data})


def without_account(event: AuditEvent) -> AuditEvent:
    data = {**event.data}
    del data["account_guid"]
    return replace(event, data=data)


def test_a_write_names_the_account_whose_password_it_was(history: History) -> None:
    events = of_a_write(history)
    (write,) = [each for each in events if each.kind == "operation.writing"]
    assert write.data["account_guid"] == history.holder.account_guid
    assert history.agrees()
    assert unproven_writes(events) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (with_data(account_guid=OTHER), "other_account"),
        (with_data(account_guid="nobody"), "other_account"),
        (with_data(account_guid=""), "other_account"),
        (with_data(kind="unblock"), "other_operation"),
        (
            lambda event: replace(event, station="annex", chain=event.lane),
            "other_operation",
        ),
        (lambda event: replace(event, credential="other"), "other_operation"),
        (with_data(sealed_sha256="00" * 32), "other_value"),
    ],
)
def test_a_write_of_anything_else_than_was_signed_for_is_a_finding(
    history: History, change: Callable[[AuditEvent], AuditEvent], problem: str
) -> None:
    (found,) = unproven_writes(changed(of_a_write(history), change))
    assert found.reason.key == f"evidence.{problem}"


@pytest.mark.parametrize("seq", [0, 1_000])
def test_what_another_chain_has_authorises_nothing(history: History, seq: int) -> None:
    """A station keeps to one: whether it came before would be for nobody to say."""
    events = of_a_write(history)
    elsewhere = [
        replace(each, chain="annex", seq=each.seq + seq)
        if each.kind == "operation.authorised"
        else each
        for each in events
    ]
    for mixed in (elsewhere, sorted(elsewhere, key=lambda it: it.lane != "annex")):
        (found,) = unproven_writes(mixed)
        assert found.reason.key == "evidence.no_authorisation"


def test_a_keyless_write_says_whose_password_it_was_too() -> None:
    """Nothing is signed there: what is written down is all there is."""
    story = next(each for each in STORIES if each.keyless is not Keyless.OFF)
    events = of_a_write(History(story))
    assert unproven_writes(events) == []
    (write,) = [each for each in events if each.kind == "operation.writing"]
    assert write.data["account_guid"]


@pytest.mark.parametrize("keyless", [False, True])
def test_writes_of_a_version_that_did_not_say_whose_password_it_was_are_counted(
    *, keyless: bool
) -> None:
    story = next(it for it in STORIES if (it.keyless is not Keyless.OFF) is keyless)
    events = changed(of_a_write(History(story)), without_account)
    proofs = Proofs(Coverage())
    for event in events:
        proofs.take(event)
    assert proofs.findings() == []
    assert proofs.unnamed == 1


def test_whoever_verifies_is_told_how_many_those_are(history: History) -> None:
    history.attempt()
    verified = verify(evidence_of(history.world.registry))
    assert verified.unnamed == 0
    assert "evidence.unnamed" not in [it.key for it in shown(verified)]
    told = shown(dataclasses.replace(verified, unnamed=3))
    assert Message("evidence.unnamed", {"count": 3}) in told


def test_an_account_that_was_not_asked_for_gets_no_password(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory shows another person's account when the password is to be written."""
    other = history.domain.add_account("mallory", password=Secret(PASSWORD_BEFORE))
    asked = SimulatedDc.account

    def shown(dc: SimulatedDc, guid: str) -> Account:
        """Hers, and it looks as if nothing had happened to it since."""
        own = asked(dc, guid)
        return dataclasses.replace(
            asked(dc, other), mark=own.mark, pwd_last_set=own.pwd_last_set
        )

    world = history.world
    world.authority.before(
        "write", lambda: monkeypatch.setattr(SimulatedDc, "account", shown)
    )
    result = history.attempt()
    monkeypatch.undo()
    assert result is not None
    assert result.outcome is Outcome.ROLLED_BACK
    assert history.domain.writes == []
    assert not [
        each
        for each in world.registry.audit_events()
        if each.kind == "operation.writing"
    ]


def test_what_the_card_signed_for_is_the_value_and_not_what_is_said_of_it(
    history: History,
) -> None:
    """Authorisation and write name the same value, and the statement another."""
    other = {"sealed_sha256": "00" * 32}
    events = [
        replace(each, data={**each.data, **other})
        if each.kind in ("operation.authorised", "operation.writing")
        else each
        for each in of_a_write(history)
    ]
    (found,) = unproven_writes(events)
    assert found.reason.key == "evidence.other_value"


# --- in time --------------------------------------------------------------------------

LAST = WRITE_SECONDS + 2 * CLOCK_STEP
"""Seconds from an authorisation to a write, by a clock that is corrected twice."""


@pytest.mark.parametrize(
    ("seconds", "is_proven"),
    [
        (LAST, True),
        (LAST + 0.5, False),
        (-2 * CLOCK_STEP, True),
        (-2 * CLOCK_STEP - 0.5, False),
    ],
)
def test_a_write_falls_within_its_authorisation(
    history: History, seconds: float, *, is_proven: bool
) -> None:
    events = of_a_write(history)
    (proof,) = [each for each in events if each.kind == "operation.authorised"]
    later = changed(events, lambda event: replace(event, at=proof.at + seconds))
    found = [each.reason.key for each in unproven_writes(later)]
    assert found == ([] if is_proven else ["evidence.authorisation_late"])


# --- what may have been moved away ----------------------------------------------------


def judged(events: list[AuditEvent], *begins: str) -> tuple[int, list[str]]:
    """How many writes were not judged, and what was found of the others."""
    proofs = Proofs(lambda _lane, _seq: 0, begins)
    for each in events:
        proofs.take(each)
    assert proofs.writes == len([e for e in events if e.kind == "operation.writing"])
    found = [each.reason.key.removeprefix("evidence.") for each in proofs.findings()]
    return proofs.unjudged, found


def kinds(events: list[AuditEvent], *gone: str) -> list[AuditEvent]:
    return [each for each in events if each.kind not in gone]


def test_nothing_is_left_unjudged_where_everything_is_there(history: History) -> None:
    events = of_a_write(history)
    assert judged(events) == (0, [])
    assert judged(events, "kiosk-1") == (0, [])


@pytest.mark.parametrize(
    ("since_first", "expected"),
    [(LAST, (1, [])), (LAST + 0.5, (0, ["no_authorisation"]))],
)
def test_an_authorisation_may_be_in_what_was_moved_away_just_before(
    history: History, since_first: float, expected: tuple[int, list[str]]
) -> None:
    events = kinds(of_a_write(history), "operation.authorised")
    at = next(n for n, e in enumerate(events) if e.kind == "operation.prepared")
    rest = events[at:]
    later = changed(rest, lambda event: replace(event, at=rest[0].at + since_first))
    assert judged(later, "kiosk-1") == expected
    assert judged(later) == (0, ["no_authorisation"])
    assert judged(later, "annex") == (0, ["no_authorisation"]), "nothing of this chain"


def test_the_record_of_a_key_may_be_in_what_was_moved_away(history: History) -> None:
    events = kinds(of_a_write(history), "credential.key_recorded")
    assert judged(events, "annex") == (1, [])
    assert judged(events) == (0, ["key_not_on_record"])


def test_what_was_found_already_is_not_called_unjudged(history: History) -> None:
    events = changed(
        kinds(of_a_write(history), "credential.key_recorded"),
        with_data(account_guid=OTHER),
    )
    assert judged(events, "annex") == (0, ["other_account"])


# --- when a key went on record --------------------------------------------------------


@pytest.mark.parametrize(
    ("of_record", "of_write", "is_proven"), [(1, 2, True), (2, 2, True), (3, 2, False)]
)
def test_between_chains_the_checkpoints_say_what_came_before(
    history: History, of_record: int, of_write: int, *, is_proven: bool
) -> None:
    events = [
        replace(each, station="desk", chain="desk")
        if each.kind == "credential.key_recorded"
        else each
        for each in of_a_write(history)
    ]
    found = unproven_writes(
        events, lambda lane, _seq: of_record if lane == "desk" else of_write
    )
    keys = [each.reason.key for each in found]
    assert keys == ([] if is_proven else ["evidence.key_not_on_record"])


@pytest.mark.parametrize(
    ("of_record", "of_write", "had_one"), [(1, 2, True), (2, 2, False), (3, 2, False)]
)
def test_a_card_had_a_key_that_a_checkpoint_before_the_write_covers(
    of_record: int, of_write: int, *, had_one: bool
) -> None:
    """One may go on record elsewhere just after a write without: nobody can tell."""
    story = next(each for each in STORIES if each.keyless is not Keyless.OFF)
    events = of_a_write(History(story))
    (write,) = [each for each in events if each.kind == "operation.writing"]
    record = replace(
        write,
        station="desk",
        kind="credential.key_recorded",
        data={"key_sha256": "ab" * 32, "slot": "9A"},
    )
    found = unproven_writes(
        [*events, record], lambda lane, _seq: of_record if lane == "desk" else of_write
    )
    keys = [each.reason.key for each in found]
    assert keys == (["evidence.has_a_key"] if had_one else [])


@pytest.mark.parametrize(("later", "is_proven"), [(-1, True), (1, False)])
def test_in_one_chain_its_numbers_do(
    history: History, later: int, *, is_proven: bool
) -> None:
    events = of_a_write(history)
    write = next(each for each in events if each.kind == "operation.writing")
    moved = [
        replace(each, station=write.station, seq=write.seq + later)
        if each.kind == "credential.key_recorded"
        else each
        for each in events
    ]
    found = [each.reason.key for each in unproven_writes(moved)]
    assert found == ([] if is_proven else ["evidence.key_not_on_record"])


def test_after_one_that_is_wrong_the_next_is_looked_at_all_the_same(
    history: History,
) -> None:
    history.attempt()
    events = kinds(of_a_write(history), "credential.key_recorded")
    first = next(n for n, e in enumerate(events) if e.kind == "operation.authorised")
    data = {**events[first].data, "signature": "AAAA"}
    events[first] = replace(events[first], data=data)
    found = [each.reason.key for each in unproven_writes(events)]
    assert found == ["evidence.signature_wrong", "evidence.key_not_on_record"]
