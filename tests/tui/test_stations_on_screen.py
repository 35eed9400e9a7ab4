"""The fleet on the operators' terminal, by keys alone."""

from __future__ import annotations

import pytest
from lab.desk.desk_screens import ADA, desk
from lab.matrix.desk_pages import enrolled

from storage.records import StationStanding

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_station_is_found_and_revoked(size: tuple[int, int]) -> None:
    async with desk(size) as shown:
        world = shown.demo.world
        world.registry.run(lambda tx: enrolled(tx, world.clock.now()))
        await shown.sign_in(ADA)
        await shown.pilot.press("tab", "f")
        await shown.until_page("stations")
        await shown.until_said("lobby-7")
        for words in ("desk-2", "revoked", "kiosk", "0.1.0", "Last heard"):
            assert words in shown.text()
        await shown.pilot.press("l", "o", "b")
        await shown.until(lambda: "desk-2" not in shown.text(), "one row")
        await shown.pilot.press("enter")
        await shown.until_page("station")
        await shown.pilot.press("2")
        await shown.until_page("station_revoke")
        await shown.pilot.press(*"stolen", "enter")
        await shown.until_page("station")
        await shown.until_said("nothing that it asks for is done any more")
        saved = world.registry.read(lambda view: view.station("lobby-7"))
        assert saved.state is StationStanding.REVOKED
