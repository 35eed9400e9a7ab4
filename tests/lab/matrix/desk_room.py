"""The operators' terminal in the room: a desk made anew, opened at any page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from kiosk.authority.escrow import admin_key, escrowed_secrets
from kiosk.authority.office import listing
from kiosk.cards.ports import ReaderEvent
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.core.workers import SerialWorker
from kiosk.desk import templating
from kiosk.desk.views import DeskPort, Page
from kiosk.pin.challenges import heard, spoken
from kiosk.simulation.demo_desk import CARD_READER, OPERATORS_READER, DemoDesk
from kiosk.simulation.face_settings import SETTINGS
from lab.matrix import facts, kiosk_worlds
from lab.matrix.desk_pages import CARDS, OPERATORS, PAGES, PEOPLE, opened
from lab.matrix.room import Room, patient
from storage.records import Template, UnblockMethod
from storage.registry import Tx


class DeskStation:
    """`desk.station.DeskStation` for whatever desk there is now."""

    def __init__(self, room: Room) -> None:
        self._gate = room.gate
        self._emit: Callable[[ReaderEvent], None] | None = None
        self._message: Message | None = None
        self.demo = DemoDesk()
        self._known = self._templates()
        self.searched: list[str] = []
        """What was looked for."""
        self.settings = patient(SETTINGS)
        self.worker = SerialWorker("desk")
        """One for all desks: what was asked of an earlier one is answered as well."""

    def anew(self) -> None:
        """Begin at a desk where nothing has happened."""
        self.demo.readers.pull(CARD_READER)
        self.demo.readers.pull(OPERATORS_READER)
        self.demo.stop()
        self._message = None
        self.demo = DemoDesk()
        self._known = self._templates()
        self.searched.clear()
        if self._emit is not None:
            self.demo.readers.start(self._emit)

    def _templates(self) -> dict[str, list[Template]]:
        tables = self.demo.world.registry._tables  # type: ignore[attr-defined]  # a MemoryRegistry
        return {name: [*versions] for name, versions in tables.templates.items()}

    def made(self) -> list[Template]:
        """Return the templates that were not there at first."""
        now = self._templates().items()
        return [it[-1] for name, it in now if name not in self._known]

    def close(self) -> None:
        """Let it be impossible to open."""
        self._message = Message("kiosk.unexpected")

    def start(self, emit: Callable[[ReaderEvent], None]) -> None:
        self._emit = emit
        self.demo.start(emit)

    def open(self) -> DeskPort | Message:
        return self._message or self.demo.open()

    def on_worker(self, job: Callable[[], None]) -> None:
        self.worker.post(self._gate.before(job))

    def stop_waiting(self) -> None:
        self.demo.stop_waiting()

    def stop(self) -> None:
        self.demo.stop()


class DeskRoom(Room):
    """Orders about pages, and what became of them."""

    def __init__(self) -> None:
        super().__init__()
        self.station = DeskStation(self)

    def run(self) -> int:
        self.watch()
        self._watch_search()
        from kiosk.tui.desk_app import run

        return run(self.station)

    def _watch_search(self) -> None:
        """Know what is looked for."""
        meant, searched = listing.meant, self.station.searched

        def asking(desk: Any, term: str) -> str:
            searched.append(term)
            return meant(desk, term)

        setattr(listing, "meant", asking)  # noqa: B010 - a laboratory's hook

    def workers(self) -> list[Any]:
        return [self.station.worker.post]

    # --- what is done ---------------------------------------------------------------

    def do_anew(self) -> None:
        self.gate.open()
        self.station.anew()
        self.rest()

    def do_open(self, page: str) -> None:
        """Show that page to its operator, as if they had gone there."""
        if page == "closed":
            self.station.close()
        else:
            opened(self.station.demo, *PAGES[page])
        for name in CARDS.get(page, ()):
            self.do_insert(name)
        self._show()

    def _show(self) -> None:
        """Have the app ask for the page that the session has."""

        def ask(session: DeskPort) -> Page:
            return session.page()

        self.app.call_from_thread(self._uncovered)
        self.app.call_from_thread(self.app._ask, ask)

    def _uncovered(self) -> None:
        """Take away what a key has put over the page: it may be the same one again."""
        if self.app._stage.cover is not None:
            self.app._stage.uncover()

    def do_insert(self, name: str) -> None:
        if name in OPERATORS:
            self.station.demo.insert(OPERATORS.index(name))
        else:
            self.station.demo.insert(PEOPLE[name])

    def do_pull(self) -> None:
        self.station.demo.pull()

    def do_by_telephone(self) -> None:
        """Let Alice's card be one that is answered by telephone."""
        world = self.station.demo.world
        template = Template(name="by phone", unblock=(UnblockMethod.ADMIN_KEY_PHONE,))
        world.add_template(template)
        key = Secret(kiosk_worlds.ADMIN_KEY)
        own = "credential-everyday"
        sealed = escrowed_secrets.seal_field(world.parts, own, "admin_key", key)
        kiosk_worlds.set_state(
            world,
            "everyday",
            template="by phone",
            card="gids:everyday",
            admin_key_sealed=sealed,
        )

    def do_crowd(self, count: int) -> None:
        """Put so many people on record."""
        registry = self.station.demo.world.registry
        like = registry.run(lambda tx: tx.credential("credential-everyday"))

        def register(tx: Tx) -> None:
            for number in range(count):
                tx.save_credential(
                    replace(
                        like,
                        id=f"crowd-{number:05}",
                        card=f"piv:guid:{number:032x}",
                        holder=f"Jörg {number:05}",
                        account=f"p{number:05}@ad.test",
                        version=0,
                    )
                )

        registry.run(register)

    def do_answer(self, challenge: str) -> dict[str, str]:
        """Answer what was read out, as the key in escrow does."""
        with Secret(challenge.encode()) as typed:
            block = heard(typed)
        if block is None:
            raise ValueError(challenge)
        key = Secret(kiosk_worlds.ADMIN_KEY)
        return {"answer": spoken(admin_key.answer(key, bytes(block)))}

    # --- what is read ---------------------------------------------------------------

    def do_facts(self) -> dict[str, Any]:
        return facts.facts_of(self.station.demo.world)

    def do_reasons(self) -> dict[str, list[str]]:
        return {"reasons": facts.reasons(self.station.demo.world)}

    def do_searched(self) -> dict[str, list[str]]:
        """Tell what was looked for, as it reached the search."""
        return {"terms": self.station.searched}

    def do_made(self, field: str) -> dict[str, list[str]]:
        """Tell what templates that were made here have in a field."""
        made = self.station.made()
        return {"made": [templating.groups()[0].value(it, field) for it in made]}

    def do_operator(self) -> dict[str, str]:
        desk: Any = self.station.demo.open()
        session = desk._context.session
        return {"operator": session.operator.account if session else ""}
