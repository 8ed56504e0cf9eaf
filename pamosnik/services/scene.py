"""Where a turn plays, and what it says in the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.engine.catalog import Catalog
from pamosnik.model.book import Settings
from pamosnik.model.contact import Contact
from pamosnik.model.decision import Check, Facts
from pamosnik.model.event import Event, Verdict
from pamosnik.model.outbox import ItemStatus, OutboxItem
from pamosnik.services import arrivals
from pamosnik.services.library import Library
from pamosnik.services.numbers import day_of
from pamosnik.store import accounts, connections, contacts, inbox
from pamosnik.store.connections import Connected

EVIDENCE_WITHIN = timedelta(minutes=2)
"""After an attempt of unknown fate; by then two looks have been taken where Instagram answers at all."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a turn plays."""

    conn: Connection
    library: Library
    account_id: str
    timezone: str
    connected: Connected
    catalog: Catalog
    now: datetime

    @property
    def settings(self) -> Settings:
        return self.catalog.book.settings

    @property
    def day(self) -> str:
        return day_of(self.now, self.timezone)


def open_scene(
    conn: Connection, library: Library, account_id: str, connection_id: str, now: datetime
) -> Scene:
    account = accounts.load(conn, account_id)
    assert account is not None
    return Scene(
        conn=conn,
        library=library,
        account_id=account_id,
        timezone=account.timezone,
        connected=connections.load(conn, connection_id),
        catalog=library.catalog(conn, account_id),
        now=now,
    )


def facts_as_told(scene: Scene, contact: Contact, *, first_time: bool) -> Facts:
    """For asking whether a flow is for somebody who has not written just now. What Instagram told of them last
    counts: nobody is looked up for it."""
    return Facts(
        contact=contact,
        settings=scene.settings,
        timezone=scene.timezone,
        connection_username=scene.connected.username,
        profile_asked=True,
        first_time=first_time,
    )


def say(
    scene: Scene,
    event: Event,
    verdict: Verdict,
    reason: str,
    *,
    flow_id: str | None = None,
    run_id: str | None = None,
    trace: Sequence[Check] = (),
) -> Verdict:
    if event.decided_at is not None:
        trace = (Check("tried again", "with the flows of now", event.incoming.reason or ""), *trace)
    decided = inbox.decide(
        scene.conn,
        event.id,
        verdict,
        now=scene.now,
        reason=reason,
        flow_id=flow_id,
        run_id=run_id,
        trace=trace,
    )
    if decided:
        arrivals.count(scene.conn, event, verdict, day_of(event.decided_at or scene.now, scene.timezone))
    return verdict


def meet(scene: Scene, event: Event) -> Contact:
    assert event.incoming.igsid is not None
    return contacts.meet(
        scene.conn,
        account_id=event.account_id,
        connection_id=event.connection_id,
        igsid=event.incoming.igsid,
        username=event.incoming.username,
        now=scene.now,
    )


def fate_is_open(item: OutboxItem, now: datetime) -> bool:
    """Unknown for so short a time that evidence may settle it at any moment."""
    if item.status is not ItemStatus.UNKNOWN or item.last_attempt_at is None:
        return False
    return now < item.last_attempt_at + EVIDENCE_WITHIN
