"""A PIN, PUK, password or key that can be wiped and never shows itself.

A `Secret` owns one `bytearray`. Its owner wipes it, in a `finally` or by using
it as a context manager. Python and the C libraries below make short-lived
copies that nobody can wipe (docs/architecture.md lists them); what this type
promises is that no copy persists, is printed, compared carelessly or pickled.
"""

from __future__ import annotations

from types import TracebackType
from typing import NoReturn, Self


class Secret:
    """Wipeable bytes. Any thread may hold one; one thread at a time uses it."""

    __slots__ = ("_buffer",)
    __hash__ = None  # type: ignore[assignment]  # a secret is no dictionary key

    def __init__(self, value: bytes | bytearray | memoryview) -> None:
        """Copy `value` (bytes); the caller still owns, and wipes, what it passed."""
        self._buffer = bytearray(value)

    def reveal(self) -> bytearray:
        """Return the buffer itself, not a copy; empty once wiped."""
        return self._buffer

    def copy(self) -> Secret:
        """Return an independent secret with the same bytes."""
        return Secret(self._buffer)

    def wipe(self) -> None:
        """Overwrite the bytes with zeros and forget them. Safe to call twice.

        Never raises: whoever still looks at the buffer, as the frames of an error do
        that is on its way up, sees zeros.
        """
        for index in range(len(self._buffer)):
            self._buffer[index] = 0
        try:
            self._buffer.clear()
        except BufferError:  # there is a view of it
            self._buffer = bytearray()

    def matches(self, other: Secret) -> bool:
        """Say whether both hold the same bytes, in constant time."""
        from hmac import compare_digest  # with OpenSSL behind it: not before it is used

        return compare_digest(self._buffer, other._buffer)

    def __len__(self) -> int:
        return len(self._buffer)

    def __bool__(self) -> bool:
        return bool(self._buffer)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.matches(other)

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret cannot be pickled or copied; use Secret.copy()")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.wipe()
