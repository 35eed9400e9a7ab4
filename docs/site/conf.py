"""How the documents become a site: `make docs`, into build/docs."""

from __future__ import annotations

import re

from sphinx.application import Sphinx

project = "Pin Kiosk"
html_title = project
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.graphviz"]
graphviz_output_format = "svg"
include_patterns = [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/**.md",
]
root_doc = "README"
html_theme = "alabaster"
html_theme_options = {
    "page_width": "auto",
    "body_max_width": "52em",
    "nosidebar": False,
}
html_show_copyright = False
html_show_sourcelink = False

myst_heading_anchors = 4
"""Headings that can be linked to, as on a forge."""
myst_enable_extensions = ["smartquotes"]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "undoc-members": False}
python_use_unqualified_type_names = True

_CONTENTS = """

```{toctree}
:hidden:
:caption: For those who run it

docs/install
docs/desk
docs/commands
docs/enrollment
docs/cards
docs/directory
docs/rehearsals
docs/evidence
docs/storage
docs/postgresql
docs/fleet
docs/operations
docs/sizing
docs/threat-model
docs/ways-home
CHANGELOG
```

```{toctree}
:hidden:
:caption: For those who change it

docs/architecture
docs/walks
docs/glossary
docs/lifecycle
docs/operation
docs/self-service
docs/puk
docs/tui
docs/languages
docs/testing
docs/releasing
docs/adr/README
docs/site/ports
CONTRIBUTING
SECURITY
```
"""


_STATE_DIAGRAM = re.compile(r"```mermaid\nstateDiagram-v2\n(.*?)```", re.DOTALL)
_EDGE = re.compile(r"^\s*(\S+) --> (\S+?)(?:: (\S+))?$", re.MULTILINE)


def _drawn(diagram: re.Match[str]) -> str:
    """Return a diagram as Graphviz takes it, which needs no network and no script."""
    labels: dict[tuple[str, str], list[str]] = {}
    for source, target, event in _EDGE.findall(diagram[1]):
        labels.setdefault((source, target), []).append(event)
    edges = ""
    for (source, target), events in labels.items():
        label = "\\n".join(filter(None, events))
        edges += f'"{source}" -> "{target}" [label="{label}"];\n'
    ends = '"[*]" [shape=point];\n' if '"[*]"' in edges else ""
    head = "digraph {\nrankdir=LR; node [shape=box, style=rounded];\n"
    return f"```{{graphviz}}\n{head}{ends}{edges}}}\n```"


def _prepare(_: Sphinx, name: str, source: list[str]) -> None:
    """Draw the machines, and give the first page the list of all documents."""
    source[0] = _STATE_DIAGRAM.sub(_drawn, source[0])
    if name == root_doc:
        source[0] += _CONTENTS
    if name == "docs/adr/README":
        source[0] += "\n```{toctree}\n:hidden:\n:glob:\n\n0*\n```\n"


_MARKUP = re.compile(r"([*_|])")


def _as_written(
    _: Sphinx, _kind: str, _name: str, _object: object, _how: object, lines: list[str]
) -> None:
    """Take a docstring as it is read: plain text, with code between backquotes."""
    parts = re.split(r"(`[^`]+`)", "\n".join(lines))
    lines[:] = "".join(
        f"\\ ``{' '.join(part[1:-1].split())}``\\ "
        if at % 2
        else _MARKUP.sub(r"\\\1", part)
        for at, part in enumerate(parts)
    ).split("\n")


def setup(app: Sphinx) -> None:
    """Begin."""
    app.connect("source-read", _prepare)
    app.connect("autodoc-process-docstring", _as_written)
