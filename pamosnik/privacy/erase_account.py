"""Erasing an account, once its connections have gone: whatever else carries its id, in an order that no row is left
pointing nowhere, the account's own row last. Driven by the register, so that no table can be forgotten.

What stays are receipts, and Meta's requests with the codes that they were answered with; they name no account.
"""

from collections.abc import Sequence
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.privacy.erase import CHUNK, delete
from pamosnik.privacy.subject import REGISTER
from pamosnik.store import deletions
from pamosnik.store.deletions import MetaTold, Receipt

STAY = ("deletions", "deletion_requests")
"""Without the account's id."""

_SEVEREST = (MetaTold.UNREACHABLE, MetaTold.REFUSED, MetaTold.TOLD)


def may_begin(conn: Connection, receipt: Receipt) -> bool:
    """False while rows of a connection or person are left, whose own deletions are part of this one."""
    return all(part.rows_gone_at is not None for part in deletions.parts(conn, receipt.id))


def erase_some(conn: Connection, receipt: Receipt, now: datetime) -> bool:
    """Deletes the next rows; False when nothing of the account is left, and its receipt speaks for its parts, too."""
    account_id = receipt.subject_id
    assert account_id is not None
    tables = order(conn)
    if any(delete(conn, table, "account_id", account_id, CHUNK) for table in tables if table != "accounts"):
        return True
    delete(conn, "accounts", "account_id", account_id, 1)
    said = {part.meta for part in deletions.parts(conn, receipt.id)}
    meta = next((one for one in _SEVEREST if one in said), MetaTold.NONE)
    deletions.unite(conn, receipt.id, meta)
    deletions.forget_account(conn, account_id)
    deletions.rows_gone(conn, receipt.id, now)
    return False


def order(conn: Connection) -> Sequence[str]:
    """The tables that an account's rows go from; what points to another one comes before it."""
    left = {
        name: {row[2] for row in conn.execute(f"PRAGMA foreign_key_list({name})")} - {name}
        for name in REGISTER
        if name not in STAY
    }
    found: list[str] = []
    while left:
        pointed_to = set().union(*left.values())
        free = sorted(name for name in left if name not in pointed_to)
        found += free
        for name in free:
            del left[name]
    return found
