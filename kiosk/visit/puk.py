"""The PUK in a visit: sent in turn, each value written down first, and replaced.

A replacement is never fatal: what is not done stays due in the record, and the result
says so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from kiosk.authority.errors import AuthorityError, NotProven, Refused
from kiosk.authority.values import PukPlan, PukTry, wipe
from kiosk.cards.errors import (
    CardError,
    CardMute,
    CardRemoved,
    PinRefused,
    PinTooSimple,
    PukBlocked,
    PukRefused,
    ReaderGone,
    ServiceGone,
    WrongPuk,
)
from kiosk.cards.ports import CardSession
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.visit.run import DEFINITE, UNHEARD, Run
from statemachine.candidates import Label

log = logging.getLogger(__name__)
_GONE = (CardRemoved, CardMute, ReaderGone, ServiceGone, *UNHEARD)
"""Without the card or the authority nothing can go on."""
_FORMS = 2
"""New PUKs that a card may refuse in one visit: letters and digits, then digits."""

# --- unblocking --------------------------------------------------------------


def tries_told(run: Run, session: CardSession) -> int | None:
    """Return how many tries the card says its PUK has; asked where it matters.

    Before anything is changed: that it cannot be asked is no reason for doubt then.
    """
    seen = run.recognised.puk_tries
    if seen is None and run.prepared is not None and run.prepared.puk_uncertain:
        told = session.puk_tries()
        seen = told.tries if told is not None else None
    return seen.left if seen is not None else None


def released(run: Run, session: CardSession, told: int | None) -> PukTry:
    """Let the card prove itself, and take the first PUK that it may have.

    `told`: tries that the card says are left. Refused, ProofFailed.
    """
    nonce, signature = run.prove_presence(session)
    release = run.ask(lambda it: it.release(run.operation, nonce, signature, told))
    if release.puk is None:
        wipe(release)
        raise Refused(Message("stop.nothing_in_escrow"))
    return release.puk


def send_in_turn(run: Run, first: PukTry, send: Callable[[Secret], None]) -> Label:
    """Send what the card may have, each at most once; return what it took.

    WrongPuk, PukBlocked, PinRefused, Refused: in the end nothing was changed.
    """
    attempt = first
    tried: list[Label] = []
    while True:
        label = attempt.label
        tried.append(label)
        run.puk_used = True
        with attempt.secret as secret:
            try:
                _send(run, label, lambda: send(secret))
            except (WrongPuk, PinRefused) as error:
                if len(tried) > 1 or not _leads_on(error, label):
                    raise
                last: CardError = error
            else:
                return label
        try:
            attempt = run.ask(lambda it: it.puk_next(run.operation, tuple(tried), None))
        except Refused:
            raise last from None


def _leads_on(error: CardError, label: Label) -> bool:
    """Say whether the next PUK could be the cure of what the card said to this one.

    A value that it does not take may be a new PUK, of a form that it never takes; with
    the one that it had, it is the PIN.
    """
    if isinstance(error, WrongPuk):
        return True
    return label is Label.PENDING and not isinstance(error, PinTooSimple)


def send_typed(run: Run, told: int | None, send: Callable[[], None]) -> Label:
    """Send what the holder typed, or types at the pad: once."""
    run.ask(lambda it: it.puk_typed(run.operation, told))
    with run.card_may_change():
        _send(run, Label.TYPED, send)
    return Label.TYPED


def _send(run: Run, label: Label, send: Callable[[], None]) -> None:
    """Send one value and write down what the card said to it."""
    try:
        send()
    except WrongPuk as error:
        left = error.tries_left if error.tries_left >= 0 else None
        run.ask(lambda it: it.puk_wrong(run.operation, label, left))
        raise
    except PukBlocked:
        run.ask(lambda it: it.puk_wrong(run.operation, label, 0))
        raise
    except DEFINITE:
        run.ask(lambda it: it.puk_unheard(run.operation, label))
        raise


# --- replacing ---------------------------------------------------------------


def replace(run: Run, session: CardSession, *, in_time: bool = True) -> None:
    """Replace the PUK if that is due and there is time; else it stays so, and is said.

    AuthorityAway, TooSlow, and a card that is gone: where nothing else was begun yet.
    """
    prepared = run.prepared
    if prepared is None:
        return
    is_replaced = False
    is_due = prepared.puk_due or (run.puk_used and prepared.puk_replaceable)
    if is_due and in_time:
        try:
            is_replaced = _carry_out(run, session)
        except (CardError, AuthorityError) as error:
            log.warning("puk.replacing_stays_due code=%s", error.code)
            if isinstance(error, _GONE) and not run.touched:
                raise  # nothing else was begun, and nothing else can be done
    if prepared.puk_is_factory and not is_replaced:
        run.say(Message("result.fact.puk_factory"))
    elif is_due and not is_replaced:
        run.say(Message("result.fact.puk_due"))


def _carry_out(run: Run, session: CardSession) -> bool:
    """Send each value to be replaced at most once; say whether one was."""
    told = None if run.puk_used else tries_told(run, session)
    refusals = 0
    while refusals < _FORMS:
        plan = _plan(run, session, told)
        if plan is None:
            return False
        with plan.old, plan.new:
            try:
                session.change_puk(plan.old, plan.new)
            except DEFINITE as error:
                refusals += _refused(run, plan, error)
            else:
                run.ask(lambda it: it.puk_replaced(run.operation))
                return True
        told = None
    return False


def _plan(run: Run, session: CardSession, told: int | None) -> PukPlan | None:
    """Ask what to send; let the card prove itself where that is still missing."""
    try:
        return run.ask(lambda it: it.puk_plan(run.operation, told))
    except NotProven:
        nonce, signature = run.prove_presence(session)
        if not signature:
            raise
    run.ask(lambda it: it.prove_card(run.operation, nonce, signature))
    return run.ask(lambda it: it.puk_plan(run.operation, told))


def _refused(run: Run, plan: PukPlan, error: CardError) -> int:
    """Write down a definite no; return 1 where the new one was not taken."""
    label = plan.label
    if isinstance(error, WrongPuk | PukBlocked):
        left: int | None = 0
        if isinstance(error, WrongPuk):
            left = error.tries_left if error.tries_left >= 0 else None
        run.ask(lambda it: it.puk_not_replaced(run.operation, label, left))
        return 0
    run.ask(lambda it: it.puk_new_refused(run.operation, label))
    if not isinstance(error, PukRefused):
        raise error
    return 0 if label is Label.PENDING else 1
