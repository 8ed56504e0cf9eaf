"""What the owner changes of a person: tags, fields, and whether automation goes on for them; and finding people.

Each verb gives the person as they are then, and says whether anything was different before. What it takes away or
replaces is to leave no trace in the file either (`store.deletions.leave_traces`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.engine import answers
from pamosnik.errors import Again, NotFound, PamosnikError, UsageError
from pamosnik.flows import durations
from pamosnik.flows.compile import compile_settings
from pamosnik.flows.kinds import is_name
from pamosnik.flows.near import nearest
from pamosnik.model.book import FieldSpec, Settings
from pamosnik.model.contact import Contact, PausedBy
from pamosnik.model.step import Accept, FieldType
from pamosnik.model.words import fold
from pamosnik.services.reading import people
from pamosnik.services.shapes import Shape
from pamosnik.store import accounts, connections, contacts, deletions, runs
from pamosnik.store import flows as flow_store
from pamosnik.store import people as people_store
from pamosnik.store.accounts import Account

PAUSED_FOR = timedelta(hours=12)
"""As long as after a message that the owner wrote from the phone."""
LONGEST_PAUSE = timedelta(days=3650)
LONGEST_VALUE = 1000
"""Characters of a field, as what services answer."""
TAGS_AT_ONCE = 50
LONGEST_NOTE = 2000

_INSTAGRAMS = ("username", "name", "first_name", "follows_me", "verified", "followers")


@dataclass(frozen=True, slots=True)
class By:
    """Who changes something, and when."""

    account: Account
    actor: str
    """As in the audit."""
    now: datetime


@dataclass(frozen=True, slots=True)
class Changed:
    """A person after a change."""

    person: Shape
    changed: bool
    """False: it was so already."""


# --- finding ---------------------------------------------------------------------------------------------


def find(conn: Connection, account: Account, text: str, *, limit: int | None) -> list[Shape]:
    """Whoever has the text in name, username, tags, fields or the note for a human; heard from last first. Upper and
    lower case and accents do not matter. Raises `UsageError` for a text that everybody has."""
    wanted = fold(text).removeprefix("@")
    if not wanted:
        raise UsageError("There is nothing to look for.", hint="Try: pamosnik contacts find TEXT")
    found = people_store.newest(conn, account.id, people_store.Wanted(text=wanted), limit=limit)
    return [one.shape() for one in people.by_id(conn, account, found)]


def find_everybody(conn: Connection, account: Account, text: str, *, limit: int | None) -> list[Shape]:
    """Likewise, and behind them whoever has it in the username where there are comments alone."""
    met = find(conn, account, text, limit=limit)
    others = contacts.commenters(conn, account.id, fold(text).removeprefix("@"), limit=limit)
    return [*met, *(commenter_shape(conn, one) for one in others)][:limit]


def commenter_shape(conn: Connection, one: contacts.Commenter) -> Shape:
    """Somebody of whom there are comments alone, as the page shows people; the id is their newest comment's."""
    shape: Shape = {
        "id": one.event_id,
        "connection": connections.load(conn, one.connection_id).username,
        "igsid": one.igsid,
        "username": one.username,
        "name": None,
        "tags": [],
        "fields": {},
        "window_open_until": None,
        "opted_out": False,
        "unreachable": False,
        "paused_until": None,
        "comments_alone": True,
    }
    return shape if one.igsid is not None else {**shape, "by_name_alone": True}


def named(conn: Connection, account: Account, who: str) -> Contact:
    """The one person that `@username`, an IGSID or an id names. Raises `NotFound`, and `PamosnikError` when several
    are known by it, or when they are being forgotten."""
    known = (contacts.load(conn, contact_id) for contact_id in contacts.find(conn, account.id, who))
    found = [contact for contact in known if contact is not None]
    if not found:
        raise NotFound(f"No contact is known by {who}.", hint="Try: pamosnik contacts list")
    if len(found) > 1:
        ids = ", ".join(f"{one.id} (@{one.connection})" for one in people.named(conn, account, who))
        raise PamosnikError(
            f"{len(found)} contacts are known by {who}, and each is changed by itself.",
            hint=f"Name one by its id: {ids}",
            again=Again(instead={who: found[0].id}),
        )
    if found[0].forget_at is not None:
        raise PamosnikError(f"{who} is being forgotten: nothing of theirs can be changed any more.")
    return found[0]


# --- tags ------------------------------------------------------------------------------------------------


def tag(conn: Connection, by: By, who: str, tags: Sequence[str]) -> Changed:
    """Runs that wait for one of these tags go on. Raises `UsageError` for what is no tag."""
    _require_tags(tags)
    for one in tags:
        if not is_name(one):
            raise UsageError(
                f"`{one}` is no tag.", hint="Letters, digits, - and _ only, 64 characters at most."
            )
    contact = named(conn, by.account, who)
    added = [contacts.add_tag(conn, contact, one, by.now) for one in tags]
    return _done(conn, by, contact, "contacts tag", changed=any(added))


def untag(conn: Connection, by: By, who: str, tags: Sequence[str]) -> Changed:
    _require_tags(tags)
    contact = named(conn, by.account, who)
    had = contact.tags.intersection(tags)
    for one in sorted(had):
        contacts.remove_tag(conn, contact, one)
    if had:
        deletions.leave_traces(conn, by.account.id, by.now)
    return _done(conn, by, contact, "contacts untag", changed=bool(had))


def _require_tags(tags: Sequence[str]) -> None:
    if not 0 < len(tags) <= TAGS_AT_ONCE:
        raise UsageError(f"One tag is needed, and {TAGS_AT_ONCE} are the most at once.")


# --- fields ----------------------------------------------------------------------------------------------


def set_field(conn: Connection, by: By, who: str, field: str, value: str) -> Changed:
    """In the form in which an answer to a question would be kept. It stays when the person takes a message back.
    Raises `UsageError` for a field that no flow file declares, and for a value of another type."""
    settings = _settings(conn, by.account)
    spec = settings.fields.get(field)
    if spec is None:
        raise _unknown_field(field, settings)
    kept = _normal(spec, value, settings.timezone or by.account.timezone, settings.language, by.now)
    if kept is None:
        raise UsageError(f"{field} is {_CALLED[spec.type]}, and `{value}` is none.", hint=_hint(spec))
    if len(kept) > LONGEST_VALUE:
        raise UsageError(f"A value of {field} can have {LONGEST_VALUE} characters at most.")
    contact = named(conn, by.account, who)
    before = contact.fields.get(field)
    if before != kept:
        contacts.set_field(conn, contact, field, kept, by.now, counted=True)
    if before not in (None, kept):
        deletions.leave_traces(conn, by.account.id, by.now)
    return _done(conn, by, contact, "contacts set", changed=before != kept)


def declared_fields(conn: Connection, account: Account) -> Mapping[str, FieldSpec]:
    """Those that a person's values can be set in."""
    return _settings(conn, account).fields


def unset_field(conn: Connection, by: By, who: str, field: str) -> Changed:
    """Also one that flow files no longer declare."""
    settings = _settings(conn, by.account)
    contact = named(conn, by.account, who)
    if field not in settings.fields and field not in contact.fields:
        raise _unknown_field(field, settings)
    if field in contact.fields:
        contacts.set_field(conn, contact, field, None, by.now)
        deletions.leave_traces(conn, by.account.id, by.now)
    return _done(conn, by, contact, "contacts unset", changed=field in contact.fields)


def _settings(conn: Connection, account: Account) -> Settings:
    """As they are applied now."""
    return compile_settings(json.loads(flow_store.settings(conn, account.id)))


def _unknown_field(field: str, settings: Settings) -> UsageError:
    if field in _INSTAGRAMS:
        return UsageError(
            f"{field} is what Instagram tells of this person: it cannot be set here.",
            hint="It is corrected when Instagram tells it anew.",
        )
    guess = nearest(field, settings.fields)
    if guess is not None:
        hint = f"Did you mean `{guess}`?"
    elif settings.fields:
        hint = f"There are: {', '.join(settings.fields)}."
    else:
        hint = "Fields are declared under `fields:` in a flow file."
    return UsageError(f"No applied flow file declares a field {field}.", hint=hint)


def _normal(spec: FieldSpec, value: str, zone: str, language: str, now: datetime) -> str | None:
    """In its normal form; None: it does not fit. Choices are not guessed at as they are for people who answer."""
    if spec.type is FieldType.CHOICE:
        return next((choice for choice in spec.choices if fold(choice) == fold(value)), None)
    return answers.understand(Accept(spec.type.value), value, (), language=language, zone=zone, now=now)


_CALLED = {
    FieldType.TEXT: "a text",
    FieldType.EMAIL: "an e-mail address",
    FieldType.PHONE: "a phone number",
    FieldType.NUMBER: "a number",
    FieldType.DATE: "a date",
    FieldType.URL: "a web address",
    FieldType.CHOICE: "a choice",
}


_EXAMPLES = {
    FieldType.TEXT: "anything that is not empty",
    FieldType.EMAIL: "rosa@shop.example",
    FieldType.PHONE: "+48 600 100 200",
    FieldType.NUMBER: "3 or 12.50",
    FieldType.DATE: "2026-12-24",
    FieldType.URL: "https://shop.example",
}


def _hint(spec: FieldSpec) -> str:
    if spec.type is FieldType.CHOICE:
        return f"Its choices are: {', '.join(spec.choices)}."
    return f"Write it like {_EXAMPLES[spec.type]}."


# --- the note --------------------------------------------------------------------------------------------


def set_note(conn: Connection, by: By, who: str, note: str) -> Changed:
    """What the owner wants to remember of this person; they never see it. An empty one takes it away."""
    kept = note.replace("\r\n", "\n").strip() or None
    if kept is not None and len(kept) > LONGEST_NOTE:
        raise UsageError(f"A note can have {LONGEST_NOTE} characters at most; this one has {len(kept)}.")
    contact = named(conn, by.account, who)
    before, _ = contacts.notes(conn, contact.id)
    if before != kept:
        contacts.set_note(conn, contact.id, kept)
    if before not in (None, kept):
        deletions.leave_traces(conn, by.account.id, by.now)
    return _done(conn, by, contact, "contacts note", changed=before != kept)


# --- automation ------------------------------------------------------------------------------------------


def pause(conn: Connection, by: By, who: str, lasts: str | None) -> Changed:
    """Automation stops for them. `lasts`: like `12h`; None: 12 hours, or as long as it rests already. Raises
    `UsageError`."""
    until = by.now + _length(lasts)
    contact = named(conn, by.account, who)
    if lasts is None and contact.paused_until is not None and contact.paused_until >= until:
        return _done(conn, by, contact, "contacts pause", changed=False)
    contacts.pause(conn, contact.id, until, PausedBy.OWNER)
    return _done(conn, by, contact, "contacts pause", changed=True)


def resume(conn: Connection, by: By, who: str) -> Changed:
    """What came due meanwhile and waits for the end of the pause goes on at once."""
    contact = named(conn, by.account, who)
    paused = contact.paused_until is not None and by.now < contact.paused_until
    if contact.paused_until is not None:
        runs.pause_is_over(conn, contact.id, contact.paused_until, by.now)
        contacts.resume(conn, contact.id)
    return _done(conn, by, contact, "contacts resume", changed=paused)


def _length(lasts: str | None) -> timedelta:
    if lasts is None:
        return PAUSED_FOR
    seconds = durations.seconds(lasts)
    if seconds is None:
        raise UsageError(f"{lasts} is no length of time.", hint=durations.as_a_duration(lasts))
    if not timedelta() < timedelta(seconds=seconds) <= LONGEST_PAUSE:
        raise UsageError(f"A pause lasts longer than nothing and {LONGEST_PAUSE.days}d at most.")
    return timedelta(seconds=seconds)


# --- all of them -----------------------------------------------------------------------------------------


def _done(conn: Connection, by: By, contact: Contact, action: str, *, changed: bool) -> Changed:
    if changed:
        accounts.audit(conn, by.account.id, actor=by.actor, action=action, subject=contact.id, now=by.now)
    (person,) = people.by_id(conn, by.account, [contact.id])
    return Changed(person.shape(), changed)
