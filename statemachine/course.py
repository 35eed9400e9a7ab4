"""What has to happen, in order, for an event to happen now."""

from __future__ import annotations

from statemachine.guards import Facts, Refusal
from statemachine.lifecycle import Event, Lifecycle, Standing


def course(
    lifecycle: Lifecycle, standing: Standing, event: Event, facts: Facts
) -> tuple[Event, ...] | Refusal:
    """Return the events to commit together, or why `event` may not happen.

    Mostly `event` alone. A card whose counter is used up, but which cannot prove
    it before its PIN works again, is unblocked from where the registry last saw
    it: then `pin_blocked` comes first.
    """
    refusal = lifecycle.why_not(standing, event, facts)
    if refusal is None:
        return (event,)
    if event is not Event.UNBLOCK or facts.tries_left != 0:
        return refusal
    blocked = lifecycle.apply(standing, Event.PIN_BLOCKED, facts)
    if isinstance(blocked, Refusal):
        return refusal
    return lifecycle.why_not(blocked, event, facts) or (Event.PIN_BLOCKED, event)
