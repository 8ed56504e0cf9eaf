"""Broadcasts for people and scripts: what is planned, and what became of those that began."""

from collections.abc import Mapping
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.services.broadcasts import SENTENCES
from pamosnik.store import broadcasts as store
from pamosnik.store import connections
from pamosnik.store.accounts import Account
from pamosnik.store.broadcasts import Broadcast

Shape = dict[str, object]
_WORDS: Mapping[str, str] = {word.value: sentence for word, sentence in SENTENCES.items()}


def planned(conn: Connection, account: Account, flow: str | None = None) -> list[Shape]:
    """What is to come, the next first."""
    names = _usernames(conn, account)
    return [
        {"flow": one.flow_id, "connection": names.get(one.connection_id), "at": _iso(one.due_at)}
        for one in store.planned(conn, account.id)
        if flow in (None, one.flow_id)
    ]


def latest(conn: Connection, account: Account, flow: str | None = None, *, limit: int = 10) -> list[Shape]:
    """What began or should have begun, the newest first."""
    names = _usernames(conn, account)
    return [
        _shape(one, names.get(one.connection_id))
        for one in store.latest(conn, account.id, flow_id=flow, limit=limit)
    ]


def _shape(one: Broadcast, connection: str | None) -> Shape:
    return {
        "flow": one.flow_id,
        "connection": connection,
        "version": one.version,
        "planned_at": _iso(one.planned_at),
        "began_at": _iso(one.began_at),
        "finished_at": None if one.finished_at is None else _iso(one.finished_at),
        "reached": one.reached,
        "skipped": dict(one.skipped),
        "reason": one.reason,
    }


def sentence(broadcast: Shape) -> str:
    """What became of one."""
    skipped = broadcast["skipped"]
    assert isinstance(skipped, dict)
    whys = ", ".join(f"{n} {_WORDS.get(word, word)}" for word, n in skipped.items())
    said = f"{broadcast['reached']} reached, {sum(skipped.values())} skipped{f' ({whys})' if whys else ''}"
    if broadcast["finished_at"] is None:
        return f"under way: {said}"
    if broadcast["reason"] is None:
        return said
    began = broadcast["reached"] or skipped
    return (
        f"{said}; ended early: {broadcast['reason']}"
        if began
        else f"did not take place: {broadcast['reason']}"
    )


def _usernames(conn: Connection, account: Account) -> Mapping[str, str]:
    return {one.id: one.username for one in connections.of_account(conn, account.id)}


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
