"""What makes a stage go: webhooks in, turns, messages out, and the clock's way from one due instant to the next.

The order within one instant is the daemon's: what Meta delivers is stored, the runner takes a round, the sender takes
a round, until none of them has anything left.
"""

import logging
import random
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from pamosnik._sqlite import Connection
from pamosnik.calls import Answer, Order, Target
from pamosnik.clock import VirtualClock
from pamosnik.daemon.broadcaster import Broadcaster
from pamosnik.daemon.doers import Outside, doers
from pamosnik.daemon.entrances import EntranceKeeper
from pamosnik.daemon.errands import ErrandRunner
from pamosnik.daemon.gate import Gate
from pamosnik.daemon.posts import PostFinder
from pamosnik.daemon.settler import Settler
from pamosnik.daemon.tools import Tools
from pamosnik.errors import UsageError
from pamosnik.ids import Ids, ids_from
from pamosnik.instagram import limits, webhook
from pamosnik.instagram.client import Instagram
from pamosnik.mail import Mail
from pamosnik.model.event import Verdict
from pamosnik.model.flow import Flow
from pamosnik.model.outbox import Action, ItemKind, Outcome, OutcomeKind, Quota
from pamosnik.outbox import pacing
from pamosnik.outbox.pacing import PerSecond, has_media, with_reserve
from pamosnik.privacy import forget
from pamosnik.rehearsal import clicking, scenery, shown
from pamosnik.rehearsal.happenings import (
    Acted,
    Called,
    Happening,
    Judged,
    Mailed,
    PublicReply,
    Sent,
)
from pamosnik.rehearsal.ticket import Ticket
from pamosnik.rehearsal.watcher import Watcher
from pamosnik.sandbox.graph import Graph
from pamosnik.sandbox.things import Content, Notice
from pamosnik.sandbox.webhooks import Deliverer, envelope
from pamosnik.services import answering, credentials, intake, resuming, sending
from pamosnik.services.reading import events as event_reading
from pamosnik.services.sending import Claimed
from pamosnik.store import attempts, broadcasts, connections, errands, evidence, inbox, outbox, runs
from pamosnik.store import flows as flow_store
from pamosnik.store.health import StorageHealth
from pamosnik.store.runs import DueWait

_AT_ONCE = 200
_TRIES = 2
"""Batches, tries and order as in `daemon.runner` and `daemon.sender`."""

_LOOK_AGAIN = timedelta(minutes=1)
"""While an unknown outcome holds up what comes after it: no clock tells the end."""

_ENOUGH = 10_000
"""More rounds at one instant than any flow needs."""

GRAPH_VERSION = "v26.0"

T = TypeVar("T")
log = logging.getLogger(__name__)


class RestlessError(RuntimeError):
    """Something is due again and again without end."""


class Machinery:
    """Everything of one stage that moves."""

    def __init__(self, ticket: Ticket) -> None:
        self.database = ticket.database
        self.account = ticket.account
        self.library = ticket.library
        self._loop = ticket.loop
        self._ids = Ids(random.Random(1).getrandbits)  # noqa: S311 - the same every time, on purpose
        [connected] = connections.of_account(self.conn, ticket.account.id)
        self.connection_id = connected.id
        self._place = ticket.place
        if ticket.place is None:
            self.clock = VirtualClock(scenery.OPENED_AT)
            self.world, self.shop = scenery.build(self.clock, connected.username, self.flows())
            self.clock.move_to(ticket.begins)
            scenery.add_fresh(self.world, self.shop, self.flows() if ticket.next_post else ())
        else:
            self.clock, self.world = ticket.place.clock, ticket.place.world
            self.shop = self.world.account_named(connected.username)
        self._notices: deque[Notice] = deque()
        self._something_said = False
        """Whether Instagram is asked to take a message, a reply, or what is done to a comment: no sign of typing."""
        self.world.listen(self._notices.append)
        self.prepared: deque[JSONResponse] = deque()
        """What Instagram answers next, in place of its own answers."""
        self.webhook_answers: deque[Answer] = deque()
        """What the next calls of flows get; a repetition gets the same again."""
        self._answered: dict[str, Answer] = {}
        self.silent_about: set[str] = set()
        """IGSIDs of people of whom Instagram does not tell whether they follow."""
        self.failures: list[Exception] = []
        """What was raised in a turn: faults of Pamosnik's own."""
        self.waited_until: datetime | None = None
        """When a flow's wait ended last."""
        self._deliverer = Deliverer(self.world)
        self._instagram = Instagram(version=GRAPH_VERSION, app=self._meta())
        self._token = credentials.token(self.conn, ticket.keys, connected)
        tools = Tools(_Pen(self), self.database, self._instagram, ticket.keys, self.clock)
        self._posts = PostFinder(tools, self.library)
        self._broadcaster = Broadcaster(tools, lambda: None, self.library)
        self._settler = Settler(tools, _OpenGate(self.clock), lambda: None)
        self._entrances_of: tuple[int, datetime] | None = None
        """The applied flows, and when nothing about their entrances was to be told."""
        self._entrances = EntranceKeeper(tools, self.library)
        self._errands = ErrandRunner(
            tools, doers(tools, Outside(self._mailed, self._called, scenery.variable, ())), lambda: None
        )
        self.write(lambda conn: broadcasts.plan_anew(conn, self.now))
        self._texts = PerSecond(with_reserve(limits.TEXTS_PER_SECOND))
        self._media = PerSecond(with_reserve(limits.MEDIA_PER_SECOND))
        self.log: list[Happening] = []
        self.watcher = Watcher(self.conn, self.account.id, self.name_of)
        self.keep_entrances()

    def close(self) -> None:
        """Gives the database's file back, unless it belongs to a place that stays."""
        self._await(self._instagram.close())
        self.world.unlisten(self._notices.append)
        self.world.unlisten(self._deliverer.offer)
        self.database.close()
        if self._place is None:
            self.database.path.unlink(missing_ok=True)

    @property
    def now(self) -> datetime:
        return self.clock.now()

    @property
    def conn(self) -> Connection:
        return self.database.connection

    def write(self, fn: Callable[[Connection], T]) -> T:
        with ids_from(self._ids):
            return self.database.write(fn)

    def flows(self) -> Sequence[Flow]:
        """As they are applied now."""
        return self.library.catalog(self.conn, self.account.id).book.flows

    def name_of(self, igsid: str) -> str:
        person = self.world.person_known_as(self.shop, igsid)
        return igsid if person is None else person.username

    # --- time ----------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Lets everything happen that is due now: webhooks, turns, messages, their echoes."""
        parts = (
            self.keep_entrances,
            self._deliver,
            self._take_turns,
            self._broadcast,
            self._forget,
            self._send,
            self._run_errands,
            self._look_for_evidence,
            self._breathe,
        )
        for _ in range(_ENOUGH):
            if not any(part() for part in parts):
                self.look()
                return
        raise RestlessError(f"nothing comes to rest at {self.now}")

    def look(self) -> None:
        """Logs what is different in the database; at a place that stays nobody reads that."""
        if self._place is None:
            self.log += self.watcher.look(self.now)

    def pass_time(self, length: timedelta) -> None:
        """Moves the clock on, from one due instant to the next."""
        if length > scenery.CLOSES_AT - self.now:
            raise UsageError("That is too far away.", hint=f"The stage ends in {scenery.CLOSES_AT:%Y}.")
        end = self.now + length
        self.settle()
        while (moment := self.next_moment()) is not None and moment <= end:
            self.clock.move_to(moment)
            self.settle()
        self.clock.move_to(end)
        self.settle()

    def next_moment(self) -> datetime | None:
        """When something happens by itself, as far as can be told; None when nothing will."""
        now, conn = self.now, self.conn
        waiting = self.watcher.queued(now)
        times = [
            runs.next_wait_due(conn),
            broadcasts.next_due(conn),
            outbox.next_deadline(conn),
            evidence.next_look(conn),
            connections.next_rest_over(conn, now),
            *waiting,
        ]
        if any(due <= now for due in waiting):
            # Held up by something else than its own time.
            times.append(self._hour_has_room())
            if self.watcher.something_unknown(now):
                times.append(now + _LOOK_AGAIN)
        return min((time for time in times if time is not None and time > now), default=None)

    def next_to_leave(self) -> datetime | None:
        """When something that is under way already goes on; what waits of flows end later does not count."""
        now = self.now
        times = [*self.watcher.queued(now), evidence.next_look(self.conn)]
        if any(due is not None and due <= now for due in times):
            times.append(connections.next_rest_over(self.conn, now))
        return min((time for time in times if time is not None and time > now), default=None)

    def _hour_has_room(self) -> datetime | None:
        """For another private reply; None when it has room now."""
        since = self.now - pacing.COUNTS_FOR
        sent, first = attempts.counted(self.conn, self.connection_id, Quota.PRIVATE_REPLY, since)
        return None if first is None or pacing.hourly_room(sent) else first + pacing.COUNTS_FOR

    def _breathe(self) -> bool:
        """Where only the limit for a second holds things up, that second passes."""
        now = self.now
        full = [bucket for bucket in (self._texts, self._media) if bucket.room(now) <= 0]
        if not full or not any(due <= now for due in self.watcher.queued(now)):
            return False
        self.clock.move_to(min(bucket.free_at(now) for bucket in full))
        return True

    # --- in: webhooks and turns ----------------------------------------------------------------------

    def _deliver(self) -> bool:
        """One POST of Meta's, read and stored as the daemon does."""
        while self._notices:
            notice = self._notices.popleft()
            if notice.field not in limits.SUBSCRIBED_FIELDS:
                continue
            items = webhook.parse(envelope((notice,), self.now)).items
            self.write(partial(intake.store, items=items, now=self.now))
            return True
        return False

    def _take_turns(self) -> bool:
        """One round of the runner's: events, waits, settled messages."""
        self._await(self._posts.find_shared())
        now = self.now
        events = inbox.pending(self.conn, _AT_ONCE)
        waits = runs.waits_due(self.conn, now, _AT_ONCE)
        settled = outbox.untold(self.conn, _AT_ONCE)
        if events:
            waiting = self._await(self._posts.find_for(events))
            events = [event_id for event_id in events if event_id not in waiting]
        taken = sum(self._take_event(event_id, now) for event_id in events)
        for due in waits:
            self._take_wait(due, now)
        for item_id in settled:
            self._take_settled(item_id, now)
        return bool(taken or waits or settled)

    def _forget(self) -> bool:
        """What the eraser does, but for the bytes: this file is thrown away as a whole."""
        people = forget.ready(self.conn, self.now)
        for contact_id in people:
            while self.write(partial(forget.erase_some, contact_id=contact_id, now=self.now)):
                pass
        return bool(people)

    def _broadcast(self) -> bool:
        """One round of the broadcaster's."""
        return self._await(self._broadcaster.round())

    def _take_event(self, event_id: str, now: datetime) -> bool:
        """False: it has to wait for an answer of Meta's, and comes round when that is known."""

        def fail(conn: Connection) -> None:
            if inbox.count_failure(conn, event_id) >= _TRIES:
                answering.fail_event(conn, event_id, now)

        self._take(lambda conn: answering.take_event(conn, self.library, event_id, now), fail)
        event = inbox.load(self.conn, event_id)
        assert event is not None
        if event.incoming.verdict is Verdict.PENDING:
            return event.attempts > 0
        told, _ = event_reading.named(self.conn, self.account, event_id)
        self.log.append(
            Judged(
                at=now,
                event_id=event_id,
                kind=event.kind,
                who=self.name_of(event.incoming.igsid or ""),
                text=event.incoming.text,
                verdict=event.incoming.verdict,
                flow=told.flow,
                reason=event.incoming.reason,
            )
        )
        return True

    def _take_wait(self, due: DueWait, now: datetime) -> None:
        def fail(conn: Connection) -> None:
            if runs.count_wait_failure(conn, due.wait_id) >= _TRIES:
                resuming.fail_wait(conn, due, now)

        self._take(lambda conn: resuming.take_wait(conn, self.library, due, now), fail)
        self.waited_until = now

    def _take_settled(self, item_id: str, now: datetime) -> None:
        self._take(
            lambda conn: resuming.take_settled(conn, self.library, item_id, now),
            lambda conn: outbox.told(conn, item_id),
        )

    def _take(self, work: Callable[[Connection], object], fail: Callable[[Connection], None]) -> None:
        try:
            self.write(work)
        except Exception as error:
            # Rolled back, as in the daemon: a second failure ends the item, so it cannot come round for ever.
            self.failures.append(error)
            log.exception("A turn failed on the stage", extra={"action": "turn.failed"})
            self.write(fail)

    # --- out: messages -------------------------------------------------------------------------------

    def _send(self) -> bool:
        """One round of the sender's, one message after the other."""
        now, conn = self.now, self.conn
        deadline = outbox.next_deadline(conn)
        done = 0
        if deadline is not None and deadline <= now:
            done += self.write(partial(sending.expire, now=now, limit=_AT_ONCE))
        due = outbox.next_due(conn)
        if due is None or due > now:
            return done > 0
        for connected, _ in connections.sending(conn, now):
            for quota in Quota:
                done += self._send_kind(connected.id, quota, now)
        return done > 0

    def _look_for_evidence(self) -> bool:
        """The settler's round, for messages of unknown fate."""
        look = evidence.next_look(self.conn)
        if look is None or look > self.now:
            return False
        self._await(self._settler.round())
        return evidence.next_look(self.conn) != look

    def keep_entrances(self) -> bool:
        """Opening questions and the menu, as the flows want them now."""
        state = flow_store.revision(self.conn, self.account.id), self.now
        if state == self._entrances_of:
            return False
        told = self._await(self._entrances.round()) > 0
        self._entrances_of = None if told else state
        return told

    def _run_errands(self) -> bool:
        """Calls, mails and look-ups that are due, each to its end."""

        async def run() -> int:
            begun = await self._errands.round()
            await self._errands.idle()
            return begun

        if self._await(run()) > 0:
            return True
        due = errands.next_due(self.conn, ItemKind.LOOKUP)
        if due is None or not timedelta() < due - self.now < timedelta(seconds=1):
            return False
        # One person is looked up after the other, within a second.
        self.clock.move_to(due)
        return True

    async def _called(self, target: Target, order: Order, now: datetime) -> Answer:
        """Nothing leaves the machine: what was prepared answers, else an empty 200."""
        again = order.id in self._answered
        self.log.append(Called(now, order.name, order.body, again))
        if not again:
            self._answered[order.id] = (
                self.webhook_answers.popleft() if self.webhook_answers else Answer(200, b"{}")
            )
        return self._answered[order.id]

    async def _mailed(self, mail: Mail, now: datetime) -> None:
        """Nothing leaves the machine."""
        self.log.append(Mailed(now, mail.subject, mail.text))

    def _send_kind(self, connection_id: str, quota: Quota, now: datetime) -> int:
        room = self._texts.room(now)
        if room <= 0 or not outbox.claimable(
            self.conn, connection_id, quota, now, 1, private_replies_wait=True
        ):
            return 0
        claim = partial(
            sending.claim,
            connection_id=connection_id,
            quota=quota,
            room=room,
            media_room=self._media.room(now),
            now=now,
        )
        claimed = self.write(lambda conn: claim(conn))
        for one in claimed:
            self._texts.take(now)
            if has_media(one.item):
                self._media.take(now)
            self._something_said = one.item.action is not Action.TYPING
            outcome = self._await(
                self._instagram.send(one.item, one.body, ig_id=self.shop.ig_id, token=self._token)
            )
            self._something_said = False
            self.write(partial(sending.record, item_id=one.item.id, outcome=outcome, now=now))
            if outcome.kind is OutcomeKind.SENT:
                self.log.append(self._sent(one, outcome))
        return len(claimed)

    def _sent(self, claimed: Claimed, outcome: Outcome) -> Sent | PublicReply | Acted:
        """What went out, as the world shows it."""
        item = claimed.item
        to = self.name_of(item.igsid)
        if item.kind is ItemKind.COMMENT_REPLY:
            assert item.comment_id is not None
            return PublicReply(self.now, to, item.content.text or "", item.comment_id, item.flow_id)
        if item.action is not None:
            return Acted(self.now, to, item.action, item.task.get("emoji"), item.flow_id)
        known = self.world.messages.get(outcome.message_id or "")
        content = Content(text=item.content.text) if known is None else known.content
        return clicking.message(self.conn, shown.message(item, content, to, self.now))

    def _await(self, what: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(what)

    def _profile(self, igsid: str) -> JSONResponse | None:
        """Of somebody of whom Instagram tells only the name; None: the sandbox answers."""
        person = self.world.person_known_as(self.shop, igsid) if igsid in self.silent_about else None
        return None if person is None else JSONResponse({"username": person.username, "name": person.name})

    def _meta(self) -> Callable[[Any, Any, Any], Coroutine[None, None, None]]:
        """The sandbox's Graph server; `meta_says` answers before it."""
        graph = Graph(self.world, self._deliverer)
        app = Starlette(routes=[Route("/{path:path}", graph.endpoint, methods=["GET", "POST", "DELETE"])])

        async def answer(scope: Any, receive: Any, send: Any) -> None:
            prepared = self._profile(scope["path"].rpartition("/")[2]) if scope["method"] == "GET" else None
            if scope["method"] == "POST" and self.prepared and self._something_said:
                prepared = self.prepared.popleft()
            await (app if prepared is None else prepared)(scope, receive, send)

        return answer


class _OpenGate(Gate):
    """On a stage nobody waits for the second to pass: the clock stands still while Instagram is asked."""

    async def enter(self, connection_id: str) -> None:
        """At once."""


class _Pen:
    """Writes for a part that awaits its writer."""

    def __init__(self, machinery: Machinery) -> None:
        self._machinery = machinery
        self.storage = StorageHealth()

    async def write(self, fn: Callable[[Connection], T]) -> T:
        return self._machinery.write(fn)

    async def alone(self, fn: Callable[[Connection], T]) -> T:
        return fn(self._machinery.conn)
