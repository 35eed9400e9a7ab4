"""What a write says of itself is what the card signed for: nothing of it may differ."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from lab.histories import PASSWORD_BEFORE, STORIES, History
from msgspec.structs import replace

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
        (lambda event: replace(event, station="annex"), "other_operation"),
        (lambda event: replace(event, credential="other"), "other_operation"),
        (with_data(sealed_sha256="00" * 32), "other_value"),
    ],
)
def test_a_write_of_anything_else_than_was_signed_for_is_a_finding(
    history: History, change: Callable[[AuditEvent], AuditEvent], problem: str
) -> None:
    (found,) = unproven_writes(changed(of_a_write(history), change))
    assert found.reason.key == f"evidence.{problem}"


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
