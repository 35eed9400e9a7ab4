"""`kiosk lifecycle`: print what may happen to a card, and who makes it happen."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from kiosk.cli.frame import new_app

app = new_app("Print what may happen to a card, and who makes it happen.")


class DiagramFormat(StrEnum):
    """How the table is printed."""

    TEXT = "text"
    MARKDOWN = "markdown"
    MERMAID = "mermaid"


@app.command()
def lifecycle(
    form: Annotated[
        DiagramFormat, typer.Option("--format", help="How to print it.")
    ] = DiagramFormat.TEXT,
) -> None:
    """Print what may happen to a card, and who makes it happen."""
    from statemachine import render
    from statemachine.lifecycle import Lifecycle

    table = Lifecycle()
    match form:
        case DiagramFormat.TEXT:
            typer.echo(render.lifecycle_text(table))
        case DiagramFormat.MARKDOWN:
            typer.echo(render.lifecycle_markdown(table))
        case DiagramFormat.MERMAID:
            typer.echo(render.lifecycle_mermaid(table))
