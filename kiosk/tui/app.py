"""The self-service kiosk: one app that shows a visit and cannot be left.

The app is the door: it draws the first frame with as little as possible, has the
station built, then wakes the controller, who decides what is shown, and hands it every
message. Handlers run on the UI thread; blocking work is the station's workers'.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import events, on
from textual.widget import Widget

from kiosk.core.exit_codes import ExitCode
from kiosk.faces import wording
from kiosk.faces.idleness import Idleness
from kiosk.tui import collector
from kiosk.tui.descriptors import screen_of_its_own
from kiosk.tui.locked import code_of
from kiosk.tui.messages import Told
from kiosk.tui.played import PlayedApp
from kiosk.tui.preferences import Preferences
from kiosk.tui.screen_stack import ScreenStack
from kiosk.tui.screens.idle import IdleScreen
from kiosk.tui.screens.idle_warning import PAUSE_KEYS
from kiosk.tui.theme import CONTRAST, KIOSK

if TYPE_CHECKING:
    from kiosk.faces.demo_deck import DemoDeck
    from kiosk.tui.kiosk_controller import KioskController
    from kiosk.tui.tray import TrayHand
    from kiosk.visit.station import FaceSettings, Station

HEALTH_SECONDS = 10.0
TICK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class KioskParts:
    """What a kiosk works with."""

    station: Station
    deck: DemoDeck | None = None
    """Only in the demo."""


class KioskApp(PlayedApp):
    """The kiosk."""

    CSS_PATH = "screens/base.tcss"

    def __init__(
        self,
        settings: FaceSettings,
        build: Callable[[], KioskParts],
        *,
        deck: DemoDeck | None = None,
        now: Callable[[], float] = time.monotonic,
        awake: Callable[[], None] = lambda: None,
    ) -> None:
        """`build`: called once the first frame is drawn; what it raises ends the app.
        `deck`: the demo's, where it is there already: its keys work from the first.
        `awake`: called once everything is loaded that a visit needs.
        """
        super().__init__(now)
        self._build, self._awake = build, awake
        self._settings = settings
        self._parts: KioskParts | None = None
        if deck is not None:
            self.hand = _hand_of(deck)
        self._idleness = Idleness(settings, now)
        self._stage = ScreenStack(self, self._tray, self.turn, self._pass_on)
        self._preferences = Preferences(self, settings)
        self._controller: KioskController | None = None
        """None until the first frame is drawn."""

    def _tray(self) -> Widget | None:
        return None if self.hand is None else self.hand.tray()

    # --- life -------------------------------------------------------------------

    def get_default_screen(self) -> IdleScreen:
        idle = IdleScreen(self._settings)
        idle.turn = self.turn
        idle.floor = self._tray()
        return idle

    def on_mount(self) -> None:
        self.obey_the_terminal()
        self.call_after_refresh(self._wake)

    def _wake(self) -> None:
        """Build the station, import what only a visit needs, and begin to watch the
        readers. Nothing of that waits for anybody else.
        """
        try:
            parts = self._build()
        except Exception as error:  # noqa: BLE001 - told by whoever called `run`
            self.failure = error
            self.exit(int(ExitCode.UNEXPECTED))
            return
        from kiosk.tui.kiosk_controller import KioskController

        self._parts = parts
        if self.hand is None and parts.deck is not None:
            self.hand = _hand_of(parts.deck)
        controller = KioskController(
            self,
            parts.station,
            self._stage,
            self._idleness,
            self._preferences,
            self.now,
        )
        self._controller = controller
        self.set_interval(TICK_SECONDS, controller.tick)
        self.set_interval(HEALTH_SECONDS, controller.ask_health)
        idle = self.screen_stack[0]
        if isinstance(idle, IdleScreen):
            idle.begin(self._tray())
        controller.start()
        for theme in (KIOSK, CONTRAST):
            self.prepare(theme)
        self._awake()

    def stop(self) -> None:
        """Stop the station, if there is one."""
        if self._parts is not None:
            self._parts.station.stop()

    # --- keys -------------------------------------------------------------------

    def before_key(self, event: events.Key) -> bool:
        """Every key says that somebody is there; some are for nobody else."""
        self._idleness.reset()
        if self.moved_by_hand(event.key):
            return True
        if self._stage.cover is None:
            return False
        covered = self._stage.screen
        is_amid = covered is not None and covered.is_amid_entry
        asks_for_time = event.key in PAUSE_KEYS and bool(self._settings.pause)
        if asks_for_time:
            self._idleness.pause()
        if asks_for_time and not is_amid:  # else it may be of what is being typed
            self.turn.answer(event.key)
        else:
            self.turn.swallow(is_typed=event.is_printable)
        self._stage.uncover()
        if covered is not None:
            covered.catch_up()
        return True

    def instead_of_screen(self, event: events.Key) -> bool:
        if self._stage.screen is None:
            words = wording.spoken()
            if self._preferences.press(event.key):
                if wording.spoken() != words:  # other colours are drawn by themselves
                    self._stage.redraw_bottom()
                return True
        controller = self._controller
        return controller is not None and controller.instead_of_screen(
            event.key, is_typed=event.is_printable
        )

    # --- news -------------------------------------------------------------------

    @on(Told)
    def _pass_on(self, message: Told) -> None:
        if self._controller is not None:
            self._controller.hear(message)


def _hand_of(deck: DemoDeck) -> TrayHand:
    from kiosk.tui.tray import TrayHand  # only a demo has one

    return TrayHand(deck)


def run(station: Station, *, deck: DemoDeck | None = None) -> int:
    """Run the kiosk of a station that is there, as `run_built`."""
    return run_built(station.settings, lambda: KioskParts(station, deck), deck=deck)


def run_built(
    settings: FaceSettings,
    build: Callable[[], KioskParts],
    *,
    deck: DemoDeck | None = None,
) -> int:
    """Run the kiosk on this terminal; return the process's exit code.

    `build` is called once the first frame is drawn, on the UI thread; what it raises is
    raised here, the terminal being itself again. `deck`: the demo's, if it is there.

    Call `kiosk.tui.environment.harden`, and `kiosk.tui.collector.rest`, before this
    module is imported.
    """
    with screen_of_its_own():
        app = KioskApp(settings, build, deck=deck, awake=collector.wake)
        try:
            ended_with = app.run(mouse=False)
        finally:
            app.stop()
    return code_of(app, ended_with)
