"""Somebody whose GIDS card is unblocked by its administrator key."""

from __future__ import annotations

from kiosk.authority.office import telephone_unblock
from kiosk.authority.office.desk import Desk
from kiosk.authority.office.operators import SignedIn
from kiosk.config import OperatorRole
from kiosk.core.secret import Secret
from kiosk.simulation.cards.gids_factory import make_gids_card
from kiosk.simulation.cards.options import GidsOptions
from kiosk.simulation.world import World
from kiosk.visit.views import Answers, FieldName, Form, Home, Result
from kiosk.visit.visit import Visit
from statemachine.operation import Kind
from storage.records import (
    CardType,
    Credential,
    PinAlphabet,
    PinPolicy,
    Sync,
    Template,
    UnblockMethod,
)

PIN, NEW = b"2718", b"Correct-Horse-9"
KEY = bytes.fromhex("0123456789ABCDEFFEDCBA98765432108899AABBCCDDEEFF")
ONLINE, PHONE = UnblockMethod.ADMIN_KEY_ONLINE, UnblockMethod.ADMIN_KEY_PHONE
_POLICY = PinPolicy(minimum=4, maximum=16, alphabet=PinAlphabet.PRINTABLE)


class Person:
    """Somebody with a GIDS card whose PIN is forgotten."""

    def __init__(
        self,
        *methods: UnblockMethod,
        key: bytes | None = KEY,
        tries: int = 0,
        options: GidsOptions | None = None,
    ) -> None:
        self.world = World()
        self.world.add_template(
            Template(
                name="staff",
                card_type=CardType.GIDS,
                unblock=methods,
                pin_policy=_POLICY,
            )
        )
        guid = self.world.directory.add_account(
            "alice", display_name="Alice Arnold", password=Secret(b"old-one")
        )
        self.made = make_gids_card(
            self.world.entropy,
            subject="alice",
            pin=PIN,
            admin_key=KEY,
            options=options,
        )
        self.chip = self.made.card
        self.chip.set_tries(pin=tries)
        self.world.register(
            "alice",
            self.made,
            None,
            account_guid=guid,
            template="staff",
            admin_key=None if key is None else Secret(key),
        )

    # --- at the kiosk -----------------------------------------------------------

    def home(self) -> Home:
        self.visit: Visit = self.world.visit(self.world.readers.insert(self.chip))
        return self.visit.recognise()

    def form(self) -> Form:
        self.home()
        return self.visit.begin(Kind.UNBLOCK)

    def submit(self, form: Form, **typed: Secret) -> Result:
        values = {FieldName(name): value for name, value in typed.items()}
        values[FieldName.NEW_PIN] = Secret(NEW)
        return self.visit.submit(form, Answers(values), lambda step: None)

    def unblock_online(self) -> Result:
        form = self.form()
        return self.submit(form, release_code=self.world.release_code("alice"))

    # --- at the helpdesk --------------------------------------------------------

    def answered(self, form: Form, page: Credential | None = None) -> Secret:
        """`page`: the credential as the helpdesk's screen still shows it."""
        assert form.challenge is not None
        hanna = SignedIn(
            account="hanna@ad.test", roles=frozenset({OperatorRole.HELPDESK})
        )
        self.world.directory.add_account("hanna")
        desk = Desk(
            parts=self.world.parts,
            operator=hanna,
            station="desk-1",
            second_for=frozenset(),
        )
        with Secret(form.challenge.spoken.encode()) as challenge:
            spoken = telephone_unblock.answer(
                desk, page or self.world.credential("alice"), challenge
            )
        return Secret(spoken.encode())

    # --- what is true -----------------------------------------------------------

    def is_in_step(self) -> bool:
        with Secret(NEW) as pin:
            binds = self.world.directory.binds(
                self.world.holders["alice"].account_guid, pin
            )
        credential = self.world.credential("alice")
        return binds and self.chip.has_pin(NEW) and credential.sync is Sync.IN_STEP
