"""What `kiosk card info` prints: lines for a person, one document for a program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from kiosk.cli.card_info import CardReport, ReaderReport
from kiosk.cli.card_keys import KeyReport
from kiosk.cli.ending import words
from kiosk.core.errors import Message
from kiosk.core.untrusted_text import visible


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
    yield "family", words(Message(f"card.info.family_{card.family}"))
    yield "known by", card.known_by
    yield "PIN", f"{card.pin_minimum} to {card.pin_maximum} {card.pin_alphabet}"
    yield "PIN tries", _tries(card.pin_tries_left, card.pin_tries)
    if card.pin_is_default:
        yield "", words(Message("card.info.default_pin"))
    if card.has_puk:
        yield "PUK tries", _tries(card.puk_tries_left, card.puk_tries)
    else:
        yield "PUK", words(Message("card.info.no_puk"))
    if card.has_admin_key:
        yield "", words(Message("card.info.admin_key"))
    if card.has_pinpad:
        yield "", words(Message("card.info.pinpad"))
    for each in card.passed_over:
        yield "", each
    for key in card.keys:
        yield from _key_rows(key)


def _key_rows(key: KeyReport) -> Iterator[tuple[str, str]]:
    if key.reason:
        yield f"key {key.slot}", key.reason
    else:
        yield f"key {key.slot}", f"{key.algorithm}, {key.subject}"
        yield "  issuer", key.issuer
        yield "  valid", f"{key.since} to {key.until} ({key.validity})"
    if key.pin_policy is not None or key.touch_policy is not None:
        pin, touch = key.pin_policy or "?", key.touch_policy or "?"
        yield "  wants", f"PIN {pin}, touch {touch}"


def _tries(left: int | None, total: int | None) -> str:
    if left is None:
        return words(Message("card.info.not_told"))
    return f"{left} of {total}" if total is not None else str(left)


def as_json(found: Sequence[ReaderReport]) -> str:
    """Return what a program reads."""
    document = {"readers": found}
    return msgspec.json.format(msgspec.json.encode(document)).decode()
