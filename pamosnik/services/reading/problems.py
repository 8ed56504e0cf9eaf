"""What needs the owner, each with its fix."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from pamosnik._sqlite import Connection
from pamosnik.errors import HomeError
from pamosnik.services import settling
from pamosnik.services.shapes import Shape, iso, local
from pamosnik.store import flows, notices
from pamosnik.store.accounts import Account
from pamosnik.store.connections import Connected, ConnectionStatus
from pamosnik.store.notices import Notice

WAL_BYTES_TOLD = 64 << 20
"""It is cut back to half of that once nobody needs it any more."""


def of_account(
    conn: Connection, account: Account, connected: Sequence[Connected], now: datetime
) -> list[Shape]:
    told = notices.of_account(conn, account.id)
    problems = [_told(notice) for notice in told]
    named = {notice.connection_id for notice in told}
    resting = [one for one in connected if _rests(one, now) and one.id not in named]
    problems += [_resting(one, ZoneInfo(account.timezone)) for one in resting]
    problems += [_told(notice) for notice in settling.left_to_owners(conn) if notice.account_id == account.id]
    if not any(c.status is ConnectionStatus.ACTIVE for c in connected):
        if not problems:
            problems.append(
                {
                    "code": "not_connected",
                    "message": "No Instagram account is connected.",
                    "fix": "Try: pamosnik connect --token-stdin",
                    "since": None,
                }
            )
    elif not flows.applied(conn, account.id):
        problems.append(
            {
                "code": "no_flows",
                "message": "No flow is applied.",
                "fix": "Try: pamosnik flows apply flows.yaml",
                "since": None,
            }
        )
    return problems


def storage(refused: tuple[str, str] | None, wal_bytes: int) -> list[Shape]:
    """Problems of the disk and the database's file; `refused`: what the daemon could not do, and the fix."""
    problems: list[Shape] = []
    if refused is not None:
        message, fix = refused
        problems.append({"code": "storage", "message": message, "fix": fix, "since": None})
    if wal_bytes > WAL_BYTES_TOLD:
        problems.append(
            {
                "code": "database_held_open",
                "message": f"pamosnik.db-wal has grown to {wal_bytes >> 20} MB: another program has been reading the"
                " database for long, and what it reads has to stay.",
                "fix": "Close whatever has pamosnik.db open, a viewer or a copy under way. Try: fuser -v pamosnik.db",
                "since": None,
            }
        )
    return problems


def key_file(trouble: HomeError | None) -> list[Shape]:
    """The problem of a key file that does not open."""
    if trouble is None:
        return []
    return [{"code": "key_file", "message": trouble.message, "fix": trouble.hint, "since": None}]


def _rests(connected: Connected, now: datetime) -> bool:
    return connected.rest_until is not None and connected.rest_until > now


def _resting(connected: Connected, zone: ZoneInfo) -> Shape:
    return {
        "code": "resting",
        "message": f"Sending rests for {connected.username} until {local(connected.rest_until, zone)}:"
        f" {connected.rest_reason}.",
        "fix": "Nothing to do: it goes on by itself.",
        "since": None,
    }


def _told(notice: Notice) -> Shape:
    return {
        "code": notice.code,
        "message": notice.message,
        "fix": notice.fix,
        "since": iso(notice.since),
    }
