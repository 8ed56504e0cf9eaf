"""What can be changed over the API: each address with the function that the command of the same name calls.

A change is asked for with POST and JSON. Keys that the address does not know are refused: a misspelt one must not
seem to have been heard.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pamosnik._sqlite import Connection
from pamosnik.clock import Clock
from pamosnik.daemon.api import ROOT, refusal, who_asks
from pamosnik.daemon.callers import Callers
from pamosnik.errors import HomeError, NotFound, PamosnikError, UsageError
from pamosnik.services import erasing, people
from pamosnik.services.people import By, Changed
from pamosnik.services.shapes import Shape
from pamosnik.store import deletions
from pamosnik.store.deletions import Cause
from pamosnik.store.walls import write_for
from pamosnik.store.writer import GroupWriter

ACTOR = "api"
_MEDIA_TYPE = "application/json"

Given = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Write:
    path: str
    """Below `/api/v1/`."""
    fn: Callable[[Connection, By, str, Given], Shape]
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


WRITES: Sequence[Write] = (
    Write("contacts/{id}/forget", _forget, ("connection",), status=202),
    Write("contacts/{id}/tag", _tag, ("tags",)),
    Write("contacts/{id}/untag", _untag, ("tags",)),
    Write("contacts/{id}/set", _set, ("field", "value")),
    Write("contacts/{id}/pause", _pause, ("for",)),
    Write("contacts/{id}/resume", _resume),
)


class ApiWrites:
    def __init__(
        self,
        callers: Callers,
        writer: GroupWriter,
        clock: Clock,
        on_change: Callable[[], None],
        on_deletion: Callable[[], None],
    ) -> None:
        """`on_change` is called when something was changed that flows may wait for, `on_deletion` when there may be
        something to delete."""
        self._callers = callers
        self._writer = writer
        self._clock = clock
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
            given = await _body(request, write)
            done = await self._writer.write(
                write_for(
                    caller.account.id, lambda conn: write.fn(conn, by, request.path_params["id"], given)
                )
            )
        except HomeError:
            raise
        except NotFound as error:
            return refusal(404, error.message, f"Try: GET {ROOT}{write.path.split('/')[0]}")
        except UsageError as error:
            return refusal(400, error.message, error.hint)
        except PamosnikError as error:
            return refusal(409, error.message, error.hint)
        self._on_change()
        self._on_deletion()
        return JSONResponse(done, write.status)


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


def _text(given: Given, name: str) -> str:
    """Numbers are taken as they are written. Raises `UsageError`."""
    value = given.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise UsageError(f"The key {name} has to be a text.")
    return _storable(value)


def _texts(given: Given, name: str) -> Sequence[str]:
    value = given.get(name)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise UsageError(f"The key {name} has to be an array of texts.")
    return [_storable(one) for one in value]


def _storable(text: str) -> str:
    """Halves of surrogate pairs, which JSON can carry and UTF-8 cannot, and NUL are refused."""
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise UsageError("A text holds characters that cannot be stored.")
    return text
