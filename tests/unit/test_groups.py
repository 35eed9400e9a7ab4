"""A group reads as it was written, whatever is in it."""

from __future__ import annotations

import hashlib
import random

import pytest

from storage import groups
from storage.groups import START, Change, Torn

KEYS = ("k", "", 'with "quotes"', "back\\slash", "tab\tand\nline", "ключ", '"\t', "\\")


def documents(count: int, table: str = "t") -> list[Change]:
    return [
        Change(table, f"{KEYS[number % len(KEYS)]}{number}", b'{"n":%d}' % number)
        for number in range(count)
    ]


def read(data: bytes) -> groups.Group:
    (group,) = groups.read(data, 0, START, 0)
    return group


def with_body(body: bytes, count: int, more: int = 0) -> bytes:
    """Return a group whose checksums are right, whatever its body is."""
    size = len(body) + more
    head = f"G 1 {count} {size} {START} {hashlib.sha256(body).hexdigest()[:16]}"
    own = hashlib.sha256(head.encode()).hexdigest()[:8]
    return f"{head} {own}\n".encode() + body


@pytest.mark.parametrize("table", ["t", "ключи", 'a "table"', "back\\slash", ""])
@pytest.mark.parametrize("count", [1, 15, 16, 200])
def test_what_goes_into_one_table_reads_as_it_was_written(
    count: int, table: str
) -> None:
    changes = documents(count, table)
    data, checksum = groups.write(1, changes, START)
    group = read(data)
    assert group.changes == changes
    assert (group.seq, group.checksum, group.end) == (1, checksum, len(data))


@pytest.mark.parametrize("seed", range(30))
def test_what_is_of_several_kinds_reads_as_it_was_written(seed: int) -> None:
    dice = random.Random(seed)
    changes = documents(40)
    for _ in range(dice.randrange(1, 5)):
        at = dice.randrange(len(changes) + 1)
        key = dice.choice(documents(40)).key
        other = dice.choice(
            (
                Change("t", key, None),
                Change("t", None, None),
                Change("u", key, b"{}"),
                Change("t", key, b'{"again":1}'),
            )
        )
        changes.insert(at, other)
    assert read(groups.write(1, changes, START)[0]).changes == changes


@pytest.mark.parametrize(
    "damage",
    [
        lambda body: body[: body.rindex(b"\n", 0, -1) + 1],
        lambda body: body + body[: body.index(b"\n") + 1],
        lambda body: body.replace(b'P\t"t"\t"k8"', b'Q\t"t"\t"k8"'),
        lambda body: body.replace("ключ".encode(), b"\xff\xfe"),
        lambda body: body.replace(b"\\\\", b"\\x"),
        lambda body: b"\n" + body[1:],
    ],
    ids=["less", "more", "mark", "no text", "no JSON", "begin"],
)
def test_a_body_that_is_none_is_torn_whatever_its_checksums_say(
    damage: object,
) -> None:
    body = b"".join(map(groups._line, documents(40)))
    assert read(with_body(body, 40)).changes == documents(40)
    assert callable(damage)
    with pytest.raises(Torn):
        read(with_body(damage(body), 40))


def test_a_head_that_names_more_than_there_is_is_not_believed() -> None:
    body = b'P\t"t"\t"k"\t1\n'
    assert read(with_body(body, 1)).changes == [Change("t", "k", b"1")]
    with pytest.raises(Torn):
        read(with_body(body, 1, more=1))
