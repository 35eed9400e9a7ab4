"""A name is resolved within a limit, whatever the system's resolver does."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Iterator

import pytest

from kiosk.core import name_lookup
from kiosk.core.name_lookup import LATE_SECONDS, MOST_LATE, by_system
from kiosk.directory.ldap.addresses import always


class Asked:
    """What a resolver was asked, by threads that come when they come."""

    def __init__(self) -> None:
        self._heard: queue.SimpleQueue[str] = queue.SimpleQueue()

    def hears(self, host: str) -> None:
        self._heard.put(host)

    def names(self, count: int) -> set[str]:
        """Wait until it was asked so often."""
        return {self._heard.get(timeout=20) for _ in range(count)}


def lookups() -> list[threading.Thread]:
    """Return the lookups that are under way."""
    return [each for each in threading.enumerate() if each.name == "resolve"]


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    """A resolver that answers nobody until the test ends; what it was asked."""
    asked = Asked()
    ended = threading.Event()

    def wait(host: str, *_others: object, **_named: object) -> list[object]:
        asked.hears(host)
        ended.wait(20)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure")

    monkeypatch.setattr(socket, "getaddrinfo", wait)
    yield asked
    ended.set()
    for thread in lookups():  # else the next test would join one
        thread.join()


class Slow:
    """A resolver that answers when it is let, later than anybody waits; its time."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.now = 1000.0
        self._let = threading.Event()

    def answer(self, host: str, *_others: object, **_named: object) -> list[object]:
        self.asked.append(host)
        self._let.wait(20)
        return [(2, 1, 6, "", ("192.0.2.7", 0))]

    def is_given_up(self, *hosts: str) -> None:
        """Ask for each, go without an answer, and let it answer then."""
        for host in hosts:
            with pytest.raises(TimeoutError):
                by_system(host, 0.0)
        self.let()

    def let(self) -> None:
        """Answer everything."""
        self._let.set()
        for thread in lookups():
            thread.join(20)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    resolver = Slow()
    monkeypatch.setattr(socket, "getaddrinfo", resolver.answer)
    monkeypatch.setattr(name_lookup, "monotonic", lambda: resolver.now)
    monkeypatch.setattr(name_lookup, "_late", {})
    yield resolver
    resolver.let()


def test_a_name_has_addresses() -> None:
    assert "127.0.0.1" in by_system("localhost", 5.0)


def test_an_address_is_its_own(stuck: Asked) -> None:
    assert by_system("192.0.2.1", 0.1) == ("192.0.2.1",)
    assert by_system("2001:db8::1", 0.1) == ("2001:db8::1",)
    assert not lookups()


def test_a_resolver_that_never_answers_is_given_up(stuck: Asked) -> None:
    with pytest.raises(TimeoutError):
        by_system("dc9.ad.test", 0.1)


def test_many_who_wait_for_one_name_ask_once(stuck: Asked) -> None:
    for _ in range(5):
        with pytest.raises(TimeoutError):
            by_system("dc1.ad.test", 0.02)
    with pytest.raises(TimeoutError):
        by_system("dc2.ad.test", 0.02)
    assert len(lookups()) == 2
    assert stuck.names(2) == {"dc1.ad.test", "dc2.ad.test"}


def test_what_the_system_refuses_is_raised_and_not_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = iter([None, [(2, 1, 6, "", ("127.0.0.9", 0))]])

    def say(*_others: object, **_named: object) -> object:
        if (answer := next(answers)) is None:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return answer

    monkeypatch.setattr(socket, "getaddrinfo", say)
    with pytest.raises(socket.gaierror):
        by_system("dc3.ad.test", 5.0)
    assert by_system("dc3.ad.test", 5.0) == ("127.0.0.9",)


def test_an_answer_that_comes_late_is_there_for_who_asks_next(slow: Slow) -> None:
    """Else a resolver whose first name server is dead would never tell anybody."""
    slow.is_given_up("dc4.ad.test")
    assert by_system("dc4.ad.test", 0.0) == ("192.0.2.7",)
    slow.now += LATE_SECONDS - 1
    assert by_system("dc4.ad.test", 0.0) == ("192.0.2.7",)
    assert slow.asked == ["dc4.ad.test"]


def test_an_answer_that_came_late_is_asked_for_anew_after_a_while(slow: Slow) -> None:
    slow.is_given_up("dc4.ad.test")
    slow.now += LATE_SECONDS
    by_system("dc4.ad.test", 20.0)
    assert slow.asked == ["dc4.ad.test"] * 2


def test_an_answer_that_comes_in_time_is_not_kept(slow: Slow) -> None:
    slow.let()
    by_system("dc4.ad.test", 20.0)
    by_system("dc4.ad.test", 20.0)
    assert slow.asked == ["dc4.ad.test"] * 2


def test_a_refusal_that_comes_late_is_not_kept(
    monkeypatch: pytest.MonkeyPatch, slow: Slow
) -> None:
    def refuse(host: str, *others: object, **named: object) -> list[object]:
        slow.answer(host)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    slow.is_given_up("dc4.ad.test")
    monkeypatch.setattr(socket, "getaddrinfo", slow.answer)
    assert by_system("dc4.ad.test", 20.0) == ("192.0.2.7",)
    by_system("dc4.ad.test", 20.0)
    assert slow.asked == ["dc4.ad.test"] * 3, "nor does it make the next one late"


def test_of_many_answers_that_come_late_the_last_are_kept(slow: Slow) -> None:
    hosts = [f"dc{number}.ad.test" for number in range(MOST_LATE + 3)]
    slow.is_given_up(*hosts)
    kept = list(name_lookup._late)
    assert len(kept) == MOST_LATE
    del slow.asked[:]
    for host in kept:
        by_system(host, 20.0)
    assert slow.asked == []


def test_one_address_can_stand_for_any_name(stuck: Asked) -> None:
    assert always("127.0.0.5")("dc1.ad.test", 0.1) == ("127.0.0.5",)
