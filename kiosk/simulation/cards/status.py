"""How a simulated card ends a command that it does not carry out."""

from __future__ import annotations


class Status(Exception):
    """Ends a command with a status word and no data."""

    def __init__(self, sw: int) -> None:
        super().__init__(f"{sw:04X}")
        self.sw = sw
