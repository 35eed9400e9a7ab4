"""The domain, as the service account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosk.core.clock import SystemClock
from kiosk.core.errors import KioskError
from kiosk.core.secret_file import credential

if TYPE_CHECKING:
    from pathlib import Path

    from kiosk.config import Config
    from kiosk.directory.ports import Directory


class ServiceSecretUnclear(KioskError):
    """Not exactly one of password file, credential and keytab is named."""

    code = "config.service_secret"


def directory_of(config: Config, keep_seconds: float = 0.0) -> Directory:
    """Return the domain, as the service account. Nothing is connected yet.

    `keep_seconds`: how long a line to it is used after its sign-in.
    """
    from kiosk.directory.ldap import LdapDirectory, LdapSettings, Protection

    told = config.directory
    password_file, keytab = service_secret_of(config)
    settings = LdapSettings(
        dcs=told.dcs,
        domain=told.domain,
        site=told.site,
        nameservers=told.nameservers,
        base_dn=told.base_dn,
        service_account=told.service_account,
        password_file=password_file,
        keytab=keytab,
        protection=Protection(told.tls),
        ca_file=told.ca_file,
        connect_timeout=told.connect_timeout,
        receive_timeout=told.receive_timeout,
        keep_seconds=keep_seconds,
        pdc_check=told.pdc_check,
    )
    return LdapDirectory(settings, SystemClock())


def service_secret_of(config: Config) -> tuple[Path | None, Path | None]:
    """Return the file of the service account's password, or its keytab.

    ServiceSecretUnclear, SecretUnreadable.
    """
    told = config.directory
    named = (told.password_file, told.password_credential, told.keytab_file)
    if sum(map(bool, named)) != 1:
        raise ServiceSecretUnclear
    if told.password_credential:
        return credential(told.password_credential), None
    return told.password_file, told.keytab_file
