"""What a domain controller is asked to check when it takes a password."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.directory.ports import DomainController
from kiosk.directory.values import Semantics
from statemachine.operation import Kind
from storage.records import Template


@dataclass(frozen=True, slots=True)
class ResetMode:
    """How one DC is asked."""

    semantics: Semantics
    history_unchecked: bool = False
    """The template wants the history honoured, and this DC cannot."""

    @property
    def words(self) -> str:
        """What the receipt says."""
        if self.history_unchecked:
            return f"{self.semantics}, history not enforced"
        return self.semantics


def how(dc: DomainController, template: Template, kind: Kind) -> ResetMode:
    """Choose how this DC is asked. ReadFailed.

    A finish brings the password to the PIN that the card has: it is in the history,
    more likely than not, and may be of today.
    """
    if not template.honour_directory_history or kind is Kind.FINISH:
        return ResetMode(Semantics.RESET)
    if dc.honours_history():
        return ResetMode(Semantics.POLICY_HINTS)
    return ResetMode(Semantics.RESET, history_unchecked=True)
