"""A credential that was suspended, revoked or retired in the middle of an operation."""

from __future__ import annotations

from kiosk.core.errors import Message
from statemachine.lifecycle import State
from storage.records import Credential

_HELD = (State.SUSPENDED, State.REVOKED, State.RETIRED)


def held(credential: Credential) -> Message | None:
    """Say why nothing may go on with a credential that was held in the middle."""
    if credential.state in _HELD:
        return Message(f"stop.{credential.state}")
    return None
