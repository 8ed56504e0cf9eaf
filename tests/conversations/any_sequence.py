"""A shop to which anything may happen in any order, under a clock moved by hand; and what must hold at rest."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import assert_never

from pamosnik.services import flows as flow_service
from pamosnik.store import accounts, consents
from pamosnik.store.consents import What
from tests.daemon import events
from tests.daemon.events import Json
from tests.daemon.fake import Call, Sent, Trouble
from tests.daemon.machine import Machine

_ROOM = timedelta(seconds=1)
"""Webhooks carry whole seconds."""


@dataclass(frozen=True, slots=True)
class Comment:
    person: int
    text: str
    media: str


@dataclass(frozen=True, slots=True)
class Write:
    person: int
    text: str


@dataclass(frozen=True, slots=True)
class Tap:
    """On one of the buttons and chips this person has got, counted from the newest; the label, when `typed`."""

    person: int
    which: int
    typed: bool


@dataclass(frozen=True, slots=True)
class Pass:
    minutes: int


@dataclass(frozen=True, slots=True)
class Apply:
    which: int


@dataclass(frozen=True, slots=True)
class OwnerWrites:
    person: int


@dataclass(frozen=True, slots=True)
class Disturb:
    """The next request to send goes wrong; `done`: and happens all the same."""

    trouble: Trouble


Action = Comment | Write | Tap | Pass | Apply | OwnerWrites | Disturb


@dataclass
class Story:
    """Plays actions and notes what may never happen."""

    shop: Machine
    flows: tuple[str, ...]
    wrong: list[str] = field(default_factory=list)
    _next_trouble: Trouble | None = None
    _accepted: set[str] = field(default_factory=set)
    """Comments whose private reply is known to have been accepted."""

    def __post_init__(self) -> None:
        self.shop.fake.trouble = self._look_at

    async def play(self, action: Action) -> None:
        await self._act(action)
        await self.shop.works()
        self.wrong += self._look_at_runs()
        assert self.wrong == [], self.wrong

    async def _act(self, action: Action) -> None:
        match action:
            case Comment():
                value = events.comment(
                    _igsid(action.person), action.text, media=action.media, username=f"p{action.person}"
                )
                entry = {**events.change(value), "time": int(self._now().timestamp())}
                await self.shop.deliver(entry)
            case Write():
                await self._write(action.person, action.text)
            case Tap():
                await self._tap(action)
            case Pass():
                await self.shop.later(minutes=action.minutes)
            case Apply():
                await self._apply(self.flows[action.which % len(self.flows)])
            case OwnerWrites():
                echo = events.echo(_igsid(action.person), events.new_id("aWdf_owner_"), "I am here myself.")
                await self.shop.deliver(events.talk(self._stamped(echo)))
            case Disturb():
                self._next_trouble = action.trouble
            case _:
                assert_never(action)

    async def _write(self, person: int, text: str) -> None:
        await self.shop.deliver(events.talk(self._stamped(events.message(_igsid(person), text))))

    async def _tap(self, action: Tap) -> None:
        igsid = _igsid(action.person)
        labels = [
            (one, label) for one in self.shop.fake.sent if one.igsid == igsid for label in list(one.buttons)
        ]
        if not labels:
            return
        sent, label = labels[-1 - action.which % len(labels)]
        if action.typed:
            await self._write(action.person, label)
        else:
            await self.shop.deliver(events.talk(self._stamped(_tapped(sent, label))))

    async def _apply(self, text: str) -> None:
        conn = self.shop.reader.connection
        account = accounts.every(conn)[0]
        proposal = flow_service.propose(conn, account.id, [("flows.yaml", text)], prune=False)
        change = partial(
            flow_service.apply,
            account_id=account.id,
            proposal=proposal,
            note=None,
            actor="test",
            now=self._now(),
        )
        await self.shop.writer.write(change)

    def _now(self) -> datetime:
        return self.shop.clock.now()

    def _stamped(self, item: Json) -> Json:
        return {**item, "timestamp": int(self._now().timestamp() * 1000)}

    # --- what may never happen -----------------------------------------------------------------------

    def _look_at(self, call: Call) -> Trouble | None:
        """At every request, before Instagram answers it."""
        trouble = None
        if call.is_send:
            trouble, self._next_trouble = self._next_trouble, None
        if call.is_private_reply:
            comment = call.body["recipient"]["comment_id"]
            if comment in self._accepted:
                self.wrong.append(f"a second private reply to {comment}")
            if trouble is None:
                self._accepted.add(comment)
        elif call.is_send:
            igsid = call.body["recipient"]["id"]
            if self.shop.fake.window_of(igsid) + _ROOM < self._now():
                self.wrong.append(f"a message outside the window of {igsid}")
        return trouble

    def _look_at_runs(self) -> list[str]:
        """At rest: no run without a future, and nobody in two places of one flow."""
        conn = self.shop.reader.connection
        going_on = conn.execute(
            "SELECT run_id, flow_id, contact_id, mode, live,"
            " (SELECT group_concat(kind) FROM waits WHERE waits.run_id = runs.run_id),"
            " (SELECT count(*) FROM outbox WHERE outbox.run_id = runs.run_id"
            "   AND status IN ('queued', 'held', 'sending', 'unknown'))"
            " FROM runs WHERE status IN ('active', 'waiting')"
        ).fetchall()
        wrong = []
        places: Counter[tuple[object, object]] = Counter()
        for run, flow, contact, mode, live, waits, underway in going_on:
            kinds = str(waits or "").split(",") if waits else []
            if not kinds and not underway:
                wrong.append(f"run {run} of {flow} has no future")
            if len([kind for kind in kinds if kind != "tap"]) > 1:
                wrong.append(f"run {run} of {flow} stands in several places: {waits}")
            if live and mode != "parallel":
                places[contact, flow] += 1
        wrong += [f"{who} is in {flow} {n} times" for (who, flow), n in places.items() if n > 1]
        ended = conn.execute(
            "SELECT count(*) FROM waits JOIN runs USING (run_id)"
            " WHERE status NOT IN ('active', 'waiting') AND kind <> 'tap'"
            # A button of a completed run does its steps all the same.
            " AND NOT (status = 'completed' AND branch <> '')"
        ).fetchone()
        wrong += [f"{ended[0]} waits of runs that have ended"] if ended[0] else []
        return wrong + self._look_at_consents()

    def _look_at_consents(self) -> list[str]:
        """What a person said last is what holds, and nothing is noted twice."""
        conn = self.shop.reader.connection
        wrong = []
        for contact_id, out in conn.execute("SELECT contact_id, opted_out_at IS NOT NULL FROM contacts"):
            said = [one.what for one in consents.of_person(conn, contact_id)]
            if (said[:1] == [What.OPT_OUT]) != bool(out):
                wrong.append(f"{contact_id} is {'out' if out else 'in'} and said {said}")
            if any(one == before for one, before in pairwise(said)):
                wrong.append(f"{contact_id} said twice the same: {said}")
        return wrong

    async def ends(self) -> None:
        """After everything's last deadline nobody is in a flow, and nothing is on its way."""
        await self.play(Pass(8 * 24 * 60))
        conn = self.shop.reader.connection
        left = conn.execute(
            "SELECT flow_id, status FROM runs WHERE status IN ('active', 'waiting')"
        ).fetchall()
        assert left == []
        underway = conn.execute(
            "SELECT kind, status FROM outbox WHERE status IN ('queued', 'held', 'sending')"
        ).fetchall()
        assert underway == []
        unread = conn.execute("SELECT count(*) FROM events WHERE verdict = 'pending'").fetchone()
        assert unread == (0,)


def _igsid(person: int) -> str:
    return f"88{person:03}"


def _tapped(sent: Sent, label: str) -> Json:
    make = events.chip_tap if sent.kind == "chips" else events.button_tap
    return make(sent.igsid, label, sent.buttons[label])
