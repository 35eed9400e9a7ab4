"""How the person is spoken to: in which language, and in which colours.

Chosen on the idle screen, for one visit. Whoever comes next finds the station's own
manner again. UI thread.
"""

from __future__ import annotations

from typing import Any

from textual.app import App

from kiosk.faces import wording
from kiosk.tui.theme import CONTRAST, KIOSK
from kiosk.visit.station import FaceSettings

CONTRAST_KEY = "c"


class Preferences:
    """The station's own manner, and what the person chose instead."""

    def __init__(self, app: App[Any], settings: FaceSettings) -> None:
        self._app = app
        self._settings = settings
        self._own = (settings.languages[0], settings.high_contrast)
        self._apply(*self._own)

    @property
    def _now(self) -> tuple[str, bool]:
        return wording.spoken(), self._app.theme == CONTRAST.name

    def press(self, key: str) -> bool:
        """Take a key of the idle screen; True: it changed what is to be shown."""
        language, contrast = self._now
        if key == CONTRAST_KEY:
            return self._change(language, contrast=not contrast)
        languages = self._settings.languages
        number = int(key) if key.isdecimal() else 0
        if len(languages) > 1 and 0 < number <= len(languages):
            return self._change(languages[number - 1], contrast=contrast)
        return False

    def reset(self) -> bool:
        """Speak as the station does by itself; True: that is another manner."""
        language, contrast = self._own
        return self._change(language, contrast=contrast)

    def _change(self, language: str, *, contrast: bool) -> bool:
        before = self._now
        self._apply(language, contrast)
        return self._now != before

    def _apply(self, language: str, contrast: bool) -> None:  # noqa: FBT001 - a pair
        wording.speak(language)
        self._app.theme = CONTRAST.name if contrast else KIOSK.name
