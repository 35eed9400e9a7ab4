"""`kiosk credential`: what operators do with cards, each under their own name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from kiosk.authority.escrow.admin_key import KEY_BYTES
from kiosk.authority.office.card_values import CardImport, ImportWay
from kiosk.authority.office.operators import Action, require
from kiosk.authority.office.ports import Office
from kiosk.bootstrap import (
    bench_of,
    monitor_of,
    open_office,
    operators_config,
    source_of,
)
from kiosk.cards.ports import Card
from kiosk.cards.values import KeySlot
from kiosk.certificates import card_certificates, card_keys
from kiosk.cli import credential_text as show_as
from kiosk.cli.ending import words
from kiosk.cli.frame import ConfigOption, JsonOption, new_app
from kiosk.cli.typed import ask_secret
from kiosk.config import Config
from kiosk.core.errors import Message
from kiosk.core.secret import Secret
from kiosk.core.secret_file import read_hex
from kiosk.enrollment import admin_keys, importing
from kiosk.enrollment.bench import Bench
from kiosk.enrollment.issue import Order, issue_card
from kiosk.enrollment.reader import one_card
from kiosk.pin.codes import grouped
from statemachine.lifecycle import State
from storage.records import ApprovalKind, CardType, Credential, ImportedPuk, Sync

CARD_SECONDS = 60.0

Which = Annotated[
    str,
    typer.Argument(
        metavar="CREDENTIAL",
        help="Its id, card, account or holder.",
        show_default=False,
    ),
]
Reason = Annotated[
    str, typer.Option("--reason", help="Why; kept in the audit.", show_default=False)
]
ReaderOption = Annotated[
    str, typer.Option("--reader", help="A part of the name of the reader to use.")
]
AccountOption = Annotated[
    str,
    typer.Option("--account", help="The holder's account.", show_default=False),
]
TemplateOption = Annotated[
    str,
    typer.Option("--template", help="Which template applies.", show_default=False),
]

app = new_app("What operators do with cards, each under their own name.")


# --- look --------------------------------------------------------------------


@app.command("list")
def list_(
    state: Annotated[State | None, typer.Option(help="Only in this state.")] = None,
    sync: Annotated[Sync | None, typer.Option(help="Only standing so.")] = None,
    config: ConfigOption = None,
    *,
    json: JsonOption = False,
) -> None:
    """List credentials, by holder."""
    with open_office(operators_config(config)) as office:
        found = office.credentials(state=state, sync=sync)
        for line in show_as.list_json(found) if json else show_as.table(found):
            print(line)


@app.command()
def show(
    credential: Which, config: ConfigOption = None, *, json: JsonOption = False
) -> None:
    """Show one credential: how it stands, why not, and what happened to it."""
    with open_office(operators_config(config)) as office:
        seen = office.view(office.find(credential).id)
    print(show_as.view_json(seen) if json else show_as.page(seen))


# --- hold, resume, end -------------------------------------------------------


def _act(action: Action, credential: str, config: Path | None, reason: str) -> None:
    with open_office(operators_config(config)) as office:
        after = office.act(action, office.find(credential).id, reason, None)
    now = Message("enrollment.now", {"holder": after.holder, "state": after.state})
    print(words(now))
    if action is Action.REVOKE:
        print(words(Message("enrollment.revoked_advice", {"account": after.account})))


@app.command()
def suspend(credential: Which, reason: Reason, config: ConfigOption = None) -> None:
    """Put a hold on a card, until it is resumed."""
    _act(Action.SUSPEND, credential, config, reason)


@app.command()
def resume(credential: Which, reason: Reason, config: ConfigOption = None) -> None:
    """Lift a hold; the card is again what it was before."""
    _act(Action.RESUME, credential, config, reason)


@app.command()
def revoke(credential: Which, reason: Reason, config: ConfigOption = None) -> None:
    """End a card for good: lost, stolen, left."""
    _act(Action.REVOKE, credential, config, reason)


@app.command()
def retire(credential: Which, reason: Reason, config: ConfigOption = None) -> None:
    """Take a card out of use; it can be issued again."""
    _act(Action.RETIRE, credential, config, reason)


# --- codes -------------------------------------------------------------------


@app.command()
def release(
    credential: Which,
    config: ConfigOption = None,
    *,
    activation: Annotated[
        bool, typer.Option("--activation", help="A code for the first PIN instead.")
    ] = False,
    last_try: Annotated[
        bool,
        typer.Option("--last-try", help="Let the last try at the PUK be spent."),
    ] = False,
) -> None:
    """Give a code to unblock a card (or to activate it); it is shown once."""
    kind = ApprovalKind.ACTIVATION if activation else ApprovalKind.RELEASE
    with open_office(operators_config(config)) as office:
        found = office.find(credential)
        given = office.give_code(found.id, kind, None, last_try=last_try)
    with given.code as code:
        print(words(Message(f"enrollment.code_{kind}", {"holder": found.holder})))
        print(f"\n    {grouped(code)}\n")
    print(words(given.validity))


@app.command()
def answer(credential: Which, config: ConfigOption = None) -> None:
    """Answer, by telephone, the challenge that a waiting card shows at a kiosk."""
    with open_office(operators_config(config)) as office:
        found = office.find(credential)
        prompt = words(Message("enrollment.challenge", {"holder": found.holder}))
        with ask_secret(prompt + " ") as challenge:
            spoken = office.answer(found.id, challenge, None)
    print(words(Message("enrollment.read_out")))
    print(f"\n    {spoken}\n")


# --- issue, import -----------------------------------------------------------


@app.command()
def issue(
    account: AccountOption,
    template: TemplateOption,
    reader: ReaderOption = "",
    config: ConfigOption = None,
) -> None:
    """Personalise the blank or retired card in the reader, as its template says."""
    settings = operators_config(config)
    with (
        open_office(settings) as office,
        _token_pin(office, template) as pin,
        _card(office, Action.ISSUE, settings, reader) as card,
    ):
        order = Order(
            account=account,
            template=template,
            issuer=source_of(settings),
            token_pin=pin,
        )
        issued = issue_card(bench_of(office), card, order, _tell)
    print(show_as.issued(issued.credential))
    if issued.puk is not None:
        with issued.puk as puk:
            print(words(Message("enrollment.holders_puk")))
            print(f"\n    {puk.reveal().decode('ascii')}\n")
    if issued.transport_pin is None:
        print(words(Message("enrollment.transport_in_escrow")))
        return
    with issued.transport_pin as pin:
        print(words(Message("enrollment.transport_pin")))
        print(f"\n    {pin.reveal().decode('ascii')}\n")


@contextmanager
def _token_pin(office: Office, template: str) -> Iterator[Secret | None]:
    """Ask for the PIN that a token has now; None: such cards need none."""
    require(office.operator, Action.ISSUE)
    if office.template(template).card_type is not CardType.PKCS11:
        yield None
        return
    with ask_secret(words(Message("enrollment.token_pin")) + " ") as pin:
        yield pin


def _tell(step: Message) -> None:
    """Say what happens to the card, as it begins."""
    is_personalised = step.key == "enrollment.step.keys"
    print(words(Message("enrollment.personalising") if is_personalised else step))


@contextmanager
def _card(
    office: Office, action: Action, settings: Config, reader: str
) -> Iterator[Card]:
    """Ask who may do that for a card, and wait for it. NotInRole."""
    require(office.operator, action)
    print(words(Message("enrollment.insert")))
    monitor = monitor_of(settings)
    with one_card(monitor, reader=reader, seconds=CARD_SECONDS) as card:
        yield card


@app.command("import")
def import_(
    account: AccountOption,
    template: TemplateOption,
    way: Annotated[
        ImportWay,
        typer.Option(help="How it is settled which key signs for the holder."),
    ] = ImportWay.SIGNATURE,
    puk: Annotated[
        ImportedPuk | None,
        typer.Option(help="What is known of its PUK, if not what the template says."),
    ] = None,
    card: Annotated[
        str, typer.Option(help="A card that is elsewhere: its identity key.")
    ] = "",
    certificate: Annotated[
        Path | None, typer.Option(help="And its certificate (PEM).")
    ] = None,
    reader: ReaderOption = "",
    config: ConfigOption = None,
) -> None:
    """Take over a card that was issued elsewhere.

    The card is in the reader and its holder types its PIN; or it is elsewhere, and
    its key counts once a second officer has confirmed its certificate.
    """
    if bool(card) != bool(certificate):
        raise typer.BadParameter("--card and --certificate belong together")
    settings = operators_config(config)
    wanted = CardImport(
        account=account,
        template=template,
        way=way,
        puk=puk,
    )
    with open_office(settings) as office:
        if certificate is not None:
            (own,) = card_certificates.read_pem(certificate)[:1]
            taken = importing.import_certificate(bench_of(office), card, own, wanted)
        else:
            with _card(office, Action.IMPORT, settings, reader) as inserted:
                taken = taken_at_the_reader(bench_of(office), inserted, wanted)
    print(show_as.taken(taken))


def taken_at_the_reader(bench: Bench, card: Card, wanted: CardImport) -> Credential:
    """Import the card in the reader; its holder types the PIN at the reader's own keys
    where it has some, else here. As `importing.import_card`.
    """
    if wanted.way is not ImportWay.SIGNATURE:
        return importing.import_card(bench, card, wanted, None)
    if card.recognise().pinpad:
        print(words(Message("desk.pin_at_reader")))
        return importing.import_card(bench, card, wanted, None)
    with ask_secret(words(Message("enrollment.holders_pin")) + " ") as pin:
        return importing.import_card(bench, card, wanted, pin)


@app.command("admin-key")
def admin_key(
    credential: Which,
    key_file: Annotated[
        Path,
        typer.Argument(help="A private file (0600) with the 48 hexadecimal digits."),
    ],
    reader: ReaderOption = "",
    config: ConfigOption = None,
) -> None:
    """Keep the administrator key of the card in the reader, once it is proven."""
    settings = operators_config(config)
    with (
        read_hex(key_file, KEY_BYTES) as key,
        open_office(settings) as office,
        _card(office, Action.IMPORT, settings, reader) as card,
    ):
        kept = admin_keys.keep(bench_of(office), card, office.find(credential), key)
    print(words(Message("enrollment.admin_key_kept", {"holder": kept.holder})))


@app.command()
def confirm(
    credential: Which,
    certificate: Annotated[
        Path, typer.Argument(help="The certificate (PEM) that was proposed.")
    ],
    config: ConfigOption = None,
) -> None:
    """Confirm, as a second officer, the key that a first one has proposed."""
    (own,) = card_certificates.read_pem(certificate)[:1]
    key = card_keys.key_of(own, KeySlot.AUTHENTICATION)
    with open_office(operators_config(config)) as office:
        done = office.confirm_key(office.find(credential).id, key)
    print(show_as.taken(done))
