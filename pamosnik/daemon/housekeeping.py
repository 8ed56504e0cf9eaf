"""What has to be done now and then. Delays that people wait for are rows with `due_at`, never jobs here."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from pamosnik._sqlite import Connection
from pamosnik.clock import Clock
from pamosnik.daemon import callback
from pamosnik.daemon.exports import Exports
from pamosnik.daemon.nightly import Nightly
from pamosnik.daemon.retainer import Retainer
from pamosnik.daemon.tokens import TokenKeeper
from pamosnik.errors import DatabaseDamaged, StorageRefused
from pamosnik.services import visits
from pamosnik.store import (
    attempts,
    deletions,
    instagram_logins,
    login_attempts,
    mailed_links,
    notices,
    sessions,
)
from pamosnik.store.writer import GroupWriter

ATTEMPTS_KEPT = timedelta(hours=2)
"""Longer than any of Meta's limits looks back."""
LOGIN_ATTEMPTS_KEPT = timedelta(days=1)
DELETION_SHOWN = timedelta(days=7)
"""How long `status` tells that data was deleted, unless something is connected before."""
REQUESTS_KEPT = timedelta(days=365)
"""How long Meta's requests about accounts that nothing was known of can be looked up by their code."""
RETENTION_AFTER = timedelta(seconds=90)
"""After the start, and then every hour whether it is due: catching up has its first rounds before."""


def schedule(
    writer: GroupWriter, clock: Clock, tokens: TokenKeeper, exports: Exports, retainer: Retainer
) -> AsyncIOScheduler:
    """A scheduler with all jobs, not started. Each but retention is done as soon as it starts."""
    scheduler = AsyncIOScheduler(
        timezone="UTC", job_defaults={"misfire_grace_time": 3600, "coalesce": True, "max_instances": 1}
    )
    clean = partial(_ends_quietly, writer, partial(_clean, writer, clock, exports))
    look_at_tokens = partial(_ends_quietly, writer, tokens.round)
    scheduler.add_job(clean, "interval", minutes=15, id="clean", next_run_time=datetime.now(UTC))
    scheduler.add_job(look_at_tokens, "interval", hours=1, id="tokens", next_run_time=datetime.now(UTC))
    old = partial(_ends_quietly, writer, retainer.round)
    scheduler.add_job(
        old, "interval", hours=1, id="retention", next_run_time=datetime.now(UTC) + RETENTION_AFTER
    )
    return scheduler


def look_after_backups(scheduler: AsyncIOScheduler, writer: GroupWriter, nightly: Nightly) -> None:
    """Every quarter of an hour, and as soon as it starts: makes what is due, removes what is too old."""
    job = partial(_ends_quietly, writer, nightly.look)
    scheduler.add_job(job, "interval", minutes=15, id="backups", next_run_time=datetime.now(UTC))


async def _ends_quietly(writer: GroupWriter, job: Callable[[], Awaitable[None]]) -> None:
    """A job that the daemon's stop cuts short, or that storage refuses, is done at its next time: APScheduler would
    log a traceback for it."""
    with contextlib.suppress(asyncio.CancelledError):
        try:
            await job()
        except StorageRefused as error:
            writer.storage.refused(error)
        except DatabaseDamaged as error:
            writer.met_damage(error)


async def _clean(writer: GroupWriter, clock: Clock, exports: Exports) -> None:
    exports.sweep()
    await writer.write(partial(forget, now=clock.now()))


def forget(conn: Connection, now: datetime) -> None:
    """Drops what nobody looks at any more."""
    sessions.forget_ended(conn, now)
    sessions.forget_unused_browsers(conn, now, visits.BROWSER_KNOWN)
    mailed_links.forget_ended(conn, now)
    instagram_logins.forget_ended(conn, now)
    login_attempts.forget(conn, now - LOGIN_ATTEMPTS_KEPT)
    attempts.forget(conn, now - ATTEMPTS_KEPT)
    attempts.none_ahead(conn, now)
    notices.forget(conn, notices.DATA_DELETED, now - DELETION_SHOWN)
    notices.forget(conn, callback.DASHBOARD, now - callback.SHOWN)
    deletions.forget_requests(conn, now - REQUESTS_KEPT)
