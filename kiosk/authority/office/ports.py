"""The office as desks and commands see it: requests and replies, judged at every call.

Who asks comes with the port, never with a request: a station gets an `OfficeAuthority`
of its own, and an `Office` is one operator's session there. Requests and replies are
plain values (`values`, `list_values`, `card_values`), so that a service can carry them
later; a second operator is another session. A credential is given without anything that
is sealed in it (`shown`).

Called on the authority worker's thread. Every call may raise NotInRole, and what
`OFFICE_ERRORS` names; anything else is a bug.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, Protocol

from kiosk.authority.office.card_values import (
    BeginIssue,
    CardImport,
    FinishIssue,
    ImportedCard,
    JudgedOrder,
    KeyChallenge,
    Openers,
    Predecessor,
)
from kiosk.authority.office.fleet import GivenToken
from kiosk.authority.office.list_values import (
    EvidenceFound,
    Rows,
    Wanted,
    Worklist,
)
from kiosk.authority.office.operators import Action, SignedIn
from kiosk.authority.office.values import (
    CodeInUse,
    CredentialView,
    GivenCode,
    Holder,
    JudgedEvidence,
    LockoutSeen,
    OfficeRules,
    Receipt,
    Report,
    SignInChallenge,
    SignInProof,
    TemplateMeaning,
)
from kiosk.authority.ports import Authority
from kiosk.authority.stations.standing import SeenStation
from kiosk.config.sections.station import StationRole
from kiosk.core.errors import KioskError
from kiosk.core.secret import Secret
from statemachine.candidates import Label
from statemachine.lifecycle import State
from storage.errors import DuplicateRecord as DuplicateRecord
from storage.errors import RecordMissing as RecordMissing
from storage.errors import RegistryError
from storage.errors import VersionConflict as VersionConflict
from storage.records import (
    ApprovalKind,
    Credential,
    PublicKey,
    StationRecord,
    Sync,
    Template,
)

OFFICE_ERRORS = (KioskError, RegistryError)
"""What the office may raise: it was refused, or its store has failed."""


class OfficeAuthority(Protocol):
    """What one station may ask before anybody is signed in."""

    @property
    def rules(self) -> OfficeRules:
        """What a desk has to know of the site's rules."""

    def sign_in_challenge(self, card: str, tries_left: int | None) -> SignInChallenge:
        """What the card with that identity key has to sign. SignInRefused.

        `tries_left` at its PIN; None: it does not tell. The last one is not spent.
        """

    def sign_in_by_card(self, proof: SignInProof) -> Office:
        """Begin a session of whose card has signed. ProofFailed, SignInRefused,
        NoRole, DirectoryError.
        """

    def sign_in_by_account(self, name: str, password: Secret) -> Office:
        """Begin a session by one bind. SignInRefused, NoRole, DirectoryError."""


class Looking(Protocol):
    """What an operator may see."""

    def look(self, wanted: Wanted) -> Rows:
        """Return credentials as a list: found by what is typed, or waiting."""

    def meant(self, term: str) -> str:
        """Return the one credential's id that a whole number, card or id means; empty:
        it is none of these.
        """

    def counts(self) -> dict[Worklist, int]:
        """Count what waits, where that is quickly done."""

    def credentials(
        self, *, state: State | None = None, sync: Sync | None = None
    ) -> Iterator[Credential]:
        """Return all of them, by holder. Over a wire: in pages."""

    def find(self, term: str) -> Credential:
        """Return the one that is meant. NoSuchCredential, SeveralCredentials."""

    def credential(self, id: str) -> Credential:
        """Return one by its id. RecordMissing."""

    def view(self, id: str) -> CredentialView:
        """Return everything about one, as it is now."""

    def lockout(self, id: str) -> LockoutSeen:
        """Ask the directory about wrong passwords of its holder. DirectoryError."""

    def set_back_at(self) -> float | None:
        """Say when, this month, an older registry was found in this one's place."""

    def verified(
        self, told: Callable[[int, int], None] = lambda _done, _events: None
    ) -> JudgedEvidence:
        """Judge all evidence, by the authority's own key. ArchiveBusy.

        `told` hears how many events were read, and of how many; what it raises ends it.
        """

    def receipt(self, number: str) -> Receipt | None:
        """Follow one operation through the evidence; None: no such receipt."""

    def export(
        self,
        name: str,
        station: str | None,
        told: Callable[[int, int], None] = lambda _done, _events: None,
    ) -> Callable[[BinaryIO], int]:
        """Return what notes an export and writes it. NoSuchStation, MovedAway.

        `name`: what the copy is called, in the note. `station`: only its chain. `told`
        hears how many events are written, and of how many; what it raises ends it.
        """

    def evidence(self, term: str, *, most: int) -> EvidenceFound:
        """Return the newest events that every word of `term` is in, or of a receipt."""

    def note_export(self, name: str) -> None:
        """Note that a copy of what was shown leaves, and what it is called."""

    def risks(
        self, told: Callable[[int, int], None] = lambda _done, _accounts: None
    ) -> Report:
        """Look at every credential in use. Whatever fails, the others are looked at.

        `told` hears how many accounts were looked at, and of how many; what it raises
        ends the report, which changes nothing.
        """


class Deciding(Protocol):
    """What an operator may decide. `second`: the session of a second operator, where
    the site wants two; SecondNeeded. Refused: also for one's own card.
    """

    def act(
        self, action: Action, id: str, reason: str, second: Office | None
    ) -> Credential:
        """Suspend, resume, revoke or retire; return how it stands then."""

    def close_case(self, id: str, reason: str) -> Credential:
        """Close an out-of-step case as not synchronised."""

    def spends_last_try(self, id: str) -> bool:
        """Say whether an unblock might now spend the last try at the card's PUK."""

    def give_code(
        self, id: str, kind: ApprovalKind, second: Office | None, *, last_try: bool
    ) -> GivenCode:
        """Make a code; its caller shows it once and wipes it. DirectoryError.

        `last_try`: the operator was told of it, and lets it be spent.
        """

    def follow(self, id: str, kind: ApprovalKind) -> CodeInUse | None:
        """Say what has become of the newest code of that kind; None: there is none."""

    def details(self, id: str) -> tuple[str, ...]:
        """Return what tells the holder apart from others; empty: nobody can say."""

    def answer(self, id: str, challenge: Secret, second: Office | None) -> str:
        """Return what to read out to a caller. CodeMistyped, DirectoryError."""

    def visit_port(self) -> Authority:
        """Return the visit's port, for the holder of a card to finish a case here."""

    def must_not_be_own(self, id: str) -> None:
        """Let pass an operator who is not the holder. Refused, DirectoryError."""

    def templates(self) -> list[Template]:
        """Return the newest version of each, at most `values.MOST`."""

    def template(self, name: str, version: int | None = None) -> Template:
        """Return the newest version of one, or that one. RecordMissing."""

    def template_meaning(self, draft: Template) -> TemplateMeaning:
        """Say what a template that is edited would mean for its cards. Each time some
        more are looked at; what is told is of the last time that all were.
        """

    def check_template(self, template: Template) -> None:
        """Ask whether any PIN satisfies it. UnsatisfiableTemplate, DirectoryError."""

    def publish(self, templates: Sequence[Template]) -> tuple[Template, ...]:
        """Save what differs as next versions; return what was saved. VersionConflict:
        one names the version that it was made of, and there is a newer one.
        """


class FleetKeeping(Protocol):
    """Which stations there are, and which may ask. For administrators."""

    def give_station_token(self, station: str, role: StationRole) -> GivenToken:
        """Make a token; its caller shows it once and wipes it."""

    def stations(self) -> tuple[SeenStation, ...]:
        """Return every station, by id."""

    def station(self, id: str) -> SeenStation:
        """Return one. StationNotEnrolled."""

    def revoke_station(self, id: str, reason: str) -> StationRecord:
        """Let it be heard no more, at once. StationNotEnrolled."""

    def rename_station(self, id: str, name: str) -> StationRecord:
        """Call it something else. StationNotEnrolled."""


class CardWork(Protocol):
    """What is put on record while a card is worked on, and what opens it."""

    def look_for(self, term: str) -> tuple[Holder, ...]:
        """Return people one of whose names begins so. DirectoryError."""

    def resolve(
        self,
        names: Sequence[str],
        told: Callable[[int, int], None] = lambda _done, _names: None,
    ) -> tuple[Holder | None, ...]:
        """Return whose account each name is; None: nobody's. DirectoryError.

        `told` hears how many were looked up, and of how many; what it raises ends it.
        """

    def judge_issue(self, account: str, template: str) -> JudgedOrder:
        """Say for whom and as what a card may be issued. Refused, DirectoryError."""

    def predecessor(self, card: str) -> Predecessor | None:
        """Return the last credential of a card, retired. AlreadyOnRecord."""

    def openers(self, predecessor: str) -> Openers:
        """Hand out what may open a retired card. NotBegun."""

    def puk_sent(self, predecessor: str, label: Label) -> None:
        """Commit that a PUK of `openers` is about to be sent; typed: the factory's."""

    def puk_refused(self, predecessor: str, label: Label, left: int | None) -> None:
        """The card compared it and said no; it told `left`."""

    def puk_taken(self, predecessor: str, label: Label) -> None:
        """The card took it."""

    def transport_pin_refused(self, credential: str) -> None:
        """The card does not have, or take, the PIN that was kept: forget it."""

    def begin_issue(self, wanted: BeginIssue) -> Credential:
        """Put a credential on record, with what opens its card, before the card is
        changed. Refused, DirectoryError.
        """

    def keep_transport_pin(self, credential: str, pin: Secret) -> None:
        """Keep a PIN that is about to be set."""

    def keep_puk_of_digits(self, credential: str, puk: Secret) -> None:
        """Keep a PUK in place of the one whose form the card does not take."""

    def key_challenge(self, credential: str) -> KeyChallenge:
        """What a card signs to prove one key. The credential need not be there yet."""

    def finish_issue(self, done: FinishIssue) -> Credential:
        """Put keys and secrets on record. ProofFailed, NotBegun."""

    def abandon(self, credential: str, why: str) -> None:
        """Retire what was not finished, for the error with that code. NotBegun."""

    def judge_import(self, wanted: CardImport) -> JudgedOrder:
        """Say for whom and as what a card may be imported. Refused, DirectoryError."""

    def must_be_free(self, card: str) -> None:
        """Let pass a card that is no credential yet. AlreadyOnRecord."""

    def believe(self, certificate: bytes, holder: str) -> None:
        """Let pass a certificate (DER) of a trusted issuer that names the holder
        (objectGUID). NamesAnother, CertificateError, DirectoryError.
        """

    def trust_card_key(self, certificate: bytes) -> None:
        """Let pass the certificate of a card's own key. CertificateError."""

    def import_card(self, seen: ImportedCard) -> Credential:
        """Put a card from elsewhere on record. As the four before; ProofFailed."""

    def confirm_key(self, id: str, key: PublicKey) -> Credential:
        """Put a proposed key on record, as a second officer. NothingProposed."""

    def judge_admin_key(self, id: str, key: Secret) -> None:
        """Let pass a key that may be kept, once its card has shown it. Refused."""

    def keep_admin_key(self, id: str, key: Secret) -> Credential:
        """Escrow an administrator key that its card has shown."""


class Office(Looking, Deciding, FleetKeeping, CardWork, Protocol):
    """One operator's session at one station."""

    @property
    def operator(self) -> SignedIn:
        """Who is signed in, with the roles of `still`."""

    def still(self) -> None:
        """Read the operator's roles again. NoRole, DirectoryError."""
