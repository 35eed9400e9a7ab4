"""Errors as answers: problem details (RFC 9457) with the station's own codes and texts.

A problem is what the port's answer is (`wire.messages.Answered`), with more said for
whoever is not a station: it is raised there as itself.
"""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from kiosk.authority import errors as refusals
from kiosk.authority.errors import AuthorityError
from kiosk.authority.wire import errors
from kiosk.authority.wire.errors import CarriedError, PortError
from kiosk.directory.errors import DirectoryError
from kiosk.texts import UnknownText, sentence
from storage import errors as store_errors
from storage.errors import RegistryError

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:pin-kiosk:error:"
AGAIN_SECONDS = 1
"""After which a call that was not begun may come again."""

_STATUS: dict[type[Exception], int] = {
    refusals.NotUnderstood: 400,
    refusals.SealedSecretUnreadable: 400,
    refusals.NotSigned: 401,
    refusals.StationUnknown: 401,
    refusals.ClocksApart: 401,
    refusals.StationMayNot: 403,
    refusals.StationKeyUnusable: 400,
    refusals.TokenRefused: 403,
    refusals.TokenExpired: 403,
    refusals.TokenForAnother: 403,
    refusals.StationBusy: 429,
    refusals.ProofFailed: 403,
    refusals.NotProven: 403,
    refusals.CodeRefused: 403,
    refusals.NotOnRecord: 404,
    refusals.CallIncomplete: 408,
    refusals.CallTooLarge: 413,
    refusals.CodeMistyped: 422,
    refusals.RulesBroken: 422,
    refusals.EntriesPaused: 429,
    refusals.FailedInside: 500,
    refusals.AuthorityBusy: 503,
    refusals.AuthorityEnding: 503,
    DirectoryError: 502,
    store_errors.RecordMissing: 404,
    store_errors.VersionConflict: 409,
    store_errors.DuplicateRecord: 409,
    store_errors.StoreLocked: 503,
    store_errors.StoreUnavailable: 503,
    store_errors.CommitUnknown: 503,
    RegistryError: 500,
    AuthorityError: 409,
}
"""What an error is to whoever knows HTTP alone; the first kind that fits counts.

503 lets a station ask again under the same key: so it hears how an outcome ended that
is not known.
"""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """An error on its way, for machines and for people."""

    type: str
    title: str
    status: int
    detail: str
    error: CarriedError


def problem(error: PortError) -> Problem:
    """Return an error as a problem, in English."""
    told = errors.told(error)
    return Problem(
        type=f"{TYPE}{told.code}",
        title=told.code,
        status=status_of(error),
        detail=_detail(told),
        error=told,
    )


def refused(error: PortError) -> Response:
    """Return the answer that an error is."""
    found = problem(error)
    headers = {"cache-control": "no-store"}
    if found.status in (429, 503):
        headers["retry-after"] = str(error.data.get("seconds", AGAIN_SECONDS))
    if found.status in (408, 413):
        headers["connection"] = "close"  # more of it may be on its way
    return Response(
        msgspec.json.encode(found), found.status, headers, media_type=MEDIA_TYPE
    )


def status_of(error: PortError) -> int:
    """Return the HTTP status of an error."""
    own = getattr(error, "status", None)
    if isinstance(own, int):
        return own
    return next(it for kind, it in _STATUS.items() if isinstance(error, kind))


def _detail(told: CarriedError) -> str:
    try:
        return sentence(told.message, limit=200)
    except UnknownText:
        return told.code
