"""The authority's port from a station: each call is a question, asked over HTTPS.

Each call has a key of its own, made here, and is asked under it until it is answered or
its time is over. An answer that did not come in time is `AuthorityAway`: the visit then
knows no more than that the call may have happened, and the durable marks decide.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from kiosk import __version__
from kiosk.authority.client.line import HttpAnswer
from kiosk.authority.client.lines import CALL_SECONDS, STEP_SECONDS, Lines
from kiosk.authority.errors import AuthorityAway
from kiosk.authority.ports import Authority
from kiosk.authority.values import Prepared, StationFault
from kiosk.authority.wire.calls import CALLS
from kiosk.authority.wire.messages import Question
from kiosk.core.entropy import Entropy
from kiosk.core.errors import KioskError, said_of
from storage.errors import RegistryError

PATH = "/v1/visit/"
JSON = "application/json"
_PROBLEM = "application/problem+json"
_KEY_BYTES = 16
MARGIN_SECONDS = 5.0
"""How much longer than the directory's last moment an answer to `write` may take."""
_KEPT_OPERATIONS = 16
"""Of which it is remembered to whom codes are sealed; a station has one at a time."""


class RemoteAuthority:
    """`ports.Authority` of the station that signs. On one thread at a time."""

    def __init__(self, lines: Lines, entropy: Entropy) -> None:
        self._lines = lines
        self._entropy = entropy
        self._prepared: dict[str, Prepared] = {}

    def health(self) -> tuple[StationFault, ...]:
        """Say what is missing, the authority itself perhaps. Never raises."""
        try:
            return cast("tuple[StationFault, ...]", self._ask("health", {}))
        except (KioskError, RegistryError) as error:
            return (StationFault(part="authority", message=said_of(error)),)

    def __getattr__(self, name: str) -> Any:
        """Return a call of the port; all have their form from the port itself."""
        if name not in CALLS:
            raise AttributeError(name)

        def call(*args: object, **named: object) -> object:
            request = CALLS[name].bound(args, named)
            fields = {it: getattr(request, it) for it in request.__struct_fields__}
            return self._ask(name, fields)

        return call

    def _ask(self, name: str, arguments: dict[str, object]) -> object:
        prepared = self._prepared.get(str(arguments.get("operation", "")))
        key = self._entropy.bytes(_KEY_BYTES).hex()
        question = Question(
            name,
            CALLS[name].asked(arguments),
            key=key,
            sealing_key=prepared.sealing_key if prepared else b"",
        )
        seconds, within = CALL_SECONDS, STEP_SECONDS
        if name == "write" and prepared is not None:
            seconds = prepared.write_seconds + MARGIN_SECONDS
            within = seconds + STEP_SECONDS  # and how it ended is asked for again
        headers = {
            "content-type": JSON,
            "accept": JSON,
            "idempotency-key": key,
            "user-agent": f"pin-kiosk/{__version__}",
        }
        answer = self._lines.ask(
            PATH + name, headers, question.body, seconds=seconds, within=within
        )
        return self._heard(question.answer(_said(answer)))

    def _heard(self, answer: object) -> object:
        if isinstance(answer, Prepared):
            self._prepared[answer.operation] = answer
            while len(self._prepared) > _KEPT_OPERATIONS:
                del self._prepared[next(iter(self._prepared))]
        return answer


def remote(lines: Lines, entropy: Entropy) -> Authority:
    """Return the port. Its calls are there by `CALLS`, which are the port's own."""
    return cast("Authority", RemoteAuthority(lines, entropy))


def _said(answer: HttpAnswer) -> bytes:
    """Return what the authority said; AuthorityAway: somebody else answered."""
    if answer.status == 200 and answer.kind == JSON:
        return answer.body
    if answer.kind == _PROBLEM and _names_an_error(answer.body):
        return answer.body
    raise AuthorityAway


class _Problem(msgspec.Struct, frozen=True):
    """What tells the authority's own problem from one of a proxy."""

    error: dict[str, object]


def _names_an_error(body: bytes) -> bool:
    try:
        msgspec.json.decode(body, type=_Problem)
    except msgspec.DecodeError:
        return False
    return True
