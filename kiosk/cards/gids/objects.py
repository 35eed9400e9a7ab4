"""Files of a GIDS card, read with bounds and written (Windows minidriver, GIDS 2.0).

Everything a card sends is hostile until it has been read: MalformedAnswer names the
object and the offset.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from kiosk.cards.errors import MalformedAnswer

MASTERFILE = (0xA000, 0xDF1F)
KEY_MAP = (0xA000, 0xDF20)
CARD_APPS = (0xA010, 0xDF21)
CARD_CF = (0xA010, 0xDF22)
CMAP_FILE = (0xA010, 0xDF23)
CARD_ID = (0xA012, 0xDF20)
FIRST_CERTIFICATE = (0xA010, 0xDF24)
"""(file identifier, data object) of each."""

ACCESS_RULES = {
    0xA000: bytes.fromhex("033000"),
    0xA010: bytes.fromhex("033000"),
    0xA011: bytes.fromhex("0330FF"),
    0xA012: bytes.fromhex("032000"),
    0xA013: bytes.fromhex("033030"),
    0xA014: bytes.fromhex("032020"),
}
"""File identifier → compact access rules: who may write and read it (10 the user, 20
the administrator, 30 either, 00 everybody, FF nobody)."""
ADMIN_KEY_FILE = 0xB080
KEY_FILES = 0xB081
"""The file of the first container's key; the next ones count on."""
KEY_RULES = bytes.fromhex("8F10101000")
"""The user makes, uses and imports the key; everybody reads its public half."""
CARD_ID_BYTES = 16
CARD_CF_BYTES = 6
MAX_CERTIFICATE = 1 << 16
"""Bytes of an inflated certificate."""
_ENTRY = struct.Struct("<9s9s2xII")
_CONTAINER = struct.Struct("<80sBBHH")
_KEY = struct.Struct("<IBBHHH")
_FRESHNESS = struct.Struct("<BBHH")
_VALID, _DEFAULT = 0x01, 0x02
_USED, _EXCHANGE = 1, 0x9A
_MOST_ENTRIES = 256
_COMPRESSED = b"\x01\x00"


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of the card's file system."""

    folder: str
    name: str
    do: int
    fid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One key container of the cmapfile."""

    index: int
    is_default: bool
    exchange_bits: int
    """Size of its key exchange key; 0: it has none."""
    signature_bits: int

    @property
    def certificate(self) -> str:
        """The name of the file with its certificate."""
        kind = "kxc" if self.exchange_bits else "ksc"
        return f"{kind}{self.index:02X}"


def read_masterfile(value: bytes) -> tuple[FileEntry, ...]:
    """Return every file that the card lists. MalformedAnswer."""
    if not value or (len(value) - 1) % _ENTRY.size:
        raise MalformedAnswer(object="masterfile", offset=len(value))
    if (len(value) - 1) // _ENTRY.size > _MOST_ENTRIES:
        raise MalformedAnswer(object="masterfile", offset=len(value))
    entries = []
    for at in range(1, len(value), _ENTRY.size):
        folder, name, do, fid = _ENTRY.unpack_from(value, at)
        entries.append(
            FileEntry(_name(folder, at), _name(name, at + 9), do & 0xFFFF, fid & 0xFFFF)
        )
    return tuple(entries)


def _name(raw: bytes, at: int) -> str:
    try:
        return raw.split(b"\0", 1)[0].decode("ascii")
    except UnicodeDecodeError as error:
        raise MalformedAnswer(object="masterfile", offset=at) from error


def write_masterfile(entries: Iterable[FileEntry]) -> bytes:
    """Return the masterfile that lists these files."""
    return b"\x01" + b"".join(
        _ENTRY.pack(
            entry.folder.encode("ascii"),
            entry.name.encode("ascii"),
            entry.do,
            entry.fid,
        )
        for entry in entries
    )


def read_cmapfile(value: bytes) -> tuple[Container, ...]:
    """Return the valid containers, in order. MalformedAnswer."""
    if len(value) % _CONTAINER.size or len(value) // _CONTAINER.size > _MOST_ENTRIES:
        raise MalformedAnswer(object="cmapfile", offset=len(value))
    containers = []
    for index, at in enumerate(range(0, len(value), _CONTAINER.size)):
        _, flags, _, signature, exchange = _CONTAINER.unpack_from(value, at)
        if flags & _VALID:
            containers.append(
                Container(
                    index=index,
                    is_default=bool(flags & _DEFAULT),
                    exchange_bits=exchange,
                    signature_bits=signature,
                )
            )
    return tuple(containers)


def write_cmapfile(containers: Iterable[tuple[str, int]]) -> bytes:
    """Return a cmapfile with these exchange keys: (GUID text, bits); the first is
    the default.
    """
    return b"".join(
        _CONTAINER.pack(
            guid.encode("utf-16-le").ljust(80, b"\0"),
            _VALID | (0 if index else _DEFAULT),
            0,
            0,
            bits,
        )
        for index, (guid, bits) in enumerate(containers)
    )


def write_key_map(kinds: Iterable[int]) -> bytes:
    """Return the map of key exchange keys, one a container, by algorithm identifier."""
    return b"\x01" + b"".join(
        _KEY.pack(_USED, kind, _EXCHANGE, KEY_FILES + index & 0xFFFF, 0xFFFF, 0)
        for index, kind in enumerate(kinds)
    )


def fresher(before: bytes) -> bytes:
    """Return the cardcf that says that containers and files have changed.

    Windows keeps what it has read until these numbers change.
    """
    known = before if len(before) == CARD_CF_BYTES else bytes(CARD_CF_BYTES)
    version, pin, containers, files = _FRESHNESS.unpack(known)
    return _FRESHNESS.pack(
        version, pin, (containers + 1) & 0xFFFF, (files + 1) & 0xFFFF
    )


def default_of(containers: tuple[Container, ...]) -> Container | None:
    """Return the default container, else the first valid one."""
    marked = (each for each in containers if each.is_default)
    return next(marked, containers[0] if containers else None)


def read_certificate(value: bytes) -> bytes:
    """Return the DER certificate, inflated within bounds. MalformedAnswer."""
    if not value.startswith(_COMPRESSED):
        return value
    if len(value) < 4:
        raise MalformedAnswer(object="certificate", offset=len(value))
    length = int.from_bytes(value[2:4], "little")
    inflate = zlib.decompressobj()
    try:
        der = inflate.decompress(value[4:], MAX_CERTIFICATE)
    except zlib.error as error:
        raise MalformedAnswer(object="certificate", offset=4) from error
    if len(der) != length or inflate.unconsumed_tail:
        raise MalformedAnswer(object="certificate", offset=4)
    return der


def write_certificate(der: bytes) -> bytes:
    """Return a certificate as the file has it."""
    return _COMPRESSED + len(der).to_bytes(2, "little") + zlib.compress(der)
