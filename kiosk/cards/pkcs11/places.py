"""Where middleware is when nobody has said where: absolute paths, never a search.

Order matters: a vendor's own module comes before the one that knows many cards.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

_LINUX = (
    "/usr/lib/pkcs11/libIDPrimePKCS11.so",
    "/usr/lib/libIDPrimePKCS11.so",
    "/usr/lib64/libIDPrimePKCS11.so",
    "/usr/lib/libeTPkcs11.so",
    "/usr/lib64/libeTPkcs11.so",
    "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so",
    "/usr/lib/aarch64-linux-gnu/opensc-pkcs11.so",
    "/usr/lib64/opensc-pkcs11.so",
    "/usr/lib/opensc-pkcs11.so",
)
_MACOS = (
    "/Library/Frameworks/eToken.framework/Versions/Current/libIDPrimePKCS11.dylib",
    "/usr/local/lib/libeTPkcs11.dylib",
    "/Library/OpenSC/lib/opensc-pkcs11.so",
)


def known_places() -> tuple[Path, ...]:
    """Return where vendors put their modules on this system, likeliest first."""
    return tuple(map(Path, _MACOS if sys.platform == "darwin" else _LINUX))


def first_there(places: Iterable[Path]) -> Path | None:
    """Return the first module that exists; None: no middleware is installed."""
    return next((place for place in places if place.is_file()), None)
