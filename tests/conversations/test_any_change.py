"""Whatever the owner does to the flows while people are in them: nobody loses their place, nothing goes out twice."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pamosnik._sqlite import Connection
from pamosnik.errors import PamosnikError
from pamosnik.services import flows as flow_services
from pamosnik.services import pausing, rolling_back
from pamosnik.services.library import Library
from pamosnik.store import accounts
from pamosnik.store import flows as flow_store
from pamosnik.store.flow_history import By
from tests.conversations.any_sequence import Action, Comment, Pass, Story, Tap, Write
from tests.conversations.test_any_sequence import FIRST, PEOPLE, SECOND, WORDS
from tests.daemon.machine import machine
from tests.examples import stories


def _renamed(text: str, old: str, new: str) -> str:
    other = text.replace(f"  {old}:\n", f"  {new}:\n    was: {old}\n")
    return other.replace(f"run: {old} ", f"run: {new} ").replace(f"run: {old},", f"run: {new},")


PRICES = _renamed(FIRST, "price", "prices").replace("Here you are.", "Here they are.")
BACK = _renamed(FIRST, "prices", "price").replace("  price:\n", "  price:\n    was: prices\n", 1)
FEW = FIRST.split("  talk:\n")[0]
TEXTS = (FIRST, SECOND, PRICES, BACK, FEW)
IDS = ("price", "prices", "book", "talk", "other")


@dataclass(frozen=True, slots=True)
class Put:
    """Applied, unless the rules are against it."""

    text: int
    prune: bool
    over: bool


@dataclass(frozen=True, slots=True)
class Rollback:
    flow: str
    version: int | None
    """How many versions back; None: what the command takes by itself."""


@dataclass(frozen=True, slots=True)
class Pausing:
    flow: str
    paused: bool


Change = Put | Rollback | Pausing


class Owner(Story):
    """Changes the flows, and looks whether everybody stands where they stood."""

    async def change(self, change: Change) -> None:
        before = self._places()
        await self.shop.writer.write(lambda conn: self._do(conn, change))
        assert self._places() == before, change
        assert self._lost() == [], change
        await self.shop.works()

    def _do(self, conn: Connection, change: Change) -> None:
        account, by = accounts.every(conn)[0].id, By("test", self.shop.clock.now())
        match change:
            case Put():
                self._put(conn, account, change, by)
            case Rollback():
                _unless_refused(lambda: _roll_back(conn, account, change, by))
            case Pausing():
                work = pausing.pause if change.paused else pausing.resume
                _unless_refused(lambda: work(conn, account, [change.flow], by))

    def _put(self, conn: Connection, account: str, change: Put, by: By) -> None:
        proposal = flow_services.propose(
            conn, account, [("flows.yaml", TEXTS[change.text])], prune=change.prune, over_rollback=change.over
        )
        if not proposal.loaded.has_errors:
            flow_services.apply(conn, account, proposal, note=None, actor=by.actor, now=by.now)

    def _places(self) -> list[tuple[object, ...]]:
        """Who is where: run, person, version, and what it waits for."""
        rows = self.shop.reader.connection.execute(
            "SELECT run_id, contact_id, version, status, (SELECT group_concat(kind || path || due_at) FROM"
            " (SELECT kind, path, due_at FROM waits w WHERE w.run_id=runs.run_id ORDER BY wait_id))"
            " FROM runs WHERE status IN ('active', 'waiting') OR taps_open=1 ORDER BY run_id"
        )
        return list(rows)

    def _lost(self) -> list[tuple[object, ...]]:
        """Runs whose version is not there any more."""
        conn, library = self.shop.reader.connection, Library()
        runs = conn.execute("SELECT DISTINCT account_id, flow_id, version FROM runs").fetchall()
        return [run for run in runs if library.flow(conn, *run) is None]

    def nothing_went_out_twice(self) -> None:
        sent = self.shop.reader.connection.execute(
            "SELECT message_id FROM outbox WHERE kind IN ('message', 'private_reply') AND status='sent'"
        ).fetchall()
        assert sorted(one.mid for one in self.shop.fake.sent) == sorted(mid for (mid,) in sent)


def _unless_refused(work: Callable[[], object]) -> None:
    with contextlib.suppress(PamosnikError):  # no such flow at the moment, or no version before
        work()


def _roll_back(conn: Connection, account: str, change: Rollback, by: By) -> None:
    versions = flow_store.versions(conn, account, change.flow)
    named = None
    if change.version is not None and versions:
        named = versions[change.version % len(versions)].version
    here = rolling_back.Machine(can_mail=True, is_public=True, unset=lambda _: None, now=by.now)
    proposal = rolling_back.propose(conn, account, change.flow, named, here)
    if not proposal.problems and not proposal.is_there:
        rolling_back.roll_back(conn, account, proposal, by)


FLOW = st.sampled_from(IDS)
CHANGES: st.SearchStrategy[Change] = st.one_of(
    st.builds(Put, st.integers(0, len(TEXTS) - 1), st.booleans(), st.booleans()),
    st.builds(Rollback, FLOW, st.none() | st.integers(0, 2)),
    st.builds(Pausing, FLOW, st.booleans()),
)
ACTIONS: st.SearchStrategy[Action] = st.one_of(
    st.builds(Comment, PEOPLE, st.sampled_from(["price", "book"]), st.sampled_from(["m1", "m2"])),
    st.builds(Write, PEOPLE, WORDS),
    st.builds(Tap, PEOPLE, st.integers(0, 3), st.booleans()),
    st.builds(Pass, st.sampled_from([1, 30, 200])),
)


@stories(6)
@given(st.lists(st.one_of(ACTIONS, CHANGES), min_size=6, max_size=20))
def test_any_change_leaves_everybody_where_they_are(
    tmp_path_factory: pytest.TempPathFactory, doings: list[Action | Change]
) -> None:
    async def play() -> None:
        async with machine(tmp_path_factory.mktemp("shop"), FIRST) as shop:
            owner = Owner(shop, (FIRST,))
            for doing in doings:
                if isinstance(doing, Put | Rollback | Pausing):
                    await owner.change(doing)
                else:
                    await owner.play(doing)
            await owner.ends()
            owner.nothing_went_out_twice()

    asyncio.run(play())
