"""Cards that come blank to a desk, and a template for those that are no PIV."""

from __future__ import annotations

from kiosk.simulation.cards.options import PivOptions
from kiosk.simulation.cards.piv import SimulatedPivCard
from lab.desk.office import Office
from storage.records import CardType, Template, UnblockMethod


def blank(office: Office, number: int = 7) -> SimulatedPivCard:
    options = PivOptions(serial=bytes((0, 0, 0, number)), version=b"\5\4\3")
    return SimulatedPivCard(entropy=office.world.entropy, options=options)


def gids_template(office: Office, algorithm: str) -> None:
    """Let the site issue GIDS cards, too."""
    with_key = Template(
        name=f"windows {algorithm}",
        card_type=CardType.GIDS,
        key_algorithm=algorithm,
        unblock=(UnblockMethod.ADMIN_KEY_ONLINE,),
    )
    office.world.registry.run(lambda tx: tx.save_template(with_key))
