"""What a site has decided about its operators; whoever decides is told all of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kiosk.authority.office.operators import Action
from kiosk.config import OperatorRole
from kiosk.config.sections.enrollment import NamedBy


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficePolicy:
    """The site's answers, none of them by default."""

    groups: Mapping[OperatorRole, str]
    """The DN of the group that has a role; empty: nobody has it."""
    with_account: bool
    """Operators may sign in with account name and password."""
    second_for: frozenset[Action]
    """What needs two operators."""
    named_by: NamedBy
    """By which rule it is told whose a certificate is."""
    expiring_days: int
    """How long before its end a card counts as expiring."""
