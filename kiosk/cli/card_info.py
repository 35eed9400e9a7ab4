"""What `kiosk card info` finds out about the cards in the readers, and says of it."""

from __future__ import annotations

import queue
from collections.abc import Iterator, Sequence

import msgspec

from kiosk.cards.ports import (
    Card,
    CardError,
    CardInserted,
    CardSession,
    CardUnreadable,
    KeySlot,
    Monitor,
    NotSupported,
    ObjectMissing,
    ReaderEvent,
    ReadersChanged,
    RecognisedCard,
    ServiceGone,
    ServiceLost,
)
from kiosk.cli.ending import words
from kiosk.errors import Message
from kiosk.text import visible

_SERVICE_SECONDS = 5.0
_CARD_SECONDS = 1.5
"""How long a card that is in a reader already may take to be noticed."""


class KeyReport(msgspec.Struct, frozen=True, kw_only=True):
    """The certificate in a slot."""

    slot: str
    subject: str
    algorithm: str
    until: str
    """ISO date."""


class CardReport(msgspec.Struct, frozen=True, kw_only=True):
    """A card that was recognised."""

    key: str
    """The registry's key of it."""
    known_by: str
    pin_tries_left: int | None
    pin_tries: int | None
    pin_is_default: bool | None
    has_puk: bool
    puk_tries_left: int | None
    keys: tuple[KeyReport, ...]


class ReaderReport(msgspec.Struct, frozen=True, kw_only=True):
    """A reader, and the card in it or why there is none."""

    reader: str
    card: CardReport | None = None
    reason: str = ""


def look(monitor: Monitor, part: str = "") -> list[ReaderReport]:
    """Look at every reader whose name contains `part`. ServiceGone."""
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
                raise ServiceGone
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
        with card.session(recognised.identity) as session:
            certificates = dict(_certificates(session))
    except CardError as error:
        return ReaderReport(reader=name, reason=words(error.message))
    finally:
        card.close()
    return ReaderReport(reader=name, card=_recognised(recognised, certificates))


def _certificates(session: CardSession) -> Iterator[tuple[KeySlot, bytes]]:
    for slot in KeySlot:
        try:
            yield slot, session.certificate(slot)
        except ObjectMissing:
            continue


def _recognised(
    recognised: RecognisedCard, certificates: dict[KeySlot, bytes]
) -> CardReport:
    identity, puk = recognised.identity, recognised.puk_tries
    return CardReport(
        key=identity.key,
        known_by=words(Message(f"card.info.{identity.kind}")),
        pin_tries_left=recognised.pin_tries.left,
        pin_tries=recognised.pin_tries.total,
        pin_is_default=recognised.pin_is_default,
        has_puk=recognised.has_puk,
        puk_tries_left=puk.left if puk is not None else None,
        keys=tuple(_key(slot, der) for slot, der in certificates.items()),
    )


def _key(slot: KeySlot, der: bytes) -> KeyReport:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    from kiosk.enrollment.record import key_of

    try:
        certificate = x509.load_der_x509_certificate(der)
        return KeyReport(
            slot=slot,
            algorithm=key_of(certificate, slot).algorithm,
            subject=visible(certificate.subject.rfc4514_string()),
            until=certificate.not_valid_after_utc.date().isoformat(),
        )
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion, NotSupported):
        return KeyReport(slot=slot, algorithm="?", subject="?", until="?")


# --- words -------------------------------------------------------------------


def lines(found: Sequence[ReaderReport]) -> Iterator[str]:
    """Return what a person reads."""
    if not found:
        yield words(Message("card.info.no_reader"))
    for report in found:
        yield visible(report.reader)
        if report.card is None:
            yield f"  {report.reason}"
        else:
            yield from (f"  {name:<12}{value}" for name, value in _rows(report.card))


def _rows(card: CardReport) -> Iterator[tuple[str, str]]:
    yield "card", card.key
    yield "known by", card.known_by
    yield "PIN tries", _tries(card.pin_tries_left, card.pin_tries)
    if card.pin_is_default:
        yield "", words(Message("card.info.default_pin"))
    if card.has_puk:
        yield "PUK tries", _tries(card.puk_tries_left, None)
    else:
        yield "PUK", words(Message("card.info.no_puk"))
    for key in card.keys:
        yield f"key {key.slot}", f"{key.algorithm}, {key.subject}, until {key.until}"


def _tries(left: int | None, total: int | None) -> str:
    if left is None:
        return words(Message("card.info.not_told"))
    return f"{left} of {total}" if total is not None else str(left)


def as_json(found: Sequence[ReaderReport]) -> str:
    """Return what a program reads."""
    document = {"readers": found}
    return msgspec.json.format(msgspec.json.encode(document)).decode()
