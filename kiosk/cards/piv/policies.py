"""What a YubiKey wants before it uses a key: PIN and touch policy (F7, from 5.3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kiosk.cards import tlv
from kiosk.cards.errors import MalformedAnswer

_POLICIES = 0x02
_NAME = "key metadata"


class KeyPinPolicy(StrEnum):
    """When a key wants the PIN."""

    NEVER = "never"
    ONCE = "once"
    ALWAYS = "always"
    MATCH_ONCE = "match once"
    MATCH_ALWAYS = "match always"


class TouchPolicy(StrEnum):
    """When a key wants the contact touched."""

    NEVER = "never"
    ALWAYS = "always"
    CACHED = "cached"


_PIN = dict(enumerate(KeyPinPolicy, start=1))
_TOUCH = dict(enumerate(TouchPolicy, start=1))


@dataclass(frozen=True, slots=True)
class KeyPolicies:
    """None: a policy that has no name here."""

    pin: KeyPinPolicy | None
    touch: TouchPolicy | None


def read_policies(value: bytes) -> KeyPolicies:
    """Read the answer for a key. MalformedAnswer."""
    told = tlv.need(value, _POLICIES, _NAME)
    if len(told) != 2:
        raise MalformedAnswer(object=_NAME, offset=0)
    return KeyPolicies(_PIN.get(told[0]), _TOUCH.get(told[1]))
