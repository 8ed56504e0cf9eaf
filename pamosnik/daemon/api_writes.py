"""What can be changed over the API: each address with the function that the command of the same name calls.

A change is asked for with POST and JSON. Keys that the address does not know are refused: a misspelt one must not
seem to have been heard.
"""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pamosnik._sqlite import Connection
from pamosnik.clock import Clock
from pamosnik.config import Config
from pamosnik.daemon import api_events, api_flows
from pamosnik.daemon.api import ROOT, not_found, refusal, who_asks
from pamosnik.daemon.api_bodies import Given
from pamosnik.daemon.api_bodies import text as _text
from pamosnik.daemon.api_bodies import texts as _texts
from pamosnik.daemon.api_flows import BadFiles, Machine, Work
from pamosnik.daemon.aside import Aside
from pamosnik.daemon.callers import Callers
from pamosnik.errors import HomeError, NotFound, PamosnikError, UsageError
from pamosnik.services import erasing, flows, people, queue, runs
from pamosnik.services.people import By, Changed
from pamosnik.services.public_address import PublicAddress
from pamosnik.services.queue import Fate
from pamosnik.services.reading import queue as queue_reading
from pamosnik.services.reading import runs as run_reading
from pamosnik.services.shapes import Shape
from pamosnik.store import deletions
from pamosnik.store.database import Database
from pamosnik.store.deletions import Cause
from pamosnik.store.reads import QueueFilter
from pamosnik.store.walls import write_for
from pamosnik.store.writer import GroupWriter

ACTOR = "api"
_MEDIA_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Ahead:
    """What takes long is read beside the writer first."""

    read: Callable[[Connection, By, str, Given, Machine], Work]


@dataclass(frozen=True, slots=True)
class Write:
    path: str
    """Below `/api/v1/`."""
    do: Callable[[Connection, By, str, Given], Shape] | Ahead
    """In one transaction: what the id in the address names, and the keys of the body. Raises `NotFound`, `UsageError`
    for what was sent, `PamosnikError` for what cannot be done."""
    keys: Sequence[str] = ()
    status: int = 200


def _tag(conn: Connection, by: By, who: str, given: Given) -> Shape:
    return _shape(people.tag(conn, by, who, _texts(given, "tags")))


def _untag(conn: Connection, by: By, who: str, given: Given) -> Shape:
    return _shape(people.untag(conn, by, who, _texts(given, "tags")))


def _set(conn: Connection, by: By, who: str, given: Given) -> Shape:
    field = _text(given, "field")
    if "value" not in given:
        raise UsageError("The key value is missing.", hint="null takes the value away.")
    if given["value"] is None:
        return _shape(people.unset_field(conn, by, who, field))
    return _shape(people.set_field(conn, by, who, field, _text(given, "value")))


def _pause(conn: Connection, by: By, who: str, given: Given) -> Shape:
    return _shape(people.pause(conn, by, who, _text(given, "for") if "for" in given else None))


def _resume(conn: Connection, by: By, who: str, _: Given) -> Shape:
    return _shape(people.resume(conn, by, who))


def _forget(conn: Connection, by: By, who: str, given: Given) -> Shape:
    """Begins it; the answer is the receipt as it is then."""
    known = erasing.people(conn, by.account.id, who)
    if not known:
        raise NotFound(f"Nothing is stored about {who}.")
    wanted = _text(given, "connection").removeprefix("@") if "connection" in given else None
    found = [one for one in known if wanted in (None, one.connection.username)]
    if len(found) != 1:
        names = ", ".join(sorted({one.connection.username for one in known}))
        raise PamosnikError(
            f"{who} is known to these connections: {names}.", hint="Name one in the key connection."
        )
    deletion_id = erasing.begin_forget(conn, found[0], cause=Cause.API, actor=by.actor, now=by.now)
    receipt = deletions.load(conn, deletion_id)
    assert receipt is not None
    return erasing.receipt(receipt)


_FILES = ("files", "prune", "over_rollback")


def _retry(conn: Connection, by: By, what: str, _: Given) -> Shape:
    return _item(conn, by, queue.retry(conn, by.account, what, actor=by.actor, now=by.now))


def _cancel(conn: Connection, by: By, what: str, _: Given) -> Shape:
    return _item(conn, by, queue.cancel(conn, by.account, what, actor=by.actor, now=by.now))


def _settle(conn: Connection, by: By, what: str, given: Given) -> Shape:
    said = _text(given, "fate")
    if said not in set(Fate):
        raise UsageError(f"The key fate is {said}.", hint="It can be sent, resend or drop.")
    return _item(conn, by, queue.settle(conn, by.account, what, Fate(said), actor=by.actor, now=by.now))


def _item(conn: Connection, by: By, item_id: str) -> Shape:
    """As it stands now."""
    (found,) = queue_reading.newest(conn, by.account, QueueFilter(item_id=item_id), now=by.now)
    return found.shape()


def _cancel_run(conn: Connection, by: By, what: str, _: Given) -> Shape:
    ended = runs.cancel(conn, by.account, what, actor=by.actor, now=by.now)
    return run_reading.named(conn, by.account, ended)[0].shape()


WRITES: Sequence[Write] = (
    Write("contacts/{id}/forget", _forget, ("connection",), status=202),
    Write("contacts/{id}/tag", _tag, ("tags",)),
    Write("contacts/{id}/untag", _untag, ("tags",)),
    Write("contacts/{id}/set", _set, ("field", "value")),
    Write("contacts/{id}/pause", _pause, ("for",)),
    Write("contacts/{id}/resume", _resume),
    Write("events/{id}/replay", Ahead(api_events.replay), ("again", "dry_run")),
    Write("flows/{id}/pause", api_flows.pause),
    Write("flows/{id}/resume", api_flows.resume),
    Write("flows/{id}/start", Ahead(api_flows.start), ("contact",), status=201),
    Write("flows/plan", Ahead(api_flows.plan), _FILES),
    Write("flows/apply", Ahead(api_flows.apply), (*_FILES, "revision", "note")),
    Write("queue/{id}/retry", _retry),
    Write("queue/{id}/cancel", _cancel),
    Write("queue/{id}/settle", _settle, ("fate",)),
    Write("runs/{id}/cancel", _cancel_run),
)


class ApiWrites:
    def __init__(
        self,
        settings: Config,
        callers: Callers,
        writer: GroupWriter,
        reader: Database,
        aside: Aside,
        clock: Clock,
        address: PublicAddress,
        on_change: Callable[[], None],
        on_deletion: Callable[[], None],
    ) -> None:
        """`on_change` is called when something was changed that flows may wait for, `on_deletion` when there may be
        something to delete."""
        self._settings = settings
        self._callers = callers
        self._writer = writer
        self._reader = reader
        self._aside = aside
        self._clock = clock
        self._address = address
        self._on_change = on_change
        self._on_deletion = on_deletion

    def routes(self) -> list[Route]:
        return [
            Route(f"{ROOT}{write.path}", partial(self._answer, write=write), methods=["POST"])
            for write in WRITES
        ]

    async def _answer(self, request: Request, write: Write) -> Response:
        caller = await self._callers.of(request)
        if caller is None:
            return who_asks(request)
        by = By(caller.account, ACTOR, self._clock.now())
        try:
            work = await self._work(request, write, by)
            done = await self._writer.write(write_for(caller.account.id, work))
        except HomeError:
            raise
        except NotFound as error:
            return not_found(error, write.path)
        except UsageError as error:
            return refusal(400, error.message, error.hint)
        except BadFiles as error:
            said = {"message": error.message, "hint": error.hint}
            return JSONResponse({"error": said, "problems": error.problems}, 422)
        except PamosnikError as error:
            return refusal(409, error.message, error.hint)
        self._on_change()
        self._on_deletion()
        return JSONResponse(done, write.status)

    async def _work(self, request: Request, write: Write, by: By) -> Work:
        given, what, do = await _body(request, write), request.path_params.get("id", ""), write.do
        if not isinstance(do, Ahead):
            return lambda conn: do(conn, by, what, given)
        account_id = by.account.id
        machine = Machine(
            self._settings.mail is not None,
            self._address,
            self._reader.read(lambda conn: flows.unset(conn, account_id, os.environ)),
        )
        return await self._aside.read(account_id, lambda conn: do.read(conn, by, what, given, machine))


async def _body(request: Request, write: Write) -> Given:
    """A JSON object with keys that the address knows; nothing at all is an empty one. Raises `UsageError`."""
    text = await request.body()
    if not text:
        return {}
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _MEDIA_TYPE:
        raise UsageError("The body is not JSON.", hint=f"Send it as: Content-Type: {_MEDIA_TYPE}")
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        raise UsageError("The body is no JSON that can be read.") from None
    if not isinstance(given, dict):
        raise UsageError("The body is no JSON object.", hint=_known(write))
    for name in given:
        if name not in write.keys:
            raise UsageError(f"{ROOT}{write.path} knows no key {name}.", hint=_known(write))
    return given


def _known(write: Write) -> str:
    return f"It knows {', '.join(write.keys)}." if write.keys else "It knows none."


def _shape(done: Changed) -> Shape:
    return {**done.person, "changed": done.changed}
