"""`kiosk audit`: verify and export the evidence, and keep its checkpoints elsewhere."""

from __future__ import annotations

import re
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiosk.cli.archive import ArchiveOption, archive
from kiosk.cli.frame import ConfigOption, fail, new_app
from kiosk.core.errors import KioskError, Message, reason_of
from kiosk.core.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kiosk.authority.proof.verification import Verified
    from kiosk.config import Config
    from storage.completeness import KnownHead
    from storage.signed_note import NoteKey

app = new_app("Verify and export the evidence.")
app.command()(archive)

_SHORT_HEAD = re.compile(r"([1-9]\d{0,11}):([0-9a-f]{32,64})")


class NotConfigured(KioskError):
    """The configuration does not say where to: `setting`."""

    code = "evidence.not_configured"


@app.command()
def verify(
    file: Annotated[
        Path | None, typer.Argument(help="An exported file; else the registry.")
    ] = None,
    *,
    key: Annotated[
        list[str] | None,
        typer.Option(help="A key you know from elsewhere, or a file of such keys."),
    ] = None,
    head: Annotated[
        list[str] | None,
        typer.Option(help="A checkpoint you have kept: NUMBER:HASH, or its file."),
    ] = None,
    archives: ArchiveOption = None,
    config: ConfigOption = None,
) -> None:
    """Verify that nothing is missing, and that every write has its own signature.

    Exit code 3: it fits together, but nothing known from elsewhere vouches for it.
    """
    keys = [known for each in key or () for known in _keys(each)]
    heads = [_head(each, keys) for each in head or ()]
    if file is not None and archives:
        raise typer.BadParameter(
            "a file is verified as it is: export it with what is in the archive",
            param_hint="--archive",
        )
    if file is not None:
        _say(_of_file(file, keys, heads), is_own_key=False)
        return
    _of_registry(config, keys, heads, archives or ())


def _of_file(
    file: Path, keys: Sequence[NoteKey], heads: Sequence[KnownHead]
) -> Verified:
    from kiosk.authority.proof import verification
    from kiosk.authority.proof.signature_checks import SharedOut
    from kiosk.cli.progress import ProgressLine
    from storage import evidence_file

    if file.exists() and not (file.is_file() or file.is_dir()):
        raise typer.BadParameter(
            f"{file} is read twice, and what is no file can be read once: write it"
            " into one",
            param_hint="FILE",
        )
    try:
        with (
            ProgressLine(2 * file.stat().st_size, "bytes") as told,
            closing(SharedOut()) as checks,
        ):
            evidence = evidence_file.open_file(file, told)
            return verification.verify(evidence, keys=keys, heads=heads, checks=checks)
    except evidence_file.NotAnExport as error:
        raise typer.BadParameter(
            f"{file}: line {error.line} is no audit event", param_hint="FILE"
        ) from error
    except OSError as error:
        problem = reason_of(error)
        raise typer.BadParameter(f"{file}: {problem}", param_hint="FILE") from error


def _of_registry(
    config: Path | None,
    keys: Sequence[NoteKey],
    heads: Sequence[KnownHead],
    archives: Sequence[Path],
) -> None:
    """Verify what is here: by what is named, else by the station's own key."""
    from kiosk.authority.proof import verification
    from kiosk.authority.proof.signature_checks import SharedOut
    from kiosk.bootstrap import (
        high_water_of,
        must_be_there,
        operators_config,
        registry_of,
        vault_of,
    )
    from kiosk.cli.ending import words
    from kiosk.cli.older import older_than_seen, was_set_back
    from kiosk.cli.progress import ProgressLine
    from kiosk.core.clock import SystemClock

    settings = operators_config(config)
    must_be_there(settings)
    is_own_key = not (keys or heads)
    known = vault_of(settings).note_keys() if is_own_key else keys
    mark = high_water_of(settings)
    seen = mark.read()
    registry = registry_of(settings, SystemClock(), archives)
    try:
        found = registry.read(lambda view: view.heads())
        with (
            registry.evidence_at_rest(),
            ProgressLine(verification.events_to_read(registry), "events") as told,
            closing(SharedOut()) as checks,
        ):
            evidence = verification.evidence_of(registry, told)
            verified = verification.verify(
                evidence, keys=known, heads=heads, checks=checks
            )
    finally:
        registry.close()
    older = [*older_than_seen(seen, found, is_damaged=mark.is_damaged)]
    # A head from elsewhere says what was not in the older one.
    before = [] if older or heads else [*was_set_back(seen)]
    for each in (*older, *before):
        typer.echo(words(each), err=True)
    _say_what_is_wrong(verified)
    if older:
        raise fail()
    if before:  # what is lost of it, nothing here can vouch for
        verified = replace(verified, whole=replace(verified.whole, known=None))
    _say(verified, is_own_key=is_own_key)


def _say_what_is_wrong(verified: Verified) -> None:
    """Print it, and end with the code that means it; or do nothing."""
    from kiosk.authority.proof import verification
    from kiosk.cli.ending import words
    from kiosk.texts import sentence

    damage = verification.damage(verified)
    if damage is not None:
        typer.echo(words(damage), err=True)
    for finding in verified.findings:
        said = sentence(finding.reason)
        typer.echo(f"{finding.station} event {finding.seq}: {said}", err=True)
    if not verified.is_sound:
        raise fail()


def _say(verified: Verified, *, is_own_key: bool) -> None:
    """Print what sound evidence shows; end with the code that means it."""
    from kiosk.authority.proof import verification
    from kiosk.cli.ending import words

    _say_what_is_wrong(verified)
    shown = verification.shown(verified, is_own_key=is_own_key)
    for message in (*verification.signers(verified), *shown):
        typer.echo(words(message))
    if not verified.is_anchored:
        raise typer.Exit(ExitCode.UNANCHORED)


class ArchiveNotNamed(KioskError):
    """A part of the evidence is in an archive that was not named: `count` events."""

    code = "evidence.archive_not_named"


@app.command()
def export(
    *,
    config: ConfigOption = None,
    station: Annotated[
        str | None, typer.Option(help="Only this station's chain.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="A new file; else print it.")
    ] = None,
    archives: ArchiveOption = None,
) -> None:
    """Write the evidence as JSON Lines, which `kiosk audit verify FILE` checks.

    For auditors; each export is itself noted in the evidence.
    """
    from kiosk.authority.office.errors import MovedAway
    from kiosk.bootstrap import open_office, operators_config
    from kiosk.cli.ending import words
    from kiosk.cli.progress import ProgressLine
    from kiosk.desk.export import to_file
    from kiosk.desk.files import OwnFiles

    try:
        with (
            open_office(operators_config(config), archives or ()) as office,
            ProgressLine(0, "events") as shown,
        ):
            if output is None:
                office.export("-", station, shown.reach)(sys.stdout.buffer)
                return
            count = to_file(
                office, OwnFiles(), str(output), station=station, told=shown.reach
            )
    except MovedAway as error:
        raise ArchiveNotNamed(**error.data) from None
    told: dict[str, str | int] = {"file": str(output), "count": count}
    typer.echo(words(Message("evidence.written", told)))


@app.command()
def head(
    *,
    short: Annotated[
        bool, typer.Option("--short", help="One line: NUMBER:HASH.")
    ] = False,
    on_paper: Annotated[
        bool, typer.Option("--print", help="Print it on the site's printer.")
    ] = False,
    send: Annotated[
        bool, typer.Option("--send", help="Hand it to the site's own command.")
    ] = False,
    syslog: Annotated[
        bool, typer.Option("--syslog", help="Send its short form to the site's syslog.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Show the newest signed checkpoint, or bring it where nobody here can change it.

    `kiosk audit verify --head` takes it back.
    """
    from kiosk.authority.proof import heads
    from kiosk.bootstrap import must_be_there, operators_config, registry_of
    from kiosk.cli.ending import words
    from kiosk.core.clock import SystemClock

    settings = operators_config(config)
    must_be_there(settings)
    registry = registry_of(settings, SystemClock())
    try:
        event = heads.newest(registry)
    finally:
        registry.close()
    note, line = event.data["note"], heads.short(event)
    if not (on_paper or send or syslog):
        typer.echo(line if short else note, nl=short)
        return
    if syslog and not settings.evidence.syslog:
        raise NotConfigured(setting="[evidence] syslog")
    # All are known before it goes to the first.
    for command in tuple(_commands(settings, on_paper=on_paper, send=send)):
        heads.hand_over(command, f"{line}\n" if short else note)
    if syslog:
        heads.log_elsewhere(settings.evidence.syslog, event)
    typer.echo(words(Message("evidence.sent", {"number": event.seq})))


def _commands(
    settings: Config, *, on_paper: bool, send: bool
) -> Iterator[Sequence[str]]:
    if on_paper:
        if not settings.printing.command:
            raise NotConfigured(setting="[printing] command")
        yield settings.printing.command
    if send:
        if not settings.evidence.command:
            raise NotConfigured(setting="[evidence] command")
        yield settings.evidence.command


@app.command()
def key(
    *,
    pem: Annotated[
        bool, typer.Option("--pem", help="The newest one as OpenSSL reads it.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Show the public keys that verify this station's checkpoints, the newest last.

    Note them down elsewhere: `kiosk audit verify --key` takes them.
    """
    from kiosk.bootstrap import operators_config, vault_of

    keys = vault_of(operators_config(config)).note_keys()
    if pem:
        typer.echo(keys[-1].pem(), nl=False)
        return
    for each in keys:
        typer.echo(str(each))


# --- what was kept elsewhere -----------------------------------------------------


def _keys(told: str) -> list[NoteKey]:
    """Read a key, or each line of a file as `kiosk audit key` prints it."""
    from storage.signed_note import MalformedNote, NoteKey

    lines = [line for line in _content(told).split("\n") if line.strip()]
    try:
        return [NoteKey.read(line) for line in lines or ("",)]
    except MalformedNote as error:
        raise typer.BadParameter(f"{told}: no key", param_hint="--key") from error


def _head(told: str, keys: Sequence[NoteKey]) -> KnownHead:
    from storage.checkpoints import Checkpoint
    from storage.completeness import KnownHead
    from storage.signed_note import MalformedNote, SignedNote, WrongSignature

    content = _content(told)
    named = _SHORT_HEAD.fullmatch(content.strip())
    if named is not None:
        return KnownHead(int(named[1]), link=named[2])
    try:
        note = SignedNote.read(content)
        if keys:
            note.verified_by(keys)
        return KnownHead(Checkpoint.read(note.text).number, note)
    except (MalformedNote, WrongSignature) as error:
        raise typer.BadParameter(
            f"{told}: no checkpoint, or not one of the key", param_hint="--head"
        ) from error


def _content(told: str) -> str:
    """Return what a file holds, or what was typed itself."""
    path = Path(told)
    try:
        return path.read_text("utf-8") if path.is_file() else told
    except (OSError, UnicodeDecodeError):
        return told
