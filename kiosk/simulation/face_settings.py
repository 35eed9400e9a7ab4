"""What a simulated site decides about its screens: all that a first frame needs."""

from __future__ import annotations

from dataclasses import replace

from kiosk.texts import LANGUAGES
from kiosk.visit.station import FaceSettings, Helpdesk

STATION = "kiosk-1"
SETTINGS = FaceSettings(
    station=STATION,
    title="Card PIN kiosk",
    helpdesk=Helpdesk(contact="Helpdesk, extension 4711", hours="Mon–Fri 7–18"),
)
IN_EVERY_LANGUAGE = replace(SETTINGS, languages=tuple(LANGUAGES))
"""The demo's."""
