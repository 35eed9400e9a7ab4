"""Whether the password follows, by what rules, and what stops everything: asked of all
who can refuse, without touching anything.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.rules import in_step, sync_conditions
from kiosk.authority.rules.account_snapshot import AccountSnapshot, look
from kiosk.authority.rules.effective import effective
from kiosk.authority.values import CardLimits
from kiosk.core.errors import Message
from kiosk.pin.rules import PinRules, contradiction
from statemachine.operation import Kind
from storage.records import Credential, Template


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncDecision:
    """Whether the password follows, by what rules, and what stops everything."""

    view: AccountSnapshot
    rules: PinRules
    why_not: Message | None
    """The failed condition (1–4, 6): only the card will change."""
    stop: Message | None
    """Nothing may be changed at all."""
    too_young: Message | None
    """The directory takes no other password yet; a finish asks for none."""
    proof: sync_conditions.Proof | None
    history_unchecked: bool
    """The template wants the directory's history honoured, and that DC cannot."""

    @property
    def password_follows(self) -> bool:
        return self.why_not is None and self.stop is None

    def stop_of(self, kind: Kind) -> Message | None:
        """Say why an action may not begin, whatever the lifecycle allows."""
        if self.stop is not None:
            return self.stop
        return self.why_not if kind is Kind.FINISH else self.too_young


def judge(
    parts: RequiredPorts, credential: Credential, template: Template, limits: CardLimits
) -> SyncDecision:
    """Ask everybody who can refuse, without touching anything."""
    why_not = sync_conditions.of_template(template)
    if why_not is None and limits.at_pad:
        why_not = Message("condition.pin_pad")
    view = AccountSnapshot()
    if why_not is None:
        last = credential.last_sync
        view = look(
            parts.directory,
            credential.account_guid,
            history=template.honour_directory_history,
            known=None if last is None else in_step.at_last_sync(last),
        )
        why_not = _of_view(view, template)
    follows = why_not is None and view.trouble is None
    rules = parts.profile.tightened(
        effective(limits, template, view.account, view.policy if follows else None)
    )
    proof = sync_conditions.proof_of(credential, template)
    stop = view.trouble
    if stop is None and follows and proof is None:
        stop = Message("stop.no_authentication_key")
    too_young = None
    if follows and view.honours_history:
        too_young = _too_young(view, parts.clock.now())
    if limits.at_pad and not template.allow_pinpad:
        stop = Message("stop.pin_pad")
    if stop is None and (broken := contradiction(rules)) is not None:
        stop = Message("stop.rules_unsatisfiable", {"rule": broken})
    return SyncDecision(
        view=view,
        rules=rules,
        why_not=why_not,
        stop=stop,
        too_young=too_young,
        proof=proof,
        history_unchecked=follows
        and template.honour_directory_history
        and not view.honours_history,
    )


def _too_young(view: AccountSnapshot, now: float) -> Message | None:
    if view.account is None or view.policy is None:
        return None
    return sync_conditions.too_young(view.account, view.policy, now)


def _of_view(view: AccountSnapshot, template: Template) -> Message | None:
    if view.account_gone:
        return Message("condition.account_missing")
    if view.account is None:
        return None
    return sync_conditions.of_account(view.account, template)
