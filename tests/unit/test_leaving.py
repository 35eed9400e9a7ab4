"""Going back is asked once where something is lost, and leaning on Esc is no yes."""

from __future__ import annotations

from kiosk.faces.leaving import Leaving


class Watch:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_first_time_is_asked_and_the_second_is_the_answer() -> None:
    watch = Watch()
    leaving = Leaving(watch)
    assert not leaving.is_meant()
    watch.now = 1.5
    assert leaving.is_meant()


def test_leaning_on_the_key_is_no_answer_however_long() -> None:
    watch = Watch()
    leaving = Leaving(watch)
    for _ in range(200):
        assert not leaving.is_meant()
        watch.now += 0.04


def test_who_goes_on_is_asked_again() -> None:
    watch = Watch()
    leaving = Leaving(watch)
    assert not leaving.is_meant()
    leaving.stays()
    watch.now = 5.0
    assert not leaving.is_meant()
