"""The file system of a simulated GIDS card: files, who may do what, creation state.

As an open-source applet does it: a file that was created can only be activated until
it was, no file can be created twice, and rules count from the day on that the
application itself is made operational.
"""

from __future__ import annotations

from collections.abc import Callable

from kiosk.cards import status, tlv
from kiosk.cards.gids.objects import ACCESS_RULES, ADMIN_KEY_FILE, KEY_FILES, KEY_RULES
from kiosk.simulation.cards.framing import Status

MASTER, ROOT = 0x3FFF, 0x3F00
GET, PUT, USE, GENERATE = 0x01, 0x02, 0x04, 0x08
"""What is done with a file or key: bits of the compact form (ISO/IEC 7816-4 §5.4.3)."""
_INVALID = 0x6984
"""What the applet says to whatever it cannot make sense of."""
_HIGHEST_BIT = 0x40
_NEVER, _USER, _ADMIN = 0xFF, 0x10, 0x20
_ADMIN_RULES = bytes.fromhex("870020FF")


class GidsFiles:
    """Files and key files. One thread at a time."""

    def __init__(
        self, *, is_user: Callable[[], bool], is_admin: Callable[[], bool]
    ) -> None:
        """`is_user` and `is_admin` say who has shown themselves to the card."""
        self._is_user = is_user
        self._is_admin = is_admin
        self.contents: dict[int, dict[int, bytes]] = {}
        """File identifier → data object → value."""
        self._rules: dict[int, bytes] = {}
        self._inactive: set[int] = set()
        self.is_operational = False
        self._current = MASTER

    def make_all(self) -> None:
        """What a card has that was personalised elsewhere: every file, and one key."""
        for fid, rules in ACCESS_RULES.items():
            self._rules[fid] = rules
            self.contents[fid] = {}
        self._rules[ADMIN_KEY_FILE] = _ADMIN_RULES
        self._rules[KEY_FILES] = KEY_RULES
        self.is_operational = True

    def leave(self) -> None:
        """The application is selected anew."""
        self._current = MASTER

    def select(self, data: bytes) -> None:
        """SELECT by file identifier."""
        wanted = int.from_bytes(data, "big") if data else MASTER
        if wanted not in (MASTER, ROOT) and wanted not in self._rules:
            raise Status(status.NOT_FOUND)
        self._current = MASTER if wanted == ROOT else wanted

    def create(self, data: bytes) -> None:
        """CREATE FILE: only in creation state, or by user or administrator."""
        template = tlv.need(data, 0x62, "command")
        fid = int.from_bytes(tlv.need(template, 0x83, "command"), "big")
        if fid in self._rules:
            raise Status(_INVALID)
        if self.is_operational:
            self._must_fulfil(_USER | _ADMIN)
        self._rules[fid] = tlv.need(template, 0x8C, "command")
        self._inactive.add(fid)
        if tlv.need(template, 0x82, "command") == b"\x39":
            self.contents[fid] = {}
        self._current = fid

    def activate(self) -> None:
        """ACTIVATE FILE: the current one, or the application."""
        if self._current == MASTER:
            self.is_operational = True
        self._inactive.discard(self._current)

    def key_file(self, reference: int, operation: int) -> None:
        """Judge the use of a key. 6984: it has no file."""
        fid = KEY_FILES & 0xFF00 | reference
        if fid not in self._rules:
            raise Status(_INVALID)
        self._judge(fid, operation)

    def get(self, fid: int, do: int) -> bytes:
        """GET DATA."""
        file = self._file(fid, GET)
        if do not in file:
            raise Status(status.NO_REFERENCE)
        return tlv.pack(do, file[do])

    def put(self, fid: int, data: bytes) -> None:
        """PUT DATA. An empty one that is put again is gone."""
        file = self._file(fid, PUT)
        for do, value in tlv.walk(data, "command"):
            if not value and file.get(do) == b"":
                del file[do]
            else:
                file[do] = value

    def _file(self, fid: int, operation: int) -> dict[int, bytes]:
        if fid not in self.contents:
            raise Status(status.NOT_FOUND)
        self._judge(fid, operation)
        return self.contents[fid]

    def _judge(self, fid: int, operation: int) -> None:
        if fid in self._inactive:
            raise Status(status.CONDITIONS)
        rules = self._rules[fid]
        at, bit = 0, _HIGHEST_BIT
        while bit:
            if rules[0] & bit:
                at += 1
                if bit == operation:
                    self._must_fulfil(rules[at])
            bit >>= 1

    def _must_fulfil(self, rule: int) -> None:
        """User or administrator, as the rule says; nobody asks in creation state."""
        if rule == 0:
            return
        if rule != _NEVER:
            if not self.is_operational:
                return
            if rule & _USER and self._is_user():
                return
            if rule & _ADMIN and self._is_admin():
                return
        raise Status(status.NOT_SATISFIED)
