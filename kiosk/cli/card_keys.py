"""What `kiosk card info` says of a key: its certificate, and what it wants."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from kiosk.cards.any_card import piv_of
from kiosk.cards.errors import (
    UNUSABLE,
    MalformedAnswer,
    NotSupported,
    ObjectMissing,
    UnknownCard,
)
from kiosk.cards.piv.card import PivCard
from kiosk.cards.piv.policies import KeyPolicies, read_policies
from kiosk.cards.ports import Card, CardSession
from kiosk.cards.values import KeySlot
from kiosk.cli.ending import words
from kiosk.core.untrusted_text import visible

if TYPE_CHECKING:
    from cryptography import x509

_NO_NAME = "?"


class KeyReport(msgspec.Struct, frozen=True, kw_only=True):
    """The certificate in a slot, or the reason why it says nothing."""

    slot: str
    algorithm: str = _NO_NAME
    subject: str = _NO_NAME
    issuer: str = _NO_NAME
    since: str = _NO_NAME
    """ISO date."""
    until: str = _NO_NAME
    """ISO date."""
    validity: str = _NO_NAME
    """valid, expired, not yet valid."""
    pin_policy: str | None = None
    """When the key wants the PIN; None: the card does not tell."""
    touch_policy: str | None = None
    """When the key wants a touch; None: the card does not tell."""
    reason: str = ""


def keys_of(
    session: CardSession, policies: dict[KeySlot, KeyPolicies]
) -> Iterator[KeyReport]:
    """Read the certificate of each slot that has one. CardError of the line."""
    for slot in KeySlot:
        try:
            der = session.certificate(slot)
        except ObjectMissing:
            continue
        except UNUSABLE as error:
            yield KeyReport(slot=slot, reason=words(error.message))
            continue
        yield described(slot, der, policies.get(slot), _now())


def policies_of(card: Card) -> dict[KeySlot, KeyPolicies]:
    """Return what the card tells about its keys' policies. CardError of the line."""
    piv = piv_of(card)
    if piv is None:
        return {}
    try:
        return _policies(piv)
    except UnknownCard:
        return {}


def _policies(card: PivCard) -> dict[KeySlot, KeyPolicies]:
    found: dict[KeySlot, KeyPolicies] = {}
    with card.application() as application:
        for slot in KeySlot:
            value = application.metadata(int(slot, 16))
            if value is None:
                continue
            try:
                found[slot] = read_policies(value)
            except MalformedAnswer:
                continue
    return found


def described(
    slot: KeySlot, der: bytes, policies: KeyPolicies | None, now: datetime.datetime
) -> KeyReport:
    """Describe a DER certificate; what it does not tell is "?"."""
    from kiosk.certificates.card_certificates import (
        UNREADABLE,
        UnreadableCertificate,
        read,
    )

    try:
        report = _certified(slot, read(der), now)
    except (UnreadableCertificate, *UNREADABLE):
        unreadable = MalformedAnswer(object=f"certificate {slot}", offset=0)
        report = KeyReport(slot=slot, reason=words(unreadable.message))
    if policies is None:
        return report
    return msgspec.structs.replace(
        report, pin_policy=policies.pin, touch_policy=policies.touch
    )


def _certified(
    slot: KeySlot, certificate: x509.Certificate, now: datetime.datetime
) -> KeyReport:
    from kiosk.certificates.card_keys import key_of

    since, until = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    try:
        algorithm: str = key_of(certificate, slot).algorithm
    except NotSupported:
        algorithm = _NO_NAME
    return KeyReport(
        slot=slot,
        algorithm=algorithm,
        subject=visible(certificate.subject.rfc4514_string()),
        issuer=visible(certificate.issuer.rfc4514_string()),
        since=since.date().isoformat(),
        until=until.date().isoformat(),
        validity=_validity(since, until, now),
    )


def _validity(
    since: datetime.datetime, until: datetime.datetime, now: datetime.datetime
) -> str:
    if now < since:
        return "not yet valid"
    return "expired" if until < now else "valid"


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
