"""Signs in as the service account, and does not lock it by trying."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.clock import Clock
from kiosk.directory.ldap import codes, kerberos
from kiosk.directory.ldap.channel import Channel
from kiosk.directory.ldap.failures import LineBroken
from kiosk.directory.ldap.settings import LdapSettings
from kiosk.directory.ports import (
    BindResult,
    ServiceBindRefused,
    ServicePasswordUnreadable,
    Unreachable,
    WhyUnreachable,
)
from kiosk.secretfile import SecretFileError, read_secret

RELUCTANCE_SECONDS = 2400.0
"""How long a password that was wrong is not tried again, unless its file changes.

A domain forgets wrong tries when there was none for a while, usually half an hour: by
then ours are forgotten, so they never add up. (Kerberos makes two of one.)
"""


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A password that was wrong: of which file, and until when we believe it."""

    file: tuple[int, int]
    until: float


class ServiceAccount:
    """The account of `settings`. Any thread; remembers the last refusal."""

    def __init__(self, settings: LdapSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._tickets = kerberos.Tickets(settings.service_account, settings.keytab)
        self._refusal: _Refusal | None = None

    def sign_in(self, channel: Channel) -> None:
        """Bind on an open channel; the password is read now and wiped at once.

        ServiceBindRefused, ServicePasswordUnreadable, Unreachable.
        """
        file = self._file()
        if self._is_known_to_be_wrong(file):
            raise self._refused(channel, BindResult.WRONG_PASSWORD)
        said = self._bind(channel)
        if said is BindResult.OK:
            return
        if said is BindResult.WRONG_PASSWORD:
            until = self._clock.monotonic() + RELUCTANCE_SECONDS
            self._refusal = _Refusal(file, until)
        raise self._refused(channel, said)

    def _bind(self, channel: Channel) -> BindResult:
        """Prove who we are, once."""
        name, file = self._settings.service_account, self._settings.secret_file
        try:
            # A keytab is read by Kerberos itself; it is as private as a password.
            with read_secret(file) as secret:
                if self._settings.keytab is None:
                    answer = channel.bind(name, secret)
                else:
                    host, _ = self._settings.address(channel.dc)
                    answer = self._tickets.sign_in(channel, host)
        except SecretFileError as error:
            raise ServicePasswordUnreadable(
                dc=channel.dc,
                file=str(file),
                reason=error.code.removeprefix("config."),
            ) from error
        except LineBroken as error:
            raise Unreachable(dcs=channel.dc, reason=error.why.value) from error
        except kerberos.NoTicket as error:
            if isinstance(error.why, BindResult):
                return error.why
            raise ServiceBindRefused(dc=channel.dc, reason=error.why) from error
        if answer.result in codes.NOT_NOW:
            raise Unreachable(dcs=channel.dc, reason=WhyUnreachable.BUSY.value)
        return codes.bind_result(answer.result, answer.message)

    def _file(self) -> tuple[int, int]:
        """Return what changes when the file is written anew; zeros: it is not there."""
        try:
            status = self._settings.secret_file.stat()
        except OSError:
            return (0, 0)
        return (status.st_ino, status.st_mtime_ns)

    def _is_known_to_be_wrong(self, file: tuple[int, int]) -> bool:
        refusal = self._refusal
        return (
            refusal is not None
            and refusal.file == file
            and self._clock.monotonic() < refusal.until
        )

    def _refused(self, channel: Channel, said: BindResult) -> ServiceBindRefused:
        reason = "other" if said is BindResult.NO_ANSWER else said.value
        return ServiceBindRefused(dc=channel.dc, reason=reason)
