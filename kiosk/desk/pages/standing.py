"""How a credential stands, in one look: its state and where that may lead, whether
card and password agree, what its holder can do now, and the last visits.
"""

from __future__ import annotations

from collections.abc import Iterator

from kiosk.authority.escrow import puks
from kiosk.authority.office.values import (
    CredentialView,
)
from kiosk.core.errors import Message
from kiosk.desk.pages.of_holder import of_holder
from kiosk.desk.pages.rows import state_in_words, sync_in_words, visit_in_words
from kiosk.desk.pages.times import day
from kiosk.desk.tables import PageLine, Style
from statemachine.lifecycle import State
from statemachine.operation import Kind
from storage.records import Credential, LastSync, Sync

_CARD_SHOWN = 12
"""Characters of a card's identity that are read out: its last."""


def standing(seen: CredentialView) -> Iterator[PageLine]:
    """Tell the state, drawn on its way, and whether the password is the PIN."""
    credential = seen.credential
    card = Message("desk.of_card", {"card": credential.card[-_CARD_SHOWN:]})
    yield PageLine((credential.account, "  ·  ", card))
    yield PageLine(_road(seen), Style.STRONG, _label("state"))
    if seen.may_become:
        yield PageLine(_targets(seen), Style.MUTED)
    if credential.suspended_from is not None:
        origin = state_in_words(credential.suspended_from)
        yield PageLine((Message("desk.held_from"), " ", origin), Style.MUTED)
    yield from _password(credential)
    if credential.authentication_key is None and credential.migrated:
        yield PageLine(Message("notice.keyless"), Style.WARNING)
    for code in seen.codes:
        until = {"until": int(code.expires_at)}
        yield PageLine(Message(f"desk.code_open.{code.kind}", until), Style.STRONG)


def _road(seen: CredentialView) -> tuple[Message | str, ...]:
    """Return every state, with where this card is."""
    state = seen.credential.state
    road: list[Message | str] = []
    for each in State:
        if each is State.SUSPENDED and state is not each:
            continue
        words = state_in_words(each)
        road += [" ─ "] if road else []
        road += ["[", words, "]"] if each is state else [words]
    return tuple(road)


def _targets(seen: CredentialView) -> tuple[Message | str, ...]:
    told: list[Message | str] = [Message("desk.may_become"), " "]
    for number, each in enumerate(seen.may_become):
        told += [", "] if number else []
        told.append(state_in_words(each))
    return tuple(told)


def _password(credential: Credential) -> Iterator[PageLine]:
    is_apart = credential.sync is Sync.OUT_OF_STEP
    style = Style.WARNING if is_apart else Style.NORMAL
    last = credential.last_sync
    words: tuple[Message | str, ...] = (sync_in_words(credential.sync),)
    if credential.sync is Sync.IN_STEP and last is not None:
        words = (*words, ", ", _last_written(last))
    yield PageLine(words, style, _label("password"))
    if credential.sync_reason and credential.sync is not Sync.IN_STEP:
        yield PageLine(of_holder(Message(credential.sync_reason)), Style.MUTED)


def _last_written(last: LastSync) -> Message:
    """In step by the record: since when, and by what it can be seen."""
    how = "last_written" if last.mark is not None else "last_written_by_time"
    return Message(f"desk.{how}", {"at": int(last.at), "dc": last.dc})


# --- beside what can be done ----------------------------------------------------


def beside(seen: CredentialView) -> Iterator[PageLine]:
    """Tell what the holder can do at a kiosk now, the last visits, and the rest."""
    yield from _holder(seen)
    yield PageLine(Message("desk.last_visits"), Style.HEADING)
    if not seen.visits:
        yield PageLine(Message("desk.no_visit"), Style.MUTED)
    for each in seen.visits:
        yield visit_in_words(each)
        if each.reason:
            yield PageLine(of_holder(Message(each.reason)), Style.MUTED)
    yield PageLine(Message("desk.more_about"), Style.HEADING)
    yield from _more(seen.credential)


def _holder(seen: CredentialView) -> Iterator[PageLine]:
    """What the holder may do at a kiosk, and why not the rest: each reason once."""
    yield PageLine(Message("desk.holder_may"), Style.HEADING)
    refusals: list[Message | None] = [None]
    for kind in Kind:
        refusal = seen.holder_may.get(kind)
        if refusal not in refusals:
            refusals.append(refusal)
    for each in refusals:
        kinds = [kind for kind in Kind if seen.holder_may.get(kind) == each]
        told = Message("desk.yes") if each is None else of_holder(each)
        style = Style.STRONG if each is None else Style.MUTED
        if kinds:
            yield PageLine(told, style, tuple(_named(kinds)))


def _named(kinds: list[Kind]) -> list[Message | str]:
    """Return what is done at a kiosk, one after the other."""
    named: list[Message | str] = []
    for kind in kinds:
        named += [", "] if named else []
        named.append(Message(f"desk.did.{kind}"))
    return named


def _more(credential: Credential) -> Iterator[PageLine]:
    template = f"{credential.template} {credential.template_version}"
    yield PageLine(template, label=_label("template"))
    yield PageLine(day(credential.issued_at), label=_label("issued"))
    if credential.expires_at is not None:
        yield PageLine(day(credential.expires_at), label=_label("expires"))
    yield from _puk(credential)


def _puk(credential: Credential) -> Iterator[PageLine]:
    """What is known of its PUK, with a warning where it may be the factory's."""
    escrow = credential.escrow
    known = Message(puks.sentence(credential))
    is_at_risk = puks.is_factory(escrow) or puks.is_used_up(escrow)
    yield PageLine(known, Style.WARNING if is_at_risk else Style.MUTED, _label("puk"))
    if escrow.forms_refused and puks.waits(credential):
        yield PageLine(Message("desk.puk_form_refused"), Style.WARNING)


def _label(name: str) -> Message:
    return Message(f"desk.label.{name}")
