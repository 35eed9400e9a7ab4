"""Who acts on credentials."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from kiosk.config.sections import Section

ACCOUNT_NAME = r"^[^@\\\s]+@[^@\\\s]+\Z"
"""As cards name their holders: by it, too, somebody's own card is known."""


class OperatorRole(StrEnum):
    """What an operator may do; everything else is refused."""

    HELPDESK = "helpdesk"
    OFFICER = "enrollment officer"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


class Second(StrEnum):
    """What may need two operators."""

    RELEASE = "release"
    REVOKE = "revoke"


class SignInSettings(Section, frozen=True, kw_only=True):
    """How operators sign in at the helpdesk and enrollment screens, and their roles.

    Roles come from groups of the directory, nested ones too; empty: nobody has it.
    """

    helpdesk_group: str = ""
    """The group (its DN) whose people are helpdesk."""
    officer_group: str = ""
    """The group of enrollment officers."""
    auditor_group: str = ""
    """The group of auditors."""
    administrator_group: str = ""
    """The group of administrators, who may do everything."""
    with_account: bool = False
    """Operators may sign in with account name and password; else only with their
    own card.
    """
    second_operator: tuple[Second, ...] = ()
    """What needs a second operator: any of release, revoke."""


class Operator(Section, frozen=True, kw_only=True):
    """Who may act on credentials at this machine, known by the system's login."""

    login: Annotated[str, Meta(min_length=1)]
    """The login name at this machine."""
    account: Annotated[str, Meta(pattern=ACCOUNT_NAME, examples=["ann@example.org"])]
    """The same person's account in the directory, as name@domain: nobody acts on
    their own card.
    """
    role: OperatorRole
    """What they may do."""
