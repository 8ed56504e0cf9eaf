"""`/api/v1/openapi.json`: the API as OpenAPI 3.1, for programs that make clients of it.

It is made of `READS` and `WRITES`: an address that is added there stands in it at once. What the address is for and
what it answers is said here. Anybody may read it; it tells nothing of any account.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import pamosnik
from pamosnik.daemon.api import ROOT
from pamosnik.daemon.api_reads import AT_MOST, NEWEST, READS, Read
from pamosnik.daemon.api_shapes import SHAPES, Schema, array, named, number, one_of, ref, text, yes_or_no
from pamosnik.daemon.api_writes import WRITES, Write
from pamosnik.daemon.rendering import kept

PATH = f"{ROOT}openapi.json"


@dataclass(frozen=True, slots=True)
class Said:
    """What an address is for, and what it answers."""

    what: str
    answers: Schema


_ANYTHING: Schema = {"description": "JSON; docs/json.md says what."}
_ID = text("Pamosnik's id, Meta's, or `@username` of a person; of a flow and a connection its name.")

READ: Mapping[str, Said] = {
    "status": Said("Health at a glance.", ref("Status")),
    "events": Said("What came in.", array(ref("Event"))),
    "events/{id}": Said("One event, with its trace.", ref("WholeEvent")),
    "events/{id}/why": Said("What happened to it, and the checks behind it.", ref("Why")),
    "runs": Said("People going through flows.", array(ref("Run"))),
    "runs/{id}": Said("One run, with its turns, queue items and links.", ref("WholeRun")),
    "queue": Said("What goes out.", array(ref("QueueItem"))),
    "queue/{id}": Said("One item of the queue.", ref("QueueItem")),
    "contacts": Said("People.", array(ref("Contact"))),
    "contacts/{id}": Said("One person; of several connections, the one heard from last.", ref("Contact")),
    "flows": Said("Applied flows, in the order they are asked.", array(ref("Flow"))),
    "flows/{id}": Said("One applied flow, with its body.", ref("WholeFlow")),
    "flows/{id}/history": Said("What became of it, the newest first.", array(ref("FlowChange"))),
    "flows/{id}/steps": Said("How many came to each of its steps, and where they stop.", ref("FlowSteps")),
    "stats": Said(
        "Numbers of runs; with `by` those of each day, post, step or link.",
        {"anyOf": [ref(f"Stats{by}") for by in ("", "ByDay", "ByPost", "ByStep", "ByLink")]},
    ),
    "connections": Said("Connected accounts.", array(ref("Connection"))),
    "connections/{id}": Said("One of them, by username or id.", ref("Connection")),
    "account": Said("The account that the token belongs to.", ref("Account")),
    "account/history": Said("What was done and agreed to, the newest first.", array(ref("Noted"))),
    "retention": Said(
        "How long things are kept, how much is stored, how much would go now.", ref("Retention")
    ),
}
WRITE: Mapping[str, Said] = {
    "contacts/{id}/forget": Said("Begins to delete everything about a person.", ref("Receipt")),
    "contacts/{id}/tag": Said("Adds tags; flows that wait for one go on.", ref("ChangedContact")),
    "contacts/{id}/untag": Said("Takes tags away.", ref("ChangedContact")),
    "contacts/{id}/set": Said("Sets a field, in its type; null takes it away.", ref("ChangedContact")),
    "contacts/{id}/pause": Said("Automation rests for this person.", ref("ChangedContact")),
    "contacts/{id}/resume": Said("Automation goes on.", ref("ChangedContact")),
    "queue/{id}/retry": Said("Queues what did not go out, while it can arrive in time.", ref("QueueItem")),
    "queue/{id}/cancel": Said("Calls off what has not left.", ref("QueueItem")),
    "queue/{id}/settle": Said("Says what became of a message of unknown fate.", ref("QueueItem")),
    "runs/{id}/cancel": Said("Ends the run, and calls off what it has not sent.", ref("Run")),
    "events/{id}/replay": Said(
        "Tries again with the flows of now what nothing answered.", ref("ReplayedEvent")
    ),
    "flows/{id}/pause": Said("It starts nobody; who is in it goes on.", ref("PausedFlow")),
    "flows/{id}/resume": Said("It starts people again.", ref("PausedFlow")),
    "flows/{id}/start": Said("Starts it for one person, unless something speaks against it.", ref("Run")),
    "flows/plan": Said("What applying these files would change; changes nothing.", ref("RevisedPlan")),
    "flows/apply": Said("Applies what the plan of this revision has shown.", ref("AppliedPlan")),
}
PARAMETERS: Mapping[str, Schema] = {
    "connection": text("Of this connected account alone: its username or id."),
    "limit": {**number("How many at most."), "minimum": 1, "maximum": AT_MOST, "default": NEWEST},
    "since": text(
        "`2h`, `3d`, a day or an instant as ISO 8601 has it (without a zone on the account's clock): what is older is"
        " left out."
    ),
    "until": text("The last day, in the account's time zone: `2026-12-01` or `7d`."),
    "before": text("Where this part begins: as the `Link` header of the part before says it."),
    "open": {**one_of(("true", "false"), "Only what has not reached its end."), "default": "false"},
    "by": one_of(("day", "post", "step", "link")),
    "version": text("Its first characters; without it the applied one."),
    "flow": text("Of this flow alone."),
}
KEYS: Mapping[str, Schema] = {
    "connection": text("Which one, where several know the person."),
    "tags": array(text()),
    "field": text("Declared in a flow file."),
    "value": {"type": ["string", "number", "null"], "description": "In the field's type."},
    "fate": one_of(("sent", "resend", "drop")),
    "contact": text("Whom: an id, an IGSID or `@username`."),
    "files": named(text(), "Name of the file → what it says."),
    "prune": yes_or_no("Flows that are in none of these files go."),
    "over_rollback": yes_or_no("Also flows that were rolled back."),
    "revision": text("From `flows/plan`."),
    "note": text("Why, for the history."),
    "again": yes_or_no("Also what a flow or a human has answered."),
    "dry_run": yes_or_no("Says what would happen, and changes nothing."),
    "for": text("Like `12h`; without it 12 hours."),
}
_NEEDED: Mapping[str, Sequence[str]] = {
    "contacts/{id}/tag": ("tags",),
    "contacts/{id}/untag": ("tags",),
    "contacts/{id}/set": ("field", "value"),
    "queue/{id}/settle": ("fate",),
    "flows/{id}/start": ("contact",),
    "flows/plan": ("files",),
    "flows/apply": ("files", "revision"),
}
_REFUSALS: Mapping[str, str] = {
    "400": "A parameter or key that makes no sense, is not known, or is given twice.",
    "401": "No token, or one that is not known or was revoked.",
    "404": "Nothing of the account has this id.",
    "409": "It cannot be done as things are.",
    "413": "The body is too large.",
    "422": "Flow files with errors.",
    "503": "The database cannot be read at the moment: try again later.",
}
_ABOUT = (
    "What Pamosnik's commands give with `--json`, over HTTP. A token opens one account: `pamosnik api-token create"
    " --name NAME`. Times are ISO 8601 in UTC. More keys may come; none changes its meaning. Where a list goes on,"
    " the header `Link` has the address of the next part."
)


class ApiDocument:
    def __init__(self) -> None:
        self._text = json.dumps(document(), ensure_ascii=False)

    def routes(self) -> list[Route]:
        return [Route(PATH, self._document)]

    async def _document(self, request: Request) -> Response:
        return kept(request, self._text, "application/json")


def document() -> Schema:
    paths: dict[str, dict[str, object]] = {}
    for read in READS:
        paths.setdefault(f"{ROOT}{read.path}", {})["get"] = _read(read)
    for write in WRITES:
        paths.setdefault(f"{ROOT}{write.path}", {})["post"] = _write(write)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pamosnik", "version": pamosnik.__version__, "description": _ABOUT},
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": SHAPES,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "responses": {
                status: {
                    "description": why,
                    "content": _json(ref("BadFiles" if status == "422" else "Error")),
                }
                for status, why in _REFUSALS.items()
            },
        },
    }


def _read(read: Read) -> Schema:
    said = READ.get(read.path, Said("", _ANYTHING))
    answer: Schema = {"description": "As it is now.", "content": _json(said.answers)}
    if "before" in read.parameters:
        answer["headers"] = {"Link": {"description": "The next part.", "schema": {"type": "string"}}}
    refused = ("400", "401", *(("404",) if "{" in read.path or "flow" in read.parameters else ()), "503")
    return {
        **_operation("get", read.path, said),
        "parameters": [
            *_path_parameters(read.path),
            *(
                {"name": name, "in": "query", "schema": PARAMETERS.get(name, _ANYTHING)}
                for name in read.parameters
            ),
        ],
        "responses": {"200": answer, **_refused(refused)},
    }


def _write(write: Write) -> Schema:
    said, needed = WRITE.get(write.path, Said("", _ANYTHING)), _NEEDED.get(write.path, ())
    body: Schema = {
        "type": "object",
        "properties": {key: KEYS.get(key, _ANYTHING) for key in write.keys},
        "additionalProperties": False,
        **({"required": list(needed)} if needed else {}),
    }
    answer: Schema = {"description": "As it is then.", "content": _json(said.answers)}
    refused = ("400", "401", "404", "409", "413", *(("422",) if "files" in write.keys else ()), "503")
    return {
        **_operation("post", write.path, said),
        "parameters": _path_parameters(write.path),
        "requestBody": {"required": bool(needed), "content": _json(body)},
        "responses": {str(write.status): answer, **_refused(refused)},
    }


def _operation(method: str, path: str, said: Said) -> Schema:
    words = [word for word in path.replace("/", " ").split() if not word.startswith("{")]
    name = "_".join([method, *words, *(["one"] if path.endswith("}") else [])])
    return {"operationId": name, "tags": [words[0]], **({"summary": said.what} if said.what else {})}


def _path_parameters(path: str) -> list[Schema]:
    """Each is called `id`, or what the address calls it."""
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [{"name": name, "in": "path", "required": True, "schema": _ID} for name in names]


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _refused(statuses: Sequence[str]) -> Schema:
    return {status: {"$ref": f"#/components/responses/{status}"} for status in statuses}
