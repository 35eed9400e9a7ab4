"""What is answered without asking a DC at all."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn, cast

import pytest

from kiosk.core.clock import ManualClock
from kiosk.directory.errors import AccountMissing
from kiosk.directory.ldap import LdapSettings, Protection
from kiosk.directory.ldap.channel import Channel
from kiosk.directory.ldap.controller import LdapController

SETTINGS = LdapSettings(
    dcs=("dc1.example.org", "dc2.example.org:1636"),
    base_dn="DC=example,DC=org",
    service_account="svc@example.org",
    password_file=Path("/nowhere"),
)


class NobodyToAsk:
    """A channel that must not be used."""

    dc = "dc1.example.org"

    def __getattr__(self, name: str) -> NoReturn:
        raise AssertionError(f"a question was sent: {name}")


@pytest.fixture
def controller() -> LdapController:
    return LdapController(cast(Channel, NobodyToAsk()), SETTINGS, ManualClock())


@pytest.mark.parametrize(
    "name", ["", "ann\x00", "ann\n", "\x1b[2J", "ann\u202e", "\ud800", "a" * 1025]
)
def test_a_name_that_nobody_can_have_is_not_even_asked_for(
    controller: LdapController, name: str
) -> None:
    with pytest.raises(AccountMissing):
        controller.find(name)


@pytest.mark.parametrize("guid", ["", "*", "CN=ann", "{1}><"])
def test_a_guid_that_is_none_is_not_even_asked_for(
    controller: LdapController, guid: str
) -> None:
    with pytest.raises(AccountMissing):
        controller.account(guid)


def test_the_port_follows_from_the_protection() -> None:
    by_starttls = LdapSettings(
        dcs=SETTINGS.dcs,
        base_dn=SETTINGS.base_dn,
        service_account=SETTINGS.service_account,
        password_file=SETTINGS.password_file,
        protection=Protection.STARTTLS,
    )
    assert SETTINGS.address("dc1.example.org") == ("dc1.example.org", 636)
    assert by_starttls.address("dc1.example.org") == ("dc1.example.org", 389)
    assert SETTINGS.address("dc2.example.org:1636") == ("dc2.example.org", 1636)
