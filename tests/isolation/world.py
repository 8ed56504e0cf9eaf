"""A home with two accounts that look alike: the same flows, the same person writing to both, rows of both everywhere.

Everything that one of them holds carries its mark. `without` is the same home as if the other account had never been
there: whoever works for one account must see no difference.
"""

import shutil
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pamosnik import _sqlite, config
from pamosnik._sqlite import Connection
from pamosnik.instagram import webhook
from pamosnik.security import keyring, vault
from pamosnik.security.vault import MasterKeys
from pamosnik.services import answering, clicks, connecting, flows, intake
from pamosnik.services.library import Library
from pamosnik.services.public_address import PublicAddress
from pamosnik.store import accounts, inbox, tombstones, walls
from pamosnik.store.database import Database, open_database
from pamosnik.store.times import ms
from pamosnik.store.tombstones import Tombstone
from tests.daemon import events
from tests.daemon.events import Json

NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=90)
PUBLIC = "https://home.example"
ANNA = "900000000000001"
"""Writes to both shops, as one and the same person."""

FORGOTTEN = "900000000000009"
"""Was known to both, and asked both to forget them."""

FLOWS = """
version: 1
timezone: UTC
disclosure: "MARK answers by itself."
fields: { size: text }
facts: { list: "https://MARK.example/list" }
flows:
  price:
    title: Prices of MARK
    when: [comment: price, dm: price]
    mode: restart
    do:
      - reply_publicly: "Sent by MARK!"
      - send:
          text: "The list of MARK"
          buttons: [{ label: Open, url: "https://MARK.example/prices" }]
      - set: { size: "MARK" }
      - tag: MARK
      - goal: got-MARK
  size:
    title: Sizes of MARK
    when: [dm: size]
    mode: restart
    do:
      - ask: { question: "Which size at MARK?", save_as: size }
  news:
    title: News of MARK
    when: [schedule: { at: "NEXT_YEAR-12-24 09:00" }]
    do: [send: "News of MARK"]
  only-MARK:
    title: Nobody else has this one
    when: [dm: secret MARK]
    do: [send: "The secret of MARK"]
"""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two accounts. `number` is in its ids where rows are numbered."""

    account: str
    connection: str
    mark: str
    number: int

    @property
    def ig_id(self) -> str:
        return f"1784140000000000{self.number}"

    @property
    def fan(self) -> str:
        """The Instagram id of somebody who knows this shop alone."""
        return f"90000000000010{self.number}"

    @property
    def email(self) -> str:
        return f"{self.mark}@shop.example"

    @property
    def hash(self) -> bytes:
        return f"hash of {self.mark}".encode()


MINE = Side("AROSE", "CROSE", "zqrose", 1)
OTHERS = Side("ATULIP", "CTULIP", "zqtulip", 2)


def make(home: Path) -> Path:
    """Makes the home; its database."""
    config.prepare_home(home)
    keys = keyring.create(home / "master.key", None, NOW)
    with open_database(home / "pamosnik.db", migrate=True) as database:
        for side in (MINE, OTHERS):
            _lives(database, keys, side)
            database.write(lambda conn, side=side: _fills_the_rest(conn, side))  # type: ignore[misc]
        return database.path


def without(home: Path, side: Side, target: Path) -> Path:
    """A copy of the home in which this account never was; its database."""
    shutil.copytree(home, target)
    with closing(_sqlite.connect(str(target / "pamosnik.db"), isolation_level=None)) as conn:
        # Consents and audit stay otherwise.
        conn.execute("UPDATE accounts SET status='deleting' WHERE account_id=?", (side.account,))
        for table in walls.tables(conn):
            conn.execute(f"DELETE FROM {table} WHERE account_id=?", (side.account,))
    return target / "pamosnik.db"


def rows_of(conn: Connection, side: Side) -> Mapping[str, list[tuple[object, ...]]]:
    """Table → every row of the account."""
    return {
        table: sorted(conn.execute(f"SELECT * FROM {table} WHERE account_id=?", (side.account,)), key=repr)
        for table in walls.tables(conn)
    }


# --- what happens to a shop --------------------------------------------------------------------------------


def _lives(database: Database, keys: MasterKeys, side: Side) -> None:
    library = Library(PublicAddress(PUBLIC))
    database.write(lambda conn: _opens(conn, keys, side))
    for step, item in enumerate(_days_work(side)):
        now = NOW + timedelta(seconds=10 * step)
        items = webhook.parse(events.encode(events.envelope(item))).items
        database.write(lambda conn, items=items, now=now: intake.store(conn, items, now))  # type: ignore[misc]
        for event in inbox.pending(database.connection, 10):
            database.write(lambda conn, e=event, now=now: answering.take_event(conn, library, e, now))  # type: ignore[misc]
    database.write(lambda conn: _leaves(conn, side))


def _opens(conn: Connection, keys: MasterKeys, side: Side) -> None:
    account = accounts.Account(side.account, f"Shop {side.mark}", side.email, "UTC", NOW)
    wrapped = keys.wrap(side.account, vault.new_data_key())
    accounts.insert(
        conn, account, password_hash=f"hash-{side.mark}", wrapped_key=wrapped, adult_stated_at=NOW
    )
    found = connecting.Found(f"token-{side.mark}", side.ig_id, f"as-{side.mark}", f"shop.{side.mark}", ())
    was = connecting.keep(conn, keys, side.account, found, NOW).id
    conn.execute("PRAGMA defer_foreign_keys=ON")
    for table in walls.tables(conn):
        columns = [name for (name,) in conn.execute("SELECT name FROM pragma_table_info(?)", (table,))]
        if "connection_id" in columns and table != "consents":  # whose rows nobody changes
            conn.execute(f"UPDATE {table} SET connection_id=? WHERE connection_id=?", (side.connection, was))
    files = [(f"{side.mark}.yaml", FLOWS.replace("MARK", side.mark).replace("NEXT_YEAR", str(NOW.year + 1)))]
    proposal = flows.propose(conn, side.account, files, prune=False, now=NOW, is_public=True)
    assert not proposal.loaded.has_errors, proposal.loaded.problems
    flows.apply(conn, side.account, proposal, note=f"note of {side.mark}", actor="command", now=NOW)


def _days_work(side: Side) -> list[Json]:
    def says(igsid: str, text: str, number: int) -> Json:
        item = events.message(igsid, text, mid=f"mid-{side.mark}-{number}")
        at = int((NOW + timedelta(seconds=number)).timestamp() * 1000)
        item = {**item, "recipient": {"id": side.ig_id}, "timestamp": at}
        return events.talk(item, ig_id=side.ig_id)

    def comments(igsid: str, number: int) -> Json:
        text, comment_id = f"price please, {side.mark}", f"com-{side.mark}-{number}"
        value = events.comment(
            igsid, text, comment_id=comment_id, username=f"fan.{side.mark}", media=f"post-{side.mark}"
        )
        return events.change(value, ig_id=side.ig_id)

    return [
        says(ANNA, "price", 1),
        says(ANNA, "size", 2),
        says(ANNA, f"{side.mark} XL", 3),
        says(side.fan, "price", 4),
        says(side.fan, f"nothing for {side.mark}", 5),
        says(side.fan, f"secret {side.mark}", 6),
        says(side.fan, "size", 7),
        comments(ANNA, 8),
        comments(side.fan, 9),
    ]


_ENDS = ("sent", "unknown", "failed", "cancelled", "queued", "held", "sending", "expired")


def _leaves(conn: Connection, side: Side) -> None:
    """One message of each fate; links count as if all had been sent."""
    asked = "SELECT item_id, seq FROM outbox WHERE account_id=? ORDER BY seq"
    for (item, seq), status in zip(conn.execute(asked, (side.account,)).fetchall(), _ENDS, strict=False):
        conn.execute(
            "UPDATE outbox SET status=:status, reason='because of ' || :mark, attempts=1, first_attempt_at=:at,"
            " last_attempt_at=:at, message_id=CASE WHEN :status='sent' THEN 'out-' || :mark END, wire='{}',"
            " held_for=CASE WHEN :status='held' THEN 'login' END, deadline=:late,"
            " look_at=CASE WHEN :status='unknown' THEN :at END WHERE item_id=:item",
            {"status": status, "mark": side.mark, "at": ms(NOW) + seq, "item": item, "late": 9 * 10**15},
        )
    for item, _ in conn.execute(asked, (side.account,)).fetchall():
        clicks.sent(conn, item, f"{NOW:%Y-%m-%d}")


# --- rows of everything else -------------------------------------------------------------------------------


def _fills_the_rest(conn: Connection, side: Side) -> None:
    (contact,) = conn.execute(
        "SELECT contact_id FROM contacts WHERE account_id=? AND igsid=?", (side.account, ANNA)
    ).fetchone()
    of = {"account_id": side.account}
    at = {**of, "connection_id": side.connection}
    mark, then = side.mark, ms(NOW)
    rows: list[tuple[str, Mapping[str, object]]] = [
        (
            "sessions",
            {
                **of,
                "token_hash": side.hash,
                "session_id": f"session-{mark}",
                "browser": f"browser {mark}",
                "created_at": then,
                "last_seen_at": then,
                "expires_at": ms(NOW) + 10**10,
            },
        ),
        ("known_browsers", {**of, "token_hash": side.hash, "made_at": then, "last_used_at": then}),
        (
            "login_attempts",
            {**of, "id": side.number, "email_hash": side.hash, "at": then, "what": "login"},
        ),
        (
            "mailed_links",
            {
                **of,
                "token_hash": side.hash,
                "purpose": "reset_password",
                "email": side.email,
                "made_at": then,
                "expires_at": ms(NOW) + 10**10,
            },
        ),
        (
            "instagram_logins",
            {
                **of,
                "token_hash": side.hash,
                "how": "command",
                "made_at": then,
                "expires_at": ms(NOW) + 10**10,
                "connection_id": side.connection,
                "problem": f"problem of {mark}",
            },
        ),
        (
            "api_tokens",
            {
                **of,
                "token_id": f"token-{mark}",
                "name": f"script of {mark}",
                "token_hash": side.hash,
                "created_at": then,
            },
        ),
        (
            "bound_posts",
            {**at, "flow_id": "price", "version": "v", "since": then, "media_id": f"post-{mark}"},
        ),
        (
            "posts",
            {**at, "media_id": f"old-post-{mark}", "shortcode": f"code{mark}", "posted_at": then},
        ),
        ("attempts", {**at, "id": side.number, "kind": "message", "at": then}),
        ("variants", {**at, "flow_id": "price", "step": "do.1", "contact_id": contact, "used": side.number}),
        ("contact_ids", {**at, "igsid": f"also-{mark}", "contact_id": contact}),
        (
            "notices",
            {**at, "code": "blocked", "message": f"{mark} is blocked", "fix": "Wait.", "since": then},
        ),
        (
            "alerts",
            {
                **at,
                "cause": "blocked",
                "open": 1,
                "step": 0,
                "message": f"{mark} is blocked",
                "mailed_at": then,
            },
        ),
        (
            "deletions",
            {
                **of,
                "deletion_id": f"gone-{mark}",
                "scope": "connection",
                "cause": "app_removed",
                "subject_id": f"left-{mark}",
                "began_at": then,
                "people": 7,
            },
        ),
        (
            "deletion_requests",
            {**of, "code": f"code-{mark}", "deletion_id": f"gone-{mark}", "asked_at": then},
        ),
        ("traces", {**of, "since": then}),
        ("consents", {**at, "contact_id": contact, "what": "opt_out", "how": "words", "at": then}),
        (
            "legal_texts",
            {
                **of,
                "page": "privacy",
                "number": 1,
                "body": f"{mark} keeps little",
                "effective_at": then,
                "made_at": then,
            },
        ),
        ("retentions", {**of, "began_at": then, "gone": f'{{"events": {side.number}}}'}),
        ("rests", {**at, "quota": "private_reply", "until": then, "reason": f"rest of {mark}"}),
        ("usage", {**at, "quota": "private_reply", "percent": 40 + side.number, "heard_at": then}),
        ("codes", {**of, "pool": "gift", "code": f"GIFT-{mark}-1", "place": 1}),
        ("codes", {**of, "pool": "gift", "code": f"GIFT-{mark}-2", "place": 2, "given_at": then}),
        (
            "given_codes",
            {
                **of,
                "contact_id": contact,
                "pool": "gift",
                "code": f"GIFT-{mark}-2",
                "given_at": then,
                "told_at": then,
            },
        ),
        ("flow_names", {**of, "flow_id": "price", "first_id": f"first-{mark}"}),
        (
            "broadcasts",
            {
                **at,
                "broadcast_id": f"broadcast-{mark}",
                "flow_id": "news",
                "version": "v",
                "planned_at": then,
                "began_at": then,
                "triggers": "[0]",
                "reached": 3 + side.number,
            },
        ),
        (
            "entrances",
            {**at, "entrance": "ice_breakers", "labels": f'["{mark}?"]', "asked": f'["{mark}?"]'},
        ),
    ]
    for table, row in rows:
        names = ", ".join(row)
        values = ", ".join(f":{name}" for name in row)
        conn.execute(f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({values})", row)
    tombstones.put_key(conn, side.account, side.hash.ljust(32, b"."))
    hashed = tombstones.hasher(conn, side.connection)
    assert hashed is not None
    tombstones.put(
        conn, side.account, Tombstone(side.connection, hashed(FORGOTTEN), NOW, NOW, opted_out=True)
    )
