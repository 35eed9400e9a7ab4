"""Becoming one of the fleet, from the station: one request, asked until it is heard."""

from __future__ import annotations

import msgspec

from kiosk.authority.client.lines import Lines
from kiosk.authority.errors import AuthorityAway
from kiosk.authority.stations.enroll_call import PATH, Enrolled
from kiosk.authority.wire import errors
from kiosk.authority.wire.errors import CarriedError
from kiosk.core.entropy import Entropy
from storage.known_types import known

JSON = "application/json"
_KEY_BYTES = 16


class _NotEnrolled(msgspec.Struct, frozen=True):
    error: CarriedError


def enroll(lines: Lines, body: bytes, entropy: Entropy) -> Enrolled:
    """Ask, and return what was heard; it may be asked again with the same key.

    Whatever the authority refuses it for; AuthorityAway, AuthorityNotTrusted.
    """
    key = entropy.bytes(_KEY_BYTES).hex()
    headers = {"content-type": JSON, "accept": JSON, "idempotency-key": key}
    answer = lines.ask(PATH, headers, body)
    try:
        if answer.status == 200:
            return msgspec.json.decode(answer.body, type=known(Enrolled))
        told = msgspec.json.decode(answer.body, type=known(_NotEnrolled))
    except msgspec.DecodeError:
        raise AuthorityAway from None  # whoever it is that answers
    raise errors.rebuilt(told.error)
