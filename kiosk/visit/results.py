"""Results: what changed where, what did not, and what to do next."""

from __future__ import annotations

from kiosk.authority.errors import CodeRefused, RulesBroken
from kiosk.authority.values import Verdict, WriteVerdict
from kiosk.cards.errors import (
    CardRemoved,
    PinBlocked,
    PukBlocked,
    WrongPin,
    WrongPuk,
)
from kiosk.cards.values import Tries
from kiosk.core.errors import Message, said_of
from kiosk.pin.rules import Rule
from kiosk.visit.run import Run
from kiosk.visit.views import Outcome, Result
from statemachine.operation import Kind

_TAKE_CARD = Message("result.advice.take_card")
_UNTRIED = frozenset({"directory.bind.no_answer", "notice.words_lost"})
_STAYS_OUT = (Message("result.advice.insert_again"), Message("result.advice.helpdesk"))


def done(run: Run, kind: Kind, verdict: WriteVerdict) -> Result:
    """Card and directory agree, and the directory has shown it."""
    card = "card_unchanged" if kind is Kind.FINISH else "card_changed"
    return Result(
        outcome=Outcome.DONE,
        headline=Message(f"result.headline.{kind}"),
        facts=(
            Message(f"result.fact.{card}"),
            _changed(verdict),
            *verdict.warnings,
            *run.said,
        ),
        advice=(_TAKE_CARD, Message("result.advice.other_devices")),
        event=run.event,
    )


def _changed(verdict: WriteVerdict) -> Message:
    """Say that it was tried only if it was."""
    untried = any(each.key in _UNTRIED for each in verdict.warnings)
    key = "password_set" if untried else "password_changed"
    return Message(f"result.fact.{key}", {"dc": verdict.dc})


def card_only(run: Run, kind: Kind) -> Result:
    """The card changed, the password did not: as announced before typing."""
    reason = run.prepared.why_not if run.prepared else None
    return Result(
        outcome=Outcome.CARD_ONLY,
        headline=Message(f"result.headline.{kind}_card_only"),
        facts=(
            Message("result.fact.card_changed"),
            Message("result.fact.password_unchanged"),
            *((reason,) if reason else ()),
            *run.said,
        ),
        advice=(_TAKE_CARD, Message("result.advice.old_password_stays")),
        event=run.event,
    )


def refused(run: Run, kind: Kind, error: Exception) -> Result:
    """Nothing changed anywhere, except that a wrong PIN counts."""
    again: Kind | None = kind
    is_out = isinstance(error, CardRemoved)  # what to do is what it says
    tries = run.recognised.pin_tries
    if isinstance(error, WrongPin):
        tries = Tries(error.tries_left if error.tries_left >= 0 else None, tries.total)
        again = kind if error.tries_left > 1 else None
    elif isinstance(error, WrongPuk):
        again = kind if error.tries_left > 1 else None
    elif isinstance(error, PinBlocked | PukBlocked):
        again = None
    elif isinstance(error, CodeRefused):
        again = kind if error.entries_left else None
    elif isinstance(error, RulesBroken) and kind is Kind.FINISH:
        again = _instead_of_finish(run)
    elif is_out:
        again = None
    return Result(
        outcome=Outcome.REFUSED,
        headline=_said(error),
        facts=(Message("result.fact.nothing_changed"), *run.said),
        advice=_advice(kind, again, is_out=is_out),
        event=run.event,
        again=again,
        is_another=again not in (None, kind),
        tries=tries,
    )


def _said(error: Exception) -> Message:
    """Say what went wrong; of the one rule that no form can show, which it is."""
    if isinstance(error, RulesBroken) and error.data.get("rule") == Rule.HISTORY:
        return Message("result.fact.earlier_pin")
    return said_of(error)


def _instead_of_finish(run: Run) -> Kind | None:
    """A PIN that breaks a rule cannot stay: it is changed, where that may be."""
    offers = run.case.offers
    may_change = any(each.kind is Kind.CHANGE and each.allowed for each in offers)
    return Kind.CHANGE if may_change else None


def _advice(kind: Kind, again: Kind | None, *, is_out: bool) -> tuple[Message, ...]:
    if is_out or again is kind:
        return ()
    return (Message(f"result.advice.{'change_or_retype' if again else 'helpdesk'}"),)


def rolled_back(
    run: Run, kind: Kind, verdict: WriteVerdict, *, is_noted: bool
) -> Result:
    """The directory said no and the card has its old PIN again.

    `is_noted`: the authority has confirmed that it has that on record.
    """
    another = verdict.may_choose_another
    facts = [
        Message("result.fact.card_restored"),
        Message("result.fact.password_unchanged"),
        *(() if is_noted else (Message("result.fact.not_noted"),)),
    ]
    return Result(
        outcome=Outcome.ROLLED_BACK,
        headline=Message("result.headline.rolled_back"),
        facts=(*((verdict.reason,) if verdict.reason else ()), *facts, *run.said),
        advice=(Message("result.advice.choose_another"),)
        if another
        else (Message("result.advice.helpdesk"),),
        event=run.event,
        again=kind if another and is_noted else None,
        tries=run.recognised.pin_tries,
    )


def written(run: Run, kind: Kind, verdict: WriteVerdict) -> Result:
    """What a write that is not to be rolled back amounts to."""
    if verdict.verdict is Verdict.DONE:
        return done(run, kind, verdict)
    reason = verdict.reason or Message("reason.out_of_step")
    if kind is Kind.FINISH:
        return _finish_refused(run, verdict, reason)
    card = Message("result.fact.card_changed")
    return _out_of_step(run, (card, reason), another=verdict.may_choose_another)


def _finish_refused(run: Run, verdict: WriteVerdict, reason: Message) -> Result:
    """Still out of step: the card was not touched, the password may be as before."""
    another = verdict.may_choose_another
    return Result(
        outcome=Outcome.OUT_OF_STEP,
        headline=Message("result.headline.still_out_of_step"),
        facts=(Message("result.fact.card_unchanged"), reason, *run.said),
        advice=(Message("result.advice.choose_another"),) if another else _STAYS_OUT,
        event=run.event,
        again=Kind.CHANGE if another else None,
        is_another=another,
    )


def interrupted(run: Run, error: Exception) -> Result:
    """Something broke after the command that cannot be taken back.

    Nothing but a write that was asked for can have changed the password.
    """
    card = "card_changed" if run.is_taken else "card_uncertain"
    password = () if run.writing else (Message("result.fact.password_unchanged"),)
    facts = (Message(f"result.fact.{card}"), *password, _said(error))
    return _out_of_step(run, facts, another=isinstance(error, RulesBroken))


def finish_interrupted(run: Run, error: Exception) -> Result:
    """Something broke in a write that left the card as it was."""
    return Result(
        outcome=Outcome.OUT_OF_STEP,
        headline=Message("result.headline.still_out_of_step"),
        facts=(Message("result.fact.card_unchanged"), _said(error), *run.said),
        advice=_STAYS_OUT,
        event=run.event,
    )


def not_restored(run: Run, verdict: WriteVerdict) -> Result:
    """The directory said no and the card could not be changed back."""
    reason = verdict.reason or Message("reason.out_of_step")
    return _out_of_step(
        run, (Message("result.fact.not_restored"), reason), another=False
    )


def _out_of_step(run: Run, facts: tuple[Message, ...], *, another: bool) -> Result:
    return Result(
        outcome=Outcome.OUT_OF_STEP,
        headline=Message("result.headline.out_of_step"),
        facts=(*facts, *run.said),
        advice=(Message("result.advice.choose_another"),) if another else _STAYS_OUT,
        event=run.event,
        again=Kind.CHANGE if another else None,
        is_another=another,
    )
