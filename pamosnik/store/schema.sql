-- Written by `python -m pamosnik.store.migrations`; do not edit.

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
, session_id TEXT, browser TEXT NOT NULL DEFAULT '') STRICT;

CREATE TABLE login_attempts ( -- failed logins, to slow down guessing; email as SHA-256
  id INTEGER PRIMARY KEY,
  account_id TEXT NOT NULL, -- '' when no account has this e-mail
  email_hash BLOB NOT NULL,
  at INTEGER NOT NULL
, what TEXT NOT NULL DEFAULT 'login') STRICT;

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
, token_issued_at INTEGER, token_refresh_at INTEGER, read_until INTEGER, delete_after INTEGER) STRICT;

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
, recovered INTEGER NOT NULL DEFAULT 0 CHECK (recovered IN (0, 1)), doubt_from INTEGER, changed TEXT, by_run TEXT) STRICT;

CREATE UNIQUE INDEX events_once ON events (connection_id, dedup_key);

CREATE INDEX events_pending ON events (event_id) WHERE verdict = 'pending';

CREATE INDEX events_of_person ON events (connection_id, igsid, event_id);

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
, looked_up_at INTEGER, look_up_again_at INTEGER, look_up_problem TEXT, forget_at INTEGER, note TEXT, search TEXT) STRICT;

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
  set_at INTEGER NOT NULL, counted INTEGER NOT NULL DEFAULT 0 CHECK (counted IN (0, 1)),
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
  applied_at INTEGER NOT NULL, paused_by TEXT, rolled_back_at INTEGER,
  PRIMARY KEY (account_id, flow_id),
  FOREIGN KEY (account_id, flow_id, version) REFERENCES flow_versions
) STRICT, WITHOUT ROWID;

CREATE TABLE books ( -- settings that all flows of an account share
  account_id TEXT PRIMARY KEY REFERENCES accounts,
  revision INTEGER NOT NULL, -- rises with every apply, pause and resume: tells a daemon to load again
  settings TEXT NOT NULL, -- JSON
  applied_at INTEGER NOT NULL
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
  posted_at INTEGER, comments_read INTEGER, caption TEXT, permalink TEXT,
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
  counted TEXT NOT NULL DEFAULT '', doubt_from INTEGER, -- words of `stats` this run was counted under, each between spaces
  FOREIGN KEY (account_id, flow_id, version) REFERENCES flow_versions
) STRICT;

CREATE UNIQUE INDEX runs_one_live ON runs (contact_id, flow_id) WHERE live = 1 AND mode <> 'parallel';

CREATE INDEX runs_newest ON runs (account_id, run_id);

CREATE INDEX runs_of_contact ON runs (contact_id, run_id);

CREATE INDEX runs_of_version ON runs (account_id, flow_id, version);

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
, look_at INTEGER, looks INTEGER NOT NULL DEFAULT 0, not_there_at INTEGER, live INTEGER NOT NULL DEFAULT 0 CHECK (live IN (0, 1)), doubt_from INTEGER, task TEXT, result TEXT) STRICT;

CREATE UNIQUE INDEX outbox_once ON outbox (source, turn, ordinal);

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

CREATE TABLE notices ( -- what needs the owner, once each, until it is mended
  account_id TEXT NOT NULL, -- '' when it concerns the whole installation
  connection_id TEXT NOT NULL,
  code TEXT NOT NULL,
  message TEXT NOT NULL,
  fix TEXT NOT NULL,
  since INTEGER NOT NULL, step INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (account_id, connection_id, code)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit ( -- who did what, append-only
  id INTEGER PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts,
  actor TEXT NOT NULL, -- command, page, daemon
  action TEXT NOT NULL,
  subject TEXT,
  at INTEGER NOT NULL
, kind TEXT NOT NULL DEFAULT 'change' -- access: logins, which retention removes
  CHECK (kind IN ('change', 'access'))) STRICT;

CREATE INDEX outbox_look ON outbox (look_at) WHERE status = 'unknown';

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
) STRICT, WITHOUT ROWID;

CREATE INDEX outbox_of_contact ON outbox (contact_id, connection_id);

CREATE INDEX contact_ids_of_contact ON contact_ids (contact_id);

CREATE INDEX outbox_queued ON outbox (connection_id, kind, live, deadline, seq) WHERE status = 'queued';

CREATE TABLE rests ( -- kinds of messages that Meta wants to rest
  account_id TEXT NOT NULL REFERENCES accounts,
  connection_id TEXT NOT NULL REFERENCES connections,
  quota TEXT NOT NULL,
  until INTEGER NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (connection_id, quota)
) STRICT, WITHOUT ROWID;

CREATE INDEX outbox_errands ON outbox (kind, due_at) WHERE status = 'queued' AND kind IN ('call', 'email', 'lookup');

CREATE TABLE usage ( -- what Meta's usage headers said last, for each kind of message
  account_id TEXT NOT NULL REFERENCES accounts,
  connection_id TEXT NOT NULL REFERENCES connections,
  quota TEXT NOT NULL,
  percent INTEGER NOT NULL,
  heard_at INTEGER NOT NULL,
  PRIMARY KEY (connection_id, quota)
) STRICT, WITHOUT ROWID;

CREATE TABLE codes ( -- codes of the pools that flow files name
  account_id TEXT NOT NULL REFERENCES accounts,
  pool TEXT NOT NULL,
  code TEXT NOT NULL,
  place INTEGER NOT NULL, -- order in which they are given
  given_at INTEGER, -- NULL: not yet; stays when the person is forgotten
  PRIMARY KEY (account_id, pool, code)
) STRICT, WITHOUT ROWID;

CREATE INDEX codes_left ON codes (account_id, pool, place) WHERE given_at IS NULL;

CREATE TABLE given_codes ( -- one code per person and pool
  account_id TEXT NOT NULL REFERENCES accounts,
  contact_id TEXT NOT NULL REFERENCES contacts ON DELETE CASCADE,
  pool TEXT NOT NULL,
  code TEXT NOT NULL,
  given_at INTEGER NOT NULL,
  told_at INTEGER NOT NULL, -- asked for again, it is told again
  PRIMARY KEY (contact_id, pool)
) STRICT;

CREATE UNIQUE INDEX given_codes_once ON given_codes (account_id, pool, code);

CREATE TABLE flow_names ( -- flows that were renamed
  account_id TEXT NOT NULL REFERENCES accounts,
  flow_id TEXT NOT NULL,
  first_id TEXT NOT NULL, -- before the first renaming
  PRIMARY KEY (account_id, flow_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE schedules ( -- the next broadcast of each flow on each connection
  account_id TEXT NOT NULL REFERENCES accounts,
  connection_id TEXT NOT NULL REFERENCES connections,
  flow_id TEXT NOT NULL,
  timing TEXT NOT NULL, -- what it was planned by
  due_at INTEGER, -- NULL: nothing comes any more
  PRIMARY KEY (connection_id, flow_id)
) STRICT, WITHOUT ROWID;

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
) STRICT;

CREATE UNIQUE INDEX broadcasts_once ON broadcasts (connection_id, flow_id, planned_at);

CREATE INDEX broadcasts_of_account ON broadcasts (account_id, planned_at);

CREATE INDEX broadcasts_under_way ON broadcasts (broadcast_id) WHERE finished_at IS NULL;

CREATE INDEX contacts_to_forget ON contacts (forget_at) WHERE forget_at IS NOT NULL;

CREATE TABLE ledger ( -- keys of the hashes in tombstones
  account_id TEXT PRIMARY KEY REFERENCES accounts,
  key BLOB NOT NULL
) STRICT;

CREATE TABLE tombstones ( -- people who were forgotten
  account_id TEXT NOT NULL REFERENCES accounts,
  connection_id TEXT NOT NULL REFERENCES connections,
  person BLOB NOT NULL, -- HMAC-SHA256 of the business account's id and theirs
  said_at INTEGER NOT NULL, -- what they did until then is dropped
  erased_at INTEGER NOT NULL,
  opted_out INTEGER NOT NULL CHECK (opted_out IN (0, 1)),
  purged_at INTEGER, -- NULL: bytes of deleted rows may be left in pages, WAL and copies
  PRIMARY KEY (connection_id, person)
) STRICT, WITHOUT ROWID;

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
, previews INTEGER NOT NULL DEFAULT 0) STRICT;

CREATE INDEX links_of_contact ON links (contact_id, made_at);

CREATE INDEX links_of_run ON links (run_id);

CREATE INDEX links_of_item ON links (item_id);

CREATE TABLE "waits" ( -- where runs stand still
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
) STRICT;

CREATE INDEX waits_due ON waits (due_at);

CREATE INDEX waits_of_contact ON waits (contact_id, opened_at);

CREATE INDEX waits_of_run ON waits (run_id);

CREATE TABLE entrances ( -- opening questions and menu items as Instagram has them
  account_id TEXT NOT NULL REFERENCES accounts,
  connection_id TEXT NOT NULL REFERENCES connections,
  entrance TEXT NOT NULL CHECK (entrance IN ('ice_breakers', 'persistent_menu')),
  labels TEXT, -- JSON list; NULL: not certain, it is said again
  asked TEXT NOT NULL, -- JSON list: what Instagram was asked for last
  failures INTEGER NOT NULL DEFAULT 0, -- in a row
  try_at INTEGER, -- when it is asked for the same again
  PRIMARY KEY (connection_id, entrance)
) STRICT, WITHOUT ROWID;

CREATE TABLE "flow_history" ( -- what became of each flow
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
) STRICT;

CREATE INDEX flow_history_of_flow ON flow_history (account_id, flow_id, id);

CREATE UNIQUE INDEX sessions_by_id ON sessions (session_id);

CREATE INDEX sessions_of_account ON sessions (account_id);

CREATE TABLE known_browsers ( -- logged in before: strangers who guess passwords do not lock them out
  token_hash BLOB PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts,
  made_at INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL
) STRICT;

CREATE INDEX known_browsers_of_account ON known_browsers (account_id);

CREATE TABLE mailed_links ( -- links in mails to the account's holder, for one use; the mail holds the token
  token_hash BLOB PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts,
  purpose TEXT NOT NULL CHECK (purpose IN ('reset_password', 'confirm_email')),
  email TEXT NOT NULL, -- where the mail went
  made_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX mailed_links_of_account ON mailed_links (account_id);

CREATE TABLE api_tokens ( -- for scripts; who made one holds the token, this its SHA-256
  token_id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts,
  name TEXT NOT NULL,
  token_hash BLOB NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER, -- NULL: never
  UNIQUE (account_id, name)
) STRICT;

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
) STRICT;

CREATE INDEX deletions_under_way ON deletions (subject_id) WHERE ended_at IS NULL;

CREATE TABLE deletion_requests ( -- Meta's requests to delete data, by the code that they were answered with
  code TEXT PRIMARY KEY,
  account_id TEXT NOT NULL, -- '' when nothing is known of whom it names, or the account is gone
  deletion_id TEXT, -- NULL: there was nothing to delete
  asked_at INTEGER NOT NULL
) STRICT;

CREATE INDEX deletion_requests_of ON deletion_requests (deletion_id);

CREATE TABLE traces ( -- rows are gone whose bytes may be left in pages and in the WAL, until the file is written anew
  account_id TEXT PRIMARY KEY REFERENCES accounts,
  since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE consents ( -- what was agreed to, and taken back, when; append-only
  consent_id INTEGER PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts,
  contact_id TEXT REFERENCES contacts ON DELETE CASCADE, -- NULL: the account's holder
  connection_id TEXT, -- for the holder's consents: which Instagram account; outlives it
  what TEXT NOT NULL CHECK (what IN ('adulthood', 'connect', 'disconnect', 'opt_in', 'opt_out')),
  how TEXT NOT NULL, -- command, page, instagram, words, flow, block
  at INTEGER NOT NULL
) STRICT;

CREATE INDEX consents_of_account ON consents (account_id, consent_id);

CREATE INDEX consents_of_contact ON consents (contact_id) WHERE contact_id IS NOT NULL;

CREATE TRIGGER consents_stay BEFORE DELETE ON consents WHEN OLD.contact_id IS NULL AND EXISTS (SELECT 1 FROM accounts WHERE account_id=OLD.account_id AND status='active')
BEGIN SELECT RAISE(ABORT, 'consents are append-only'); END;

CREATE TRIGGER consents_hold BEFORE UPDATE ON consents
BEGIN SELECT RAISE(ABORT, 'consents are append-only'); END;

CREATE TRIGGER audit_stays BEFORE DELETE ON audit WHEN OLD.kind<>'access' AND EXISTS (SELECT 1 FROM accounts WHERE account_id=OLD.account_id AND status='active')
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;

CREATE TRIGGER audit_holds BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;

CREATE TABLE legal_texts ( -- what the pages for Meta and the public say, and said before
  account_id TEXT NOT NULL REFERENCES accounts, -- the operator's
  page TEXT NOT NULL CHECK (page IN ('privacy', 'terms', 'data-deletion')),
  number INTEGER NOT NULL,
  body TEXT, -- Markdown; NULL: the text that comes with Pamosnik
  effective_at INTEGER NOT NULL,
  made_at INTEGER NOT NULL,
  PRIMARY KEY (account_id, page, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE retentions ( -- the last time that what is too old was removed
  account_id TEXT PRIMARY KEY REFERENCES accounts,
  began_at INTEGER NOT NULL,
  ended_at INTEGER, -- NULL: broken off; the next one goes on
  gone TEXT NOT NULL DEFAULT '{}' -- JSON: kind -> how many
) STRICT, WITHOUT ROWID;

CREATE INDEX events_below ON events (connection_id, parent_id) WHERE parent_id IS NOT NULL;

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
) STRICT, WITHOUT ROWID;

CREATE TRIGGER search_new AFTER INSERT ON contacts BEGIN UPDATE contacts SET search=coalesce(username, '') || char(10) || coalesce(name, '') || char(10) || coalesce(paused_note, '') || char(10) || coalesce(note, '') || char(10) || coalesce((SELECT group_concat(tag, char(10)) FROM contact_tags t WHERE t.contact_id=contacts.contact_id), '') || char(10) || coalesce((SELECT group_concat(value, char(10)) FROM contact_fields f WHERE f.contact_id=contacts.contact_id), '') WHERE contact_id=NEW.contact_id; END;

CREATE TRIGGER search_changed AFTER UPDATE OF username, name, paused_note, note ON contacts WHEN OLD.username IS NOT NEW.username OR OLD.name IS NOT NEW.name OR OLD.paused_note IS NOT NEW.paused_note OR OLD.note IS NOT NEW.note BEGIN UPDATE contacts SET search=coalesce(username, '') || char(10) || coalesce(name, '') || char(10) || coalesce(paused_note, '') || char(10) || coalesce(note, '') || char(10) || coalesce((SELECT group_concat(tag, char(10)) FROM contact_tags t WHERE t.contact_id=contacts.contact_id), '') || char(10) || coalesce((SELECT group_concat(value, char(10)) FROM contact_fields f WHERE f.contact_id=contacts.contact_id), '') WHERE contact_id=NEW.contact_id; END;

CREATE TRIGGER search_tag AFTER INSERT ON contact_tags BEGIN UPDATE contacts SET search=coalesce(username, '') || char(10) || coalesce(name, '') || char(10) || coalesce(paused_note, '') || char(10) || coalesce(note, '') || char(10) || coalesce((SELECT group_concat(tag, char(10)) FROM contact_tags t WHERE t.contact_id=contacts.contact_id), '') || char(10) || coalesce((SELECT group_concat(value, char(10)) FROM contact_fields f WHERE f.contact_id=contacts.contact_id), '') WHERE contact_id=NEW.contact_id; END;

CREATE TRIGGER search_untag AFTER DELETE ON contact_tags BEGIN UPDATE contacts SET search=coalesce(username, '') || char(10) || coalesce(name, '') || char(10) || coalesce(paused_note, '') || char(10) || coalesce(note, '') || char(10) || coalesce((SELECT group_concat(tag, char(10)) FROM contact_tags t WHERE t.contact_id=contacts.contact_id), '') || char(10) || coalesce((SELECT group_concat(value, char(10)) FROM contact_fields f WHERE f.contact_id=contacts.contact_id), '') WHERE contact_id=OLD.contact_id; END;

CREATE TRIGGER search_field AFTER INSERT ON contact_fields BEGIN UPDATE contacts SET search=coalesce(username, '') || char(10) || coalesce(name, '') || char(10) || coalesce(paused_note, '') || char(10) || coalesce(note, '') || char(10) || coalesce((SELECT group_concat(tag, char(10)) FROM contact_tags t WHERE t.contact_id=contacts.contact_id), '') || char(10) || coalesce((SELECT group_concat(value, char(10)) FROM contact_fields f WHERE f.contact_id=contacts.contact_id), '') WHERE contact_id=NEW.contact_id; END;

CREATE TRIGGER search_value AFTER UPDATE OF value ON contact_fields BEGIN UPDATE contacts SET search=coalesce(username, '') || char(10) || coalesce(name, '') || char(10) || coalesce(paused_note, '') || char(10) || coalesce(note, '') || char(10) || coalesce((SELECT group_concat(tag, char(10)) FROM contact_tags t WHERE t.contact_id=contacts.contact_id), '') || char(10) || coalesce((SELECT group_concat(value, char(10)) FROM contact_fields f WHERE f.contact_id=contacts.contact_id), '') WHERE contact_id=NEW.contact_id; END;

CREATE TRIGGER search_cleared AFTER DELETE ON contact_fields BEGIN UPDATE contacts SET search=coalesce(username, '') || char(10) || coalesce(name, '') || char(10) || coalesce(paused_note, '') || char(10) || coalesce(note, '') || char(10) || coalesce((SELECT group_concat(tag, char(10)) FROM contact_tags t WHERE t.contact_id=contacts.contact_id), '') || char(10) || coalesce((SELECT group_concat(value, char(10)) FROM contact_fields f WHERE f.contact_id=contacts.contact_id), '') WHERE contact_id=OLD.contact_id; END;

CREATE INDEX contacts_heard ON contacts (account_id, last_seen_at, contact_id);

CREATE INDEX contacts_paused ON contacts (account_id, paused_until) WHERE paused_until IS NOT NULL;

CREATE INDEX events_missed ON events (account_id, event_id) WHERE verdict IN ('no_match', 'filtered', 'error', 'unsupported');

CREATE INDEX events_of_post ON events (connection_id, media_id, event_id) WHERE media_id IS NOT NULL;

CREATE INDEX runs_open ON runs (account_id, flow_id, version) WHERE status IN ('active', 'waiting');

CREATE INDEX outbox_open ON outbox (account_id, status) WHERE status IN ('queued', 'held', 'sending', 'unknown');

CREATE TABLE instagram_logins ( -- each has an address, for one connection; whoever is told it holds the token
  token_hash BLOB PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts,
  how TEXT NOT NULL CHECK (how IN ('command', 'page')), -- where it was begun
  made_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  connection_id TEXT, -- what it connected; NULL: nothing yet
  problem TEXT -- why the last try failed
) STRICT;

CREATE INDEX instagram_logins_of_account ON instagram_logins (account_id);

CREATE TABLE month_totals ( -- the sums of `totals` by month; triggers there keep them
  account_id TEXT NOT NULL REFERENCES accounts,
  connection_id TEXT NOT NULL,
  month TEXT NOT NULL, -- YYYY-MM
  flow_id TEXT NOT NULL,
  version TEXT NOT NULL,
  step TEXT NOT NULL,
  media_id TEXT NOT NULL,
  what TEXT NOT NULL,
  n INTEGER NOT NULL,
  days INTEGER NOT NULL, -- rows of `totals` in it
  PRIMARY KEY (account_id, connection_id, month, flow_id, version, step, media_id, what)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER month_new AFTER INSERT ON totals BEGIN INSERT INTO month_totals (account_id, connection_id, month, flow_id, version, step, media_id, what, n, days) VALUES (NEW.account_id, NEW.connection_id, substr(NEW.day, 1, 7), NEW.flow_id, NEW.version, NEW.step, NEW.media_id, NEW.what, NEW.n, 1) ON CONFLICT DO UPDATE SET n=n+excluded.n, days=days+1; END;

CREATE TRIGGER month_counted AFTER UPDATE ON totals WHEN (OLD.account_id, OLD.connection_id, OLD.day, OLD.flow_id, OLD.version, OLD.step, OLD.media_id, OLD.what) = (NEW.account_id, NEW.connection_id, NEW.day, NEW.flow_id, NEW.version, NEW.step, NEW.media_id, NEW.what) BEGIN UPDATE month_totals SET n=n-OLD.n+NEW.n WHERE account_id=NEW.account_id AND connection_id=NEW.connection_id AND flow_id=NEW.flow_id AND version=NEW.version AND step=NEW.step AND media_id=NEW.media_id AND what=NEW.what AND month=substr(NEW.day, 1, 7); END;

CREATE TRIGGER month_moved AFTER UPDATE ON totals WHEN NOT (OLD.account_id, OLD.connection_id, OLD.day, OLD.flow_id, OLD.version, OLD.step, OLD.media_id, OLD.what) = (NEW.account_id, NEW.connection_id, NEW.day, NEW.flow_id, NEW.version, NEW.step, NEW.media_id, NEW.what) BEGIN UPDATE month_totals SET n=n-OLD.n, days=days-1 WHERE account_id=OLD.account_id AND connection_id=OLD.connection_id AND flow_id=OLD.flow_id AND version=OLD.version AND step=OLD.step AND media_id=OLD.media_id AND what=OLD.what AND month=substr(OLD.day, 1, 7); DELETE FROM month_totals WHERE account_id=OLD.account_id AND connection_id=OLD.connection_id AND flow_id=OLD.flow_id AND version=OLD.version AND step=OLD.step AND media_id=OLD.media_id AND what=OLD.what AND month=substr(OLD.day, 1, 7) AND days=0; INSERT INTO month_totals (account_id, connection_id, month, flow_id, version, step, media_id, what, n, days) VALUES (NEW.account_id, NEW.connection_id, substr(NEW.day, 1, 7), NEW.flow_id, NEW.version, NEW.step, NEW.media_id, NEW.what, NEW.n, 1) ON CONFLICT DO UPDATE SET n=n+excluded.n, days=days+1; END;

CREATE TRIGGER month_gone AFTER DELETE ON totals BEGIN UPDATE month_totals SET n=n-OLD.n, days=days-1 WHERE account_id=OLD.account_id AND connection_id=OLD.connection_id AND flow_id=OLD.flow_id AND version=OLD.version AND step=OLD.step AND media_id=OLD.media_id AND what=OLD.what AND month=substr(OLD.day, 1, 7); DELETE FROM month_totals WHERE account_id=OLD.account_id AND connection_id=OLD.connection_id AND flow_id=OLD.flow_id AND version=OLD.version AND step=OLD.step AND media_id=OLD.media_id AND what=OLD.what AND month=substr(OLD.day, 1, 7) AND days=0; END;
