"""Changing what is applied: putting flows on, rolling one back, pausing; each within a transaction of the caller."""

from collections.abc import Collection, Sequence

from pamosnik._sqlite import Connection
from pamosnik.store import flow_history, flows
from pamosnik.store.flow_history import By, FlowChange
from pamosnik.store.flows import AppliedFlow, NewFlow
from pamosnik.store.renaming import rename
from pamosnik.store.times import ms


def put(
    conn: Connection,
    account_id: str,
    new: list[NewFlow],
    removed: list[str],
    settings: str,
    by: By,
    *,
    order: Sequence[str],
) -> None:
    """Makes this what is applied. Flows not named stay. `order`: of all that are applied then."""
    before = {flow.flow_id: flow for flow in flows.applied(conn, account_id)}
    for flow in new:
        if flow.was is None or flow.flow_id in before:
            continue
        if flow.was in before:
            before[flow.flow_id] = before.pop(flow.was)
        elif not flows.ever_applied(conn, account_id, flow.was):
            continue
        rename(conn, account_id, flow.was, flow.flow_id, by)
    for flow_id in removed:
        if conn.execute("DELETE FROM flows WHERE account_id=? AND flow_id=?", (account_id, flow_id)).rowcount:
            flow_history.add(conn, account_id, flow_id, FlowChange.REMOVED, None, by)
    for flow in new:
        _put_one(conn, account_id, flow, before.get(flow.flow_id), by)
    conn.executemany(
        "UPDATE flows SET place=? WHERE account_id=? AND flow_id=?",
        [(place, account_id, flow_id) for place, flow_id in enumerate(order)],
    )
    conn.execute(
        "INSERT INTO books (account_id, revision, settings, applied_at) VALUES (?,1,?,?) ON CONFLICT (account_id)"
        " DO UPDATE SET revision=revision+1, settings=excluded.settings, applied_at=excluded.applied_at",
        (account_id, settings, ms(by.now)),
    )


def _put_one(conn: Connection, account_id: str, flow: NewFlow, before: AppliedFlow | None, by: By) -> None:
    conn.execute(
        "INSERT INTO flow_versions (account_id, flow_id, version, body, timezone, created_at) VALUES (?,?,?,?,?,?)"
        " ON CONFLICT DO NOTHING",
        (account_id, flow.flow_id, flow.version, flow.body, flow.timezone, ms(by.now)),
    )
    conn.execute(
        "INSERT INTO flows (account_id, flow_id, version, place, title, applied_at) VALUES (?,?,?,0,?,?)"
        " ON CONFLICT (account_id, flow_id) DO UPDATE SET version=excluded.version,"
        " title=excluded.title, applied_at=iif(version=excluded.version, applied_at, excluded.applied_at),"
        " rolled_back_at=iif(?, rolled_back_at, NULL)",
        (account_id, flow.flow_id, flow.version, flow.title, ms(by.now), int(flow.stays_rolled_back)),
    )
    if before is None:
        flow_history.add(conn, account_id, flow.flow_id, FlowChange.ADDED, flow.version, by)
        _still_paused(conn, account_id, flow.flow_id)
    elif before.version != flow.version:
        flow_history.add(conn, account_id, flow.flow_id, FlowChange.CHANGED, flow.version, by)


def _still_paused(conn: Connection, account_id: str, flow_id: str) -> None:
    """A flow that was taken out while it was paused comes back paused: only `flows resume` lets it start again."""
    pause = flow_history.paused_when_removed(conn, account_id, flow_id)
    if pause is not None:
        conn.execute(
            "UPDATE flows SET paused_at=?, paused_by=? WHERE account_id=? AND flow_id=?",
            (ms(pause.at), pause.actor, account_id, flow_id),
        )


def put_back(conn: Connection, account_id: str, flow_id: str, version: str, title: str, by: By) -> None:
    """Another version of a flow becomes the one that is applied; one that was removed comes after the others."""
    known = conn.execute(
        "UPDATE flows SET version=?, title=?, applied_at=?, rolled_back_at=? WHERE account_id=? AND flow_id=?",
        (version, title, ms(by.now), ms(by.now), account_id, flow_id),
    ).rowcount
    if not known:
        conn.execute(
            "INSERT INTO flows (account_id, flow_id, version, place, title, applied_at, rolled_back_at) VALUES"
            " (:account, :flow, :version, (SELECT coalesce(max(place), -1)+1 FROM flows WHERE account_id=:account),"
            " :title, :now, :now)",
            {
                "account": account_id,
                "flow": flow_id,
                "version": version,
                "title": title,
                "now": ms(by.now),
            },
        )
        _still_paused(conn, account_id, flow_id)
    flow_history.add(conn, account_id, flow_id, FlowChange.ROLLED_BACK, version, by)
    _something_changed(conn, account_id)


def set_pause(conn: Connection, account_id: str, flow: AppliedFlow, by: By, *, paused: bool) -> None:
    """Pauses a flow, or lets it start again."""
    conn.execute(
        "UPDATE flows SET paused_at=?, paused_by=? WHERE account_id=? AND flow_id=?",
        (ms(by.now) if paused else None, by.actor if paused else None, account_id, flow.flow_id),
    )
    change = FlowChange.PAUSED if paused else FlowChange.RESUMED
    flow_history.add(conn, account_id, flow.flow_id, change, flow.version, by)
    _something_changed(conn, account_id)


def unmark(conn: Connection, account_id: str, flow_ids: Collection[str]) -> None:
    """The files say again what these flows were rolled back to."""
    conn.executemany(
        "UPDATE flows SET rolled_back_at=NULL WHERE account_id=? AND flow_id=?",
        [(account_id, flow_id) for flow_id in flow_ids],
    )


def _something_changed(conn: Connection, account_id: str) -> None:
    """Tells a running daemon to load the flows again."""
    conn.execute("UPDATE books SET revision=revision+1 WHERE account_id=?", (account_id,))
