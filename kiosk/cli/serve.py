"""`kiosk serve`: the authority of a fleet, over HTTPS."""

from __future__ import annotations

from typing import Annotated

import typer

from kiosk.cli.ending import words
from kiosk.cli.frame import ConfigOption, new_app
from kiosk.core.errors import Message

app = new_app("Serve the stations of a fleet.")


@app.command()
def serve(
    config: ConfigOption = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65535, help="Listen at this port instead of the configured one."
        ),
    ] = None,
) -> None:
    """Serve the stations of a fleet over HTTPS until it is told to end (SIGTERM).

    What is under way is answered before it ends. SIGHUP reads the configuration and the
    certificate again; where something is wrong with them, all stays as it was.
    """
    from kiosk import bootstrap
    from kiosk.config import load
    from kiosk.config.sections.station import LogForm
    from kiosk.core.hardening import harden_process
    from kiosk.core.logs import set_up

    harden_process()
    settings = load(config)
    set_up(settings.log.file, as_json=settings.log.form is LogForm.JSON)
    own_port = port or int(settings.service.listen.rpartition(":")[2])
    with bootstrap.figures_of(settings.metrics, own_port) as figures:
        made = bootstrap.made_of(config, port, figures)
        from kiosk.authority.service import process

        where = f"{made.listening.host}:{made.listening.port}"
        serving = words(Message("service.serving", {"address": where}))
        process.run(
            made,
            lambda: bootstrap.made_of(config, port, figures),
            listens=lambda: print(serving, flush=True),
        )
