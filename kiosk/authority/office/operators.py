"""Who acts, and what that person may do.

The login is the one that the person began the session with (the kernel's audit
login, which `sudo` does not change), so that several people can work as the one
system user that owns the station's files and still act under their own names.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from kiosk.config import Operator, OperatorRole
from kiosk.core.errors import KioskError

LOGIN_UID = Path("/proc/self/loginuid")
_NO_LOGIN = 2**32 - 1
_ROOT = 0
_SUDO_UID = "SUDO_UID"
"""Set by sudo; heard only where it takes something away, since anybody can set it."""


class Action(StrEnum):
    """What an operator can do; `enrollment.action.<value>` in the catalogue."""

    LOOK = "look"
    ISSUE = "issue"
    IMPORT = "import"
    RELEASE = "release"
    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"
    RETIRE = "retire"
    CLOSE = "close"
    """An out-of-step case, as not synchronised."""
    EXPORT = "export"
    """Evidence."""
    TEMPLATES = "templates"
    STATIONS = "stations"
    """Of a fleet: enroll, rename, revoke."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A person at work, and what they were found to be."""

    account: str
    """userPrincipalName: what the audit says, and whose card is their own."""
    roles: frozenset[OperatorRole]
    guid: str = ""
    """objectGUID; empty where they signed in by login."""
    login: str = ""
    """The system's login, where that is how they signed in."""
    person: str = ""
    """displayName; empty where the directory has none, or was not asked."""

    @property
    def name(self) -> str:
        """What to call them in a message."""
        return self.login or self.account


_HELPDESK = frozenset(
    {
        Action.LOOK,
        Action.RELEASE,
        Action.SUSPEND,
        Action.RESUME,
        Action.REVOKE,
        Action.CLOSE,
    }
)
_OFFICER = frozenset({Action.LOOK, Action.ISSUE, Action.IMPORT, Action.RETIRE})
MAY = {
    OperatorRole.HELPDESK: _HELPDESK,
    OperatorRole.OFFICER: _OFFICER,
    OperatorRole.ADMINISTRATOR: _HELPDESK
    | _OFFICER
    | {Action.EXPORT, Action.TEMPLATES, Action.STATIONS},
    OperatorRole.AUDITOR: frozenset({Action.LOOK, Action.EXPORT}),
}


class NotAnOperator(KioskError):
    """The configuration does not name this login: `login`."""

    code = "enrollment.not_an_operator"


class NotInRole(KioskError):
    """The operator's role does not include the action: `login`, `role`, `action`."""

    code = "enrollment.not_in_role"


def login_name() -> str:
    """Return the login of the person at the keyboard."""
    return pwd.getpwuid(_login_uid()).pw_name


def _login_uid() -> int:
    try:
        uid = int(LOGIN_UID.read_text("ascii"))
    except (OSError, ValueError):  # not on this system
        uid = _NO_LOGIN
    return os.getuid() if uid == _NO_LOGIN else uid


def works_as_another() -> bool:
    """Say whether the person at the keyboard works as a user who is not their own.

    They may then do what that user may do with one command, and no more. Root is
    nobody else's: it may write every file there is.
    """
    uid, login = os.getuid(), _login_uid()
    if _ROOT in (uid, login):
        return False
    return login != uid or os.environ.get(_SUDO_UID, str(uid)) != str(uid)


def signed_in(operators: Sequence[Operator], login: str) -> SignedIn:
    """Return the operator with that login. NotAnOperator."""
    for operator in operators:
        if operator.login == login:
            return SignedIn(
                account=operator.account,
                roles=frozenset({operator.role}),
                login=login,
            )
    raise NotAnOperator(login=login)


def may(operator: SignedIn, action: Action) -> bool:
    """Say whether one of the operator's roles includes the action."""
    return any(action in MAY[role] for role in operator.roles)


def require(operator: SignedIn, action: Action) -> None:
    """Let pass what one of the operator's roles includes. NotInRole."""
    if not may(operator, action):
        roles = ", ".join(sorted(operator.roles))
        raise NotInRole(login=operator.name, role=roles, action=action)
