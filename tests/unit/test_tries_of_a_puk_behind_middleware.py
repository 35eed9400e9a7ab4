"""The PUK of a token is its security officer's PIN: what is told of that one counts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pkcs11 import TokenFlag
from pkcs11 import exceptions as refused

from kiosk.cards.errors import ModuleFailed, PukBlocked, WrongPuk
from kiosk.cards.pkcs11 import child, messages
from kiosk.cards.pkcs11.card import Pkcs11Card
from kiosk.cards.pkcs11.module import Module
from kiosk.cards.pkcs11.unblocking import Unblocking
from kiosk.cards.values import PukTold, Tries
from kiosk.core.secret import Secret

READER = "Virtual PCD 00 00"
FINAL, LOCKED = TokenFlag.SO_PIN_FINAL_TRY, TokenFlag.SO_PIN_LOCKED
NO_FLAG = TokenFlag(0)


class Token:
    """A locked token whose security officer's PIN nobody knows."""

    serial, manufacturer_id, model = b"77", "maker", "model"

    def __init__(self, flags: TokenFlag, after: TokenFlag) -> None:
        self._officer, self._after = flags, after

    @property
    def flags(self) -> TokenFlag:
        return self._officer | TokenFlag.USER_PIN_LOCKED

    def open(self, **asked: object) -> Any:
        if "so_pin" in asked:
            self._officer = self._after
            raise refused.PinIncorrect
        raise refused.TokenNotRecognised  # there is nothing to read


class Middleware:
    """`pkcs11.process.Middleware` with the module in this process."""

    def __init__(self, token: Token, unblocking: Unblocking) -> None:
        slot = SimpleNamespace(slot_description=READER, get_token=lambda: token)
        module: Any = object.__new__(Module)
        module._lib = SimpleNamespace(
            get_slots=lambda **_: [slot], reinitialize=lambda: None
        )
        module._library, module._unblocking = "library", unblocking
        module._reader, module._serial = "", b""
        module._chosen = module._session = None
        module._certificate = lambda _: None
        self._module = module

    def ask(self, request: messages.Request) -> messages.Answer:
        return child._answer(self._module, request)

    def failed(self, why: str) -> ModuleFailed:
        return ModuleFailed(module="", why=why)

    def close(self) -> None:
        return


def card(
    flags: TokenFlag,
    unblocking: Unblocking = Unblocking.INIT_PIN,
    after: TokenFlag = NO_FLAG,
) -> Pkcs11Card:
    process = Middleware(Token(flags, after), unblocking)
    return Pkcs11Card(process, reader=READER, insertion=1)


@pytest.mark.parametrize(
    ("flags", "tries"), [(FINAL, Tries(1)), (LOCKED, Tries(0)), (NO_FLAG, None)]
)
def test_a_token_tells_that_its_puk_has_one_try_left_or_none(
    flags: TokenFlag, tries: Tries | None
) -> None:
    inserted = card(flags)
    seen = inserted.recognise()
    assert seen.puk_tries == tries
    with inserted.session(seen.identity) as session:
        assert session.puk_tries() == (None if tries is None else PukTold(tries))


@pytest.mark.parametrize("unblocking", [Unblocking.SET_PIN, Unblocking.PREFIXES])
def test_what_does_not_unblock_says_nothing_of_the_puk(unblocking: Unblocking) -> None:
    assert card(FINAL | LOCKED, unblocking).recognise().puk_tries is None


def test_a_wrong_puk_leaves_as_many_tries_as_the_token_tells_then() -> None:
    inserted = card(NO_FLAG, after=FINAL)
    with (
        inserted.session(inserted.recognise().identity) as session,
        pytest.raises(WrongPuk) as caught,
    ):
        session.unblock(Secret(b"75318642"), Secret(b"271828"))
    assert caught.value.tries_left == 1


def test_a_wrong_puk_that_was_the_last_has_blocked_it() -> None:
    inserted = card(NO_FLAG, after=LOCKED)
    with (
        inserted.session(inserted.recognise().identity) as session,
        pytest.raises(PukBlocked),
    ):
        session.unblock(Secret(b"75318642"), Secret(b"271828"))
