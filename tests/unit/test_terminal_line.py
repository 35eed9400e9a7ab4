"""What a terminal sent is wiped where it was read."""

from __future__ import annotations

import os
import pty

from kiosk.faces.terminal_line import TerminalLine


def test_what_was_received_is_nowhere_once_it_is_forgotten() -> None:
    master, slave = pty.openpty()
    line = TerminalLine(slave, slave)
    try:
        os.write(master, b"271828\n")
        received = line.receive()
        assert bytes(received) == b"271828\n"
        buffer = received.obj
        received.release()
        line.forget()
        assert isinstance(buffer, bytearray)
        assert not any(buffer)
    finally:
        line.close()
        os.close(slave)
        os.close(master)
