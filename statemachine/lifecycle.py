"""The credential's lifecycle: states, events and the one table of edges.

The table is data: a sentence per edge, rendered into docs/lifecycle.md. A site's
configuration may remove edges, never add one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from statemachine.engine import Engine
from statemachine.guards import (
    Actor,
    Facts,
    Guard,
    Refusal,
    can_be_unblocked,
    first_refusal,
    not_own_card,
)


class State(StrEnum):
    """Where a credential stands."""

    ISSUED = "issued"
    ACTIVE = "active"
    BLOCKED = "blocked"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    RETIRED = "retired"


class Event(StrEnum):
    """What can happen to a credential."""

    ISSUE = "issue"
    ACTIVATE = "activate"
    PIN_BLOCKED = "pin_blocked"
    UNBLOCK = "unblock"
    FOUND_UNBLOCKED = "found_unblocked"
    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"
    RETIRE = "retire"


@dataclass(frozen=True, slots=True)
class Standing:
    """A state and, while suspended, the state to come back to."""

    state: State
    origin: State | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """One thing that may happen. `source` None: a new card; `target` None: origin."""

    event: Event
    source: State | None
    target: State | None
    actor: Actor
    sentence: str
    guards: tuple[Guard, ...] = ()


_OPERATOR = (not_own_card,)

TABLE: tuple[Edge, ...] = (
    Edge(
        Event.ISSUE,
        None,
        State.ISSUED,
        Actor.OFFICER,
        "A new card is personalised and handed over with a first PIN nobody keeps.",
        _OPERATOR,
    ),
    Edge(
        Event.ISSUE,
        State.RETIRED,
        State.ISSUED,
        Actor.OFFICER,
        "A retired card is personalised again, for the same or another person.",
        _OPERATOR,
    ),
    Edge(
        Event.ACTIVATE,
        State.ISSUED,
        State.ACTIVE,
        Actor.HOLDER,
        "The holder sets the first PIN at a kiosk.",
    ),
    Edge(
        Event.PIN_BLOCKED,
        State.ISSUED,
        State.BLOCKED,
        Actor.CARD,
        "The card reports a used-up PIN counter before its first PIN was set.",
    ),
    Edge(
        Event.PIN_BLOCKED,
        State.ACTIVE,
        State.BLOCKED,
        Actor.CARD,
        "The card reports that its PIN counter is used up.",
    ),
    Edge(
        Event.UNBLOCK,
        State.BLOCKED,
        State.ACTIVE,
        Actor.HOLDER,
        "The holder sets a new PIN with an authorisation to unblock.",
        (can_be_unblocked,),
    ),
    Edge(
        Event.UNBLOCK,
        State.ACTIVE,
        State.ACTIVE,
        Actor.HOLDER,
        "The holder has forgotten the PIN, or one try is left, and sets a new one.",
        (can_be_unblocked,),
    ),
    Edge(
        Event.FOUND_UNBLOCKED,
        State.BLOCKED,
        State.ACTIVE,
        Actor.CARD,
        "The card has tries left again: it was unblocked elsewhere and is out of step.",
    ),
    *(
        Edge(
            Event.SUSPEND,
            source,
            State.SUSPENDED,
            Actor.HELPDESK,
            f"The helpdesk suspends {article} {source} card.",
            _OPERATOR,
        )
        for source, article in (
            (State.ISSUED, "an"),
            (State.ACTIVE, "an"),
            (State.BLOCKED, "a"),
        )
    ),
    Edge(
        Event.RESUME,
        State.SUSPENDED,
        None,
        Actor.HELPDESK,
        "The helpdesk lifts the suspension; the card is again what it was before.",
        _OPERATOR,
    ),
    *(
        Edge(
            Event.REVOKE,
            source,
            State.REVOKED,
            Actor.HELPDESK,
            f"The helpdesk ends {article} {source} card (lost, stolen, left); the"
            " directory password is still its PIN and must be reset.",
            _OPERATOR,
        )
        for source, article in (
            (State.ISSUED, "an"),
            (State.ACTIVE, "an"),
            (State.BLOCKED, "a"),
            (State.SUSPENDED, "a"),
        )
    ),
    *(
        Edge(
            Event.RETIRE,
            source,
            State.RETIRED,
            Actor.OFFICER,
            f"The enrollment officer takes {article} {source} card out of use.",
            _OPERATOR,
        )
        for source, article in (
            (State.ISSUED, "an"),
            (State.ACTIVE, "an"),
            (State.BLOCKED, "a"),
            (State.SUSPENDED, "a"),
            (State.REVOKED, "a"),
        )
    ),
)


_KNOWN = frozenset((edge.event, edge.source) for edge in TABLE)


class UnknownEdge(ValueError):
    """A configuration removes an edge that the table does not have."""

    def __init__(self, event: str, source: str) -> None:
        super().__init__(f"no edge {event} from {source}")
        self.event = event
        self.source = source


class Lifecycle:
    """The table as a site has narrowed it. Immutable; any thread."""

    def __init__(self, removed: Collection[tuple[Event, State | None]] = ()) -> None:
        """Take the table without the edges in `removed`. UnknownEdge."""
        for event, source in removed:
            if (event, source) not in _KNOWN:
                raise UnknownEdge(event, source or "new")
        self._edges = {
            (edge.event, edge.source): edge
            for edge in TABLE
            if (edge.event, edge.source) not in removed
        }
        self._engine = Engine(
            State,
            [
                (edge.event, edge.source, edge.target or State.ACTIVE)
                for edge in self._edges.values()
                if edge.source is not None
            ],
        )

    def edges(self) -> tuple[Edge, ...]:
        """Return the edges in table order."""
        return tuple(self._edges.values())

    def why_not(
        self, standing: Standing | None, event: Event, facts: Facts
    ) -> Refusal | None:
        """Say why `event` may not happen now; None: it may."""
        edge = self._edge(standing, event)
        return edge if isinstance(edge, Refusal) else first_refusal(edge.guards, facts)

    def apply(
        self, standing: Standing | None, event: Event, facts: Facts
    ) -> Standing | Refusal:
        """Return where `event` leads, or why it may not happen."""
        edge = self._edge(standing, event)
        if isinstance(edge, Refusal):
            return edge
        if (refusal := first_refusal(edge.guards, facts)) is not None:
            return refusal
        if edge.target is None:
            return Standing((standing and standing.origin) or State.ISSUED)
        if event is Event.SUSPEND and standing is not None:
            return Standing(State.SUSPENDED, origin=standing.state)
        return Standing(edge.target)

    def allowed(self, standing: Standing | None, facts: Facts) -> tuple[Event, ...]:
        """Return every event that may happen now."""
        return tuple(
            event for event in Event if self.why_not(standing, event, facts) is None
        )

    def _edge(self, standing: Standing | None, event: Event) -> Edge | Refusal:
        source = None if standing is None else standing.state
        if source is not None and not self._engine.targets(event, source):
            return _no_edge(standing, event)
        return self._edges.get((event, source)) or _no_edge(standing, event)


def settle(standing: Standing, event: Event) -> Standing | Refusal:
    """Update the state a suspended card will return to.

    Only for an activation or unblock that was under way when the card was
    suspended: the card has changed, and the registry must know when it resumes.
    """
    if standing.state is not State.SUSPENDED:
        return Refusal("refusal.not_suspended", Actor.HELPDESK)
    origin = standing.origin or State.ISSUED
    activated = event is Event.ACTIVATE and origin is State.ISSUED
    if not (activated or event is Event.UNBLOCK):
        return _no_edge(standing, event)
    return Standing(State.SUSPENDED, origin=State.ACTIVE)


_HELP = {
    None: Actor.OFFICER,
    State.ISSUED: Actor.HOLDER,
    State.ACTIVE: Actor.HOLDER,
    State.BLOCKED: Actor.HELPDESK,
    State.SUSPENDED: Actor.HELPDESK,
    State.REVOKED: Actor.OFFICER,
    State.RETIRED: Actor.OFFICER,
}


def _no_edge(standing: Standing | None, event: Event) -> Refusal:
    state = None if standing is None else standing.state
    if (event, state) in _KNOWN:
        return Refusal("refusal.not_at_this_site", Actor.ADMINISTRATOR)
    return Refusal(f"refusal.{state or 'unknown'}", _HELP[state])
