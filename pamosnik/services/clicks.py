"""Tracked links: what a click, and one that was sent, counts for."""

import secrets
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.model.addresses import hosts
from pamosnik.model.decision import NewLink, Tracking
from pamosnik.model.run import Run, WaitKind
from pamosnik.services.numbers import day_of
from pamosnik.store import accounts, links, runs, stats
from pamosnik.store.links import Click

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
    click = links.count_click(conn, token, now)
    if click is None:
        return False
    account = accounts.load(conn, click.account_id)
    assert account is not None
    day = day_of(now, account.timezone)
    if click.run_id is not None:
        stats.mark_run(conn, click.run_id, stats.CLICKED, day)
    names = tuple(name for name in (click.name, click.address) if name is not None)
    runs.wake(conn, click.contact_id, WaitKind.FOR_CLICK, names, now)
    _count(conn, click, "clicks", day)
    if click.first:
        _count(conn, click, "people", day)
    return True


def previewed(conn: Connection, token: str, now: datetime) -> None:
    """A machine has looked at where the link leads: it is counted as that, and nothing goes on by it."""
    click = links.count_preview(conn, token)
    if click is not None:
        account = accounts.load(conn, click.account_id)
        assert account is not None
        _count(conn, click, "previews", day_of(now, account.timezone))


def offered(conn: Connection, run: Run, step: str, link: NewLink, day: str) -> None:
    """A message was made with it."""
    whose = (run.account_id, run.connection_id, run.flow_id)
    what = f"{stats.LINK}messages:{_called(link.name, link.address)}"
    stats.count(conn, *whose, what, day, version=run.version, step=step)


def _count(conn: Connection, click: Click, what: str, day: str) -> None:
    whose = (click.account_id, click.connection_id, click.flow_id)
    what = f"{stats.LINK}{what}:{_called(click.name, click.address)}"
    stats.count(conn, *whose, what, day, version=click.version, step=click.step)


def _called(name: str | None, address: str) -> str:
    """What a link is called holds no person: its name, or the host, which the flow names (`engine.links`)."""
    return name or ", ".join(sorted(hosts(address)))
