"""Certificates judged for the office: by the issuers that the site trusts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cryptography.x509 import Certificate

from kiosk.cards.values import KeySlot
from kiosk.certificates import card_certificates, card_keys, identities
from kiosk.certificates.card_certificates import account_key, accounts, addresses
from kiosk.config.sections.enrollment import NamedBy
from storage.records import PublicKey


class SiteCertificates:
    """`kiosk.authority.office.certificates.CertificateJudge`."""

    def __init__(self, anchors: Callable[[], Sequence[Certificate]]) -> None:
        """`anchors`: issuers whose certificates are believed; read when asked."""
        self._anchors = anchors

    def must_be_trusted(self, certificate: bytes, now: float) -> None:
        read = card_certificates.read(certificate)
        card_certificates.must_be_trusted(read, self._anchors(), now=now)

    def names(self, certificate: bytes, value: str, rule: NamedBy) -> bool:
        read = card_certificates.read(certificate)
        match rule:
            case NamedBy.UPN:
                return {*map(account_key, accounts(read))} == {account_key(value)}
            case NamedBy.E_MAIL:
                return account_key(value) in map(account_key, addresses(read))
            case NamedBy.IDENTITIES:
                return identities.maps(value, read)
            case NamedBy.OFFICER:
                return False

    def is_of(self, key: PublicKey) -> bool:
        read = card_certificates.read(key.certificate)
        return card_keys.key_of(read, KeySlot(key.slot)) == key
