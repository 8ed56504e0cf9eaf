"""Plays a record with the flows of one database: the turns of production, in the order and at the time of then."""

import hashlib
import json
import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Any, TypeVar

from pamosnik._sqlite import Connection
from pamosnik.clock import VirtualClock
from pamosnik.engine.match import Heard
from pamosnik.ids import Ids, ids_from
from pamosnik.instagram import limits
from pamosnik.model.event import INBOUND_MESSAGES, Event, Verdict
from pamosnik.model.outbox import ERRANDS, ItemKind, OutboxItem, Outcome, OutcomeKind, Quota
from pamosnik.outbox import pacing
from pamosnik.privacy import forget
from pamosnik.rehearsal import clicking
from pamosnik.rehearsal.replay.deeds import Deed, deed_of
from pamosnik.rehearsal.replay.played import Ended, Played, PrivateReplies, Story, Tap
from pamosnik.rehearsal.replay.record import Record
from pamosnik.rehearsal.replay.taps import Taps
from pamosnik.services import answering, broadcasts, clicks, errands, profiles, resuming, sending
from pamosnik.services.errands import Brought, Failed, Result
from pamosnik.services.library import Library
from pamosnik.store import attempts, contacts, inbox, links, outbox, recorded, runs
from pamosnik.store import broadcasts as broadcast_store
from pamosnik.store import flows as flow_store
from pamosnik.store.database import Database
from pamosnik.store.recorded import Recorded, RecordedClick, Who
from pamosnik.store.runs import DueWait

_AT_ONCE = 200
_TRIES = 2
"""Batches and tries as in `daemon.runner` and `daemon.sender`."""

_ENOUGH = 10_000
"""More rounds at one instant than any flow needs."""

_AFTERWARDS = limits.WINDOW
"""So long the conversations of the last hours go on, in which nobody answers any more."""

_QUOTAS = {(quota.kind, quota.live): quota for quota in Quota}

T = TypeVar("T")
log = logging.getLogger(__name__)


class EndlessError(RuntimeError):
    """Something is due again and again without end."""


class Playing:
    """One performance of a record."""

    def __init__(self, record: Record, database: Database) -> None:
        """`database`: what was known before, with the flows to play; it is changed."""
        self._record = record
        self._database = database
        self._library = Library(clicking.PUBLIC if record.tracks_links else None)
        self._clock = VirtualClock(record.since)
        self._taps = Taps(self._library, record.account_id)
        self._taken: dict[str, int] = defaultdict(int)
        self._tapped: dict[str, Tap] = {}
        self._deeds: dict[str, list[Deed]] = defaultdict(list)
        """Contact → what was done for them."""
        self._who: dict[str, Who] = {}
        self._unknown_posts = 0
        self._connections = sorted(record.usernames)
        self._answers = {key: list(answers) for key, answers in record.answers.items()}

    def play(self, on_step: Callable[[], None]) -> Played:
        """`on_step`: called after every event."""
        self._write("start", self._prepare)
        for at, happenings in groupby(self._timeline(), key=attrgetter("at")):
            self._pass_to(at)
            for one in happenings:
                if isinstance(one.what, Recorded):
                    self._deliver(one.what)
                    on_step()
                else:
                    self._click(one.what)
            self._settle()
        self._pass_to(self._record.until)
        self._pass_to(self._record.until + _AFTERWARDS)
        return self._result()

    @property
    def _now(self) -> datetime:
        return self._clock.now()

    @property
    def _conn(self) -> Connection:
        return self._database.connection

    def _write(self, seed: str, fn: Callable[[Connection], T]) -> T:
        """Ids that are made inside belong to `seed`, whatever was made before."""
        with ids_from(Ids(_Chance(seed))):
            return self._database.write(fn)

    def _prepare(self, conn: Connection) -> None:
        broadcasts.plan(conn, self._library, self._record.account_id, self._now)
        for connection_id in self._connections:
            flow_store.bind_next_posts(conn, connection_id)
            for code in self._library.catalog(conn, self._record.account_id).shared_links:
                # Which post a link names only Instagram knows; for what people see the link will do.
                if flow_store.media_id(conn, connection_id, code) is None:
                    post = flow_store.Post(f"post {code}", code)
                    flow_store.learn_post(conn, self._record.account_id, connection_id, post)

    def _timeline(self) -> "Iterator[_Happens]":
        everything = [_Happens(one.event.received_at, one) for one in self._record.events]
        everything += [_Happens(one.at, one) for one in self._record.clicks]
        yield from sorted(everything, key=attrgetter("at"))

    # --- time ----------------------------------------------------------------------------------------

    def _pass_to(self, end: datetime) -> None:
        """From one due instant to the next."""
        while (moment := self._next_moment()) is not None and moment <= end:
            self._clock.move_to(moment)
            self._settle()
        self._clock.move_to(end)

    def _next_moment(self) -> datetime | None:
        now, conn = self._now, self._conn
        due = outbox.next_due(conn)
        times = [runs.next_wait_due(conn), outbox.next_deadline(conn), due]
        if now < self._record.until:
            times.append(broadcast_store.next_due(conn))
        if due is not None and due <= now:
            # Held up by something else than its own time.
            times += [recorded.next_due_after(conn, now), *map(self._hour_has_room, self._connections)]
        return min((time for time in times if time is not None and time > now), default=None)

    def _hour_has_room(self, connection_id: str) -> datetime | None:
        since = self._now - pacing.COUNTS_FOR
        sent, first = attempts.counted(self._conn, connection_id, Quota.PRIVATE_REPLY, since)
        return None if first is None or pacing.hourly_room(sent) else first + pacing.COUNTS_FOR

    def _settle(self) -> None:
        """Lets everything happen that is due now."""
        for _ in range(_ENOUGH):
            due = recorded.to_do(self._conn, self._now)
            if not (
                (due.turns and self._take_turns())
                or (due.broadcasts and self._broadcast())
                or (due.people and self._forget())
                or (due.messages and self._send())
            ):
                return
        raise EndlessError(f"nothing comes to rest at {self._now}")

    # --- in ------------------------------------------------------------------------------------------

    def _deliver(self, one: Recorded) -> None:
        event = one.event
        incoming = replace(event.incoming, verdict=Verdict.PENDING, reason=None)
        if one.begun_before:
            self._write(event.id, partial(self._hear, one=one))
            return
        if incoming.payload is not None and incoming.igsid is not None:
            contact_id = recorded.person(self._conn, event.connection_id, incoming.igsid)
            tap = self._taps.find(self._conn, incoming, contact_id)
            if tap is not None:
                self._tapped[event.id] = tap
                if not tap.found:
                    return  # nobody taps what is not there
                incoming = replace(incoming, payload=tap.payload)
        self._unknown_posts += self._is_under_unknown_post(event)
        add = partial(inbox.add, account_id=event.account_id, connection_id=event.connection_id)
        with ids_from(_Given(event.id)):
            self._database.write(partial(add, incoming=incoming, now=self._now))

    def _is_under_unknown_post(self, event: Event) -> bool:
        media_id = event.incoming.media_id
        catalog = self._library.catalog(self._conn, self._record.account_id)
        if media_id is None or not catalog.asks_for_post(event, Heard.of(event.incoming.text)):
            return False
        return flow_store.post(self._conn, event.connection_id, media_id) is None

    def _hear(self, conn: Connection, one: Recorded) -> None:
        """They wrote, to a run that is not played: their window opens all the same."""
        event = one.event
        if event.kind not in INBOUND_MESSAGES or event.incoming.igsid is None:
            return
        contact = contacts.meet(
            conn,
            account_id=event.account_id,
            connection_id=event.connection_id,
            igsid=event.incoming.igsid,
            username=event.incoming.username,
            now=self._now,
        )
        contacts.heard_from(conn, contact.id, at=event.at, window_until=event.at + limits.WINDOW)

    def _click(self, one: RecordedClick) -> None:
        contact_id = recorded.person(self._conn, one.connection_id, one.igsid)
        token = None if contact_id is None else links.newest_seen(self._conn, contact_id, one.link)
        if token is not None:
            self._write(f"click|{token}", partial(clicks.clicked, token=token, now=self._now))

    # --- turns ---------------------------------------------------------------------------------------

    def _take_turns(self) -> bool:
        """One round of the runner's."""
        now = self._now
        events = inbox.pending(self._conn, _AT_ONCE)
        waits = runs.waits_due(self._conn, now, _AT_ONCE)
        settled = outbox.untold(self._conn, _AT_ONCE)
        taken = sum(self._take_event(event_id, now) for event_id in events)
        for due in waits:
            self._take_wait(due, now)
        for item_id in settled:
            work = partial(resuming.take_settled, library=self._library, item_id=item_id, now=now)
            self._take(f"settled|{item_id}", work, partial(outbox.told, item_id=item_id))
        return bool(taken or waits or settled)

    def _take_event(self, event_id: str, now: datetime) -> bool:
        """False: it waits for something, and comes round again."""

        def fail(conn: Connection) -> None:
            if inbox.count_failure(conn, event_id) >= _TRIES:
                answering.fail_event(conn, event_id, now)

        self._taken[event_id] += 1
        seed = f"{event_id}|{self._taken[event_id]}"
        work = partial(answering.take_event, library=self._library, event_id=event_id, now=now)
        return self._take(seed, work, fail) is not Verdict.PENDING

    def _take_wait(self, due: DueWait, now: datetime) -> None:
        def fail(conn: Connection) -> None:
            if runs.count_wait_failure(conn, due.wait_id) >= _TRIES:
                resuming.fail_wait(conn, due, now)

        work = partial(resuming.take_wait, library=self._library, due=due, now=now)
        self._take(f"wait|{due.wait_id}", work, fail)

    def _take(self, seed: str, work: Callable[..., T], fail: Callable[[Connection], object]) -> T | None:
        def do(conn: Connection) -> T:
            done = work(conn)
            recorded.forget_variants(conn)
            return done

        try:
            return self._write(seed, do)
        except Exception:
            # Rolled back, as in the daemon: a second failure ends the item, so it cannot come round for ever.
            log.exception("A turn failed in a replay", extra={"action": "turn.failed"})
            self._write(seed, fail)
            return None

    def _broadcast(self) -> bool:
        """One person of each audience: what is made for them belongs to them alone."""
        now = self._now
        due = broadcasts.due(self._conn, now) if now <= self._record.until else []
        for planned in due:
            seed = f"{planned.connection_id}|{planned.flow_id}|{planned.due_at}"
            self._write(seed, partial(broadcasts.begin, library=self._library, planned=planned, now=now))
        return any([*map(self._choose_one, broadcast_store.under_way(self._conn)), bool(due)])

    def _choose_one(self, broadcast_id: str) -> bool:
        broadcast = broadcast_store.load(self._conn, broadcast_id)
        person = [] if broadcast is None else broadcast_store.audience(self._conn, broadcast, 1)
        choose = partial(broadcasts.choose_some, library=self._library, now=self._now, at_most=1)
        pass_over = partial(broadcasts.pass_over, library=self._library, now=self._now)
        return bool(
            self._take(
                f"{broadcast_id}|{''.join(person)}",
                partial(choose, broadcast_id=broadcast_id),
                partial(pass_over, broadcast_id=broadcast_id),
            )
        )

    def _forget(self) -> bool:
        people = forget.ready(self._conn, self._now)
        for contact_id in people:
            self._remember(contact_id)
            while self._write(contact_id, partial(forget.erase_some, contact_id=contact_id, now=self._now)):
                pass
        return bool(people)

    # --- out: Instagram accepts everything -----------------------------------------------------------

    def _send(self) -> bool:
        """One round of the sender's; only the limits for a second are left out."""
        now, conn, done = self._now, self._conn, 0
        deadline = outbox.next_deadline(conn)
        if deadline is not None and deadline <= now:
            done += self._write("expire", partial(sending.expire, now=now, limit=_AT_ONCE))
        for connection_id, kind, live in recorded.due_kinds(conn, now):
            if kind in ERRANDS:
                done += self._run_errands(kind, now)
            else:
                done += self._send_kind(connection_id, _QUOTAS[kind, live], now)
        return done > 0

    def _send_kind(self, connection_id: str, quota: Quota, now: datetime) -> int:
        claim = partial(sending.claim, connection_id=connection_id, quota=quota, now=now)
        claimed = self._write("claim", partial(claim, room=_AT_ONCE, media_room=_AT_ONCE))
        for one in claimed:
            self._note(one.item, now)
            accepted = Outcome(OutcomeKind.SENT, "", message_id=f"replay.{one.item.id}")
            self._write(
                f"sent|{one.item.id}", partial(sending.record, item_id=one.item.id, outcome=accepted, now=now)
            )
        return len(claimed)

    def _note(self, item: OutboxItem, now: datetime) -> None:
        self._remember(item.contact_id)
        self._taps.showed(item)
        cause = recorded.cause(self._conn, item.id)
        deed = deed_of(item, now, cause, lambda text: clicking.shown(self._conn, text))
        if deed is not None:
            self._deeds[item.contact_id].append(deed)

    def _remember(self, contact_id: str) -> None:
        if contact_id not in self._who:
            contact = contacts.load(self._conn, contact_id)
            assert contact is not None
            self._who[contact_id] = (contact.connection_id, contact.igsid)

    def _run_errands(self, kind: ItemKind, now: datetime) -> int:
        claimed = self._write("errands", partial(errands.claim, kind=kind, limit=_AT_ONCE, now=now))
        for item in claimed:
            self._note(item, now)
            self._write(item.id, partial(self._run_errand, item=item))
        return len(claimed)

    def _run_errand(self, conn: Connection, item: OutboxItem) -> None:
        result: Result = Brought()
        if item.kind is ItemKind.CALL:
            result = self._answer(item)
        elif item.kind is ItemKind.LOOKUP:
            result = self._looked_up(conn, item)
        errands.record(conn, item.id, result, self._now)

    def _answer(self, item: OutboxItem) -> Result:
        """Nobody is called: what this webhook brought for this person then, in the same order, else nothing."""
        name = item.task["webhook"]
        answers = self._answers.get((item.connection_id, item.igsid, name), [])
        heard = answers.pop(0) if answers else {}
        if heard is None:
            return Failed("it failed then")
        return Brought({wanted: heard.get(wanted) for wanted in json.loads(item.task["save"])})

    def _looked_up(self, conn: Connection, item: OutboxItem) -> Result:
        """As Instagram told last, whenever that was."""
        known = self._record.profiles.get((item.connection_id, item.igsid))
        if known is None:
            reason = "Instagram was never asked about this person"
            contacts.profile_untold(conn, item.contact_id, reason, self._now + timedelta(days=1))
            return Failed(reason)
        profiles.told(conn, item, known, self._now)
        return Brought()

    # --- what came of it -----------------------------------------------------------------------------

    def _result(self) -> Played:
        conn = self._conn
        ended = recorded.verdicts(conn)
        held: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for contact_id, what, value in recorded.states(conn):
            self._remember(contact_id)
            held[contact_id].append((what, value))
        return Played(
            verdicts={
                one.event.id: Ended(*ended[one.event.id])
                for one in self._record.events
                if one.event.id in ended
            },
            taps=self._tapped,
            people=self._people(held),
            unsent=tuple(recorded.unsent(conn)),
            private_replies={
                one: PrivateReplies(tuple(recorded.private_replies(conn, one))) for one in self._connections
            },
            unknown_posts=self._unknown_posts,
        )

    def _people(self, held: Mapping[str, Sequence[tuple[str, str]]]) -> dict[Who, Story]:
        """Whoever was forgotten and came back is one person to Instagram."""
        people: dict[Who, Story] = {}
        for contact_id, who in self._who.items():
            known = people.get(who, Story((), ()))
            deeds, states = self._without_codes(contact_id), tuple(held.get(contact_id, ()))
            people[who] = Story((*known.deeds, *deeds), (*known.held, *states))
        return people

    def _without_codes(self, contact_id: str) -> tuple[Deed, ...]:
        """Which code somebody gets says nothing about the flows; and none shall be seen that nobody has yet."""
        deeds = tuple(self._deeds.get(contact_id, ()))
        for code in recorded.given_codes(self._conn, contact_id):
            deeds = tuple(deed.without(code, "(code)") for deed in deeds)
        return deeds


class _Chance:
    """Bits that a seed gives; cheaper to begin than `random.Random`, and often none are asked for."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._asked = 0

    def __call__(self, bits: int) -> int:
        self._asked += 1
        digest = hashlib.sha256(f"{self._seed}|{self._asked}".encode()).digest()
        return int.from_bytes(digest) >> (256 - bits)


class _Given(Ids):
    """An id that there is already: events keep theirs, and with it their order."""

    def __init__(self, known: str) -> None:
        super().__init__()
        self._known = known

    def new(self, now: datetime) -> str:
        return self._known


class _Happens:
    """Something of the record."""

    __slots__ = ("at", "what")

    def __init__(self, at: datetime, what: Any) -> None:
        self.at = at
        self.what = what
