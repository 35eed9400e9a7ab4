"""What is answered without asking a DC at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NoReturn, cast

import pytest

from kiosk.core.clock import ManualClock
from kiosk.directory.errors import (
    AccountMissing,
    ReadFailed,
    ServicePasswordUnreadable,
)
from kiosk.directory.ldap import LdapSettings, Protection
from kiosk.directory.ldap.channel import Channel
from kiosk.directory.ldap.controller import LdapController
from kiosk.directory.ldap.service import ServiceAccount
from kiosk.directory.values import NameAttribute

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


@pytest.mark.parametrize(
    "written",
    ["grün".encode("latin-1"), "grün".encode("utf-16"), b"a\xc0\x80", b"\xef\xbb\xbfa"],
)
def test_a_password_that_is_no_utf8_is_not_even_tried(
    tmp_path: Path, written: bytes
) -> None:
    """Sent as it is, it would be a wrong one, and counted as that."""
    file = tmp_path / "password"
    file.write_bytes(written)
    file.chmod(0o600)
    account = ServiceAccount(replace(SETTINGS, password_file=file), ManualClock())
    with pytest.raises(ServicePasswordUnreadable) as caught:
        account.sign_in(cast(Channel, NobodyToAsk()))
    assert caught.value.data["reason"] == "secret_encoded"


class AnswersWith:
    """A channel on which every search finds one object."""

    dc = "dc1.example.org"

    def __init__(self, **attributes: bytes) -> None:
        self._found = {name: [value] for name, value in attributes.items()}

    def search(self, *_: str) -> list[dict[str, list[bytes]]]:
        return [self._found]


@pytest.mark.parametrize("guid", [{}, {"objectGUID": bytes(15)}, {"objectGUID": b""}])
def test_an_object_without_an_identity_is_one_that_cannot_be_read(
    guid: dict[str, bytes],
) -> None:
    channel = AnswersWith(sAMAccountName=b"ann", **guid)
    controller = LdapController(cast(Channel, channel), SETTINGS, ManualClock())
    with pytest.raises(ReadFailed):
        controller.find("ann")
    with pytest.raises(ReadFailed):
        controller.holders_of(NameAttribute.MAIL, "ann@example.org")
