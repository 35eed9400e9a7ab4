"""Style sheets that are parsed once for each theme.

Textual parses every sheet anew when the theme changes, or when a screen comes that has
a sheet of its own: 15 ms and more, in front of somebody's key.
"""

from __future__ import annotations

from textual.cache import LRUCache
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

_SHEETS = 1024
"""How many are kept for each theme: all there are."""
_Parsed = LRUCache[tuple[object, ...], list[RuleSet]]


class KeptStylesheet(Stylesheet):
    """Keeps what was parsed, by the colours that it was parsed with. UI thread."""

    def __init__(self, *, variables: dict[str, str]) -> None:
        super().__init__(variables=variables)
        self._kept: dict[frozenset[tuple[str, str]], _Parsed] = {}
        self._parse_cache = self._parsed_with(variables)

    def set_variables(self, variables: dict[str, str]) -> None:
        """Use these colours; what was parsed with others stays for when they return."""
        self._parse_cache = LRUCache(1)  # this one is emptied
        super().set_variables(variables)
        self._parse_cache = self._parsed_with(variables)

    def reparse(self) -> None:
        """Bring the rules up to date: only what is new is parsed."""
        self.parse()

    def prepare(self, variables: dict[str, str]) -> None:
        """Parse what there is with other colours, too, before they are asked for."""
        own = self._variables
        self.set_variables(variables)
        try:
            self.parse()
        finally:
            self.set_variables(own)
            self.parse()

    def _parsed_with(self, variables: dict[str, str]) -> _Parsed:
        return self._kept.setdefault(frozenset(variables.items()), LRUCache(_SHEETS))
