"""One person's way through a flow, turn by turn."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pamosnik._sqlite import Connection
from pamosnik.daemon.status.parts import StatusParts, told, with_words
from pamosnik.daemon.visitors import Form, Visitor
from pamosnik.model.run import ENDED, RunStatus
from pamosnik.services import runs
from pamosnik.services.people import By
from pamosnik.services.reading import links as link_reading
from pamosnik.services.reading import queue, step_words
from pamosnik.services.reading import runs as run_reading
from pamosnik.services.reading.links import Link
from pamosnik.services.reading.queue import Item
from pamosnik.services.reading.runs import Run, Turn, Wait
from pamosnik.store.accounts import Account
from pamosnik.store.reads import QueueFilter

ONE = "/runs/{id}"
TOLD = {"cancel": "The run has ended. What it had not sent was called off."}


@dataclass(frozen=True, slots=True)
class _Whole:
    run: Run
    turns: list[Turn]
    waits: list[Wait]
    items: list[Item]
    """The earliest made first."""
    links: list[Link]
    steps: Mapping[str, str]
    """Path → what the step is called."""

    @property
    def ended(self) -> bool:
        return RunStatus(self.run.status) in ENDED


class RunPages:
    def __init__(self, parts: StatusParts) -> None:
        self._parts = parts

    def routes(self) -> list[Route]:
        return [
            self._parts.shown(ONE, self._one),
            self._parts.done(f"{ONE}/cancel", _cancel, refused=ONE),
        ]

    async def _one(self, request: Request, visitor: Visitor) -> Response:
        what, now = request.path_params["id"], self._parts.clock.now()
        view = await self._parts.read(visitor, partial(_whole, account=visitor.account, what=what, now=now))
        values = {"view": view, "told": told(request, TOLD)}
        return self._parts.page("run.html", visitor, values, page="/flows")


def _whole(conn: Connection, account: Account, what: str, now: datetime) -> _Whole:
    """Raises `NotFound`."""
    run, turns = run_reading.named(conn, account, what)
    items = queue.newest(conn, account, QueueFilter(run_id=run.id), now=now)
    links = link_reading.sent(conn, account, run_id=run.id)
    steps = step_words.of_version(conn, account, run.flow, run.version)
    return _Whole(run, turns, run_reading.waits(conn, run), items[::-1], links, steps)


def _cancel(conn: Connection, by: By, request: Request, form: Form) -> str:
    """Leads back to where it was asked for. Sent twice, the second one finds a run that has ended."""
    run_id = runs.cancel(conn, by.account, request.path_params["id"], actor=by.actor, now=by.now)
    if form.get("on") != "person":
        return with_words(f"/runs/{run_id}", told="cancel")
    run, _ = run_reading.named(conn, by.account, run_id)
    return with_words(f"/people/{run.contact}", told="cancel") + "#about"
