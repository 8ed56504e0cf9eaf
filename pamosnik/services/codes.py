"""Pools of codes: what a file would change, what a flow may give, and telling the owner when one runs low.

A turn reads the next code and gives it in the same transaction as the message that says it; only turns give codes,
and the writer takes one after the other. So no code is given twice, and none is lost when the process ends.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.model.book import Settings
from pamosnik.model.flow import Flow
from pamosnik.model.step import GiveCode
from pamosnik.store import codes, notices

LOW = "codes_low"


@dataclass(frozen=True, slots=True, repr=False)
class PoolChange:
    """What becomes of one pool. Its repr shows no code."""

    pool: str
    new: tuple[str, ...]
    gone: tuple[str, ...]
    """Not in the file any more, and not given."""


def changes(
    conn: Connection, account_id: str, files: Mapping[str, Sequence[str]], pools: Collection[str]
) -> tuple[PoolChange, ...]:
    """What files would change. `files`: pool → codes; `pools`: those that there are afterwards."""
    found = []
    for pool in sorted({*files, *codes.pools(conn, account_id)}):
        if pool in pools and pool not in files:
            continue  # no file mentions it: it stays as it is
        known = codes.known(conn, account_id, pool)
        wanted = dict.fromkeys(files.get(pool, ()))
        new = tuple(code for code in wanted if code not in known)
        gone = tuple(code for code, given in known.items() if not given and code not in wanted)
        if new or gone:
            found.append(PoolChange(pool, new, gone))
    return tuple(found)


def carry_out(conn: Connection, account_id: str, found: Sequence[PoolChange]) -> None:
    for change in found:
        codes.withdraw(conn, account_id, change.pool, change.gone)
        codes.add(conn, account_id, change.pool, change.new)


def made_up(pools: Collection[str]) -> Mapping[str, Sequence[str]]:
    """For a stage: nobody's real codes are shown there."""
    return {pool: [f"{pool}-{number:03}" for number in range(1, 101)] for pool in pools}


def of_flow(conn: Connection, account_id: str, contact_id: str, flow: Flow) -> Mapping[str, str]:
    """Pool → the code of this person, else the next one, for the pools that this flow gives from."""
    found = {}
    for pool in _pools(flow):
        code = codes.of_person(conn, contact_id, pool) or codes.next_free(conn, account_id, pool)
        if code is not None:
            found[pool] = code
    return found


def gives(flow: Flow) -> bool:
    """Whether codes may be given in this flow."""
    return bool(_pools(flow))


def _pools(flow: Flow) -> set[str]:
    return {step.pool for step in flow.steps.values() if isinstance(step, GiveCode)}


def tell_if_low(conn: Connection, account_id: str, settings: Settings, now: datetime) -> None:
    """One notice for all pools of an account; another pool that runs low, and one that is empty, makes it graver."""
    low = {}
    for pool, warn_below in settings.pools.items():
        left = codes.left(conn, account_id, pool, warn_below)
        if left < warn_below:
            low[pool] = left
    if not low:
        notices.settle(conn, account_id, "", LOW)
        return
    listed = ", ".join(f"{pool} ({left or 'none'})" for pool, left in sorted(low.items()))
    grave = len(low) + sum(left == 0 for left in low.values()) - 1
    message = f"Few codes are left to give: {listed}."
    fix = "Add new ones to the codes file. Then: pamosnik flows apply with your flow files"
    notices.raise_notice(conn, account_id, "", LOW, message, fix, now, step=grave)
