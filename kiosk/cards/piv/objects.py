"""PIV data objects as bytes: CHUID and certificates (SP 800-73-5 part 1, App. A)."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from kiosk.cards import tlv
from kiosk.cards.errors import MalformedAnswer

CHUID = 0x5FC102
CCC = 0x5FC107
CERTIFICATE_9A = 0x5FC105
CERTIFICATE_9C = 0x5FC10A
CERTIFICATE_9D = 0x5FC10B
CERTIFICATE_9E = 0x5FC101
DISCOVERY = 0x7E
CERTIFICATES = {"9A": CERTIFICATE_9A, "9E": CERTIFICATE_9E}

MAX_INFLATED = 1 << 16
_GZIP_MAGIC = b"\x1f\x8b"
_ZLIB_MAGIC = b"\x78"
_ZLIB_HEAD = b"\x01\x00"
"""Then two bytes of length, little-endian, and zlib data (Net iD)."""
_GZIP = 16
"""Added to zlib's window bits: expect a gzip header."""
_PIN_USAGE = 0x5F2F
_GLOBAL_ALLOWED, _GLOBAL_PRIMARY = 0x20, 0x20
"""First and second byte of the PIN usage policy (part 1, §3.3.2)."""
_NON_FEDERAL = bytes.fromhex("D4E739")
"""How a FASC-N of agency 9999 begins: it identifies no card."""
FASC_N = bytes.fromhex("D4E739DA739CED39CE739D836858210842108421C84210C3EB")


@dataclass(frozen=True, slots=True)
class Chuid:
    """The parts of a CHUID that identify a card."""

    fasc_n: bytes
    guid: bytes

    @property
    def is_federal(self) -> bool:
        """The FASC-N identifies the card: neither agency 9999 nor a filler."""
        return _is_distinct(self.fasc_n) and not self.fasc_n.startswith(_NON_FEDERAL)

    @property
    def has_guid(self) -> bool:
        """The GUID identifies the card: it is no filler."""
        return _is_distinct(self.guid)


def _is_distinct(number: bytes) -> bool:
    """Say whether a number is more than the 00 or FF that stand for "none"."""
    return not {*number} <= {0x00} and not {*number} <= {0xFF}


def read_chuid(value: bytes) -> Chuid:
    """Read the value of a CHUID object (inside tag 53). MalformedAnswer."""
    fasc_n = tlv.find(value, 0x30, "CHUID") or b""
    guid = tlv.find(value, 0x34, "CHUID") or b""
    if len(guid) not in (0, 16) or len(fasc_n) not in (0, 25):
        raise MalformedAnswer(object="CHUID", offset=0)
    return Chuid(fasc_n, guid)


@dataclass(frozen=True, slots=True)
class PinUsage:
    """Which PINs open the PIV application."""

    has_global: bool
    global_is_primary: bool
    """The card's holder knows the global PIN, not the application's own."""


def read_discovery(value: bytes) -> PinUsage:
    """Read the value of a discovery object (inside tag 7E). MalformedAnswer."""
    policy = tlv.need(value, _PIN_USAGE, "discovery object")
    if len(policy) != 2:
        raise MalformedAnswer(object="discovery object", offset=0)
    has_global = bool(policy[0] & _GLOBAL_ALLOWED)
    return PinUsage(has_global, has_global and policy[1] == _GLOBAL_PRIMARY)


def write_chuid(guid: bytes, expiry: str = "20991231") -> bytes:
    """Return an unsigned CHUID for a non-federal card; `expiry` is YYYYMMDD."""
    return b"".join(
        (
            tlv.pack(0x30, FASC_N),
            tlv.pack(0x34, guid),
            tlv.pack(0x35, expiry.encode("ascii")),
            tlv.pack(0x3E, b""),
            tlv.pack(0xFE, b""),
        )
    )


def write_ccc(card_id: bytes) -> bytes:
    """Return a card capability container; `card_id` is 14 random bytes."""
    identifier = bytes.fromhex("A000000116FF02") + card_id
    parts = [
        tlv.pack(0xF0, identifier),
        tlv.pack(0xF1, b"\x21"),
        tlv.pack(0xF2, b"\x21"),
    ]
    parts += [tlv.pack(tag, b"") for tag in (0xF3, 0xF4)]
    parts.append(tlv.pack(0xF5, b"\x10"))
    parts += [tlv.pack(tag, b"") for tag in (0xF6, 0xF7, 0xFA, 0xFB, 0xFC, 0xFD, 0xFE)]
    return b"".join(parts)


def read_certificate(value: bytes) -> bytes:
    """Return the DER certificate of a certificate object, inflated within bounds.

    How it is compressed is told by its own first bytes (gzip, zlib, or zlib behind a
    length), not by the info byte, which cards write wrongly or leave out.
    MalformedAnswer.
    """
    certificate = tlv.need(value, 0x70, "certificate")
    if certificate.startswith(_ZLIB_HEAD):
        return _inflate(certificate[4:], zlib.MAX_WBITS)
    if certificate.startswith(_GZIP_MAGIC):
        return _inflate(certificate, zlib.MAX_WBITS | _GZIP)
    if certificate.startswith(_ZLIB_MAGIC):
        return _inflate(certificate, zlib.MAX_WBITS)
    return certificate


def _inflate(data: bytes, window: int) -> bytes:
    inflater = zlib.decompressobj(window)
    try:
        inflated = inflater.decompress(data, MAX_INFLATED)
    except zlib.error:
        raise MalformedAnswer(object="certificate", offset=0) from None
    if not inflater.eof:
        raise MalformedAnswer(object="certificate", offset=len(data))
    return inflated


def write_certificate(der: bytes) -> bytes:
    """Return the value of a certificate object, not compressed."""
    return tlv.pack(0x70, der) + tlv.pack(0x71, b"\x00") + tlv.pack(0xFE, b"")
