"""A database on disk with one account, one connection and one person."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pamosnik._sqlite import Connection
from pamosnik.model.contact import Contact
from pamosnik.model.outbox import ItemKind, OutMessage
from pamosnik.store import accounts, connections, contacts
from pamosnik.store.database import Database, open_database
from pamosnik.store.outbox import NewItem, person_lane

NOW = datetime(2026, 12, 2, 11, tzinfo=UTC)


@contextmanager
def database(folder: Path) -> Iterator[Database]:
    with open_database(folder / "pamosnik.db", migrate=True) as opened:
        opened.write(_fill)
        yield opened


def _fill(conn: Connection) -> None:
    account = accounts.Account("a1", "Rose", "rose@shop.example", "Europe/Warsaw", NOW)
    accounts.insert(conn, account, password_hash="x", wrapped_key=b"x", adult_stated_at=NOW)
    connect(conn, "k1", "178")


def connect(conn: Connection, connection_id: str, ig_id: str) -> None:
    connections.put(
        conn,
        connections.NewConnection(
            id=connection_id,
            account_id="a1",
            ig_id=ig_id,
            asid=None,
            username="rose.shop",
            scopes=(),
            token_sealed=b"x",
            token_expires_at=None,
            token_refresh_at=NOW + timedelta(days=1),
            subscribed_fields=(),
        ),
        NOW,
    )


def meet(conn: Connection, igsid: str = "900") -> Contact:
    return contacts.meet(conn, account_id="a1", connection_id="k1", igsid=igsid, username="anna", now=NOW)


def new_item(
    contact: Contact,
    ordinal: int,
    *,
    kind: ItemKind = ItemKind.MESSAGE,
    lane: str | None = None,
    due_in: timedelta = timedelta(),
    deadline: timedelta | None = timedelta(hours=24),
) -> NewItem:
    """An item due now in the person's lane, unless it is said otherwise."""
    return NewItem(
        account_id=contact.account_id,
        connection_id=contact.connection_id,
        contact_id=contact.id,
        source="r1",
        turn=1,
        ordinal=ordinal,
        run_id=None,
        flow_id="shop",
        step="do.0",
        kind=kind,
        lane=person_lane(contact.id) if lane is None else lane,
        content=OutMessage(f"text {ordinal}"),
        igsid=contact.igsid,
        due_at=NOW + due_in,
        deadline=None if deadline is None else NOW + deadline,
        comment_id="179",
    )


_FIRST_NUMBERS = (
    *(
        f"DROP TRIGGER search_{name}"
        for name in ("new", "changed", "tag", "untag", "field", "value", "cleared")
    ),
    *(
        f"DROP INDEX {name}"
        for name in (
            *("contacts_heard", "contacts_paused", "events_missed", "events_of_post"),
            *("runs_open", "outbox_open"),
        )
    ),
    "ALTER TABLE contacts DROP COLUMN note",
    "ALTER TABLE contacts DROP COLUMN search",
    "ALTER TABLE posts DROP COLUMN caption",
    "ALTER TABLE posts DROP COLUMN permalink",
    "ALTER TABLE links DROP COLUMN previews",
    "CREATE TABLE old_totals (account_id TEXT NOT NULL REFERENCES accounts, connection_id TEXT NOT NULL,"
    " day TEXT NOT NULL, flow_id TEXT NOT NULL, step TEXT NOT NULL, media_id TEXT NOT NULL, what TEXT NOT NULL,"
    " n INTEGER NOT NULL,"
    " PRIMARY KEY (account_id, connection_id, day, flow_id, step, media_id, what)) STRICT, WITHOUT ROWID",
    "INSERT INTO old_totals SELECT account_id, connection_id, day, flow_id, step, media_id, what, n FROM totals",
    *(f"DROP TRIGGER month_{name}" for name in ("new", "counted", "moved", "gone")),
    "DROP TABLE month_totals",
    "DROP TABLE totals",
    "ALTER TABLE old_totals RENAME TO totals",
)
_FIRST_WAITS = (
    "CREATE TABLE old_waits (wait_id TEXT PRIMARY KEY, account_id TEXT NOT NULL REFERENCES accounts,"
    " run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,"
    " contact_id TEXT NOT NULL REFERENCES contacts ON DELETE CASCADE,"
    " kind TEXT NOT NULL CHECK (kind IN ('timer', 'answer', 'tap', 'effect')), path TEXT NOT NULL,"
    " branch TEXT NOT NULL, opened_at INTEGER NOT NULL, due_at INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 0,"
    " attempts INTEGER NOT NULL DEFAULT 0) STRICT",
    "INSERT INTO old_waits SELECT wait_id, account_id, run_id, contact_id, kind, path, branch, opened_at, due_at,"
    " tries, attempts FROM waits",
    "DROP TABLE waits",
    "ALTER TABLE old_waits RENAME TO waits",
    "CREATE INDEX waits_due ON waits (due_at)",
    "CREATE INDEX waits_of_contact ON waits (contact_id, opened_at)",
    "CREATE INDEX waits_of_run ON waits (run_id)",
)


_FIRST_HISTORY = (
    "DROP TABLE flow_history",
    "CREATE TABLE flow_history (id INTEGER PRIMARY KEY, account_id TEXT NOT NULL REFERENCES accounts,"
    " flow_id TEXT NOT NULL, version TEXT, change TEXT NOT NULL CHECK (change IN ('added', 'changed', 'removed')),"
    " note TEXT, at INTEGER NOT NULL) STRICT",
    "ALTER TABLE flows DROP COLUMN paused_by",
    "ALTER TABLE flows DROP COLUMN rolled_back_at",
)


def back_to_the_first_version(conn: Connection) -> None:
    """Takes out of a filled database what the migrations after the first one have put in."""
    for statement in (
        *_FIRST_NUMBERS,
        *(
            f"ALTER TABLE contacts DROP COLUMN {n}"
            for n in ("looked_up_at", "look_up_again_at", "look_up_problem")
        ),
        *_FIRST_WAITS,
        *_FIRST_HISTORY,
        "DROP INDEX outbox_errands",
        "ALTER TABLE outbox DROP COLUMN task",
        "ALTER TABLE outbox DROP COLUMN result",
        *(f"ALTER TABLE {table} DROP COLUMN doubt_from" for table in ("events", "runs", "outbox")),
        "ALTER TABLE events DROP COLUMN changed",
        "ALTER TABLE events DROP COLUMN by_run",
        "DROP TABLE instagram_logins",
        "DROP TABLE api_tokens",
        "DROP TABLE mailed_links",
        "DROP TABLE known_browsers",
        "DROP INDEX sessions_by_id",
        "DROP INDEX sessions_of_account",
        "ALTER TABLE sessions DROP COLUMN session_id",
        "ALTER TABLE sessions DROP COLUMN browser",
        "ALTER TABLE login_attempts DROP COLUMN what",
        "DROP TABLE entrances",
        "DROP TABLE codes",
        "DROP TABLE given_codes",
        "DROP TABLE flow_names",
        "ALTER TABLE contact_fields DROP COLUMN counted",
        "DROP TABLE tombstones",
        "DROP TABLE ledger",
        "DROP INDEX contacts_to_forget",
        "ALTER TABLE contacts DROP COLUMN forget_at",
        "DROP TABLE broadcasts",
        "DROP TABLE schedules",
        "DROP TABLE links",
        "DROP TABLE usage",
        "DROP TABLE rests",
        "DROP INDEX events_below",
        "DROP TRIGGER audit_stays",
        "DROP TRIGGER audit_holds",
        "ALTER TABLE audit DROP COLUMN kind",
        *(
            f"DROP TABLE {table}"
            for table in ("deletions", "deletion_requests", "traces", "consents", "legal_texts", "retentions")
        ),
        "DROP TABLE alerts",
        "ALTER TABLE notices DROP COLUMN step",
        "DROP INDEX outbox_of_contact",
        "DROP INDEX contact_ids_of_contact",
        "ALTER TABLE connections DROP COLUMN delete_after",
        "DROP INDEX outbox_look",
        "DROP INDEX outbox_queued",
        "ALTER TABLE outbox DROP COLUMN live",
        "ALTER TABLE outbox DROP COLUMN look_at",
        "ALTER TABLE outbox DROP COLUMN looks",
        "ALTER TABLE outbox DROP COLUMN not_there_at",
        "ALTER TABLE connections DROP COLUMN token_issued_at",
        "ALTER TABLE connections DROP COLUMN token_refresh_at",
        "ALTER TABLE connections DROP COLUMN read_until",
        "ALTER TABLE events DROP COLUMN recovered",
        "ALTER TABLE posts DROP COLUMN comments_read",
        "DELETE FROM _sqlite_migrations WHERE name<>'m0001_first_tables'",
    ):
        conn.execute(statement)
