"""Which control a reset carries: the newest that the DC lists, or none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from kiosk.core.clock import ManualClock
from kiosk.core.secret import Secret
from kiosk.directory.errors import WriteRefused
from kiosk.directory.ldap import LdapSettings
from kiosk.directory.ldap.channel import Answer, Channel
from kiosk.directory.ldap.controller import LdapController
from kiosk.directory.ldap.many_reads import Entry
from kiosk.directory.ldap.replication import POLICY_HINTS
from kiosk.directory.values import Account, Semantics

NEW, OLD = POLICY_HINTS
ANN = Account(
    guid="00000000-0000-0000-0000-000000000001",
    dn="CN=ann",
    sam_account_name="ann",
    user_principal_name="ann@ad.test",
    display_name="Ann",
    enabled=True,
    locked=False,
    expired=False,
    privileged=False,
    smart_card_required=False,
    pwd_last_set=1,
)


class Listing:
    """A DC that lists some controls and takes every reset."""

    dc = "dc1"
    address = "127.0.0.1"
    is_bad = has_answered = False

    def __init__(self, *listed: str) -> None:
        self.listed = [oid.encode() for oid in listed]
        self.asked = 0
        self.controls: list[str] = []

    def read(self, dn: str, condition: str, *attributes: str) -> Entry:
        assert (dn, attributes) == ("", ("supportedControl",))
        self.asked += 1
        return {"supportedControl": self.listed} if self.listed else {}

    def reset(
        self,
        dn: str,
        password: Secret,
        control: str = "",
        *,
        is_late: Callable[[], bool],
    ) -> Answer:
        assert not is_late()
        self.controls.append(control)
        return Answer(0, "")


def controller(line: Listing) -> LdapController:
    settings = LdapSettings(
        dcs=("dc1",),
        base_dn="DC=ad,DC=test",
        service_account="svc@ad.test",
        password_file=Path("/nowhere"),
    )
    return LdapController(cast(Channel, line), settings, ManualClock())


@pytest.mark.parametrize(
    ("listed", "sent"),
    [
        ((OLD, NEW), NEW),
        ((NEW,), NEW),
        ((OLD, "1.2.840.113556.1.4.319"), OLD),
    ],
)
def test_the_newest_that_is_listed_is_sent(listed: tuple[str, ...], sent: str) -> None:
    line = Listing(*listed)
    dc = controller(line)
    assert dc.honours_history()
    dc.set_password(ANN, Secret(b"975318"), Semantics.POLICY_HINTS)
    assert line.controls == [sent]
    assert line.asked == 1, "once for a connection"


@pytest.mark.parametrize("listed", [(), ("1.2.840.113556.1.4.319",), (f"{NEW}9",)])
def test_what_is_not_listed_is_never_sent_nor_left_out_silently(
    listed: tuple[str, ...],
) -> None:
    line = Listing(*listed)
    dc = controller(line)
    assert not dc.honours_history()
    with pytest.raises(WriteRefused) as refused:
        dc.set_password(ANN, Secret(b"975318"), Semantics.POLICY_HINTS)
    assert refused.value.data["result"] == 12
    assert line.controls == []


def test_a_plain_reset_carries_none_and_asks_nothing() -> None:
    line = Listing(NEW)
    controller(line).set_password(ANN, Secret(b"975318"))
    assert line.controls == [""]
    assert line.asked == 0
