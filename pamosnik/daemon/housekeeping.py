"""What has to be done now and then. Delays that people wait for are rows with `due_at`, never jobs here."""

from datetime import UTC, datetime, timedelta
from functools import partial

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from pamosnik._sqlite import Connection
from pamosnik.clock import Clock
from pamosnik.daemon.tokens import TokenKeeper
from pamosnik.store import accounts, outbox
from pamosnik.store.database import GroupWriter

ATTEMPTS_KEPT = timedelta(hours=2)
"""Longer than any of Meta's limits looks back."""


def schedule(writer: GroupWriter, clock: Clock, tokens: TokenKeeper) -> AsyncIOScheduler:
    """A scheduler with all jobs, not started. Tokens are looked at as soon as it starts."""
    scheduler = AsyncIOScheduler(
        timezone="UTC", job_defaults={"misfire_grace_time": 3600, "coalesce": True, "max_instances": 1}
    )
    scheduler.add_job(partial(_clean, writer, clock), "interval", minutes=15, id="clean")
    scheduler.add_job(tokens.round, "interval", hours=1, id="tokens", next_run_time=datetime.now(UTC))
    return scheduler


async def _clean(writer: GroupWriter, clock: Clock) -> None:
    def work(conn: Connection) -> None:
        accounts.forget_old_sessions(conn, clock.now())
        outbox.forget_attempts(conn, clock.now() - ATTEMPTS_KEPT)

    await writer.write(work)
