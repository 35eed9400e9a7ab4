"""Change and activate: the old PIN is known, so the proof comes before the card.

One card transaction spans VERIFY, signature, CHANGE, VERIFY and logout when the
authority answers within `AUTHORISE_SECONDS`; otherwise the card is let go while
the authority thinks, and a second transaction identifies it again. What was said by
then may be old, so the authority is asked once more before the card is changed.
"""

from __future__ import annotations

from kiosk.authority.values import Prepared
from kiosk.cards.ports import CardSession
from kiosk.core.secret import Secret
from kiosk.core.workers import PendingJob
from kiosk.visit import ending, puk, results
from kiosk.visit.run import AUTHORISE_SECONDS, Run
from kiosk.visit.views import Result, VisitStep
from statemachine.operation import Kind


def change(run: Run, prepared: Prepared, old: Secret, new: Secret) -> Result:
    """Change the PIN on the card, then the password."""
    return _change(run, prepared, Kind.CHANGE, old, new)


def activate(run: Run, prepared: Prepared, transport: Secret, new: Secret) -> Result:
    """Like a change: the old PIN is the transport PIN, sent at most once."""
    return _change(run, prepared, Kind.ACTIVATE, transport, new)


def _change(
    run: Run, prepared: Prepared, kind: Kind, old: Secret, new: Secret
) -> Result:
    run.judge(new, old)
    sealed = run.seal(new, prepared.seal_to) if prepared.seal_to else b""
    with run.session() as session:
        authorised = _prove(run, prepared, session, old, sealed)
        if _in_time(run, authorised):
            _change_card(run, prepared, session, old, new, asks=not _goes_on(prepared))
    if not run.touched:
        _wait(run, authorised)
        with run.session() as session:
            _change_card(run, prepared, session, old, new, asks=True)
    if not prepared.password_follows:
        return results.card_only(run, kind)
    return ending.write(run, kind, sealed, old=old, new=new)


def _prove(
    run: Run, prepared: Prepared, session: CardSession, old: Secret, sealed: bytes
) -> PendingJob[None] | None:
    """VERIFY the old PIN and sign; None where there is nothing to authorise."""
    with run.step(VisitStep.PROVE):
        run.verify_typed(session, old)
        challenge = prepared.challenge
        if prepared.seal_to is None:
            return None
        nonce, signature = b"", b""
        if challenge is not None:
            nonce = challenge.nonce
            signature = run.sign(session, challenge, sealed)
    going_on = _goes_on(prepared)
    return run.submit(
        lambda it: it.authorise(
            run.operation, nonce, signature, sealed, going_on=going_on
        )
    )


def _goes_on(prepared: Prepared) -> bool:
    """Say whether the card's PIN is the next thing to be changed, once authorised."""
    return prepared.seal_to is not None and not prepared.puk_due


def _in_time(run: Run, authorised: PendingJob[None] | None) -> bool:
    """Say whether the authority said yes while the card was still ours."""
    if authorised is None:
        return True
    with run.step(VisitStep.AUTHORISE) as step:
        if not authorised.wait(AUTHORISE_SECONDS):
            step.failed = True
            return False
        authorised.result()
    return True


def _wait(run: Run, authorised: PendingJob[None] | None) -> None:
    if authorised is not None:
        with run.step(VisitStep.AUTHORISE):
            authorised.result()


def _change_card(
    run: Run,
    prepared: Prepared,
    session: CardSession,
    old: Secret,
    new: Secret,
    *,
    asks: bool,
) -> None:
    """Change it. `asks`: the authority has not just said that it may be changed."""
    with run.step(VisitStep.CARD):
        puk.replace(run, session)
        if asks:
            run.card_changing()
        with run.card_may_change():
            session.change_pin(old, new)
        run.verify_new(session, new)
        session.logout()
        if not prepared.password_follows:
            run.card_changed()
