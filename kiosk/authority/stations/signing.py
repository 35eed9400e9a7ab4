"""Requests signed by stations (RFC 9421): the one policy, for both ends.

A signature covers the method, for whom the request is (HOST[:PORT]), path, query, the
body by its digest (RFC 9530), what the body is, and the key that makes a repeated call
the same call. It is of now: `WINDOW` seconds in both directions. Whatever else a
message may have, and whatever the library would take by default, is not taken.

Replay is judged elsewhere: a call that writes happens once for its key
(`authority.repeats`), and one that only reads may be asked again as long as this holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureAlgorithm,
    HTTPSignatureKeyResolver,
)
from http_message_signatures.exceptions import (
    HTTPMessageSignaturesException,
    InvalidSignature,
)

from kiosk.authority.errors import ClocksApart, NotSigned, StationUnknown
from kiosk.authority.stations.keys import StationKey, StationPublicKey
from kiosk.authority.stations.request import HttpRequest
from kiosk.core.clock import Clock

WINDOW = 60.0
"""Seconds that a station's clock may be before or behind the authority's."""
TAG = "pin-kiosk"
LABEL = "station"
COMPONENTS = (
    "@method",
    "@authority",
    "@path",
    "@query",
    "content-digest",
    "idempotency-key",
)
_WITH_BODY = "content-type"
"""Is covered where there is a body; without one there is nothing that it tells of."""
_PARAMETERS = frozenset({"created", "keyid", "tag"})
LONGEST_ID = 64
"""Characters of a station's id."""

KeyOf = Callable[[str], StationPublicKey | None]
"""The key on record of the station that has this id; None: there is none."""


@dataclass(frozen=True, slots=True)
class Proven:
    """What a signature has shown."""

    station: str
    """The id of the station whose key signed."""
    signed_at: int
    """By the station's clock: seconds since 1970-01-01 UTC."""


def sign(
    request: HttpRequest, *, station: str, key: StationKey, clock: Clock
) -> Mapping[str, str]:
    """Return the headers that a request has besides, once it is signed.

    `station`: the id under which the authority has the key. Raises what `key.sign`
    does. Any thread.
    """
    message = _Message.of(request)
    signer = HTTPMessageSigner(signature_algorithm=_ByRecord)
    prepared = signer.prepare(
        message,
        key_id=station,
        created=datetime.fromtimestamp(int(clock.now()), UTC),
        tag=TAG,
        label=LABEL,
        include_alg=False,  # the key on record says how it signs
        covered_component_ids=_covered(request),
        body=request.body,
    )
    signer.apply(message, prepared, key.sign(prepared.signature_base))
    return {
        name.lower(): value
        for name, value in message.headers.items()
        if name.lower() not in request.headers
    }


def verify(request: HttpRequest, key_of: KeyOf, clock: Clock) -> Proven:
    """Return whose request this is. Any thread; `key_of` is called on it.

    NotSigned: by nobody, by more than one, or not everything that counts.
    StationUnknown. ClocksApart: the signature is good, and of another time. What
    `key_of` raises.
    """
    keys = _Keys(key_of)
    verifier = _OfAnyTime(signature_algorithm=_ByRecord, key_resolver=keys)
    try:
        found = verifier.verify(
            _Message.of(request),
            max_age=None,  # judged below, by our clock, once we know who it is
            expect_tag=TAG,
            require_components=_covered(request),
            body=request.body,
        )
    except (HTTPMessageSignaturesException, ValueError, TypeError) as error:
        if keys.failed is not None:
            raise keys.failed from None
        if keys.unknown:
            raise StationUnknown(station=keys.unknown) from None
        raise NotSigned from error
    if len(found) != 1 or frozenset(found[0].parameters) != _PARAMETERS:
        raise NotSigned
    told: Mapping[str, Any] = found[0].parameters  # Any: their types were judged
    signed_at, now = int(told["created"]), clock.now()
    if abs(signed_at - now) > WINDOW:
        raise ClocksApart(station=_time(signed_at), authority=_time(now))
    return Proven(str(told["keyid"]), signed_at)


# --- what the library is given ------------------------------------------------


@dataclass(slots=True)
class _Message:
    """A request as the library reads it, and writes its headers into."""

    method: str
    url: str
    headers: dict[str, str]

    @classmethod
    def of(cls, request: HttpRequest) -> _Message:
        query = f"?{request.query}" if request.query else ""
        url = f"https://{request.authority}{request.path}{query}"
        return cls(request.method, url, dict(request.headers))


class _ByRecord(HTTPSignatureAlgorithm):
    """Signs nothing, and judges as the key on record does."""

    algorithm_id = "by-record"

    def __init__(self, public_key: StationPublicKey | None = None) -> None:
        self._key = public_key

    def sign(self, message: bytes) -> bytes:
        raise NotImplementedError  # `key.sign` does

    def verify(self, signature: bytes, message: bytes) -> None:
        if self._key is None or not self._key.has_signed(message, signature):
            raise InvalidSignature


class _Keys(HTTPSignatureKeyResolver):
    """Looks a key up, and remembers why there was none."""

    def __init__(self, key_of: KeyOf) -> None:
        self._key_of = key_of
        self.unknown = ""
        self.failed: Exception | None = None

    def resolve_public_key(self, key_id: str) -> Any:  # Any: ours, not one of its own
        if not 0 < len(key_id) <= LONGEST_ID or not key_id.isprintable():
            raise InvalidSignature
        try:
            key = self._key_of(key_id)
        except Exception as error:
            self.failed = error  # the library would make a bad signature of it
            raise
        self.unknown = key_id if key is None else ""
        return key

    def resolve_private_key(self, key_id: str) -> Any:
        raise NotImplementedError  # `key.sign` has it


class _OfAnyTime(HTTPMessageVerifier):
    """Demands that a signature says when it was made, and leaves the time to us."""

    def validate_created_and_expires(
        self,
        sig_input: Any,
        max_age: timedelta | None = None,  # noqa: ARG002 - the library's signature
    ) -> None:
        if type(sig_input.params.get("created")) is not int:
            raise InvalidSignature


def _covered(request: HttpRequest) -> tuple[str, ...]:
    return (*COMPONENTS, _WITH_BODY) if request.body else COMPONENTS


def _time(seconds: float) -> str:
    """Return a time as a person compares it, UTC; whatever number it is."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return str(seconds)
