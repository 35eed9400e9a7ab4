"""What `kiosk card info` finds out about the cards in the readers, without a try."""

from __future__ import annotations

import queue

import msgspec

from kiosk.cards.errors import CardError
from kiosk.cards.ports import Card, CardInserted, Monitor, ReaderEvent
from kiosk.cards.values import (
    CardUnreadable,
    Family,
    IdentityKind,
    PassedOver,
    ReadersChanged,
    RecognisedCard,
    ServiceLost,
)
from kiosk.cli.card_keys import KeyReport, keys_of, policies_of
from kiosk.cli.ending import words
from kiosk.core.errors import Message
from kiosk.enrollment.card_service import why_lost

_SERVICE_SECONDS = 5.0
_CARD_SECONDS = 1.5
"""How long a card that is in a reader already may take to be noticed."""


class CardReport(msgspec.Struct, frozen=True, kw_only=True):
    """A card that was recognised."""

    key: str
    """The registry's key of it."""
    family: str
    known_by: str
    """What its identity was taken from, in words."""
    pin_minimum: int
    pin_maximum: int
    pin_alphabet: str
    pin_tries_left: int | None
    pin_tries: int | None
    pin_is_default: bool | None
    has_puk: bool
    puk_tries_left: int | None
    puk_tries: int | None
    has_admin_key: bool
    has_pinpad: bool
    """The reader has keys of its own on which the PIN can be typed."""
    keys: tuple[KeyReport, ...]
    passed_over: tuple[str, ...] = ()
    """What it need not tell, and told in a way that cannot be used, in words."""


class ReaderReport(msgspec.Struct, frozen=True, kw_only=True):
    """A reader, and the card in it or why there is none."""

    reader: str
    card: CardReport | None = None
    reason: str = ""


def look(monitor: Monitor, part: str = "") -> list[ReaderReport]:
    """Look at every reader whose name contains `part`.

    CardServiceLost, CardServiceDenied.
    """
    events: queue.SimpleQueue[ReaderEvent] = queue.SimpleQueue()
    monitor.start(events.put)
    try:
        return [_report(name, event) for name, event in _found(events, part).items()]
    finally:
        monitor.stop()


def _found(
    events: queue.SimpleQueue[ReaderEvent], part: str
) -> dict[str, ReaderEvent | None]:
    """Return what each reader told; None: nothing in time."""
    found: dict[str, ReaderEvent | None] = {}
    seconds = _SERVICE_SECONDS
    while not found or None in found.values():
        try:
            event = events.get(timeout=seconds)
        except queue.Empty:
            break
        match event:
            case ServiceLost():
                raise why_lost(event)
            case ReadersChanged(readers=names):
                found = {name: None for name in names if part in name}
            case CardInserted(card=card) if card.reader in found:
                found[card.reader] = event
            case CardUnreadable(reader=name) if name in found:
                found[name] = event
        seconds = _CARD_SECONDS
    return found


def _report(name: str, event: ReaderEvent | None) -> ReaderReport:
    match event:
        case CardInserted(card=card):
            return _card(name, card)
        case CardUnreadable():
            return ReaderReport(reader=name, reason=words(Message("card.mute")))
    return ReaderReport(reader=name, reason=words(Message("card.info.empty")))


def _card(name: str, card: Card) -> ReaderReport:
    try:
        recognised = card.recognise()
        policies = policies_of(card)
        with card.session(recognised.identity) as session:
            keys = tuple(keys_of(session, policies))
    except CardError as error:
        return ReaderReport(reader=name, reason=words(error.message))
    finally:
        card.close()
    return ReaderReport(reader=name, card=_recognised(recognised, keys))


def _recognised(recognised: RecognisedCard, keys: tuple[KeyReport, ...]) -> CardReport:
    identity, puk = recognised.identity, recognised.puk_tries
    is_token = (identity.family, identity.kind) == (Family.PKCS11, IdentityKind.SERIAL)
    pins = recognised.pin_format
    return CardReport(
        key=identity.key,
        family=identity.family,
        known_by=words(
            Message(
                "card.info.token_serial" if is_token else f"card.info.{identity.kind}"
            )
        ),
        pin_minimum=pins.minimum,
        pin_maximum=pins.maximum,
        pin_alphabet=pins.alphabet,
        pin_tries_left=recognised.pin_tries.left,
        pin_tries=recognised.pin_tries.total,
        pin_is_default=recognised.pin_is_default,
        has_puk=recognised.has_puk,
        puk_tries_left=puk.left if puk is not None else None,
        puk_tries=puk.total if puk is not None else None,
        has_admin_key=recognised.has_admin_key,
        has_pinpad=recognised.pinpad,
        keys=keys,
        passed_over=tuple(_passed_over(each) for each in recognised.passed_over),
    )


def _passed_over(each: PassedOver) -> str:
    how = "garbled" if each.is_garbled else "refused"
    return words(Message(f"card.info.passed_over_{how}", {"object": each.name}))
