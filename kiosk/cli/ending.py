"""How a command ends that did not end well: a sentence, and an exit code.

What was not foreseen is logged by its type and its frames (`kiosk.core.errors.frames`).
"""

from __future__ import annotations

import logging
import os
from typing import TextIO

from kiosk.core.errors import KioskError, Message, frames, message_of, reason_of
from kiosk.core.exit_codes import ExitCode
from kiosk.directory.errors import DirectoryError
from kiosk.texts import UnknownText, sentence

_USAGE = ("cli.", "config.", "template.", "rehearsal.scenario_error")
"""Areas of errors in what somebody typed or wrote; all others: refused or failed."""
_LONG = 4000

log = logging.getLogger(__name__)


class EmptyArgument(KioskError):
    """A word that was typed is empty: `number`, counted from one."""

    code = "cli.empty_argument"


def report(error: BaseException, stream: TextIO) -> ExitCode:
    """Say on `stream` what happened; return the exit code that means it."""
    message = message_of(error)
    if isinstance(error, OSError) and message is None:
        log.warning("cli.system_refused errno=%s %s", error.errno, frames(error))
        message = of_system(error)
        code = ExitCode.FAILED
    elif message is None:
        log.error("cli.unexpected %s", frames(error))
        message = Message("cli.unexpected", {"type": type(error).__name__})
        code = ExitCode.UNEXPECTED
    elif message.key.startswith(_USAGE):
        code = ExitCode.USAGE
    else:
        code = ExitCode.FAILED
    print(words(message), file=stream)
    if isinstance(error, DirectoryError) and error.detail is not None:
        print(words(error.detail), file=stream)
    return code


def of_system(error: OSError) -> Message:
    """Return what the system refused, of a file where it names one."""
    reason = reason_of(error)
    if error.filename is None:
        return Message("cli.refused_by_system", {"reason": reason})
    file = os.fsdecode(error.filename)
    return Message("cli.file_refused", {"file": file, "reason": reason})


def words(message: Message) -> str:
    """Return the sentence of a message; its key, should the catalogue lack it."""
    try:
        return sentence(message, limit=_LONG)
    except UnknownText:
        log.error("text.missing key=%s", message.key)
        return message.key
