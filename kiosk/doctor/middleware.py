"""Whether the vendor's module loads and answers, in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kiosk.cards.errors import ModuleFailed
from kiosk.cards.pkcs11.messages import Find, TokenFailed
from kiosk.cards.pkcs11.process import ModuleProcess
from kiosk.doctor import Finding, fail, ok

_NOBODY = "no reader has this name"


def module(process: ModuleProcess, path: Path) -> Iterator[Finding]:
    """Load it and ask for a token that is not there."""
    name = str(path)
    try:
        answer = process.ask(Find(reader=_NOBODY))
    except ModuleFailed as error:
        yield fail("middleware", "module_failed", module=name, why=error.data["why"])
        return
    finally:
        process.close()
    if isinstance(answer, TokenFailed) and answer.why == "no_library":
        yield fail("middleware", "no_pkcs11_library")
    elif isinstance(answer, TokenFailed) and answer.why == "unknown":
        yield ok("middleware", "module_answers", module=name)
    else:
        why = answer.detail if isinstance(answer, TokenFailed) else ""
        yield fail("middleware", "module_failed", module=name, why=why)
