"""`kiosk template`: the same templates as the screen edits, as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.cli.frame import ConfigOption, fail, new_app
from kiosk.core import private_files
from kiosk.core.errors import KioskError, reason_of

if TYPE_CHECKING:
    from storage.records import Template

app = new_app("Check, publish, import, export and compare templates.")
_Files = Annotated[list[Path], typer.Argument(help="Template files (TOML).")]
_Name = Annotated[str, typer.Argument(help="The template's name.", show_default=False)]


class NoSuchVersion(KioskError):
    """A template never had that version: `name`, `version`, and the `newest`."""

    code = "template.no_such_version"


@app.command()
def validate(files: _Files, config: ConfigOption = None) -> None:
    """Check files: each field, and that some PIN satisfies card, policy and domain.

    Without a configuration the domain is not asked.
    """
    from kiosk.authority.office import templates
    from kiosk.cli.ending import words
    from kiosk.config.location import NoConfiguration
    from kiosk.core.errors import Message

    read = [templates.read(file) for file in files]
    try:
        _ask_domain(read, config)
        asked = "template.checked_with_domain"
    except NoConfiguration:
        asked = "template.checked_alone"
    print(words(Message(asked, {"count": len(read)})))


def _ask_domain(read: list[Template], config: Path | None) -> None:
    from kiosk.authority.office import templates
    from kiosk.bootstrap import directory_of
    from kiosk.config import load

    directory = directory_of(load(config))
    for template in read:
        templates.satisfiable(directory, template)


@app.command("import")
def import_(files: _Files, config: ConfigOption = None) -> None:
    """Save files as the next versions of their templates, as an administrator."""
    from kiosk.authority.office import templates

    _save([templates.read(file) for file in files], config)


@app.command()
def publish(config: ConfigOption = None) -> None:
    """Put into force what the files in the station's folder of templates say now.

    As an administrator. What differs becomes a next version; nothing else does.
    """
    from kiosk.authority.office import templates
    from kiosk.config import load

    _save(list(templates.read_folder(load(config).templates.folder)), config)


def _save(read: list[Template], config: Path | None) -> None:
    from kiosk.bootstrap import open_office, operators_config
    from kiosk.cli.ending import words
    from kiosk.core.errors import Message

    with open_office(operators_config(config)) as office:
        saved = office.publish(read)
    for each in saved:
        told: dict[str, str | int] = {"name": each.name, "version": each.version}
        print(words(Message("desk.template_saved", told)))
    if not saved:
        print(words(Message("desk.template_unchanged")))


@app.command()
def export(
    name: _Name,
    version: Annotated[int | None, typer.Option(help="Else the newest.")] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="A new file; else print it.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Write a saved template as a file."""
    from kiosk.authority.office import templates
    from kiosk.bootstrap import open_registry
    from storage.errors import RecordMissing

    registry, newest = open_registry(config), None
    try:
        found = newest = registry.read(lambda view: view.template(name))
        if version is not None:
            found = registry.read(lambda view: view.template(name, version))
    except RecordMissing:
        if newest is None or version is None:
            raise
        raise NoSuchVersion(name=name, version=version, newest=newest.version) from None
    finally:
        registry.close()
    text = templates.commented(found)
    if output is None:
        print(text, end="")
        return
    try:
        with private_files.created(output) as stream:
            stream.write(text.encode())
    except OSError as error:
        problem = reason_of(error)
        raise typer.BadParameter(f"{output}: {problem}", param_hint="-o") from error


@app.command()
def diff(
    file: Annotated[Path, typer.Argument(help="A template file (TOML).")],
    config: ConfigOption = None,
) -> None:
    """Show what a file would change, and how many cards use the template.

    Exit code 1 if it differs.
    """
    from kiosk.authority.office import templates
    from kiosk.bootstrap import open_registry
    from kiosk.cli.ending import words
    from kiosk.core.errors import Message
    from kiosk.desk.templating import differences
    from storage.errors import RecordMissing

    wanted = templates.read(file)
    registry = open_registry(config)
    try:
        newest = registry.read(lambda it: it.template(wanted.name))
        using = registry.read(lambda it: it.count(template=wanted.name))
    except RecordMissing:
        print(words(Message("template.is_new", {"name": wanted.name})))
        raise fail() from None
    finally:
        registry.close()
    found = differences(newest, wanted)
    for name, before, after in found:
        print(f"{name}: {before} -> {after}")
    told: dict[str, str | int] = {"changed": len(found), "using": using}
    print(words(Message("desk.template_means", told)))
    if found:
        raise fail()
