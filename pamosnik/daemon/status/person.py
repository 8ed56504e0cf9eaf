"""A person: the conversation as it looked on the phone, what is known of them, and what can be done for them."""

from collections.abc import Callable, Mapping
from functools import partial

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pamosnik._sqlite import Connection
from pamosnik.daemon.status import runs
from pamosnik.daemon.status.parts import StatusParts, told, with_words
from pamosnik.daemon.status.people import PATH
from pamosnik.daemon.visitors import Form, Visitor
from pamosnik.errors import NotFound, UsageError
from pamosnik.ids import is_id, new_id
from pamosnik.instagram import limits
from pamosnik.model.outbox import ItemStatus
from pamosnik.services import people, person_view, replying
from pamosnik.services.people import By
from pamosnik.store import contacts

PERSON = f"{PATH}/{{id}}"
_TOLD: Mapping[str, str] = {
    "replied": "It is on its way. Automation rests for this person for 12 hours.",
    "again": "This was sent already; it is not sent a second time.",
    "tag": "The tag is given.",
    "untag": "The tag is taken away.",
    "set": "The value is kept.",
    "unset": "The value is taken away.",
    "note": "The note is kept.",
    "pause": "Automation rests for this person.",
    "resume": "Automation goes on for this person.",
    **runs.TOLD,
}
STATES: Mapping[ItemStatus, str] = {
    ItemStatus.QUEUED: "waits to be sent",
    ItemStatus.HELD: "held back",
    ItemStatus.SENDING: "being sent",
    ItemStatus.UNKNOWN: "nobody knows yet whether it arrived",
    ItemStatus.EXPIRED: "too late: not sent",
    ItemStatus.FAILED: "not sent",
    ItemStatus.CANCELLED: "called off",
}
PAUSES: Mapping[str, str] = {"2h": "2 hours", "12h": "12 hours", "3d": "3 days", "30d": "30 days"}

Verb = Callable[[Connection, By, str, Form], str]
"""Changes something of the person with this id; the word for what was done."""


class PersonPages:
    def __init__(self, parts: StatusParts) -> None:
        self._parts = parts

    def routes(self) -> list[Route]:
        return [
            self._parts.shown(PERSON, self._person),
            *(self._form(word, verb) for word, verb in VERBS.items()),
        ]

    def _form(self, word: str, verb: Verb) -> Route:
        def do(conn: Connection, by: By, request: Request, form: Form) -> str:
            contact_id = _own(conn, by, request)
            done = verb(conn, by, contact_id, form)
            place = "#newest" if word in ("reply", "private-reply") else "#about"
            return with_words(f"{PATH}/{contact_id}", told=done) + place

        return self._parts.done(f"{PERSON}/{word}", do, refused=PERSON)

    async def _person(self, request: Request, visitor: Visitor) -> Response:
        now, before = self._parts.clock.now(), request.query_params.get("before") or None
        if before is not None and not is_id(before):
            raise HTTPException(404)
        read = partial(
            person_view.of,
            account=visitor.account,
            contact_id=request.path_params["id"],
            before=before,
            now=now,
        )
        values = {
            "view": await self._parts.read(visitor, read),
            "part": before,
            "now": now,
            "told": told(request, _TOLD),
            "key": new_id(now),
            "states": STATES,
            "pauses": PAUSES,
            "text_bytes": limits.TEXT_BYTES,
            "longest_note": people.LONGEST_NOTE,
        }
        return self._parts.page("person.html", visitor, values, page=PATH)


def _own(conn: Connection, by: By, request: Request) -> str:
    """The id in the address, where it is one of the account's people."""
    contact_id: str = request.path_params["id"]
    contact = contacts.load(conn, contact_id)
    if contact is None or contact.account_id != by.account.id:
        raise NotFound(f"No contact is known by {contact_id}.")
    return contact_id


# --- what the forms do -----------------------------------------------------------------------------------


def _reply(conn: Connection, by: By, who: str, form: Form) -> str:
    done = replying.reply(conn, by, who, form.get("text", ""), key=form.get("key"))
    return "replied" if done.new else "again"


def _private_reply(conn: Connection, by: By, who: str, form: Form) -> str:
    done = replying.private_reply(conn, by, form.get("event", ""), form.get("text", ""), key=form.get("key"))
    if done.contact_id != who:
        raise NotFound("The comment is somebody else's.")
    return "replied" if done.new else "again"


def _tag(conn: Connection, by: By, who: str, form: Form) -> str:
    people.tag(conn, by, who, [_word(form, "tag")])
    return "tag"


def _untag(conn: Connection, by: By, who: str, form: Form) -> str:
    people.untag(conn, by, who, [_word(form, "tag")])
    return "untag"


def _set(conn: Connection, by: By, who: str, form: Form) -> str:
    people.set_field(conn, by, who, _word(form, "field"), _word(form, "value"))
    return "set"


def _unset(conn: Connection, by: By, who: str, form: Form) -> str:
    people.unset_field(conn, by, who, _word(form, "field"))
    return "unset"


def _note(conn: Connection, by: By, who: str, form: Form) -> str:
    people.set_note(conn, by, who, form.get("note", ""))
    return "note"


def _pause(conn: Connection, by: By, who: str, form: Form) -> str:
    people.pause(conn, by, who, form.get("for") or None)
    return "pause"


def _resume(conn: Connection, by: By, who: str, _: Form) -> str:
    people.resume(conn, by, who)
    return "resume"


def _word(form: Form, name: str) -> str:
    word = form.get(name, "").strip()
    if not word:
        raise UsageError(f"The {name} is empty.", hint="Write something.")
    return word


VERBS: Mapping[str, Verb] = {
    "reply": _reply,
    "private-reply": _private_reply,
    "tag": _tag,
    "untag": _untag,
    "set": _set,
    "unset": _unset,
    "note": _note,
    "pause": _pause,
    "resume": _resume,
}
