"""Draw the README's pictures from the running kiosk: `python -m scripts.screens`."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FONTS = re.compile(r"@font-face \{.*?\}", re.DOTALL)
"""What would be fetched from elsewhere: a picture stands alone."""
FOLDER = ROOT / "docs" / "screens"


async def draw() -> None:
    """Walk through a visit and keep a picture of each screen."""
    sys.path.insert(0, str(ROOT / "tests"))
    from lab.screens import Kiosk, kiosk

    def keep(shown: Kiosk, name: str) -> None:
        svg = shown.app.export_screenshot(title="Pin Kiosk")
        alone = FONTS.sub("", svg).replace("Fira Code", "monospace")
        (FOLDER / f"{name}.svg").write_text(alone, "utf-8")

    async with kiosk(size=(80, 24)) as shown:
        keep(shown, "idle")
        await shown.insert("everyday")
        await shown.until("Home")
        keep(shown, "home")
        await shown.pilot.press("enter")
        await shown.until("Form")
        await shown.type("271828")
        await shown.pilot.press(*"314159")
        await shown.pilot.pause(0.2)
        keep(shown, "form")
        await shown.pilot.press("enter")
        await shown.type("314159")
        await shown.until("Result")
        keep(shown, "result")
        await shown.insert("blocked")
        await shown.until("Home")
        keep(shown, "blocked")


def main() -> None:
    """Draw them all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    asyncio.run(draw())


if __name__ == "__main__":
    main()
