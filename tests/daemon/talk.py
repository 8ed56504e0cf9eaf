"""A shop's conversations, put into the database of a front desk: no Instagram is there that could be asked."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from pamosnik._sqlite import Connection
from pamosnik.instagram import webhook
from pamosnik.security.held_keys import HeldKeys
from pamosnik.services import answering, connecting, flows, intake
from pamosnik.services.library import Library
from pamosnik.store import contacts, inbox
from tests.daemon import events
from tests.daemon.events import Json
from tests.daemon.front_desk import FrontDesk

FLOWS = """
version: 1
fields: { size: { type: choice, choices: [S, M, L] } }
flows:
  price:
    when: [comment: price, dm: price]
    do:
      - send: { text: "Our prices.", buttons: [{ label: Open, url: "https://shop.example/" }] }
  talk:
    when: [dm: talk]
    do: [{ hand_over: { note: "wants to talk" } }]
"""


@dataclass
class Talk:
    desk: FrontDesk
    at: datetime
    library: Library = field(default_factory=Library)

    @classmethod
    def begin(cls, desk: FrontDesk, text: str = FLOWS) -> "Talk":
        """A connected shop with these flows."""
        now, account = desk.clock.now(), desk.account
        keys = HeldKeys(desk.settings.key_file, None)
        found = connecting.Found("IGAAtoken", events.IG_ID, None, "shop", ())
        keep = partial(connecting.keep, keys=keys, account_id=account.id, found=found)
        desk.database.write(partial(keep, now=now - timedelta(days=9)))

        def apply(conn: Connection) -> None:
            proposal = flows.propose(
                conn, account.id, [("flows.yaml", text)], prune=False, now=now, is_public=True
            )
            assert not proposal.loaded.has_errors, proposal.loaded.problems
            flows.apply(conn, account.id, proposal, note=None, actor="command", now=now)

        desk.database.write(apply)
        return cls(desk, now - timedelta(hours=2))

    def happens(self, *items: Json, seconds: float = 60) -> None:
        """What Meta tells, one after the other, each with its turn."""
        for item in items:
            self.at += timedelta(seconds=seconds)
            for one in item.get("messaging", ()):
                one["timestamp"] = int(self.at.timestamp() * 1000)
            self._takes({**item, "time": int(self.at.timestamp())}, self.at)

    def writes(self, igsid: str, *texts: str) -> None:
        self.happens(*(events.talk(events.message(igsid, text)) for text in texts))

    def comments(self, igsid: str, text: str, **more: str) -> None:
        self.happens(events.change(events.comment(igsid, text, **more)))

    def leaves(self) -> None:
        """What waits in the outbox is with Instagram."""
        sent = (
            "UPDATE outbox SET status='sent', last_attempt_at=created_at, held_for=NULL,"
            " message_id='sent-' || seq WHERE status IN ('queued','held')"
        )
        self.desk.database.write(lambda conn: conn.execute(sent))

    def id_of(self, igsid: str) -> str:
        return contacts.find(self.desk.conn, self.desk.account.id, igsid)[0]

    def _takes(self, item: Json, now: datetime) -> None:
        items = webhook.parse(events.encode(events.envelope(item))).items

        def put(conn: Connection) -> None:
            intake.store(conn, items, now)
            for event_id in _pending(conn):
                answering.take_event(conn, self.library, event_id, now)

        self.desk.database.write(put)


def _pending(conn: Connection) -> Iterable[str]:
    return inbox.pending(conn, 10)
