"""What a simulated YubiKey has besides PIV's own commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosk.cards import status, tlv
from kiosk.simulation.cards import attestation
from kiosk.simulation.cards.framing import Request, Status
from kiosk.simulation.cards.keys import imported
from kiosk.simulation.cards.metadata import metadata, policies

if TYPE_CHECKING:
    from kiosk.simulation.cards.piv import SimulatedPivCard

_ADMIN = 0x9B
_MOVED_SINCE = b"\x05\x07\x00"
_DELETED = 0xFF
_FACTORY_TRIES, _BIO_TRIES = 3, 8
_PIN_POLICY, _TOUCH_POLICY = 0xAA, 0xAB


def command(card: SimulatedPivCard, request: Request) -> bytes:
    """Answer a command of YubiKeys. Status 6D00 where the card is none, or older."""
    options, p1, p2 = card.options, request.p1, request.p2
    match request.ins:
        case 0xF7 if options.metadata_is_empty:
            return b""
        case 0xF7 if options.has_metadata:
            return metadata(card, p2)
        case 0xF8 if options.serial:
            return options.serial
        case 0xF9 if options.attests:
            return _attest(card, p1)
        case 0xFD if options.version:
            return options.version
        case 0xFF:
            return _set_admin(card, request.data)
        case 0xF6 if options.version >= _MOVED_SINCE:
            return _move(card, p1, p2)
        case 0xFE if options.version:
            return _import(card, p1, p2, bytes(request.data))
        case 0xFA if options.version and options.has_puk:
            return _set_tries(card, p1, p2)
        case 0xFB if options.version:
            return _to_factory(card)
    raise Status(status.UNKNOWN_INS)


def wanted_policies(parts: dict[int, bytes]) -> tuple[int, int]:
    """Return PIN and touch policy that a new key shall have; 0: its slot's own."""
    pin, touch = parts.get(_PIN_POLICY, b"\0"), parts.get(_TOUCH_POLICY, b"\0")
    if len(pin) != 1 or len(touch) != 1 or pin[0] > 5 or touch[0] > 3:
        raise Status(status.WRONG_DATA)
    return pin[0], touch[0]


def _attest(card: SimulatedPivCard, slot: int) -> bytes:
    """F9: the factory's word that the key of a slot was made here."""
    serial = int.from_bytes(card.options.serial, "big")
    told = {
        attestation.FIRMWARE: card.options.version,
        attestation.SERIAL: tlv.pack(
            0x02, serial.to_bytes(serial.bit_length() // 8 + 1, "big")
        ),
        attestation.POLICIES: policies(card, slot),
    }
    if slot in card.imported:
        raise Status(status.WRONG_DATA)
    if slot not in card.keys:
        raise Status(status.WRONG_DATA)
    return attestation.statement(card.its_maker(), card.keys[slot], slot, told)


def _set_admin(card: SimulatedPivCard, data: bytearray) -> bytes:
    """FF: a new management key."""
    card.need_admin()
    if len(data) < 3 or data[1] != _ADMIN or data[2] != len(data) - 3:
        raise Status(status.WRONG_DATA)
    card.admin.replace(data[0], data[3:])
    return b""


def _import(card: SimulatedPivCard, algorithm: int, slot: int, data: bytes) -> bytes:
    """FE: a key that was made elsewhere."""
    card.need_admin()
    parts = dict(tlv.walk(data, "command"))
    key = imported(algorithm, parts)
    if key is None:
        raise Status(status.WRONG_DATA)
    card.put_key(slot, key, wanted_policies(parts))
    card.imported.add(slot)
    return b""


def _move(card: SimulatedPivCard, to: int, slot: int) -> bytes:
    """F6: a key goes to another slot, or away."""
    card.need_admin()
    key = card.keys.get(slot)
    if key is None or to in card.keys:
        raise Status(status.NO_REFERENCE)
    was_imported, told = slot in card.imported, policies(card, slot)
    wanted = told[0], told[1]
    card.drop_key(slot)
    if to != _DELETED:
        card.put_key(to, key, wanted)
        card.imported |= {to} if was_imported else set()
    return b""


def _set_tries(card: SimulatedPivCard, pin: int, puk: int) -> bytes:
    """FA: new counters, and PIN and PUK back to their defaults."""
    card.need_admin()
    if not card.references.is_verified or not pin or not puk:
        raise Status(status.NOT_SATISFIED)
    card.references.to_factory(pin, puk)
    return b""


def _to_factory(card: SimulatedPivCard) -> bytes:
    """FB: only once PIN and PUK are both blocked; a Bio key is reset elsewhere."""
    references = card.references
    if references.pin.left or references.puk.left or not card.options.has_puk:
        raise Status(status.CONDITIONS)
    to_factory(card)
    return b""


def to_factory(card: SimulatedPivCard) -> None:
    """Erase everything; PIN, PUK, management key and tries are the factory's."""
    pin = _FACTORY_TRIES if card.options.has_puk else _BIO_TRIES
    card.references.to_factory(pin, _FACTORY_TRIES)
    card.admin.to_factory()
    card.erase()
