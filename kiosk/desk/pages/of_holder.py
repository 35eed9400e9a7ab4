"""What a kiosk tells a card's holder, as an operator is told it: not "your card"."""

from __future__ import annotations

from kiosk.core.errors import Message

_SPOKEN_TO_THE_HOLDER = frozenset(
    {
        "condition.account_expired",
        "condition.disabled",
        "condition.policy_does_not_sync",
        "condition.privileged",
        "condition.self_service_off",
        "condition.smart_card_required",
        "reason.bind_refused",
        "reason.changed_elsewhere",
        "reason.interrupted",
        "reason.no_answer",
        "reason.not_recorded",
        "reason.not_seen",
        "reason.not_written",
        "reason.out_of_step",
        "reason.unblocked_elsewhere",
        "reason.write_refused",
        "refusal.not_activated",
        "refusal.not_at_this_site",
        "refusal.retired",
        "refusal.revoked",
        "refusal.suspended",
    }
)
"""The others speak of the card, and are the same for both."""


def of_holder(message: Message) -> Message:
    """Return the sentence that speaks of the holder."""
    if message.key not in _SPOKEN_TO_THE_HOLDER:
        return message
    return Message(f"desk.of_holder.{message.key}", message.data)
