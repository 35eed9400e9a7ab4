"""At a reader with keys of its own the screen asks for what is not typed there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from lab.terminal.screens import Kiosk, kiosk
from msgspec.structs import replace

from kiosk.simulation.cards.pinpad import SimulatedPad
from storage.registry import Tx


@asynccontextmanager
async def at_pad() -> AsyncIterator[tuple[Kiosk, SimulatedPad]]:
    """The demo's people, whose templates let a PIN stay in a PIN pad."""
    async with kiosk() as shown:
        world, pad = shown.demo.world, shown.demo.readers.fit_pad()

        def allow(tx: Tx) -> None:
            saved: dict[str, int] = {}
            for holder in world.holders.values():
                known = tx.credential(holder.credential)
                if known.template not in saved:
                    template = replace(tx.template(known.template), allow_pinpad=True)
                    saved[known.template] = tx.save_template(template).version
                version = saved[known.template]
                tx.save_credential(replace(known, template_version=version))

        world.registry.run(allow)
        yield shown, pad


async def begin(shown: Kiosk, card: str) -> None:
    """Put a card in and choose what is offered first."""
    await shown.insert(card)
    await shown.until("Home")
    await shown.pilot.press("enter")
    await shown.until("Confirm")


async def test_a_change_asks_once_and_sends_to_the_keys_of_the_reader() -> None:
    async with at_pad() as (shown, pad):
        pad.will_type(b"271828", b"314159", b"314159")
        await begin(shown, "everyday")
        assert "Your Windows password stays" in " ".join(shown.text().split())
        await shown.pilot.press("1")
        await shown.until("Result")
        assert "D O N E" in shown.text()
        assert shown.demo.world.holders["everyday"].made.card.has_pin(b"314159")


async def test_what_is_typed_wrong_at_the_keys_is_told_on_the_screen() -> None:
    async with at_pad() as (shown, pad):
        pad.will_type(b"271828", b"314159", b"314158")
        await begin(shown, "everyday")
        await shown.pilot.press("1")
        await shown.until("Result")
        assert "The two new PINs typed at the reader were different." in shown.text()


async def test_a_form_with_no_pin_in_it_has_no_key_to_show_one() -> None:
    async with at_pad() as (shown, pad):
        await begin(shown, "blocked")
        await shown.pilot.press("1")
        await shown.until("Form")
        assert "F3" not in shown.text()
        pad.will_type(b"314159", b"314159")
        with shown.demo.world.release_code("blocked") as code:
            await shown.type(bytes(code.reveal()).decode())
        await shown.until("Result")
        assert shown.demo.world.holders["blocked"].made.card.has_pin(b"314159")
