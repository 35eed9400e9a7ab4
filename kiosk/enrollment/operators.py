"""Who acts, and what that person may do.

The login is the one that the person began the session with (the kernel's audit
login, which `sudo` does not change), so that several people can work as the one
system user that owns the station's files and still act under their own names.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from kiosk.config import Operator, OperatorRole
from kiosk.errors import KioskError

LOGIN_UID = Path("/proc/self/loginuid")
_NO_LOGIN = 2**32 - 1


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


_HELPDESK = frozenset(
    {Action.LOOK, Action.RELEASE, Action.SUSPEND, Action.RESUME, Action.REVOKE}
)
_OFFICER = frozenset({Action.LOOK, Action.ISSUE, Action.IMPORT, Action.RETIRE})
MAY = {
    OperatorRole.HELPDESK: _HELPDESK,
    OperatorRole.OFFICER: _OFFICER,
    OperatorRole.ADMINISTRATOR: _HELPDESK | _OFFICER,
    OperatorRole.AUDITOR: frozenset({Action.LOOK}),
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


def signed_in(operators: Sequence[Operator], login: str) -> Operator:
    """Return the operator with that login. NotAnOperator."""
    for operator in operators:
        if operator.login == login:
            return operator
    raise NotAnOperator(login=login)


def require(operator: Operator, action: Action) -> None:
    """Let pass what the operator's role includes. NotInRole."""
    if action not in MAY[operator.role]:
        raise NotInRole(login=operator.login, role=operator.role, action=action)
