"""The service account signs in with a keytab, inside verified TLS and bound to it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from lab.domain.samba import LabUser
from lab.domain.samba_kerberos import KerberosDomain

from kiosk.core.clock import ManualClock, SystemClock
from kiosk.core.secret import Secret
from kiosk.directory.errors import (
    ServiceBindRefused,
    ServicePasswordUnreadable,
    TlsRefused,
)
from kiosk.directory.ldap import LdapDirectory, Protection, kerberos
from kiosk.directory.ldap.channel import Channel
from kiosk.directory.ldap.reluctance import RELUCTANCE_SECONDS
from kiosk.directory.ports import Examinable
from kiosk.directory.values import BindResult

pytestmark = pytest.mark.samba

PASSWORD = "Kerberos-Service-1"


@pytest.fixture(autouse=True)
def client(
    kerberos_domain: KerberosDomain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This machine's Kerberos knows the laboratory's realm."""
    file = kerberos_domain.client_configuration(tmp_path / "krb5.conf")
    monkeypatch.setenv("KRB5_CONFIG", str(file))
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path}/unused")


@pytest.fixture
def service(kerberos_domain: KerberosDomain) -> LabUser:
    return kerberos_domain.add_user(password=PASSWORD)


@pytest.fixture
def keytab(kerberos_domain: KerberosDomain, service: LabUser, tmp_path: Path) -> Path:
    return kerberos_domain.keytab(service.name, tmp_path / "service.keytab")


def directory_of(
    domain: KerberosDomain, account: str, keytab: Path, **changes: object
) -> LdapDirectory:
    settings = domain.settings(
        service_account=account, password_file=None, keytab=keytab, **changes
    )
    return LdapDirectory(settings, SystemClock())


def refusal(directory: LdapDirectory) -> ServiceBindRefused:
    with pytest.raises(ServiceBindRefused) as refused, directory.connect():
        pass
    return refused.value


def reason(directory: LdapDirectory) -> object:
    return refusal(directory).data["reason"]


@pytest.mark.parametrize("protection", Protection)
def test_a_password_is_reset_without_any_password_on_this_machine(
    kerberos_domain: KerberosDomain, tmp_path: Path, protection: Protection
) -> None:
    keytab = kerberos_domain.keytab("svc-pinsync", tmp_path / "svc.keytab")
    account = kerberos_domain.service_account
    directory = directory_of(kerberos_domain, account, keytab, protection=protection)
    ann = kerberos_domain.add_user()
    with directory.connect() as dc, Secret(b"975318") as new:
        found = dc.account(ann.guid)
        dc.set_password(found, new)
        assert dc.verify_password(found, new) is BindResult.OK
    assert kerberos_domain.user_binds(ann.upn, "975318")


def test_the_connection_is_the_accounts_own(
    kerberos_domain: KerberosDomain, service: LabUser, keytab: Path
) -> None:
    directory = directory_of(kerberos_domain, service.upn, keytab)
    for _ in range(2):
        with directory.connect() as dc:
            assert isinstance(dc, Examinable)
            assert dc.service_account().account.guid == service.guid


def test_tickets_stay_in_memory(
    kerberos_domain: KerberosDomain, service: LabUser, keytab: Path, tmp_path: Path
) -> None:
    with directory_of(kerberos_domain, service.upn, keytab).connect():
        pass
    assert not (tmp_path / "unused").exists()


def test_keys_of_an_earlier_password_are_wrong_and_tried_once(
    kerberos_domain: KerberosDomain, service: LabUser, keytab: Path, tmp_path: Path
) -> None:
    kerberos_domain.set_password_elsewhere(service, "Kerberos-Service-2")
    kerberos_domain.set_password_elsewhere(service, "Kerberos-Service-3")
    clock = ManualClock()
    settings = kerberos_domain.settings(
        service_account=service.upn, password_file=None, keytab=keytab
    )
    directory = LdapDirectory(settings, clock)
    for _ in range(5):
        assert reason(directory) == "wrong_password"
    assert int(kerberos_domain.attribute(service, "badPwdCount")) <= 2
    clock.advance(RELUCTANCE_SECONDS)
    keytab.unlink()
    kerberos_domain.keytab(service.name, keytab)
    with directory.connect():
        pass


def test_a_keytab_of_somebody_else_is_wrong(
    kerberos_domain: KerberosDomain, service: LabUser, keytab: Path
) -> None:
    other = kerberos_domain.add_user(password=PASSWORD)
    assert reason(directory_of(kerberos_domain, other.upn, keytab)) == "wrong_password"


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("disable", "revoked"),
        ("lock", "revoked"),
        ("expire", "revoked"),
        ("must_change", "expired_password"),
    ],
)
def test_an_account_that_is_closed_is_told(
    kerberos_domain: KerberosDomain,
    service: LabUser,
    keytab: Path,
    state: str,
    told: str,
) -> None:
    getattr(kerberos_domain, state)(service)
    assert reason(directory_of(kerberos_domain, service.upn, keytab)) == told


def test_a_domain_controller_that_kerberos_does_not_know_is_told(
    kerberos_domain: KerberosDomain, service: LabUser, keytab: Path
) -> None:
    channel = Channel(kerberos_domain.settings(), kerberos_domain.address)
    try:
        with pytest.raises(kerberos.NoTicket) as refused:
            kerberos.Tickets(service.upn, keytab).sign_in(channel, "unknown.ad.test")
    finally:
        channel.close()
    assert refused.value.why == "no_service"


def test_without_a_kerberos_server_it_says_so(
    kerberos_domain: KerberosDomain,
    service: LabUser,
    keytab: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nowhere = kerberos_domain.client_configuration(tmp_path / "no.conf", "127.0.0.1:9")
    monkeypatch.setenv("KRB5_CONFIG", str(nowhere))
    assert reason(directory_of(kerberos_domain, service.upn, keytab)) == "no_kdc"


def test_without_the_extra_it_says_what_to_install(
    kerberos_domain: KerberosDomain,
    service: LabUser,
    keytab: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "gssapi.raw.misc", None)
    assert reason(directory_of(kerberos_domain, service.upn, keytab)) == "no_kerberos"


def test_a_keytab_that_others_may_read_is_not_used(
    kerberos_domain: KerberosDomain, service: LabUser, keytab: Path
) -> None:
    keytab.chmod(0o644)
    error = refusal(directory_of(kerberos_domain, service.upn, keytab))
    assert isinstance(error, ServicePasswordUnreadable)
    assert error.data["reason"] == "secret_exposed"


def test_nobody_is_asked_for_a_ticket_before_the_server_is_trusted(
    kerberos_domain: KerberosDomain, service: LabUser, keytab: Path
) -> None:
    directory = directory_of(
        kerberos_domain, service.upn, keytab, ca_file=kerberos_domain.foreign_ca_file
    )
    with pytest.raises(TlsRefused), directory.connect():
        pass
