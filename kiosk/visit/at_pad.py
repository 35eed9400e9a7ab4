"""Change, activate and unblock at the reader's own keys: only the card learns the PIN.

The password cannot follow, which the authority has said before and the person has
confirmed. The card's answer is the end: nothing was typed here that could be tried.
"""

from __future__ import annotations

from kiosk.cards.ports import CardSession
from kiosk.visit import puk, results
from kiosk.visit.run import Run
from kiosk.visit.views import Result, VisitStep
from statemachine.candidates import Label
from statemachine.operation import Kind
from storage.records import UnblockMethod


def change(run: Run, kind: Kind) -> Result:
    """Have old and new PIN typed at the pad: a change, or a first PIN."""
    with run.session() as session:
        run.keep_last_try(session)
        puk.replace(run, session)
        with run.step(VisitStep.PAD):
            run.card_changing()
            with run.card_may_change():
                session.change_pin_at_pad()
            run.card_changed()
    return results.card_only(run, kind)


def unblock(run: Run, kind: Kind) -> Result:
    """Have a new PIN typed there; the PUK, too, where the holder has it.

    The card's answer is the end: nobody here knows a PIN that could be verified.
    """
    with run.session() as session:
        told = puk.tries_told(run, session)
        if run.case.unblock_method is UnblockMethod.HOLDER_PUK:
            with run.step(VisitStep.PAD):
                taken = puk.send_typed(run, told, lambda: session.unblock_at_pad(None))
                _end(run, session, taken)
        else:
            with run.step(VisitStep.PROVE):
                first = puk.released(run, session, told)
            with run.step(VisitStep.PAD):
                with run.card_may_change():
                    taken = puk.send_in_turn(run, first, session.unblock_at_pad)
                _end(run, session, taken)
    return results.card_only(run, kind)


def _end(run: Run, session: CardSession, taken: Label) -> None:
    run.ask(lambda it: it.puk_accepted(run.operation, taken))
    puk.replace(run, session)
    run.card_changed()
