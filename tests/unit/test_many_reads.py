"""Many questions in one go: each has its own answer; a line that lies is refused."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldap3 import BASE, DEREF_NEVER
from ldap3.core.exceptions import LDAPSessionTerminatedByServerError
from ldap3.operation.search import search_operation
from ldap3.protocol.convert import build_controls_list
from ldap3.protocol.rfc4511 import LDAPMessage, MessageID, ProtocolOp
from pyasn1.codec.ber import decoder, encoder

from kiosk.directory.ldap import descriptor_control
from kiosk.directory.ldap.accounts import USER
from kiosk.directory.ldap.ber import ENUMERATED, OCTETS, SEQUENCE, SET, message, tlv
from kiosk.directory.ldap.many_reads import Found, encoded, receive, request

SUCCESS, NO_SUCH_OBJECT, BUSY = 0, 32, 51
REFERENCE = 0x73


class Line:
    """A line that gives what was prepared, in pieces of any size."""

    def __init__(self, data: bytes, sizes: list[int] | None = None) -> None:
        self._data = data
        self._sizes = sizes or []
        self.answers = 0

    def recv(self, size: int) -> bytes:
        size = min(size, self._sizes.pop() if self._sizes else size)
        piece, self._data = self._data[:size], self._data[size:]
        return piece

    def next_answer(self) -> None:
        self.answers += 1


def entry(number: int, name: str, *values: bytes) -> bytes:
    one = tlv(
        SEQUENCE,
        tlv(OCTETS, name.encode()),
        tlv(SET, *(tlv(OCTETS, v) for v in values)),
    )
    return bytes(message(number, tlv(0x64, tlv(OCTETS, b"CN=x"), tlv(SEQUENCE, one))))


def done(number: int, result: int = SUCCESS, said: str = "") -> bytes:
    body = (bytes((result,)), b"", said.encode())
    parts = map(tlv, (ENUMERATED, OCTETS, OCTETS), body)
    return bytes(message(number, tlv(0x65, *parts)))


def test_a_request_is_the_read_of_one_attribute_of_one_object() -> None:
    (read, rest) = decoder.decode(
        bytes(request(300, "<GUID=x>", "tokenGroups")), asn1Spec=LDAPMessage()
    )
    search = read["protocolOp"]["searchRequest"]
    assert not rest
    assert int(read["messageID"]) == 300
    assert bytes(search["baseObject"]) == b"<GUID=x>"
    assert int(search["scope"]) == 0
    assert not bool(search["typesOnly"])
    assert bytes(search["filter"]["present"]) == b"objectClass"
    assert [bytes(each) for each in search["attributes"]] == [b"tokenGroups"]


@pytest.mark.parametrize(
    "condition",
    [
        USER,
        "(objectClass=*)",
        "(memberOf:1.2.840.113556.1.4.1941:=CN=a\\28b,DC=x)",
        "(|(cn=\u00fc*b)(!(uid>=7)))",
    ],
)
def test_what_is_wanted_of_an_object_is_asked_as_ldap3_would(condition: str) -> None:
    attributes = ("objectSid", "tokenGroups")
    theirs = LDAPMessage()
    theirs["messageID"] = MessageID(300)
    theirs["protocolOp"] = ProtocolOp().setComponentByName(
        "searchRequest",
        search_operation(
            *("<GUID=x>", condition, BASE, DEREF_NEVER, attributes),
            *(1, 0, False, True, True),
        ),
    )
    theirs["controls"] = build_controls_list([*descriptor_control.for_ldap3()])  # type: ignore[list-item]  # ldap3's own
    ours = request(
        300,
        "<GUID=x>",
        *attributes,
        condition=encoded(condition),
        controls=descriptor_control.ENCODED,
    )
    true = bytes(ours).replace(b"\x01\x01\xff", b"\x01\x01\x01")  # pyasn1's own
    assert true == encoder.encode(theirs)


@given(st.lists(st.integers(1, 40), max_size=60), st.integers())
def test_each_gets_its_own_however_the_bytes_come(sizes: list[int], seed: int) -> None:
    numbers = list(range(120, 132))
    answers = [
        entry(number, "tokenGroups", b"%d" % number, b"both") + done(number)
        for number in numbers[:-1]
    ] + [done(numbers[-1], NO_SUCH_OBJECT, "none")]
    random.Random(seed).shuffle(answers)
    line = Line(b"".join(answers), sizes)
    found = receive(line, numbers)  # type: ignore[arg-type]  # a line
    for number in numbers[:-1]:
        own = found[number].entry
        assert own is not None
        assert own["TOKENGROUPS"] == [b"%d" % number, b"both"]
    assert found[numbers[-1]] == Found(NO_SUCH_OBJECT, "none", None)
    assert line.answers == len(numbers), "each is waited for anew"


def test_a_refusal_of_one_is_told_when_all_have_answered() -> None:
    line = Line(done(1, BUSY, "later") + entry(2, "a", b"b") + done(2))
    found = receive(line, [1, 2])  # type: ignore[arg-type]  # a line
    assert found[1] == Found(BUSY, "later", None)
    assert found[2].result == SUCCESS


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", ConnectionResetError),
        (done(1)[:-1], ConnectionResetError),
        (done(9), ValueError),
        (done(1) + done(1), ValueError),
        (bytes(message(1, tlv(0x61, tlv(ENUMERATED, b"\0")))), ValueError),
        (done(0), LDAPSessionTerminatedByServerError),
        (b"\x30\x03\x02\x01\x01", IndexError),
    ],
    ids=["end", "half", "no question", "twice", "bind", "notice", "no operation"],
)
def test_what_is_no_answer_is_refused(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        receive(Line(data), [1, 2])  # type: ignore[arg-type]  # a line


@given(st.binary(max_size=200))
def test_garbage_ends_it(data: bytes) -> None:
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever: the line is given up
        receive(Line(data), [1])  # type: ignore[arg-type]  # a line
