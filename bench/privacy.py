"""`make bench-privacy`: deletions and exports of a large home while webhooks keep arriving.

Fills a home with two accounts of N people each (four events, two runs, three messages a head), starts a real `serve`
against a stub of Instagram, delivers signed webhooks at a steady rate for a third, small connection and for the ones
that are worked on, and meanwhile exports, runs the retention, forgets a person, disconnects, deletes an account, and
imports its export into another. For each: how long it took, how long acknowledgements took, how
large the log beside the database and the memory of the daemon grew. Ends with 1 when one acknowledgement took more
than a second, or was none.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import aiohttp

from bench.__main__ import FLOW, SECRET, _free_port, _process, _stub
from pamosnik import config
from pamosnik._sqlite import Connection
from pamosnik.config import Config
from pamosnik.flows.compile import version_of
from pamosnik.flows.load import load
from pamosnik.ids import new_id
from pamosnik.instagram.webhook import sign
from pamosnik.security import keyring
from pamosnik.services import accounts as account_services
from pamosnik.services import connecting, erasing, home
from pamosnik.services.accounts import NewAccount
from pamosnik.store import deletions
from pamosnik.store.connections import Connected
from pamosnik.store.database import Database, open_database
from pamosnik.store.deletions import Cause
from tests.daemon import events

LONGEST_ACK_S = 1.0
BIG, SMALL, OTHER = "17841400000000011", "17841400000000012", "17841400000000013"
FIRST, SECOND, EMPTY = "first@example.com", "second@example.com", "empty@example.com"
_BODY = load([("bench.yaml", FLOW)]).flows[0].body


# --- a large home ----------------------------------------------------------------------------------------


def make_home(settings: Config, people: int) -> dict[str, Connected]:
    """Connections by Instagram id. Nothing in it is due, so that the daemon is at rest."""
    now = datetime.now(UTC)
    first = NewAccount("First", FIRST, "three random words", "UTC")
    account, _ = home.initialise(settings, first, now)
    keys = keyring.load(settings.key_file, None)
    with open_database(settings.database) as database:
        other, _ = (
            account_services.create(database, keys, NewAccount(name, email, "three random words", "UTC"), now)
            for name, email in (("Second", SECOND), ("Empty", EMPTY))
        )
        made = {}
        for ig_id, owner in ((BIG, account), (SMALL, account), (OTHER, other)):
            found = connecting.Found(f"TOKEN{ig_id}", ig_id, None, f"shop.{ig_id[-2:]}", ())
            keep = partial(connecting.keep, keys=keys, account_id=owner.id, found=found, now=now)
            made[ig_id] = database.write(keep)
        for ig_id in (BIG, OTHER):
            _fill(database, made[ig_id], people, now)
    return made


def _fill(database: Database, connected: Connected, people: int, now: datetime) -> None:
    conn = database.connection
    flow = (connected.account_id, "price", version_of(_BODY), json.dumps(_BODY))
    database.write(
        lambda conn: conn.execute(
            "INSERT INTO flow_versions (account_id, flow_id, version, body, timezone, created_at)"
            " VALUES (?,?,?,?,'UTC',0)",
            flow,
        )
    )
    conn.execute("PRAGMA synchronous=OFF")
    for start in range(0, people, 1000):
        numbers = range(start, min(start + 1000, people))
        database.write(partial(_people, connected=connected, numbers=numbers, now=now))
    conn.execute("PRAGMA synchronous=FULL")


def _people(conn: Connection, connected: Connected, numbers: range, now: datetime) -> None:
    whose = (connected.account_id, connected.id)
    for number in numbers:
        at = now - timedelta(days=200) + timedelta(seconds=number)
        ms, igsid, contact_id = (
            int(at.timestamp() * 1000),
            f"77{connected.ig_id[-2:]}{number:011}",
            new_id(at),
        )
        conn.execute(
            "INSERT INTO contacts (contact_id, account_id, connection_id, igsid, username, name, created_at,"
            " last_seen_at) VALUES (?,?,?,?,?,?,?,?)",
            (contact_id, *whose, igsid, f"customer.{number}", f"Customer {number}", ms, ms),
        )
        conn.execute("INSERT INTO contact_tags VALUES (?,?,'got-prices',?)", (whose[0], contact_id, ms))
        conn.execute(
            "INSERT INTO contact_fields VALUES (?,?,'size','Medium',?,0)", (whose[0], contact_id, ms)
        )
        conn.execute("INSERT INTO starts VALUES (?,?,'price','',?,?)", (whose[0], contact_id, ms, ms))
        for each in range(4):
            _event(conn, whose, igsid, f"{connected.ig_id[-2:]}-{number}-{each}", ms)
        for each in range(2):
            _run(conn, whose, contact_id, igsid, at + timedelta(milliseconds=each))


def _event(conn: Connection, whose: tuple[str, str], igsid: str, name: str, ms: int) -> None:
    trace = '[["keywords of price","no","none of its words"]]'
    conn.execute(
        "INSERT INTO events (event_id, account_id, connection_id, dedup_key, kind, occurred_at, received_at, igsid,"
        " text, mid, verdict, trace, decided_at) VALUES (?,?,?,?,'message',?,?,?,?,?,'no_match',?,?)",
        (
            new_id(datetime.fromtimestamp(ms / 1000, UTC)),
            *whose,
            f"in:{igsid}:{name}",
            ms,
            ms,
            igsid,
            f"Hello, how much is number {name}, and do you send it abroad?",
            f"aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlEOjE3ODQxNDAw{name}",
            trace,
            ms,
        ),
    )


def _run(conn: Connection, whose: tuple[str, str], contact_id: str, igsid: str, at: datetime) -> None:
    run_id, ms = new_id(at), int(at.timestamp() * 1000)
    conn.execute(
        "INSERT INTO runs (run_id, account_id, connection_id, contact_id, flow_id, version, mode, status, live, turn,"
        " origin, taps_open, main_done, started_at, finished_at) VALUES (?,?,?,?,'price',?,'parallel','completed',"
        '0,1,\'{"text": "price please"}\',0,1,?,?)',
        (run_id, *whose, contact_id, version_of(_BODY), ms, ms),
    )
    conn.execute("INSERT INTO turns VALUES (?,?,1,'event',NULL,'[]',?)", (whose[0], run_id, ms))
    for ordinal in range(1 if at.microsecond % 2000 else 2):
        conn.execute(
            "INSERT INTO outbox (item_id, account_id, connection_id, contact_id, source, turn, ordinal, run_id,"
            " flow_id, step, kind, lane, status, content, igsid, due_at, deadline, attempts, message_id, created_at,"
            " settled_at) VALUES (?,?,?,?,?,1,?,?,'price','do.0','message',?,'sent',?,?,?,?,1,?,?,?)",
            (
                new_id(at),
                *whose,
                contact_id,
                run_id,
                ordinal,
                run_id,
                f"p:{contact_id}",
                '{"text": "Hi! Here is our price list, and we do send it abroad."}',
                igsid,
                ms,
                ms,
                f"sent-{run_id}-{ordinal}",
                ms,
                ms,
            ),
        )


# --- Meta's side -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Deliveries:
    """Posted at a steady rate, whether or not earlier ones were answered."""

    hook: str
    per_second: float
    acks_s: list[float] = field(default_factory=list)
    refused: int = 0
    wal_peak: int = 0
    memory_peak: int = 0

    async def run(self, wal: Path, daemon: Path) -> None:
        """`daemon`: its folder in /proc."""
        async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
            number = 0
            while True:
                ig_id = (BIG, SMALL, OTHER)[number % 3]
                item = events.message(f"55{number:012}", "Hello, is anybody there?")
                group.create_task(
                    self._post(session, events.encode(events.envelope(events.talk(item, ig_id=ig_id))))
                )
                self.wal_peak = max(self.wal_peak, _size(wal))
                self.memory_peak = max(self.memory_peak, _memory(daemon))
                number += 1
                await asyncio.sleep(1 / self.per_second)

    async def _post(self, session: aiohttp.ClientSession, body: bytes) -> None:
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": sign(body, SECRET)}
        begun = time.perf_counter()
        async with session.post(self.hook, data=body, headers=headers) as answer:
            await answer.read()
            self.refused += answer.status != 200
        self.acks_s.append(time.perf_counter() - begun)

    def begin(self) -> None:
        self.acks_s, self.refused, self.wal_peak, self.memory_peak = [], 0, 0, 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _memory(daemon: Path) -> int:
    """Bytes in use (RSS)."""
    pages = int((daemon / "statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


# --- what is measured ------------------------------------------------------------------------------------


def _deletion(settings: Config, begin: Callable[[Connection], str]) -> str:
    """Marks, as a command or the page does, and waits until the daemon has ended it; what its receipt counts."""
    with open_database(settings.database) as database:
        deletion_id = database.write(begin)
        while True:
            receipt = deletions.load(database.connection, deletion_id)
            assert receipt is not None
            if receipt.ended_at is not None:
                break
            time.sleep(0.1)
    rows = receipt.people + receipt.events + receipt.runs + receipt.messages
    return f"{receipt.people} people, {rows} rows"


def _keep(settings: Config, *, messages: str = "forever") -> None:
    """How long things are kept, by whoever starts from now on."""
    file = settings.home / config.SETTINGS_FILE
    others, _, _ = file.read_text("utf-8").partition("[retention]")
    ages = dict.fromkeys(("events", "runs", "contacts", "logs"), "forever") | {"messages": messages}
    table = [f'{kind} = "{age}"' for kind, age in ages.items()]
    file.write_text("\n".join([others, "[retention]", *table, ""]), "utf-8")


def _calm() -> str:
    time.sleep(5)
    return ""


def _command(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pamosnik", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"{arguments[0]}: {done.stderr}")
    return ""


def _operations(
    settings: Config, environment: dict[str, str], made: dict[str, Connected], folder: Path
) -> Iterator[tuple[str, Callable[[], str]]]:
    """Name, and what does it. The home grows smaller on the way."""
    now = datetime.now(UTC)
    big, other = made[BIG], made[OTHER]

    def forget(conn: Connection) -> str:
        someone = erasing.people(conn, big.account_id, "customer.7")[0]
        return erasing.begin_forget(conn, someone, cause=Cause.COMMAND, actor="command", now=now)

    def disconnect(conn: Connection) -> str:
        return erasing.begin_disconnect(conn, big.id, cause=Cause.COMMAND, actor="command", now=now)

    def delete(conn: Connection) -> str:
        return erasing.begin_delete_account(
            conn, other.account_id, cause=Cause.COMMAND, actor="command", now=now
        )

    def messages_go() -> str:
        _keep(settings, messages="30d")
        return _command(as_first, "retention", "run", "--yes")

    as_first = {**environment, "PAMOSNIK_ACCOUNT": FIRST}
    yield "calm", _calm
    as_second = {**environment, "PAMOSNIK_ACCOUNT": SECOND}
    as_empty = {**environment, "PAMOSNIK_ACCOUNT": EMPTY}
    yield "export", partial(_command, as_second, "export", "-o", str(folder / "all.zip"))
    yield "retention run", messages_go
    yield "forget a person", partial(_deletion, settings, forget)
    yield "disconnect", partial(_deletion, settings, disconnect)
    yield "delete an account", partial(_deletion, settings, delete)
    yield "import", partial(_command, as_empty, "import", str(folder / "all.zip"), "--yes")


async def measure(arguments: argparse.Namespace, folder: Path, meta: str) -> bool:
    """Whether every delivery was acknowledged in time."""
    port = _free_port()
    environment = {
        **os.environ,
        "PAMOSNIK_HOME": str(folder / "home"),
        "PAMOSNIK_META_URL": meta,
        "PAMOSNIK_INSTAGRAM_APP_SECRET": SECRET,
        "PAMOSNIK_LOG_LEVEL": "warning",
    }
    settings = config.load({}, environ=environment)
    begun = time.monotonic()
    made = await asyncio.to_thread(make_home, settings, arguments.people)
    _keep(settings)
    size = settings.database.stat().st_size >> 20
    print(f"2 × {arguments.people} people, {size} MB, made in {time.monotonic() - begun:.0f} s\n", flush=True)
    good = True
    with _process(
        [sys.executable, "-m", "pamosnik", "serve", "--port", str(port)], port, environment
    ) as address:
        deliveries = Deliveries(f"{address}/webhooks/instagram", arguments.rate)
        wal = settings.database.with_name(f"{settings.database.name}-wal")
        pid = (settings.home / home.LOCK_FILE).read_text("utf-8").split()[0]
        posting = asyncio.create_task(deliveries.run(wal, Path("/proc") / pid))
        for name, do in _operations(settings, environment, made, folder):
            deliveries.begin()
            begun = time.monotonic()
            said = await asyncio.to_thread(do)
            took = time.monotonic() - begun
            await asyncio.sleep(2)  # what it has delayed comes to its end
            good &= _told(name, said, took, deliveries)
        posting.cancel()
        await asyncio.gather(posting, return_exceptions=True)
    print(f"\nthe database at the end: {settings.database.stat().st_size >> 20} MB")
    return good


def _told(name: str, said: str, took: float, deliveries: Deliveries) -> bool:
    ordered = sorted(deliveries.acks_s)
    p50, p99 = (ordered[int(len(ordered) * part)] * 1000 for part in (0.5, 0.99))
    print(
        f"{name:18} {took:6.1f} s  acknowledged {len(ordered)}: p50 {p50:.0f} ms, p99 {p99:.0f} ms, longest"
        f" {ordered[-1] * 1000:.0f} ms; refused {deliveries.refused}; log {deliveries.wal_peak >> 20} MB,"
        f" memory {deliveries.memory_peak >> 20} MB"
        f"{f'; {said}' if said else ''}",
        flush=True,
    )
    return ordered[-1] <= LONGEST_ACK_S and not deliveries.refused


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100_000, help="of each account")
    parser.add_argument("--rate", type=float, default=20, help="webhooks a second")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, _stub() as meta:
        good = asyncio.run(measure(arguments, Path(folder), meta))
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
