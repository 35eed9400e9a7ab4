"""What is written beside a batch, whatever becomes of disk, list and operator."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from lab.desk.blanks import blank
from lab.desk.office import Office

from kiosk.certificates.local_ca import Issuer
from kiosk.certificates.ports import SourceRefused
from kiosk.core.errors import Message
from kiosk.desk import files
from kiosk.desk.files import FileRefused, OwnFiles
from kiosk.desk.relay import lending
from kiosk.desk.relay.frames import Failed, ReadFile
from kiosk.desk.relay.lending import Lending
from kiosk.desk.views import Style
from storage.records import Template


def chosen(tmp_path: Path, *lines: str, template: str = "staff") -> Office:
    """Olga has chosen a list with one person on each line."""
    office = Office()
    if template != "staff":
        office.world.add_template(Template(name=template))
    for name in {line.split("@")[0].lower() for line in lines}:
        office.person(name)
    listed = "".join(f'{line},"{template}"\n' for line in lines)
    (tmp_path / "people.csv").write_text(f"account,template\n{listed}")
    office.sign_in("olga")
    return again(office, tmp_path)


def again(office: Office, tmp_path: Path) -> Office:
    office.choose("batch" if office.page.name == "menu" else "go:batch")
    office.submit(file=str(tmp_path / "people.csv"))
    return office


def issue(office: Office, number: int = 7) -> int:
    """Issue a blank card to whoever is next; return its insertion."""
    card = office.world.readers.insert(blank(office, number))
    office.page = office.desk.card_came(card)
    office.submit()
    return card.insertion


def shows_pin(office: Office) -> bool:
    return bool(pin_shown(office))


def pin_shown(office: Office) -> str:
    """The transport PIN on the page; empty: there is none."""
    codes = [it.text for it in office.page.lines if it.style is Style.CODE]
    return str(codes[0]) if codes else ""


def test_one_person_by_two_names_gets_one_card(tmp_path: Path) -> None:
    office = chosen(tmp_path, "alice", "ALICE@ad.test")
    assert office.notice == "desk.batch_wrong"
    assert office.page.table is not None
    assert [(row.cells[0], row.cells[3]) for row in office.page.table.rows] == [
        ("3", Message("desk.batch_problem.twice", {"line": 2}))
    ]


@pytest.mark.parametrize("end", ['"B', '"Büro, K', '"B\u00fc'.encode()[:-1]])
def test_a_batch_goes_on_wherever_its_results_were_cut(
    tmp_path: Path, end: str | bytes
) -> None:
    """By a full disk: in a letter, or between quotes."""
    office = chosen(tmp_path, "alice", "bert", template="Büro, Köln")
    office.choose("skip")
    results = tmp_path / "people.results.csv"
    cut = b"3,bert@ad.test," + (end.encode() if isinstance(end, str) else end)
    results.write_bytes(results.read_bytes() + cut)
    again(office, tmp_path)
    assert office.page.name == "batch_run", office.page.notice
    assert "Bert Example" in office.text()
    office.choose("skip")
    again(office, tmp_path)
    assert "The batch is finished" in office.text()


@pytest.mark.usefixtures("here_and_relayed")
def test_a_card_is_issued_once_and_its_pin_shown_where_its_line_finds_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = chosen(tmp_path, "alice", "bert")

    def full(path: Path, data: bytes) -> None:
        if b"done" in data:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        append(path, data)

    append = files.append
    for module in (files, lending):
        monkeypatch.setattr(module, "append", full)
    issue(office)
    assert shows_pin(office), "nobody else has it"
    assert "desk.file_refused" in office.sentences()
    assert "Bert Example" in office.text(), "the first one has a card"
    for module in (files, lending):
        monkeypatch.setattr(module, "append", append)
    office.choose("skip")
    assert "desk.file_refused" not in office.sentences()
    lines = (tmp_path / "people.results.csv").read_text().splitlines()
    told = [line.split(",")[3] for line in lines if line]
    assert told == ["result", "begun", "done", "skipped"]


def no_room(patch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    for module in (files, lending):
        patch.setattr(module, "append", full)


def no_issuer(patch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> Issuer:
        raise SourceRefused(reason="no")

    patch.setattr(Issuer, "from_files", gone)


def nothing(patch: pytest.MonkeyPatch) -> None:
    """All is well at the station."""


@pytest.mark.usefixtures("here_and_relayed")
@pytest.mark.parametrize(
    ("fails", "number"), [(no_room, 8), (no_issuer, 8), (nothing, 7)]
)
def test_what_goes_with_a_card_is_there_until_the_next_one_is_issued(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fails: Callable[[pytest.MonkeyPatch], None],
    number: int,
) -> None:
    """7: the card that was issued is put in once more."""
    office = chosen(tmp_path, "alice", "bert")
    office.pull(issue(office, 7))
    first = pin_shown(office)
    assert first
    with monkeypatch.context() as patch:
        fails(patch)
        insertion = issue(office, number)
        assert office.page.is_refused
        assert pin_shown(office) == first, "nobody else has it"
        assert office.page.leaving == Message("desk.batch.leaving_pin")
    office.pull(insertion)
    issue(office, 8)
    assert "The batch is finished" in office.text()
    assert pin_shown(office) not in ("", first)


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "people.csv"
    os.mkfifo(pipe)
    told: list[object] = []

    def here() -> None:
        try:
            told.append(OwnFiles().read(str(pipe), most=10))
        except FileRefused as error:
            told.append(error.data["reason"])

    def lent() -> None:
        lends = Lending()
        lends.named([str(pipe)])
        told.append(lends.answer(ReadFile(str(pipe), 10)))

    for read in (here, lent):
        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        thread.join(10)
    reason = "it is no file"
    assert told == [reason, Failed(files.FILE_REFUSED, {"reason": reason})]
