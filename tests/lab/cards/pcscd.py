"""A real pcscd with virtual readers, shut in namespaces of its own.

One per test process: nothing of it listens on the machine's own addresses, several
run side by side, and everything ends with the process that started it. The client
library reads `PCSCLITE_CSOCK_NAME` once per process, so the name of the socket is
fixed before anything establishes a context (`pcscd_fixtures`), whether or not the
service runs by then.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

from kiosk.cards.pcsc import winscard
from kiosk.simulation.virtual_reader import PORT, Connect, VirtualReader

READERS = ("Virtual PCD 00 00", "Virtual PCD 00 01")
_DRIVERS = (
    "/usr/lib/pcsc/drivers/serial/libifdvpcd.so",
    "/usr/lib/*/pcsc/drivers/serial/libifdvpcd.so",
)
RENAMED = ("Renamed PCD 00 00", "Renamed PCD 00 01")
YUBICO = "Yubico YubiKey CCID"
"""What a reader is called that is itself a YubiKey; a slot's number follows."""
_PLUGGED, _UNPLUGGED, _RENAMED = "plugged", "unplugged", "renamed"
UMLAUT = ("Lesegerät 00 00", "Lesegerät 00 01")
_YUBICO, _UMLAUT, _LATIN_1 = "yubico", "umlaut", "latin-1"
"""Names of configuration directories."""
_EMPTY_TRIES = 20
_READY_SECONDS = 20.0
_SYSTEM_PATHS = "/usr/local/sbin:/usr/sbin:/sbin"
_CONFIGURATION = """\
FRIENDLYNAME "{name}"
DEVICENAME   /dev/null:{port:#x}
LIBPATH      {driver}
CHANNELID    {port:#x}
"""


class Missing(Exception):
    """What these tests need is not installed, or not allowed, here."""


def _driver() -> Path:
    for pattern in _DRIVERS:
        found = sorted(Path("/").glob(pattern.removeprefix("/")))
        if found:
            return found[0]
    raise Missing(
        "the virtual reader is missing: apt-get install pcscd vsmartcard-vpcd"
    )


class Pcscd:
    """The service, its two readers and the hands that move cards in them."""

    def __init__(self, home: Path) -> None:
        """Use `home`, an empty directory, for the service's socket and files."""
        self._home = home
        self.socket_name = home / "run" / "pcscd.comm"
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._room: subprocess.Popen[bytes] | None = None
        self.readers = tuple(
            VirtualReader(self._connector(PORT + slot), name=name)
            for slot, name in enumerate(READERS)
        )

    # --- the room ---------------------------------------------------------------

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a child process that is to use this service."""
        return {**os.environ, "PCSCLITE_CSOCK_NAME": str(self.socket_name)}

    @property
    def enter(self) -> list[str]:
        """The beginning of a command line that runs inside, where vpcd listens."""
        if self._room is None:
            raise Missing("open the room first")
        command = ["nsenter", "--target", str(self._room.pid), "--net"]
        if os.geteuid() != 0:
            command += ["--user", "--preserve-credentials"]
        return [*command, "--"]

    def open(self) -> None:
        """Make the namespaces. Missing says what to install."""
        self._furnish()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = ["unshare", "--mount", "--net"]
        if os.geteuid() != 0:
            command.append("--map-root-user")
        program = Path(__file__).with_name("pcscd_room.py")
        arguments = [str(program), str(theirs.fileno()), str(self._home)]
        path = f"{os.environ.get('PATH', '')}:{_SYSTEM_PATHS}"
        with theirs:
            self._room = subprocess.Popen(
                [*command, sys.executable, *arguments],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PATH": path},
            )
        ours.settimeout(_READY_SECONDS)
        self._control = ours
        if ours.recv(64) != b"ready":
            raise Missing("unshare failed: run as root, or allow user namespaces")

    def _furnish(self) -> None:
        if shutil.which("pcscd", path=f"{os.environ['PATH']}:{_SYSTEM_PATHS}") is None:
            raise Missing("pcscd is missing: apt-get install pcscd vsmartcard-vpcd")
        named = {
            _PLUGGED: "Virtual PCD",
            _RENAMED: "Renamed PCD",
            _YUBICO: YUBICO,
            _UMLAUT: "Lesegerät",
            _LATIN_1: "Virtual PCD",
        }
        for name in ("run", _UNPLUGGED, *named):
            (self._home / name).mkdir()
        for folder, name in named.items():
            text = _CONFIGURATION.format(name=name, port=PORT, driver=_driver())
            (self._home / folder / "vpcd").write_text(text)
        other = _CONFIGURATION.format(
            name="Lesegerät", port=PORT + len(READERS), driver=_driver()
        )
        beside = self._home / _LATIN_1 / "beside"
        beside.write_text(other, encoding="latin-1")

    def close(self) -> None:
        """End everything."""
        for reader in self.readers:
            reader.pull()
        if self._control is not None:
            self._control.close()
        if self._room is not None:
            self._room.wait(_READY_SECONDS)

    # --- the service --------------------------------------------------------------

    def start(self) -> None:
        """Start the service, if it does not run; both readers are plugged in."""
        self._ask(f"start {_PLUGGED}")

    def start_without_readers(self) -> None:
        """Start the service where no reader is plugged in."""
        self._ask(f"start {_UNPLUGGED}")

    def start_as_yubikeys(self) -> None:
        """Start the service with readers that Yubico's programs take for YubiKeys."""
        self._ask(f"start {_YUBICO}")

    def start_renamed(self) -> None:
        """Start the service where the readers are called otherwise."""
        self._ask(f"start {_RENAMED}")

    def start_with_an_umlaut(self) -> None:
        """Start the service where the readers have a name that is not ASCII."""
        self._ask(f"start {_UMLAUT}")

    def start_beside_latin_1(self) -> None:
        """Start the service where other readers have a name that is not UTF-8.

        No card reaches any of them: the driver's slots are the same for all.
        """
        self._ask(f"start {_LATIN_1}")

    def freeze(self) -> None:
        """Let the service stand still: it is there and does not answer."""
        self._ask("freeze")

    def thaw(self) -> None:
        """Let it go on."""
        self._ask("thaw")

    def stop(self) -> None:
        """Stop the service as a service manager would."""
        self._ask("stop")

    def kill(self) -> None:
        """Let the service die without a word."""
        self._ask("kill")

    # --- the hands ------------------------------------------------------------------

    def clear(self) -> None:
        """Take all cards out and wait until the service has noticed."""
        for reader in self.readers:
            reader.pull()
            reader.faults.set()
        try:
            context = winscard.establish()
        except winscard.PcscError:
            return
        try:
            _await_empty(context)
        finally:
            winscard.release(context)

    def _connector(self, port: int) -> Connect:
        return lambda: self._connect(port)

    def _connect(self, port: int) -> socket.socket:
        """Connect from inside the room; OSError while nothing listens."""
        (descriptor,) = self._ask(f"connect {port}")
        return socket.socket(fileno=descriptor)

    def _ask(self, command: str) -> list[int]:
        """Have one command carried out. OSError if it could not be."""
        control = self._control
        if control is None:
            raise Missing("open the room first")
        with self._lock:
            control.send(command.encode())
            answer, descriptors, _, _ = socket.recv_fds(control, 1024, 1)
        if answer != b"done":
            raise OSError(answer.decode() or "the room is gone")
        return descriptors


def _await_empty(context: int) -> None:
    """Wait until no reader has a card; AssertionError if one keeps it."""
    states = dict.fromkeys(winscard.list_readers(context), 0)
    for _ in range(_EMPTY_TRIES):
        if not states:
            return
        states = winscard.status_change(context, 1.0, states)
        if not any(state & winscard.PRESENT for state in states.values()):
            return
    raise AssertionError(f"a card is still seen: {states}")
