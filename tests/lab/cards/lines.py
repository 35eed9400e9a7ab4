"""A line to a card that expects exact bytes, and one that only counts them."""

from __future__ import annotations


class ScriptedLine:
    """Expects these commands in this order, and answers as written (hex)."""

    def __init__(self, *exchanges: tuple[str, str]) -> None:
        self._left = [
            (bytes.fromhex(command), bytes.fromhex(answer))
            for command, answer in exchanges
        ]
        self.sent: list[bytearray] = []
        """The very buffers that were sent, to see whether they are wiped."""

    def transmit(self, apdu: bytearray) -> bytearray:
        assert self._left, f"nothing more was expected, but {apdu.hex()} came"
        command, answer = self._left.pop(0)
        assert apdu.hex() == command.hex()
        self.sent.append(apdu)
        return bytearray(answer)

    @property
    def is_done(self) -> bool:
        """Everything expected has been sent."""
        return not self._left
