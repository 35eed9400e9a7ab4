"""A domain controller that failed costs one person a wait, and nobody after that."""

from __future__ import annotations

import pytest

from kiosk.core.clock import ManualClock
from kiosk.directory.ldap.breaker import LONGEST_REST, REST_SECONDS, Breaker

DCS = ("dc1", "dc2", "dc3")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def breaker(clock: ManualClock) -> Breaker:
    return Breaker(clock)


def test_at_first_all_are_asked_in_their_order(breaker: Breaker) -> None:
    assert breaker.in_order(DCS) == DCS
    assert not breaker.rests("dc1")
    assert breaker.take_due(DCS) == ()


def test_who_failed_is_a_last_resort(breaker: Breaker) -> None:
    breaker.failed("dc1")
    assert breaker.in_order(DCS) == ("dc2", "dc3", "dc1")


def test_when_all_failed_the_order_is_as_before(breaker: Breaker) -> None:
    for dc in reversed(DCS):
        breaker.failed(dc)
    assert breaker.in_order(DCS) == DCS


def test_time_alone_ends_no_rest(breaker: Breaker, clock: ManualClock) -> None:
    breaker.failed("dc1")
    clock.advance(100 * REST_SECONDS)
    assert breaker.in_order(DCS) == ("dc2", "dc3", "dc1")


def test_a_probe_is_due_after_the_rest_and_given_to_one_only(
    breaker: Breaker, clock: ManualClock
) -> None:
    breaker.failed("dc1")
    clock.advance(REST_SECONDS - 1)
    assert breaker.take_due(DCS) == ()
    clock.advance(1)
    assert breaker.take_due(DCS) == ("dc1",)
    assert breaker.take_due(DCS) == ()


def test_a_probe_that_failed_is_followed_by_another_rest(
    breaker: Breaker, clock: ManualClock
) -> None:
    breaker.failed("dc1")
    clock.advance(REST_SECONDS)
    breaker.take_due(DCS)
    clock.advance(REST_SECONDS - 1)
    breaker.failed("dc1")
    clock.advance(REST_SECONDS - 1)
    assert breaker.take_due(DCS) == ()
    clock.advance(1)
    assert breaker.take_due(DCS) == ("dc1",)


def test_a_probe_of_which_nothing_was_heard_is_repeated(
    breaker: Breaker, clock: ManualClock
) -> None:
    breaker.failed("dc1")
    for _ in range(3):
        clock.advance(REST_SECONDS)
        assert breaker.take_due(DCS) == ("dc1",)


def test_a_success_ends_the_rest(breaker: Breaker) -> None:
    breaker.failed("dc1")
    breaker.works("dc1")
    assert breaker.in_order(DCS) == DCS


def test_only_those_that_are_asked_about_are_probed(
    breaker: Breaker, clock: ManualClock
) -> None:
    """DNS may not tell of it any more."""
    breaker.failed("dc1")
    breaker.failed("dc2")
    clock.advance(REST_SECONDS)
    assert breaker.take_due(("dc2", "dc3")) == ("dc2",)


def test_one_that_fails_whoever_comes_after_its_probe_rests_twice_as_long(
    breaker: Breaker, clock: ManualClock
) -> None:
    waited = []
    for _ in range(10):
        breaker.failed("dc1")
        seconds = 0.0
        while not breaker.take_due(DCS):
            clock.advance(REST_SECONDS)
            seconds += REST_SECONDS
        waited.append(seconds)
        breaker.works("dc1")
    assert waited[:4] == [REST_SECONDS * factor for factor in (1, 2, 4, 8)]
    assert max(waited) == LONGEST_REST


def test_whoever_was_served_by_it_has_it_forgiven(
    breaker: Breaker, clock: ManualClock
) -> None:
    for _ in range(4):
        breaker.failed("dc1")
        breaker.works("dc1")
    breaker.served("dc1")
    breaker.failed("dc1")
    clock.advance(REST_SECONDS)
    assert breaker.take_due(DCS) == ("dc1",)


def test_who_is_sent_to_one_that_rests_anyhow_does_not_lengthen_it(
    breaker: Breaker, clock: ManualClock
) -> None:
    """With all of them dead, everybody tries them all."""
    for _ in range(20):
        breaker.failed("dc1")
    clock.advance(REST_SECONDS)
    assert breaker.take_due(DCS) == ("dc1",)
