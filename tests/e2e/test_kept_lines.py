"""A line to a real domain that one person leaves for the next: only while it is worth
as much as a new one.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lab.domain.samba import SambaDomain
from lab.servers.bad_servers import server
from lab.servers.one_way import OneWay

from kiosk.core.clock import ManualClock
from kiosk.core.secret import Secret
from kiosk.directory.errors import ServiceBindRefused
from kiosk.directory.ldap import LdapDirectory
from kiosk.directory.ldap.channel import Answer, Channel
from kiosk.directory.ldap.kept_lines import FRESH_SECONDS, KEPT_SECONDS
from kiosk.directory.values import BindResult

pytestmark = pytest.mark.samba

PASSWORD = "Kq8-vTzN3-kept"


class TownLine(OneWay):
    """A line to a DC, of which those that are open can be left alone or broken."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self._open: list[tuple[OneWay, socket.socket]] = []

    def silence(self) -> None:
        """Whoever is connected hears nothing more; whoever comes now is served."""
        for line, _ in self._open:
            line._whole.clear()

    def break_off(self) -> None:
        """Whoever is connected is cut off, as by a DC that starts anew."""
        for _, client in self._open:
            client.shutdown(socket.SHUT_RDWR)

    def _carry(self, client: socket.socket, ended: object) -> None:
        own = OneWay(*self._target)
        self._open.append((own, client))
        own._carry(client, ended)  # type: ignore[arg-type]  # as the server gives it


class Town:
    """An authority that keeps its lines, and the service account of a test's own."""

    def __init__(self, samba: SambaDomain, file: Path, line: TownLine) -> None:
        self.samba, self.line, self.clock = samba, line, ManualClock()
        self.account = samba.add_user(password=PASSWORD)
        self.file = file
        file.touch(mode=0o600)
        file.write_text(PASSWORD)
        settings = samba.settings(
            dcs=(line.address,),
            service_account=self.account.upn,
            password_file=file,
            receive_timeout=3,
            keep_seconds=KEPT_SECONDS,
        )
        self.directory = LdapDirectory(settings, self.clock)

    def visit(self) -> str:
        """Look the service account up; return its guid, or why that did not go."""
        try:
            with self.directory.connect() as dc:
                return dc.account(self.account.guid).guid
        except ServiceBindRefused as error:
            return str(error.data["reason"])


@pytest.fixture
def town(samba: SambaDomain, tmp_path: Path) -> Iterator[Town]:
    line = TownLine(samba.address, 636)
    with server(line._carry, samba.address) as port:
        line.address = f"{samba.address}:{port}"
        yield Town(samba, tmp_path / "service.password", line)


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each sign-in was taken."""
    said: list[bool] = []
    real: Callable[..., Answer] = Channel.bind

    def noted(self: Channel, name: str, password: Secret) -> Answer:
        answer = real(self, name, password)
        said.append(answer.result == 0)
        return answer

    monkeypatch.setattr(Channel, "bind", noted)
    return said


def test_who_comes_next_goes_on_with_the_line(
    town: Town, signed_in: list[bool]
) -> None:
    for _ in range(4):
        assert town.visit() == town.account.guid
        town.clock.advance(FRESH_SECONDS)
    assert signed_in == [True]


def test_it_is_used_for_a_while_only(town: Town, signed_in: list[bool]) -> None:
    town.visit()
    town.clock.advance(KEPT_SECONDS)
    assert town.visit() == town.account.guid
    assert signed_in == [True, True]


def test_two_at_once_have_a_line_each(town: Town, signed_in: list[bool]) -> None:
    with town.directory.connect() as first, town.directory.connect() as second:
        assert first.account(town.account.guid) == second.account(town.account.guid)
    with town.directory.connect(), town.directory.connect():
        pass
    assert signed_in == [True, True]


@pytest.mark.parametrize("pause", [0.0, FRESH_SECONDS])
def test_one_that_was_cut_off_is_given_to_nobody(
    town: Town, signed_in: list[bool], pause: float
) -> None:
    town.visit()
    town.line.break_off()
    town.clock.advance(pause)
    assert town.visit() == town.account.guid
    assert signed_in == [True, True]
    assert not town.directory.rests(town.line.address)


def test_one_on_which_nothing_comes_back_is_given_to_nobody(
    town: Town, signed_in: list[bool]
) -> None:
    town.visit()
    town.line.silence()
    town.clock.advance(FRESH_SECONDS)
    assert town.visit() == town.account.guid
    assert signed_in == [True, True]
    assert not town.directory.rests(town.line.address)


def test_a_dc_that_started_anew_is_gone_on_with(
    town: Town, signed_in: list[bool]
) -> None:
    town.visit()
    town.samba.kill()
    town.samba.run()
    assert town.visit() == town.account.guid
    assert signed_in == [True, True]


def test_another_password_in_the_file_is_tried_at_once(
    town: Town, signed_in: list[bool]
) -> None:
    town.visit()
    new = town.file.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_text("Kq8-vTzN3-typo")
    new.replace(town.file)
    town.visit()
    assert signed_in == [True, False, True]  # what worked last is tried then


def test_an_account_that_was_disabled_ends_with_its_line(town: Town) -> None:
    town.visit()
    town.samba.disable(town.account)
    town.clock.advance(KEPT_SECONDS)
    assert town.visit() == BindResult.DISABLED


def fails(town: Town) -> None:
    with town.directory.connect():
        raise LookupError


def test_what_ended_by_an_error_leaves_no_line(
    town: Town, signed_in: list[bool]
) -> None:
    with pytest.raises(LookupError):
        fails(town)
    assert town.visit() == town.account.guid
    assert signed_in == [True, True]


def test_a_password_is_set_and_tried_over_a_kept_line(
    town: Town, samba: SambaDomain, signed_in: list[bool]
) -> None:
    person = samba.add_user()
    settings = samba.settings(keep_seconds=KEPT_SECONDS)
    directory = LdapDirectory(settings, town.clock)
    for value in ("519283", "602817"):
        with directory.connect() as dc:
            account = dc.account(person.guid)
            dc.set_password(account, Secret(value.encode()))
            assert dc.verify_password(account, Secret(value.encode())) is BindResult.OK
    assert signed_in == [True, True, True]  # ours once, the person's twice
