"""`kiosk rehearse`: run scenario files without a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.cli.frame import fail, new_app
from kiosk.core.errors import reason_of

if TYPE_CHECKING:
    from kiosk.simulation.rehearsal.backends import Domain, RehearsalReaders
    from kiosk.simulation.rehearsal.given import SiteRules

app = new_app("Run scenario files with simulated cards; exit 0 only if all hold.")


@app.command()
def rehearse(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE…", help="Scenario files.")
    ] = None,
    *,
    tour: Annotated[
        bool, typer.Option("--tour", help="Run the scenarios that are shipped.")
    ] = False,
    report: Annotated[
        str, typer.Option(metavar="FORMAT", help="text, json or junit.")
    ] = "text",
    cards: Annotated[
        str,
        typer.Option(
            metavar="WHERE",
            help="simulated, or pcsc: in the virtual reader of a running pcscd.",
        ),
    ] = "simulated",
    vpcd: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where the virtual reader is.")
    ] = "127.0.0.1:35963",
    module: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="With pcsc: the PKCS#11 module for cards that nothing else speaks to.",
        ),
    ] = None,
    directory: Annotated[
        Path | None,
        typer.Option(
            metavar="CONFIG",
            help="A laboratory's real domain, from this configuration: the accounts"
            " that scenarios name get new passwords there.",
        ),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="CONFIG",
            help="With this site's templates, lifecycle, profile and its domain's"
            " policy, on simulated cards and accounts. Without files: the visits"
            " that most people make, for each template.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Write it there."),
    ] = None,
) -> None:
    """Run scenario files with simulated cards; exit 0 only if all hold."""
    from kiosk.simulation.rehearsal.report import Format, render
    from kiosk.simulation.rehearsal.runner import play
    from kiosk.simulation.rehearsal.scenario import read, shipped
    from kiosk.simulation.rehearsal.what_if import scenarios

    if report not in tuple(Format):
        raise typer.BadParameter("text, json or junit", param_hint="--report")
    chosen = [*(shipped() if tour else ()), *(files or ())]
    if not chosen and against is None:
        raise typer.BadParameter("name a scenario file, or --tour", param_hint="FILE")
    if cards not in ("simulated", "pcsc"):
        raise typer.BadParameter("simulated or pcsc", param_hint="--cards")
    stories = [(path, read(path)) for path in chosen]
    if output is not None:
        _try_to_write(output)
    readers = _virtual_hand(vpcd, module) if cards == "pcsc" else None
    domain = _laboratory(directory) if directory is not None else None
    try:
        rules = _rules(against) if against is not None else None
        outcomes = [
            play(scenario, path.name, readers, domain, rules)
            for path, scenario in stories
        ]
        if rules is not None and not chosen:
            outcomes = [
                play(each, each.title, rules=rules) for each in scenarios(rules)
            ]
    finally:
        if readers is not None:
            readers.stop()
    text = render(outcomes, Format(report))
    if output is None:
        typer.echo(text)
    else:
        _write(output, text)
    if not all(outcome.holds for outcome in outcomes):
        raise fail()


def _try_to_write(output: Path) -> None:
    """Refuse a place for the report before anything is played for it."""
    is_new = not output.exists()
    try:
        with output.open("ab"):
            pass
        if is_new:
            output.unlink()
    except OSError as error:
        problem = reason_of(error)
        raise typer.BadParameter(f"{output}: {problem}", param_hint="-o") from error


def _write(output: Path, text: str) -> None:
    """Write the report. OSError, which names the file even of a full disk."""
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        error.filename = str(output)
        raise


def _rules(config: Path) -> SiteRules:
    """Return a site's own rules; the domain is asked for its policy, nothing more."""
    from kiosk.authority.office import templates
    from kiosk.authority.rules.compliance import ComplianceProfile
    from kiosk.bootstrap import directory_of, lifecycle_of
    from kiosk.cli.ending import words
    from kiosk.config import load
    from kiosk.directory.errors import DirectoryError
    from kiosk.directory.ports import Examinable
    from kiosk.simulation.rehearsal.given import SiteRules

    settings = load(config)
    policy = None
    try:
        with directory_of(settings).connect() as dc:
            if isinstance(dc, Examinable):
                policy = dc.domain_policy()
    except DirectoryError as error:
        told = error.detail or error.message
        typer.echo(f"The domain's policy is not known. {words(told)}", err=True)
    return SiteRules(
        templates=templates.read_folder(settings.templates.folder),
        lifecycle=lifecycle_of(settings),
        profile=ComplianceProfile(
            fips_201=settings.profile.fips_201,
            second_factor=settings.profile.second_factor,
        ),
        policy=policy,
    )


def _virtual_hand(place: str, module: Path | None) -> RehearsalReaders:
    """Return a hand at the virtual reader of a real pcscd."""
    from kiosk.bootstrap import any_monitor
    from kiosk.simulation.virtual_hand import VirtualHand
    from kiosk.simulation.virtual_reader import tcp

    host, _, port = place.rpartition(":")
    if not host or not port.isdigit():
        raise typer.BadParameter("HOST:PORT, e.g. 127.0.0.1:35963", param_hint="--vpcd")
    return VirtualHand(tcp(host, int(port)), any_monitor(module=module))


def _laboratory(config: Path) -> Domain:
    """Return the real domain that a configuration names."""
    from kiosk.bootstrap import directory_of
    from kiosk.config import load
    from kiosk.simulation.rehearsal.real_domain import LaboratoryDomain

    return LaboratoryDomain(directory_of(load(config)))
