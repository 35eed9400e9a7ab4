"""Unblock, and an activation that was interrupted: the card must come first.

The signature needs a working PIN, so everything but the write is asked before
the card, and there is no way back: if the directory refuses the value, the
person may choose another PIN at once, else the credential is out of step.
"""

from __future__ import annotations

from collections.abc import Callable

from kiosk.authority.errors import CodeMistyped
from kiosk.authority.values import Challenge, Prepared
from kiosk.cards.ports import CardSession
from kiosk.core.secret import Secret
from kiosk.core.workers import PendingJob
from kiosk.pin.challenges import heard
from kiosk.visit import ending, puk, results
from kiosk.visit.run import AUTHORISE_SECONDS, Run
from kiosk.visit.views import Result, VisitStep
from statemachine.candidates import Label
from statemachine.operation import Kind


def with_release(run: Run, prepared: Prepared, kind: Kind, new: Secret) -> Result:
    """Set a new PIN with the escrowed PUK; the code was redeemed before."""
    run.judge(new)
    with run.session() as session:
        told = puk.tries_told(run, session)
        with run.step(VisitStep.PROVE):
            first = puk.released(run, session, told)
        with run.step(VisitStep.CARD):
            with run.card_may_change():
                taken = puk.send_in_turn(
                    run, first, lambda it: session.unblock(it, new)
                )
            run.verify_new(session, new)
        sealed = _proven(run, prepared, session, new, taken)
    return _end(run, kind, sealed, new)


def with_holder_puk(
    run: Run, prepared: Prepared, kind: Kind, typed: Secret, new: Secret
) -> Result:
    """Set a new PIN with the PUK the holder typed: one try per entry."""
    run.judge(new)
    with run.session() as session:
        told = puk.tries_told(run, session)
        with run.step(VisitStep.CARD):
            taken = puk.send_typed(run, told, lambda: session.unblock(typed, new))
            run.verify_new(session, new)
        sealed = _proven(run, prepared, session, new, taken)
    return _end(run, kind, sealed, new)


def with_admin_key(run: Run, prepared: Prepared, kind: Kind, new: Secret) -> Result:
    """Set a new PIN while card and authority have shown each other the same key."""
    run.judge(new)
    with run.session() as session:
        with run.step(VisitStep.PROVE):
            ours = run.ask(lambda it: it.admin_challenge(run.operation))
            cards = session.begin_mutual(ours)
            proof = run.ask(lambda it: it.admin_proof(run.operation, cards))
            answered = session.end_mutual(proof.cryptogram)
            run.ask(lambda it: it.admin_proven(run.operation, answered))
        with run.step(VisitStep.CARD):
            with run.card_may_change():
                session.reset_pin(new)
            run.verify_new(session, new)
        sealed = _proven(run, prepared, session, new)
    return _end(run, kind, sealed, new)


def with_response(
    run: Run,
    prepared: Prepared,
    kind: Kind,
    held: CardSession,
    *,
    let_go: Callable[[], None],
    response: Secret,
    new: Secret,
) -> Result:
    """Set a new PIN with the answer that came by telephone; the card is held until
    `let_go`.
    """
    run.judge(new)
    block = heard(response)
    if block is None:
        raise CodeMistyped
    try:
        with run.step(VisitStep.CARD):
            run.card_changing()
            with run.card_may_change():
                held.answer(bytes(block), new)
            run.verify_new(held, new)
    finally:
        block[:] = bytes(len(block))
    sealed = _proven(run, prepared, held, new)
    let_go()
    return _end(run, kind, sealed, new)


def _proven(
    run: Run,
    prepared: Prepared,
    session: CardSession,
    new: Secret,
    taken: Label | None = None,
) -> bytes | None:
    """Do what still needs the card; return what is to be written; None: nothing is.

    A PUK that is due is replaced while the card is ours; not where the authority is
    slow, for each of its answers would keep the card longer. `taken`: the PUK that the
    card took; it counts once the new PIN was verified.
    """
    if prepared.seal_to is None:
        if taken is not None:
            run.ask(lambda it: it.puk_accepted(run.operation, taken))
        puk.replace(run, session)
        run.card_changed()
        return None
    challenge = run.card_changed(taken)
    if challenge is None:
        raise ValueError("a password that follows is written after a proof")
    sealed, pending = _prove(run, session, challenge, new)
    puk.replace(run, session, in_time=run.is_answered(pending))
    session.logout()
    run.wait_for(pending)
    return sealed


def _end(run: Run, kind: Kind, sealed: bytes | None, new: Secret) -> Result:
    """Let the password follow; the card is not held any more."""
    if sealed is None:
        return results.card_only(run, kind)
    return ending.write(run, kind, sealed, old=None, new=new)


def _prove(
    run: Run, session: CardSession, challenge: Challenge, new: Secret
) -> tuple[bytes, PendingJob[None]]:
    """Sign for the write. VERIFY was the last command the card got."""
    with run.step(VisitStep.AUTHORISE) as step:
        sealed = run.seal(new, challenge)
        signature = b""
        if challenge.key_slot:
            signature = run.sign(session, challenge, sealed)
        pending = run.submit(
            lambda it: it.authorise(
                run.operation, challenge.nonce, signature, sealed, going_on=False
            )
        )
        step.failed = not pending.wait(AUTHORISE_SECONDS)
    return sealed, pending
