"""Several slots of one reader: one that fails does not hide a good token beside it."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pkcs11
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from lab.cards.softhsm import certificate
from pkcs11 import Attribute
from pkcs11 import exceptions as refused

from kiosk.cards.pkcs11.module import Module
from kiosk.cards.pkcs11.sessions import Failure
from kiosk.cards.pkcs11.unblocking import Unblocking

READER = "Virtual PCD 00 00"


def token(serial: bytes, der: bytes) -> SimpleNamespace:
    held = {Attribute.ID: b"\x01", Attribute.VALUE: der}
    session = SimpleNamespace(get_objects=lambda _: [held])
    return SimpleNamespace(
        serial=serial,
        manufacturer_id="maker",
        model="model",
        flags=pkcs11.TokenFlag(0),
        open=lambda **_: nullcontext(session),
    )


def slot(answer: SimpleNamespace | Exception) -> SimpleNamespace:
    def get_token() -> SimpleNamespace:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return SimpleNamespace(slot_description=READER, get_token=get_token)


def module(*slots: SimpleNamespace) -> Any:
    """A module that is loaded already, with these slots."""
    made: Any = object.__new__(Module)
    made._lib = SimpleNamespace(get_slots=lambda **_: list(slots))
    made._library, made._unblocking = "library", Unblocking.NONE
    made._reader, made._serial = "", b""
    made._chosen = made._session = None
    return made


@pytest.fixture(scope="module")
def der() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return certificate(key).public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    "error", [refused.TokenNotRecognised(), refused.DeviceError()], ids=repr
)
@pytest.mark.parametrize("first", [True, False])
def test_a_good_token_is_found_and_used_beside_a_slot_that_fails(
    der: bytes, error: Exception, *, first: bool
) -> None:
    good, bad = slot(token(b"77", der)), slot(error)
    loaded = module(*((bad, good) if first else (good, bad)))
    told = loaded.find(READER)
    assert (told.serial, told.certificate) == (b"77", der)
    assert loaded._slot() is good


def test_a_token_that_nobody_recognises_is_unknown_and_has_not_left() -> None:
    with pytest.raises(Failure) as caught:
        module(slot(refused.TokenNotRecognised())).find(READER)
    assert caught.value.why == "unknown"


def test_a_slot_that_fails_alone_says_how() -> None:
    with pytest.raises(refused.DeviceError):
        module(slot(refused.DeviceError())).find(READER)


ALIKE = "HID Global OMNIKEY 3x21 Smart Card Reader [OMNIKEY 3x21 Smart Card Reader] "
"""A real one: its number is beyond the 64 bytes that a slot's description has."""


def test_a_card_beside_another_in_readers_that_are_called_alike_is_not_guessed(
    der: bytes,
) -> None:
    slots = [slot(token(b"77", der)), slot(token(b"78", der))]
    for each in slots:
        each.slot_description = ALIKE[:64]
    for number in ("00 00", "01 00"):
        with pytest.raises(Failure) as caught:
            module(*slots).find(ALIKE + number)
        assert caught.value.why == "broken"
    told = module(slots[0]).find(f"{ALIKE}00 00")
    assert told.serial == b"77"


def test_a_card_with_two_tokens_is_one(der: bytes) -> None:
    slots = [slot(token(b"77", der)), slot(token(b"77", b""))]
    for each in slots:
        each.slot_description = ALIKE[:64]
    assert module(*slots).find(f"{ALIKE}00 00").certificate == der


def test_a_token_that_is_not_there_any_more_has_left(der: bytes) -> None:
    good = slot(token(b"77", der))
    loaded = module(good)
    loaded.find(READER)
    loaded._lib.get_slots = lambda **_: [slot(refused.TokenNotRecognised())]
    with pytest.raises(Failure) as caught:
        loaded._slot()
    assert caught.value.why == "removed"
