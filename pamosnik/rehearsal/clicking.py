"""Tracked links on a stage: what is shown names where they lead, and whoever opens one is counted."""

import re
from dataclasses import replace

from pamosnik._sqlite import Connection
from pamosnik.rehearsal.happenings import Option, Sent
from pamosnik.services import clicks
from pamosnik.services.public_address import PublicAddress
from pamosnik.store import links

PUBLIC_URL = "https://your-shop.example"
"""Where the links of a stage lead from; nobody is there."""
PUBLIC = PublicAddress(PUBLIC_URL)

_TRACKED = re.compile(rf"{re.escape(PUBLIC_URL + clicks.PATH)}([\w-]+)")


def token_of(address: str | None) -> str | None:
    """The token of a tracked address; None for any other."""
    found = _TRACKED.fullmatch(address or "")
    return None if found is None else found[1]


def shown(conn: Connection, text: str) -> str:
    """A text, or an address, with the addresses that its links lead to."""
    return _TRACKED.sub(lambda found: links.address_of(conn, found[1]) or found[0], text)


def option(conn: Connection, one: Option) -> Option:
    return one if one.url is None else replace(one, url=shown(conn, one.url))


def message(conn: Connection, sent: Sent) -> Sent:
    """What a person is sent, as the flow file names its addresses."""
    return replace(
        sent,
        text=None if sent.text is None else shown(conn, sent.text),
        buttons=tuple(option(conn, one) for one in sent.buttons),
        cards=tuple(
            replace(
                card,
                url=None if card.url is None else shown(conn, card.url),
                buttons=tuple(option(conn, one) for one in card.buttons),
            )
            for card in sent.cards
        ),
    )
