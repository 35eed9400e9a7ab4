"""Bring the gettext catalogues up to date with the English sentences.

    python -m scripts.translations            every language
    python -m scripts.translations de fr      these
    python -m scripts.translations de --take sentences.json

A sentence whose English has changed is marked fuzzy, as gettext's msgmerge does, and
is said in English until a translator has looked at it. `--take` reads an object from
key to translation.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import polib

from kiosk import texts

_TEXTS = Path(texts.__file__).parent
_META = {
    "Project-Id-Version": "pin-kiosk",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Transfer-Encoding": "8bit",
}
_WIDTH = 88


def main() -> int:
    """Write the catalogues; say what is missing in each. Return 1 if anything is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("languages", nargs="*")
    parser.add_argument("--take", type=Path)
    told = parser.parse_args()
    given = json.loads(told.take.read_text("utf-8")) if told.take else {}
    lacking = 0
    there = sorted(file.stem for file in (_TEXTS / "locale").glob("*.po"))
    for language in told.languages or there:
        missing = update(language, given)
        lacking += len(missing)
        print(f"{language}: {len(missing)} missing {', '.join(missing[:5])}")
    return 1 if lacking else 0


def update(language: str, given: dict[str, str]) -> list[str]:
    """Write one language's catalogue; return the keys that it lacks."""
    path = _TEXTS / "locale" / f"{language}.po"
    old = (
        {each.msgctxt: each for each in polib.pofile(str(path))}
        if path.exists()
        else {}
    )
    new = polib.POFile(wrapwidth=_WIDTH)
    new.metadata = {**_META, "Language": language}
    missing: list[str] = []
    for key, english in texts.english().items():
        before = old.get(key)
        entry = polib.POEntry(msgctxt=key, msgid=english)
        if key in given:
            entry.msgstr = given[key]
        elif before is not None:
            entry.msgstr = before.msgstr
            if before.fuzzy or before.msgid != english:
                entry.flags = ["fuzzy"]
        if not entry.translated():
            missing.append(key)
        new.append(entry)
    new.save(str(path))
    return missing


if __name__ == "__main__":
    sys.exit(main())
