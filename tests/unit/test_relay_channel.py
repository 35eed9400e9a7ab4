"""What goes between a desk and its authority, and what is no word of it."""

from __future__ import annotations

import resource
import signal
from pathlib import Path

import pytest
from lab.desk.relayed_desk import Cut, Ends

from kiosk.core.errors import Message
from kiosk.core.frame_line import LARGEST_FRAME, LineCut
from kiosk.core.secret import Secret
from kiosk.desk.relay.channel import KEY_BYTES, Channel
from kiosk.desk.relay.frames import (
    AppendFile,
    Asked,
    Begin,
    BeginFile,
    Chosen,
    Connect,
    Contents,
    CreateFile,
    Done,
    EndFile,
    Failed,
    FileAsked,
    NoFile,
    ReadFile,
    Shown,
    Transmit,
    Typed,
    Working,
)
from kiosk.desk.relay.lending import Lending

SESSION = b"s" * KEY_BYTES
OTHER = b"o" * KEY_BYTES


class Pair:
    """Two ends, and the frames that lie between them."""

    def __init__(self, there: bytes = SESSION) -> None:
        self.ends = Ends(Cut())
        with Secret(SESSION) as secret:
            self.station = Channel(self.ends.station, secret, is_station=True)
        with Secret(there) as secret:
            self.authority = Channel(self.ends.authority, secret, is_station=False)

    def on_the_line(self) -> bytes:
        frame = self.ends.authority.inbox.get_nowait()
        assert frame is not None
        return frame


def test_what_is_typed_is_nowhere_on_the_line_and_arrives() -> None:
    pair = Pair()
    with Secret(b"271828") as pin:
        pair.station.send(Typed({"account": "olga"}, {"pin": pin}))
    frame = pair.on_the_line()
    assert b"271828" not in frame
    assert b"olga" not in frame
    pair.ends.authority.inbox.put(frame)
    got = pair.authority.receive(Asked, 1)
    assert got.texts == {"account": "olga"}
    with got.secrets["pin"] as pin:
        assert bytes(pin.reveal()) == b"271828"


@pytest.mark.parametrize("what", ["again", "out of order", "altered", "cut", "made up"])
def test_a_frame_that_is_not_the_next_one_ends_the_line(what: str) -> None:
    pair = Pair()
    pair.station.send(Shown())
    pair.station.send(Chosen("issue"))
    first, second = pair.on_the_line(), pair.on_the_line()
    inbox = pair.ends.authority.inbox
    if what == "again":
        inbox.put(first)
        pair.authority.receive(Asked, 1)
    told = {
        "again": first,
        "out of order": second,
        "altered": first[:-1] + bytes([first[-1] ^ 1]),
        "cut": first[:-1],
        "made up": b"{}",
    }[what]
    inbox.put(told)
    with pytest.raises(LineCut):
        pair.authority.receive(Asked, 1)
    assert pair.ends.is_closed


def test_a_frame_of_another_session_opens_nowhere() -> None:
    pair = Pair(OTHER)
    pair.station.send(Shown())
    with pytest.raises(LineCut):
        pair.authority.receive(Asked, 1)


def test_what_only_the_authority_says_is_not_heard_from_a_station() -> None:
    pair = Pair()
    pair.station.send(Working(Message("desk.working")))
    with pytest.raises(LineCut):
        pair.authority.receive(Asked, 1)


def test_what_goes_one_way_is_not_taken_the_other_way() -> None:
    pair = Pair()
    pair.station.send(Shown())
    pair.ends.station.inbox.put(pair.on_the_line())
    with pytest.raises(LineCut):
        pair.station.receive(Asked, 1)


def test_a_frame_that_is_too_large_is_not_sent() -> None:
    pair = Pair()
    with pytest.raises(LineCut):
        pair.station.send(Contents(b"x" * LARGEST_FRAME))


# --- what a station does not lend ---------------------------------------------------


@pytest.mark.parametrize("insertion", [0, 1, 2**40])
def test_a_card_that_is_not_there_is_not_lent(insertion: int) -> None:
    lending = Lending()
    for asked in (
        Connect(insertion),
        Begin(insertion),
        Transmit(insertion, Secret(b"\0\xa4\4\0")),
    ):
        answer = lending.answer(asked)
        assert isinstance(answer, Failed)
        assert answer.code == "card.removed"


def test_only_a_file_that_was_named_here_is_to_be_had(tmp_path: Path) -> None:
    named, other = tmp_path / "people.csv", tmp_path / "other.csv"
    results = tmp_path / "people.results.csv"
    for file in (named, other):
        file.write_text("account,template\n")
    lending = Lending()
    for name in (str(named), str(other), "/etc/passwd"):
        assert isinstance(lending.answer(ReadFile(name, 100)), Failed)
    lending.named([f" {named} ", ""])
    assert lending.answer(ReadFile(str(named), 100)) == Contents(b"account,template\n")
    assert lending.answer(ReadFile(str(named), 3)) == Contents(b"acco")
    assert isinstance(lending.answer(ReadFile(str(results), 9)), NoFile)
    assert isinstance(lending.answer(CreateFile(str(results), b"a\n")), Done)
    assert isinstance(lending.answer(AppendFile(str(results), b"b\n")), Done)
    assert results.read_bytes() == b"a\nb\n"
    assert results.stat().st_mode & 0o777 == 0o600
    assert isinstance(lending.answer(CreateFile(str(named), b"")), Failed)
    for name in (str(other), str(tmp_path), "/etc/passwd", ""):
        assert isinstance(lending.answer(ReadFile(name, 100)), Failed)
    lending.let_go()
    assert isinstance(lending.answer(ReadFile(str(named), 100)), Failed)


def test_a_long_file_is_there_when_it_is_whole_and_else_not(tmp_path: Path) -> None:
    file, other = tmp_path / "all.jsonl", tmp_path / "other.jsonl"
    other.write_text("own\n")
    lending = Lending()

    def asks(*all_asked: FileAsked) -> list[type]:
        lending.named([str(file), str(other)])
        return [type(lending.answer(each)) for each in all_asked]

    name = str(file)
    begin, piece = BeginFile(name), AppendFile(name, b"a\n")
    assert asks(begin, piece, piece, EndFile(name, is_whole=True)) == [Done] * 4
    assert file.read_bytes() == b"a\na\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert asks(begin) == [Failed], "nothing is written over"
    file.unlink()
    assert asks(begin, piece, EndFile(name, is_whole=False)) == [Done] * 3
    assert not file.exists()
    assert asks(begin, piece) == [Done] * 2
    lending.let_go()
    assert not file.exists(), "the line was cut"
    for is_whole in (True, False):
        assert asks(EndFile(str(other), is_whole=is_whole)) == [Failed]
    assert other.read_text() == "own\n", "what it did not begin it does not remove"
    assert asks(BeginFile(str(tmp_path / "away" / "x"))) == [Failed]


def test_a_long_file_that_does_not_fit_is_gone_and_stays_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "all.jsonl"
    lending = Lending()
    lending.named([str(file)])
    assert isinstance(lending.answer(BeginFile(str(file))), Done)
    piece = AppendFile(str(file), b"a" * (1 << 20))
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, limit[1]))
    try:
        refused = lending.answer(piece)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, before)
    assert isinstance(refused, Failed)
    assert isinstance(lending.answer(piece), Failed)
    assert isinstance(lending.answer(EndFile(str(file), is_whole=True)), Failed)
    assert not file.exists()
