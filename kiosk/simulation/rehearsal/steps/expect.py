"""What must be true at one place of a scenario: each mismatch is one line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import msgspec

from kiosk.authority.escrow import puks
from kiosk.authority.proof.evidence import unproven_writes
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.simulation.rehearsal.scenario_runtime import ScenarioRuntime
from kiosk.simulation.rehearsal.steps.step import LineKind, ScenarioStep
from kiosk.visit.views import FieldName, Outcome
from statemachine.lifecycle import State
from statemachine.operation import Kind
from statemachine.puk import Known
from storage import audit
from storage.records import Sync


class Expect(ScenarioStep, frozen=True, kw_only=True, tag="expect"):
    """What must be true now. Everything named must hold; silence allows anything."""

    kind: ClassVar[LineKind] = "holds"

    at: str = ""
    """The station whose screen is meant; silent: where the last step was."""
    page: str | None = None
    """The name of the operators' page."""
    page_notice: str | None = None
    page_refused: dict[str, str] = {}  # noqa: RUF012 - msgspec copies it
    """Choice → key of why it is greyed; empty: it is open."""
    page_shows: tuple[str, ...] = ()
    """Keys of lines, or texts that occur in one."""
    home: str | None = None
    """Key of the home screen's headline, or of the error in its place."""
    allowed: tuple[Kind, ...] | None = None
    """Exactly these actions are offered."""
    refused: dict[Kind, str] = {}  # noqa: RUF012 - msgspec copies it
    """Action → key of its reason."""
    notices: tuple[str, ...] = ()
    confirm: str | None = None
    fields: tuple[FieldName, ...] | None = None
    outcome: Outcome | None = None
    headline: str | None = None
    facts: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    card: str = ""
    """Whose card, credential and account the rest is about; default: the last."""
    pin_is: str | None = None
    tries_left: int | None = None
    state: State | None = None
    sync: Sync | None = None
    reason: str | None = None
    password_is: str | None = None
    writes: int | None = None
    """Passwords written by anybody since the beginning."""
    puk_rotated: bool | None = None
    audit: tuple[str, ...] = ()
    """Kinds of events, in this order among others."""

    def play(self, runtime: ScenarioRuntime) -> list[str]:
        runtime.go_to(self.at)
        return [
            *_desk(runtime, self),
            *_screen(runtime, self),
            *_card(runtime, self),
            *_record(runtime, self),
            *_evidence(runtime, self),
        ]

    def told(self) -> str:
        """Say what is checked, by name."""
        return ", ".join(
            each.name.replace("_", " ")
            for each in msgspec.structs.fields(type(self))
            if each.name not in ("card", "at")
            and getattr(self, each.name) != getattr(_SILENT, each.name)
        )


_SILENT = Expect()


def _differs(what: str, expected: object, found: object) -> Iterator[str]:
    if expected != found:
        yield f"{what}: expected {expected}, found {found}"


def _screen(runtime: ScenarioRuntime, expect: Expect) -> Iterator[str]:
    here = runtime.here
    home, result = here.home, here.result
    if expect.home is not None:
        shown = home.headline if home else here.error
        yield from _differs("home", expect.home, shown.key if shown else "nothing")
    offers = {offer.kind: offer for offer in home.actions} if home else {}
    if expect.allowed is not None:
        allowed = {kind.value for kind, offer in offers.items() if offer.allowed}
        yield from _differs("allowed", {kind.value for kind in expect.allowed}, allowed)
    for kind, key in expect.refused.items():
        reason = offers[kind].reason if kind in offers else None
        yield from _differs(f"refused {kind}", key, reason.key if reason else "allowed")
    notices = _keys(home.notices) if home else ()
    yield from _missing("notices", expect.notices, notices)
    if expect.confirm is not None:
        confirm = here.form.confirm if here.form else None
        yield from _differs("confirm", expect.confirm, confirm.key if confirm else "")
    if expect.fields is not None:
        yield from _differs(
            "fields", expect.fields, here.form.fields if here.form else ()
        )
    if expect.outcome is not None:
        found = result.outcome if result else "no result"
        yield from _differs("outcome", expect.outcome, found)
    if expect.headline is not None:
        found = result.headline.key if result else "no result"
        yield from _differs("headline", expect.headline, found)
    yield from _missing("facts", expect.facts, _keys(result.facts if result else ()))
    yield from _missing("advice", expect.advice, _keys(result.advice if result else ()))


def _keys(values: tuple[Message, ...]) -> tuple[str, ...]:
    return tuple(value.key for value in values)


def _desk(runtime: ScenarioRuntime, expect: Expect) -> Iterator[str]:
    asked = (expect.page, expect.page_notice, expect.page_refused, expect.page_shows)
    if not any(asked):
        return
    page = runtime.office.page
    if expect.page is not None:
        yield from _differs("page", expect.page, page.name)
    if expect.page_notice is not None:
        notice = page.notice.key if page.notice else ""
        yield from _differs("page_notice", expect.page_notice, notice)
    reasons = {each.key: each.refusal for each in page.choices}
    for key, wanted in expect.page_refused.items():
        reason = reasons.get(key)
        found = "no such choice" if key not in reasons else reason.key if reason else ""
        yield from _differs(f"page_refused {key}", wanted, found)
    words = [line.text for line in (*page.lines, *page.below)]
    words += [each.label for each in page.choices]
    words += (
        [cell for row in page.table.rows for cell in row.cells] if page.table else []
    )
    said = [
        each.key if isinstance(each, Message) else each
        for row in words
        for each in (row if isinstance(row, tuple) else (row,))
    ]
    for text in expect.page_shows:
        if not any(text in each for each in said):
            yield f"page_shows: expected {text}, found {'; '.join(said)}"


def _missing(
    what: str, wanted: tuple[str, ...], shown: tuple[str, ...]
) -> Iterator[str]:
    for key in wanted:
        if key not in shown:
            yield f"{what}: expected {key}, found {', '.join(shown) or 'none'}"


def _card(runtime: ScenarioRuntime, expect: Expect) -> Iterator[str]:
    name = expect.card or runtime.here.last
    if not name:
        return
    chip = runtime.chip(name)
    if expect.pin_is is not None and not chip.has_pin(expect.pin_is.encode()):
        yield f"pin_is: the PIN of {name}'s card is not {expect.pin_is}"
    if expect.tries_left is not None:
        yield from _differs("tries_left", expect.tries_left, chip.pin_tries_left)


def _record(runtime: ScenarioRuntime, expect: Expect) -> Iterator[str]:
    name = expect.card or runtime.here.last
    if name not in runtime.world.holders:
        yield from _not_on_record(name, expect)
        return
    credential = runtime.world.credential(name)
    if expect.state is not None:
        yield from _differs("state", expect.state, credential.state)
    if expect.sync is not None:
        yield from _differs("sync", expect.sync, credential.sync)
    if expect.reason is not None:
        yield from _differs("reason", expect.reason, credential.sync_reason)
    if expect.password_is is not None:
        with Secret(expect.password_is.encode()) as password:
            if not runtime.world.directory.binds(credential.account_guid, password):
                yield f"password_is: {name} cannot sign in with {expect.password_is}"
    if expect.puk_rotated is not None:
        rotated = puks.of(credential.escrow).known is Known.CURRENT
        yield from _differs("puk_rotated", expect.puk_rotated, rotated)


def _not_on_record(name: str, expect: Expect) -> Iterator[str]:
    """What is expected of a record that there is not, does not hold."""
    of_record = ("state", "sync", "reason", "password_is", "puk_rotated")
    for what in of_record:
        if getattr(expect, what) is not None:
            yield f"{what}: the card {name!r} is on no record"


def _evidence(runtime: ScenarioRuntime, expect: Expect) -> Iterator[str]:
    if expect.writes is not None:
        yield from _differs(
            "writes", expect.writes, len(runtime.world.directory.writes)
        )
    events = list(runtime.world.registry.audit_events())
    verdict = audit.verify(events)
    if not verdict.is_sound:
        yield f"audit: the chain is {verdict.problem} at {verdict.seq}"
    for finding in unproven_writes(events):
        yield f"audit: {finding.reason.key} at {finding.seq}"
    kinds = iter(event.kind for event in events)
    for wanted in expect.audit:
        if wanted not in kinds:
            yield f"audit: no {wanted} where it was expected"
            return
