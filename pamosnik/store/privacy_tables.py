"""What migration 23 makes: receipts of every kind of deletion, consents, legal texts, what retention did.

What must not be changed afterwards SQLite itself keeps: triggers refuse it, unless the account is being deleted.
"""

_STAYS = "EXISTS (SELECT 1 FROM accounts WHERE account_id=OLD.account_id AND status='active')"

STATEMENTS = (
    "ALTER TABLE deletions RENAME TO former_deletions",
    "DROP INDEX deletions_under_way",
    """\
CREATE TABLE deletions ( -- receipts: somebody's data was deleted, or is being deleted; they name nobody
  deletion_id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL, -- '' once the account is gone, too
  scope TEXT NOT NULL CHECK (scope IN ('person', 'connection', 'account')),
  cause TEXT NOT NULL, -- who wanted it: command, page, flow, app_removed, meta_request, retention
  subject_id TEXT, -- the contact, connection or account; NULL at the end
  part_of TEXT, -- the account's deletion that this one belongs to
  began_at INTEGER NOT NULL,
  meta TEXT NOT NULL DEFAULT 'none' -- whether Meta has been told that nothing more is wanted
    CHECK (meta IN ('none', 'due', 'told', 'refused', 'unreachable')),
  meta_tries INTEGER NOT NULL DEFAULT 0,
  people INTEGER NOT NULL DEFAULT 0, -- rows deleted so far
  events INTEGER NOT NULL DEFAULT 0,
  runs INTEGER NOT NULL DEFAULT 0,
  messages INTEGER NOT NULL DEFAULT 0,
  rows_gone_at INTEGER, -- since then only traces in the file are left
  ended_at INTEGER -- NULL: under way; the daemon goes on with it
) STRICT""",
    """\
INSERT INTO deletions (deletion_id, account_id, scope, cause, subject_id, began_at, people, events, runs, messages,
  ended_at)
SELECT deletion_id, account_id, 'connection', cause, iif(ended_at IS NULL, deletion_id, NULL), began_at, people,
  events, runs, messages, ended_at FROM former_deletions""",
    "DROP TABLE former_deletions",
    "CREATE INDEX deletions_under_way ON deletions (subject_id) WHERE ended_at IS NULL",
    """\
CREATE TABLE deletion_requests ( -- Meta's requests to delete data, by the code that they were answered with
  code TEXT PRIMARY KEY,
  account_id TEXT NOT NULL, -- '' when nothing is known of whom it names, or the account is gone
  deletion_id TEXT, -- NULL: there was nothing to delete
  asked_at INTEGER NOT NULL
) STRICT""",
    "CREATE INDEX deletion_requests_of ON deletion_requests (deletion_id)",
    """\
CREATE TABLE traces ( -- rows are gone whose bytes may be left in pages and in the WAL, until the file is written anew
  account_id TEXT PRIMARY KEY REFERENCES accounts,
  since INTEGER NOT NULL
) STRICT, WITHOUT ROWID""",
    """\
CREATE TABLE consents ( -- what was agreed to, and taken back, when; append-only
  consent_id INTEGER PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts,
  contact_id TEXT REFERENCES contacts ON DELETE CASCADE, -- NULL: the account's holder
  connection_id TEXT, -- for the holder's consents: which Instagram account; outlives it
  what TEXT NOT NULL CHECK (what IN ('adulthood', 'connect', 'disconnect', 'opt_in', 'opt_out')),
  how TEXT NOT NULL, -- command, page, instagram, words, flow, block
  at INTEGER NOT NULL
) STRICT""",
    "CREATE INDEX consents_of_account ON consents (account_id, consent_id)",
    "CREATE INDEX consents_of_contact ON consents (contact_id) WHERE contact_id IS NOT NULL",
    """\
INSERT INTO consents (account_id, what, how, at)
SELECT account_id, 'adulthood', 'command', adult_stated_at FROM accounts ORDER BY adult_stated_at""",
    """\
INSERT INTO consents (account_id, connection_id, what, how, at)
SELECT account_id, subject, 'connect', actor, at FROM audit WHERE action='connect: consent given' ORDER BY id""",
    """\
INSERT INTO consents (account_id, connection_id, what, how, at)
SELECT account_id, subject, 'disconnect', actor, at FROM audit WHERE action='deauthorised by Instagram'
ORDER BY id""",
    """\
INSERT INTO consents (account_id, contact_id, connection_id, what, how, at)
SELECT account_id, contact_id, connection_id, 'opt_out', 'words', opted_out_at FROM contacts
WHERE opted_out_at IS NOT NULL ORDER BY opted_out_at""",
    f"""\
CREATE TRIGGER consents_stay BEFORE DELETE ON consents WHEN OLD.contact_id IS NULL AND {_STAYS}
BEGIN SELECT RAISE(ABORT, 'consents are append-only'); END""",
    """\
CREATE TRIGGER consents_hold BEFORE UPDATE ON consents
BEGIN SELECT RAISE(ABORT, 'consents are append-only'); END""",
    """\
ALTER TABLE audit ADD COLUMN kind TEXT NOT NULL DEFAULT 'change' -- access: logins, which retention removes
  CHECK (kind IN ('change', 'access'))""",
    "UPDATE audit SET kind='access' WHERE action IN ('login', 'logout')",
    f"""\
CREATE TRIGGER audit_stays BEFORE DELETE ON audit WHEN OLD.kind<>'access' AND {_STAYS}
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END""",
    """\
CREATE TRIGGER audit_holds BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END""",
    """\
CREATE TABLE legal_texts ( -- what the pages for Meta and the public say, and said before
  account_id TEXT NOT NULL REFERENCES accounts, -- the operator's
  page TEXT NOT NULL CHECK (page IN ('privacy', 'terms', 'data-deletion')),
  number INTEGER NOT NULL,
  body TEXT, -- Markdown; NULL: the text that comes with Pamosnik
  effective_at INTEGER NOT NULL,
  made_at INTEGER NOT NULL,
  PRIMARY KEY (account_id, page, number)
) STRICT, WITHOUT ROWID""",
    """\
CREATE TABLE retentions ( -- the last time that what is too old was removed
  account_id TEXT PRIMARY KEY REFERENCES accounts,
  began_at INTEGER NOT NULL,
  ended_at INTEGER, -- NULL: broken off; the next one goes on
  gone TEXT NOT NULL DEFAULT '{}' -- JSON: kind -> how many
) STRICT, WITHOUT ROWID""",
)
