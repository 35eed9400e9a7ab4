"""Whether what a scenario expects is true: each mismatch as one line."""

from __future__ import annotations

from collections.abc import Iterator

from kiosk.authority.escrow import puks
from kiosk.authority.proof.evidence import unproven_writes
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.simulation.rehearsal.scenario import Expect
from kiosk.simulation.rehearsal.scenario_runtime import ScenarioRuntime
from statemachine.puk import Known
from storage import audit


def mismatches(stage: ScenarioRuntime, expect: Expect) -> list[str]:
    """Return one line per expectation that does not hold; empty: all hold."""
    stage.go_to(expect.at)
    return [
        *_desk(stage, expect),
        *_screen(stage, expect),
        *_card(stage, expect),
        *_record(stage, expect),
        *_evidence(stage, expect),
    ]


def _differs(what: str, expected: object, found: object) -> Iterator[str]:
    if expected != found:
        yield f"{what}: expected {expected}, found {found}"


def _screen(stage: ScenarioRuntime, expect: Expect) -> Iterator[str]:
    home, result = stage.home, stage.result
    if expect.home is not None:
        shown = home.headline if home else stage.error
        yield from _differs("home", expect.home, shown.key if shown else "nothing")
    offers = {offer.kind: offer for offer in home.actions} if home else {}
    if expect.allowed is not None:
        allowed = {kind.value for kind, offer in offers.items() if offer.allowed}
        yield from _differs("allowed", {kind.value for kind in expect.allowed}, allowed)
    for kind, key in expect.refused.items():
        reason = offers[kind].reason if kind in offers else None
        yield from _differs(f"refused {kind}", key, reason.key if reason else "allowed")
    notices = stage.shown(home.notices) if home else ()
    yield from _missing("notices", expect.notices, notices)
    if expect.confirm is not None:
        confirm = stage.form.confirm if stage.form else None
        yield from _differs("confirm", expect.confirm, confirm.key if confirm else "")
    if expect.fields is not None:
        yield from _differs("fields", expect.fields, stage.fields())
    if expect.outcome is not None:
        found = result.outcome if result else "no result"
        yield from _differs("outcome", expect.outcome, found)
    if expect.headline is not None:
        found = result.headline.key if result else "no result"
        yield from _differs("headline", expect.headline, found)
    yield from _missing(
        "facts", expect.facts, stage.shown(result.facts if result else ())
    )
    yield from _missing(
        "advice", expect.advice, stage.shown(result.advice if result else ())
    )


def _desk(stage: ScenarioRuntime, expect: Expect) -> Iterator[str]:
    asked = (expect.page, expect.page_notice, expect.page_refused, expect.page_shows)
    if not any(asked):
        return
    page = stage.office.page
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


def _card(stage: ScenarioRuntime, expect: Expect) -> Iterator[str]:
    name = expect.card or stage.last
    if not name:
        return
    chip = stage.chip(name)
    if expect.pin_is is not None and not chip.has_pin(expect.pin_is.encode()):
        yield f"pin_is: the PIN of {name}'s card is not {expect.pin_is}"
    if expect.tries_left is not None:
        yield from _differs("tries_left", expect.tries_left, chip.pin_tries_left)


def _record(stage: ScenarioRuntime, expect: Expect) -> Iterator[str]:
    name = expect.card or stage.last
    if name not in stage.world.holders:
        yield from _not_on_record(name, expect)
        return
    credential = stage.world.credential(name)
    if expect.state is not None:
        yield from _differs("state", expect.state, credential.state)
    if expect.sync is not None:
        yield from _differs("sync", expect.sync, credential.sync)
    if expect.reason is not None:
        yield from _differs("reason", expect.reason, credential.sync_reason)
    if expect.password_is is not None:
        with Secret(expect.password_is.encode()) as password:
            if not stage.world.directory.binds(credential.account_guid, password):
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


def _evidence(stage: ScenarioRuntime, expect: Expect) -> Iterator[str]:
    if expect.writes is not None:
        yield from _differs("writes", expect.writes, len(stage.world.directory.writes))
    events = list(stage.world.registry.audit_events())
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
