"""The kiosk's colours: dark, quiet, one accent for where the person is.

Nothing is told by a colour alone. On 16-colour consoles each falls to its nearest.
"""

from __future__ import annotations

from textual.theme import Theme

from kiosk.faces.glyphs import UNICODE, marks

_NEVER_SEEN = dict.fromkeys(
    (
        "link-background-hover",
        "scrollbar-hover",
        "scrollbar-active",
        "scrollbar-background-hover",
        "scrollbar-background-active",
        "scrollbar-corner-color",
    ),
    "#000000",
)
"""What only a mouse would bring up, and there is none. The same in every theme: else
each widget is told of all six whenever the colours change.
"""

KIOSK = Theme(
    name="kiosk",
    dark=True,
    primary="#5aa9e6",
    secondary="#54697a",
    accent="#ffcb6b",
    warning="#ffb454",
    error="#ff7b72",
    success="#7ddba0",
    foreground="#e8eef3",
    background="#0f161c",
    surface="#0f161c",
    panel="#1a252e",
    variables=_NEVER_SEEN,
)
CONTRAST = Theme(
    name="contrast",
    dark=True,
    primary="#ffff00",
    secondary="#ffffff",
    accent="#ffff00",
    warning="#ffff00",
    error="#ffff00",
    success="#ffffff",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#000000",
    variables={"text-muted": "#ffffff", **_NEVER_SEEN},
)
"""For weak eyes and bad screens: black, white and yellow, nothing muted."""


def edges() -> dict[str, str]:
    """Return the style sheets' `$edge` and `$focused-edge`: borders that this
    terminal can draw.
    """
    if marks() is UNICODE:
        return {"edge": "round", "focused-edge": "heavy"}
    return {"edge": "solid", "focused-edge": "double"}
