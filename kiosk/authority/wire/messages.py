"""One call there and back: what a station sends, and what it gets.

A station's half is `Question`, the authority's `Served`. The call's name, the station
and what authenticates it belong to whatever carries the bytes; the key that makes a
repeated call the same call is inside, because sealed secrets are bound to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from kiosk.authority.errors import AuthorityError, NotUnderstood
from kiosk.authority.ports import Authority
from kiosk.authority.proof.seal import SealedOpener, SealingKey
from kiosk.authority.values import wipe
from kiosk.authority.wire import errors
from kiosk.authority.wire.calls import CALLS, Call
from kiosk.authority.wire.codec import decode, encode
from kiosk.authority.wire.errors import CarriedError
from kiosk.authority.wire.secrets import ANSWERED, ASKED, OnItsWay
from kiosk.directory.errors import DirectoryError
from storage.errors import RegistryError
from storage.known_types import known


class _Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A call on its way."""

    key: Annotated[str, msgspec.Meta(max_length=64, pattern=r"^[!-~]+\Z")]
    """The station's own name for the call; without one, a lost answer would be lost."""
    request: msgspec.Raw
    seal_to: bytes = b""
    """Whom to seal the secrets of the answer to; empty: there are none."""


class Answered(msgspec.Struct, frozen=True):
    """What came of it: one of the two."""

    answer: msgspec.Raw = msgspec.Raw(b"null")
    error: CarriedError | None = None


class Question:
    """A station's call: `body` is sent, as often as it takes, and `answer` reads."""

    def __init__(
        self, name: str, request: msgspec.Struct, *, key: str, sealing_key: bytes = b""
    ) -> None:
        """`sealing_key`: the authority's, for what was typed."""
        self._call = CALLS[name]
        self._key, self._operation = key, _operation_of(request)
        self._mine = SealingKey() if self._call.hands_out else None
        to_authority = self._way(ASKED, to=sealing_key)
        asked = _Asked(
            key=key,
            request=msgspec.Raw(encode(request, to_authority)),
            seal_to=self._mine.public if self._mine is not None else b"",
        )
        self.body = msgspec.json.encode(asked)

    def answer(self, body: bytes) -> object:
        """Return what was answered; the caller wipes its secrets.

        Raises the authority's error as itself; NotUnderstood, SecretUnreadable.
        """
        answered = _read(body, Answered)
        if answered.error is not None:
            raise errors.rebuilt(answered.error)
        way = self._way(ANSWERED, mine=self._mine)
        return decode(bytes(answered.answer), self._call.answer, way)

    def _way(self, direction: str, **how: Any) -> OnItsWay:  # Any: fields of OnItsWay
        return OnItsWay(
            direction=direction,
            call=self._call.name,
            operation=self._operation,
            key=self._key,
            **how,
        )


@dataclass(frozen=True, slots=True)
class Served:
    """The authority's half, for one station."""

    authority: Callable[[str], Authority]
    """The port of that station, for a call with that key."""
    opens: Callable[[str], SealedOpener]
    """What opens what was sealed for an operation."""

    def answer(self, name: str, body: bytes) -> bytes:
        """Carry a call out and return what the station gets: its answer or its error.

        What is neither is a bug, and passes.
        """
        try:
            return self.carried_out(name, body)
        except (AuthorityError, DirectoryError, RegistryError) as error:
            return msgspec.json.encode(Answered(error=errors.told(error)))

    def carried_out(self, name: str, body: bytes, *, key: str = "") -> bytes:
        """Carry a call out and return its answer. Whatever the port raises.

        `key`: what stands outside the call as its name; another one inside it is
        NotUnderstood.
        """
        return msgspec.json.encode(
            Answered(msgspec.Raw(self._carried(name, body, key)))
        )

    def _carried(self, name: str, body: bytes, key: str) -> bytes:
        call = CALLS.get(name)
        if call is None:
            raise NotUnderstood
        asked = _read(body, _Asked)
        if key not in ("", asked.key):
            raise NotUnderstood
        request = self._request(call, asked)
        try:
            answer = call.carry_out(self.authority(asked.key), request)
        finally:
            for field in request.__struct_fields__:
                wipe(getattr(request, field))
        way = OnItsWay(
            direction=ANSWERED,
            call=name,
            operation=_operation_of(request),
            key=asked.key,
            to=asked.seal_to,
        )
        try:
            return encode(answer, way)
        finally:
            wipe(answer)

    def _request(self, call: Call, asked: _Asked) -> msgspec.Struct:
        raw = bytes(asked.request)
        operation = _read(raw, _About).operation
        way = OnItsWay(
            direction=ASKED,
            call=call.name,
            operation=operation,
            key=asked.key,
            mine=self.opens(operation),
        )
        return decode(raw, call.request, way)


class _About(msgspec.Struct, frozen=True):
    """Which operation a request is about; empty where it is about none."""

    operation: str = ""


def _operation_of(request: msgspec.Struct) -> str:
    return getattr(request, "operation", "")


def _read(body: bytes, kind: type[Any]) -> Any:  # Any: whichever type was asked for
    try:
        return msgspec.json.decode(body, type=known(kind))
    except msgspec.DecodeError:
        raise NotUnderstood from None
