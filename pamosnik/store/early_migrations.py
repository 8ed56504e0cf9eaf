"""Migrations of the time before there were several accounts: tables for sending and for the flow language."""

from collections.abc import Callable

from pamosnik._sqlite import Connection
from pamosnik.store import first_tables


def m0001_first_tables(conn: Connection) -> None:
    """Accounts, connections, the inbox, people, flows, runs, the outbox and their numbers."""
    for statement in first_tables.STATEMENTS.split(";\n\n"):
        conn.execute(statement)


def m0002_evidence(conn: Connection) -> None:
    """When to look for evidence of messages whose fate is unknown, and what the looks showed."""
    conn.execute("ALTER TABLE outbox ADD COLUMN look_at INTEGER")
    conn.execute("ALTER TABLE outbox ADD COLUMN looks INTEGER NOT NULL DEFAULT 0")
    conn.execute("ALTER TABLE outbox ADD COLUMN not_there_at INTEGER")
    conn.execute("CREATE INDEX outbox_look ON outbox (look_at) WHERE status = 'unknown'")
    # What an older Pamosnik left without evidence gets its looks now.
    conn.execute("UPDATE outbox SET look_at = last_attempt_at WHERE status = 'unknown'")


def m0003_token_life(conn: Connection) -> None:
    """Since when a connection has its token, and when to refresh it next."""
    conn.execute("ALTER TABLE connections ADD COLUMN token_issued_at INTEGER")
    conn.execute("ALTER TABLE connections ADD COLUMN token_refresh_at INTEGER")
    # How old these tokens are nobody noted: a day after the connection was made they may be refreshed.
    conn.execute(
        "UPDATE connections SET token_issued_at = connected_at, token_refresh_at = connected_at + 86400000"
    )


def m0004_catching_up(conn: Connection) -> None:
    """Which events were found by reading, until when a connection was read, and how many comments a post had then."""
    conn.execute(
        "ALTER TABLE events ADD COLUMN recovered INTEGER NOT NULL DEFAULT 0 CHECK (recovered IN (0, 1))"
    )
    conn.execute("ALTER TABLE connections ADD COLUMN read_until INTEGER")
    conn.execute("ALTER TABLE posts ADD COLUMN comments_read INTEGER")


def m0005_alerts(conn: Connection) -> None:
    """How grave a notice is, and what owners were mailed about."""
    conn.execute("ALTER TABLE notices ADD COLUMN step INTEGER NOT NULL DEFAULT 0")
    conn.execute(
        """\
CREATE TABLE alerts ( -- the last mail about each cause
  account_id TEXT NOT NULL, -- '' when it concerns the whole installation
  connection_id TEXT NOT NULL,
  cause TEXT NOT NULL,
  open INTEGER NOT NULL CHECK (open IN (0, 1)), -- 0: it said that the cause is mended
  step INTEGER NOT NULL, -- how grave it was
  message TEXT NOT NULL,
  mailed_at INTEGER NOT NULL,
  gone_since INTEGER, -- NULL: the cause is there
  PRIMARY KEY (account_id, connection_id, cause)
) STRICT, WITHOUT ROWID"""
    )


def m0006_removed_app(conn: Connection) -> None:
    """When the data of a disconnected account is to be deleted, the receipts of deletions, and the way to a person's
    rows: deleting a contact looks for what hangs on it."""
    conn.execute("ALTER TABLE connections ADD COLUMN delete_after INTEGER")
    conn.execute(_DELETIONS)
    conn.execute("CREATE INDEX deletions_under_way ON deletions (deletion_id) WHERE ended_at IS NULL")
    # With the connection, so that deleting that one need not read every message.
    conn.execute("CREATE INDEX outbox_of_contact ON outbox (contact_id, connection_id)")
    conn.execute("CREATE INDEX contact_ids_of_contact ON contact_ids (contact_id)")


def m0007_live_replies(conn: Connection) -> None:
    """Private replies during a broadcast have a limit of their own."""
    conn.execute("ALTER TABLE outbox ADD COLUMN live INTEGER NOT NULL DEFAULT 0 CHECK (live IN (0, 1))")
    conn.execute("DROP INDEX IF EXISTS outbox_queued")
    conn.execute(
        "CREATE INDEX outbox_queued ON outbox (connection_id, kind, live, deadline, seq) WHERE status = 'queued'"
    )


def m0008_doubt(conn: Connection) -> None:
    """After a restore: since when a database that is lost may have sent what this one is about to send."""
    for table in ("events", "runs", "outbox"):
        conn.execute(f"ALTER TABLE {table} ADD COLUMN doubt_from INTEGER")


def m0009_rests(conn: Connection) -> None:
    """Until when a kind of message rests: a restart must not forget what Meta has said."""
    conn.execute(
        """\
CREATE TABLE rests ( -- kinds of messages that Meta wants to rest
  account_id TEXT NOT NULL REFERENCES accounts,
  connection_id TEXT NOT NULL REFERENCES connections,
  quota TEXT NOT NULL,
  until INTEGER NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (connection_id, quota)
) STRICT, WITHOUT ROWID"""
    )


def m0010_errands(conn: Connection) -> None:
    """What calls, mails and look-ups ask, and what came back."""
    conn.execute("ALTER TABLE outbox ADD COLUMN task TEXT")
    conn.execute("ALTER TABLE outbox ADD COLUMN result TEXT")
    conn.execute(
        "CREATE INDEX outbox_errands ON outbox (kind, due_at)"
        " WHERE status = 'queued' AND kind IN ('call', 'email', 'lookup')"
    )


def m0011_usage(conn: Connection) -> None:
    """What Meta's usage headers said last: the queue tells at which pace it goes on, and a restart keeps it."""
    conn.execute(
        """\
CREATE TABLE usage ( -- what Meta's usage headers said last, for each kind of message
  account_id TEXT NOT NULL REFERENCES accounts,
  connection_id TEXT NOT NULL REFERENCES connections,
  quota TEXT NOT NULL,
  percent INTEGER NOT NULL,
  heard_at INTEGER NOT NULL,
  PRIMARY KEY (connection_id, quota)
) STRICT, WITHOUT ROWID"""
    )


def m0012_codes(conn: Connection) -> None:
    """Codes to give away, and who was given which."""
    conn.execute(
        """\
CREATE TABLE codes ( -- codes of the pools that flow files name
  account_id TEXT NOT NULL REFERENCES accounts,
  pool TEXT NOT NULL,
  code TEXT NOT NULL,
  place INTEGER NOT NULL, -- order in which they are given
  given_at INTEGER, -- NULL: not yet; stays when the person is forgotten
  PRIMARY KEY (account_id, pool, code)
) STRICT, WITHOUT ROWID"""
    )
    # Which is the next one, and how many are left?
    conn.execute("CREATE INDEX codes_left ON codes (account_id, pool, place) WHERE given_at IS NULL")
    conn.execute(
        """\
CREATE TABLE given_codes ( -- one code per person and pool
  account_id TEXT NOT NULL REFERENCES accounts,
  contact_id TEXT NOT NULL REFERENCES contacts ON DELETE CASCADE,
  pool TEXT NOT NULL,
  code TEXT NOT NULL,
  given_at INTEGER NOT NULL,
  told_at INTEGER NOT NULL, -- asked for again, it is told again
  PRIMARY KEY (contact_id, pool)
) STRICT"""
    )
    conn.execute("CREATE UNIQUE INDEX given_codes_once ON given_codes (account_id, pool, code)")


def m0013_shares_and_sums(conn: Connection) -> None:
    """First ids of renamed flows, so that everybody keeps their share of a `split`; fields that `add` counts up."""
    conn.execute(
        """\
CREATE TABLE flow_names ( -- flows that were renamed
  account_id TEXT NOT NULL REFERENCES accounts,
  flow_id TEXT NOT NULL,
  first_id TEXT NOT NULL, -- before the first renaming
  PRIMARY KEY (account_id, flow_id)
) STRICT, WITHOUT ROWID"""
    )
    conn.execute(
        "ALTER TABLE contact_fields ADD COLUMN counted INTEGER NOT NULL DEFAULT 0 CHECK (counted IN (0, 1))"
    )


def m0014_changes(conn: Connection) -> None:
    """What a step of a flow did that other flows wait for is an event, too."""
    conn.execute("ALTER TABLE events ADD COLUMN changed TEXT")
    conn.execute("ALTER TABLE events ADD COLUMN by_run TEXT")


def m0015_profiles(conn: Connection) -> None:
    """What Instagram tells of people has an age, and who was not told about is not asked for again at once."""
    # when it told name, username, follows_me, verified and followers
    conn.execute("ALTER TABLE contacts ADD COLUMN looked_up_at INTEGER")
    # not before then, and why it did not tell
    conn.execute("ALTER TABLE contacts ADD COLUMN look_up_again_at INTEGER")
    conn.execute("ALTER TABLE contacts ADD COLUMN look_up_problem TEXT")


def m0016_broadcasts(conn: Connection) -> None:
    """When broadcasts are planned, and what became of those that began."""
    conn.execute(
        """\
CREATE TABLE schedules ( -- the next broadcast of each flow on each connection
  account_id TEXT NOT NULL REFERENCES accounts,
  connection_id TEXT NOT NULL REFERENCES connections,
  flow_id TEXT NOT NULL,
  timing TEXT NOT NULL, -- what it was planned by
  due_at INTEGER, -- NULL: nothing comes any more
  PRIMARY KEY (connection_id, flow_id)
) STRICT, WITHOUT ROWID"""
    )
    conn.execute(
        """\
CREATE TABLE broadcasts (
  broadcast_id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts,
  connection_id TEXT NOT NULL REFERENCES connections,
  flow_id TEXT NOT NULL,
  version TEXT NOT NULL,
  planned_at INTEGER NOT NULL,
  began_at INTEGER NOT NULL,
  triggers TEXT NOT NULL, -- JSON array: which schedules of the flow began it
  looked_until TEXT NOT NULL DEFAULT '', -- contacts up to this id have been looked at
  reached INTEGER NOT NULL DEFAULT 0,
  skipped TEXT NOT NULL DEFAULT '{}', -- JSON: why -> how many people
  reason TEXT, -- why it did not take place, or ended early
  finished_at INTEGER -- NULL: under way
) STRICT"""
    )
    # Never twice, whatever the clock does.
    conn.execute("CREATE UNIQUE INDEX broadcasts_once ON broadcasts (connection_id, flow_id, planned_at)")
    conn.execute("CREATE INDEX broadcasts_of_account ON broadcasts (account_id, planned_at)")
    conn.execute("CREATE INDEX broadcasts_under_way ON broadcasts (broadcast_id) WHERE finished_at IS NULL")


def m0017_forgetting(conn: Connection) -> None:
    """People who want to be forgotten, and what stays of them: a keyed hash, so that they are not met again."""
    conn.execute("ALTER TABLE contacts ADD COLUMN forget_at INTEGER")
    conn.execute("CREATE INDEX contacts_to_forget ON contacts (forget_at) WHERE forget_at IS NOT NULL")
    conn.execute(
        """\
CREATE TABLE ledger ( -- keys of the hashes in tombstones
  account_id TEXT PRIMARY KEY REFERENCES accounts,
  key BLOB NOT NULL
) STRICT"""
    )
    conn.execute(
        """\
CREATE TABLE tombstones ( -- people who were forgotten
  account_id TEXT NOT NULL REFERENCES accounts,
  connection_id TEXT NOT NULL REFERENCES connections,
  person BLOB NOT NULL, -- HMAC-SHA256 of the business account's id and theirs
  said_at INTEGER NOT NULL, -- what they did until then is dropped
  erased_at INTEGER NOT NULL,
  opted_out INTEGER NOT NULL CHECK (opted_out IN (0, 1)),
  purged_at INTEGER, -- NULL: bytes of deleted rows may be left in pages, WAL and copies
  PRIMARY KEY (connection_id, person)
) STRICT, WITHOUT ROWID"""
    )


def m0018_links(conn: Connection) -> None:
    """Tracked links: which address each token leads to, who got it, and their clicks."""
    conn.execute(
        """\
CREATE TABLE links ( -- tracked links; one is as old as its message and lives as long as the contact
  token TEXT PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts,
  connection_id TEXT NOT NULL REFERENCES connections,
  contact_id TEXT NOT NULL REFERENCES contacts ON DELETE CASCADE,
  run_id TEXT REFERENCES runs ON DELETE SET NULL,
  item_id TEXT NOT NULL, -- the outbox item it went out with
  flow_id TEXT NOT NULL,
  step TEXT NOT NULL,
  name TEXT, -- that the flow gave it
  address TEXT NOT NULL, -- where it leads
  made_at INTEGER NOT NULL,
  clicks INTEGER NOT NULL DEFAULT 0,
  first_click_at INTEGER,
  last_click_at INTEGER
) STRICT"""
    )
    conn.execute("CREATE INDEX links_of_contact ON links (contact_id, made_at)")
    conn.execute("CREATE INDEX links_of_run ON links (run_id)")
    conn.execute("CREATE INDEX links_of_item ON links (item_id)")


def m0019_wait_for(conn: Connection) -> None:
    """Runs wait for answers, taps, clicks and tags, too. SQLite changes a CHECK only with the whole table."""
    conn.execute(
        """\
CREATE TABLE new_waits ( -- where runs stand still
  wait_id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts,
  run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
  contact_id TEXT NOT NULL REFERENCES contacts ON DELETE CASCADE,
  kind TEXT NOT NULL
    CHECK (kind IN ('timer', 'answer', 'tap', 'effect', 'for_answer', 'for_tap', 'for_click', 'for_tag')),
  path TEXT NOT NULL,
  branch TEXT NOT NULL,
  opened_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0, -- turns that failed on it
  what TEXT, -- the link or tag that it waits for; of an answer or tap the step whose message must arrive first
  woken_at INTEGER -- the click or tag has come
) STRICT"""
    )
    conn.execute(
        "INSERT INTO new_waits (wait_id, account_id, run_id, contact_id, kind, path, branch, opened_at, due_at,"
        " tries, attempts) SELECT wait_id, account_id, run_id, contact_id, kind, path, branch, opened_at, due_at,"
        " tries, attempts FROM waits"
    )
    conn.execute("DROP TABLE waits")
    conn.execute("ALTER TABLE new_waits RENAME TO waits")
    # The runner's question: whose time has come?
    conn.execute("CREATE INDEX waits_due ON waits (due_at)")
    conn.execute("CREATE INDEX waits_of_contact ON waits (contact_id, opened_at)")
    conn.execute("CREATE INDEX waits_of_run ON waits (run_id)")


def m0020_entrances(conn: Connection) -> None:
    """Which opening questions and menu items stand at Instagram."""
    conn.execute(
        """\
CREATE TABLE entrances ( -- opening questions and menu items as Instagram has them
  account_id TEXT NOT NULL REFERENCES accounts,
  connection_id TEXT NOT NULL REFERENCES connections,
  entrance TEXT NOT NULL CHECK (entrance IN ('ice_breakers', 'persistent_menu')),
  labels TEXT, -- JSON list; NULL: not certain, it is said again
  asked TEXT NOT NULL, -- JSON list: what Instagram was asked for last
  failures INTEGER NOT NULL DEFAULT 0, -- in a row
  try_at INTEGER, -- when it is asked for the same again
  PRIMARY KEY (connection_id, entrance)
) STRICT, WITHOUT ROWID"""
    )


def m0021_changes_of_flows(conn: Connection) -> None:
    """Who changed, renamed, rolled back or paused a flow. SQLite changes a CHECK only with the whole table."""
    conn.execute(
        """\
CREATE TABLE new_flow_history ( -- what became of each flow
  id INTEGER PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts,
  flow_id TEXT NOT NULL, -- its id now: follows when the flow is renamed
  known_as TEXT NOT NULL, -- its id then
  version TEXT, -- NULL: removed
  change TEXT NOT NULL
    CHECK (change IN ('added', 'changed', 'removed', 'renamed', 'rolled_back', 'paused', 'resumed')),
  former_id TEXT, -- of a flow that was renamed
  note TEXT,
  actor TEXT NOT NULL, -- as in audit
  at INTEGER NOT NULL
) STRICT"""
    )
    # Until now nothing but the command line changed flows.
    conn.execute(
        "INSERT INTO new_flow_history (id, account_id, flow_id, known_as, version, change, note, actor, at)"
        " SELECT id, account_id, flow_id, flow_id, version, change, note, 'command', at FROM flow_history"
    )
    conn.execute("DROP TABLE flow_history")
    conn.execute("ALTER TABLE new_flow_history RENAME TO flow_history")
    # What happened to this flow, the newest first?
    conn.execute("CREATE INDEX flow_history_of_flow ON flow_history (account_id, flow_id, id)")
    conn.execute("ALTER TABLE flows ADD COLUMN paused_by TEXT")
    conn.execute("ALTER TABLE flows ADD COLUMN rolled_back_at INTEGER")


_DELETIONS = """\
CREATE TABLE deletions ( -- receipts: a connection's data was deleted, or is being deleted; they name nobody
  deletion_id TEXT PRIMARY KEY, -- the id that the connection had
  account_id TEXT NOT NULL REFERENCES accounts,
  cause TEXT NOT NULL, -- app_removed
  began_at INTEGER NOT NULL,
  people INTEGER NOT NULL DEFAULT 0, -- rows deleted so far
  events INTEGER NOT NULL DEFAULT 0,
  runs INTEGER NOT NULL DEFAULT 0,
  messages INTEGER NOT NULL DEFAULT 0,
  ended_at INTEGER -- NULL: under way; the daemon goes on with it
) STRICT"""


EARLY: tuple[Callable[[Connection], None], ...] = (
    m0001_first_tables,
    m0002_evidence,
    m0003_token_life,
    m0004_catching_up,
    m0005_alerts,
    m0006_removed_app,
    m0007_live_replies,
    m0008_doubt,
    m0009_rests,
    m0010_errands,
    m0011_usage,
    m0012_codes,
    m0013_shares_and_sums,
    m0014_changes,
    m0015_profiles,
    m0016_broadcasts,
    m0017_forgetting,
    m0018_links,
    m0019_wait_for,
    m0020_entrances,
    m0021_changes_of_flows,
)
"""In their order."""
