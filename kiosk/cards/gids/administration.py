"""What changes a GIDS card for good: files and keys made, objects written.

In creation state all of it is allowed; afterwards the administrator key or the PIN has
to have been shown, as the access rules of each file say.
"""

from __future__ import annotations

from kiosk.cards import tlv
from kiosk.cards.apdu import Command, Response, wipe
from kiosk.cards.errors import NotSupported, PinRefused
from kiosk.cards.gids import objects, refusals
from kiosk.cards.gids.application import FIRST_KEY, PIN, GidsApplication
from kiosk.cards.piv.keys import key_of_answer
from kiosk.cards.values import KeyAlgorithm
from kiosk.core.secret import Secret

ADMIN_KEY_BYTES = 24
CHECK_BYTES = 3
GENERATED = {
    KeyAlgorithm.RSA_2048: 0x07,
    KeyAlgorithm.RSA_3072: 0x08,
    KeyAlgorithm.RSA_4096: 0x09,
}
"""Algorithms of keys that such a card makes, with their identifiers."""
_DATA_FILE, _KEY_FILE = b"\x39", b"\x18"
_ADMIN_TEMPLATE = bytes.fromhex("8C04870020FFA50BA4098001028301809501C0")
"""Its rules, and what it is for: authentication of the administrator."""
_USES = ((0xB8, 0x00), (0xB8, 0x80), (0xB8, 0x40), (0xB6, 0x10), (0xB6, 0x50))
"""What a key may be used for (B8 deciphering, B6 signatures), with which padding."""
_ALREADY_THERE = frozenset({0x6984, 0x6A80, 0x6A89})
_MASTER = bytes.fromhex("3FFF")


class GidsAdministration:
    """Commands on a selected application; each may come out refused as NotVerified."""

    def __init__(self, application: GidsApplication) -> None:
        self._application = application

    def _send(self, command: Command) -> Response:
        response = self._application.send(command)
        return refusals.must_be_ok(response, command.ins)

    # --- creation state -----------------------------------------------------------

    def set_pin(self, pin: Secret) -> None:
        """CHANGE REFERENCE DATA without an old value: creation state only."""
        data = bytearray(pin.reveal())
        try:
            self._send(Command(0x24, 0x01, PIN, data, compares=True))
        finally:
            wipe(data)

    def make_operational(self) -> None:
        """From now on the access rules count. Cannot be undone."""
        self._send(Command(0xA4, 0x00, 0x0C, _MASTER))
        self._send(Command(0x44, 0x00, 0x00))

    # --- files --------------------------------------------------------------------

    def make_file(self, fid: int) -> None:
        """Make a file for data objects, unless it is there."""
        rules = tlv.pack(0x8C, objects.ACCESS_RULES[fid])
        self._make(fid, _DATA_FILE, rules)

    def make_admin_key_file(self) -> None:
        """Make the file of the administrator key, unless it is there."""
        self._make(objects.ADMIN_KEY_FILE, _KEY_FILE, _ADMIN_TEMPLATE)

    def make_key_file(self, index: int, algorithm: KeyAlgorithm) -> None:
        """Make the file of a container's key, unless it is there. NotSupported."""
        reference = bytes((FIRST_KEY + index,))
        uses = b"".join(
            tlv.pack(
                use,
                tlv.pack(0x80, bytes((padding | _identifier(algorithm),)))
                + tlv.pack(0x83, reference)
                + tlv.pack(0x95, b"\x40"),
            )
            for use, padding in _USES
        )
        rules = tlv.pack(0x8C, objects.KEY_RULES)
        fid = objects.KEY_FILES + index
        self._make(fid, _KEY_FILE, rules + tlv.pack(0xA5, uses))

    def _make(self, fid: int, kind: bytes, rest: bytes) -> None:
        """CREATE FILE and activate it: one that was begun is only activated."""
        name = fid.to_bytes(2, "big")
        template = tlv.pack(0x82, kind) + tlv.pack(0x83, name) + rest
        created = Command(0xE0, 0x00, 0x00, tlv.pack(0x62, template))
        response = self._application.send(created)
        if response.sw in _ALREADY_THERE:
            self._send(Command(0xA4, 0x00, 0x0C, name))
        else:
            refusals.must_be_ok(response, created.ins)
        self._send(Command(0x44, 0x00, 0x00))

    def put(self, place: tuple[int, int], value: bytes) -> None:
        """PUT DATA: replace an object. Never empty, which may take it away."""
        fid, do = place
        self._send(Command(0xDB, fid >> 8, fid & 0xFF, tlv.pack(do, value)))

    # --- keys ---------------------------------------------------------------------

    def set_admin_key(self, key: Secret, check: bytes) -> None:
        """Set it, in creation state or after the one before was proven.

        24 bytes, never a factory's; `check` is its check value: three bytes of eight
        zero bytes encrypted. PinRefused.
        """
        if not any(key.reveal()) or len(key) != ADMIN_KEY_BYTES:
            raise PinRefused
        head = bytes.fromhex("7024840180A51F8718")
        data = bytearray(len(head) + ADMIN_KEY_BYTES + 2 + CHECK_BYTES)
        data[: len(head)] = head
        data[len(head) : len(head) + ADMIN_KEY_BYTES] = key.reveal()
        data[len(head) + ADMIN_KEY_BYTES :] = tlv.pack(0x88, check)
        try:
            self._send(Command(0xDB, 0x3F, 0xFF, data))
        finally:
            wipe(data)

    def generate(self, index: int, algorithm: KeyAlgorithm) -> bytes:
        """Make a container's key; return the DER SubjectPublicKeyInfo. NotSupported.

        May take half a minute. A key that was there is gone.
        """
        wanted = tlv.pack(0x80, bytes((_identifier(algorithm),)))
        wanted += tlv.pack(0x83, bytes((FIRST_KEY + index,)))
        response = self._send(Command(0x47, 0x00, 0x00, tlv.pack(0xAC, wanted), le=0))
        value = tlv.need(response.data, 0x7F49, "public key")
        return key_of_answer(algorithm, value)


def _identifier(algorithm: KeyAlgorithm) -> int:
    if algorithm not in GENERATED:
        raise NotSupported(what=algorithm)
    return GENERATED[algorithm]
