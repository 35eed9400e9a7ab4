"""An IDPrime-MD-like card made of software, as OpenSC's driver for those expects it.

An 830: one RSA key in a container of a Windows file system, PIN reference 11 (4–16
bytes, not padded), no PUK, and a second PIN (83) for qualified signatures that is
nobody's business here. Neither a PIV nor a GIDS card: only middleware speaks to it. Not
for real use: its key is an ordinary Python object.
"""

from __future__ import annotations

import zlib
from collections.abc import Container

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from kiosk.cards import status, tlv
from kiosk.cards.apdu import wipe
from kiosk.cards.errors import MalformedAnswer
from kiosk.core.entropy import Entropy
from kiosk.simulation.cards.framing import Framing, Request, Status
from kiosk.simulation.cards.keys import decipher, identifier, sign_raw

ATR = bytes.fromhex("3B7F96000080318065B084565110120FFE829000")
AID = bytes.fromhex("A000000018800000000662")
CONTAINER_MAP, INDEX, CARD_ID = 0x0204, 0x0101, 0x0201
KEY_REFERENCES = frozenset({0x31, 0x41})
"""Of the first container: OpenSC up to 0.23 goes by the release (31), later ones by the
ATR (41)."""
_CPLC = bytes.fromhex("9F7F2A") + bytes(8) + b"\x01" + bytes(33)
"""Production data; its twelfth byte is the release of the operating system."""
_PIN, _SECOND_PIN = 0x11, 0x83
_SHORTEST, _LONGEST = 4, 16
_TRIES = 5
_CHUNK = 256
_DIGEST_INFO = {
    0x42: (32, bytes.fromhex("3031300D060960864801650304020105000420")),
    0x52: (48, bytes.fromhex("3041300D060960864801650304020205000430")),
    0x62: (64, bytes.fromhex("3051300D060960864801650304020305000440")),
    0x02: (0, b""),
}
"""Algorithm reference → length of the hash (0: any) and what is put before it."""
_DECIPHERS: dict[int, hashes.HashAlgorithm | None] = {
    0x1A: None,
    0x1D: hashes.SHA1(),  # noqa: S303 - the card's own
    0x4D: hashes.SHA256(),
    0x5D: hashes.SHA384(),
    0x6D: hashes.SHA512(),
}
"""Algorithm reference → hash of OAEP; None: PKCS #1 v1.5."""
_CHALLENGES = {0x0001: 8, 0x0000: 16}
"""P1 and P2 of GET CHALLENGE → how many bytes are given."""
_PROPRIETARY = b"\x81"
"""The padding indicator that stands before a cryptogram."""


class SimulatedIdPrimeCard:
    """The card. One thread at a time."""

    def __init__(
        self, *, entropy: Entropy, pin: bytes, card_id: bytes, key: RSAPrivateKey
    ) -> None:
        """`card_id` is 16 bytes."""
        self.atr = ATR
        self.files: dict[int, bytes] = {CARD_ID: card_id}
        """File identifier → contents."""
        self.commands: list[int] = []
        """Instruction bytes received since power-on: headers only, never data."""
        self.pin_tries_left = _TRIES
        self.second_pin_tries_left = _TRIES
        self.is_verified = False
        self._entropy = entropy
        self._key = key
        self._pin = bytearray(pin)
        self._framing = Framing(_CHUNK)
        self._is_selected = False
        self._file = b""
        self._algorithm = 0
        self._hash = b""

    # --- what a test observes, and does behind everybody's back --------------------

    def has_pin(self, pin: bytes | bytearray) -> bool:
        """Say whether this is the PIN, without a try."""
        return self._pin == pin

    def has_puk(self, puk: bytes | bytearray) -> bool:  # noqa: ARG002 - it has none
        """Return False: these have an administrator key instead."""
        return False

    def set_tries(self, *, pin: int | None = None, puk: int | None = None) -> None:  # noqa: ARG002 - it has none
        """Set the counter, e.g. for a card that arrives blocked."""
        self.pin_tries_left = self.pin_tries_left if pin is None else pin

    def set_pin(self, pin: bytes) -> None:
        """Change the PIN elsewhere."""
        self._pin[:] = pin
        self.pin_tries_left = _TRIES

    # --- power and bytes -------------------------------------------------------------

    def power_on(self) -> bytes:
        """Power on or reset: all security state is gone. Returns the ATR."""
        self._framing.power_off()
        self.is_verified = self._is_selected = False
        self._file, self._algorithm, self._hash = b"", 0, b""
        self.commands.clear()
        return self.atr

    def transmit(self, apdu: bytes | bytearray) -> bytearray:
        """Carry out one APDU."""
        if len(apdu) > 1:
            self.commands.append(apdu[1])
        return self._framing.transmit(apdu, self._execute)

    def _execute(self, request: Request) -> bytes:
        p1p2 = request.p1 << 8 | request.p2
        match request.ins:
            case 0xA4:
                return self._select(bytes(request.data))
            case 0xCA if p1p2 == 0x9F7F:
                return _CPLC
            case 0x84 if p1p2 in _CHALLENGES:
                return self._entropy.bytes(_CHALLENGES[p1p2])
            case 0xB0 if self._is_selected:
                return self._read(p1p2)
            case 0x20 if self._is_selected:
                return self._verify(request.p2, request.data)
            case 0x24 if self._is_selected:
                return self._change(request.p2, request.data)
            case 0x22 if self._is_selected and p1p2 == 0x41B6:
                return self._choose(bytes(request.data), _DIGEST_INFO)
            case 0x22 if self._is_selected and p1p2 == 0x41B8:
                return self._choose(bytes(request.data), _DECIPHERS)
            case 0x2A if self._is_selected and p1p2 == 0x8086:
                return self._decipher(bytes(request.data))
            case 0x2A if self._is_selected and p1p2 == 0x90A0:
                return self._take_hash(bytes(request.data))
            case 0x2A if self._is_selected and p1p2 == 0x9E9A:
                return self._sign()
            case _:
                raise Status(status.UNKNOWN_INS)

    # --- files -----------------------------------------------------------------------

    def _select(self, data: bytes) -> bytes:
        if len(data) == 2 and self._is_selected:
            number = int.from_bytes(data, "big")
            if number not in self.files:
                raise Status(status.NOT_FOUND)
            self._file = self.files[number]
            size = len(self._file).to_bytes(2, "big")
            return tlv.pack(0x6F, tlv.pack(0x81, size) + tlv.pack(0x83, data))
        if data != AID:
            raise Status(status.NOT_FOUND)
        self._is_selected, self._file = True, b""
        return tlv.pack(0x6F, tlv.pack(0x84, AID))

    def _read(self, offset: int) -> bytes:
        if offset >= len(self._file):
            raise Status(status.WRONG_P1P2)
        return self._file[offset : offset + _CHUNK]

    # --- PIN -------------------------------------------------------------------------

    def _verify(self, p2: int, data: bytearray) -> bytes:
        if p2 == _SECOND_PIN:
            self.second_pin_tries_left -= bool(data)
            raise Status(0x63C0 | self.second_pin_tries_left)
        if p2 != _PIN:
            raise Status(status.NO_REFERENCE)
        if data:
            self._compare(data)
            self.is_verified = True
        elif not self.is_verified:
            raise Status(self._told())
        return b""

    def _change(self, p2: int, data: bytearray) -> bytes:
        if p2 != _PIN:
            raise Status(status.NO_REFERENCE)
        count = len(self._pin)
        old, new = data[:count], data[count:]
        try:
            self._compare(old)
            if not _SHORTEST <= len(new) <= _LONGEST:
                raise Status(status.WRONG_DATA)
            self._pin[:] = new
        finally:
            wipe(old)
            wipe(new)
        return b""

    def _compare(self, given: bytes | bytearray) -> None:
        if self.pin_tries_left and self._pin == given:
            self.pin_tries_left = _TRIES
            return
        self.is_verified = False
        self.pin_tries_left = max(self.pin_tries_left - 1, 0)
        raise Status(self._told())

    def _told(self) -> int:
        left = self.pin_tries_left
        return 0x63C0 | left if left else status.BLOCKED

    # --- signing ---------------------------------------------------------------------

    def _choose(self, data: bytes, algorithms: Container[int]) -> bytes:
        try:
            algorithm = tlv.need(data, 0x80, "command")[0]
            reference = tlv.need(data, 0x84, "command")[0]
        except MalformedAnswer:
            raise Status(status.WRONG_DATA) from None
        if algorithm not in algorithms or reference not in KEY_REFERENCES:
            raise Status(status.NO_REFERENCE)
        self._algorithm = algorithm
        return b""

    def _take_hash(self, data: bytes) -> bytes:
        """Keep the hash and say it back."""
        if len(data) < 2 or data[0] != 0x90 or data[1] != len(data) - 2:
            raise Status(status.WRONG_DATA)
        length = _DIGEST_INFO.get(self._algorithm, (0, b""))[0]
        if length not in (0, data[1]):
            raise Status(status.WRONG_LENGTH)
        self._hash = data[2:]
        return self._hash

    def _sign(self) -> bytes:
        if not self.is_verified:
            raise Status(status.NOT_SATISFIED)
        if self._algorithm not in _DIGEST_INFO or not self._hash:
            raise Status(status.CONDITIONS)
        info = _DIGEST_INFO[self._algorithm][1] + self._hash
        self._hash = b""
        size = self._key.key_size // 8
        block = b"\x00\x01" + b"\xff" * (size - len(info) - 3) + b"\x00" + info
        return sign_raw(self._key, identifier(self._key), block) or b""

    def _decipher(self, data: bytes) -> bytes:
        if not self.is_verified:
            raise Status(status.NOT_SATISFIED)
        if self._algorithm not in _DECIPHERS:
            raise Status(status.CONDITIONS)
        if data[:1] != _PROPRIETARY:
            raise Status(status.WRONG_DATA)
        plain = decipher(self._key, data[1:], _DECIPHERS[self._algorithm])
        if plain is None:
            raise Status(status.WRONG_DATA)
        return plain


def container_map(name: str) -> bytes:
    """Return the map with one container and an empty record (86 bytes each)."""
    bits = (2048).to_bytes(2, "little")
    record = name.encode("utf-16-le")[:78].ljust(80, b"\0") + b"\x03\x00" + bits + bits
    return record + bytes(86)


def index(certificate: int, length: int) -> bytes:
    """Return the index: the one certificate, `kxc00` below `mscp`."""
    record = certificate.to_bytes(2, "big") + length.to_bytes(2, "big")
    return b"\x01" + record + b"kxc00".ljust(8, b"\0") + b"mscp".ljust(9, b"\0")


def compressed(certificate: bytes) -> bytes:
    """Return a certificate's file: 01 00, its length, zlib."""
    length = len(certificate).to_bytes(2, "little")
    return b"\x01\x00" + length + zlib.compress(certificate)


def serial_number(card_id: bytes) -> bytes:
    """Return what OpenSC's module makes of a card id as a serial number: 16 digits."""
    return card_id.hex()[-16:].encode()
