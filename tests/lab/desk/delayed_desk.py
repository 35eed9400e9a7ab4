"""A relayed desk whose frames arrive some time after they were sent."""

from __future__ import annotations

import queue
import threading
import time

from kiosk.authority.office.ports import OfficeAuthority
from kiosk.desk.context import Site
from kiosk.desk.relay.remote_desk import RemoteDesk
from kiosk.desk.session import Session
from lab.desk.relayed_desk import Authority, Ends


class Distance:
    """What lies before a queue: whatever is put into it comes out later, in order."""

    def __init__(self, there: queue.Queue[bytes | None], seconds: float) -> None:
        self._there, self._seconds = there, seconds
        self._going: queue.Queue[tuple[float, bytes | None]] = queue.Queue()
        threading.Thread(target=self._carry, daemon=True).start()

    def put(self, item: bytes | None, /) -> None:
        self._going.put((time.monotonic() + self._seconds, item))

    def _carry(self) -> None:
        while True:
            due, frame = self._going.get()
            time.sleep(max(0.0, due - time.monotonic()))
            self._there.put(frame)


class Delayed(Authority):
    """A desk, and the line to the authority that it shows."""

    def __init__(self, office: OfficeAuthority, site: Site, seconds: float) -> None:
        """`seconds`: that a frame is on its way."""
        super().__init__(lambda site: Session(office, site), site)
        self._seconds = seconds
        self.desk = RemoteDesk(self.connect, lambda job: job())

    def ends(self) -> Ends:
        ends = super().ends()
        if self._seconds:
            for end, other in (
                (ends.station, ends.authority),
                (ends.authority, ends.station),
            ):
                end.outbox = Distance(other.inbox, self._seconds)
        return ends
