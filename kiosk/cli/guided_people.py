"""Who is named in a new configuration: asked until it is what a configuration takes."""

from __future__ import annotations

import re

from kiosk.cli.asking import ask, say
from kiosk.config.sections.operators import ACCOUNT_NAME


def operator_account(login: str, domain: str) -> str:
    """Ask for somebody's own account; what is typed without its domain gets it."""
    while True:
        typed = ask("guided.operator_account", f"{login}@{domain}")
        account = typed if "@" in typed else f"{typed}@{domain}"
        if re.search(ACCOUNT_NAME, account):
            return account
        say("guided.not_an_account", account=typed)
