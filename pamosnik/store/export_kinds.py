"""What exports read of each kind of data, with the names people know instead of ids of ours. A kind is one question,
or two whose answers go together (what people wrote, and what they were sent); each streams, whatever its length.

Names of columns are those of the JSON contract; `to.username` is `username` inside of `to`. Instants are
milliseconds.
"""

import heapq
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pamosnik._sqlite import Connection
from pamosnik.model.event import COMMENTS, INBOUND_MESSAGES
from pamosnik.model.event import EventKind as Event
from pamosnik.model.outbox import ItemKind
from pamosnik.store.export_tables import Person
from pamosnik.store.outbox_rows import NEVER_TOO_LATE


@dataclass(frozen=True, slots=True)
class Question:
    """One SELECT."""

    table: str
    """Called `t` in the expressions."""
    columns: Mapping[str, str]
    """Name → expression."""
    order: str
    person_by: str | None = None
    """The column that leads to the person; None: the kind tells nothing about people."""
    only: str = "1"
    """Condition of its rows."""


Kind = Sequence[Question]
Rows = Iterator[tuple[Any, ...]]

_SHOP = "(SELECT username FROM connections c WHERE c.connection_id=t.connection_id)"
_NAME = "(SELECT username FROM contacts p WHERE p.contact_id=t.contact_id)"
_IGSID = "(SELECT igsid FROM contacts p WHERE p.contact_id=t.contact_id)"
_WRITER = (
    "coalesce(t.username, (SELECT username FROM contacts p WHERE p.connection_id=t.connection_id"
    " AND p.igsid=t.igsid))"
)
_TAGS = "(SELECT json_group_array(tag) FROM contact_tags g WHERE g.contact_id=t.contact_id)"
_FIELDS = "(SELECT json_group_object(field, value) FROM contact_fields f WHERE f.contact_id=t.contact_id)"
_HAPPENED = "coalesce(t.occurred_at, t.received_at)"
_NOT_OURS = "NOT EXISTS (SELECT 1 FROM outbox o WHERE o.message_id=t.mid)"
"""Of an echo: the owner wrote it, with the phone or another tool."""


def _same(*names: str) -> dict[str, str]:
    """Columns that are called as they are in the table."""
    return {name: f"t.{name}" for name in names}


def _one_of(kinds: Collection[str]) -> str:
    return "t.kind IN ({})".format(", ".join(f"'{kind}'" for kind in sorted(kinds)))


def _said(direction: str, only: str) -> Question:
    """What came in, as a part of a conversation."""
    columns = {
        "at": _HAPPENED,
        "direction": f"'{direction}'",
        "kind": "t.kind",
        "with.username": _WRITER,
        "with.igsid": "t.igsid",
        "text": "coalesce(t.text, t.title, t.emoji)",
        "content": "t.attachments",
        "status": "t.verdict",
        "flow": "t.flow_id",
        "run": "t.run_id",
        "post": "t.media_id",
        "comment_id": "t.comment_id",
        "message_id": "t.mid",
        "connection": _SHOP,
        "id": "t.event_id",
    }
    return Question("events", columns, "t.event_id", "t.igsid", only)


def _sent(kinds: Sequence[ItemKind]) -> Question:
    """What went out, as a part of a conversation."""
    columns = {
        "at": "coalesce(t.last_attempt_at, t.created_at)",
        "direction": "'out'",
        "kind": "t.kind",
        "with.username": _NAME,
        "with.igsid": "t.igsid",
        "text": "json_extract(t.content, '$.text')",
        "content": "t.content",
        "status": "t.status",
        "flow": "t.flow_id",
        "run": "t.run_id",
        "post": "(SELECT media_id FROM runs r WHERE r.run_id=t.run_id)",
        "comment_id": "t.comment_id",
        "message_id": "t.message_id",
        "connection": _SHOP,
        "id": "t.item_id",
    }
    return Question("outbox", columns, "t.seq", "t.contact_id", _one_of(kinds))


_CONTACTS = Question(
    "contacts",
    {
        "username": "t.username",
        "igsid": "t.igsid",
        "name": "t.name",
        "tags": _TAGS,
        "fields": _FIELDS,
        "window_open_until": "t.window_open_until",
        "opted_out": "t.opted_out_at IS NOT NULL",
        "opted_out_at": "t.opted_out_at",
        "unreachable": "t.unreachable_since IS NOT NULL",
        **_same("paused_until", "paused_by", "paused_note", "note", "follows_me", "verified", "followers"),
        "facts_at": "t.looked_up_at",
        "facts_problem": "t.look_up_problem",
        **_same("created_at", "last_seen_at", "first_message_at"),
        "connection": _SHOP,
        "id": "t.contact_id",
    },
    "t.contact_id",
    "t.contact_id",
)
_EVENTS = Question(
    "events",
    {
        "id": "t.event_id",
        "kind": "t.kind",
        "from.username": _WRITER,
        "from.igsid": "t.igsid",
        "text": "t.text",
        "at": _HAPPENED,
        "verdict": "t.verdict",
        "flow": "t.flow_id",
        "reason": "t.reason",
        "run": "t.run_id",
        "comment_id": "t.comment_id",
        "message_id": "t.mid",
        **_same("seen_times", "recovered", "received_at", "decided_at"),
        "connection": _SHOP,
    },
    "t.event_id",
    "t.igsid",
)
_RUNS = Question(
    "runs",
    {
        "id": "t.run_id",
        "flow": "t.flow_id",
        "version": "t.version",
        "contact.username": _NAME,
        "contact.igsid": _IGSID,
        "status": "t.status",
        "step": "t.step",
        "due_at": "(SELECT min(due_at) FROM waits w WHERE w.run_id=t.run_id)",
        **_same("started_at", "finished_at", "reason"),
        "post": "t.media_id",
        "comment_id": "t.comment_id",
        "answer": "t.answer",
        "connection": _SHOP,
    },
    "t.run_id",
    "t.contact_id",
)
_QUEUE = Question(
    "outbox",
    {
        "id": "t.item_id",
        "kind": "t.kind",
        "to.username": _NAME,
        "to.igsid": "t.igsid",
        "to.comment_id": "t.comment_id",
        "flow": "t.flow_id",
        "status": "t.status",
        "due_at": "t.due_at",
        "deadline": f"nullif(t.deadline, {NEVER_TOO_LATE})",
        **_same("attempts", "reason", "message_id", "created_at", "last_attempt_at"),
        "run": "t.run_id",
        "connection": _SHOP,
    },
    "t.seq",
    "t.contact_id",
)
_CODES = Question(
    "codes t LEFT JOIN given_codes g USING (account_id, pool, code)",
    {
        **_same("pool", "code", "given_at"),
        "contact.username": "(SELECT username FROM contacts p WHERE p.contact_id=g.contact_id)",
        "contact.igsid": "(SELECT igsid FROM contacts p WHERE p.contact_id=g.contact_id)",
    },
    "t.pool, t.code",
    "g.contact_id",
)
_LINKS = Question(
    "links",
    {
        "contact.username": _NAME,
        "contact.igsid": _IGSID,
        "flow": "t.flow_id",
        "run": "t.run_id",
        **_same("step", "name", "address", "made_at", "clicks", "first_click_at", "last_click_at"),
        "connection": _SHOP,
    },
    "t.rowid",
    "t.contact_id",
)
_CONSENTS = Question(
    "consents",
    {
        **_same("at", "what", "how"),
        "contact.username": _NAME,
        "contact.igsid": _IGSID,
        "connection": f"coalesce({_SHOP}, t.connection_id)",
        "contact.id": "t.contact_id",
    },
    "t.consent_id",
    "t.contact_id",
)
_MARKS = {
    "tags": Question(
        "contact_tags",
        {"contact.username": _NAME, "contact.igsid": _IGSID, **_same("tag", "added_at")},
        "t.contact_id, t.tag",
        "t.contact_id",
    ),
    "fields": Question(
        "contact_fields",
        {"contact.username": _NAME, "contact.igsid": _IGSID, **_same("field", "value", "set_at")},
        "t.contact_id, t.field",
        "t.contact_id",
    ),
}
_DONE = {
    "broadcasts": Question(
        "broadcasts",
        {
            "flow": "t.flow_id",
            **_same("version", "planned_at", "began_at", "finished_at", "reached", "skipped", "reason"),
            "connection": _SHOP,
        },
        "t.broadcast_id",
    ),
    "statistics": Question(
        "totals",
        {
            "day": "t.day",
            "flow": "nullif(t.flow_id, '')",
            "version": "nullif(t.version, '')",
            "step": "nullif(t.step, '')",
            "post": "nullif(t.media_id, '')",
            "what": "t.what",
            "n": "t.n",
            "connection": f"coalesce({_SHOP}, t.connection_id)",
        },
        "t.connection_id, t.day, t.flow_id, t.version, t.step, t.media_id, t.what",
    ),
}
_FLOWS = {
    "flows": Question(
        "flows",
        {
            "flow": "t.flow_id",
            **_same("title", "version", "applied_at", "paused_at", "paused_by", "rolled_back_at"),
        },
        "t.place",
    ),
    "flow_versions": Question(
        "flow_versions",
        {"flow": "t.flow_id", **_same("version", "created_at", "timezone", "body")},
        "t.flow_id, t.version",
    ),
    "flow_history": Question(
        "flow_history",
        {
            **_same("at", "change"),
            "flow": "t.flow_id",
            **_same("known_as", "former_id", "version", "note", "actor"),
        },
        "t.id",
    ),
}
_BUSINESS = {
    "account": Question(
        "accounts", _same("name", "email", "timezone", "adult_stated_at", "created_at"), "t.account_id"
    ),
    "connections": Question(
        "connections",
        _same(
            *("username", "ig_id", "status", "reason", "token_expires_at", "scopes", "connected_at"),
            "delete_after",
        ),
        "t.connection_id",
    ),
    "audit": Question("audit", _same("at", "actor", "action", "subject", "kind"), "t.id"),
    "legal_texts": Question(
        "legal_texts",
        {**_same("page", "number", "effective_at", "made_at"), "text": "t.body"},
        "t.page, t.number",
    ),
    "deletions": Question(
        "deletions",
        {
            "id": "t.deletion_id",
            **_same("scope", "cause", "began_at", "people", "events", "runs", "messages", "meta", "ended_at"),
        },
        "t.deletion_id",
    ),
}
KINDS: Mapping[str, Kind] = {
    "contacts": (_CONTACTS,),
    "messages": (
        _said("in", _one_of(INBOUND_MESSAGES)),
        _said("out", f"t.kind='{Event.ECHO}' AND {_NOT_OURS}"),
        _sent((ItemKind.MESSAGE, ItemKind.PRIVATE_REPLY)),
    ),
    "comments": (_said("in", _one_of(COMMENTS)), _sent((ItemKind.COMMENT_REPLY, ItemKind.COMMENT_ACTION))),
    "tags": (_MARKS["tags"],),
    "fields": (_MARKS["fields"],),
    "runs": (_RUNS,),
    "events": (_EVENTS,),
    "queue": (_QUEUE,),
    "links": (_LINKS,),
    "codes": (_CODES,),
    "consents": (_CONSENTS,),
    **{name: (question,) for name, question in (_FLOWS | _DONE | _BUSINESS).items()},
}
"""In the order in which people look at them."""

ABOUT_PEOPLE = tuple(name for name, kind in KINDS.items() if kind[0].person_by is not None)


def columns(name: str) -> tuple[str, ...]:
    """Names of what `ask` answers."""
    return tuple(KINDS[name][0].columns)


def tables(name: str) -> tuple[str, ...]:
    """Whose rows `ask` reads."""
    return tuple(question.table.partition(" ")[0] for question in KINDS[name])


def ask(conn: Connection, account_id: str, name: str, person: Person | None = None) -> Rows:
    """The rows of a kind; with `person` those about one person. What goes together comes by time, as far as each part
    is in order."""
    answers = [_answer(conn, account_id, question, person) for question in KINDS[name]]
    return answers[0] if len(answers) == 1 else heapq.merge(*answers, key=lambda row: row[0])


def _answer(conn: Connection, account_id: str, question: Question, person: Person | None) -> Rows:
    condition: str = question.only
    values: Sequence[str] = ()
    if person is not None:
        assert question.person_by is not None
        narrow, values = person.narrow(question.person_by)
        condition = f"{condition} AND {narrow}"
    expressions = ", ".join(question.columns.values())
    source = question.table if " " in question.table else f"{question.table} t"
    yield from conn.execute(
        f"SELECT {expressions} FROM {source} WHERE {'+' if person is None else ''}t.account_id=?"  # noqa: S608
        f" AND {condition} ORDER BY {question.order}",
        (account_id, *values),
    )
