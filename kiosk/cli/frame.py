"""What all commands have in common: how an app is made, and shared options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from kiosk.core.exit_codes import ExitCode

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        readable=False,  # whether it may be looked at at all, `config.installed` knows
        help="The configuration; else $PIN_KIOSK_CONFIG, /etc/pin-kiosk, your own.",
    ),
]

JsonOption = Annotated[
    bool, typer.Option("--json", help="One JSON document instead of text.")
]


def folders(given: list[Path] | None) -> list[Path] | None:
    """Let folders pass that are there; a device is neither file nor folder."""
    for each in given or ():
        if not each.is_dir():
            raise typer.BadParameter(f"there is no folder {each}")
    return given


def new_app(summary: str, group: type[TyperGroup] | None = None) -> typer.Typer:
    """Return an empty app: plain help, errors left to `main`.

    Only the program as a whole, which has a `group` of its own, offers completion.
    """
    return typer.Typer(
        help=summary,
        cls=group,
        add_completion=group is not None,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def fail() -> typer.Exit:
    """Return what to raise when the reason has been printed."""
    return typer.Exit(ExitCode.FAILED)
