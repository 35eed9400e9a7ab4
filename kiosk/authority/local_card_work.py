"""The office in the authority's own process: asked while a card is worked on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kiosk.authority.office import (
    admin_keys,
    desk,
    importing,
    issuing,
    key_records,
    people,
    predecessors,
    second_officer,
)
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
from kiosk.authority.office.certificates import CertificateJudge
from kiosk.authority.office.desk import Desk
from kiosk.authority.office.importing import Trust
from kiosk.authority.office.operators import SignedIn
from kiosk.authority.office.shown import shown
from kiosk.authority.office.sign_in import Entrance
from kiosk.authority.office.values import Holder
from kiosk.core.secret import Secret
from statemachine.candidates import Label
from storage.records import Credential, PublicKey


class LocalCardWork:
    """`ports.CardWork` of one operator. Authority worker's thread only."""

    def __init__(
        self, entrance: Entrance, certificates: CertificateJudge, operator: SignedIn
    ) -> None:
        self._policy = entrance.policy
        self._trust = Trust(certificates, entrance.policy.named_by)
        self._desk = Desk(
            parts=entrance.parts,
            operator=operator,
            station=entrance.station,
            second_for=entrance.policy.second_for,
        )

    def _named(self) -> Desk:
        """Return the desk with the operator's objectGUID known. DirectoryError."""
        self._desk = desk.identified(self._desk)
        return self._desk

    def _record(self, id: str) -> Credential:
        return self._desk.parts.registry.read(lambda view: view.credential(id))

    def look_for(self, term: str) -> tuple[Holder, ...]:
        return people.look_for(self._desk, term)

    def resolve(
        self,
        names: Sequence[str],
        told: Callable[[int, int], None] = lambda _done, _names: None,
    ) -> tuple[Holder | None, ...]:
        return people.resolve(self._desk, names, told)

    def judge_issue(self, account: str, template: str) -> JudgedOrder:
        return issuing.judge(self._desk, account, template)

    def predecessor(self, card: str) -> Predecessor | None:
        return predecessors.last_of(self._desk, card)

    def openers(self, predecessor: str) -> Openers:
        return predecessors.openers(self._desk, predecessor)

    def puk_sent(self, predecessor: str, label: Label) -> None:
        predecessors.puk_sent(self._desk, predecessor, label)

    def puk_refused(self, predecessor: str, label: Label, left: int | None) -> None:
        predecessors.puk_refused(self._desk, predecessor, label, left)

    def puk_taken(self, predecessor: str, label: Label) -> None:
        predecessors.puk_taken(self._desk, predecessor, label)

    def transport_pin_refused(self, credential: str) -> None:
        predecessors.transport_pin_refused(self._desk, credential)

    def begin_issue(self, wanted: BeginIssue) -> Credential:
        return shown(issuing.begin(self._named(), wanted))

    def keep_transport_pin(self, credential: str, pin: Secret) -> None:
        predecessors.keep_transport_pin(self._desk, credential, pin)

    def keep_puk_of_digits(self, credential: str, puk: Secret) -> None:
        predecessors.keep_puk_of_digits(self._desk, credential, puk)

    def key_challenge(self, credential: str) -> KeyChallenge:
        return key_records.challenge(self._desk, credential)

    def finish_issue(self, done: FinishIssue) -> Credential:
        return shown(issuing.finish(self._desk, done))

    def abandon(self, credential: str, why: str) -> None:
        issuing.abandon(self._desk, credential, why)

    def judge_import(self, wanted: CardImport) -> JudgedOrder:
        return importing.judge(self._desk, wanted)

    def must_be_free(self, card: str) -> None:
        importing.must_be_free(self._desk, card)

    def believe(self, certificate: bytes, holder: str) -> None:
        importing.believe(self._desk, self._trust, certificate, holder)

    def trust_card_key(self, certificate: bytes) -> None:
        importing.trust_card_key(self._desk, self._trust, certificate)

    def import_card(self, seen: ImportedCard) -> Credential:
        return shown(importing.import_card(self._named(), self._trust, seen))

    def confirm_key(self, id: str, key: PublicKey) -> Credential:
        record = self._record(id)
        return shown(second_officer.confirm(self._desk, self._trust, record, key))

    def judge_admin_key(self, id: str, key: Secret) -> None:
        admin_keys.judge(self._desk, self._record(id), key)

    def keep_admin_key(self, id: str, key: Secret) -> Credential:
        return shown(admin_keys.keep(self._desk, self._record(id), key))
