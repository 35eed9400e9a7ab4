"""Whether an operator still waits for what takes long and changes nothing."""

from __future__ import annotations

from collections.abc import Callable


class Patience:
    """One per desk. Any thread: each way it is only ever set."""

    def __init__(self) -> None:
        self._is_over = False

    def of(self, job: Callable[[], object]) -> Callable[[], None]:
        """Return a job for which they wait from its beginning."""

        def run() -> None:
            self._is_over = False
            job()

        return run

    def end(self) -> None:
        """They do not wait any more for what is being done."""
        self._is_over = True

    def lasts(self) -> bool:
        """Say whether they wait."""
        return not self._is_over
