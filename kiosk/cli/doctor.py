"""`kiosk doctor`: everything this station needs, part by part."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from kiosk.cli.ending import words
from kiosk.cli.frame import ConfigOption, JsonOption, fail, new_app
from kiosk.cli.progress import ProgressLine
from kiosk.config import AuthorityElsewhere, FleetStation, find, load_any
from kiosk.core.errors import KioskError
from kiosk.core.file_owner import name_of, owner_of
from kiosk.core.hardening import harden_process
from kiosk.doctor import Finding, examine, fleet_station, is_sound
from kiosk.doctor.station import checks_of


class NotTheUser(KioskError):
    """Somebody else's station: `file`, whose it is (`user`), and who asks (`you`)."""

    code = "cli.not_the_user"


_ROOT = 0
"""A configuration of root's may be anybody's: the secrets tell whose."""

app = new_app("Check everything this station needs.")


@app.command()
def doctor(
    account: Annotated[
        str,
        typer.Option(help="Also look at this account, and whether a PIN can suit it."),
    ] = "",
    config: ConfigOption = None,
    *,
    all_users: Annotated[
        bool,
        typer.Option(
            "--all-users", help="Look at the rights on every user, not on a sample."
        ),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Check everything this station needs; nothing is changed and no try is spent.

    One line a part: how it stands, what that means, what to do. Exit code 1 if
    anything failed.
    """
    harden_process()
    _ours(find(config))
    settings = load_any(config)
    if isinstance(settings, FleetStation):
        if account or all_users:
            raise AuthorityElsewhere(file=str(find(config)))
        findings = examine(fleet_station.checks_of(settings))
    else:
        checks = checks_of(
            settings, account=account, everybody=all_users, watched=ProgressLine
        )
        findings = examine(checks)
    print(as_json(findings) if json else "\n".join(lines(findings)))
    if not is_sound(findings):
        raise fail()


def _ours(config: Path) -> None:
    """Refuse to judge, as another user, what only the kiosk's own can. NotTheUser."""
    owner, you = owner_of(config.absolute()), os.geteuid()
    if owner not in (you, _ROOT):
        raise NotTheUser(file=str(config), user=name_of(owner), you=name_of(you))


def lines(findings: Sequence[Finding]) -> Iterator[str]:
    """Return what a person reads."""
    width = max((len(finding.part) for finding in findings), default=0)
    for finding in findings:
        yield (
            f"{finding.health.upper():<8}{finding.part:<{width}}  "
            f"{words(finding.meaning)}"
        )
        if finding.advice is not None:
            yield f"{'':<8}{'':<{width}}  → {words(finding.advice)}"


def as_json(findings: Sequence[Finding]) -> str:
    """Return what a program reads; `code` and `data` stay as they are."""
    document = {
        "sound": is_sound(findings),
        "findings": [
            {
                "part": finding.part,
                "state": finding.health,
                "meaning": words(finding.meaning),
                "advice": words(finding.advice) if finding.advice else "",
                "code": finding.meaning.key,
                "data": finding.meaning.data,
            }
            for finding in findings
        ],
    }
    return msgspec.json.format(msgspec.json.encode(document)).decode()
