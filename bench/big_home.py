"""A shop after a long time, made by SQL in a minute: a million events and 100,000 people in ninety days, numbers of
two years, the queue of a viral reel, and as many people waiting for a human as are told.
"""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from pamosnik import config
from pamosnik._sqlite import Connection
from pamosnik.config import Config
from pamosnik.ids import new_id
from pamosnik.security import tokens
from pamosnik.security.held_keys import HeldKeys
from pamosnik.services import connecting
from pamosnik.store import accounts, sessions
from pamosnik.store.database import open_database
from pamosnik.store.sessions import Session
from pamosnik.store.times import ms

TOKEN = "the-session-of-the-bench"
DAYS = 90
DAYS_COUNTED = 730
OPEN_RUNS = 10_000
QUEUED = 2_000
WAITING = 199

FLOWS = """\
version: 1
disclosure: "Automated."
flows:
  price:
    when: [comment: price, dm: price]
    mode: parallel
    do:
      - send: { text: "Here you are.", buttons: [{ label: See, url: "https://shop.example", name: prices }] }
      - wait: 1h
      - send: "Did you find it?"
      - goal: told
""" + "".join(
    f"""\
  {word}:
    when: [comment: [{word}, "{word} please"], dm: {word}]
    do:
      - send: "About {word}: see our page."
"""
    for word in (
        *(
            "opening",
            "delivery",
            "sizes",
            "colours",
            "returns",
            "gift",
            "menu",
            "booking",
            "discount",
            "care",
        ),
        "catalogue",
    )
)

_NUMBERS = "WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n+1 FROM c WHERE n<:last)"
_AT = ":begin+n*:span/(:last+1)"
_ROWS = (
    # People: the first ones wait for a human, one in ten has a tag, one in five a size.
    f"""{_NUMBERS} INSERT INTO contacts (contact_id, account_id, connection_id, igsid, username, name, created_at,
    last_seen_at, first_message_at, window_open_until, paused_until, paused_by)
    SELECT printf('01J%023d', n), :account, :connection, printf('%015d', 900000000+n), printf('user.%d', n),
    printf('Name %d', n), :begin, {_AT}, :begin, {_AT}+86400000,
    iif(n<{WAITING}, :now+3600000, NULL), iif(n<{WAITING}, 'hand_over', NULL) FROM c""",
    f"""{_NUMBERS} INSERT INTO contact_tags (account_id, contact_id, tag, added_at)
    SELECT :account, printf('01J%023d', n*10), 'vip', :begin FROM c""",
    f"""{_NUMBERS} INSERT INTO contact_fields (account_id, contact_id, field, value, set_at)
    SELECT :account, printf('01J%023d', n*5), 'size', printf('%d', 36+n%10), :begin FROM c""",
    # What they did: two comments in three, one of four not answered. Whoever waits has written messages.
    f"""{_NUMBERS} INSERT INTO events (event_id, account_id, connection_id, dedup_key, kind, occurred_at,
    received_at, igsid, username, text, mid, comment_id, media_id, verdict, flow_id, run_id, reason, decided_at)
    SELECT printf('01K%023d', n), :account, :connection, printf('k%d', n), iif(said, 'message', 'comment'),
    at, at, printf('%015d', 900000000+who), iif(said, NULL, printf('user.%d', who)),
    iif(taken, 'price please', printf('what about number %d', n%700)),
    iif(said, printf('m%d', n), NULL), iif(said, NULL, printf('c%d', n)), iif(said, NULL, printf('media-%d', n%40)),
    iif(taken, 'started', 'no_match'), iif(taken, 'price', NULL), iif(taken, printf('01R%023d', n/4), NULL),
    iif(taken, NULL, 'no flow has a trigger for it'), at
    FROM (SELECT n, n%:people AS who, n%3=0 OR n%:people<{WAITING} AS said, n%4>0 AS taken, {_AT} AS at FROM c)""",
    f"""{_NUMBERS} INSERT INTO runs (run_id, account_id, connection_id, contact_id, flow_id, version, mode, status,
    live, turn, origin, media_id, step, taps_open, main_done, started_at, finished_at, counted)
    SELECT printf('01R%023d', n), :account, :connection, printf('01J%023d', (n*4+1)%:people), 'price', :version,
    'parallel', iif(n>:last-{OPEN_RUNS}, 'waiting', 'completed'), n>:last-{OPEN_RUNS}, 1,
    json_object('came_from', 'comment', 'event_id', printf('01K%023d', n*4+1), 'text', 'price please',
      'comment_id', printf('c%d', n*4+1), 'top_comment_id', NULL, 'comment_at', {_AT}, 'live', json('false'),
      'media_id', printf('media-%d', n%40), 'private_item', NULL),
    printf('media-%d', n%40), 'do.1', 0, 1, {_AT}, iif(n>:last-{OPEN_RUNS}, NULL, {_AT}), ' started  sent ' FROM c""",
    f"""{_NUMBERS} INSERT INTO waits (wait_id, account_id, run_id, contact_id, kind, path, branch, opened_at, due_at)
    SELECT printf('01W%023d', n), :account, run_id, contact_id, 'timer', 'do.1', '', started_at, :now+86400000
    FROM c JOIN runs ON run_id=printf('01R%023d', n+:runs-{OPEN_RUNS})""",
    f"""{_NUMBERS} INSERT INTO turns (account_id, run_id, turn, stimulus, event_id, trace, at)
    SELECT :account, printf('01R%023d', n), 1, 'EventArrived', printf('01K%023d', n*4+1),
    '[["keyword", "matched", "price"], ["price", "started", ""]]', {_AT} FROM c""",
    # What was sent; the last ones wait for Meta's hour.
    f"""{_NUMBERS} INSERT INTO outbox (item_id, account_id, connection_id, contact_id, source, turn, ordinal, run_id,
    flow_id, step, kind, lane, status, content, igsid, comment_id, due_at, deadline, attempts, message_id, told,
    created_at, settled_at)
    SELECT printf('01T%023d', n), :account, :connection, printf('01J%023d', (n*4+1)%:people), printf('01R%023d', n),
    1, 0, printf('01R%023d', n), 'price', 'do.0', 'private_reply', printf('l%d', n),
    iif(n>:last-{QUEUED}, 'queued', 'sent'), '{{"text": "Here you are."}}',
    printf('%015d', 900000000+(n*4+1)%:people), printf('c%d', n*4+1), {_AT}, {_AT}+604800000, 1,
    iif(n>:last-{QUEUED}, NULL, printf('s%d', n)), 1, {_AT}, iif(n>:last-{QUEUED}, NULL, {_AT}) FROM c""",
    f"""{_NUMBERS} INSERT INTO links (token, account_id, connection_id, contact_id, run_id, item_id, flow_id, step,
    name, address, made_at, clicks, first_click_at, last_click_at)
    SELECT printf('t%d', n), :account, :connection, printf('01J%023d', (n*4+1)%:people), printf('01R%023d', n),
    printf('01T%023d', n), 'price', 'do.0', 'prices', 'https://shop.example', {_AT}, n%5=0,
    iif(n%5=0, {_AT}, NULL), iif(n%5=0, {_AT}, NULL) FROM c""",
    # Numbers: every day forty posts and seven words.
    f"""{_NUMBERS} INSERT INTO totals (account_id, connection_id, day, flow_id, step, media_id, what, n)
    SELECT :account, :connection, date('now', printf('-%d days', n/280)), iif(n%7<2, '', 'price'), '',
    printf('media-%d', n/7%40), (SELECT value FROM json_each(
      '["received:comment","answered:comment","started","sent","seen","clicked","completed"]') WHERE key=n%7),
    50-n%7 FROM c""",
    f"""{_NUMBERS} INSERT INTO totals (account_id, connection_id, day, flow_id, version, step, media_id, what, n)
    SELECT :account, :connection, date('now', printf('-%d days', n/5)), 'price', :version, printf('do.%d', n%5), '',
    'reached', 500-50*(n%5) FROM c""",
    f"""{_NUMBERS} INSERT INTO totals (account_id, connection_id, day, flow_id, version, step, media_id, what, n)
    SELECT :account, :connection, date('now', printf('-%d days', n/3)), 'price', :version, 'do.0', '',
    (SELECT value FROM json_each('["link:messages:prices","link:people:prices","link:clicks:prices"]')
    WHERE key=n%3), 500-100*(n%3) FROM c""",
)


def _fill(conn: Connection, account: str, connection: str, events: int, people: int) -> None:
    now = datetime.now(UTC)
    begin = ms(now - timedelta(days=DAYS))
    (version,) = conn.execute("SELECT version FROM flows WHERE flow_id='price'").fetchone()
    runs = events // 4
    numbers = (
        *(people, people // 10, people // 5, events, runs, OPEN_RUNS, runs, runs, runs),
        *(DAYS_COUNTED * 280, DAYS_COUNTED * 5, DAYS_COUNTED * 3),
    )
    for rows, number in zip(_ROWS, numbers, strict=True):
        conn.execute(
            rows,
            {
                "account": account,
                "connection": connection,
                "version": version,
                "begin": begin,
                "span": ms(now) - begin,
                "now": ms(now),
                "people": people,
                "runs": runs,
                "last": number - 1,
            },
        )


def make(folder: Path, events: int, people: int) -> Config:
    """The home, with an account that is logged in under `TOKEN`."""
    environment = {**os.environ, "PAMOSNIK_HOME": str(folder / "home"), "PAMOSNIK_QUIET": "1"}
    pamosnik = [sys.executable, "-m", "pamosnik"]
    (folder / "flows.yaml").write_text(FLOWS)
    who = ["--name", "Bench", "--email", "bench@example.com", "--timezone", "UTC", "--password-stdin"]
    for arguments, given in (
        (["init", *who], "bench password\n"),
        (["flows", "apply", str(folder / "flows.yaml"), "--yes"], ""),
    ):
        subprocess.run(
            [*pamosnik, *arguments],
            env=environment,
            input=given,
            text=True,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    settings = config.load({"home": str(folder / "home")}, environ={})
    with open_database(settings.database) as database:
        account, now = accounts.every(database.connection)[0], datetime.now(UTC)
        found = connecting.Found("IGAAbench", "17841400000000001", None, "bench", ())
        keep = partial(
            connecting.keep, keys=HeldKeys(settings.key_file, None), account_id=account.id, found=found
        )
        connected = database.write(partial(keep, now=now))
        database.connection.execute("PRAGMA synchronous=OFF")
        database.write(
            partial(_fill, account=account.id, connection=connected.id, events=events, people=people)
        )
        session = Session(new_id(now), account.id, "bench", now, now, now + timedelta(days=14))
        database.write(partial(sessions.open_session, token_hash=tokens.token_hash(TOKEN), session=session))
    return settings
