"""Whoever takes the card out too early is told what to do once: insert it again."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from kiosk.cards.errors import CardMute, CardRemoved
from kiosk.cards.values import Tries
from kiosk.visit import results
from kiosk.visit.run import Run
from statemachine.operation import Kind


def refused(error: Exception) -> list[str]:
    seen = SimpleNamespace(pin_tries=Tries(3, 3))
    run = cast(Run, SimpleNamespace(recognised=seen, said=(), event="1234-5678"))
    return [each.key for each in results.refused(run, Kind.CHANGE, error).advice]


def test_nobody_is_sent_to_the_telephone_for_it() -> None:
    assert refused(CardRemoved()) == []


def test_what_can_be_tried_again_needs_no_call_either() -> None:
    assert refused(CardMute()) == []
