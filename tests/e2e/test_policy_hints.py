"""Policy hints on a real DC that has none: it says so, and we believe it."""

from __future__ import annotations

import pytest
from lab.domain.samba import SambaDomain

from kiosk.core.clock import SystemClock
from kiosk.core.secret import Secret
from kiosk.directory.ldap import LdapDirectory, codes
from kiosk.directory.ldap.channel import Channel
from kiosk.directory.ldap.replication import POLICY_HINTS
from kiosk.directory.ldap.service import ServiceAccount

pytestmark = pytest.mark.samba

NEW_PIN = b"975318"


def lists_them(samba: SambaDomain) -> set[str]:
    """Return which of the controls its rootDSE lists, asked without the adapter."""
    with samba.administrator() as line:
        line.search("", "(objectClass=*)", "BASE", attributes=["supportedControl"])
        assert line.response is not None
        values = line.response[0]["raw_attributes"]["supportedControl"]
    return {value.decode() for value in values} & set(POLICY_HINTS)


def test_a_dc_is_believed_what_it_lists(samba: SambaDomain) -> None:
    with LdapDirectory(samba.settings(), SystemClock()).connect() as dc:
        assert dc.honours_history() == bool(lists_them(samba))


@pytest.mark.parametrize("control", POLICY_HINTS)
def test_a_control_that_a_dc_does_not_know_is_critical_to_it(
    samba: SambaDomain, control: str
) -> None:
    """Our encoding is read as what it is meant to be: refused, not ignored."""
    if control in lists_them(samba):
        pytest.fail("this Samba knows it: test the history itself here")
    user = samba.add_user()
    before = samba.pwd_last_set(user)
    settings = samba.settings()
    channel = Channel(settings, samba.address)
    try:
        ServiceAccount(settings, SystemClock()).sign_in(channel)
        with Secret(NEW_PIN) as new:
            answer = channel.reset(f"<GUID={user.guid}>", new, control)
    finally:
        channel.close()
    assert answer.result == codes.UNAVAILABLE_CRITICAL_EXTENSION
    assert samba.pwd_last_set(user) == before
