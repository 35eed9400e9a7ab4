"""Runs inside private namespaces: starts and stops pcscd, reaches its virtual reader.

A program of its own, started by `lab.cards.pcscd` under `unshare`. It takes one command
a datagram from the socket whose number is its first argument and ends, taking pcscd
with it, when the other side hangs up.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

START_SECONDS = 10.0
STOP_SECONDS = 5.0
POLL_SECONDS = 0.01
RUN = Path("/run/pcscd")


class Room:
    """pcscd, and the way to its virtual reader."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._configuration = ""
        self._pcscd: subprocess.Popen[bytes] | None = None
        self._can_disable_polkit = (
            b"--disable-polkit"
            in subprocess.run(
                ["pcscd", "--help"], capture_output=True, check=False
            ).stdout
        )

    def start(self, configuration: str) -> None:
        """Start pcscd and wait until it listens."""
        if self._pcscd is not None and self._pcscd.poll() is None:
            if self._configuration == configuration:
                return
            self.stop()
        self._configuration = configuration
        for left in RUN.iterdir():
            left.unlink()
        command = ["pcscd", "--foreground", "--config", str(self._home / configuration)]
        if self._can_disable_polkit:
            command.append("--disable-polkit")
        with (self._home / "pcscd.log").open("ab") as log:
            self._pcscd = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._await()

    def _await(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(str(RUN / "pcscd.comm")) == 0:
                    return
            time.sleep(POLL_SECONDS)
        raise OSError(f"pcscd does not listen; see {self._home / 'pcscd.log'}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End pcscd and wait for it."""
        pcscd, self._pcscd = self._pcscd, None
        if pcscd is None:
            return
        pcscd.send_signal(number)
        try:
            pcscd.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            pcscd.kill()
            pcscd.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send pcscd a signal."""
        if self._pcscd is None:
            raise OSError("pcscd does not run")
        self._pcscd.send_signal(number)

    def connect(self, port: int) -> socket.socket:
        """Connect to a slot of the virtual reader."""
        return socket.create_connection(("127.0.0.1", port), timeout=1.0)


def furnish(home: Path) -> None:
    """Give this namespace its own /run/pcscd, seen from outside as `home`/run."""
    for command in (
        ["mount", "-t", "tmpfs", "tmpfs", "/run"],
        ["mkdir", str(RUN)],
        ["mount", "--bind", str(home / "run"), str(RUN)],
        ["ip", "link", "set", "lo", "up"],
    ):
        subprocess.run(command, check=True)


def obey(room: Room, command: str) -> list[int]:
    """Carry out one command; return descriptors to pass."""
    word, _, argument = command.partition(" ")
    match word:
        case "start":
            room.start(argument)
        case "stop":
            room.stop()
        case "kill":
            room.stop(signal.SIGKILL)
        case "freeze":
            room.signal(signal.SIGSTOP)
        case "thaw":
            room.signal(signal.SIGCONT)
        case "connect":
            return [room.connect(int(argument)).detach()]
        case _:
            raise OSError(f"unknown command {word}")
    return []


def main() -> None:
    """Obey until the other side hangs up."""
    control = socket.socket(fileno=int(sys.argv[1]))
    home = Path(sys.argv[2])
    furnish(home)
    room = Room(home)
    control.send(b"ready")
    try:
        while command := control.recv(256).decode():
            try:
                descriptors = obey(room, command)
            except OSError as error:
                control.send(f"failed {error}".encode())
                continue
            socket.send_fds(control, [b"done"], descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
    finally:
        room.stop(signal.SIGKILL)


if __name__ == "__main__":
    main()
