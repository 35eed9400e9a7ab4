"""Unblock, and an activation that was interrupted: the card must come first.

The signature needs a working PIN, so everything but the write is asked before
the card, and there is no way back: if the directory refuses the value, the
person may choose another PIN at once, else the credential is out of step.
"""

from __future__ import annotations

from collections.abc import Callable

from kiosk.authority.ports import Challenge, CodeMistyped, Prepared, Release
from kiosk.cards.ports import CardSession, WrongPuk
from kiosk.secret import Secret
from kiosk.telephone import heard
from kiosk.visit import ending, puk, results
from kiosk.visit.run import AUTHORISE_SECONDS, Run
from kiosk.visit.views import Result, Step
from kiosk.workers import Pending
from statemachine.operation import Kind


def with_release(run: Run, prepared: Prepared, kind: Kind, new: Secret) -> Result:
    """Set a new PIN with the escrowed PUK; the code was redeemed before."""
    run.judge(new)
    sealed = b""
    with run.session() as session:
        released = _released(run, session)
        try:
            _set_pin(run, session, released, new)
        finally:
            for secret in released.secrets:
                secret.wipe()
        sealed, pending = _prove(run, prepared, session, new)
        puk.replace(run, session)
        session.logout()
    return _write(run, prepared, kind, pending, sealed, new)


def with_holder_puk(
    run: Run, prepared: Prepared, kind: Kind, typed: Secret, new: Secret
) -> Result:
    """Set a new PIN with the PUK the holder typed: one try per entry."""
    run.judge(new)
    with run.session() as session:
        _reset(run, session, new, lambda: session.unblock(typed, new))
        sealed, pending = _prove(run, prepared, session, new)
        session.logout()
    return _write(run, prepared, kind, pending, sealed, new)


def with_admin_key(run: Run, prepared: Prepared, kind: Kind, new: Secret) -> Result:
    """Set a new PIN while card and authority have shown each other the same key."""
    run.judge(new)
    with run.session() as session:
        with run.step(Step.PROVE):
            ours = run.ask(lambda it: it.admin_challenge(run.operation))
            cards = session.begin_mutual(ours)
            proof = run.ask(lambda it: it.admin_proof(run.operation, cards))
            answered = session.end_mutual(proof.cryptogram)
            run.ask(lambda it: it.admin_proven(run.operation, answered))
        _reset(run, session, new, lambda: session.reset_pin(new))
        sealed, pending = _prove(run, prepared, session, new)
        session.logout()
    return _write(run, prepared, kind, pending, sealed, new)


def with_response(
    run: Run,
    prepared: Prepared,
    kind: Kind,
    held: CardSession,
    *,
    response: Secret,
    new: Secret,
) -> Result:
    """Set a new PIN with the answer that came by telephone; the card is held."""
    run.judge(new)
    block = heard(response)
    if block is None:
        raise CodeMistyped
    try:
        _reset(run, held, new, lambda: held.answer(bytes(block), new))
    finally:
        block[:] = bytes(len(block))
    sealed, pending = _prove(run, prepared, held, new)
    held.logout()
    return _write(run, prepared, kind, pending, sealed, new)


def _reset(
    run: Run, session: CardSession, new: Secret, set_pin: Callable[[], None]
) -> None:
    with run.step(Step.CARD):
        run.card_changing()
        with run.definite_until_done():
            set_pin()
        session.verify(new)
        run.card_changed()


def _released(run: Run, session: CardSession) -> Release:
    with run.step(Step.PROVE):
        nonce, signature = run.prove_presence(session)
        return run.ask(lambda it: it.release(run.operation, nonce, signature))


def _set_pin(run: Run, session: CardSession, released: Release, new: Secret) -> None:
    """Try each released PUK at most once; a wrong one is counted durably first."""
    with run.step(Step.CARD):
        run.card_changing()
        with run.definite_until_done():
            label = _unblock(run, session, released, new)
        run.ask(lambda it: it.puk_accepted(run.operation, label))
        session.verify(new)
        run.card_changed()


def _unblock(run: Run, session: CardSession, released: Release, new: Secret) -> str:
    refused: WrongPuk | None = None
    for label, secret in zip(released.labels, released.secrets, strict=True):
        try:
            session.unblock(secret, new)
        except WrongPuk as error:
            refused = error
            run.ask(lambda it: it.puk_wrong(run.operation))
        else:
            return label
    raise refused or WrongPuk(-1)


def _prove(
    run: Run, prepared: Prepared, session: CardSession, new: Secret
) -> tuple[bytes, Pending[None] | None]:
    """Sign for the write. VERIFY was the last command the card got."""
    if prepared.seal_to is None:
        return b"", None
    with run.step(Step.AUTHORISE) as step:
        challenge: Challenge = run.ask(lambda it: it.renew_nonce(run.operation))
        sealed = run.seal(new, challenge)
        signature = b""
        if challenge.key_slot:
            signature = run.sign(session, challenge, sealed)
        pending = run.submit(
            lambda it: it.authorise(run.operation, challenge.nonce, signature, sealed)
        )
        step.failed = not pending.wait(AUTHORISE_SECONDS)
    return sealed, pending


def _write(
    run: Run,
    prepared: Prepared,
    kind: Kind,
    pending: Pending[None] | None,
    sealed: bytes,
    new: Secret,
) -> Result:
    if pending is None or not prepared.password_follows:
        return results.card_only(run, kind)
    pending.result()
    return ending.write(run, kind, sealed, old=None, new=new)
