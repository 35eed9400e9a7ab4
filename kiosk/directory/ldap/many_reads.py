"""Many reads of one attribute: sent together, answered one after the other.

ldap3 sends nothing while it waits, and spends a millisecond on encoding each request
and as much on parts of an answer that nobody looks at. RFC 4511, 4.5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ldap3.core.exceptions import LDAPSessionTerminatedByServerError
from ldap3.operation.search import raw_attributes_to_dict_fast
from ldap3.utils.asn1 import decode_message_fast

from kiosk.directory.ldap import ber
from kiosk.directory.ldap.ber import (
    BOOLEAN,
    ENUMERATED,
    INTEGER,
    OCTETS,
    SEQUENCE,
    tlv,
)
from kiosk.directory.ldap.tls import TlsLine

Entry = Mapping[str, Sequence[bytes]]
"""An object's attributes as they came, by name in any case."""

_SEARCH, _PRESENT = 0x63, 0x87
_ENTRY, _DONE, _ELSEWHERE = 4, 5, 19
_NONE, _ONE = b"\x00", b"\x01"
_PIECE = 65536


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to one of them."""

    result: int
    message: str
    entry: Entry | None


def request(number: int, dn: str, attribute: str) -> bytearray:
    """Encode the read of one attribute of one object, whatever it is."""
    return ber.message(
        number,
        tlv(
            _SEARCH,
            tlv(OCTETS, dn.encode()),
            tlv(ENUMERATED, _NONE),  # this object alone
            tlv(ENUMERATED, _NONE),  # an alias is not followed
            tlv(INTEGER, _ONE),
            tlv(INTEGER, _NONE),  # the time is ours to bound
            tlv(BOOLEAN, _NONE),
            tlv(_PRESENT, b"objectClass"),
            tlv(SEQUENCE, tlv(OCTETS, attribute.encode())),
        ),
    )


def receive(line: TlsLine, numbers: Sequence[int]) -> dict[int, Found]:
    """Return the answers to what was sent with these numbers, when all are here.

    Each is due within the line's seconds after the one before. OSError, or whatever
    decoding garbage raises.
    """
    waited_for = set(numbers)
    entries: dict[int, Entry] = {}
    answered: dict[int, Found] = {}
    buffer = b""
    while waited_for:
        size = _size(buffer)
        if size is None or len(buffer) < size:
            piece = line.recv(_PIECE)
            if not piece:
                raise ConnectionResetError("ended between answers")
            buffer += piece
            continue
        told, buffer = decode_message_fast(buffer[:size]), buffer[size:]  # type: ignore[no-untyped-call]  # ldap3's own
        number, kind, content = told["messageID"], told["protocolOp"], told["payload"]
        if number == 0:
            raise LDAPSessionTerminatedByServerError("notice of disconnection")
        if number not in waited_for:
            raise ValueError("an answer to no question")
        if kind == _ENTRY:
            entries[number] = raw_attributes_to_dict_fast(content[1][3])  # type: ignore[no-untyped-call]  # the same
        elif kind == _DONE:
            waited_for.remove(number)
            said = content[2][3].decode("utf-8", "replace")
            answered[number] = Found(content[0][3], said, entries.get(number))
            line.next_answer()
        elif kind != _ELSEWHERE:
            raise ValueError("no answer to a search")
    return answered


def _size(buffer: bytes) -> int | None:
    """Return how long the message is that begins here; None: not told yet."""
    if len(buffer) < 2:
        return None
    if buffer[1] < 0x80:
        return 2 + buffer[1]
    head = 2 + (buffer[1] & 0x7F)
    if len(buffer) < head:
        return None
    return head + int.from_bytes(buffer[2:head], "big")
