"""The authority's port from a station: each call is a question, asked over HTTPS.

Each call has a key of its own, made here, and is asked under it until it is answered or
its time is over. An answer that did not come in time is `AuthorityAway`: the visit then
knows no more than that the call may have happened, and the durable marks decide.

A write takes as long as the directory does. Where it is not answered soon, any address
is asked how the operation stands, and waited for only while one says that it is at it.
What is known by that is told, where the answer itself does not come any more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import msgspec

from kiosk import __version__
from kiosk.authority.client.line import HttpAnswer
from kiosk.authority.client.lines import CALL_SECONDS, Lines
from kiosk.authority.client.write_unheard import UNDER_WAY, verdict_of
from kiosk.authority.errors import AuthorityAway
from kiosk.authority.ports import Authority
from kiosk.authority.values import OperationOutcome, Prepared, StationFault
from kiosk.authority.wire.calls import CALLS
from kiosk.authority.wire.messages import Question
from kiosk.core.clock import Clock
from kiosk.core.entropy import Entropy
from kiosk.core.errors import KioskError, said_of
from statemachine.operation import Phase
from storage.errors import RegistryError
from storage.known_types import known

PATH = "/v1/visit/"
JSON = "application/json"
_PROBLEM = "application/problem+json"
_KEY_BYTES = 16
MARGIN_SECONDS = 5.0
"""How much longer than the directory's last moment an answer to `write` may take."""
LOOK_SECONDS = 2.0
"""For one address to say how an operation stands; all have twice that."""
_LOOKS_EVERY = 0.5
_KEPT_OPERATIONS = 16
"""Of which it is remembered to whom codes are sealed; a station has one at a time."""


class RemoteAuthority:
    """`ports.Authority` of the station that signs. On one thread at a time."""

    def __init__(self, lines: Lines, entropy: Entropy, clock: Clock) -> None:
        self._lines = lines
        self._entropy = entropy
        self._clock = clock
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

    def _ask(self, name: str, arguments: dict[str, object], **limits: float) -> object:
        """Ask, and read what was answered. `limits`: as those of `Lines.ask`."""
        prepared = self._prepared.get(str(arguments.get("operation", "")))
        key = self._entropy.bytes(_KEY_BYTES).hex()
        question = Question(
            name,
            CALLS[name].asked(arguments),
            key=key,
            sealing_key=prepared.sealing_key if prepared else b"",
        )
        headers = {
            "content-type": JSON,
            "accept": JSON,
            "idempotency-key": key,
            "user-agent": f"pin-kiosk/{__version__}",
        }

        def ask(**limits: float) -> object:
            said = self._lines.ask(PATH + name, headers, question.body, **limits)
            return question.answer(_said(said))

        if name == "write" and prepared is not None:
            return self._written(ask, prepared)
        return self._heard(ask(**limits))

    def _written(self, ask: Callable[..., object], prepared: Prepared) -> object:
        """Ask until the write is answered, or it is known how it stands. AuthorityAway:
        nobody is at it, as far as anybody says.
        """
        until = self._clock.monotonic() + prepared.write_seconds + MARGIN_SECONDS
        stands: OperationOutcome | None = None
        while True:
            try:
                return ask(seconds=CALL_SECONDS, within=CALL_SECONDS)
            except AuthorityAway as error:
                if type(error) is not AuthorityAway:
                    raise  # it cannot be asked at all
            if stands is not None and (known := verdict_of(stands)) is not None:
                return known
            again = stands is not None
            stands = self._await(prepared.operation, until, is_asked_again=again)
            if stands.phase is Phase.WRITING:
                return UNDER_WAY

    def _await(
        self, operation: str, until: float, *, is_asked_again: bool
    ) -> OperationOutcome:
        """Wait while an address says that the write is under way, and return how it
        stands then. AuthorityAway.

        One that was not begun may not have been heard, so it is asked for again, once:
        more calls of one station would be too many.
        """
        stands: OperationOutcome | None = None
        while self._clock.monotonic() < until:
            stands = self._outcome(operation)
            if stands.is_ended or stands.phase is Phase.ROLLING_BACK:
                return stands
            if stands.phase is not Phase.WRITING and not is_asked_again:
                return stands
            self._clock.sleep(_LOOKS_EVERY)
        if stands is None or stands.phase is not Phase.WRITING:
            raise AuthorityAway
        return stands

    def _outcome(self, operation: str) -> OperationOutcome:
        stands = self._ask(
            "outcome",
            {"operation": operation},
            seconds=LOOK_SECONDS,
            within=2 * LOOK_SECONDS,
        )
        return cast("OperationOutcome", stands)

    def _heard(self, answer: object) -> object:
        if isinstance(answer, Prepared):
            self._prepared[answer.operation] = answer
            while len(self._prepared) > _KEPT_OPERATIONS:
                del self._prepared[next(iter(self._prepared))]
        return answer


def remote(lines: Lines, entropy: Entropy, clock: Clock) -> Authority:
    """Return the port. Its calls are there by `CALLS`, which are the port's own."""
    return cast("Authority", RemoteAuthority(lines, entropy, clock))


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
        msgspec.json.decode(body, type=known(_Problem))
    except msgspec.DecodeError:
        return False
    return True
