"""Several domain controllers: one that is dead costs one person a wait, and only once.

The dead ones are ports and servers that misbehave in every way; the living one is a
real Samba. Who waited is told by who was tried, never by a watch.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from lab.domain.samba import SambaDomain
from lab.servers import bad_servers
from lab.servers.dns_server import DnsServer

from kiosk.core.clock import ManualClock, SystemClock
from kiosk.core.secret import Secret
from kiosk.directory.errors import TlsRefused, Unreachable
from kiosk.directory.ldap import LdapDirectory, LdapSettings, opening
from kiosk.directory.ldap.breaker import REST_SECONDS
from kiosk.directory.ldap.channel import Channel
from kiosk.directory.values import BindResult

pytestmark = pytest.mark.samba

EVERYWHERE = "_ldap._tcp.dc._msdcs.ad.test"
AT_SITE = "_ldap._tcp.berlin._sites.dc._msdcs.ad.test"
NEW_PIN = "975318"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every DC that a line was opened to, or should have been."""
    names: list[str] = []
    real = Channel.__init__

    def noted(self: Channel, settings: LdapSettings, dc: str, *rest: object) -> None:
        names.append(dc)
        real(self, settings, dc, *rest)  # type: ignore[arg-type]  # handed on as it came

    monkeypatch.setattr(Channel, "__init__", noted)
    return names


class Later:
    """Keeps what runs in the background until the test lets it happen."""

    def __init__(self) -> None:
        self.jobs: list[Callable[[], None]] = []

    def __call__(self, job: Callable[[], None]) -> None:
        self.jobs.append(job)

    def happens(self) -> None:
        while self.jobs:
            self.jobs.pop()()


def quick(samba: SambaDomain, *dcs: str, **changes: object) -> LdapSettings:
    times = {"connect_timeout": 1.0, "receive_timeout": 3.0}
    return samba.settings(**{**times, "dcs": dcs, **changes})


def reached(directory: LdapDirectory) -> str:
    with directory.connect() as dc:
        return dc.name


# --- one that is dead --------------------------------------------------------


@contextmanager
def closed() -> Iterator[int]:
    yield bad_servers.closed_port()


def speaking(handle: bad_servers.Handler) -> Callable[[], AbstractContextManager[int]]:
    return lambda: bad_servers.server(handle)


@pytest.mark.parametrize(
    "dead",
    [
        closed,
        bad_servers.black_hole,
        speaking(bad_servers.stay_silent),
        speaking(bad_servers.dribble(bytes.fromhex("16030300ff"))),
        speaking(bad_servers.hang_up),
        speaking(bad_servers.say(b"220 mail.example.org ready\r\n")),
    ],
    ids=["closed", "black hole", "silent", "dribbling", "hanging up", "no LDAP"],
)
def test_whatever_ails_the_first_one_person_waits_for_it_and_nobody_after(
    samba: SambaDomain,
    tried: list[str],
    dead: Callable[[], AbstractContextManager[int]],
) -> None:
    with dead() as port:
        first = f"localhost:{port}"
        settings = quick(samba, first, samba.address)
        directory = LdapDirectory(settings, ManualClock())
        for _ in range(3):
            assert reached(directory) == samba.address
    assert tried == [first, samba.address, samba.address, samba.address]


def test_a_probe_is_on_nobodys_time(
    samba: SambaDomain, clock: ManualClock, tried: list[str]
) -> None:
    later = Later()
    dead, living = f"127.0.0.1:{bad_servers.closed_port()}", samba.address
    directory = LdapDirectory(quick(samba, dead, living), clock, background=later)
    for _ in range(2):
        assert reached(directory) == living
    assert not later.jobs, "the rest is not over"
    clock.advance(REST_SECONDS)
    for _ in range(2):
        assert reached(directory) == living
    assert len(later.jobs) == 1
    later.happens()
    assert reached(directory) == living
    assert tried == [dead, living, living, living, living, dead, living]


def test_a_first_one_that_is_back_is_taken_again_after_its_probe(
    samba: SambaDomain, clock: ManualClock
) -> None:
    later = Later()
    is_back = False

    def come_and_go(line: socket.socket, ended: object) -> None:
        if is_back:
            bad_servers.relay(samba.address, 636)(line, ended)  # type: ignore[arg-type]  # as it came

    with bad_servers.server(come_and_go) as port:
        first = f"localhost:{port}"
        settings = quick(samba, first, samba.address)
        directory = LdapDirectory(settings, clock, background=later)
        assert reached(directory) == samba.address
        is_back = True
        assert reached(directory) == samba.address, "it still rests"
        clock.advance(REST_SECONDS)
        assert reached(directory) == samba.address, "nobody is sent there to try"
        later.happens()
        assert reached(directory) == first


def test_a_probe_signs_nobody_in(
    samba: SambaDomain, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = Later()
    binds: list[str] = []
    real = Channel.bind

    def noted(self: Channel, name: str, password: Secret) -> object:
        binds.append(self.dc)
        return real(self, name, password)

    monkeypatch.setattr(Channel, "bind", noted)
    dead = f"127.0.0.1:{bad_servers.closed_port()}"
    directory = LdapDirectory(
        quick(samba, dead, samba.address), clock, background=later
    )
    reached(directory)
    clock.advance(REST_SECONDS)
    reached(directory)
    del binds[:]
    later.happens()
    assert binds == []


def test_somebody_who_has_no_other_is_sent_to_one_that_rests(
    samba: SambaDomain,
) -> None:
    directory = LdapDirectory(quick(samba, samba.address), ManualClock())
    samba.kill()
    try:
        with pytest.raises(Unreachable):
            reached(directory)
    finally:
        samba.run()
    assert reached(directory) == samba.address


def test_a_dc_that_is_not_trusted_rests_too(
    samba: SambaDomain, tried: list[str]
) -> None:
    with bad_servers.server(bad_servers.relay(samba.address, 636)) as port:
        wrong_name = f"127.0.0.1:{port}"
        directory = LdapDirectory(
            quick(samba, wrong_name, samba.address), ManualClock()
        )
        assert [reached(directory) for _ in range(2)] == [samba.address] * 2
    assert tried == [wrong_name, samba.address, samba.address]


def test_however_many_are_dead_somebody_is_told_after_two_timeouts(
    samba: SambaDomain, tried: list[str]
) -> None:
    class Wristwatch(ManualClock):
        """Each look at it finds most of a second gone; one DC may take 2.5."""

        def monotonic(self) -> float:
            self.advance(0.8)
            return super().monotonic()

    dead = tuple(f"127.0.0.1:{bad_servers.closed_port()}" for _ in range(6))
    times = {"connect_timeout": 0.5, "receive_timeout": 2.0}
    directory = LdapDirectory(quick(samba, *dead, **times), Wristwatch())
    with pytest.raises(Unreachable) as unreachable:
        reached(directory)
    assert 2 <= len(tried) <= 4
    assert unreachable.value.data == {"dcs": ", ".join(dead), "reason": "refused"}


# --- one name, several addresses ---------------------------------------------


@pytest.fixture
def names() -> Iterator[DnsServer]:
    with DnsServer() as server:
        yield server


def test_a_name_with_a_dead_address_is_had_at_another(
    samba: SambaDomain, names: DnsServer
) -> None:
    names.host("dc1.ad.test", "127.0.0.1", samba.address)
    settings = quick(samba, "dc1.ad.test", nameservers=(names.address,))
    assert reached(LdapDirectory(settings, SystemClock())) == "dc1.ad.test"


def test_what_was_written_at_one_address_of_a_name_is_verified_there(
    samba: SambaDomain, names: DnsServer
) -> None:
    """A name may stand for every DC of the domain, and each knows something else."""
    names.host("dc1.ad.test", samba.address)
    user = samba.add_user()
    settings = quick(samba, "dc1.ad.test", nameservers=(names.address,))
    directory = LdapDirectory(settings, SystemClock())
    with directory.connect() as dc, Secret(NEW_PIN.encode()) as new:
        account = dc.account(user.guid)
        dc.set_password(account, new)
        names.host("dc1.ad.test", "127.0.0.1")
        assert dc.verify_password(account, new) is BindResult.OK


def test_a_dc_is_found_again_at_the_address_where_it_was_had(
    samba: SambaDomain, names: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    names.host("dc1.ad.test", samba.address)
    settings = quick(samba, "dc1.ad.test", nameservers=(names.address,))
    directory = LdapDirectory(settings, SystemClock())
    reached(directory)
    with bad_servers.server(bad_servers.stay_silent):
        names.host("dc1.ad.test", "127.0.0.1", samba.address)
        opened: list[str] = []
        real = opening._connected

        def noted(*given: object) -> object:
            opened.append(str(given[3]))
            return real(*given)  # type: ignore[arg-type]  # handed on as it came

        monkeypatch.setattr(opening, "_connected", noted)
        for _ in range(5):
            with directory.connect("dc1.ad.test"):
                pass
    assert set(opened) == {samba.address}


# --- found by DNS ------------------------------------------------------------


def located(samba: SambaDomain, names: DnsServer, **changes: object) -> LdapDirectory:
    settings = quick(samba, domain="ad.test", nameservers=(names.address,), **changes)
    return LdapDirectory(settings, SystemClock())


def test_dns_tells_where_the_domain_is(samba: SambaDomain, names: DnsServer) -> None:
    names.service(EVERYWHERE, "0 100 3 dc1.ad.test.")
    names.host("dc1.ad.test", samba.address)
    directory = located(samba, names)
    assert directory.controllers() == ("dc1.ad.test",)
    assert reached(directory) == "dc1.ad.test", "at the port of LDAPS, not DNS's"


def test_the_site_is_asked_first_and_the_domain_when_it_is_dead(
    samba: SambaDomain, names: DnsServer
) -> None:
    names.service(AT_SITE, "dc2.ad.test")
    names.service(EVERYWHERE, "dc2.ad.test", "dc1.ad.test")
    names.host("dc2.ad.test", "127.0.0.1")
    names.host("dc1.ad.test", samba.address)
    directory = located(samba, names, site="berlin")
    assert directory.controllers()[0] == "dc2.ad.test"
    assert reached(directory) == "dc1.ad.test"


def test_a_forged_answer_leads_nowhere(samba: SambaDomain, names: DnsServer) -> None:
    """Its holder may well have a trusted certificate: for its own name."""
    names.service(EVERYWHERE, "localhost")
    with pytest.raises(Unreachable) as unreachable:
        reached(located(samba, names))
    assert unreachable.value.data == {"dcs": "ad.test", "reason": "name_unknown"}
    names.service(EVERYWHERE, "dc7.ad.test")
    names.host("dc7.ad.test", samba.address)
    with pytest.raises(TlsRefused) as distrusted:
        reached(located(samba, names))
    assert distrusted.value.data["reason"] == "wrong_name"
    assert "dc1.ad.test" in str(distrusted.value.data["names"])


def test_a_dns_server_that_is_silent_is_given_up(
    samba: SambaDomain, names: DnsServer
) -> None:
    names.silent = True
    with pytest.raises(Unreachable) as unreachable:
        reached(located(samba, names))
    assert unreachable.value.data == {"dcs": "ad.test", "reason": "timed_out"}


def test_a_name_that_dns_forgot_is_told(samba: SambaDomain, names: DnsServer) -> None:
    names.service(EVERYWHERE, "dc1.ad.test")
    with pytest.raises(Unreachable) as unreachable:
        reached(located(samba, names))
    assert unreachable.value.data["reason"] == "name_unknown"
