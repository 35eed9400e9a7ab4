"""The service account gets another password while people come with their cards.

On a real domain that locks an account after five wrong passwords. What counts is its
own count. Its previous password works there for an hour more; the one before does not.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lab.domain.samba import LabUser, SambaDomain

from kiosk.core.clock import ManualClock
from kiosk.core.secret import Secret
from kiosk.directory.errors import ServiceBindRefused
from kiosk.directory.ldap import LdapDirectory
from kiosk.directory.ldap.channel import Answer, Channel
from kiosk.directory.ldap.reluctance import RELUCTANCE_SECONDS, SECOND_LOOK_SECONDS

pytestmark = pytest.mark.samba

OLD, NEW, WRONG = "Kq8-vTzN3-old", "Kq8-vTzN3-new", "Kq8-vTzN3-typo"


class Rotation:
    """A service account of a test's own, its file, and a station that uses both."""

    def __init__(self, samba: SambaDomain, file: Path) -> None:
        self.samba = samba
        self.account: LabUser = samba.add_user(password=OLD)
        self.file = file
        file.touch(mode=0o600)
        self.write(OLD)
        self.clock = ManualClock()
        self.settings = samba.settings(
            service_account=self.account.upn, password_file=file
        )
        self.restart()

    def restart(self) -> None:
        self.directory = LdapDirectory(self.settings, self.clock)

    def write(self, password: str) -> None:
        """Put another file in its place, as an editor does."""
        new = self.file.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(password)
        new.replace(self.file)

    def reset(self, password: str) -> None:
        """Set it in the domain; what was there before works no more."""
        self.samba.set_password_elsewhere(self.account, "Kq8-vTzN3-between")
        self.samba.set_password_elsewhere(self.account, password)

    def cards(self, count: int = 3) -> list[bool]:
        """Say for each of some people whether the station could sign in."""
        return [self._card() for _ in range(count)]

    def _card(self) -> bool:
        try:
            with self.directory.connect():
                return True
        except ServiceBindRefused:
            return False

    @property
    def wrong_tries(self) -> int:
        return int(self.samba.attribute(self.account, "badPwdCount"))


@pytest.fixture
def rotation(samba: SambaDomain, tmp_path: Path) -> Rotation:
    return Rotation(samba, tmp_path / "service.password")


@pytest.fixture
def binds(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each sign-in was taken."""
    said: list[bool] = []
    real: Callable[..., Answer] = Channel.bind

    def noted(self: Channel, name: str, password: Secret) -> Answer:
        answer = real(self, name, password)
        said.append(answer.result == 0)
        return answer

    monkeypatch.setattr(Channel, "bind", noted)
    return said


def test_the_file_first_costs_one_failed_sign_in_and_refuses_nobody(
    rotation: Rotation, binds: list[bool]
) -> None:
    assert rotation.cards() == [True] * 3
    rotation.write(NEW)
    assert rotation.cards() == [True] * 3
    assert binds.count(False) == 1
    assert rotation.wrong_tries == 0, "a success followed"
    rotation.reset(NEW)
    assert rotation.cards() == [True] * 3
    assert binds.count(False) == 2, "the old one, once, when the domain had changed"
    assert rotation.wrong_tries == 0


def test_the_domain_first_costs_one_failed_sign_in_until_the_file_follows(
    rotation: Rotation, binds: list[bool]
) -> None:
    assert rotation.cards() == [True] * 3
    rotation.reset(NEW)
    assert rotation.cards() == [False] * 3
    assert binds.count(False) == 1
    rotation.write(NEW)
    assert rotation.cards() == [True] * 3
    assert binds.count(False) == 1
    assert rotation.wrong_tries == 0


def test_while_the_domain_waits_a_whole_day_nothing_adds_up(
    rotation: Rotation, binds: list[bool]
) -> None:
    rotation.cards()
    rotation.write(NEW)
    for _ in range(30):
        assert rotation.cards(1) == [True]
        rotation.clock.advance(RELUCTANCE_SECONDS + 1)
    assert binds.count(False) == 1
    rotation.reset(NEW)
    assert rotation.cards() == [True] * 3


def test_a_station_that_was_restarted_in_between_looks_again_soon(
    rotation: Rotation, binds: list[bool]
) -> None:
    rotation.write(NEW)
    rotation.restart()
    assert rotation.cards() == [False] * 3
    assert binds == [False]
    rotation.reset(NEW)
    rotation.clock.advance(SECOND_LOOK_SECONDS)
    assert rotation.cards() == [True] * 3


def test_a_typing_error_is_put_right_at_once(
    rotation: Rotation, binds: list[bool]
) -> None:
    rotation.cards()
    rotation.reset(NEW)
    rotation.write(WRONG)
    assert rotation.cards() == [False] * 3
    assert binds.count(False) == 2, "the file's, then the last one that worked"
    rotation.write(NEW)
    assert rotation.cards() == [True] * 3


@pytest.mark.parametrize("restarted", [False, True])
def test_whatever_is_wrong_for_a_day_the_account_is_never_locked(
    rotation: Rotation, binds: list[bool], restarted: bool
) -> None:
    """The domain's clock stands still here: it forgets nothing, so every try counts."""
    rotation.cards()
    rotation.reset("Nobody-Knows-1")
    if restarted:
        rotation.restart()
    while rotation.clock.monotonic() < RELUCTANCE_SECONDS - 60:
        assert not any(rotation.cards(1))
        rotation.clock.advance(30)
    assert binds.count(False) <= 2
    assert rotation.wrong_tries <= 2


def test_another_file_with_the_same_value_is_one_more_try_and_no_loop(
    rotation: Rotation, binds: list[bool]
) -> None:
    rotation.cards()
    rotation.reset("Nobody-Knows-1")
    rotation.cards()
    rotation.write(OLD)
    rotation.cards()
    assert binds.count(False) == 2
