"""Going back is asked once where something is lost, and leaning on Esc is no yes."""

from __future__ import annotations

from kiosk.faces.leaving import Leaving

LONG = 5.0


def test_the_first_time_is_asked_and_the_second_is_the_answer() -> None:
    leaving = Leaving()
    assert not leaving.is_meant(LONG)
    assert leaving.is_meant(1.5)


def test_leaning_on_the_key_is_no_answer_however_long() -> None:
    leaving = Leaving()
    for _ in range(200):
        assert not leaving.is_meant(0.04)


def test_who_goes_on_is_asked_again() -> None:
    leaving = Leaving()
    assert not leaving.is_meant(LONG)
    leaving.stays()
    assert not leaving.is_meant(LONG)
