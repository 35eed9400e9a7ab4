"""The site's own authority in words."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from kiosk.core.untrusted_text import visible
from kiosk.texts import text


def page(certificate: x509.Certificate, *, is_sealed: bool) -> str:
    """Return what there is to know about an authority; nothing of it is secret."""
    digest = certificate.fingerprint(hashes.SHA256()).hex()
    groups = [digest[at : at + 4] for at in range(0, len(digest), 4)]
    return text("cli.ca_page").format(
        name=visible(certificate.subject.rfc4514_string()),
        serial=f"{certificate.serial_number:x}",
        begin=f"{certificate.not_valid_before_utc:%Y-%m-%d}",
        end=f"{certificate.not_valid_after_utc:%Y-%m-%d}",
        sha256=" ".join(groups),
        key=text("cli.ca_key_in_vault" if is_sealed else "cli.ca_key_plain"),
    )
