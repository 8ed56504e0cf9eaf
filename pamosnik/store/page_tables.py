"""What migration 25 makes: numbers of steps and links, what a post says, words to find people by, and the indexes
that keep the status page quick.

`contacts.search` holds all that a person can be found by; triggers keep it true whoever changes a name, a tag or a
field. It lies in the person's own row and goes with it: an index of SQLite's FTS5 keeps words of deleted rows, and
removing them at once makes a deletion seventy times slower.
"""

_WORDS = (
    "coalesce(username, '') || char(10) || coalesce(name, '') || char(10) || coalesce(paused_note, '')"
    " || char(10) || coalesce(note, '') || char(10)"
    " || coalesce((SELECT group_concat(tag, char(10)) FROM contact_tags t"
    " WHERE t.contact_id=contacts.contact_id), '') || char(10)"
    " || coalesce((SELECT group_concat(value, char(10)) FROM contact_fields f"
    " WHERE f.contact_id=contacts.contact_id), '')"
)
_FIND = f"UPDATE contacts SET search={_WORDS}"  # noqa: S608 - our own words
_CHANGED = " OR ".join(
    f"OLD.{name} IS NOT NEW.{name}" for name in ("username", "name", "paused_note", "note")
)


def _on(name: str, when: str, whose: str) -> str:
    return f"CREATE TRIGGER {name} AFTER {when} BEGIN {_FIND} WHERE contact_id={whose}.contact_id; END"


STATEMENTS = (
    "ALTER TABLE totals RENAME TO former_totals",
    """\
CREATE TABLE totals ( -- numbers per day; they hold no person and survive retention
  account_id TEXT NOT NULL REFERENCES accounts,
  connection_id TEXT NOT NULL,
  day TEXT NOT NULL, -- in the account's time zone
  flow_id TEXT NOT NULL, -- '' for what came in
  version TEXT NOT NULL DEFAULT '', -- of the flow, where a step is counted
  step TEXT NOT NULL,
  media_id TEXT NOT NULL,
  what TEXT NOT NULL, -- started, sent, …, or goal:NAME
  n INTEGER NOT NULL,
  PRIMARY KEY (account_id, connection_id, day, flow_id, version, step, media_id, what)
) STRICT, WITHOUT ROWID""",
    """\
INSERT INTO totals (account_id, connection_id, day, flow_id, step, media_id, what, n)
SELECT account_id, connection_id, day, flow_id, step, media_id, what, n FROM former_totals""",
    "DROP TABLE former_totals",
    "ALTER TABLE posts ADD COLUMN caption TEXT",
    "ALTER TABLE posts ADD COLUMN permalink TEXT",
    "ALTER TABLE links ADD COLUMN previews INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE contacts ADD COLUMN note TEXT",
    "ALTER TABLE contacts ADD COLUMN search TEXT",
    _FIND,
    _on("search_new", "INSERT ON contacts", "NEW"),
    f"CREATE TRIGGER search_changed AFTER UPDATE OF username, name, paused_note, note ON contacts WHEN {_CHANGED}"
    f" BEGIN {_FIND} WHERE contact_id=NEW.contact_id; END",
    _on("search_tag", "INSERT ON contact_tags", "NEW"),
    _on("search_untag", "DELETE ON contact_tags", "OLD"),
    _on("search_field", "INSERT ON contact_fields", "NEW"),
    _on("search_value", "UPDATE OF value ON contact_fields", "NEW"),
    _on("search_cleared", "DELETE ON contact_fields", "OLD"),
    "CREATE INDEX contacts_heard ON contacts (account_id, last_seen_at, contact_id)",
    "CREATE INDEX contacts_paused ON contacts (account_id, paused_until) WHERE paused_until IS NOT NULL",
    "CREATE INDEX events_missed ON events (account_id, event_id)"
    " WHERE verdict IN ('no_match', 'filtered', 'error', 'unsupported')",
    "CREATE INDEX events_of_post ON events (connection_id, media_id, event_id) WHERE media_id IS NOT NULL",
    "CREATE INDEX runs_open ON runs (account_id, flow_id, version) WHERE status IN ('active', 'waiting')",
    "CREATE INDEX outbox_open ON outbox (account_id, status)"
    " WHERE status IN ('queued', 'held', 'sending', 'unknown')",
)
