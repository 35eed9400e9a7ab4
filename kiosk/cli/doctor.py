"""`kiosk doctor`: everything this station needs, part by part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec
import typer

from kiosk.cli.ending import words
from kiosk.cli.frame import ConfigOption, JsonOption, fail, new_app
from kiosk.config import load
from kiosk.doctor import Finding, examine, is_sound
from kiosk.doctor.station import checks_of
from kiosk.hardening import harden_process

app = new_app("Check everything this station needs.")


@app.command()
def doctor(
    account: Annotated[
        str,
        typer.Option(help="Also look at this account, and whether a PIN can suit it."),
    ] = "",
    config: ConfigOption = None,
    *,
    json: JsonOption = False,
) -> None:
    """Check everything this station needs; nothing is changed and no try is spent.

    One line a part: how it stands, what that means, what to do. Exit code 1 if
    anything failed.
    """
    harden_process()
    findings = examine(checks_of(load(config), account=account))
    print(as_json(findings) if json else "\n".join(lines(findings)))
    if not is_sound(findings):
        raise fail()


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
