"""One credential as the helpdesk sees it: how it stands, why not, what happened."""

from __future__ import annotations

from collections.abc import Iterator

from kiosk.authority.escrow.unblock_methods import ANY_CARD
from kiosk.authority.office.desk import Desk, has_own_name
from kiosk.authority.office.listing import visits
from kiosk.authority.office.operators import Action, require
from kiosk.authority.office.shown import shown
from kiosk.authority.office.values import (
    CredentialView,
    OpenCode,
)
from kiosk.authority.operation.offering import facts_of
from kiosk.core.errors import Message
from statemachine.guards import Facts
from statemachine.lifecycle import Event, Standing, State
from statemachine.offers import offers
from statemachine.operation import Kind
from storage import walk
from storage.errors import EvidenceDamaged, EvidenceMissing
from storage.records import Credential, Sync, Template

HISTORY = 200
"""How many events are shown, the newest; all are in an export."""
VISITS = 5
"""How many are told."""
_CODES = 100
"""Far more codes than anybody gives out at a time."""


_OPERATORS = (Event.SUSPEND, Event.RESUME, Event.REVOKE, Event.RETIRE, Event.ISSUE)


def credentials(
    desk: Desk, *, state: State | None = None, sync: Sync | None = None
) -> Iterator[Credential]:
    """Return what the registry has, by holder. NotInRole."""
    require(desk.operator, Action.LOOK)
    return walk.credentials(desk.parts.registry, state=state, sync=sync)


def view(desk: Desk, credential: Credential) -> CredentialView:
    """Look at one credential. NotInRole. Asks the directory for nothing."""
    require(desk.operator, Action.LOOK)
    now = desk.parts.clock.now()
    missing: list[EvidenceMissing | EvidenceDamaged] = []
    template, codes, newest = desk.parts.registry.read(
        lambda it: (
            it.template(credential.template, credential.template_version),
            it.approvals(credential.id, open_at=now, limit=_CODES),
            it.events(
                credential=credential.id,
                newest_first=True,
                limit=HISTORY,
                missing=missing,
            ),
        )
    )
    return CredentialView(
        credential=shown(credential),
        template=template,
        holder_may=_holder_may(desk, credential, template),
        operator_may=_operator_may(desk, credential),
        may_become=_may_become(desk, credential),
        visits=visits(desk, credential.id, most=VISITS),
        codes=tuple(
            OpenCode(kind=each.kind, expires_at=each.expires_at) for each in codes
        ),
        history=tuple(reversed(newest)),
        missing=tuple(Message(each.code, each.data) for each in missing),
    )


def _holder_may(
    desk: Desk, credential: Credential, template: Template
) -> dict[Kind, Message | None]:
    """Judge by the lifecycle of this site, as a kiosk does."""
    judged = offers(
        Standing(credential.state, credential.suspended_from),
        facts_of(credential, template, None, desk.parts.profile, ANY_CARD),
        out_of_step=credential.sync is Sync.OUT_OF_STEP,
        activation_interrupted=credential.activation_interrupted,
        lifecycle=desk.parts.lifecycle,
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
