"""Outside text made harmless before it is shown.

Names from cards, certificates and the directory are data. Everything a face
shows of them passes through `visible` and is then drawn without markup.
"""

from __future__ import annotations

import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(text: str, limit: int = 64) -> str:
    """Return `text` with nothing in it that a terminal could obey.

    Control, format (bidi), surrogate, private and unassigned characters become
    U+FFFD; the result has at most `limit` characters, the last one an ellipsis
    where something was cut.
    """
    text = unicodedata.normalize("NFC", text[: 4 * limit])
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    return "".join(
        "\ufffd" if unicodedata.category(char) in _HIDDEN else char for char in text
    )


def visible_path(text: str, limit: int = 64) -> str:
    """Return a file's place the same way; cut at its beginning, as its end names it."""
    if len(text) > limit:
        text = "…" + text[1 - limit :]
    return visible(text, limit)
