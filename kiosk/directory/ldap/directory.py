"""`ports.Directory` over several DCs of one domain."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from kiosk.core.clock import Clock
from kiosk.core.name_lookup import by_system
from kiosk.directory.errors import DirectoryError, ReadFailed, TlsRefused, Unreachable
from kiosk.directory.ldap import replication
from kiosk.directory.ldap.accounts import USER
from kiosk.directory.ldap.addresses import Resolve
from kiosk.directory.ldap.breaker import Breaker
from kiosk.directory.ldap.channel import Channel
from kiosk.directory.ldap.controller import LdapController
from kiosk.directory.ldap.kept_lines import KeptLines, SignedInLine
from kiosk.directory.ldap.service import ServiceAccount
from kiosk.directory.ldap.settings import LdapSettings
from kiosk.directory.ports import DomainController
from kiosk.directory.values import Account, Spread, WhyUnreachable

if TYPE_CHECKING:
    from kiosk.directory.ldap.locator import Locator

_NOBODY = f"(&{USER}(sAMAccountName=-))"
_WHY = {"no_answer": WhyUnreachable.TIMED_OUT, "busy": WhyUnreachable.BUSY}

MOST = 8
"""Domain controllers that one connection is tried at."""
Background = Callable[[Callable[[], None]], None]
"""Runs something that nobody waits for."""


def _on_a_thread(job: Callable[[], None]) -> None:
    threading.Thread(target=job, name="dc-probe", daemon=True).start()


class LdapDirectory:
    """Opens nothing until `connect`. Any thread; each connection belongs to one."""

    def __init__(
        self,
        settings: LdapSettings,
        clock: Clock,
        *,
        background: Background = _on_a_thread,
    ) -> None:
        """`background` runs the probes of DCs that failed."""
        self._settings = settings
        self._clock = clock
        self._background = background
        self._service = ServiceAccount(settings, clock)
        self._breaker = Breaker(clock)
        self._kept = KeptLines(settings.keep_seconds, clock)
        self._locator = _locator(settings, clock)
        self._resolve: Resolve = by_system
        if self._locator is not None and settings.nameservers:
            self._resolve = self._locator.addresses
        self._homes: dict[str, str] = {}
        """DC → the address it was last had at."""
        self._writers: set[str] = set()
        """DCs that are known to take writes."""
        self._ill_inside: set[str] = set()
        """DCs that failed somebody after they had let us sign in."""

    def controllers(self) -> tuple[str, ...]:
        """Return the DCs that are configured, or that DNS tells of. Unreachable."""
        if self._settings.dcs or self._locator is None:
            return self._settings.dcs
        return self._locator.controllers()

    @contextmanager
    def connect(self, dc: str | None = None) -> Iterator[LdapController]:
        line = self._first() if dc is None else self._try((dc,))
        channel, was_well = line.channel, False
        try:
            yield LdapController(channel, self._settings, self._clock)
            was_well = not channel.is_bad
        finally:
            if was_well:
                self._kept.keep(line)
            else:
                channel.close()
            self._judge(channel)

    def _judge(self, channel: Channel) -> None:
        """Remember how somebody was served by a DC that let us sign in."""
        if channel.is_bad:
            self._ill_inside.add(channel.dc)
            self._failed(channel.dc)
        elif channel.has_answered:
            self._ill_inside.discard(channel.dc)
            self._breaker.served(channel.dc)

    def _failed(self, dc: str) -> None:
        self._breaker.failed(dc)
        self._kept.forget(dc)

    def rests(self, dc: str) -> bool:
        self._probe_due((dc,))
        return self._breaker.rests(dc)

    def spread(self, written_on: DomainController, account: Account) -> Spread:
        if not self._settings.pdc_check:
            return Spread.NOT_ASKED
        try:
            primary = written_on.primary()
            if primary is None:
                return Spread.KNOWN
            dc = self._as_configured(primary)
            if self.rests(dc):
                return Spread.UNKNOWN
            with self.connect(dc) as other:
                there = other.account(account.guid)
        except DirectoryError:
            return Spread.UNKNOWN
        return Spread.KNOWN if there.knows(account) else Spread.SPREADING

    def _as_configured(self, host: str) -> str:
        """Return a DC as the configuration has it: it may name a port."""
        for dc in self._settings.dcs:
            if self._settings.address(dc)[0].casefold() == host.casefold():
                return dc
        return host

    # --- several --------------------------------------------------------------

    def _first(self) -> SignedInLine:
        dcs = self.controllers()
        self._probe_due(dcs)
        return self._try(self._breaker.in_order(dcs)[:MOST])

    def _try(self, dcs: Sequence[str]) -> SignedInLine:
        """Sign in at the first DC that can be had and trusted.

        A refused sign-in ends the search: elsewhere it would only count again. If a
        certificate was the trouble anywhere, that is said: it needs somebody. After
        two full timeouts no other DC is begun with: somebody stands there.
        """
        until = self._clock.monotonic() + 2 * self._settings.patience
        troubles: list[DirectoryError] = []
        for dc in dcs:
            if troubles and self._clock.monotonic() >= until:
                break
            try:
                line = self._signed_in(dc)
            except (Unreachable, TlsRefused) as error:
                troubles.append(error)
                self._failed(dc)
            else:
                if dc not in self._ill_inside:
                    self._breaker.works(dc)
                return line
        distrust = next(
            (each for each in troubles if isinstance(each, TlsRefused)), None
        )
        if distrust is not None:
            raise distrust
        last = troubles[-1]
        raise Unreachable(**{**last.data, "dcs": ", ".join(dcs)}) from last

    def _signed_in(self, dc: str) -> SignedInLine:
        by = self._service.written()
        if (kept := self._kept.take(dc, self._homes.get(dc, ""), by)) is not None:
            return kept
        channel = self._open(dc)
        try:
            self._service.sign_in(channel)
            self._must_write(channel)
        except BaseException:
            channel.close()
            raise
        now = self._clock.monotonic()
        return SignedInLine(channel, at=now, by=by, used_at=now)

    def _must_write(self, channel: Channel) -> None:
        """Pass over a DC that only reads, asked once of each. Unreachable."""
        if channel.dc in self._writers:
            return
        try:
            is_writer = replication.takes_writes(channel)
        except ReadFailed as error:
            self._ill_inside.add(channel.dc)
            why = _WHY.get(str(error.data["reason"]), WhyUnreachable.MALFORMED)
            raise Unreachable(dcs=channel.dc, reason=why.value) from error
        if not is_writer:
            self._ill_inside.add(channel.dc)
            why = WhyUnreachable.READ_ONLY
            raise Unreachable(dcs=channel.dc, reason=why.value)
        self._writers.add(channel.dc)

    def _open(self, dc: str) -> Channel:
        """Open a line, to where this DC was last had if its name has many addresses."""
        channel = Channel(self._settings, dc, self._at_home_first(dc))
        self._homes[dc] = channel.address
        return channel

    def _at_home_first(self, dc: str) -> Resolve:
        def resolve(host: str, seconds: float) -> Sequence[str]:
            found = self._resolve(host, seconds)
            home = self._homes.get(dc)
            return sorted(found, key=lambda address: address != home)

        return resolve

    # --- those that failed ----------------------------------------------------

    def _probe_due(self, dcs: Sequence[str]) -> None:
        for dc in self._breaker.take_due(dcs):
            self._background(partial(self._probe, dc))

    def _probe(self, dc: str) -> None:
        """Look whether a DC answers again.

        Nobody signs in, so nothing can count; except at one that failed afterwards:
        there only the same search shows it.
        """
        with suppress(DirectoryError):
            channel = self._open(dc)
            try:
                channel.read("", "(objectClass=*)", "currentTime")
                if dc in self._ill_inside:
                    self._service.sign_in(channel)
                    self._writers.discard(dc)
                    self._must_write(channel)
                    channel.search(self._settings.base_dn, _NOBODY, "objectClass")
            finally:
                channel.close()
            self._breaker.works(dc)


def _locator(settings: LdapSettings, clock: Clock) -> Locator | None:
    """Return who asks DNS; None: nobody has to."""
    if settings.dcs and not settings.nameservers:
        return None
    from kiosk.directory.ldap.locator import Locator  # slow to import

    return Locator(
        clock,
        domain=settings.domain,
        site=settings.site,
        nameservers=settings.nameservers,
        seconds=settings.connect_timeout,
    )
