"""A language that nobody speaks: English, made as long as a translation may be.

It shows on a screen what would be cut in German, and which words no catalogue has.
"""

from __future__ import annotations

import string

_LETTERS = str.maketrans("aceinosuyACEINOSU", "àçéîñöšûÿÀÇÉÎÑÖŠÛ")
_LONGER = 0.3
_SHORT = 12


def pseudo(source: str) -> str:
    """Return `source` with foreign letters and a third more of them.

    Placeholders stay as they are. A short word grows by more: translations do.
    """
    parts: list[str] = []
    letters = 0
    for literal, name, spec, conversion in string.Formatter().parse(source):
        parts.append(_escaped(literal.translate(_LETTERS)))
        letters += len(literal)
        if name is not None:
            shown = f"!{conversion}" if conversion else ""
            parts.append(f"{{{name}{shown}{':' + spec if spec else ''}}}")
    more = round(letters * _LONGER) if letters > _SHORT else min(letters, 3)
    return "".join(parts) + "~" * more


def _escaped(literal: str) -> str:
    return literal.replace("{", "{{").replace("}", "}}")
