"""What a station lends to its session at the authority: cards and files of its own.

A card that is asked for is one that is in a reader of this station now, and a file is
one that the operator has named here, or the list of results beside it; nothing else is
to be had, whatever is asked. When the line is cut every card is let go at once, out of
whatever transaction it was in, and a file that is not whole is removed. Desk worker's
thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import assert_never

from kiosk.cards.errors import CardError, CardRemoved, NotSupported
from kiosk.cards.ports import Card, Connection, Pinpad
from kiosk.cards.values import PadCommand
from kiosk.core import private_files
from kiosk.core.errors import reason_of
from kiosk.core.secret import Secret
from kiosk.desk.files import FILE_REFUSED, append, read, results_beside
from kiosk.desk.relay.begun_file import BegunFile
from kiosk.desk.relay.frames import (
    Answered,
    AppendFile,
    Begin,
    BeginFile,
    CardAsked,
    Connect,
    Connected,
    Contents,
    CreateFile,
    Disconnect,
    Done,
    End,
    EndFile,
    Failed,
    FileAsked,
    Hold,
    NoFile,
    PadModify,
    PadVerify,
    ReadFile,
    Replied,
    Status,
    Transmit,
)


class Lending:
    """Everything that is lent to one session."""

    def __init__(self) -> None:
        self.cards: dict[int, Card] = {}
        """What is in the readers now, by insertion; the desk keeps it."""
        self._lent: dict[int, Connection] = {}
        self._named: set[str] = set()
        self._begun: dict[str, BegunFile] = {}

    def named(self, texts: Iterable[str]) -> None:
        """Note what the operator has typed: it may be the name of a file."""
        self._named.update(filter(None, map(str.strip, texts)))

    def answer(self, asked: CardAsked | FileAsked) -> Answered:
        """Do what is asked; errors are answers. The caller wipes what is in it."""
        try:
            if isinstance(asked, FileAsked):
                return self._of_file(asked)
            return self._of_card(asked)
        except CardError as error:
            return Failed(error.code, dict(error.data))
        finally:
            _wipe(asked)

    def left(self, insertion: int) -> None:
        """Forget the card of an insertion: it is out."""
        self._let_go(insertion)
        card = self.cards.pop(insertion, None)
        if card is not None:
            card.close()

    def let_go(self) -> None:
        """End every transaction and connection; the cards stay where they are."""
        self._named.clear()
        for name in tuple(self._begun):
            self._begun.pop(name).drop()
        for insertion in tuple(self._lent):
            self._let_go(insertion)

    # --- inside -----------------------------------------------------------------

    def _of_card(self, asked: CardAsked) -> Answered:
        if isinstance(asked, Connect):
            return self._connected(asked.insertion)
        if isinstance(asked, Disconnect):
            self._let_go(asked.insertion)
            return Done()
        connection = self._lent.get(asked.insertion)
        if connection is None:
            raise CardRemoved(reader="")
        match asked:
            case Begin():
                connection.begin()
            case Hold():
                connection.hold()
            case End():
                connection.end()
            case Transmit(apdu=command):
                reply = connection.transmit(command.reveal())
                try:
                    return Replied(Secret(reply))
                finally:
                    reply[:] = bytes(len(reply))
            case PadVerify():
                return Status(_pad(connection).verify(_command(asked)))
            case PadModify():
                word = _pad(connection).modify(
                    _command(asked), asks_current=asked.asks_current, known=asked.known
                )
                return Status(word)
            case _:
                assert_never(asked)
        return Done()

    def _connected(self, insertion: int) -> Answered:
        card = self.cards.get(insertion)
        if card is None:
            raise CardRemoved(reader="")
        lend: Callable[[], Connection] | None = getattr(card, "lend", None)
        if lend is None:
            raise NotSupported(what="relay")
        self._let_go(insertion)
        connection = self._lent[insertion] = lend()
        return Connected(connection.atr, has_pad=connection.pinpad is not None)

    def _of_file(self, asked: FileAsked) -> Answered:
        if asked.name not in self._named:
            beside = [results_beside(it) for it in self._named]
            if asked.name not in beside:
                return Failed(FILE_REFUSED, {"reason": "not named here"})
        try:
            path = Path(asked.name).expanduser()
            match asked:
                case ReadFile(most=most):
                    return Contents(read(path, most))
                case CreateFile(data=data):
                    private_files.create(path, data)
                case AppendFile(name=name, data=data) if name in self._begun:
                    self._begun[name].add(data)
                case AppendFile(data=data):
                    append(path, data)
                case BeginFile(name=name):
                    self._begun[name] = BegunFile(path)
                case EndFile(name=name, is_whole=is_whole):
                    self._end(name, is_whole=is_whole)
                case _:
                    assert_never(asked)
        except (OSError, ValueError, RuntimeError) as error:
            if isinstance(error, FileNotFoundError) and isinstance(asked, ReadFile):
                return NoFile()
            # RuntimeError: `~somebody` who is not there.
            why = reason_of(error) if isinstance(error, OSError) else "no such name"
            return Failed(FILE_REFUSED, {"reason": why})
        return Done()

    def _end(self, name: str, *, is_whole: bool) -> None:
        begun = self._begun.pop(name, None)
        if begun is None:
            raise ValueError(name)
        if is_whole:
            begun.keep()
        else:
            begun.drop()

    def _let_go(self, insertion: int) -> None:
        connection = self._lent.pop(insertion, None)
        if connection is not None:
            connection.close()
            card = self.cards.get(insertion)
            if card is not None:
                card.close()  # so that it is connected to anew the next time


def _pad(connection: Connection) -> Pinpad:
    if connection.pinpad is None:
        raise NotSupported(what="pinpad")
    return connection.pinpad


def _command(asked: PadVerify | PadModify) -> PadCommand:
    return PadCommand(
        header=asked.header,
        block=asked.block,
        minimum=asked.minimum,
        maximum=asked.maximum,
    )


def _wipe(asked: CardAsked | FileAsked) -> None:
    if isinstance(asked, Transmit):
        asked.apdu.wipe()
    elif isinstance(asked, PadModify) and asked.known is not None:
        asked.known.wipe()
