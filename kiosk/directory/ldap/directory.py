"""`ports.Directory` over several DCs of one domain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kiosk.clock import Clock
from kiosk.directory.ldap.channel import Channel
from kiosk.directory.ldap.controller import LdapController
from kiosk.directory.ldap.service import ServiceAccount
from kiosk.directory.ldap.settings import LdapSettings
from kiosk.directory.ports import DirectoryError, TlsRefused, Unreachable

AVOID_SECONDS = 60.0
"""How long a DC that could not be had is tried last."""


class LdapDirectory:
    """Opens nothing until `connect`. Any thread; each connection belongs to one."""

    def __init__(self, settings: LdapSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._service = ServiceAccount(settings, clock)
        self._avoided: dict[str, float] = {}
        """DC → until when it is tried last."""

    @contextmanager
    def connect(self, dc: str | None = None) -> Iterator[LdapController]:
        channel = self._first(self._in_order() if dc is None else (dc,))
        try:
            yield LdapController(channel, self._settings, self._clock)
        finally:
            channel.close()

    def _in_order(self) -> tuple[str, ...]:
        """Return the DCs as configured, those that just failed behind the others."""
        now = self._clock.monotonic()
        return tuple(
            sorted(self._settings.dcs, key=lambda dc: self._avoided.get(dc, now) > now)
        )

    def _first(self, dcs: tuple[str, ...]) -> Channel:
        """Sign in at the first DC that can be had and trusted.

        A refused sign-in ends the search: elsewhere it would only count again. If a
        certificate was the trouble anywhere, that is said: it needs somebody.
        """
        troubles: list[DirectoryError] = []
        for dc in dcs:
            try:
                channel = self._signed_in(dc)
            except (Unreachable, TlsRefused) as error:
                troubles.append(error)
                self._avoided[dc] = self._clock.monotonic() + AVOID_SECONDS
            else:
                self._avoided.pop(dc, None)
                return channel
        distrust = next(
            (each for each in troubles if isinstance(each, TlsRefused)), None
        )
        if distrust is not None:
            raise distrust
        last = troubles[-1]
        raise Unreachable(dcs=", ".join(dcs), reason=last.data["reason"]) from last

    def _signed_in(self, dc: str) -> Channel:
        channel = Channel(self._settings, dc)
        try:
            self._service.sign_in(channel)
        except BaseException:
            channel.close()
            raise
        return channel
