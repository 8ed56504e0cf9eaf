"""Lists of people, of one account: those who are wanted, heard from last first."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.store.times import ms

_WINDOW = timedelta(hours=24)
"""Whose window is open was heard from since (`instagram.limits.WINDOW`)."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which people are asked for; with nothing said all."""

    since: datetime | None = None
    """Heard from then or later."""
    opted_out: bool = False
    open_at: datetime | None = None
    """Their window is open then."""
    tag: str | None = None
    text: str | None = None
    """As `model.words.fold` writes it, in what is known of them."""


EVERYBODY = Wanted()
_HAS_TEXT = (
    "(instr(lower(search), :word) OR length(search)<>length(CAST(search AS BLOB)))"
    " AND instr(folded(search), :text)"
)
"""Folding a hundred thousand texts takes a third of a second: plain ASCII without the longest word is not folded, and
white space is all else that folding changes in it."""


def newest(
    conn: Connection,
    account_id: str,
    wanted: Wanted = EVERYBODY,
    *,
    limit: int | None,
    before: tuple[datetime, str] | None = None,
) -> list[str]:
    """Ids of contacts; `before` (heard from, id): those after that one."""
    asked, values = _asked(wanted)
    if before is not None:
        asked += " AND (last_seen_at, contact_id)<(:at, :id)"
        values |= {"at": ms(before[0]), "id": before[1]}
    rows = conn.execute(
        f"SELECT contact_id FROM contacts p WHERE account_id=:account{asked}"  # noqa: S608 - conditions of ours
        " ORDER BY last_seen_at DESC, contact_id DESC LIMIT :limit",
        {**values, "account": account_id, "limit": -1 if limit is None else limit},
    )
    return [contact_id for (contact_id,) in rows]


def of_connection(
    conn: Connection, connection_id: str, wanted: Wanted = EVERYBODY, *, after: str, limit: int
) -> list[str]:
    """Ids of its contacts in the order of their IGSIDs, beginning after this one. It stays the same while somebody
    reads part after part, and each part is found by an index."""
    asked, values = _asked(wanted)
    rows = conn.execute(
        "SELECT contact_id FROM contacts p WHERE connection_id=:connection AND igsid>:after"  # noqa: S608 - as above
        f"{asked} ORDER BY igsid LIMIT :limit",
        {**values, "connection": connection_id, "after": after, "limit": limit},
    )
    return [contact_id for (contact_id,) in rows]


def _asked(wanted: Wanted) -> tuple[str, dict[str, object]]:
    """Conditions, and their values."""
    conditions = {
        "last_seen_at>=:since": wanted.since is not None,
        "opted_out_at IS NOT NULL": wanted.opted_out,
        "window_open_until>:open_at AND last_seen_at>:day_before": wanted.open_at is not None,
        "EXISTS (SELECT 1 FROM contact_tags t WHERE t.contact_id=p.contact_id AND t.tag=:tag)": wanted.tag,
        _HAS_TEXT: wanted.text,
    }
    asked = "".join(f" AND {condition}" for condition, holds in conditions.items() if holds)
    return asked, {
        "since": ms(wanted.since),
        "open_at": ms(wanted.open_at),
        "day_before": None if wanted.open_at is None else ms(wanted.open_at - _WINDOW),
        "tag": wanted.tag,
        "text": wanted.text,
        "word": max((wanted.text or "").split(), key=len, default=""),
    }
