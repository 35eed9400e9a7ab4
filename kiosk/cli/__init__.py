"""The command line: `kiosk COMMAND …`.

Each command is a module beside this one with an `app: typer.Typer`, imported when
it is typed: `kiosk --help` imports no screen, card, directory or store.
"""

from __future__ import annotations

import importlib
import logging
import os
import select
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer._click.shell_completion import CompletionItem
from typer.core import TyperGroup

from kiosk import __version__
from kiosk.cli.coercion import turn_only_what_is_typed
from kiosk.cli.ended import by_signals
from kiosk.cli.frame import new_app
from kiosk.cli.progress import ProgressLine
from kiosk.core import process_end, standard_streams
from kiosk.core.exit_codes import ExitCode
from storage import opening

if TYPE_CHECKING:
    from typer._click.core import Command, Context
    from typer._click.formatting import HelpFormatter

COMMANDS = {
    "demo": "Try the kiosk with simulated cards, in this terminal.",
    "run": "Run the kiosk of this station.",
    "plain": "Run it line by line: for screen readers and serial consoles.",
    "serve": "Serve the stations of a fleet: the authority over HTTPS.",
    "fleet": "Enroll, list, rename and revoke the stations of a fleet.",
    "station": "Make the key that a station of a fleet is known by.",
    "rehearse": "Run scenario files without a terminal.",
    "credential": "Issue, import, find, release, suspend, revoke cards.",
    "template": "Check, import, export and compare templates.",
    "lifecycle": "Print what may happen to a card, and who makes it happen.",
    "audit": "Verify and export the evidence.",
    "card": "Look at a card, or put a simulated one into a reader.",
    "backup": "Copy registry, configuration and templates into a new folder.",
    "restore": "Put a backup back where nothing is.",
    "report": "What an administrator should know: risks.",
    "ca": "Make and show the authority that certifies new cards.",
    "registry": "Look at the registry's files, check them, tidy them up.",
    "vault": "Change the key that escrowed secrets are encrypted with.",
    "directory": "Print what an administrator of the domain has to type.",
    "doctor": "Check everything this station needs.",
    "units": "Print or write the units and rules of a kiosk machine.",
    "init": "Write a configuration, a vault key and an empty registry.",
}
"""Name → one line; the module is `kiosk.cli.<name>`. In the order of `--help`."""


class _Modules(Mapping[str, "Command"]):
    """The commands by name; a module is imported when its command is asked for."""

    def __getitem__(self, name: str) -> Command:
        if name not in COMMANDS:
            raise KeyError(name)
        return typer.main.get_command(importlib.import_module(f"kiosk.cli.{name}").app)

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class Commands(TyperGroup):
    """`kiosk` itself: tells its commands apart without importing them."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Modules()  # type: ignore[assignment]  # never written to

    def list_commands(self, _context: Context) -> list[str]:
        return list(COMMANDS)

    def format_commands(self, _context: Context, formatter: HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: Context, incomplete: str) -> list[CompletionItem]:
        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        return [
            CompletionItem(name, help=summary)
            for name, summary in COMMANDS.items()
            if name.startswith(incomplete)
        ]


turn_only_what_is_typed()
app = new_app(
    "Smart-card PINs at a terminal, with the directory password in step.",
    group=Commands,
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer's callback
    if wanted:
        print(f"kiosk {__version__}")
        raise typer.Exit


@app.callback()
def _kiosk(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            "-V",
            callback=_print_version,
            is_eager=True,
            help="Print the version.",
        ),
    ] = False,
) -> None:
    """Smart-card PINs at a terminal, with the directory password in step."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line (the process's own if None); return an `ExitCode`.

    The process's own may end here: `process_end`.
    """
    code = _told(arguments)
    if arguments is None and process_end.leaves_threads():
        process_end.end_process(code)
    return code


def _told(arguments: Sequence[str] | None) -> int:
    """Run it, and say what went wrong."""
    standard_streams.complete()
    # A command's own words stand alone: of events, only what is a bug is shown. One
    # that goes on for hours has a log (`kiosk.core.logs`).
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.ERROR)
    try:
        code = _run(arguments)
        sys.stdout.flush()  # what cannot be written is to be told, too
    except Exception as error:  # noqa: BLE001 - the last place that can say what it was
        if isinstance(error, BrokenPipeError) and _is_unread():
            _write_nowhere()
            return ExitCode.UNREAD
        from kiosk.cli.ending import report  # what most calls never need

        _stop_writing()
        return report(error, sys.stderr)
    return code


def _run(arguments: Sequence[str] | None) -> int:
    typed = sys.argv[1:] if arguments is None else arguments
    if "" in typed:  # a path would be the folder that one happens to be in
        from kiosk.cli.ending import EmptyArgument  # what most calls never need

        raise EmptyArgument(number=typed.index("") + 1)
    try:
        with by_signals(), opening.shown_by(ProgressLine):
            app(args=arguments, prog_name="kiosk")
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # Typer ends without a word
            raise end.__context__ from None
        return end.code if isinstance(end.code, int) else ExitCode.FAILED
    return ExitCode.OK


def _stop_writing() -> None:
    """Let go of output that cannot be written: Python would try again at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        _write_nowhere()


def _write_nowhere() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _is_unread() -> bool:
    """Say whether whoever read the output has closed it: a pipe of somebody else's, to
    the domain or a program, may break as well.
    """
    output = select.poll()
    output.register(sys.stdout.fileno(), 0)
    return bool(output.poll(0))
