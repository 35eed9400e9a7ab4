"""Reads of one object each, encoded here: one, or many that are sent together.

ldap3 sends nothing while it waits, and spends a millisecond on encoding each request
and as much on parts of an answer that nobody looks at. RFC 4511, 4.5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ldap3.core.exceptions import LDAPSessionTerminatedByServerError
from ldap3.operation.search import (
    compile_filter,
    parse_filter,
    raw_attributes_to_dict_fast,
)
from ldap3.utils.asn1 import decode_message_fast
from pyasn1.codec.ber import encoder as ber_encoder

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
ANYTHING = bytes(tlv(_PRESENT, b"objectClass"))
"""The filter for whatever is there."""
_PIECE = 65536


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to one of them."""

    result: int
    message: str
    entry: Entry | None


def request(
    number: int,
    dn: str,
    *attributes: str,
    condition: bytes = ANYTHING,
    controls: bytes = b"",
) -> bytearray:
    """Encode the read of some attributes of one object.

    `condition`, an encoded filter, must hold for it; `controls` are encoded, too.
    """
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
            condition,
            tlv(SEQUENCE, *(tlv(OCTETS, each.encode()) for each in attributes)),
        ),
        controls,
    )


@lru_cache(maxsize=128)
def encoded(condition: str) -> bytes:
    """Encode a filter (RFC 4515), as ldap3 does. What that raises."""
    parsed = parse_filter(condition, None, True, True, None, False)  # type: ignore[no-untyped-call]  # noqa: FBT003 - ldap3's own
    compiled = compile_filter(parsed.elements[0])  # type: ignore[no-untyped-call]  # the same
    encoded: bytes = ber_encoder.encode(compiled)
    return encoded


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
