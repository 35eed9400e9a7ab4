"""The readers of a station, and the PKCS#11 module of its cards."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kiosk.cards.any_card import MakeCard
    from kiosk.cards.pkcs11.process import ModuleProcess
    from kiosk.cards.ports import Card, Connection, Monitor
    from kiosk.cards.trace import Trace
    from kiosk.cards.values import Family
    from kiosk.config import AnyStation


def monitor_of(config: AnyStation, trace: Trace | None = None) -> Monitor:
    """Return what watches this station's readers."""
    from kiosk.cards.pcsc import PcscMonitor
    from kiosk.config.sections.station import PinpadUse

    return PcscMonitor(
        config.readers.names,
        trace,
        use_pinpads=config.readers.pinpad is not PinpadUse.IGNORE,
        requires_pinpads=config.readers.pinpad is PinpadUse.REQUIRED,
        more=_middleware(config),
    )


def any_monitor(trace: Trace | None = None, module: Path | None = None) -> Monitor:
    """Return what watches every reader: for commands that need no configuration.

    `module`: a PKCS#11 module for what is no PIV and no GIDS card.
    """
    from kiosk.cards.pcsc import PcscMonitor
    from kiosk.cards.pkcs11.process import ModuleProcess
    from kiosk.cards.pkcs11.unblocking import Unblocking

    if module is None:
        return PcscMonitor((), trace)
    process = partial(ModuleProcess, module, Unblocking.AUTO)
    return PcscMonitor((), trace, more=_behind(process))


def module_of(config: AnyStation) -> Path | None:
    """Return the PKCS#11 module of this station, if it has one."""
    from kiosk.cards.pkcs11 import places

    told = config.middleware
    if told.module is not None or not told.search:
        return told.module
    return places.first_there(places.known_places())


def middleware_of(config: AnyStation, module: Path) -> ModuleProcess:
    """Return the process that will load a module; it is not started yet."""
    from kiosk.cards.pkcs11.process import ModuleProcess
    from kiosk.cards.pkcs11.unblocking import Unblocking

    told = config.middleware
    return ModuleProcess(module, Unblocking(told.unblock), seconds=told.time_limit)


def _middleware(config: AnyStation) -> dict[Family, MakeCard]:
    """Return how the card of an insertion is made that a module speaks to."""
    module = module_of(config)
    if module is None:
        return {}
    return _behind(partial(middleware_of, config, module))


def _behind(process: Callable[[], ModuleProcess]) -> dict[Family, MakeCard]:
    from kiosk.cards.pkcs11.card import Pkcs11Card
    from kiosk.cards.values import Family

    def make(
        connect: Callable[[], Connection],  # noqa: ARG001 - the module has its own
        *,
        reader: str,
        insertion: int,
    ) -> Card:
        return Pkcs11Card(process(), reader=reader, insertion=insertion)

    return {Family.PKCS11: make}
