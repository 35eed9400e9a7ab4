"""Finish: the card already has its PIN; the password is brought to the same value."""

from __future__ import annotations

from kiosk.authority.values import Prepared
from kiosk.core.secret import Secret
from kiosk.visit import ending, puk
from kiosk.visit.run import Run
from kiosk.visit.views import Result, VisitStep
from statemachine.operation import Kind


def finish(run: Run, prepared: Prepared, current: Secret) -> Result:
    """Verify the PIN on the card, sign, write. RulesBroken: it becomes a change."""
    to = prepared.seal_to
    if to is None:
        raise ValueError("a finish is prepared only where the password follows")
    run.judge(current)
    sealed = run.seal(current, to)
    challenge = prepared.challenge
    with run.session() as session:
        with run.step(VisitStep.PROVE):
            run.verify_typed(session, current)
            nonce, signature = b"", b""
            if challenge is not None:
                nonce = challenge.nonce
                signature = run.sign(session, challenge, sealed)
        with run.step(VisitStep.AUTHORISE):
            run.ask(
                lambda it: it.authorise(
                    run.operation, nonce, signature, sealed, going_on=False
                )
            )
        puk.replace(run, session)
        session.logout()
    return ending.write(run, Kind.FINISH, sealed, old=None, new=current)
