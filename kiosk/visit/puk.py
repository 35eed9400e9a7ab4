"""The PUK's rotation: a leaked PUK is worthless after use.

Never fatal: what is not done stays due, and the pending value stays in escrow.
"""

from __future__ import annotations

import logging

from kiosk.authority.ports import AuthorityError, PukPlan
from kiosk.cards.ports import CardError, CardSession, WrongPuk
from kiosk.visit.run import Run

log = logging.getLogger(__name__)


def replace(run: Run, session: CardSession) -> None:
    """Replace the PUK if that is due, trying each old one at most once."""
    try:
        plan = run.ask(lambda it: it.puk_plan(run.operation))
        if plan is not None:
            _carry_out(run, session, plan)
    except (CardError, AuthorityError) as error:
        log.warning("puk.rotation_stays_due code=%s", error.code)


def _carry_out(run: Run, session: CardSession, plan: PukPlan) -> None:
    try:
        for old in plan.old:
            try:
                session.change_puk(old, plan.new)
            except WrongPuk:
                run.ask(lambda it: it.puk_wrong(run.operation))
            else:
                run.ask(lambda it: it.puk_replaced(run.operation))
                return
    finally:
        for secret in (*plan.old, plan.new):
            secret.wipe()
