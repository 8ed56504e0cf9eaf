"""Broadcasts for people and scripts: what is planned, and what became of those that began."""

from collections.abc import Mapping

from pamosnik._sqlite import Connection
from pamosnik.services.broadcasts import SENTENCES
from pamosnik.services.reading.connections import usernames
from pamosnik.services.shapes import Shape, iso
from pamosnik.store import broadcasts as store
from pamosnik.store.accounts import Account
from pamosnik.store.broadcasts import Broadcast

WORDS: Mapping[str, str] = {word.value: sentence for word, sentence in SENTENCES.items()}
"""Why somebody was skipped → the same for people."""


def planned(conn: Connection, account: Account, flow: str | None = None) -> list[Shape]:
    """What is to come, the next first."""
    names = usernames(conn, account)
    return [
        {"flow": one.flow_id, "connection": names.get(one.connection_id), "at": iso(one.due_at)}
        for one in store.planned(conn, account.id)
        if flow in (None, one.flow_id)
    ]


def latest(conn: Connection, account: Account, flow: str | None = None, *, limit: int = 10) -> list[Shape]:
    """What began or should have begun, the newest first."""
    names = usernames(conn, account)
    return [
        _shape(one, names.get(one.connection_id))
        for one in store.latest(conn, account.id, flow_id=flow, limit=limit)
    ]


def _shape(one: Broadcast, connection: str | None) -> Shape:
    return {
        "flow": one.flow_id,
        "connection": connection,
        "version": one.version,
        "planned_at": iso(one.planned_at),
        "began_at": iso(one.began_at),
        "finished_at": iso(one.finished_at),
        "reached": one.reached,
        "skipped": dict(one.skipped),
        "reason": one.reason,
    }


def sentence(broadcast: Shape) -> str:
    """What became of one."""
    skipped = broadcast["skipped"]
    assert isinstance(skipped, dict)
    whys = ", ".join(f"{n} {WORDS.get(word, word)}" for word, n in skipped.items())
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
