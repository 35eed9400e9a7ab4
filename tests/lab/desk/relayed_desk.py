"""An operator's desk whose session is on another thread, behind a line of two queues.

The line can be cut when a frame is sent, before the other side has it or after, and
tells how many were sent.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Protocol

from kiosk.authority.office.ports import OfficeAuthority
from kiosk.core.frame_line import LineCut, Turns
from kiosk.core.secret import Secret
from kiosk.desk.context import Site
from kiosk.desk.files import StationFiles
from kiosk.desk.relay.channel import KEY_BYTES, Channel
from kiosk.desk.relay.remote_desk import RemoteDesk
from kiosk.desk.relay.session_host import host
from kiosk.desk.session import Session
from kiosk.desk.views import DeskPort

_PATIENCE = 20.0


@dataclass
class Cut:
    """When lines are cut: at the frame of that number, of all that were sent."""

    at: int = 0
    """0: never."""
    is_heard: bool = False
    """The other side still gets that frame."""
    sent: int = 0


class Way(Protocol):
    """What takes frames for the other end."""

    def put(self, item: bytes | None, /) -> None: ...


class Ends:
    """Both ends of one line, `lines.Line` each."""

    def __init__(self, cut: Cut) -> None:
        self.cut = cut
        self._is_closed = threading.Event()
        there: queue.Queue[bytes | None] = queue.Queue()
        back: queue.Queue[bytes | None] = queue.Queue()
        self.station = _End(self, back, there)
        self.authority = _End(self, there, back)

    @property
    def is_closed(self) -> bool:
        return self._is_closed.is_set()

    def close(self) -> None:
        self._is_closed.set()
        for end in (self.station, self.authority):
            end.inbox.put(None)


class _End:
    def __init__(
        self,
        ends: Ends,
        inbox: queue.Queue[bytes | None],
        outbox: queue.Queue[bytes | None],
    ) -> None:
        self._ends = ends
        self.inbox = inbox
        self.outbox: Way = outbox

    def send(self, frame: bytes) -> None:
        cut = self._ends.cut
        if self._ends.is_closed:
            raise LineCut
        cut.sent += 1
        if cut.sent == cut.at:
            if cut.is_heard:
                self.outbox.put(frame)
            self._ends.close()
            raise LineCut
        self.outbox.put(frame)

    def receive(self, seconds: float) -> bytes:
        try:
            frame = self.inbox.get(timeout=min(seconds, _PATIENCE))
        except queue.Empty:
            raise LineCut from None
        if frame is None:
            raise LineCut
        return frame

    def close(self) -> None:
        self._ends.close()


@dataclass
class Authority:
    """What hosts sessions, each on a thread of its own."""

    make: Callable[[Site], DeskPort]
    site: Site
    cut: Cut = field(default_factory=Cut)
    turns: Turns = field(default_factory=Turns)
    still: Callable[[], None] = lambda: None
    lines: list[Ends] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=count)

    def connect(self, _: Callable[[], None]) -> Channel:
        """Open a line and a session behind it; the station's end."""
        ends = self.ends()
        self.lines.append(ends)
        with Secret(bytes([next(self._numbers) + 1]) * KEY_BYTES) as secret:
            there = Channel(ends.authority, secret, is_station=False)
            here = Channel(ends.station, secret, is_station=True)
        thread = threading.Thread(target=self._host, args=(there,), daemon=True)
        self._threads.append(thread)
        thread.start()
        return here

    def ends(self) -> Ends:
        """Return a new line."""
        return Ends(self.cut)

    def settle(self) -> None:
        """Wait until every session has ended that is to end."""
        for thread, ends in zip(self._threads, self.lines, strict=True):
            if ends.is_closed:
                thread.join(_PATIENCE)
                assert not thread.is_alive(), "a session outlived its line"

    def _host(self, channel: Channel) -> None:
        host(channel, self._session, self.still, self.turns)

    def _session(self, files: StationFiles, waits: Callable[[], bool]) -> DeskPort:
        return self.make(replace(self.site, files=files, waits=waits))


def relayed(authority: OfficeAuthority, site: Site) -> RemoteDesk:
    """Return the desk of a station that shows what the authority works on."""
    there = Authority(lambda site: Session(authority, site), site)
    return RemoteDesk(there.connect, lambda job: job(), waits=site.waits)
