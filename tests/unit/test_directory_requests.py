"""The two requests that hold a password, byte by byte."""

from __future__ import annotations

import ldap3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldap3.operation.bind import bind_operation
from ldap3.operation.modify import modify_operation
from ldap3.protocol.rfc4511 import LDAPMessage, MessageID, ProtocolOp
from pyasn1.codec.ber import encoder

from kiosk.core.secret import Secret
from kiosk.directory.ldap import ber, secret_requests

pytestmark = pytest.mark.slow

NUMBERS = st.integers(1, 2**31 - 1)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=300)


def encoded(number: int, kind: str, operation: object) -> bytes:
    """Return an operation as ldap3 encodes it."""
    message = LDAPMessage()
    message["messageID"] = MessageID(number)
    message["protocolOp"] = ProtocolOp().setComponentByName(kind, operation)
    whole: bytes = encoder.encode(message)
    return whole


def test_a_bind_is_the_bytes_of_rfc_4511() -> None:
    with Secret(b"pw") as password:
        request = secret_requests.bind(5, "ann@ad.test", password)
    assert request == bytes.fromhex(
        "3019"  # message
        "020105"  # number 5
        "6014"  # bind
        "020103"  # version 3
        "040b" + b"ann@ad.test".hex() + "8002" + b"pw".hex()
    )


def test_a_reset_is_one_modify_of_password_and_lock() -> None:
    with Secret(b"12") as password:
        request = secret_requests.reset(300, "<GUID=x>", password)
    quoted = '"12"'.encode("utf-16-le").hex()
    assert (
        request
        == bytes.fromhex(
            "304a"  # message
            "0202012c"  # number 300
            "6644"  # modify
            "0408" + b"<GUID=x>".hex() + "3038"  # two changes
            "301d0a0102"  # replace
            "3018040a"
            + b"unicodePwd".hex()
            + "310a0408"
            + quoted
            + "30170a0102"  # replace
            "3012040b" + b"lockoutTime".hex() + "3103040130"
        )
    )


def test_policy_hints_are_a_critical_control_of_the_message() -> None:
    with Secret(b"12") as password:
        plain = secret_requests.reset(300, "<GUID=x>", password)
        hinted = secret_requests.reset(300, "<GUID=x>", password, "1.2.840")
    control = bytes.fromhex(
        "a015"  # controls
        "3013"  # one of them
        "0407" + b"1.2.840".hex() + "0101ff"  # critical
        "0405"
        "3003020101"  # flags: 1
    )
    assert hinted[0] == plain[0]
    assert hinted[2:] == plain[2:] + control
    assert hinted[1] == plain[1] + len(control)


def test_an_empty_password_is_never_a_bind() -> None:
    with pytest.raises(ValueError, match="nobody"):
        secret_requests.bind(1, "ann@ad.test", Secret(b""))


@given(TEXTS)
def test_any_text_is_quoted_utf16(text: str) -> None:
    with Secret(text.encode()) as password:
        assert secret_requests.quoted_utf16(password) == f'"{text}"'.encode("utf-16-le")


OVERLONG = [
    b"\xc0\xb1",
    b"\xc1\xbf",
    b"\xe0\x80\xb1",
    b"\xe0\x9f\xbf",
    b"\xf0\x80\x80\xb1",
]
SURROGATES = [b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xed\xa0\xbd\xed\xb8\x80"]
BEYOND = [b"\xf4\x90\x80\x80", b"\xf7\xbf\xbf\xbf"]


@pytest.mark.parametrize(
    "broken",
    [
        *(b"\xff", b"\x80", b"a\xc3", b"\xe2\x82", b"\xf0\x9f\x94", b"\xc3("),
        # One value would be written, and another signed in with.
        *OVERLONG,
        *SURROGATES,
        *BEYOND,
    ],
)
def test_bytes_that_are_no_text_are_refused(broken: bytes) -> None:
    with pytest.raises(ValueError, match="text"):
        secret_requests.quoted_utf16(Secret(broken))


@given(NUMBERS, st.text(min_size=1, max_size=200), TEXTS.filter(bool))
def test_any_bind_is_what_ldap3_would_send(number: int, name: str, text: str) -> None:
    theirs = bind_operation(3, ldap3.SIMPLE, name, text.encode())
    with Secret(text.encode()) as password:
        ours = secret_requests.bind(number, name, password)
    assert ours == encoded(number, "bindRequest", theirs)


@given(NUMBERS, st.text(min_size=1, max_size=200), TEXTS)
def test_any_reset_is_what_ldap3_would_send(number: int, dn: str, text: str) -> None:
    changes = {
        "unicodePwd": [(ldap3.MODIFY_REPLACE, [f'"{text}"'.encode("utf-16-le")])],
        "lockoutTime": [(ldap3.MODIFY_REPLACE, [b"0"])],
    }
    theirs = modify_operation(dn, changes, False)
    with Secret(text.encode()) as password:
        ours = secret_requests.reset(number, dn, password)
    assert ours == encoded(number, "modifyRequest", theirs)


def test_the_password_itself_is_left_to_its_owner() -> None:
    password = Secret("pässwörd".encode())
    secret_requests.bind(1, "a", password)
    secret_requests.reset(1, "a", password)
    assert password == Secret("pässwörd".encode())


def test_no_buffer_on_the_way_keeps_the_password() -> None:
    buffer = bytearray(b"secret")
    whole = ber.tlv(4, b"public", buffer)
    assert whole == b"\x04\x0cpublicsecret"
    assert buffer == bytes(6)


def test_wiping_leaves_zeros() -> None:
    request = secret_requests.bind(1, "a", Secret(b"secret"))
    ber.wipe(request)
    assert set(request) == {0}
