"""A shop whose owner changes the flows while people are in them."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pamosnik._sqlite import Connection
from pamosnik.clock import VirtualClock
from pamosnik.daemon.doers import Outside
from pamosnik.flows.problems import Problem, Severity
from pamosnik.services import explaining
from pamosnik.services import flows as flow_services
from pamosnik.services.flows import Proposal
from pamosnik.services.reading import people
from pamosnik.services.reading import runs as run_reading
from pamosnik.store import accounts
from pamosnik.store import flows as flow_store
from pamosnik.store.flow_history import By
from tests.daemon import events
from tests.daemon.machine import Machine, home_and_fake, machine, running

NOTHING_YET = "version: 1\nflows: { nothing: { when: [dm: nothing], do: [stop] } }\n"
"""What is applied first: every test puts its own flows on, as a change."""


@dataclass
class Changing:
    """People who do something, and an owner who applies; after each of them everything that can happen has."""

    shop: Machine
    folder: Path
    """Where the flow file stands, and codes beside it."""

    async def comments(self, igsid: str, text: str, *, post: str = "m1") -> str:
        """The verdict."""
        value = events.comment(igsid, text, media=post, username=f"p{igsid}")
        entry = {**events.change(value), "time": int(self.shop.clock.now().timestamp())}
        await self.shop.deliver(entry)
        return await self._verdict(str(value["id"]))

    async def writes(self, igsid: str, text: str) -> str:
        message = events.message(igsid, text)
        await self._said(message)
        return await self._verdict(str(message["message"]["mid"]))

    async def taps(self, igsid: str, label: str, *, nth: int = -1) -> str:
        """On the `nth` message that has shown this label, the last if nothing is said."""
        shown = [one for one in self.shop.fake.sent if one.igsid == igsid and label in one.buttons]
        make = events.chip_tap if shown[nth].kind == "chips" else events.button_tap
        tapped = make(igsid, label, shown[nth].buttons[label])
        await self._said(tapped)
        return await self._verdict(igsid)

    async def applies(self, text: str, *, prune: bool = True) -> None:
        def change(conn: Connection, account: str, by: By) -> None:
            proposal = self._proposed(conn, account, text, prune=prune)
            assert not proposal.loaded.has_errors, proposal.loaded.problems
            flow_services.apply(conn, account, proposal, note=None, actor=by.actor, now=by.now)

        await self.changes(change)

    def problems(self, text: str) -> list[tuple[str, str]]:
        """Code and message of what speaks against applying this with --prune."""
        return [(one.code, one.message) for one in self._found(text) if one.severity is Severity.ERROR]

    def notes(self, text: str) -> list[str]:
        return [one.message for one in self._found(text) if one.severity is Severity.NOTE]

    def told(self, text: str, flow_id: str) -> list[str]:
        """What the plan of applying this with --prune says that becomes of the people in a flow."""
        conn = self.shop.reader.connection
        found = self._proposed(conn, accounts.every(conn)[0].id, text, prune=True)
        return next(one.what_happens for one in found.plan.changes if one.flow_id == flow_id)

    def settings(self) -> object:
        conn = self.shop.reader.connection
        return json.loads(flow_store.settings(conn, accounts.every(conn)[0].id))

    def _found(self, text: str) -> tuple[Problem, ...]:
        conn = self.shop.reader.connection
        return self._proposed(conn, accounts.every(conn)[0].id, text, prune=True).loaded.problems

    def _proposed(self, conn: Connection, account: str, text: str, *, prune: bool) -> Proposal:
        file = str(self.folder / "flows.yaml")
        return flow_services.propose(conn, account, [(file, text)], prune=prune)

    async def changes(self, change: Callable[[Connection, str, By], object]) -> None:
        account = accounts.every(self.shop.reader.connection)[0].id
        await self.shop.writer.write(lambda conn: change(conn, account, By("command", self.shop.clock.now())))
        await self.shop.works()

    async def passes(self, **units: float) -> None:
        await self.shop.later(**units)

    def got(self, igsid: str) -> list[str]:
        return [one.text for one in self.shop.fake.sent if one.igsid == igsid]

    def runs(self, igsid: str) -> list[tuple[object, object]]:
        """Flow and status, the oldest first."""
        conn = self.shop.reader.connection
        found = run_reading.newest(conn, accounts.every(conn)[0])
        return [(run.flow, run.status) for run in reversed(found) if run.igsid == igsid]

    def fields(self, igsid: str) -> object:
        conn = self.shop.reader.connection
        found = people.newest(conn, accounts.every(conn)[0], limit=None)
        return next(one.contact.fields for one in found if one.contact.igsid == igsid)

    async def _said(self, item: Mapping[str, Any]) -> None:
        at = int(self.shop.clock.now().timestamp() * 1000)
        await self.shop.deliver(events.talk({**item, "timestamp": at}))

    async def _verdict(self, what: str) -> str:
        await self.shop.works()
        conn = self.shop.reader.connection
        why = explaining.why(conn, accounts.every(conn)[0], what, self.shop.clock.now())
        await self.shop.later(seconds=1)
        return str(why.event["verdict"])


@asynccontextmanager
async def changing(folder: Path, flows: str, reached: Outside | None = None) -> AsyncIterator[Changing]:
    """`reached`: what calls reach."""
    async with machine(folder, NOTHING_YET, reached=reached) as shop:
        now = Changing(shop, folder)
        await now.applies(flows)
        yield now
        assert now.shop.problems_of("storage") == []


@asynccontextmanager
async def with_restarts(folder: Path) -> AsyncIterator[Callable[[timedelta], Any]]:
    """`begin(later)`: a daemon on the same home, so much later than now."""

    begun = datetime.now(UTC)
    async with home_and_fake(folder, NOTHING_YET) as (settings, fake):

        @asynccontextmanager
        async def begin(later: timedelta) -> AsyncIterator[Changing]:
            async with running(settings, fake, VirtualClock(begun + later)) as shop:
                yield Changing(shop, folder)

        yield begin
