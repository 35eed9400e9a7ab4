"""A source's answer, judged before anything of it is written to a card."""

from __future__ import annotations

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from kiosk.cards.values import KeySlot
from kiosk.certificates import profiles
from kiosk.certificates.card_certificates import (
    UNREADABLE,
    UnreadableCertificate,
    account_key,
    accounts,
    is_issued_by,
    is_valid,
    key_of,
    read,
)
from kiosk.certificates.ports import (
    AnotherKey,
    AnotherName,
    CertificateRequest,
    Certified,
    NotOfThisIssuer,
    NotThatUse,
    NotValidNow,
    SourceMalformed,
)

CLOCKS_DIFFER = 300.0
"""Seconds by which a source's clock may be ahead of ours."""
_ANY_USE = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE


def accepted(
    answer: Certified, request: CertificateRequest, *, now: float
) -> x509.Certificate:
    """Return the card's certificate out of an answer, if it is just what was wanted.

    It has the card's key, names the account (9A) or no other one (9E), may be used for
    that, is valid now, and one of the source's own authorities has signed it, where
    the source tells which they are.
    SourceMalformed and its kinds.
    """
    certificate = _own(answer, request)
    slot = request.slot
    _named(certificate, request)
    if not _may_be_used(certificate, slot):
        raise NotThatUse(slot=slot)
    if not (is_valid(certificate, now) or is_valid(certificate, now + CLOCKS_DIFFER)):
        raise NotValidNow(slot=slot)
    if answer.issuers and not any(
        is_issued_by(certificate, each, now=now) for each in answer.issuers
    ):
        raise NotOfThisIssuer(slot=slot)
    return certificate


def _own(answer: Certified, request: CertificateRequest) -> x509.Certificate:
    """Return the certificate that has the card's key, wherever it stands."""
    try:
        found = [read(der) for der in answer.chain]
        keys = [key_of(each) for each in found]
    except UnreadableCertificate as error:
        raise SourceMalformed from error
    if request.spki not in keys:
        raise AnotherKey(slot=request.slot)
    return found[keys.index(request.spki)]


def _named(certificate: x509.Certificate, request: CertificateRequest) -> None:
    account = request.person.account
    named = {account_key(name) for name in accounts(certificate)}
    must_name = request.slot is KeySlot.AUTHENTICATION
    if named - {account_key(account)} or (must_name and not named):
        raise AnotherName(account=account)


def _may_be_used(certificate: x509.Certificate, slot: KeySlot) -> bool:
    """Say whether it is for this kind of key, and no authority's."""
    try:
        extensions = certificate.extensions
    except UNREADABLE:
        return False
    for extension in extensions:
        match extension.value:
            case x509.BasicConstraints(ca=True):
                return False
            case x509.KeyUsage(digital_signature=False):
                return False
            case x509.ExtendedKeyUsage() as uses if not (
                {*profiles.USES[slot], _ANY_USE} & set(uses)
            ):
                return False
    return True
