"""Writes `docs/kiosk.1`, the manual page, from the commands' own help.

python -m scripts.manual
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer
from typer.core import TyperArgument, TyperGroup, TyperOption

from kiosk import __version__
from kiosk.cli import COMMANDS, app
from kiosk.core.exit_codes import ExitCode

if TYPE_CHECKING:
    from typer._click.core import Command, Context, Parameter

_FILES = (
    ("/etc/pin-kiosk/kiosk.toml", "The configuration of this machine."),
    ("~/.config/pin-kiosk/kiosk.toml", "Your own, where the machine has none."),
    ("/var/lib/pin-kiosk", "The registry, the vault's key, the nightly backups."),
)


def manual() -> str:
    """Return the whole page, in the macros of man(7)."""
    command = typer.main.get_command(app)
    assert isinstance(command, TyperGroup)
    return "\n".join(_page(command)) + "\n"


def _page(command: TyperGroup) -> Iterator[str]:
    yield f'.TH KIOSK 1 "" "Pin Kiosk {__version__}" "User Commands"'
    yield from (".SH NAME", f"kiosk \\- {_plain(_sentence(command))}")
    yield from (
        ".SH SYNOPSIS",
        ".B kiosk",
        '.RI [ OPTIONS ] " " COMMAND " " [ ARGS ]...',
    )
    yield ".SH OPTIONS"
    with command.make_context("kiosk", [], resilient_parsing=True) as context:
        yield from _parameters(command, context)
        yield ".SH COMMANDS"
        for name in COMMANDS:
            yield from _described(context, command, name)
    yield ".SH FILES"
    for file, meaning in _FILES:
        yield from (".TP", f".I {_plain(file)}", _plain(meaning))
    yield from (
        ".SH ENVIRONMENT",
        *(".TP", ".B PIN_KIOSK_CONFIG"),
        "The configuration, where no \\-\\-config names it.",
    )
    yield ".SH EXIT STATUS"
    for code in ExitCode:
        yield from (".TP", f".B {code.value}", _plain(_MEANINGS[code]))


_MEANINGS = {
    ExitCode.OK: "Everything asked for was done, and everything checked holds.",
    ExitCode.FAILED: "It was refused, did not hold, or could not be done; "
    "the reason was printed.",
    ExitCode.USAGE: "The command line, a configuration or another file is not as "
    "it must be.",
    ExitCode.UNANCHORED: "Evidence fits together, but nothing known from elsewhere "
    "vouches for it.",
    ExitCode.UNEXPECTED: "A defect of the program, or an environment it cannot run in.",
    ExitCode.TERMINAL_GONE: "The terminal went away; start the kiosk again.",
    ExitCode.INTERRUPTED: "Ctrl+C.",
    ExitCode.UNREAD: "Whoever read the output has closed it; nothing is said.",
}


def _described(above: Context, group: TyperGroup, name: str) -> Iterator[str]:
    """Yield one command, and those below it."""
    command = group.get_command(above, name)
    assert command is not None
    with command.make_context(
        name, [], parent=above, resilient_parsing=True
    ) as context:
        pieces = " ".join(command.collect_usage_pieces(context))
        yield from (".SS " + _plain(f"{context.command_path} {pieces}"),)
        for paragraph in (command.help or "").split("\n\n"):
            yield from (_plain(" ".join(paragraph.split())), ".PP")
        yield from _parameters(command, context)
        if isinstance(command, TyperGroup):
            for below in command.list_commands(context):
                yield from _described(context, command, below)


def _parameters(command: Command, context: Context) -> Iterator[str]:
    for parameter in command.get_params(context):
        words = _words(parameter, context)
        if words is not None and "--help" not in words[0]:
            yield from (".TP", f".B {_plain(words[0])}", _plain(words[1]))


def _words(parameter: Parameter, context: Context) -> tuple[str, str] | None:
    if not isinstance(parameter, TyperArgument | TyperOption):
        return None
    return parameter.get_help_record(context)


def _sentence(command: Command) -> str:
    return (command.help or "").split("\n\n")[0].rstrip(".")


def _plain(text: str) -> str:
    """Escape what troff would take for its own."""
    safe = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    told = "".join(char if char.isascii() else f"\\[u{ord(char):04X}]" for char in safe)
    return "\\&" + told if told.startswith(".") else told


if __name__ == "__main__":
    print(manual(), end="")
