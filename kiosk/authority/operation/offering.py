"""What may happen to a credential now, and why not the rest: one judgement for all.

Asked when a card comes in, and again before anything is done: no station is believed.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.authority.escrow import puks
from kiosk.authority.escrow.unblock_methods import method_of
from kiosk.authority.operation.sync_decision import SyncDecision
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.rules import expiry
from kiosk.authority.rules.compliance import ComplianceProfile
from kiosk.authority.values import CardLimits, Offer, SeenCard
from kiosk.core.errors import Message
from statemachine.guards import Facts, Refusal
from statemachine.lifecycle import Standing, State
from statemachine.offers import offers
from statemachine.operation import Kind
from storage.records import Credential, Sync, Template


def facts_of(
    credential: Credential,
    template: Template,
    tries_left: int | None,
    profile: ComplianceProfile,
    card: CardLimits,
) -> Facts:
    """Put what the guards ask for into one value.

    `self_service` stays true: without it the card alone may still be changed
    (a sync condition, not a lifecycle guard).
    """
    return Facts(
        tries_left=tries_left,
        has_unblock_method=method_of(credential, template, card, profile) is not None,
    )


def offers_of(
    parts: RequiredPorts,
    credential: Credential,
    template: Template,
    card: SeenCard,
    judgement: SyncDecision,
    stops: Stops,
) -> tuple[Offer, ...]:
    """Judge every action: by the lifecycle of this site, and by what stops it."""
    facts = facts_of(credential, template, card.tries_left, parts.profile, card.limits)
    standing = Standing(credential.state, credential.suspended_from)
    judged = offers(
        standing,
        facts,
        out_of_step=credential.sync is Sync.OUT_OF_STEP,
        activation_interrupted=credential.activation_interrupted,
        lifecycle=parts.lifecycle,
    )
    return tuple(
        Offer(
            kind=each.kind,
            allowed=each.refusal is None and stops.of(each.kind, judgement) is None,
            refusal=_in_words(each.refusal, credential)
            if each.refusal is not None
            else stops.of(each.kind, judgement),
        )
        for each in judged
    )


def refusal_of(
    parts: RequiredPorts,
    credential: Credential,
    template: Template,
    card: SeenCard,
    judgement: SyncDecision,
    kind: Kind,
) -> Message | None:
    """Say why this may not begin now, whatever a station has shown; None: it may.

    Whether another operation is writing is decided with the commit.
    """
    expired = is_expired(parts, credential, due(credential, template, judgement))
    stops = Stops(is_free=True, is_expired=expired)
    judged = offers_of(parts, credential, template, card, judgement, stops)
    return next(each.refusal for each in judged if each.kind is kind)


def due(
    credential: Credential, template: Template, judgement: SyncDecision
) -> float | None:
    """Return when the PIN has to be changed, in seconds UTC; None: never."""
    follows = judgement.password_follows
    return expiry.due(credential, template, judgement.view, follows=follows)


def is_expired(
    parts: RequiredPorts, credential: Credential, date: float | None
) -> bool:
    """Say whether a PIN in force has run out."""
    is_active = credential.state is State.ACTIVE
    return is_active and date is not None and parts.clock.now() >= date


def _in_words(refusal: Refusal, credential: Credential) -> Message:
    """Say which guard refused; a PUK that is there but used up is told apart."""
    escrow = credential.escrow
    if refusal.code == "refusal.no_unblock_way" and puks.is_used_up(escrow):
        return Message("stop.puk_used_up")
    return Message(refusal.code)


@dataclass(frozen=True, slots=True)
class Stops:
    """What keeps an action from beginning, whatever the lifecycle allows."""

    is_free: bool
    """No other operation of this card is writing."""
    is_expired: bool

    def of(self, kind: Kind, judgement: SyncDecision) -> Message | None:
        """A finish exists only for the password, and keeps a PIN that is in force."""
        if not self.is_free:
            return Message("stop.another_is_writing")
        stop = judgement.stop_of(kind)
        if stop is None and kind is Kind.FINISH and self.is_expired:
            return Message("stop.pin_expired")
        return stop
