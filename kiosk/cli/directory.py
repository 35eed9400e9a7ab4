"""`kiosk directory`: what the domain must be told, printed and never done."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.cli.frame import new_app
from kiosk.core.errors import KioskError

if TYPE_CHECKING:
    from kiosk.directory.containers import AccountName, UserContainer

app = new_app("Print what an administrator of the domain has to type.")


class Platform(StrEnum):
    """What the domain controllers run."""

    WINDOWS = "windows"
    SAMBA = "samba"
    BOTH = "both"


class UnusableUnit(KioskError):
    """What was typed is no unit's distinguished name: `dn`."""

    code = "cli.unusable_unit"


class UnusableAccount(KioskError):
    """What was typed is no account's short name: `account`."""

    code = "cli.unusable_account"


@app.callback()
def _directory() -> None:
    """Print what an administrator of the domain has to type."""


@app.command()
def delegate(
    ou: Annotated[
        list[str],
        typer.Option(
            metavar="DN",
            help="A unit whose people have cards, e.g. OU=Staff,DC=example,DC=org. "
            "Can be given several times.",
        ),
    ],
    account: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="The service account, e.g. svc-pin-kiosk (no domain)."
        ),
    ],
    platform: Annotated[
        Platform, typer.Option("--for", help="What the domain controllers run.")
    ] = Platform.BOTH,
    *,
    policies: Annotated[
        bool, typer.Option(help="Also let it read fine-grained password policies.")
    ] = True,
    create: Annotated[
        bool, typer.Option("--create", help="Also make the account itself.")
    ] = False,
) -> None:
    """Print the commands that give the service account its rights, and nothing more.

    Reset Password and writing lockoutTime and pwdLastSet, on the users below each unit.
    Nothing is connected to and nothing is changed: read them, then paste them.
    """
    from kiosk.cli import delegation_text

    units, name = _units(ou), _account(account)
    containers = list(dict.fromkeys(unit.policies for unit in units))
    if not policies:
        containers = []
    ways = []
    if platform is not Platform.SAMBA:
        if create:
            ways.append(delegation_text.windows_account(name, units[0].dns_domain))
        ways.append(delegation_text.dsacls(units, name, containers))
        ways.append(delegation_text.powershell(units, name, containers))
    if platform is not Platform.WINDOWS:
        if create:
            ways.append(delegation_text.samba_account(name))
        ways.append(delegation_text.samba(units, name, containers))
    typer.echo("\n\n".join("\n".join(way) for way in ways))


def _units(typed: list[str]) -> list[UserContainer]:
    from kiosk.directory.containers import NotAUnit, UserContainer

    units = []
    for dn in dict.fromkeys(typed):
        try:
            units.append(UserContainer.parse(dn))
        except NotAUnit as error:
            raise UnusableUnit(dn=dn) from error
    return units


def _account(typed: str) -> AccountName:
    from kiosk.directory.containers import AccountName, NotAnAccountName

    try:
        return AccountName.parse(typed)
    except NotAnAccountName as error:
        raise UnusableAccount(account=typed) from error
