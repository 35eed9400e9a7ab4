"""What a visit says, in the words of the language that is spoken. UI thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosk.faces.wording import said, say
from kiosk.visit.views import StepState

if TYPE_CHECKING:
    from kiosk.cards.ports import Tries
    from kiosk.pin.rules import PinRules, Rule
    from kiosk.visit.views import ActionOffer, Progress


def of_tries(tries: Tries) -> str:
    """Return a retry counter as a sentence."""
    if tries.left is None:
        return say("tui.tries.unknown")
    if tries.left == 0:
        return say("tui.tries.none")
    return say("tui.tries.left", left=tries.left)


def of_refusal(offer: ActionOffer) -> str:
    """Return an action that is not allowed, and why."""
    name = say(f"tui.form.{offer.kind}")
    return f"{name}: {said(offer.reason)}" if offer.reason else name


def of_step(progress: Progress) -> str:
    """Return how a step stands."""
    match progress.state:
        case StepState.RUNNING:
            return say(f"tui.step.{progress.step}")
        case StepState.DONE:
            return say(f"step.{progress.step}")
        case StepState.FAILED:
            return say(f"tui.step_failed.{progress.step}")


def of_rule(rule: Rule, rules: PinRules) -> str:
    """Return one rule of a new PIN."""
    return say(f"rule.{rule}", minimum=rules.minimum, maximum=rules.maximum)
