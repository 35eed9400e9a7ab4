"""A name is resolved within a limit, whatever the system's resolver does."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from kiosk.directory.ldap.addresses import always, by_system


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A resolver that answers nobody until the test ends; what it was asked."""
    asked: list[str] = []
    ended = threading.Event()

    def wait(host: str, *_others: object, **_named: object) -> list[object]:
        asked.append(host)
        ended.wait(20)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure")

    monkeypatch.setattr(socket, "getaddrinfo", wait)
    yield asked
    ended.set()
    for thread in threading.enumerate():
        if thread.name == "resolve":  # else the next test would join its lookup
            thread.join()


def test_a_name_has_addresses() -> None:
    assert "127.0.0.1" in by_system("localhost", 5.0)


def test_an_address_is_its_own(stuck: list[str]) -> None:
    assert by_system("192.0.2.1", 0.1) == ("192.0.2.1",)
    assert by_system("2001:db8::1", 0.1) == ("2001:db8::1",)
    assert stuck == []


def test_a_resolver_that_never_answers_is_given_up(stuck: list[str]) -> None:
    with pytest.raises(TimeoutError):
        by_system("dc9.ad.test", 0.1)


def test_many_who_wait_for_one_name_ask_once(stuck: list[str]) -> None:
    for _ in range(5):
        with pytest.raises(TimeoutError):
            by_system("dc1.ad.test", 0.02)
    with pytest.raises(TimeoutError):
        by_system("dc2.ad.test", 0.02)
    assert stuck == ["dc1.ad.test", "dc2.ad.test"]


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


def test_one_address_can_stand_for_any_name(stuck: list[str]) -> None:
    assert always("127.0.0.5")("dc1.ad.test", 0.1) == ("127.0.0.5",)
