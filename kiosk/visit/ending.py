"""The directory step that every kind shares, and the way back."""

from __future__ import annotations

from kiosk.authority.values import Verdict
from kiosk.cards.errors import CardError
from kiosk.core.secret import Secret
from kiosk.visit import results
from kiosk.visit.run import Run
from kiosk.visit.views import Result, VisitStep
from statemachine.operation import Kind


def write(
    run: Run, kind: Kind, sealed: bytes, *, old: Secret | None, new: Secret
) -> Result:
    """Write the password; where the directory says no, give the card its old PIN.

    `old` is None where there is no way back (unblock, finish).
    """
    with run.step(VisitStep.PASSWORD) as step:
        run.writing = True
        verdict = run.ask(lambda it: it.write(run.operation, sealed))
        run.writing = False
        step.failed = verdict.verdict is not Verdict.DONE
    if not verdict.roll_back or old is None:
        return results.written(run, kind, verdict)
    restored = _restored(run, old, new)
    run.ask(lambda it: it.rolled_back(run.operation, restored=restored))
    if restored:
        return results.rolled_back(run, kind, verdict)
    return results.not_restored(run, verdict)


def _restored(run: Run, old: Secret, new: Secret) -> bool:
    """Change the card back and prove that it worked."""
    try:
        with run.step(VisitStep.RESTORE), run.session() as session:
            session.change_pin(new, old)
            session.verify(old)
    except CardError:
        return False
    return True
