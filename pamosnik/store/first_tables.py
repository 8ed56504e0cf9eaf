"""The tables of the first migration."""

STATEMENTS = """\
CREATE TABLE accounts (
  account_id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  email TEXT NOT NULL UNIQUE COLLATE NOCASE,
  timezone TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  adult_stated_at INTEGER NOT NULL, -- when its holder stated to be an adult
  created_at INTEGER NOT NULL,
  status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'deleting'))
) STRICT;

CREATE TABLE account_keys ( -- one data key per account, wrapped by the master key
  account_id TEXT PRIMARY KEY REFERENCES accounts,
  wrapped_key BLOB NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions ( -- logins at the status page; the cookie holds the token, this its SHA-256
  token_hash BLOB PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts,
  created_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE login_attempts ( -- failed logins, to slow down guessing; email as SHA-256
  id INTEGER PRIMARY KEY,
  account_id TEXT NOT NULL, -- '' when no account has this e-mail
  email_hash BLOB NOT NULL,
  at INTEGER NOT NULL
) STRICT;

CREATE INDEX login_attempts_recent ON login_attempts (at);

CREATE TABLE connections ( -- connected Instagram accounts
  connection_id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts,
  ig_id TEXT NOT NULL UNIQUE, -- entry.id of webhooks
  asid TEXT, -- app-scoped id of the same account
  username TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('active', 'needs_login', 'blocked', 'disconnected')),
  reason TEXT, -- why it is not active
  scopes TEXT NOT NULL, -- JSON array
  token_sealed BLOB,
  token_expires_at INTEGER,
  connected_at INTEGER NOT NULL, -- what happened before is not answered
  subscribed_fields TEXT NOT NULL DEFAULT '[]', -- JSON array
  private_reply_buttons TEXT NOT NULL DEFAULT 'untried'
    CHECK (private_reply_buttons IN ('untried', 'accepted', 'refused')),
  rest_until INTEGER, -- nothing is sent before: Meta asked for a pause
  rest_reason TEXT
) STRICT;

CREATE INDEX connections_of_account ON connections (account_id);

CREATE TABLE events ( -- the inbox: one row for each thing Meta told us
  event_id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts,
  connection_id TEXT NOT NULL REFERENCES connections,
  dedup_key TEXT NOT NULL,
  kind TEXT NOT NULL,
  occurred_at INTEGER, -- NULL: Meta did not say
  received_at INTEGER NOT NULL,
  seen_times INTEGER NOT NULL DEFAULT 1, -- how often it was delivered
  igsid TEXT,
  username TEXT,
  text TEXT,
  mid TEXT,
  payload TEXT,
  title TEXT,
  comment_id TEXT,
  parent_id TEXT,
  media_id TEXT,
  ad_id TEXT,
  story_id TEXT,
  ref TEXT,
  emoji TEXT,
  reply_to_mid TEXT,
  attachments TEXT, -- JSON array of [type, url, media_id]
  verdict TEXT NOT NULL,
  flow_id TEXT,
  run_id TEXT,
  reason TEXT,
  trace TEXT, -- JSON array of [what, result, detail]
  attempts INTEGER NOT NULL DEFAULT 0, -- turns that failed on it
  decided_at INTEGER
) STRICT;

CREATE UNIQUE INDEX events_once ON events (connection_id, dedup_key);

-- The runner's question: what has no verdict yet?
CREATE INDEX events_pending ON events (event_id) WHERE verdict = 'pending';

CREATE INDEX events_of_person ON events (connection_id, igsid, event_id);

-- `events list` and the status page: the newest of an account.
CREATE INDEX events_newest ON events (account_id, event_id);

CREATE TABLE contacts (
  contact_id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts,
  connection_id TEXT NOT NULL REFERENCES connections,
  igsid TEXT NOT NULL,
  username TEXT COLLATE NOCASE,
  name TEXT,
  follows_me INTEGER,
  verified INTEGER,
  followers INTEGER,
  created_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL, -- their last event
  first_message_at INTEGER,
  window_open_until INTEGER,
  opted_out_at INTEGER,
  unreachable_since INTEGER,
  paused_until INTEGER,
  paused_by TEXT CHECK (paused_by IN ('owner', 'hand_over')),
  paused_note TEXT, -- for the human who takes over
  disclosed_at INTEGER
) STRICT;

CREATE UNIQUE INDEX contacts_once ON contacts (connection_id, igsid);

CREATE INDEX contacts_by_username ON contacts (account_id, username);

CREATE TABLE contact_ids ( -- other ids Meta uses for a contact: the recipient_id of a private reply
  account_id TEXT NOT NULL REFERENCES accounts,
  connection_id TEXT NOT NULL REFERENCES connections,
  igsid TEXT NOT NULL,
  contact_id TEXT NOT NULL REFERENCES contacts ON DELETE CASCADE,
  PRIMARY KEY (connection_id, igsid)
) STRICT, WITHOUT ROWID;

CREATE TABLE contact_tags (
  account_id TEXT NOT NULL REFERENCES accounts,
  contact_id TEXT NOT NULL REFERENCES contacts ON DELETE CASCADE,
  tag TEXT NOT NULL,
  added_at INTEGER NOT NULL,
  PRIMARY KEY (contact_id, tag)
) STRICT, WITHOUT ROWID;

CREATE TABLE contact_fields (
  account_id TEXT NOT NULL REFERENCES accounts,
  contact_id TEXT NOT NULL REFERENCES contacts ON DELETE CASCADE,
  field TEXT NOT NULL,
  value TEXT NOT NULL,
  set_at INTEGER NOT NULL,
  PRIMARY KEY (contact_id, field)
) STRICT, WITHOUT ROWID;

CREATE TABLE flow_versions ( -- immutable; named by the hash of what was written
  account_id TEXT NOT NULL REFERENCES accounts,
  flow_id TEXT NOT NULL,
  version TEXT NOT NULL,
  body TEXT NOT NULL, -- JSON: the flow with all short forms written out
  timezone TEXT NOT NULL, -- that clock times in it were read in
  created_at INTEGER NOT NULL,
  PRIMARY KEY (account_id, flow_id, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE flows ( -- what is applied now
  account_id TEXT NOT NULL REFERENCES accounts,
  flow_id TEXT NOT NULL,
  version TEXT NOT NULL,
  place INTEGER NOT NULL, -- file order
  title TEXT NOT NULL,
  paused_at INTEGER, -- by command; survives apply
  applied_at INTEGER NOT NULL,
  PRIMARY KEY (account_id, flow_id),
  FOREIGN KEY (account_id, flow_id, version) REFERENCES flow_versions
) STRICT, WITHOUT ROWID;

CREATE TABLE books ( -- settings that all flows of an account share
  account_id TEXT PRIMARY KEY REFERENCES accounts,
  revision INTEGER NOT NULL, -- rises with every apply, pause and resume: tells a daemon to load again
  settings TEXT NOT NULL, -- JSON
  applied_at INTEGER NOT NULL
) STRICT;

CREATE TABLE flow_history ( -- what apply did
  id INTEGER PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts,
  flow_id TEXT NOT NULL,
  version TEXT, -- NULL: removed
  change TEXT NOT NULL CHECK (change IN ('added', 'changed', 'removed')),
  note TEXT,
  at INTEGER NOT NULL
) STRICT;

CREATE TABLE bound_posts ( -- `post: next`: the post a flow was bound to
  account_id TEXT NOT NULL REFERENCES accounts,
  connection_id TEXT NOT NULL REFERENCES connections,
  flow_id TEXT NOT NULL,
  version TEXT NOT NULL, -- the version that first said it
  since INTEGER NOT NULL,
  media_id TEXT, -- NULL until a post appears
  PRIMARY KEY (account_id, connection_id, flow_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE posts ( -- posts that comments came in for, where their link or age matters
  account_id TEXT NOT NULL REFERENCES accounts,
  connection_id TEXT NOT NULL REFERENCES connections,
  media_id TEXT NOT NULL,
  shortcode TEXT, -- of its link; NULL: Instagram did not tell
  posted_at INTEGER,
  PRIMARY KEY (connection_id, media_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
  run_id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts,
  connection_id TEXT NOT NULL REFERENCES connections,
  contact_id TEXT NOT NULL REFERENCES contacts ON DELETE CASCADE,
  flow_id TEXT NOT NULL,
  version TEXT NOT NULL,
  mode TEXT NOT NULL CHECK (mode IN ('single', 'restart', 'parallel')),
  status TEXT NOT NULL
    CHECK (status IN ('active', 'waiting', 'completed', 'stopped', 'failed', 'expired')),
  live INTEGER NOT NULL CHECK (live IN (0, 1)), -- counts as "already in it"
  turn INTEGER NOT NULL, -- decisions committed
  origin TEXT NOT NULL, -- JSON of model.run.Origin
  comment_id TEXT,
  media_id TEXT,
  answer TEXT,
  step TEXT,
  taps_open INTEGER NOT NULL CHECK (taps_open IN (0, 1)),
  main_done INTEGER NOT NULL CHECK (main_done IN (0, 1)),
  data TEXT NOT NULL DEFAULT '{}', -- JSON
  started_at INTEGER NOT NULL,
  finished_at INTEGER,
  reason TEXT,
  counted TEXT NOT NULL DEFAULT '', -- words of `stats` this run was counted under, each between spaces
  FOREIGN KEY (account_id, flow_id, version) REFERENCES flow_versions
) STRICT;

-- One live run per flow and contact; `parallel` is exempt.
CREATE UNIQUE INDEX runs_one_live ON runs (contact_id, flow_id) WHERE live = 1 AND mode <> 'parallel';

CREATE INDEX runs_newest ON runs (account_id, run_id);

CREATE INDEX runs_of_contact ON runs (contact_id, run_id);

CREATE INDEX runs_of_version ON runs (account_id, flow_id, version);

CREATE TABLE waits ( -- where runs stand still
  wait_id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts,
  run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
  contact_id TEXT NOT NULL REFERENCES contacts ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('timer', 'answer', 'tap', 'effect')),
  path TEXT NOT NULL,
  branch TEXT NOT NULL,
  opened_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0 -- turns that failed on it
) STRICT;

-- The runner's question: whose time has come?
CREATE INDEX waits_due ON waits (due_at);

CREATE INDEX waits_of_contact ON waits (contact_id, opened_at);

CREATE INDEX waits_of_run ON waits (run_id);

CREATE TABLE turns ( -- what each decision of a run looked at and did
  account_id TEXT NOT NULL REFERENCES accounts,
  run_id TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
  turn INTEGER NOT NULL,
  stimulus TEXT NOT NULL,
  event_id TEXT,
  trace TEXT NOT NULL, -- JSON array of [what, result, detail]
  at INTEGER NOT NULL,
  PRIMARY KEY (run_id, turn)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox ( -- everything that leaves the machine
  seq INTEGER PRIMARY KEY AUTOINCREMENT, -- order within a lane
  item_id TEXT NOT NULL UNIQUE,
  account_id TEXT NOT NULL REFERENCES accounts,
  connection_id TEXT NOT NULL REFERENCES connections,
  contact_id TEXT NOT NULL REFERENCES contacts ON DELETE CASCADE,
  source TEXT NOT NULL, -- the run, or the event for answers to safety words
  turn INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  run_id TEXT REFERENCES runs ON DELETE SET NULL,
  flow_id TEXT,
  step TEXT,
  kind TEXT NOT NULL CHECK (kind IN ('message', 'private_reply', 'comment_reply', 'comment_action',
    'sender_action', 'call', 'email', 'lookup')),
  lane TEXT NOT NULL, -- items of one lane leave in order: a person's messages, a comment's replies
  status TEXT NOT NULL CHECK (status IN ('queued', 'held', 'sending', 'sent', 'unknown', 'expired',
    'failed', 'cancelled')),
  held_for TEXT CHECK (held_for IN ('answer', 'private_reply', 'login')),
  depends_on TEXT, -- the private reply that must be accepted first
  content TEXT NOT NULL, -- JSON of model.outbox.OutMessage
  plain INTEGER NOT NULL DEFAULT 0 CHECK (plain IN (0, 1)),
  wire TEXT, -- the body as it left first
  igsid TEXT NOT NULL,
  comment_id TEXT,
  due_at INTEGER NOT NULL,
  deadline INTEGER NOT NULL, -- 9e15: never too late
  attempts INTEGER NOT NULL DEFAULT 0,
  first_attempt_at INTEGER,
  last_attempt_at INTEGER,
  uncertain INTEGER NOT NULL DEFAULT 0 CHECK (uncertain IN (0, 1)),
  reason TEXT,
  message_id TEXT,
  told INTEGER CHECK (told IN (0, 1)), -- 0: its run has yet to hear how it ended
  created_at INTEGER NOT NULL,
  settled_at INTEGER
) STRICT;

-- An effect of a turn is one item, however often the turn is repeated.
CREATE UNIQUE INDEX outbox_once ON outbox (source, turn, ordinal);

-- The sender's question: what may leave now? Earliest deadline first within a limit.
CREATE INDEX outbox_queued ON outbox (connection_id, kind, deadline, seq) WHERE status = 'queued';

CREATE INDEX outbox_due ON outbox (due_at) WHERE status = 'queued';

CREATE INDEX outbox_open_lanes ON outbox (lane, seq)
  WHERE status IN ('queued', 'held', 'sending', 'unknown');

CREATE INDEX outbox_too_late ON outbox (deadline) WHERE status IN ('queued', 'held');

CREATE INDEX outbox_untold ON outbox (seq) WHERE told = 0;

CREATE INDEX outbox_of_run ON outbox (run_id);

CREATE INDEX outbox_by_message ON outbox (message_id) WHERE message_id IS NOT NULL;

CREATE INDEX outbox_newest ON outbox (account_id, seq);

CREATE TABLE attempts ( -- requests that count against Meta's hourly limits; they outlive their items
  id INTEGER PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts,
  connection_id TEXT NOT NULL REFERENCES connections,
  kind TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;

CREATE INDEX attempts_recent ON attempts (connection_id, kind, at);

CREATE TABLE starts ( -- keeps `per_person`, `per_post` and "first time" for the contact's life
  account_id TEXT NOT NULL REFERENCES accounts,
  contact_id TEXT NOT NULL REFERENCES contacts ON DELETE CASCADE,
  flow_id TEXT NOT NULL,
  media_id TEXT NOT NULL, -- '' for starts without a post
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  PRIMARY KEY (contact_id, flow_id, media_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE variants ( -- which variant of a text was used last
  account_id TEXT NOT NULL REFERENCES accounts,
  connection_id TEXT NOT NULL REFERENCES connections,
  flow_id TEXT NOT NULL,
  step TEXT NOT NULL,
  contact_id TEXT NOT NULL, -- '' for public replies, which everybody sees
  used INTEGER NOT NULL,
  PRIMARY KEY (connection_id, flow_id, step, contact_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE totals ( -- numbers per day; they hold no person and survive retention
  account_id TEXT NOT NULL REFERENCES accounts,
  connection_id TEXT NOT NULL,
  day TEXT NOT NULL, -- in the account's time zone
  flow_id TEXT NOT NULL,
  step TEXT NOT NULL,
  media_id TEXT NOT NULL,
  what TEXT NOT NULL, -- started, sent, …, or goal:NAME
  n INTEGER NOT NULL,
  PRIMARY KEY (account_id, connection_id, day, flow_id, step, media_id, what)
) STRICT, WITHOUT ROWID;

CREATE TABLE notices ( -- what needs the owner, once each, until it is mended
  account_id TEXT NOT NULL, -- '' when it concerns the whole installation
  connection_id TEXT NOT NULL,
  code TEXT NOT NULL,
  message TEXT NOT NULL,
  fix TEXT NOT NULL,
  since INTEGER NOT NULL,
  PRIMARY KEY (account_id, connection_id, code)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit ( -- who did what, append-only
  id INTEGER PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts,
  actor TEXT NOT NULL, -- command, page, daemon
  action TEXT NOT NULL,
  subject TEXT,
  at INTEGER NOT NULL
) STRICT"""
