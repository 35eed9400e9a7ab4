"""Short words for what the directory's tests do again and again, and their domains."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.core.secret import Secret
from kiosk.directory.errors import WriteRefused
from kiosk.directory.ldap.kept_lines import KEPT_SECONDS
from kiosk.directory.values import Account, BindResult
from lab.domain.directories import Hands, Person, SambaHands, SimulatedHands

SECOND_PIN = "975318"
THIRD_PIN = "864209"


@pytest.fixture(
    params=[
        "simulated",
        pytest.param("samba", marks=pytest.mark.samba),
        pytest.param("samba, lines kept", marks=pytest.mark.samba),
    ]
)
def hands(request: pytest.FixtureRequest, tmp_path: Path) -> Hands:
    """Every domain that there is, one after the other."""
    if request.param == "simulated":
        return SimulatedHands()
    keep = KEPT_SECONDS if "kept" in request.param else 0.0
    return SambaHands(request.getfixturevalue("samba"), tmp_path, keep_seconds=keep)


def account_of(hands: Hands, person: Person) -> Account:
    """Read an account."""
    with hands.directory.connect() as dc:
        return dc.account(person.guid)


def find(hands: Hands, name: str) -> Account:
    """Find an account by a name."""
    with hands.directory.connect() as dc:
        return dc.find(name)


def reset(hands: Hands, person: Person, password: str) -> None:
    """Write a password."""
    with hands.directory.connect() as dc, Secret(password.encode()) as new:
        dc.set_password(dc.account(person.guid), new)


def sign_in(hands: Hands, person: Person, password: str) -> BindResult:
    """Try a password."""
    with hands.directory.connect() as dc, Secret(password.encode()) as tried:
        return dc.verify_password(dc.account(person.guid), tried)


def refusal_of(hands: Hands, person: Person, password: str) -> WriteRefused:
    """Write a password that is refused, and return how."""
    with pytest.raises(WriteRefused) as refused:
        reset(hands, person, password)
    return refused.value
