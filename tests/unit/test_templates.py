"""A template file is read strictly, and is a version when it says something new."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from kiosk.authority.office import templates
from kiosk.config import toml_file
from kiosk.core.clock import SystemClock
from kiosk.core.entropy import SeededEntropy
from kiosk.simulation.domain import SimulatedDirectory
from kiosk.texts import sentence
from storage.memory_registry import MemoryRegistry
from storage.records import PinAlphabet, PinPolicy, Template, UnblockMethod

STAFF = Template(
    name="staff",
    unblock=(UnblockMethod.RELEASE_CODE, UnblockMethod.HOLDER_PUK),
    pin_policy=PinPolicy(name="pin", minimum=6, history=3),
)


def written(folder: Path, template: Template, name: str = "staff.toml") -> Path:
    path = folder / name
    path.write_text(templates.commented(template), "utf-8")
    return path


def replaced(path: Path, old: str, new: str) -> Path:
    before = path.read_text("utf-8")
    assert old in before
    path.write_text(before.replace(old, new), "utf-8")
    return path


def test_a_written_template_is_read_back_the_same(tmp_path: Path) -> None:
    assert templates.read(written(tmp_path, STAFF)) == STAFF


def test_every_field_stands_in_the_file_with_its_sentence_above(tmp_path: Path) -> None:
    lines = templates.commented(STAFF).splitlines()
    for name in (*Template.__struct_fields__, *PinPolicy.__struct_fields__):
        if name in ("version", "pin_policy"):
            continue
        place = next(i for i, line in enumerate(lines) if line.startswith(f"{name} ="))
        assert lines[place - 1].startswith("# "), name


def test_a_misspelt_field_is_refused_with_the_right_one(tmp_path: Path) -> None:
    path = replaced(written(tmp_path, STAFF), "\nhistory =", "\nhistroy =")
    with pytest.raises(toml_file.UnknownTomlKey) as caught:
        templates.read(path)
    assert caught.value.data["key"] == "pin_policy.histroy"
    assert caught.value.data["nearest"] == "pin_policy.history"


def test_a_word_that_is_no_choice_is_refused_with_the_choices(tmp_path: Path) -> None:
    path = replaced(written(tmp_path, STAFF), '"piv"', '"pivv"')
    with pytest.raises(toml_file.WrongValue) as caught:
        templates.read(path)
    assert caught.value.data["expected"] == 'one of: "piv", "gids", "pkcs11"'


def test_a_version_in_a_file_is_refused(tmp_path: Path) -> None:
    path = replaced(
        written(tmp_path, STAFF), 'name = "staff"', 'version = 3\nname = "staff"'
    )
    with pytest.raises(toml_file.MeaninglessKey) as caught:
        templates.read(path)
    assert caught.value.data["key"] == "version"


@pytest.mark.parametrize(
    "policy",
    [
        PinPolicy(minimum=9, maximum=12),
        PinPolicy(minimum=8, maximum=7),
        PinPolicy(required_classes=2),
        PinPolicy(alphabet=PinAlphabet.PRINTABLE, required_classes=5),
    ],
)
def test_a_template_that_no_pin_satisfies_is_refused(
    tmp_path: Path, policy: PinPolicy
) -> None:
    with pytest.raises(templates.UnsatisfiableTemplate) as caught:
        templates.read(written(tmp_path, replace(STAFF, pin_policy=policy)))
    assert "Look at" in sentence(caught.value.message)


def test_a_template_names_no_key_that_could_not_sign_for_a_holder(
    tmp_path: Path,
) -> None:
    wrong = replace(STAFF, key_slot="9E")
    with pytest.raises(templates.UnsatisfiableTemplate) as in_a_file:
        templates.read(written(tmp_path, wrong))
    directory = SimulatedDirectory(SystemClock(), SeededEntropy(1))
    with pytest.raises(templates.UnsatisfiableTemplate) as at_the_desk:
        templates.satisfiable(directory, wrong)
    for refused in (in_a_file, at_the_desk):
        assert "9A, which asks for the PIN" in sentence(refused.value.message)


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    written(tmp_path, STAFF, "a.toml")
    written(tmp_path, STAFF, "b.toml")
    with pytest.raises(templates.DuplicateTemplate) as caught:
        templates.read_folder(tmp_path)
    assert caught.value.data == {"file": str(tmp_path / "b.toml"), "name": "staff"}


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(toml_file.FileUnreadable):
        templates.read_folder(tmp_path / "none")


def test_a_new_template_is_saved_once_and_audited() -> None:
    registry = MemoryRegistry()
    first = templates.publish(registry, [STAFF], at=1.0, station="s")
    again = templates.publish(registry, [STAFF], at=2.0, station="s")
    assert [each.version for each in first] == [1]
    assert again == ()
    assert [event.kind for event in registry.audit_events()] == ["template.saved"]


def test_a_changed_template_becomes_the_next_version_and_the_old_one_stays() -> None:
    registry = MemoryRegistry()
    templates.publish(registry, [STAFF], at=1.0, station="s")
    changed = replace(STAFF, self_service=False)
    (saved,) = templates.publish(registry, [changed], at=2.0, station="s")
    assert saved.version == 2
    assert registry.run(lambda tx: tx.template("staff", 1)).self_service
    assert not registry.run(lambda tx: tx.template("staff")).self_service


@pytest.mark.parametrize(
    "name", ["", " ", "staff ", "a\nb", "\u202estaff", "\x1b[31mstaff", "s" * 65]
)
def test_a_name_that_nobody_could_type_or_read_is_refused(
    tmp_path: Path, name: str
) -> None:
    """Once saved it would stay: a version is never taken away."""
    with pytest.raises(templates.UnsatisfiableTemplate) as caught:
        templates.read(written(tmp_path, replace(STAFF, name=name)))
    assert "from 1 to 64 visible characters" in sentence(caught.value.message)


@pytest.mark.parametrize("name", ["staff", "Außendienst (Köln)", "s" * 64, "職員"])
def test_a_name_is_in_any_script(tmp_path: Path, name: str) -> None:
    assert templates.read(written(tmp_path, replace(STAFF, name=name))).name == name
