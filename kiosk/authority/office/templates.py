"""Templates as files: read strictly, checked, and kept as versions in the registry.

A file holds one template, with the field names of `storage.records.Template`.
When a file says something else than the newest saved version, it becomes the next
version; credentials keep the version they were issued with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from kiosk.authority.rules.effective import effective
from kiosk.authority.values import CardLimits
from kiosk.config import toml_file
from kiosk.config.render import comment, toml_value
from kiosk.core.errors import KioskError, Message
from kiosk.directory.asking import ask
from kiosk.directory.ports import Directory, DomainController, Examinable
from kiosk.directory.values import PasswordPolicy
from kiosk.pin.alphabet import Alphabet
from kiosk.pin.rules import contradiction
from kiosk.texts import text
from storage.errors import RecordMissing, VersionConflict
from storage.records import AuditDraft, CardType, PinPolicy, Template
from storage.registry import Registry, Tx
from storage.view import View

_LIMITS = {
    CardType.PIV: CardLimits(minimum=6, maximum=8, alphabet=Alphabet.PRINTABLE),
    CardType.GIDS: CardLimits(minimum=4, maximum=16, alphabet=Alphabet.PRINTABLE),
    CardType.PKCS11: CardLimits(minimum=4, maximum=255, alphabet=Alphabet.PRINTABLE),
}
"""The widest that cards of a type take; a card in the reader may take less."""

_LONGEST = 64
"""Characters of a name: what a list and a prompt can show."""
SIGNING_SLOT = "9A"
"""The only key that signs for a holder: PIV Authentication, which asks for the PIN (SP
800-73-5 part 1); GIDS cards and tokens answer to the same name. 9C would want the PIN
once more for each signature, 9E wants none."""


class UnsatisfiableTemplate(KioskError):
    """No card or PIN could ever satisfy this template: `file`, `rule`."""

    code = "template.unsatisfiable"

    @property
    def message(self) -> Message:
        return Message(f"template.impossible.{self.data['rule']}", self.data)


class DuplicateTemplate(KioskError):
    """Two files describe a template of one name: `file`, `name`."""

    code = "template.duplicate"


def read(path: Path) -> Template:
    """Read and check one file. `tomlfile.FileError`s, UnsatisfiableTemplate."""
    table = toml_file.load(path)
    if "version" in table:  # given by the registry, not by the file
        known = ", ".join(
            name for name in Template.__struct_fields__ if name != "version"
        )
        raise toml_file.MeaninglessKey(file=str(path), key="version", known=known)
    template = toml_file.decode(table, Template, file=path)
    _possible(template, None, named=str(path))
    return template


def satisfiable(directory: Directory, template: Template) -> None:
    """Ask whether any PIN can satisfy card, template and the domain together.

    UnsatisfiableTemplate, DirectoryError. A fine-grained policy of one holder is
    judged when the card is there.
    """
    policy = None
    if template.pin_policy.update_ad_password:
        policy = ask(directory, _domain_policy)
    _possible(template, policy, named=template.name)


def impossible(template: Template) -> Message | None:
    """Return why no card or PIN could satisfy it, whatever the domain says; None: one
    could.
    """
    try:
        _possible(template, None, named=template.name)
    except UnsatisfiableTemplate as error:
        return error.message
    return None


def _possible(template: Template, policy: PasswordPolicy | None, *, named: str) -> None:
    """UnsatisfiableTemplate: no PIN satisfies it, no key could sign, or nobody could
    name it.
    """
    name = template.name
    if not name.isprintable() or not 1 <= len(name.strip()) == len(name) <= _LONGEST:
        raise UnsatisfiableTemplate(file=named, rule="name")
    if template.key_slot != SIGNING_SLOT:
        raise UnsatisfiableTemplate(file=named, rule="key_slot")
    broken = contradiction(effective(limits_of(template), template, None, policy))
    if broken is not None:
        raise UnsatisfiableTemplate(file=named, rule=broken)


def _domain_policy(dc: DomainController) -> PasswordPolicy | None:
    return dc.domain_policy() if isinstance(dc, Examinable) else None


def limits_of(template: Template) -> CardLimits:
    """Return the widest that cards of a template's type take as a PIN."""
    return _LIMITS[template.card_type]


def read_folder(folder: Path) -> tuple[Template, ...]:
    """Read every `*.toml` of a folder, by file name. As `read`, DuplicateTemplate."""
    if not folder.is_dir():
        raise toml_file.FileUnreadable(
            file=str(folder), reason="there is no such folder"
        )
    found: dict[str, Template] = {}
    for path in sorted(folder.glob("*.toml")):
        template = read(path)
        if template.name in found:
            raise DuplicateTemplate(file=str(path), name=template.name)
        found[template.name] = template
    return tuple(found.values())


def publish(
    registry: Registry,
    templates: Sequence[Template],
    *,
    at: float,
    station: str,
    actor: str = "configuration",
) -> tuple[Template, ...]:
    """Save what differs from the newest versions; return what was saved.

    `at` is in seconds UTC. Every version is audited. RegistryError; VersionConflict as
    `unpublished`.
    """

    def commit(tx: Tx) -> tuple[Template, ...]:
        saved: list[Template] = []
        for template in unpublished(tx, templates):
            saved.append(tx.save_template(template))
            tx.audit(_saved(saved[-1], at, station, actor))
        return tuple(saved)

    return registry.run(commit)


def unpublished(view: View, templates: Sequence[Template]) -> tuple[Template, ...]:
    """Return those that differ from what is in force, with the version it has.

    One with a version is a change of just that (a file has none, and says how it shall
    be). VersionConflict: somebody has saved a newer one since.
    """
    differing: list[Template] = []
    for template in templates:
        newest = _newest(view, template.name)
        version = newest.version if newest else 0
        if template.version not in (0, version):
            raise VersionConflict(kind="template", key=template.name)
        as_next = replace(template, version=version)
        if as_next != newest:
            differing.append(as_next)
    return tuple(differing)


def _newest(view: View, name: str) -> Template | None:
    try:
        return view.template(name)
    except RecordMissing:
        return None


def _saved(template: Template, at: float, station: str, actor: str) -> AuditDraft:
    return AuditDraft(
        at=at,
        station=station,
        kind="template.saved",
        actor=actor,
        data={"template": template.name, "version": str(template.version)},
    )


# --- writing -----------------------------------------------------------------


def commented(template: Template) -> str:
    """Return a template as a file with a sentence above every field."""
    lines = [*comment(text("template.about")), ""]
    fields = [name for name in template.__struct_fields__ if name != "version"]
    fields.remove("pin_policy")  # a table stands after the plain keys in TOML
    lines += _fields(template, fields, "template.field")
    lines += ["", "[pin_policy]"]
    policy = template.pin_policy
    lines += _fields(policy, list(PinPolicy.__struct_fields__), "template.policy")
    return "\n".join(lines) + "\n"


def _fields(record: msgspec.Struct, names: list[str], area: str) -> Iterator[str]:
    for name in names:
        yield from comment(text(f"{area}.{name}"))
        yield f"{name} = {toml_value(getattr(record, name))}"
