"""What the faces say of a visit: how a card stands, what may be done and what happens.

UI thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosk.faces.entering import ON_CARD, READ_OUT
from kiosk.faces.wording import labelled, said, say, who_helps
from kiosk.pin.alphabet import Alphabet
from kiosk.pin.rules import Rule, RuleVerdict
from kiosk.visit.views import FROM_ELSEWHERE, FieldName, StepState, VisitStep
from statemachine.lifecycle import State
from statemachine.operation import Kind

if TYPE_CHECKING:
    from kiosk.cards.values import Tries
    from kiosk.pin.rules import PinRules
    from kiosk.visit.station import Helpdesk
    from kiosk.visit.views import ActionOffer, Form, Home, Progress, Result

_CALLED_FOR = (State.SUSPENDED, State.BLOCKED, State.REVOKED, State.RETIRED)
"""States that somebody on the telephone can do something about."""
_ENOUGH = 3
"""Tries that nobody has to think about, if a card does not tell how many it has."""


def at_dead_end(home: Home, desk: Helpdesk) -> str:
    """Return whom to call where nothing is allowed, and what they will do."""
    kind = home.state if home.state in _CALLED_FOR else "other"
    return say(f"tui.dead_end.{kind}", who=who_helps(desk))


# --- tries ------------------------------------------------------------------------


def of_tries(tries: Tries) -> str:
    """Return a retry counter as a sentence."""
    if tries.left is None:
        return say("tui.tries.unknown")
    if tries.left == 0:
        return say("tui.tries.none")
    return say("tui.tries.left", left=tries.left)


def is_at_stake(form: Form) -> bool:
    """Say whether a wrong entry into this form costs a try of the PIN."""
    return any(name in ON_CARD for name in form.fields)


def is_short(home: Home) -> bool:
    """Say whether some are spent, and some are left: worth knowing before choosing.

    That one is left is the headline, where it matters.
    """
    tries = home.tries
    is_told = home.headline.key == "home.headline.one_try_left"
    is_some = tries.left is not None and 0 < tries.left < (tries.total or _ENOUGH)
    return is_some and not is_told


# --- actions ----------------------------------------------------------------------


def of_help(offer: ActionOffer, desk: Helpdesk) -> str:
    """Return what an action needs and asks: whom to call first, and for what."""
    if offer.needs is None:
        return say(f"tui.action_help.{offer.kind}")
    return say(f"tui.action_needs.{offer.needs}", who=who_helps(desk))


def of_call(form: Form, desk: Helpdesk) -> str:
    """Return whom to call for what this form asks for, and what they give."""
    for name in form.fields:
        if name in FROM_ELSEWHERE:
            return say(f"tui.call.{name}", who=who_helps(desk))
    return say("tui.help", who=who_helps(desk))


def is_of_a_call(offer: ActionOffer) -> bool:
    """Say whether what an action needs says whom to call."""
    return offer.allowed and offer.needs in _BY_CALL


def of_standing(home: Home) -> tuple[str, ...]:
    """Return how a card stands and what is to be known of it, each once.

    Where nothing is allowed for one reason, the reason says how it stands, too; so does
    the one why card and password may differ.
    """
    notices = [said(notice) for notice in home.notices]
    is_told = home.headline.key == "home.headline.out_of_step" and any(
        notice.key.startswith("reason.") for notice in home.notices
    )
    headline = _one_reason(home.actions) or said(home.headline)
    return tuple(dict.fromkeys(notices if is_told else [headline, *notices]))


def of_refusals(home: Home) -> tuple[str, ...]:
    """Return why actions are not allowed: each reason once, with all it is true of.

    What nobody would ask for (a card that is active cannot be activated, nothing is out
    of step, a new one has no PIN for Windows) is left out, and what the card's standing
    says already.
    """
    names: dict[str, list[str]] = {}
    for offer in () if _one_reason(home.actions) else home.actions:
        if offer.allowed or _is_not_asked(offer):
            continue
        why = said(offer.reason) if offer.reason else ""
        names.setdefault(why, []).append(say(f"tui.form.{offer.kind}"))
    return tuple(
        labelled(" · ".join(each), why) if why else " · ".join(each)
        for why, each in names.items()
    )


def _is_not_asked(offer: ActionOffer) -> bool:
    key = "" if offer.reason is None else offer.reason.key
    is_new = offer.kind is Kind.FINISH and key == "refusal.not_activated"
    return is_new or key in _NOT_ASKED


def _one_reason(offers: tuple[ActionOffer, ...]) -> str | None:
    """Return the one reason why nothing is allowed; None: several, or none."""
    if any(offer.allowed for offer in offers):
        return None
    reasons = {said(offer.reason) for offer in offers if offer.reason is not None}
    return reasons.pop() if len(reasons) == 1 else None


_BY_CALL = frozenset(
    {FieldName.RELEASE_CODE, FieldName.ACTIVATION_CODE, FieldName.ADMIN_RESPONSE}
)
_NOT_ASKED = frozenset({"refusal.already_activated", "refusal.in_step"})


def choices(form: Form) -> tuple[str, str]:
    """Return which words stand for yes and no where `form` wants a confirmation."""
    if form.confirm is not None and form.confirm.key == "confirm.changed_elsewhere":
        return "overwrite", "leave"
    return "yes", "no"


# --- steps and rules ----------------------------------------------------------------


def of_step(progress: Progress) -> str:
    """Return how a step stands."""
    match progress.state:
        case StepState.RUNNING:
            return say(f"tui.step.{progress.step}")
        case StepState.LONG:
            card = "may_go" if progress.card_may_go else "stays"
            return say(f"tui.step_long.card_{card}")
        case StepState.DONE:
            return say(f"step.{progress.step}")
        case StepState.FAILED:
            return say(f"tui.step_failed.{progress.step}")


def of_open_step(step: VisitStep) -> str:
    """Return a step that is still to come."""
    return say(f"tui.step_open.{step}")


def expected(form: Form) -> tuple[VisitStep, ...]:
    """Return the steps that this form leads to, if all goes well."""
    if form.kind is not Kind.FINISH and form.rules is None:
        return (VisitStep.CHECK, VisitStep.PAD)
    card = (VisitStep.CARD,)
    proof = (VisitStep.PROVE, VisitStep.AUTHORISE)
    if not form.password_follows:
        return (VisitStep.CHECK, *card)
    if form.kind is Kind.FINISH:
        return (VisitStep.CHECK, *proof, VisitStep.PASSWORD)
    is_reset = any(name in READ_OUT or name is FieldName.PUK for name in form.fields)
    middle = (*card, *proof) if is_reset else (*proof, *card)
    return (VisitStep.CHECK, *middle, VisitStep.PASSWORD)


def of_rule(rule: Rule, rules: PinRules) -> str:
    """Return one rule of a new PIN."""
    is_digits = rule is Rule.LENGTH and rules.alphabet is Alphabet.DIGITS
    key = "rule.length_digits" if is_digits else f"rule.{rule}"
    return say(key, minimum=rules.minimum, maximum=rules.maximum)


def merged(rules: PinRules, verdicts: tuple[RuleVerdict, ...]) -> list[RuleVerdict]:
    """Say "6 to 8 digits" once: how many and which are one rule to a person."""
    if rules.alphabet is not Alphabet.DIGITS:
        return list(verdicts)
    both = (Rule.LENGTH, Rule.ALPHABET)
    holds = all(it.holds for it in verdicts if it.rule in both)
    rest = [it for it in verdicts if it.rule not in both]
    return [RuleVerdict(Rule.LENGTH, holds=holds), *rest]


def of_why(verdict: RuleVerdict) -> str:
    """Return why a rule is broken, where it can be said; else nothing."""
    return "" if verdict.why is None else say(f"rule.weak.{verdict.why}")


def of_broken(verdict: RuleVerdict, rules: PinRules) -> str:
    """Return a broken rule by its name, and why."""
    rule, why = of_rule(verdict.rule, rules), of_why(verdict)
    return say("tui.form.broken_why", rule=rule, why=why) if why else rule


def again_key(result: Result) -> str:
    """Return what the key that goes on after a result is called: the key of a message.

    It names the task that begins where that is another one.
    """
    if result.again is not None and result.is_another:
        return f"tui.action.{result.again}"
    return "tui.key.again"
