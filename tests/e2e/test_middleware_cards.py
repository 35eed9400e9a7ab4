"""Our client through OpenSC's and Yubico's modules, on a card in a real reader.

Both have a PIV card behind them here, which natively would be asked first: what a
module makes of its counters, keys and refusals is what is looked at.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest
from lab.cards.judges import PIN, PUK, Judge, judged, opensc, ykcs11
from lab.cards.pcscd import Pcscd

from kiosk.authority.proof.signature import is_valid
from kiosk.cards.errors import (
    CardRemoved,
    LastTryKept,
    NotSupported,
    PinBlocked,
    PinRefused,
    UnknownCard,
    WrongPin,
    WrongPuk,
)
from kiosk.cards.pkcs11.card import Pkcs11Card
from kiosk.cards.pkcs11.process import ModuleProcess
from kiosk.cards.pkcs11.unblocking import Unblocking
from kiosk.cards.ports import CardSession
from kiosk.cards.values import KeyAlgorithm, KeySlot, Tries
from kiosk.core.secret import Secret
from kiosk.simulation.cards.options import PivOptions, of_yubikey
from storage.records import PublicKey

pytestmark = pytest.mark.pcscd

OWN, NEW, WRONG = Secret(PIN), Secret(b"481516"), Secret(b"999999")
ALGORITHMS = (KeyAlgorithm.RSA_2048, KeyAlgorithm.P256, KeyAlgorithm.P384)


class Middleware(Protocol):
    """Puts a card behind OpenSC's module."""

    def __call__(
        self, algorithm: KeyAlgorithm = KeyAlgorithm.P256, *, style: str = ""
    ) -> tuple[Judge, Pkcs11Card]:
        """`style`: OpenSC's user_pin_unblock_style."""


@pytest.fixture
def behind_opensc(
    pcscd: Pcscd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Middleware]:
    """Put a card into the reader and OpenSC's module in front of it."""
    with ExitStack() as stack:

        def put(
            algorithm: KeyAlgorithm = KeyAlgorithm.P256, *, style: str = ""
        ) -> tuple[Judge, Pkcs11Card]:
            settings = tmp_path / "opensc.conf"
            line = f"user_pin_unblock_style = {style};" if style else ""
            settings.write_text(f"app opensc-pkcs11 {{\n pkcs11 {{\n {line}\n}}\n}}\n")
            monkeypatch.setenv("OPENSC_CONF", str(settings))
            context = judged(pcscd, PivOptions(), tmp_path, algorithm)
            judge = stack.enter_context(context)
            process = ModuleProcess(Path(opensc()), Unblocking.AUTO)
            card = Pkcs11Card(process, reader=judge.card.reader, insertion=1)
            stack.callback(card.close)
            return judge, card

        yield put


@pytest.fixture
def behind_ykcs11(pcscd: Pcscd, tmp_path: Path) -> Iterator[tuple[Judge, Pkcs11Card]]:
    """A YubiKey in a reader of its name, and Yubico's module in front of it."""
    pcscd.start_as_yubikeys()
    with judged(pcscd, of_yubikey(12345678), tmp_path) as judge:
        process = ModuleProcess(Path(ykcs11()), Unblocking.AUTO)
        card = Pkcs11Card(process, reader=judge.card.reader, insertion=1)
        yield judge, card
        card.close()


def signs(judge: Judge, card: Pkcs11Card, pin: Secret) -> bool:
    """Log in and say whether what is signed belongs to the card's own key."""
    made = judge.made.authentication
    key = PublicKey(slot="9A", algorithm=made.algorithm, spki=made.spki)
    with card.session(card.recognise().identity) as session:
        session.verify(pin)
        signed = session.sign(
            KeySlot.AUTHENTICATION, KeyAlgorithm(key.algorithm), b"nonce"
        )
    return is_valid(key, b"nonce", signed)


def ask_until_noticed(session: CardSession) -> None:
    """Give the service a moment to see that the card has left."""
    for _ in range(50):
        session.tries()
        time.sleep(0.1)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_opensc_changes_the_pin_and_signs(
    behind_opensc: Middleware, algorithm: KeyAlgorithm
) -> None:
    judge, card = behind_opensc(algorithm)
    with card.session(card.recognise().identity) as session:
        session.change_pin(OWN, NEW)
    assert signs(judge, card, NEW)
    with judge.card.session(judge.card.recognise().identity) as native:
        native.verify(NEW)


def test_every_wrong_pin_counts_once(behind_opensc: Middleware) -> None:
    judge, card = behind_opensc()
    with card.session(card.recognise().identity) as session:
        with pytest.raises(WrongPin) as first:
            session.verify(WRONG)
        assert first.value.tries_left == -1
        assert judge.made.card.pin_tries_left == 2
        with pytest.raises(WrongPin) as second:
            session.change_pin(WRONG, NEW)
        assert second.value.tries_left == 1
        assert judge.made.card.pin_tries_left == 1


def test_the_last_try_is_left_to_the_helpdesk(behind_opensc: Middleware) -> None:
    judge, card = behind_opensc()
    identity = card.recognise().identity
    judge.made.card.set_tries(pin=1)
    assert card.recognise().pin_tries == Tries(1)
    with card.session(identity) as session:
        for attempt in (
            partial(session.verify, OWN),
            partial(session.change_pin, OWN, NEW),
        ):
            with pytest.raises(LastTryKept):
                attempt()
        assert session.tries() == Tries(1)
    assert judge.made.card.pin_tries_left == 1


def test_a_blocked_pin_is_seen_and_never_tried(behind_opensc: Middleware) -> None:
    judge, card = behind_opensc()
    judge.made.card.set_tries(pin=0)
    found = card.recognise()
    assert found.pin_tries.is_blocked
    with card.session(found.identity) as session, pytest.raises(PinBlocked):
        session.verify(OWN)


def test_opensc_is_not_asked_to_unblock_unless_it_is_configured_to(
    behind_opensc: Middleware,
) -> None:
    """Else it would send the PUK as a PIN, which costs a try."""
    judge, card = behind_opensc()
    found = card.recognise()
    assert not found.has_puk
    with card.session(found.identity) as session, pytest.raises(NotSupported):
        session.unblock(Secret(PUK), NEW)
    assert judge.made.card.pin_tries_left == 3


def test_opensc_unblocks_in_the_style_it_is_configured_for(
    behind_opensc: Middleware,
) -> None:
    judge, card = behind_opensc(style="set_pin_in_unlogged_session")
    judge.made.card.set_tries(pin=0)
    found = card.recognise()
    assert found.has_puk
    with card.session(found.identity) as session:
        with pytest.raises(WrongPuk):
            session.unblock(Secret(b"99999999"), NEW)
        session.unblock(Secret(PUK), NEW)
    assert signs(judge, card, NEW)


def test_a_card_that_leaves_is_noticed_in_the_middle(
    behind_opensc: Middleware, pcscd: Pcscd
) -> None:
    _, card = behind_opensc()
    identity = card.recognise().identity
    with card.session(identity) as session:
        session.verify(OWN)
        pcscd.readers[0].pull()
        with pytest.raises((CardRemoved, UnknownCard)):
            ask_until_noticed(session)
    with pytest.raises(UnknownCard):
        card.recognise()


def test_yubicos_module_changes_unblocks_and_signs(
    behind_ykcs11: tuple[Judge, Pkcs11Card],
) -> None:
    judge, card = behind_ykcs11
    found = card.recognise()
    assert found.has_puk
    with card.session(found.identity) as session:
        session.change_pin(OWN, NEW)
    assert signs(judge, card, NEW)
    judge.made.card.set_tries(pin=0)
    with card.session(found.identity) as session:
        with pytest.raises((WrongPuk, PinRefused)):
            session.unblock(Secret(b"99999999"), OWN)
        session.unblock(Secret(PUK), OWN)
    assert signs(judge, card, OWN)


def test_the_attestation_of_a_key_is_not_taken_for_its_certificate(
    behind_ykcs11: tuple[Judge, Pkcs11Card],
) -> None:
    judge, card = behind_ykcs11
    with card.session(card.recognise().identity) as session:
        der = session.certificate(KeySlot.AUTHENTICATION)
    assert der == judge.made.authentication.certificate
