"""Change, activate and unblock at the reader's own keys: only the card learns the PIN.

The password cannot follow, which the authority has said before and the person has
confirmed. The card's answer is the end: nothing was typed here that could be tried.
"""

from __future__ import annotations

from collections.abc import Callable

from kiosk.cards.ports import CardSession, WrongPuk
from kiosk.visit import puk, results
from kiosk.visit.run import Run
from kiosk.visit.views import Result, Step
from statemachine.operation import Kind
from storage.records import UnblockWay


def change(run: Run, kind: Kind) -> Result:
    """Have old and new PIN typed at the pad: a change, or a first PIN."""
    with run.session() as session:
        _set(run, lambda: session.change_pin_at_pad())
    return results.card_only(run, kind)


def unblock(run: Run, kind: Kind) -> Result:
    """Have a new PIN typed there; the PUK, too, where the holder has it."""
    with run.session() as session:
        if run.case.unblock_way is UnblockWay.HOLDER_PUK:
            _set(run, lambda: session.unblock_at_pad(None))
        else:
            _with_release(run, session)
            puk.replace(run, session)
    return results.card_only(run, kind)


def _with_release(run: Run, session: CardSession) -> None:
    """Try each released PUK at most once; a wrong one is counted durably first."""
    with run.step(Step.PROVE):
        nonce, signature = run.prove_presence(session)
        released = run.ask(lambda it: it.release(run.operation, nonce, signature))

    def set_pin() -> None:
        refused: WrongPuk | None = None
        for label, secret in zip(released.labels, released.secrets, strict=True):
            try:
                session.unblock_at_pad(secret)
            except WrongPuk as error:
                refused = error
                run.ask(lambda it: it.puk_wrong(run.operation))
            else:
                _accepted(run, label)
                return
        raise refused or WrongPuk(-1)

    try:
        _set(run, set_pin)
    finally:
        for secret in released.secrets:
            secret.wipe()


def _accepted(run: Run, label: str) -> None:
    run.ask(lambda it: it.puk_accepted(run.operation, label))


def _set(run: Run, set_pin: Callable[[], None]) -> None:
    with run.step(Step.PAD):
        run.card_changing()
        with run.definite_until_done():
            set_pin()
        run.card_changed()
