"""`python -m bench.page`: how long the status page's first byte takes with a million events and 100,000 people.

The rows are made by SQL in about a minute: a shop in its third month, with the queue of a viral reel.
"""

import argparse
import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import aiohttp

from pamosnik import config
from pamosnik._sqlite import Connection
from pamosnik.config import Config
from pamosnik.daemon.visitors import SESSION_COOKIE
from pamosnik.ids import new_id
from pamosnik.security import tokens
from pamosnik.security.held_keys import HeldKeys
from pamosnik.services import connecting
from pamosnik.store import accounts, sessions
from pamosnik.store.database import open_database
from pamosnik.store.sessions import Session
from pamosnik.store.times import ms

GOAL_MS = 50
TIMES = 15
DAYS = 90
PAGES = (
    "/",
    "/events",
    "/events/missed",
    "/people",
    "/people/waiting",
    "/flows",
    "/flows/price",
    "/posts",
    "/queue",
)
_TOKEN = "the-session-of-the-bench"

FLOW = """\
version: 1
disclosure: "Automated."
flows:
  price:
    when: [comment: price, dm: price]
    mode: parallel
    do:
      - send: { text: "Here you are.", buttons: [{ label: See, url: "https://shop.example", name: prices }] }
      - goal: told
"""

_NUMBERS = "WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n+1 FROM c WHERE n<:last)"
_ROWS = (
    # People, the first ones waiting for a human.
    f"""{_NUMBERS} INSERT INTO contacts (contact_id, account_id, connection_id, igsid, username, name, created_at,
    last_seen_at, first_message_at, window_open_until, paused_until, paused_by)
    SELECT printf('01J%023d', n), :account, :connection, printf('%015d', 900000000+n), printf('user.%d', n),
    printf('Name %d', n), :begin, :begin+n*:span/(:last+1), :begin, :begin+n*:span/(:last+1)+86400000,
    iif(n<20, :now+3600000, NULL), iif(n<20, 'hand_over', NULL) FROM c""",
    # What they did: two comments in three, one of four not answered.
    f"""{_NUMBERS} INSERT INTO events (event_id, account_id, connection_id, dedup_key, kind, occurred_at,
    received_at, igsid, username, text, mid, comment_id, media_id, verdict, flow_id, run_id, reason, decided_at)
    SELECT printf('01K%023d', n), :account, :connection, printf('k%d', n), iif(n%3, 'comment', 'message'),
    :begin+n*:span/(:last+1), :begin+n*:span/(:last+1), printf('%015d', 900000000+n%:people),
    printf('user.%d', n%:people), iif(n%4, 'price please', printf('what about number %d', n%700)),
    iif(n%3, NULL, printf('m%d', n)),
    iif(n%3, printf('c%d', n), NULL), iif(n%3, printf('media-%d', n%40), NULL), iif(n%4, 'started', 'no_match'),
    iif(n%4, 'price', NULL), iif(n%4, printf('01R%023d', n/4), NULL), iif(n%4, NULL, 'no flow has a trigger for it'),
    :begin+n*:span/(:last+1) FROM c""",
    f"""{_NUMBERS} INSERT INTO runs (run_id, account_id, connection_id, contact_id, flow_id, version, mode, status,
    live, turn, origin, media_id, step, taps_open, main_done, started_at, finished_at, counted)
    SELECT printf('01R%023d', n), :account, :connection, printf('01J%023d', n%:people), 'price', :version, 'parallel',
    iif(n>:last-2000, 'waiting', 'completed'), n>:last-2000, 1, '{{}}', printf('media-%d', n%40), 'do.1', 0, 1,
    :begin+n*:span/(:last+1), :begin+n*:span/(:last+1), ' started  sent ' FROM c""",
    # What was sent; the last ones wait for Meta's hour.
    f"""{_NUMBERS} INSERT INTO outbox (item_id, account_id, connection_id, contact_id, source, turn, ordinal, run_id,
    flow_id, step, kind, lane, status, content, igsid, comment_id, due_at, deadline, attempts, message_id, told,
    created_at, settled_at)
    SELECT printf('01T%023d', n), :account, :connection, printf('01J%023d', n%:people), printf('01R%023d', n), 1, 0,
    printf('01R%023d', n), 'price', 'do.0', 'private_reply', printf('l%d', n), iif(n>:last-2000, 'queued', 'sent'),
    '{{"text": "Here you are."}}', printf('%015d', 900000000+n%:people), printf('c%d', n), :begin+n*:span/(:last+1),
    :begin+n*:span/(:last+1)+604800000, 1, iif(n>:last-2000, NULL, printf('s%d', n)), 1, :begin+n*:span/(:last+1),
    iif(n>:last-2000, NULL, :begin+n*:span/(:last+1)) FROM c""",
    # Ninety days of numbers: forty posts, seven words.
    f"""{_NUMBERS} INSERT INTO totals (account_id, connection_id, day, flow_id, step, media_id, what, n)
    SELECT :account, :connection, date(:begin/1000+(n/280)*86400, 'unixepoch'), iif(n%7<2, '', 'price'), '',
    printf('media-%d', n/7%40), (SELECT value FROM json_each(
      '["received:comment","answered:comment","started","sent","seen","clicked","completed"]') WHERE key=n%7),
    50-n%7 FROM c""",
    f"""{_NUMBERS} INSERT INTO totals (account_id, connection_id, day, flow_id, version, step, media_id, what, n)
    SELECT :account, :connection, date(:begin/1000+(n/2)*86400, 'unixepoch'), 'price', :version,
    printf('do.%d', n%2), '', 'reached', 500 FROM c""",
)


def _fill(conn: Connection, account: str, connection: str, events: int, people: int) -> None:
    now = datetime.now(UTC)
    begin = ms(now - timedelta(days=DAYS))
    (version,) = conn.execute("SELECT version FROM flows WHERE flow_id='price'").fetchone()
    numbers = (people, events, events // 4, events // 4, DAYS * 280, DAYS * 2)
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
                "last": number - 1,
            },
        )


def _home(folder: Path, events: int, people: int) -> Config:
    environment = {**os.environ, "PAMOSNIK_HOME": str(folder / "home"), "PAMOSNIK_QUIET": "1"}
    pamosnik = [sys.executable, "-m", "pamosnik"]
    (folder / "flow.yaml").write_text(FLOW)
    who = ["--name", "Bench", "--email", "bench@example.com", "--timezone", "UTC", "--password-stdin"]
    for arguments, given in (
        (["init", *who], "bench password\n"),
        (["flows", "apply", str(folder / "flow.yaml"), "--yes"], ""),
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
        database.write(partial(sessions.open_session, token_hash=tokens.token_hash(_TOKEN), session=session))
    return settings


@contextmanager
def _daemon(settings: Config) -> Iterator[str]:
    """Instagram is out of reach: nothing is sent meanwhile."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "PAMOSNIK_HOME": str(settings.home),
        "PAMOSNIK_META_URL": "http://127.0.0.1:9",
        "PAMOSNIK_QUIET": "1",
    }
    command = [sys.executable, "-m", "pamosnik", "serve", "--port", str(port)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(1200):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


async def _first_bytes(address: str) -> dict[str, tuple[float, int]]:
    """Page → median of milliseconds until its first byte, and its size. What is no page yet is left out."""
    found = {}
    async with aiohttp.ClientSession(headers={"Cookie": f"{SESSION_COOKIE}={_TOKEN}"}) as session:
        for path in PAGES:
            took, size = [], 0
            for _ in range(TIMES):
                began = time.perf_counter()
                async with session.get(f"{address}{path}", allow_redirects=False) as answer:
                    took.append((time.perf_counter() - began) * 1000)
                    size = len(await answer.read())
                    if answer.status != 200:
                        break
            else:
                found[path] = statistics.median(took), size
    return found


def measure(events: int, people: int, folder: Path | None = None) -> None:
    with tempfile.TemporaryDirectory() as made:
        settings = _home(folder or Path(made), events, people)
        with _daemon(settings) as address:
            found = asyncio.run(_first_bytes(address))
    print(
        f"\nfirst byte of pages, {events:,} events, {people:,} people: median of {TIMES}, × goal of {GOAL_MS} ms"
    )
    for path, (took, size) in found.items():
        print(f"  {path:<20} {took / GOAL_MS:5.2f} × goal ({took:.1f} ms, {size / 1000:.0f} kB)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--keep", type=Path, help="make the home in this folder, and leave it there")
    given = parser.parse_args()
    measure(given.events, given.people, given.keep)


if __name__ == "__main__":
    main()
