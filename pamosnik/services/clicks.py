"""Clicks on tracked links: what one counts for."""

import secrets
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.model.decision import Tracking
from pamosnik.model.run import WaitKind
from pamosnik.services.numbers import day_of
from pamosnik.store import accounts, links, runs, stats

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
    if click.first:
        stats.count(
            conn,
            click.account_id,
            click.connection_id,
            click.flow_id,
            stats.CLICKED,
            day,
            step=click.step,
        )
    return True
