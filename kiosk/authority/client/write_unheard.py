"""What is known of a write whose answer did not come, by how its operation stands."""

from __future__ import annotations

from kiosk.authority.values import OperationOutcome, Verdict, WriteVerdict
from kiosk.core.errors import Message
from statemachine.operation import Phase

UNDER_WAY = WriteVerdict(
    verdict=Verdict.OUT_OF_STEP, reason=Message("reason.no_answer")
)
"""It was sent, and no longer time brought its end."""
_REFUSED = Message("reason.write_refused")
"""What the directory said to it had more in it than its name, and that is lost."""


def verdict_of(stands: OperationOutcome) -> WriteVerdict | None:
    """Return what is true; None: it has not come to that."""
    match stands.phase:
        case Phase.DONE:
            return WriteVerdict(
                verdict=Verdict.DONE, warnings=(Message("notice.words_lost"),)
            )
        case Phase.OUT_OF_STEP:
            return WriteVerdict(verdict=Verdict.OUT_OF_STEP, reason=_reason(stands))
        case Phase.ROLLING_BACK:
            return WriteVerdict(
                verdict=Verdict.REFUSED, reason=_reason(stands), roll_back=True
            )
        case Phase.REFUSED:
            return WriteVerdict(verdict=Verdict.REFUSED, reason=_reason(stands))
    return None


def _reason(stands: OperationOutcome) -> Message:
    is_whole = stands.reason.startswith(("reason.", "condition."))
    return Message(stands.reason) if is_whole else _REFUSED
