"""Style sheets that are parsed once for each theme.

Textual parses every sheet anew when the theme changes, or when a screen comes that has
a sheet of its own: 15 ms and more, in front of somebody's key.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual.cache import LRUCache
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.css.tokenize import tokenize_values
from textual.css.tokenizer import Token
from textual.style import Style

_SHEETS = 1024
"""How many are kept for each theme: all there are."""
_STYLES = 4096
"""And of styles that a text has in it."""
_Tokens = dict[str, list[Token]]


@dataclass(slots=True)
class _Kept:
    """What was made of one theme's colours."""

    parsed: LRUCache[tuple[object, ...], list[RuleSet]]
    styles: LRUCache[str, Style]
    tokens: _Tokens


class KeptStylesheet(Stylesheet):
    """Keeps what was parsed, by the colours that it was parsed with. UI thread."""

    def __init__(self, *, variables: dict[str, str]) -> None:
        super().__init__(variables=variables)
        self._kept: dict[frozenset[tuple[str, str]], _Kept] = {}
        self._use(variables)

    def set_variables(self, variables: dict[str, str]) -> None:
        """Use these colours; what was parsed with others stays for when they return."""
        self._parse_cache = LRUCache(1)  # these two are emptied
        self._style_parse_cache = LRUCache(1)
        super().set_variables(variables)
        self._use(variables)

    @property
    def _variable_tokens(self) -> _Tokens:
        return self._tokens

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

    def _use(self, variables: dict[str, str]) -> None:
        key = frozenset(variables.items())
        kept = self._kept.get(key)
        if kept is None:
            kept = _Kept(
                LRUCache(_SHEETS), LRUCache(_STYLES), tokenize_values(variables)
            )
            self._kept[key] = kept
        self._parse_cache, self._style_parse_cache = kept.parsed, kept.styles
        self._tokens = kept.tokens
