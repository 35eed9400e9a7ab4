"""The authority as an application: routes, and what every answer has in common.

    POST /v1/visit/{call}   a call of `authority.ports.Authority`, signed by a station
    WS   /v1/desk           an operator's session, its handshake signed (`desks`)
    POST /v1/enroll         a station becomes one of the fleet, by its token
    POST /v1/report         a station says how it is, signed
    GET  /v1/openapi.json   what can be asked, as a document
    GET  /live              this process hears
    GET  /ready             this process wants to be asked

The version is in the path: another one will be another path, beside this one. What a
newer station asks for besides is refused, what a newer authority says besides is not
heard (`wire.messages`).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from kiosk.authority.errors import (
    AuthorityBusy,
    AuthorityError,
    FailedInside,
    NotUnderstood,
)
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.service import openapi
from kiosk.authority.service.bounds import body_of, check_headers
from kiosk.authority.service.callers import AuthorityOf, Verify
from kiosk.authority.service.desks import DeskService
from kiosk.authority.service.problems import refused
from kiosk.authority.service.readiness import Readiness
from kiosk.authority.service.threads import Threads
from kiosk.authority.stations import report_call
from kiosk.authority.stations.enroll_call import PATH
from kiosk.authority.stations.limits import StationLimit
from kiosk.authority.stations.request import HttpRequest
from kiosk.authority.wire.calls import CALLS
from kiosk.authority.wire.messages import Served
from kiosk.core import logs
from kiosk.core.entropy import Entropy
from kiosk.core.errors import frames
from kiosk.core.figures import UNKNOWN_CALL, UNTOLD, WELL, Figures
from kiosk.directory.errors import DirectoryError
from storage.errors import RegistryError

JSON = "application/json"
_EVENT_BYTES = 4
_ANSWERED = "service.answered station=%s call=%s result=%s ms=%d"

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Service:
    """What the application works with; a reload puts others in their places."""

    threads: Threads
    verify: Verify
    authority_of: AuthorityOf
    names: frozenset[str]
    """HOST[:PORT] for which requests may be signed, in small letters."""
    entropy: Entropy
    enroll: Callable[[RequiredPorts, HttpRequest], bytes] | None = None
    """None: stations are not enrolled here."""
    report: Callable[[RequiredPorts, HttpRequest, StationLimit], bytes] | None = None
    """None: nobody keeps what stations say of themselves."""
    count: Callable[[RequiredPorts], Mapping[str, int]] | None = None
    """Says how many stations stand how, for the figures; None: nobody knows."""
    desk: DeskService | None = None
    """What serves operators' sessions; None: there are none here."""
    limit: StationLimit = field(default_factory=StationLimit)
    figures: Figures = UNTOLD
    readiness: Readiness = field(default_factory=Readiness)

    def adopt(self, fresh: Service) -> Threads:
        """Work with what another one has; return the threads that it does without.

        They are closed by whoever gets them, once they have done what they have.
        """
        former = self.threads
        self.threads, self.names = fresh.threads, fresh.names
        self.verify, self.authority_of = fresh.verify, fresh.authority_of
        self.enroll, self.limit = fresh.enroll, fresh.limit
        self.desk, self.report = fresh.desk, fresh.report
        self.count = fresh.count
        return former


Endpoint = Callable[[Request], Awaitable[Response]]


def application(service: Service, more: Sequence[BaseRoute] = ()) -> Starlette:
    """Return the ASGI application. `more`: what others serve beside the visit."""

    async def visit(request: Request) -> Response:
        signed = await signed_request(request, service)
        call = request.path_params["call"]
        service.figures.inside(service.threads.inside)
        try:
            body = await service.threads.run(
                lambda parts: _carried_out(service, parts, signed, call)
            )
        finally:
            service.figures.inside(service.threads.inside)
        return Response(body, media_type=JSON, headers={"cache-control": "no-store"})

    async def enroll(request: Request) -> Response:
        signed = await signed_request(request, service)
        take = service.enroll
        if take is None:
            raise NotUnderstood
        body = await service.threads.run(lambda parts: take(parts, signed))
        return Response(body, media_type=JSON, headers={"cache-control": "no-store"})

    async def report(request: Request) -> Response:
        signed = await signed_request(request, service)
        take = service.report
        if take is None:
            raise NotUnderstood
        body = await service.threads.run(
            lambda parts: take(parts, signed, service.limit)
        )
        return Response(body, media_type=JSON, headers={"cache-control": "no-store"})

    async def document(_: Request) -> Response:
        return Response(openapi.document(), media_type=JSON)

    async def live(_: Request) -> Response:
        return Response("live\n", media_type="text/plain")

    async def ready(_: Request) -> Response:
        is_ready = await service.readiness.is_ready(service.threads)
        said = "ready\n" if is_ready else "not ready\n"
        return Response(said, 200 if is_ready else 503, media_type="text/plain")

    return Starlette(
        routes=[
            Route("/v1/visit/{call}", answered(service, visit), methods=["POST"]),
            Route(PATH, answered(service, enroll), methods=["POST"]),
            Route(report_call.PATH, answered(service, report), methods=["POST"]),
            Route("/v1/openapi.json", answered(service, document), methods=["GET"]),
            Route("/live", answered(service, live), methods=["GET"]),
            Route("/ready", answered(service, ready), methods=["GET"]),
            *more,
        ],
        exception_handlers={HTTPException: _no_such_thing},
    )


def answered(service: Service, endpoint: Endpoint) -> Endpoint:
    """Answer whatever happens: with what the endpoint says, or with a problem."""

    async def answer(request: Request) -> Response:
        began, result = monotonic(), WELL
        try:
            check_headers(request)
            said = await endpoint(request)
        except (AuthorityError, DirectoryError, RegistryError) as error:
            said, result = refused(error), error.code
        except Exception as error:  # noqa: BLE001 - the last place that can answer
            event = service.entropy.bytes(_EVENT_BYTES).hex()
            log.error("service.failed_inside event=%s %s", event, frames(error))
            said, result = refused(FailedInside(event=event)), FailedInside.code
        if (call := request.path_params.get("call")) is not None:
            told = call if call in CALLS else UNKNOWN_CALL
            service.figures.asked(told, result, monotonic() - began)
        if service.readiness.is_ending:
            said.headers["connection"] = "close"  # the next call goes elsewhere
        return said

    return answer


async def signed_request(request: Request, service: Service) -> HttpRequest:
    """Return what a station has signed, whole. NotUnderstood and as `body_of`."""
    authority = request.headers.get("host", "").lower()
    if authority not in service.names:
        raise NotUnderstood  # signed for somebody else, or for whoever asks first
    headers: dict[str, str] = {}
    for name, value in request.headers.raw:
        key = name.decode("latin-1").lower()
        if key in headers:
            raise NotUnderstood  # which of the two was signed?
        headers[key] = value.decode("latin-1")
    return HttpRequest(
        method=request.method,
        authority=authority,
        path=request.url.path,
        query=request.url.query,
        headers=headers,
        body=await body_of(request),
    )


def _carried_out(
    service: Service, parts: RequiredPorts, signed: HttpRequest, call: str
) -> bytes:
    """A worker's thread. Whatever the port raises."""
    try:
        station = service.verify(parts, signed).station
    except RegistryError as error:
        log.error("service.caller_not_judged code=%s", error.code)
        raise AuthorityBusy from None  # whoever it is, where the store is is not theirs
    served = Served(
        lambda key: service.authority_of(parts, station, key), parts.sealed_for
    )
    key = signed.headers.get("idempotency-key", "")
    if not key:
        raise NotUnderstood
    began, result = monotonic(), WELL
    with logs.request(key), service.limit.one_call(station):
        try:
            return served.carried_out(call, signed.body, key=key)
        except (AuthorityError, DirectoryError, RegistryError) as error:
            result = error.code
            raise
        finally:
            ms = round(1000 * (monotonic() - began))
            log.info(_ANSWERED, station, call, result, ms)


async def _no_such_thing(_: Request, error: Exception) -> Response:
    """There is no such path, or not by this method."""
    said = refused(NotUnderstood())
    if isinstance(error, HTTPException):
        said.status_code = error.status_code
        said.headers.update(error.headers or {})
    return said
