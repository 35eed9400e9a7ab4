"""Signs in as the service account, and does not lock it by trying.

While its password is being changed, file and domain differ for a while. So the value
that worked last is kept in memory:

| the file's value | the value that worked last | is tried |
|---|---|---|
| new | | the file's; if refused, the last one |
| refused before | still works | the last one: the domain has not changed yet |
| refused before | refused now | the file's again: the domain has changed |
| refused before | none | nothing, for as long as `reluctance` says |
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from kiosk.core.clock import Clock
from kiosk.core.secret import Secret
from kiosk.core.secret_file import SecretFileError, read_secret
from kiosk.directory.errors import (
    ServiceBindRefused,
    ServicePasswordUnreadable,
    Unreachable,
)
from kiosk.directory.ldap import codes, kerberos
from kiosk.directory.ldap.channel import Channel
from kiosk.directory.ldap.failures import LineBroken
from kiosk.directory.ldap.masked_secret import MaskedSecret
from kiosk.directory.ldap.reluctance import (
    ANYWHERE,
    MOST_IN_A_ROW,
    Reluctance,
    Written,
)
from kiosk.directory.ldap.secret_requests import is_utf8
from kiosk.directory.ldap.settings import LdapSettings
from kiosk.directory.values import BindResult, WhyUnreachable

_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_NOT_THERE = (0, 0)


@dataclass(frozen=True, slots=True)
class _Said:
    """What a DC, or Kerberos, said to a try."""

    bind: BindResult
    reason: str
    told: Mapping[str, str | int] = field(default_factory=dict)
    """The DC's own answer."""


_NOT_TRIED = _Said(BindResult.WRONG_PASSWORD, BindResult.WRONG_PASSWORD.value)
"""It was wrong before."""


class ServiceAccount:
    """The account of `settings`. Any thread; remembers refusals."""

    def __init__(self, settings: LdapSettings, clock: Clock) -> None:
        self._settings = settings
        self._tickets = kerberos.Tickets(settings.service_account, settings.keytab)
        # Kerberos makes two refusals of one.
        most = 1 if settings.keytab else MOST_IN_A_ROW
        self._reluctance = Reluctance(clock, most)
        self._last: MaskedSecret | None = None
        """The password that worked last; never with a keytab."""
        self._proven = _NOT_THERE
        """The file whose secret worked."""
        self._waiting = _NOT_THERE
        """The file whose password was refused while the last one still worked."""
        self._trying = threading.Lock()
        """Held by who tries a secret that may be wrong: two at once would be two."""

    def written(self) -> Written:
        """Tell the file of the secret, as it is, from another one."""
        return self._file()

    def sign_in(self, channel: Channel) -> None:
        """Bind on an open channel. The file is read now.

        ServiceBindRefused, ServicePasswordUnreadable, Unreachable.
        """
        file = self._file()
        with self._secret(channel) as written, contextlib.ExitStack() as alone:
            if file != self._proven or not self._reluctance.is_clear():
                alone.enter_context(self._trying)
            self._try_each(channel, file, written)

    def _try_each(self, channel: Channel, file: Written, written: Secret) -> None:
        """Try what may be tried, in the order of the table. As `sign_in`."""
        said = _NOT_TRIED
        for secret in self._candidates(channel.dc, file, written):
            said = self._prove(channel, secret)
            if said.bind is BindResult.OK:
                self._worked(secret, file, written)
                return
            if said.bind is not BindResult.WRONG_PASSWORD:
                break
            if secret is written:
                where = channel.dc if file == self._proven else ANYWHERE
                self._reluctance.refused(file, where)
            else:
                self._reluctance.refused(self._proven, channel.dc)
                self._forget_last()
        raise self._refused(channel, said)

    def _candidates(self, dc: str, file: Written, written: Secret) -> Iterator[Secret]:
        """Yield the secrets to try; what was refused meanwhile decides on the next."""
        last = self._last
        is_waiting = file == self._waiting and last is not None
        if not is_waiting and self._reluctance.allows(file, dc):
            yield written
        if last is None or last.holds(written) or self._reluctance.is_spent():
            return
        with last.open() as earlier:
            yield earlier
        if is_waiting and self._reluctance.allows(file, dc):
            yield written

    def _worked(self, secret: Secret, file: Written, written: Secret) -> None:
        self._reluctance.succeeded()
        if secret is not written:
            self._waiting = file
            return
        self._waiting, self._proven = _NOT_THERE, file
        if self._settings.keytab is None and not self._holds(written):
            self._forget_last()
            self._last = MaskedSecret(written)

    def _holds(self, secret: Secret) -> bool:
        return self._last is not None and self._last.holds(secret)

    def _forget_last(self) -> None:
        last, self._last = self._last, None
        if last is not None:
            last.wipe()

    def _prove(self, channel: Channel, secret: Secret) -> _Said:
        """Say who we are, once. Unreachable, ServiceBindRefused (no ticket)."""
        try:
            if self._settings.keytab is None:
                answer = channel.bind(self._settings.service_account, secret)
            else:
                host, _ = self._settings.address(channel.dc)
                answer = self._tickets.sign_in(channel, host)
        except LineBroken as error:
            raise Unreachable(dcs=channel.dc, reason=error.why.value) from error
        except kerberos.NoTicket as error:
            if isinstance(error.why, BindResult):
                return _Said(error.why, error.why.value)
            raise ServiceBindRefused(dc=channel.dc, reason=error.why) from error
        told = codes.told(answer.result, answer.message)
        if answer.result in codes.NOT_NOW:
            busy = WhyUnreachable.BUSY.value
            raise Unreachable(dcs=channel.dc, reason=busy, **told)
        said = codes.bind_result(answer.result, answer.message)
        return _Said(said, codes.why_no_sign_in(answer.result, answer.message), told)

    def _secret(self, channel: Channel) -> Secret:
        """Read the file; Kerberos reads a keytab itself, and it is as private.

        ServicePasswordUnreadable.
        """
        path = self._settings.secret_file
        try:
            secret = read_secret(path)
        except SecretFileError as error:
            why = error.code.removeprefix("config.")
            raise ServicePasswordUnreadable(
                dc=channel.dc, file=str(path), reason=why
            ) from error
        trouble = "" if self._settings.keytab else _trouble(secret)
        if trouble:
            secret.wipe()
            raise ServicePasswordUnreadable(
                dc=channel.dc, file=str(path), reason=trouble
            )
        return secret

    def _file(self) -> Written:
        try:
            status = self._settings.secret_file.stat()
        except OSError:
            return _NOT_THERE
        return (status.st_ino, status.st_mtime_ns)

    def _refused(self, channel: Channel, said: _Said) -> ServiceBindRefused:
        reason, name = said.reason, self._settings.service_account
        if reason == BindResult.WRONG_PASSWORD and not set(name) & set("@\\="):
            reason = "bare_name"
        return ServiceBindRefused(dc=channel.dc, reason=reason, **said.told)


def _trouble(password: Secret) -> str:
    """Name what an editor did to a password; empty: nothing."""
    text = password.reveal()
    if text.startswith(_BYTE_ORDER_MARKS) or b"\x00" in text or not is_utf8(text):
        return "secret_encoded"
    return "secret_lines" if b"\n" in text or b"\r" in text else ""
