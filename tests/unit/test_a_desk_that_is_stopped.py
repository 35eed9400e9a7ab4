"""A desk that is stopped while something takes long ends that first: no part stays."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from lab.terminal.fake_station import SETTINGS

from kiosk.cards.ports import ReaderEvent
from kiosk.core.frame_line import LineCut
from kiosk.desk.patience import Patience
from kiosk.desk.relay.channel import Channel
from kiosk.desk.relay.remote_desk import RemoteDeskStation
from kiosk.desk.station import DeskStation, EmbeddedDesk, OpenedDesk


class NoReader:
    """No card ever comes."""

    def start(self, emit: Callable[[ReaderEvent], None]) -> None:
        """Nothing is there."""

    def stop(self) -> None:
        """Nothing was."""


def _away(_: Callable[[], None]) -> Channel:
    raise LineCut


def _closed() -> OpenedDesk:
    raise LineCut


@pytest.mark.parametrize(
    "make",
    [
        lambda: EmbeddedDesk(SETTINGS, NoReader(), _closed),
        lambda: RemoteDeskStation(SETTINGS, NoReader(), _away),
    ],
    ids=["here", "far away"],
)
def test_what_takes_long_ends_before_the_desk_does(
    make: Callable[[], DeskStation], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Patience] = []
    own = Patience.__init__

    def seen(patience: Patience) -> None:
        own(patience)
        made.append(patience)

    monkeypatch.setattr(Patience, "__init__", seen)
    station = make()
    (patience,) = made
    begun, ended = threading.Event(), threading.Event()

    def works() -> None:
        begun.set()
        while patience.lasts():
            time.sleep(0.01)
        ended.set()

    station.on_worker(works)
    assert begun.wait(10)
    station.stop()
    assert ended.wait(10)
