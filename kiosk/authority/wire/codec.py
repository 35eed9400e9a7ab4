"""Values of the authority's port as JSON. A secret is written by whoever seals it.

Where a value has a `Secret`, the text has what `Sealing.seal` made of it: sealed to one
station on its way, sealed by the vault where an answer is kept. Nothing here ever
writes one bare. Any thread.
"""

from __future__ import annotations

from itertools import count
from typing import Any, Protocol, TypeVar

import msgspec

from kiosk.authority.errors import NotUnderstood
from kiosk.authority.values import wipe
from kiosk.core.secret import Secret
from storage.known_types import known

T = TypeVar("T")


class Sealing(Protocol):
    """How the secrets of one message are sealed. `place` counts them from 0."""

    def seal(self, secret: Secret, place: int) -> str:
        """Return what stands for the secret."""

    def open(self, sealed: str, place: int) -> Secret:
        """Return the secret; the caller wipes it. KioskError."""


def encode(value: object, sealing: Sealing) -> bytes:
    """Return `value` as JSON (UTF-8)."""
    places = count()

    def write(inside: object) -> str:
        if isinstance(inside, Secret):
            return sealing.seal(inside, next(places))
        raise TypeError(type(inside).__name__)  # a bug: no value of the port is that

    return msgspec.json.encode(value, enc_hook=write)


def decode(raw: bytes | str, kind: type[T], sealing: Sealing) -> T:
    """Return the value that was encoded; its secrets are the caller's to wipe.

    NotUnderstood, without a word of what it was; and what `sealing.open` raises.
    """
    places = count()
    opened: list[Secret] = []

    def read(inside: type, text: Any) -> Secret:  # Any: as msgspec has it
        if inside is not Secret or not isinstance(text, str):
            raise NotUnderstood
        opened.append(sealing.open(text, next(places)))
        return opened[-1]

    try:
        return msgspec.json.decode(raw, type=known(kind), dec_hook=read)
    except BaseException as error:
        for secret in opened:
            wipe(secret)
        if isinstance(error, msgspec.DecodeError | ValueError):
            raise NotUnderstood from None  # msgspec's words repeat what it was given
        raise
