"""The server under the application: granian, in this process.

HTTP/1.1 over TLS 1.3 alone. Whoever sends no whole header within some seconds is cut
off; bodies are bounded by the application. One process is one systemd unit: more of
them are more units.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.server.embed import Server
from starlette.types import ASGIApp

from kiosk.core.errors import KioskError, reason_of
from kiosk.core.secret_file import read_secret
from kiosk.core.service_manager import notify, watchdog_seconds

HEADER_SECONDS = 5.0
"""For a handshake, for a whole header, and for the next one on a kept connection."""
_TOGETHER_SECONDS = 0.5
"""How long the listener with the former certificate stays beside the new one."""
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

log = logging.getLogger(__name__)


class CertificateUnusable(KioskError):
    """The service's certificate or key cannot be used: `file`, `reason`."""

    code = "service.certificate_unusable"


class ListenUnusable(KioskError):
    """Nothing can listen there: `address`, `reason`."""

    code = "service.listen_unusable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where and as whom the service listens."""

    host: str
    port: int
    certificate_file: Path
    key_file: Path


def certificate_loaded(listening: Listening) -> ssl.SSLContext:
    """Load certificate and key as the server will. CertificateUnusable.

    SecretFileError where others may read the key.
    """
    read_secret(listening.key_file).wipe()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    file = listening.certificate_file
    try:
        context.load_cert_chain(file, listening.key_file, _no_password)
    except ssl.SSLError as error:
        reason = (error.reason or "no certificate").replace("_", " ").lower()
        raise CertificateUnusable(file=str(file), reason=reason) from error
    except OSError as error:
        raise CertificateUnusable(file=str(file), reason=reason_of(error)) from error
    return context


async def serve(
    app: ASGIApp,
    listening: Listening,
    *,
    reload: Callable[[], Awaitable[Listening | None]],
    ending: Callable[[], Awaitable[None]],
    listens: Callable[[], None],
) -> None:
    """Serve until SIGTERM or SIGINT; then answer what is under way, and return.

    `reload` is called at SIGHUP and returns whose certificate to show now; None: all
    stays as it was. `ending` is called at SIGTERM, before the listener closes;
    `listens` once it is open.
    CertificateUnusable, ListenUnusable, SecretFileError.
    """
    certificate_loaded(listening)
    _check_place(listening)
    loop = asyncio.get_running_loop()
    server = server_of(app, listening)
    wishes: asyncio.Queue[signal.Signals] = asyncio.Queue()
    for heard in _SIGNALS:
        loop.add_signal_handler(heard, wishes.put_nowait, heard)
    serving = loop.create_task(server.serve())
    beating = loop.create_task(_beat())
    await _listens(listening, serving)
    notify("READY=1")
    log.info("service.ready")
    listens()
    try:
        while not serving.done():
            wish = await _next(wishes, serving)
            if wish is signal.SIGHUP:
                await _reloaded(server, reload)
            elif wish is not None:
                notify("STOPPING=1")
                log.info("service.ending")
                await ending()
                server.stop()  # type: ignore[no-untyped-call]  # granian's
                await serving
    finally:
        beating.cancel()
        for heard in _SIGNALS:
            loop.remove_signal_handler(heard)
    await serving
    log.info("service.ended")


def _check_place(listening: Listening) -> None:
    """Bind once, for the server does not say why it cannot. ListenUnusable."""
    family = socket.AF_INET6 if ":" in listening.host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((listening.host, listening.port))
    except OSError as error:
        address = f"{listening.host}:{listening.port}"
        raise ListenUnusable(address=address, reason=reason_of(error)) from error


def server_of(app: ASGIApp, listening: Listening) -> Server:
    """Return the server; it does not listen yet."""
    server = Server(
        app,
        address=listening.host,
        port=listening.port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=int(1000 * HEADER_SECONDS)),
        backlog=1024,
        log_enabled=False,
        ssl_cert=listening.certificate_file,
        ssl_key=listening.key_file,
    )
    server.respawn_interval = _TOGETHER_SECONDS
    return server


async def _listens(listening: Listening, serving: asyncio.Task[None]) -> None:
    """Wait until a connection is taken. What `serving` raises."""
    while not serving.done():
        with suppress(OSError):
            _, writer = await asyncio.open_connection(listening.host, listening.port)
            writer.close()
            return
        await asyncio.sleep(0.02)
    await serving


async def _next(
    wishes: asyncio.Queue[signal.Signals], serving: asyncio.Task[None]
) -> signal.Signals | None:
    """Return the next signal; None: the server has ended by itself."""
    wish = asyncio.ensure_future(wishes.get())
    await asyncio.wait((wish, serving), return_when=asyncio.FIRST_COMPLETED)
    if wish.done():
        return wish.result()
    wish.cancel()
    return None


async def _reloaded(
    server: Server, reload: Callable[[], Awaitable[Listening | None]]
) -> None:
    notify("RELOADING=1")
    listening = await reload()
    if listening is not None:
        server.build_ssl_context(
            listening.certificate_file,
            listening.key_file,
            None,
            SSLProtocols.tls13,
            None,
            [],
            False,  # noqa: FBT003 - granian's own
        )
        server.reload()  # type: ignore[no-untyped-call]  # granian's
    notify("READY=1")


async def _beat() -> None:
    """Tell the watchdog that the loop turns."""
    seconds = watchdog_seconds()
    while seconds is not None:
        notify("WATCHDOG=1")
        await asyncio.sleep(seconds / 2)


def _no_password() -> str:
    """Let an encrypted key be an error instead of a prompt on the terminal."""
    return ""
