"""Tracked links: what a click, and one that was sent, counts for."""

import secrets
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.model.addresses import hosts
from pamosnik.model.decision import Tracking
from pamosnik.model.run import WaitKind
from pamosnik.services.numbers import today
from pamosnik.store import links, runs, stats
from pamosnik.store.links import Link

PATH = "/l/"
"""Before the token, in the address of a tracked link."""


def tracking(public_url: str | None) -> Tracking | None:
    """For one turn: tokens of another turn tell nothing about its own."""
    if public_url is None:
        return None
    return Tracking(f"{public_url.rstrip('/')}{PATH}", secrets.token_hex(16))


def clicked(conn: Connection, token: str, now: datetime) -> bool:
    """Counts a click, once per link in the numbers of its step and once per run; runs that wait for it go on. False
    when the link is gone."""
    counted = links.count_click(conn, token, now)
    if counted is None:
        return False
    click, is_first = counted
    day = today(conn, click.account_id, now)
    if click.run_id is not None:
        stats.mark_run(conn, click.run_id, stats.CLICKED, day)
    names = tuple(name for name in (click.name, click.address) if name is not None)
    runs.wake(conn, click.contact_id, WaitKind.FOR_CLICK, names, now)
    _count(conn, click, "clicks", day)
    if is_first:
        _count(conn, click, "people", day)
    return True


def previewed(conn: Connection, token: str, now: datetime) -> None:
    """A machine has looked at where the link leads: it is counted as that, and nothing goes on by it."""
    click = links.count_preview(conn, token)
    if click is not None:
        _count(conn, click, "previews", today(conn, click.account_id, now))


def sent(conn: Connection, item_id: str, day: str) -> None:
    """A message was accepted: it counts for each of its links."""
    for link in links.of_item(conn, item_id):
        _count(conn, link, "messages", day)


def _count(conn: Connection, link: Link, what: str, day: str) -> None:
    whose = (link.account_id, link.connection_id, link.flow_id)
    what = f"{stats.LINK}{what}:{_called(link.name, link.address)}"
    stats.count(conn, *whose, what, day, version=link.version, step=link.step)


def _called(name: str | None, address: str) -> str:
    """What a link is called holds no person: its name, or the host, which the flow names (`engine.links`)."""
    return name or ", ".join(sorted(hosts(address)))
