"""One credential as the helpdesk sees it: how it stands, why not, what happened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kiosk.authority.office.desk import Desk, has_own_name
from kiosk.authority.office.listing import Visited, visits
from kiosk.authority.office.operators import Action, require
from kiosk.authority.operation.offering import facts_of
from kiosk.authority.rules.compliance import ComplianceProfile
from kiosk.core.errors import Message
from statemachine.guards import Facts
from statemachine.lifecycle import Event, Standing, State
from statemachine.offers import offers
from statemachine.operation import Kind
from storage import walk
from storage.records import Approval, AuditEvent, Credential, Sync, Template

HISTORY = 200
"""How many events are shown, the newest; all are in an export."""
VISITS = 5
"""How many are told."""
_CODES = 100
"""Far more codes than anybody gives out at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Everything about one credential. Names in it are outside text."""

    credential: Credential
    template: Template
    holder_may: dict[Kind, Message | None]
    """What the holder may do at a kiosk; None: nothing refuses it."""
    operator_may: dict[Event, Message | None]
    """What may happen to it through an operator."""
    may_become: tuple[State, ...]
    """Where the lifecycle leads from here, whoever does it."""
    visits: tuple[Visited, ...]
    """The holder's last ones, the newest first."""
    codes: tuple[Approval, ...]
    """Codes that may still be used."""
    history: tuple[AuditEvent, ...]
    """The newest `HISTORY` events, oldest first."""


_OPERATORS = (Event.SUSPEND, Event.RESUME, Event.REVOKE, Event.RETIRE, Event.ISSUE)


def credentials(
    desk: Desk, *, state: State | None = None, sync: Sync | None = None
) -> Iterator[Credential]:
    """Return what the registry has, by holder. NotInRole."""
    require(desk.operator, Action.LOOK)
    return walk.credentials(desk.parts.registry, state=state, sync=sync)


def view(desk: Desk, credential: Credential) -> View:
    """Look at one credential. NotInRole. Asks the directory for nothing."""
    require(desk.operator, Action.LOOK)
    now = desk.parts.clock.now()
    template, codes, newest = desk.parts.registry.read(
        lambda it: (
            it.template(credential.template, credential.template_version),
            it.approvals(credential.id, open_at=now, limit=_CODES),
            it.events(credential=credential.id, newest_first=True, limit=HISTORY),
        )
    )
    return View(
        credential=credential,
        template=template,
        holder_may=_holder_may(credential, template, desk.parts.profile),
        operator_may=_operator_may(desk, credential),
        may_become=_may_become(desk, credential),
        visits=visits(desk, credential.id, most=VISITS),
        codes=tuple(codes),
        history=tuple(reversed(newest)),
    )


def _holder_may(
    credential: Credential, template: Template, profile: ComplianceProfile
) -> dict[Kind, Message | None]:
    judged = offers(
        Standing(credential.state, credential.suspended_from),
        facts_of(credential, template, None, profile),
        out_of_step=credential.sync is Sync.OUT_OF_STEP,
        activation_interrupted=credential.activation_interrupted,
    )
    return {
        each.kind: None if each.refusal is None else Message(each.refusal.code)
        for each in judged
    }


def _operator_may(desk: Desk, credential: Credential) -> dict[Event, Message | None]:
    facts = Facts(own_card=has_own_name(desk, credential))
    standing = Standing(credential.state, credential.suspended_from)
    refusals = {
        event: desk.parts.lifecycle.why_not(standing, event, facts)
        for event in _OPERATORS
    }
    return {
        event: None if refusal is None else Message(refusal.code)
        for event, refusal in refusals.items()
    }


def _may_become(desk: Desk, credential: Credential) -> tuple[State, ...]:
    back = credential.suspended_from or State.ISSUED
    targets = (
        edge.target or back
        for edge in desk.parts.lifecycle.edges()
        if edge.source is credential.state and edge.target is not credential.state
    )
    return tuple(dict.fromkeys(targets))
