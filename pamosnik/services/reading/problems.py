"""What needs the owner, each with its fix."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.clock import local_minute
from pamosnik.errors import HomeError
from pamosnik.services import settling
from pamosnik.services.shapes import Shape, iso
from pamosnik.store import flows, notices
from pamosnik.store.accounts import Account
from pamosnik.store.connections import Connected, ConnectionStatus
from pamosnik.store.notices import Notice

WAL_BYTES_TOLD = 64 << 20
"""It is cut back to half of that once nobody needs it any more."""
ROOM_BYTES_TOLD = 256 << 20
"""Less is told."""


@dataclass(frozen=True, slots=True)
class Problem:
    code: str
    message: str
    fix: str | None
    since: datetime | None = None

    def shape(self) -> Shape:
        return {"code": self.code, "message": self.message, "fix": self.fix, "since": iso(self.since)}


NOT_RUNNING = Problem("daemon_not_running", "The daemon is not running.", "Try: pamosnik serve")
_NOT_CONNECTED = Problem(
    "not_connected", "No Instagram account is connected.", "Try: pamosnik connect --token-stdin"
)
_NO_FLOWS = Problem("no_flows", "No flow is applied.", "Try: pamosnik flows apply flows.yaml")


def of_account(
    conn: Connection, account: Account, connected: Sequence[Connected], now: datetime
) -> list[Problem]:
    told = [one for one in notices.of_account(conn, account.id) if one.code not in notices.ASIDE]
    problems = [_told(notice) for notice in told]
    named = {notice.connection_id for notice in told}
    problems += [
        _resting(one, local_minute(one.rest_until, account.timezone))
        for one in connected
        if one.rest_until is not None and one.rest_until > now and one.id not in named
    ]
    problems += [_told(notice) for notice in settling.left_to_owners(conn) if notice.account_id == account.id]
    if not any(c.status is ConnectionStatus.ACTIVE for c in connected):
        of_the_machine = [notice for notice in told if not notice.account_id]
        if len(problems) == len(of_the_machine):  # nothing else says why
            problems.insert(0, _NOT_CONNECTED)
    elif not flows.applied(conn, account.id):
        problems.append(_NO_FLOWS)
    return problems


def aside(conn: Connection, account: Account) -> list[Problem]:
    """What is worth a look, and may be nothing."""
    return [_told(one) for one in notices.of_account(conn, account.id) if one.code in notices.ASIDE]


def beyond_first_steps(
    conn: Connection, account: Account, connected: Sequence[Connected], now: datetime
) -> list[Problem]:
    """For a page that leads through the first steps: what somebody has not come to yet is no problem there."""
    to_come = [_NO_FLOWS, *([] if connected else [_NOT_CONNECTED])]
    return [one for one in of_account(conn, account, connected, now) if one not in to_come]


def storage(
    refused: tuple[str, str] | None, wal_bytes: int, *, free_bytes: int | None = None
) -> list[Problem]:
    """Problems of the disk and the database's file; `refused`: what the daemon could not do, and the fix;
    `free_bytes`: on the disk, None when nobody can tell."""
    problems: list[Problem] = []
    if refused is not None:
        message, fix = refused
        problems.append(Problem("storage", message, fix))
    if wal_bytes > WAL_BYTES_TOLD:
        problems.append(
            Problem(
                "database_held_open",
                f"pamosnik.db-wal has grown to {wal_bytes >> 20} MB: another program has been reading the"
                " database for long, and what it reads has to stay.",
                "Close whatever has pamosnik.db open, a viewer or a copy under way. Try: fuser -v pamosnik.db",
            )
        )
    if free_bytes is not None and free_bytes < ROOM_BYTES_TOLD:
        problems.append(
            Problem(
                "disk_nearly_full",
                f"Only {free_bytes >> 20} MB are free on the disk of the home. Once it is full, nothing can be stored"
                " and nobody is answered.",
                "Make room there. Try: df -h",
            )
        )
    return problems


def key_file(trouble: HomeError | None) -> list[Problem]:
    """The problem of a key file that does not open."""
    if trouble is None:
        return []
    return [Problem("key_file", trouble.message, trouble.hint)]


def _resting(connected: Connected, until: str) -> Problem:
    return Problem(
        "resting",
        f"Sending rests for {connected.username} until {until}: {connected.rest_reason}.",
        "Nothing to do: it goes on by itself.",
    )


def _told(notice: Notice) -> Problem:
    return Problem(notice.code, notice.message, notice.fix, notice.since)
