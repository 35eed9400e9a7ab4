"""What the certificates of a card say, in a request and in our own certificates.

The authentication key (9A) names the account as Windows expects it for smart-card
logon: a userPrincipalName in the subject alternative name (RFC 5280 §4.2.1.6, otherName
1.3.6.1.4.1.311.20.2.3) and the usages clientAuth and smartcardLogon. The card
authentication key (9E) names the card and nobody: its GUID as a urn:uuid, and PIV's
own usage alone (FIPS 201-3 §4.2.2.2).
"""

from __future__ import annotations

import uuid
from contextlib import suppress

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from kiosk.cards import tlv
from kiosk.cards.values import KeySlot
from kiosk.certificates.ports import Applicant
from kiosk.core.untrusted_text import visible

UPN = ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
UTF8_STRING = 0x0C
PIV_CARD_AUTHENTICATION = ObjectIdentifier("2.16.840.1.101.3.6.8")
_LONGEST_NAME = 64
USES = {
    KeySlot.AUTHENTICATION: (
        ExtendedKeyUsageOID.CLIENT_AUTH,
        ExtendedKeyUsageOID.SMARTCARD_LOGON,
    ),
    KeySlot.CARD_AUTHENTICATION: (PIV_CARD_AUTHENTICATION,),
}
SIGNING_ONLY = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


def subject(slot: KeySlot, person: Applicant, guid: bytes) -> x509.Name:
    """Return whom the certificate is about: the person, or the card."""
    if slot is KeySlot.CARD_AUTHENTICATION:
        attribute = x509.NameAttribute(
            NameOID.SERIAL_NUMBER, str(uuid.UUID(bytes=guid))
        )
    else:
        name = fitting(person.display_name or person.account)
        attribute = x509.NameAttribute(NameOID.COMMON_NAME, name)
    return x509.Name([attribute])


def fitting(name: str) -> str:
    """Make a name harmless, and cut it to the 64 bytes that a common name may have
    (RFC 5280, App. A.1).
    """
    return visible(name).encode()[:_LONGEST_NAME].decode(errors="ignore")


def names(slot: KeySlot, person: Applicant, guid: bytes) -> x509.SubjectAlternativeName:
    """Return the subject alternative names. A mailbox that the directory does not
    write as one (`Ann <ann@example.org>`) is not known.
    """
    if slot is KeySlot.CARD_AUTHENTICATION:
        return x509.SubjectAlternativeName([x509.UniformResourceIdentifier(urn(guid))])
    upn = x509.OtherName(UPN, tlv.pack(UTF8_STRING, person.account.encode()))
    found: list[x509.GeneralName] = [upn]
    if person.email.isascii() and "@" in person.email:
        with suppress(ValueError):
            found.append(x509.RFC822Name(person.email))
    return x509.SubjectAlternativeName(found)


def urn(guid: bytes) -> str:
    """Return a card's GUID as certificates write it (RFC 9562)."""
    return uuid.UUID(bytes=guid).urn


def extensions(
    slot: KeySlot, person: Applicant, guid: bytes
) -> tuple[x509.Extension[x509.ExtensionType], ...]:
    """Return what is asked for, and what our own authority puts in."""
    is_card = slot is KeySlot.CARD_AUTHENTICATION
    usage = x509.ExtendedKeyUsage(USES[slot])
    alternative = names(slot, person, guid)
    return (
        x509.Extension(SIGNING_ONLY.oid, True, SIGNING_ONLY),  # noqa: FBT003 - critical
        x509.Extension(usage.oid, is_card, usage),
        x509.Extension(alternative.oid, False, alternative),  # noqa: FBT003 - not critical
    )
