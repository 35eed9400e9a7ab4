"""The directory step that every kind shares, and the way back."""

from __future__ import annotations

import logging

from kiosk.authority.values import Verdict
from kiosk.cards.errors import CardError
from kiosk.core.errors import KioskError
from kiosk.core.secret import Secret
from kiosk.visit import results
from kiosk.visit.run import Run
from kiosk.visit.views import Result, VisitStep
from statemachine.operation import Kind
from storage.errors import RegistryError

log = logging.getLogger(__name__)


def write(
    run: Run, kind: Kind, sealed: bytes, *, old: Secret | None, new: Secret
) -> Result:
    """Write the password; where the directory says no, give the card its old PIN.

    `old` is None where there is no way back (unblock, finish).
    """
    with run.step(VisitStep.PASSWORD) as step:
        verdict = run.write(sealed, card_may_go=old is None)
        step.failed = verdict.verdict is not Verdict.DONE
    if not verdict.roll_back or old is None:
        return results.written(run, kind, verdict)
    restored = _restored(run, old, new)
    is_noted = _is_noted(run, restored=restored)
    if restored:
        return results.rolled_back(run, kind, verdict, is_noted=is_noted)
    return results.not_restored(run, verdict)


def _restored(run: Run, old: Secret, new: Secret) -> bool:
    """Change the card back and prove that it worked."""
    run.is_taken = False
    try:
        with run.step(VisitStep.RESTORE), run.session() as session:
            session.change_pin(new, old)
            session.verify(old)
    except CardError:
        return False
    return True


def _is_noted(run: Run, *, restored: bool) -> bool:
    """Say whether the authority has it on record. What the card has stays true where it
    has not: its mark then stands for the worse, until the next look.
    """
    try:
        run.ask(lambda it: it.rolled_back(run.operation, restored=restored))
    except (KioskError, RegistryError) as error:
        log.error("visit.way_back_not_recorded code=%s", error.code)
        return False
    return True
