"""A write that is asked for again: how it stands, and never a second one.

The write is the one call that commits before its effect (`writing`) and after it. Asked
again in between, it waits for whoever sends: no longer than until that write has
certainly ended. Then the operation itself says what is true.
"""

from __future__ import annotations

from kiosk.authority.operation import transitions
from kiosk.authority.operation.write_endings import out_of_step
from kiosk.authority.proof import seal
from kiosk.authority.repeats import Once
from kiosk.authority.required_ports import RequiredPorts
from kiosk.authority.values import Verdict, WriteVerdict
from kiosk.core.errors import Message
from statemachine.operation import Phase
from storage.records import Operation

_LOOKS_EVERY = 0.1

_VERDICTS = {
    Phase.DONE: Verdict.DONE,
    Phase.ROLLING_BACK: Verdict.REFUSED,
    Phase.ROLLED_BACK: Verdict.REFUSED,
    Phase.OUT_OF_STEP: Verdict.OUT_OF_STEP,
}
"""Every way on from `writing`: the table has no other."""


def verdict_of(
    parts: RequiredPorts, once: Once, operation: Operation, sealed: bytes
) -> WriteVerdict | None:
    """Return what came of this write; None: it has not been sent.

    `operation`: as it was when the call came.
    """
    if not operation.written or operation.sealed_digest != seal.digest(sealed):
        return None
    while transitions.is_writing(parts, operation):
        parts.clock.sleep(_LOOKS_EVERY)
        operation = _read(parts, operation.id)
    if (kept := once.kept()) is not None:
        return kept[0]  # type: ignore[no-any-return]  # as `write` answers
    if operation.phase is Phase.WRITING:  # whoever sent it is gone
        return out_of_step(parts, once, operation.id, Message("reason.interrupted"))
    return WriteVerdict(
        verdict=_VERDICTS[operation.phase],
        reason=Message(operation.reason) if operation.reason else None,
        dc=operation.dc,
        roll_back=operation.phase is Phase.ROLLING_BACK,
    )


def _read(parts: RequiredPorts, id: str) -> Operation:
    return parts.registry.read(lambda view: view.operation(id))
