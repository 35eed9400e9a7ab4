"""What altSecurityIdentities says of a certificate, in its strong forms alone. Pure.

A form is strong if no other certificate can be made to fit (KB5014754): issuer and
serial number, the subject key identifier, the hash of the public key. What names only a
subject, an issuer and a subject, or an e-mail address is never taken for a mapping.
"""

from __future__ import annotations

import hashlib
import re

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtensionOID

from kiosk.certificates.card_certificates import UNREADABLE

_SERIAL = re.compile(
    r"X509:<I>(?P<issuer>[^<>]+)<SR>(?P<serial>(?:[0-9A-F]{2})+)", re.I
)
_KEY_ID = re.compile(r"X509:<SKI>(?P<hex>(?:[0-9A-F]{2})+)", re.I)
_KEY_HASH = re.compile(r"X509:<SHA1-PUKEY>(?P<hex>[0-9A-F]{40})", re.I)
_SHORTEST_KEY_ID = 8
"""Bytes; the shortest that RFC 5280 makes (4.2.1.2)."""
_PART = re.compile(r'\s*([A-Za-z0-9.]+)=("(?:[^"]|"")*"|(?:\\.|[^,\\"])*)\s*(?:,|$)')
_SPELLED = {"S": "ST", "E": "EMAIL", "EMAILADDRESS": "EMAIL", "G": "GN", "T": "TITLE"}
_NAMES = {
    "2.5.4.3": "CN",
    "2.5.4.4": "SN",
    "2.5.4.5": "SERIALNUMBER",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.12": "TITLE",
    "2.5.4.42": "GN",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "EMAIL",
}


def maps(value: str, certificate: x509.Certificate) -> bool:
    """Say whether that value of altSecurityIdentities names just this certificate."""
    try:
        if found := _SERIAL.fullmatch(value):
            return _is_serial(found["serial"], certificate) and (
                _issuer_told(found["issuer"]) == _issuer_of(certificate)
            )
        if found := _KEY_ID.fullmatch(value):
            identifier = bytes.fromhex(found["hex"])
            return len(identifier) >= _SHORTEST_KEY_ID and (
                identifier == _key_id(certificate)
            )
        if found := _KEY_HASH.fullmatch(value):
            return bytes.fromhex(found["hex"]) in _key_hashes(certificate)
    except UNREADABLE:
        return False
    return False


def _is_serial(told: str, certificate: x509.Certificate) -> bool:
    """Compare a serial number, which is told last byte first."""
    return int.from_bytes(bytes.fromhex(told), "little") == certificate.serial_number


def _issuer_of(certificate: x509.Certificate) -> list[tuple[str, str]] | None:
    """Return the issuer's parts, first to last; None: they have no plain spelling."""
    parts = []
    for rdn in certificate.issuer.rdns:
        (attribute, *more) = rdn
        if more or not isinstance(attribute.value, str):
            return None
        dotted = attribute.oid.dotted_string
        parts.append((_NAMES.get(dotted, f"OID.{dotted}"), attribute.value.lower()))
    return parts


def _issuer_told(text: str) -> list[tuple[str, str]]:
    """Return the same of a name as it is typed; nothing that fits, if it is none."""
    parts, at = [], 0
    while at < len(text):
        found = _PART.match(text, at)
        if found is None:
            return []
        name, value = found[1].upper(), found[2].strip()
        if value.startswith('"'):
            value = value[1:-1].replace('""', '"')
        else:
            value = re.sub(r"\\(.)", r"\1", value)
        parts.append((_SPELLED.get(name, name), value.lower()))
        at = found.end()
    return parts


def _key_id(certificate: x509.Certificate) -> bytes | None:
    try:
        told = certificate.extensions.get_extension_for_oid(
            ExtensionOID.SUBJECT_KEY_IDENTIFIER
        ).value
    except x509.ExtensionNotFound:
        return None
    return told.digest if isinstance(told, x509.SubjectKeyIdentifier) else None


def _key_hashes(certificate: x509.Certificate) -> set[bytes]:
    """Return both hashes that go by that name: of the key's bits, and of all of it."""
    key = certificate.public_key()
    whole = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    bits = x509.SubjectKeyIdentifier.from_public_key(key).digest
    return {bits, hashlib.sha1(whole, usedforsecurity=False).digest()}
