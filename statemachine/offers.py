"""Which of the four kiosk actions open now, and why the others do not."""

from __future__ import annotations

from dataclasses import dataclass

from statemachine.course import course
from statemachine.guards import (
    Actor,
    Facts,
    Refusal,
    can_be_unblocked,
    more_than_one_try,
    pin_not_blocked,
)
from statemachine.lifecycle import Event, Lifecycle, Standing, State
from statemachine.operation import Kind


@dataclass(frozen=True, slots=True)
class KindOffer:
    """One action; `refusal` None: its screen opens."""

    kind: Kind
    refusal: Refusal | None


def offers(
    standing: Standing,
    facts: Facts,
    *,
    out_of_step: bool,
    activation_interrupted: bool,
    lifecycle: Lifecycle,
) -> tuple[KindOffer, ...]:
    """Judge activate, change, unblock and finish, in the order a home screen has.

    `lifecycle` is the site's: an edge it has removed closes the screen, too.
    """
    return (
        KindOffer(
            Kind.ACTIVATE,
            _activate(standing, facts, activation_interrupted)
            or lifecycle.why_not(standing, Event.ACTIVATE, facts),
        ),
        KindOffer(Kind.FINISH, _finish(standing, facts, out_of_step)),
        KindOffer(Kind.CHANGE, _change(standing, facts)),
        KindOffer(
            Kind.UNBLOCK,
            _unblock(standing, facts) or _no_course(standing, facts, lifecycle),
        ),
    )


def _no_course(
    standing: Standing, facts: Facts, lifecycle: Lifecycle
) -> Refusal | None:
    events = course(lifecycle, standing, Event.UNBLOCK, facts)
    return events if isinstance(events, Refusal) else None


def _held(standing: Standing) -> Refusal | None:
    help_by = {
        State.SUSPENDED: Actor.HELPDESK,
        State.REVOKED: Actor.OFFICER,
        State.RETIRED: Actor.OFFICER,
    }
    actor = help_by.get(standing.state)
    return Refusal(f"refusal.{standing.state}", actor) if actor else None


def _activate(standing: Standing, facts: Facts, interrupted: bool) -> Refusal | None:  # noqa: FBT001 - one caller, above
    if standing.state is State.ISSUED:
        if interrupted:
            return can_be_unblocked(facts)
        return pin_not_blocked(facts) or _last_try_of_first_pin(facts)
    return _held(standing) or Refusal("refusal.already_activated", Actor.HOLDER)


def _last_try_of_first_pin(facts: Facts) -> Refusal | None:
    """Nobody has forgotten a PIN of their own, so no unblock opens instead."""
    if more_than_one_try(facts) is None:
        return None
    return Refusal("refusal.first_pin_one_try", Actor.OFFICER)


def _change(standing: Standing, facts: Facts) -> Refusal | None:
    return (
        _held(standing)
        or _not_yet(standing)
        or _blocked(standing)
        or pin_not_blocked(facts)
        or more_than_one_try(facts)
    )


def _finish(standing: Standing, facts: Facts, out_of_step: bool) -> Refusal | None:  # noqa: FBT001 - one caller, above
    refusal = _held(standing) or _not_yet(standing)
    if refusal is None and not out_of_step:
        refusal = Refusal("refusal.in_step", Actor.HOLDER)
    return (
        refusal
        or _blocked(standing)
        or pin_not_blocked(facts)
        or more_than_one_try(facts)
    )


def _unblock(standing: Standing, facts: Facts) -> Refusal | None:
    refusal = _held(standing)
    if refusal is None and standing.state is State.ISSUED and facts.tries_left != 0:
        refusal = _not_yet(standing)
    return refusal or can_be_unblocked(facts)


def _not_yet(standing: Standing) -> Refusal | None:
    if standing.state is State.ISSUED:
        return Refusal("refusal.not_activated", Actor.HOLDER)
    return None


def _blocked(standing: Standing) -> Refusal | None:
    if standing.state is State.BLOCKED:
        return Refusal("refusal.pin_blocked", Actor.HOLDER)
    return None
