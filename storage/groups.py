"""The journal's format: groups of changes, each written and checked as one.

    PIN-KIOSK JOURNAL 1
    G <seq> <ops> <bytes> <before> <body> <head>
    P <table> <key> <json>        one line per change; D <table> <key> deletes,
    D <table> <key>               X <table> drops a table

A group is one transaction. Its head line comes first and has the number of changes,
the length of the body (bytes), the checksum of the body before, of the body, and of
the head itself (SHA-256, cut to 16, 16 and 8 hex digits). So a torn group is told
from a damaged one: after a torn group nothing valid follows. Table and key are JSON
strings, the document is canonical JSON; fields are separated by tabs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from sys import intern
from typing import BinaryIO, NamedTuple

import msgspec

MAGIC = b"PIN-KIOSK JOURNAL 1\n"
START = "0" * 16
_LONGEST_HEAD = 256
"""Bytes; no group's head line has as many."""
_encode = msgspec.json.encode
_decode = msgspec.json.Decoder(str).decode
_new = tuple.__new__
"""Makes a `Change` in half the time: there may be a million to be read."""


class Change(NamedTuple):
    """One document put (`raw`) or deleted (`raw` None); `key` None drops the table."""

    table: str
    key: str | None
    raw: bytes | None


@dataclass(frozen=True, slots=True)
class Group:
    """One committed transaction as it was read."""

    seq: int
    changes: list[Change]
    checksum: str
    begin: int
    end: int
    """Offsets of its head, and behind it."""


class Torn(Exception):
    """The group at `offset` is not whole, or does not check."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


def write(seq: int, changes: list[Change], before: str) -> tuple[bytes, str]:
    """Return the bytes of a group and its body's checksum."""
    body = b"".join(map(_line, changes))
    checksum = _sum(body, 16)
    head = f"G {seq} {len(changes)} {len(body)} {before} {checksum}"
    line = f"{head} {_sum(head.encode(), 8)}\n".encode()
    return line + body, checksum


def _line(change: Change) -> bytes:
    table = _encode(change.table)
    if change.key is None:
        return b"X\t" + table + b"\n"
    if change.raw is None:
        return b"D\t" + table + b"\t" + _encode(change.key) + b"\n"
    return b"P\t" + table + b"\t" + _encode(change.key) + b"\t" + change.raw + b"\n"


def _sum(data: bytes, digits: int) -> str:
    return hashlib.sha256(data).hexdigest()[:digits]


def read(data: bytes, base: int, before: str | None, seq: int) -> Iterator[Group]:
    """Yield the groups of `data`, which begins at file offset `base`. Torn.

    `before` and `seq` are those of the group before; None: whichever, 0: any number.
    """
    at = 0
    while at < len(data):
        group = _group(data, at, base)
        goes_on = before in (None, _head_before(data, at))
        if not goes_on or (seq and group.seq != seq + 1):
            raise Torn(base + at)
        yield group
        at, before, seq = group.end - base, group.checksum, group.seq


def _head_before(data: bytes, at: int) -> str:
    return data[at : data.index(b"\n", at)].split(b" ")[4].decode()


def _group(data: bytes, at: int, base: int) -> Group:
    end_of_head = data.find(b"\n", at)
    if end_of_head < 0:
        raise Torn(base + at)
    try:
        head, _, own = data[at:end_of_head].decode("ascii").rpartition(" ")
        mark, seq, count, length, _before, checksum = head.split(" ")
        start, size = end_of_head + 1, int(length)
        body = data[start : start + size]
        sound = (
            mark == "G"
            and own == _sum(head.encode(), 8)
            and len(body) == size
            and checksum == _sum(body, 16)
        )
        if not sound:
            raise Torn(base + at)
        changes = _changes(body)
        if len(changes) != int(count):
            raise Torn(base + at)
    except ValueError as error:  # msgspec.DecodeError and UnicodeDecodeError, too
        raise Torn(base + at) from error
    return Group(int(seq), changes, checksum, base + at, base + start + size)


def _changes(body: bytes) -> list[Change]:
    """Read the lines of a body. ValueError for a line of another kind."""
    changes: list[Change] = []
    tables: dict[bytes, str] = {}
    at, begin, key_at = 0, b"\n", 0
    usual = ""
    while at < len(body):
        end = body.find(b"\n", at)
        if end < 0:
            break
        if body.startswith(begin, at):  # another put into the same table, as most are
            tab = body.index(b"\t", at + key_at)
            key = body[at + key_at : tab]
            plain = b"\\" not in key
            put = key[1:-1].decode() if plain else _decode(key)
            changes.append(_new(Change, (usual, put, body[tab + 1 : end])))
            at = end + 1
            continue
        line = body[at:end]
        at = end + 1
        mark, name, *fields = line.split(b"\t", 3)
        if name not in tables:
            tables[name] = intern(_decode(name))
        table = tables[name]
        if mark == b"P":
            key, raw = fields
            changes.append(Change(table, _decode(key), raw))
            usual, begin = table, b"P\t%s\t" % name
            key_at = len(begin)
        elif mark == b"D":
            changes.append(Change(table, _decode(fields[0]), None))
        elif mark == b"X":
            changes.append(Change(table, None, None))
        else:
            raise ValueError(mark)
    return changes


def lacks_the_first(stream: BinaryIO, size: int) -> bool:
    """Say whether a journal of that size ends before its first group does.

    False also of what is no journal, or has a first group that is damaged. OSError.
    """
    start = stream.read(len(MAGIC) + _LONGEST_HEAD)
    magic, head = start[: len(MAGIC)], start[len(MAGIC) :]
    if magic != MAGIC:
        return MAGIC.startswith(magic)
    line, newline, _ = head.partition(b"\n")
    if not newline:
        return len(head) < _LONGEST_HEAD
    length = line.split(b" ")[3:4]
    if not length or not length[0].isdigit():
        return False
    return size < len(MAGIC) + len(line) + 1 + int(length[0])


def holds_one(data: bytes) -> bool:
    """Say whether a sound group begins anywhere in what is not the next one.

    Then that is damage: behind a torn group nothing is sound, nor is the group itself.
    """
    at = -1
    while (at := data.find(b"G ", at + 1)) >= 0:
        try:
            _group(data, at, 0)
        except Torn:
            continue
        return True
    return False
