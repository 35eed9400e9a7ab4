"""What the office asks of whoever reads certificates for it."""

from __future__ import annotations

from typing import Protocol

from kiosk.config.sections.enrollment import NamedBy
from storage.records import PublicKey


class CertificateJudge(Protocol):
    """Reads certificates (DER), and knows the issuers that the site trusts.

    Any thread. KioskErrors where a certificate cannot be read or is not trusted.
    """

    def must_be_trusted(self, certificate: bytes, now: float) -> None:
        """Let pass what a trusted issuer signed and is valid `now` (seconds UTC)."""

    def names(self, certificate: bytes, value: str, rule: NamedBy) -> bool:
        """Say whether it carries what the rule reads of an account.

        `value`: a userPrincipalName, an e-mail address, one altSecurityIdentities.
        """

    def is_of(self, key: PublicKey) -> bool:
        """Say whether the record of a key says what the certificate in it says."""
