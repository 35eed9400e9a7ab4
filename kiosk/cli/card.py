"""`kiosk card`: look at a card, or put a simulated one into a real reader."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from kiosk.cli.frame import JsonOption, fail, new_app

ReaderOption = Annotated[
    str, typer.Option("--reader", help="Only readers whose name contains this.")
]
ModuleOption = Annotated[
    Path | None,
    typer.Option(
        "--module", help="A vendor's PKCS#11 library for cards that need middleware."
    ),
]

app = new_app("Look at a card, or put a simulated one into a reader.")


@app.command()
def info(
    reader: ReaderOption = "",
    module: ModuleOption = None,
    *,
    json: JsonOption = False,
) -> None:
    """Say which cards are in the readers and how they were recognised.

    No PIN is asked for and no try is spent. Exit code 1 if there is no card that
    could be read.
    """
    from kiosk.bootstrap import any_monitor
    from kiosk.cli.card_info import look
    from kiosk.cli.card_text import as_json, lines

    found = look(any_monitor(module=module), reader)
    print(as_json(found) if json else "\n".join(lines(found)))
    if not any(report.card is not None for report in found):
        raise fail()


@app.command()
def trace(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="Where to add the lines (made 0600); else they are printed."
        ),
    ] = None,
    reader: ReaderOption = "",
    module: ModuleOption = None,
) -> None:
    """Write down every APDU with which the cards in the readers are looked at.

    Every secret byte is masked, and no PIN is tried. `kiosk run --trace FILE` writes
    down all that a station does. Exit code 1 if there is no card that could be read.
    """
    from kiosk.bootstrap import any_monitor
    from kiosk.cli.card_info import look
    from kiosk.cli.card_text import lines
    from kiosk.cli.card_trace import trace_printed, trace_to

    with trace_to(file) if file is not None else trace_printed() as written:
        found = look(any_monitor(written, module), reader)
    is_read = any(report.card is not None for report in found)
    if file is not None or not is_read:
        print("\n".join(lines(found)), file=sys.stderr if file is None else None)
    if not is_read:
        raise fail()


@app.command()
def simulate(
    host: Annotated[str, typer.Option(help="Where vpcd listens.")] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            min=1, max=65535, help="35963 is its first slot, 35964 its second."
        ),
    ] = 35963,
    variant: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="a, b (how two cards differ), yubikey, yubikey-5.2, yubikey-5.4, "
            "yubikey-5.7, bio, neo.",
        ),
    ] = "a",
    cards: Annotated[int, typer.Option(min=1, max=9, help="How many cards.")] = 1,
    family: Annotated[
        str,
        typer.Option("--type", help="piv, gids (generic minidriver card) or idprime."),
    ] = "piv",
    key: Annotated[
        str, typer.Option(help="P-256, P-384, RSA-2048, RSA-3072, RSA-4096, Ed25519.")
    ] = "P-256",
    protocol: Annotated[str, typer.Option(help="t1 or t0.")] = "t1",
    behaves: Annotated[
        str,
        typer.Option(metavar="JSON", help="How a PIV card differs: see docs/cards.md."),
    ] = "",
    pin_file: Annotated[
        Path | None,
        typer.Option(help="A 0600 file with the PIN; else it is 123456."),
    ] = None,
    puk_file: Annotated[
        Path | None,
        typer.Option(help="A 0600 file with the PUK; else it is 12345678."),
    ] = None,
    *,
    inserted: Annotated[
        bool, typer.Option("--inserted/--empty", help="Begin with card 1 inserted.")
    ] = True,
    trace: Annotated[
        bool, typer.Option("--trace", help="Print every command, without its data.")
    ] = False,
) -> None:
    """Put simulated cards into a virtual reader (vpcd) of a real pcscd.

    For demonstrations and tests: the keys are not protected. Reads lines from
    standard input: insert [N], pull, swap N, fault JSON, heal, quit.
    """
    from kiosk.cli.card_simulate import SimulatedCards, simulate_cards

    simulate_cards(
        SimulatedCards(
            host=host,
            port=port,
            family=family,
            variant=variant,
            cards=cards,
            key=key,
            pin_file=pin_file,
            puk_file=puk_file,
            protocol=protocol,
            behaves=behaves,
            is_inserted=inserted,
            is_traced=trace,
        )
    )
