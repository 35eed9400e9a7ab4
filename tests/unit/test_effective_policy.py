"""Whose rules apply: those of the policy that is named, or nobody's that we know."""

from __future__ import annotations

from typing import cast

import pytest

from kiosk.directory.errors import PolicyUnreadable, ReadFailed
from kiosk.directory.ldap.channel import Channel
from kiosk.directory.ldap.many_reads import Entry
from kiosk.directory.ldap.policies import effective_policy

ANN = "<GUID=1>"
HEAD = "DC=ad,DC=test"
PSO = "CN=pin-users,CN=Password Settings Container,CN=System,DC=ad,DC=test"
PSO_VALUES = {
    "msDS-MinimumPasswordLength": [b"6"],
    "msDS-PasswordComplexityEnabled": [b"FALSE"],
    "msDS-PasswordHistoryLength": [b"5"],
    "msDS-MinimumPasswordAge": [b"0"],
    "msDS-MaximumPasswordAge": [str(-(2**63)).encode()],
    "msDS-LockoutThreshold": [b"5"],
}


class Objects:
    """A channel that reads from a dictionary, as the DC would let it."""

    dc = "dc1"

    def __init__(self, **objects: Entry) -> None:
        self.objects: dict[str, Entry] = {
            "": {"defaultNamingContext": [HEAD.encode()]},
            HEAD: {
                "minPwdLength": [b"7"],
                "pwdProperties": [b"1"],
                "pwdHistoryLength": [b"24"],
                "minPwdAge": [b"-864000000000"],
                "maxPwdAge": [b"0"],
                "lockoutThreshold": [b"0"],
            },
            **objects,
        }

    def read(self, dn: str, condition: str, *attributes: str) -> Entry | None:
        return self.objects.get(dn)


def policy_of(objects: dict[str, Entry]) -> str:
    return effective_policy(cast(Channel, Objects(**objects)), ANN).source


def test_a_policy_that_is_named_applies() -> None:
    named: Entry = {"msDS-ResultantPSO": [PSO.encode()]}
    assert policy_of({ANN: named, PSO: PSO_VALUES}) == "pin-users"


def test_without_one_that_of_the_domain_applies() -> None:
    assert policy_of({ANN: {}}) == "domain"


@pytest.mark.parametrize("missing", [*PSO_VALUES, "everything", "the object"])
def test_a_named_one_of_which_anything_is_hidden_is_unknown(missing: str) -> None:
    """Never the domain's values, and no default for the one that is missing."""
    objects: dict[str, Entry] = {ANN: {"msDS-ResultantPSO": [PSO.encode()]}}
    if missing == "everything":
        objects[PSO] = {}
    elif missing != "the object":
        objects[PSO] = {k: v for k, v in PSO_VALUES.items() if k != missing}
    with pytest.raises(PolicyUnreadable) as hidden:
        policy_of(objects)
    assert hidden.value.data == {"policy": "pin-users"}


def test_an_account_that_is_not_shown_has_no_policy_that_we_know() -> None:
    with pytest.raises(ReadFailed) as failed:
        policy_of({})
    assert failed.value.data["reason"] == "hidden"
