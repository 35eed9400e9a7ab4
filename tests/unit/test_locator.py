"""Domain controllers found by DNS: site first, bounded, remembered, never trusted."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import dns.rcode
import dns.resolver
import pytest
from lab.servers.dns_server import DnsServer

from kiosk.core.clock import ManualClock
from kiosk.directory.errors import Unreachable
from kiosk.directory.ldap.locator import (
    LONGEST,
    MOST,
    SHORTEST,
    Locator,
    _server,
)

pytestmark = pytest.mark.slow

EVERYWHERE = "_ldap._tcp.dc._msdcs.ad.test"
AT_SITE = "_ldap._tcp.berlin._sites.dc._msdcs.ad.test"


@pytest.fixture
def server() -> Iterator[DnsServer]:
    with DnsServer() as running:
        yield running


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def locator(server: DnsServer, clock: ManualClock, *, site: str = "") -> Locator:
    return Locator(
        clock,
        domain="AD.test.",
        site=site,
        nameservers=(server.address,),
        seconds=0.5,
    )


def reason(locator: Locator) -> str:
    with pytest.raises(Unreachable) as unreachable:
        locator.controllers()
    assert unreachable.value.data["dcs"] == "ad.test"
    return str(unreachable.value.data["reason"])


def test_those_of_the_domain_are_found(server: DnsServer, clock: ManualClock) -> None:
    server.service(EVERYWHERE, "dc1.ad.test", "DC2.ad.test")
    found = locator(server, clock).controllers()
    assert sorted(found) == ["dc1.ad.test", "dc2.ad.test"]


def test_those_of_the_site_come_first_and_nobody_twice(
    server: DnsServer, clock: ManualClock
) -> None:
    server.service(AT_SITE, "dc3.ad.test")
    server.service(EVERYWHERE, "0 0 389 dc3.ad.test.", "1 0 389 dc1.ad.test.")
    found = locator(server, clock, site="berlin").controllers()
    assert found == ("dc3.ad.test", "dc1.ad.test")
    assert server.questions == [AT_SITE, EVERYWHERE]


def test_a_site_without_any_leaves_those_of_the_domain(
    server: DnsServer, clock: ManualClock
) -> None:
    server.service(EVERYWHERE, "dc1.ad.test")
    assert locator(server, clock, site="berlin").controllers() == ("dc1.ad.test",)


def test_a_lower_priority_comes_first(server: DnsServer, clock: ManualClock) -> None:
    server.service(
        EVERYWHERE,
        *("20 100 389 dc1.ad.test.", "10 0 389 dc2.ad.test."),
        "30 100 389 dc3.ad.test.",
    )
    found = locator(server, clock).controllers()
    assert found == ("dc2.ad.test", "dc1.ad.test", "dc3.ad.test")


@pytest.mark.parametrize(
    "target",
    ["dc1.evil.example.", "ad.test.", "ad.test.evil.example.", ".", "evilad.test.",
     "dc1\\032x.ad.test.", "-dc.ad.test.", "dc\\0001.ad.test."],
)  # fmt: skip
def test_a_name_that_is_not_below_the_domain_is_nobody(
    server: DnsServer, clock: ManualClock, target: str
) -> None:
    server.service(EVERYWHERE, f"0 0 389 {target}", "1 0 389 dc1.ad.test.")
    assert locator(server, clock).controllers() == ("dc1.ad.test",)
    server.service(EVERYWHERE, f"0 0 389 {target}")
    assert reason(locator(server, clock)) == "name_unknown"


def test_however_many_there_are_a_handful_is_kept(
    server: DnsServer, clock: ManualClock
) -> None:
    server.service(EVERYWHERE, *(f"dc{number}.ad.test" for number in range(20)))
    assert len(locator(server, clock).controllers()) == MOST


# --- remembered --------------------------------------------------------------


@pytest.mark.parametrize(
    ("ttl", "believed"), [(100, 100.0), (0, SHORTEST), (10**6, LONGEST)]
)
def test_an_answer_is_believed_for_its_time_within_bounds(
    server: DnsServer, clock: ManualClock, ttl: int, believed: float
) -> None:
    server.service(EVERYWHERE, "dc1.ad.test", ttl=ttl)
    known = locator(server, clock)
    known.controllers()
    server.service(EVERYWHERE, "dc2.ad.test")
    clock.advance(believed - 1)
    assert known.controllers() == ("dc1.ad.test",)
    clock.advance(1)
    assert known.controllers() == ("dc2.ad.test",)
    assert server.questions == [EVERYWHERE] * 2


@pytest.mark.parametrize("way", ["silent", "servfail"])
def test_when_dns_falls_ill_an_earlier_answer_is_believed_a_little_longer(
    server: DnsServer, clock: ManualClock, way: str
) -> None:
    server.service(EVERYWHERE, "dc1.ad.test", ttl=60)
    known = locator(server, clock)
    known.controllers()
    server.silent = way == "silent"
    server.rcode = dns.rcode.SERVFAIL if way == "servfail" else dns.rcode.NOERROR
    clock.advance(60)
    assert known.controllers() == ("dc1.ad.test",)
    asked = len(server.questions)
    assert known.controllers() == ("dc1.ad.test",), "and nobody waits again"
    assert len(server.questions) == asked
    server.silent, server.rcode = False, dns.rcode.NOERROR
    server.service(EVERYWHERE, "dc2.ad.test")
    clock.advance(SHORTEST)
    assert known.controllers() == ("dc2.ad.test",)


def falls_ill(server: DnsServer, way: str, *, at: str) -> None:
    """Let it fail for this name in this way."""
    server.ill_at = at
    server.silent = way == "silent"
    server.rcode = dns.rcode.SERVFAIL if way == "servfail" else dns.rcode.NOERROR


@pytest.mark.parametrize("way", ["silent", "servfail"])
def test_those_of_the_site_are_kept_a_little_when_the_others_cannot_be_asked_for(
    server: DnsServer, clock: ManualClock, way: str
) -> None:
    server.service(AT_SITE, "dc3.ad.test")
    server.service(EVERYWHERE, "dc1.ad.test")
    falls_ill(server, way, at=EVERYWHERE)
    known = locator(server, clock, site="berlin")
    assert known.controllers() == ("dc3.ad.test",)
    falls_ill(server, "not at all", at="")
    clock.advance(SHORTEST - 1)
    assert known.controllers() == ("dc3.ad.test",)
    clock.advance(1)
    assert known.controllers() == ("dc3.ad.test", "dc1.ad.test")


@pytest.mark.parametrize("way", ["silent", "servfail"])
def test_the_others_of_an_earlier_answer_stay_behind_those_of_the_site(
    server: DnsServer, clock: ManualClock, way: str
) -> None:
    server.service(AT_SITE, "dc3.ad.test", ttl=60)
    server.service(EVERYWHERE, "dc1.ad.test", ttl=60)
    known = locator(server, clock, site="berlin")
    assert known.controllers() == ("dc3.ad.test", "dc1.ad.test")
    server.service(AT_SITE, "dc4.ad.test")
    falls_ill(server, way, at=EVERYWHERE)
    clock.advance(60)
    assert known.controllers() == ("dc4.ad.test", "dc3.ad.test", "dc1.ad.test")


def test_a_failure_is_not_remembered(server: DnsServer, clock: ManualClock) -> None:
    known = locator(server, clock)
    assert reason(known) == "name_unknown"
    server.service(EVERYWHERE, "dc1.ad.test")
    assert known.controllers() == ("dc1.ad.test",)


# --- when it does not answer -------------------------------------------------


def test_a_silent_name_server_is_given_up(
    server: DnsServer, clock: ManualClock
) -> None:
    server.silent = True
    assert reason(locator(server, clock, site="berlin")) == "timed_out"


def test_who_waits_for_a_search_that_fails_does_not_wait_for_another(
    server: DnsServer, clock: ManualClock
) -> None:
    """Else the last of an authority's threads would wait for all of them in turn."""
    server.silent = True
    reason(locator(server, clock))
    of_one = len(server.questions)
    shared, together = locator(server, clock), threading.Barrier(12)
    said: list[str] = []

    def ask() -> None:
        together.wait(30)
        said.append(reason(shared))

    asking = [threading.Thread(target=ask) for _ in range(12)]
    for each in asking:
        each.start()
    for each in asking:
        each.join(60)
    assert said == ["timed_out"] * 12
    assert len(server.questions) <= 5 * of_one


def test_a_name_server_that_fails_is_told(
    server: DnsServer, clock: ManualClock
) -> None:
    server.rcode = dns.rcode.SERVFAIL
    assert reason(locator(server, clock)) == "name_unknown"


def test_a_second_name_server_is_asked_when_the_first_is_silent(
    server: DnsServer, clock: ManualClock
) -> None:
    server.service(EVERYWHERE, "dc1.ad.test")
    with DnsServer() as silent:
        silent.silent = True
        known = Locator(
            clock,
            domain="ad.test",
            nameservers=(silent.address, server.address),
            seconds=2.0,
        )
        assert known.controllers() == ("dc1.ad.test",)


@pytest.mark.parametrize("is_system", [False, True])
def test_a_silent_name_server_leaves_time_for_the_second_question(
    server: DnsServer,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    is_system: bool,
) -> None:
    """By themselves, dnspython's two seconds for each server would be all there is."""
    server.service(AT_SITE, "dc3.ad.test")
    server.service(EVERYWHERE, "dc1.ad.test")
    with DnsServer() as silent:
        silent.silent = True
        told = (silent.address, server.address)

        def read(resolver: dns.resolver.Resolver, _file: object) -> None:
            resolver.nameservers = [_server(each) for each in told]

        monkeypatch.setattr(dns.resolver.Resolver, "read_resolv_conf", read)
        known = Locator(
            clock,
            domain="ad.test",
            site="berlin",
            nameservers=() if is_system else told,
            seconds=3.0,
        )
        assert known.controllers() == ("dc3.ad.test", "dc1.ad.test")


# --- addresses ---------------------------------------------------------------


def test_hosts_are_resolved_by_the_same_server(
    server: DnsServer, clock: ManualClock
) -> None:
    server.host("dc1.ad.test", "127.0.0.7", "127.0.0.8")
    found = locator(server, clock).addresses("dc1.ad.test", 0.5)
    assert sorted(found) == ["127.0.0.7", "127.0.0.8"]


def test_an_address_is_not_asked_for(server: DnsServer, clock: ManualClock) -> None:
    assert locator(server, clock).addresses("127.0.0.7", 0.5) == ("127.0.0.7",)
    assert server.questions == []


def test_a_host_that_nobody_knows_and_a_silent_server_are_told_apart(
    server: DnsServer, clock: ManualClock
) -> None:
    known = locator(server, clock)
    with pytest.raises(OSError, match="no such name"):
        known.addresses("dc9.ad.test", 0.5)
    server.silent = True
    with pytest.raises(TimeoutError):
        known.addresses("dc1.ad.test", 0.3)
