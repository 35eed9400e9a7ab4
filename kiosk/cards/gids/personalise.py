"""A blank GIDS card becomes usable: PIN, administrator key, name, empty files.

The card is in creation state, where everything is allowed until it is made
operational, which cannot be undone (Windows inbox minidriver, "card initialisation").
"""

from __future__ import annotations

from kiosk.cards import tlv
from kiosk.cards.apdu import Command, wipe
from kiosk.cards.gids import objects, refusals
from kiosk.cards.gids.application import PIN, GidsApplication
from kiosk.cards.gids.objects import FileEntry
from kiosk.cards.ports import PinRefused
from kiosk.core.secret import Secret

ADMIN_KEY_BYTES = 24
CHECK_BYTES = 3
_FILES = {
    0xA000: "8C03033000",
    0xA010: "8C03033000",
    0xA011: "8C030330FF",
    0xA012: "8C03032000",
    0xA013: "8C03033030",
    0xA014: "8C03032020",
}
"""File identifier → access rules: who may delete, write and read it."""
_ADMIN_KEY_FILE = bytes.fromhex(
    "621A8201188302B0808C04870020FFA50BA4098001028301809501C0"
)
_MASTER = bytes.fromhex("3FFF")
_APPS = b"mscp\0\0\0\0"


def initialise(
    application: GidsApplication,
    *,
    pin: Secret,
    admin_key: Secret,
    check: bytes,
    card_id: bytes,
) -> None:
    """Initialise a blank card: 24 APDUs, the SELECT before included.

    `admin_key` is 24 bytes, never a factory's; `check` its check value (3 bytes: of
    eight zero bytes encrypted); `card_id` 16 random bytes. PinRefused, NotVerified (the
    card is not blank), UnexpectedStatus.
    """
    if not any(admin_key.reveal()) or len(admin_key) != ADMIN_KEY_BYTES:
        raise PinRefused
    _set_pin(application, pin)
    for fid, rules in _FILES.items():
        template = (
            bytes.fromhex("82013983") + b"\x02" + fid.to_bytes(2, "big")
        ) + bytes.fromhex(rules)
        _create(application, tlv.pack(0x62, template))
    _create(application, _ADMIN_KEY_FILE)
    _put_admin_key(application, admin_key, check)
    entries = (
        FileEntry("mscp", "", 0, 0xA000),
        FileEntry("", "cardid", objects.CARD_ID[1], objects.CARD_ID[0]),
        FileEntry("", "cardapps", objects.CARD_APPS[1], objects.CARD_APPS[0]),
        FileEntry("", "cardcf", objects.CARD_CF[1], objects.CARD_CF[0]),
        FileEntry("mscp", "cmapfile", objects.CMAP_FILE[1], objects.CMAP_FILE[0]),
    )
    for place, value in (
        (objects.MASTERFILE, objects.write_masterfile(entries)),
        (objects.CARD_APPS, _APPS),
        (objects.CARD_CF, bytes(6)),
        (objects.CMAP_FILE, b""),
        (objects.CARD_ID, card_id),
    ):
        _put(application, place, value)
    _sent(application, Command(0xA4, 0x00, 0x0C, _MASTER))
    _sent(application, Command(0x44, 0x00, 0x00))


def _sent(application: GidsApplication, command: Command) -> None:
    refusals.must_be_ok(application.send(command), command.ins)


def _set_pin(application: GidsApplication, pin: Secret) -> None:
    """CHANGE REFERENCE DATA without an old value: creation state only."""
    data = bytearray(pin.reveal())
    try:
        _sent(application, Command(0x24, 0x01, PIN, data, compares=True))
    finally:
        wipe(data)


def _create(application: GidsApplication, template: bytes) -> None:
    _sent(application, Command(0xE0, 0x00, 0x00, template))
    _sent(application, Command(0x44, 0x00, 0x00))


def _put_admin_key(
    application: GidsApplication, admin_key: Secret, check: bytes
) -> None:
    head = bytes.fromhex("7024840180A51F8718")
    data = bytearray(len(head) + ADMIN_KEY_BYTES + 2 + CHECK_BYTES)
    data[: len(head)] = head
    data[len(head) : len(head) + ADMIN_KEY_BYTES] = admin_key.reveal()
    data[len(head) + ADMIN_KEY_BYTES :] = tlv.pack(0x88, check)
    try:
        _sent(application, Command(0xDB, 0x3F, 0xFF, data))
    finally:
        wipe(data)


def _put(application: GidsApplication, place: tuple[int, int], value: bytes) -> None:
    fid, do = place
    _sent(application, Command(0xDB, fid >> 8, fid & 0xFF, tlv.pack(do, value)))
