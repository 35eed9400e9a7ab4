"""Signs in as the service account, and does not lock it by trying."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.clock import Clock
from kiosk.directory.ldap import codes
from kiosk.directory.ldap.channel import Answer, Channel
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

RELUCTANCE_SECONDS = 900.0
"""How long a password that was wrong is not tried again, unless its file changes.

Two wrong tries in the half hour that domains usually count over lock nobody.
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
        self._refusal: _Refusal | None = None

    def sign_in(self, channel: Channel) -> None:
        """Bind on an open channel; the password is read now and wiped at once.

        ServiceBindRefused, ServicePasswordUnreadable, Unreachable.
        """
        file = self._file()
        if self._is_known_to_be_wrong(file):
            raise self._refused(channel, BindResult.WRONG_PASSWORD)
        answer = self._bind(channel)
        said = codes.bind_result(answer.result, answer.message)
        if said is BindResult.OK:
            return
        if answer.result in codes.NOT_NOW:
            raise Unreachable(dcs=channel.dc, reason=WhyUnreachable.BUSY.value)
        if said is BindResult.WRONG_PASSWORD:
            until = self._clock.monotonic() + RELUCTANCE_SECONDS
            self._refusal = _Refusal(file, until)
        raise self._refused(channel, said)

    def _bind(self, channel: Channel) -> Answer:
        try:
            password = read_secret(self._settings.password_file)
        except SecretFileError as error:
            raise ServicePasswordUnreadable(
                dc=channel.dc,
                file=str(self._settings.password_file),
                reason=error.code.removeprefix("config."),
            ) from error
        try:
            with password:
                return channel.bind(self._settings.service_account, password)
        except LineBroken as error:
            raise Unreachable(dcs=channel.dc, reason=error.why.value) from error

    def _file(self) -> tuple[int, int]:
        """Return what changes when the file is written anew; zeros: it is not there."""
        try:
            status = self._settings.password_file.stat()
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
