"""The line to the domain: which controllers there are, and whether they are trusted.

Only TLS is tried here, as the kiosk will: nobody signs in yet, so no account can be
locked by a wrong password.
"""

from __future__ import annotations

import re
import socket
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.cli.asking import ask, choose, say
from kiosk.core.clock import SystemClock
from kiosk.core.errors import Message, reason_of
from kiosk.directory.errors import Unreachable
from kiosk.setup.ownership import as_oneself
from kiosk.texts import sentence as catalogue
from kiosk.texts import text

if TYPE_CHECKING:
    from kiosk.cli.guided import GuidedAnswers

_SECONDS = 5.0
_LDAPS = 636
_DOMAIN = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+")


def sentence(key: str, /, **data: str | int) -> str:
    """Return a sentence of the catalogue."""
    return text(key).format(**data)


def find_domain(answers: GuidedAnswers) -> None:
    """Ask for the domain until its controllers are known, reached and trusted."""
    while True:
        _ask_domain(answers)
        if not (found := _located(answers.domain)) and not (found := _named(answers)):
            continue
        while True:
            if _all_trusted(found, answers):
                return
            match choose("guided.line_again", "ng"):
                case "g":
                    return
                case "n":
                    found = _named(answers) or found


def _ask_domain(answers: GuidedAnswers) -> None:
    while True:
        typed = ask("guided.domain", _own_domain()).strip(".").lower()
        if _DOMAIN.fullmatch(typed):
            answers.domain, answers.dcs = typed, ()
            return
        say("guided.not_a_domain")


def _own_domain() -> str:
    """Return the domain of this machine's own name, if it has one."""
    return socket.getfqdn().partition(".")[2]


def _located(domain: str) -> tuple[str, ...]:
    """Ask DNS; say what it says."""
    from kiosk.directory.ldap.locator import Locator

    say("guided.asking_dns", domain=domain)
    try:
        found = Locator(SystemClock(), domain=domain, seconds=_SECONDS).controllers()
    except Unreachable as error:
        print(catalogue(error.detail or error.message, limit=200))
        return ()
    say("guided.found_dcs", dcs=", ".join(found))
    return found


def _named(answers: GuidedAnswers) -> tuple[str, ...]:
    answers.dcs = tuple(ask("guided.dcs").split())
    return answers.dcs


def _all_trusted(dcs: tuple[str, ...], answers: GuidedAnswers) -> bool:
    """Try each; ask for the authority's certificate where one is not trusted."""
    sound = True
    for dc in dcs:
        trouble = _trouble(dc, answers.ca)
        while trouble is not None and trouble.key == "guided.not_trusted":
            print(catalogue(trouble, limit=200))
            if not (ca := _ask_ca()):
                return False
            answers.ca = ca
            trouble = _trouble(dc, answers.ca)
        if trouble is None:
            say("guided.reached", dc=dc)
        else:
            print(catalogue(trouble, limit=200))
            sound = False
    return sound


def _trouble(dc: str, ca: str) -> Message | None:
    """Open a TLS line as the kiosk does, and close it. None: all is well."""
    context = ssl.create_default_context()
    if ca:
        context = ssl.create_default_context(cadata=ca)
    try:
        with (
            socket.create_connection((dc, _LDAPS), timeout=_SECONDS) as line,
            context.wrap_socket(line, server_hostname=dc),
        ):
            return None
    except ssl.SSLCertVerificationError as error:
        return Message("guided.not_trusted", {"dc": dc, "reason": error.verify_message})
    except OSError as error:
        reason = reason_of(error)
        return Message("guided.not_reached", {"dc": dc, "reason": reason})


def _ask_ca() -> str:
    """Ask for a file, read as whoever types; return what it holds. Empty: none."""
    while typed := ask("guided.ca_file"):
        try:
            with as_oneself():
                held = Path(typed).read_text("ascii")
            ssl.create_default_context(cadata=held)
        except OSError as error:
            reason = reason_of(error)
            if isinstance(error, ssl.SSLError):
                say("guided.ca_not_pem", file=typed)
            else:
                say("guided.ca_unreadable", file=typed, reason=reason)
        except ValueError:
            say("guided.ca_not_pem", file=typed)
        else:
            return held
    return ""
