"""One process of the authority: from its first answer to its last.

It ends in order: first it says that it is not ready and asks stations to go elsewhere,
and still answers; then it takes no connection any more and answers what is under way.
A configuration that changed is taken over without an end: what is wrong with it is
logged, and everything stays as it was.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.routing import BaseRoute

from kiosk.authority.errors import AuthorityError
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.service.app import Service, application
from kiosk.authority.service.desks import Desks
from kiosk.authority.service.server import Listening, certificate_loaded, serve
from kiosk.core.errors import KioskError, frames
from kiosk.core.figures import UNTOLD
from storage.errors import RegistryError
from storage.vault import VaultError

HOUSEKEEPING_SECONDS = 30.0
"""Between looks for what can wait: old nonces and answers, a checkpoint that is due."""

_COUNTED_EACH = 2
"""Looks of those in which the stations are counted, too."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessParts:
    """What a configuration makes of a process."""

    service: Service
    listening: Listening
    drain_seconds: float


def run(
    made: ProcessParts,
    remake: Callable[[], ProcessParts],
    more: Sequence[BaseRoute] = (),
    listens: Callable[[], None] = lambda: None,
) -> None:
    """Serve until the process is told to end. On the main thread.

    `remake` reads the configuration again; what it raises is logged. `listens` is
    called once stations can be heard. At the start: CertificateUnusable,
    ListenUnusable, SecretFileError.
    """
    asyncio.run(_run(made, remake, more, listens))


async def _run(
    made: ProcessParts,
    remake: Callable[[], ProcessParts],
    more: Sequence[BaseRoute],
    listens: Callable[[], None],
) -> None:
    service = made.service
    current = made
    desks = Desks(service)

    async def reload() -> Listening | None:
        nonlocal current
        try:
            fresh = await asyncio.to_thread(remake)
        except (KioskError, RegistryError, VaultError) as error:
            log.error("service.reload_refused %s", error)
            return None
        except Exception as error:  # noqa: BLE001 - what it serves goes on, whatever
            log.error("service.reload_refused %s", frames(error))
            return None
        listening = _where(current.listening, fresh.listening)
        current = fresh
        former = service.adopt(fresh.service)
        asyncio.get_running_loop().run_in_executor(None, former.close)
        log.info("service.reloaded")
        return listening

    async def ending() -> None:
        service.readiness.is_ending = True
        await asyncio.sleep(current.drain_seconds)
        await desks.end()

    tidying = asyncio.create_task(tidy(service))
    try:
        app = application(service, (*more, *desks.routes))
        await serve(app, made.listening, reload=reload, ending=ending, listens=listens)
    finally:
        tidying.cancel()
        await asyncio.to_thread(service.threads.close, drops_waiting=True)


def _where(now: Listening, wanted: Listening) -> Listening:
    """Return the new certificate, at the old place: a listener is not moved."""
    if (now.host, now.port) != (wanted.host, wanted.port):
        log.warning("service.listen_needs_restart")
    return Listening(
        host=now.host,
        port=now.port,
        certificate_file=wanted.certificate_file,
        key_file=wanted.key_file,
    )


async def tidy(service: Service) -> None:
    """Do a little of what can wait, again and again, whatever comes of it."""
    rounds = itertools.count()
    while True:
        await asyncio.sleep(HOUSEKEEPING_SECONDS)
        try:
            while await service.threads.run(_is_more_due):
                log.debug("service.tidied")
            if next(rounds) % _COUNTED_EACH == 0:
                await _count(service)
        except (RegistryError, AuthorityError) as error:
            log.warning("service.not_tidied code=%s", error.code)
        except Exception as error:  # noqa: BLE001 - what can wait is tried again
            log.error("service.not_tidied %s", frames(error))


async def _count(service: Service) -> None:
    """Tell the figures of the fleet's stations, where somebody reads figures."""
    count = service.count
    if count is not None and service.figures is not UNTOLD:
        service.figures.stations(await service.threads.run(count))


def _is_more_due(parts: RequiredPorts) -> bool:
    """A worker's thread."""
    return parts.registry.idle(parts.clock.now())


def checked(made: ProcessParts) -> ProcessParts:
    """Return it, if its certificate can be used. As `certificate_loaded`."""
    try:
        certificate_loaded(made.listening)
    except KioskError:
        made.service.threads.close()
        raise
    return made
