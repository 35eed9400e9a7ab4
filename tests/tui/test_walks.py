"""The three walks of docs/walks.md are walked: every hop is called, in that order."""

from __future__ import annotations

import ast
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest
from lab.desk import office as desk_office
from lab.desk.office import Office
from lab.desk.relayed_desk import relayed
from lab.terminal.screens import kiosk

from kiosk.authority.office import templates
from kiosk.core.secret import Secret
from kiosk.simulation.fleet.loopback import loopback_fleet
from kiosk.simulation.world import Reach, World
from kiosk.visit.views import Answers, FieldName, Outcome
from statemachine.operation import Kind
from storage.records import Template

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/walks.md").read_text("utf-8")
_HOP = re.compile(r"^\| `([\w/]+\.py)` \| `([\w.]+)` \|", re.MULTILINE)
OLD, NEW = b"271828", b"314159"

ELSEWHERE = {
    "kiosk/tui/terminal/driver.py": "a pilot presses keys, no terminal",
    "kiosk/faces/keyboard/decoder.py": "the same",
    "kiosk/cards/pcsc/connection.py": "no reader but a simulated one",
    "kiosk/directory/ldap/controller.py": "no controller but a simulated one",
}
"""Files of hops that are not called here, each with the reason."""

Hop = tuple[str, str]
"""A file from the root, and the qualified name of what is called."""


def walks() -> dict[str, list[Hop]]:
    """Return the hops below each heading."""
    parts = re.split(r"^##+ (.+)$", PAGE, flags=re.MULTILINE)[1:]
    return {
        heading: _HOP.findall(text)
        for heading, text in zip(parts[::2], parts[1::2], strict=True)
    }


@contextmanager
def followed(calls: list[Hop]) -> Iterator[None]:
    """Note what is called of ours, on whichever thread."""

    def note(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(f"{ROOT}/kiosk/"):
            calls.append((code.co_filename[len(f"{ROOT}/") :], code.co_qualname))

    before = sys.getprofile()
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(before)
        threading.setprofile(None)


def not_walked(hops: list[Hop], calls: list[Hop]) -> list[Hop]:
    """Return the hops that were not called after the one before them."""
    missed, rest = [], iter(calls)
    for hop in hops:
        if hop[0] not in ELSEWHERE and hop not in rest:
            missed.append(hop)
            rest = iter(calls)
    return missed


def change(reach: Reach | None = None) -> None:
    """Let somebody change a PIN, and the password follow."""
    world = World(reach=reach)
    world.add_template(Template(name="staff"))
    change_in(world)


def change_in(world: World) -> None:
    guid = world.directory.add_account("alice", password=Secret(OLD))
    made, puk = world.make_card("alice", pin=OLD)
    world.register("alice", made, puk, account_guid=guid, template="staff")
    visit = world.visit(world.readers.insert(made.card))
    visit.recognise()
    form = visit.begin(Kind.CHANGE)
    typed = {FieldName.OLD_PIN: Secret(OLD), FieldName.NEW_PIN: Secret(NEW)}
    result = visit.submit(form, Answers(typed), lambda step: None)
    assert result.outcome is Outcome.DONE


@pytest.mark.parametrize("heading", walks())
def test_every_hop_is_there(heading: str) -> None:
    hops = walks()[heading]
    assert len(hops) > 4
    assert [hop for hop in hops if hop[1] not in defined_in(hop[0])] == []


def defined_in(file: str) -> set[str]:
    """Return the qualified names of the functions and methods of a file."""
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    function = ast.FunctionDef | ast.AsyncFunctionDef
    found = {node.name for node in tree.body if isinstance(node, function)}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            found |= {
                f"{node.name}.{each.name}"
                for each in node.body
                if isinstance(each, function)
            }
    return found


async def test_the_pin_is_walked_from_the_key_to_the_apdu() -> None:
    calls: list[Hop] = []
    with followed(calls):  # before the workers' threads begin
        async with kiosk() as shown:
            await shown.insert("everyday")
            await shown.until("Home")
            await shown.pilot.press("enter")
            await shown.until("Form")
            calls.clear()
            await shown.type("271828", "314159", "314159")
            await shown.until("Result")
    hops = walks()["The PIN, from key press to APDU"]
    assert not_walked(hops, calls) == []


def test_an_operators_pin_is_walked_at_a_desk_of_a_fleet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(desk_office, "desk_of", [relayed])
    calls: list[Hop] = []
    with followed(calls):  # before the session's thread begins
        office = Office(with_account=False)
        office.insert(office.holder("hanna"))
        office.submit({"pin": desk_office.PIN})
    assert office.page.name == "menu"
    assert not_walked(walks()["At a desk of a fleet"], calls) == []


def test_the_nonce_is_walked_to_the_write() -> None:
    calls: list[Hop] = []
    with followed(calls):
        change()
    hops = walks()["The nonce, from the authority to the directory's write"]
    assert not_walked(hops, calls) == []


def test_every_call_is_walked_in_a_fleet() -> None:
    calls: list[Hop] = []
    with followed(calls), loopback_fleet() as fleet:
        change(fleet.reach)
    hops = walks()["In a fleet"]
    last = max(index for index, call in enumerate(calls) if call == hops[0])
    assert not_walked(hops, calls[last:]) == []


def test_a_templates_field_is_walked_from_its_file(tmp_path: Path) -> None:
    calls: list[Hop] = []
    office = Office()
    policy = office.world.registry.run(lambda tx: tx.template("staff").pin_policy)
    file = tmp_path / "staff.toml"
    file.write_text(
        templates.commented(Template(name="staff", pin_policy=policy)).replace(
            "refuse_weak = true", "refuse_weak = false"
        )
    )
    with followed(calls):
        read = templates.read(file)
        signed_in = office.authority.sign_in_by_account(
            "ada", Secret(desk_office.PASSWORD)
        )
        assert signed_in.publish((read,))[0].version == 2
        change_in(office.world)
    hops = walks()["A template's field, from file or desk to its effect"]
    assert not_walked(hops, calls) == []


def test_a_templates_field_is_walked_from_the_desk() -> None:
    office = Office()
    office.sign_in("ada")
    office.choose("templates")
    office.choose("staff")
    calls: list[Hop] = []
    with followed(calls):
        office.change({"pin_policy.history": "5"})
        office.change({"pin_policy.history": "5"})
    assert office.notice == "desk.template_saved"
    assert not_walked(walks()["From the desk"], calls) == []
