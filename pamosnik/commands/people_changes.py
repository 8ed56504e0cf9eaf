"""What the owner changes of a person: contacts tag, untag, set, note, pause and resume."""

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from pamosnik.commands.common import Json, note, now, open_home, print_json, shown
from pamosnik.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pamosnik._sqlite import Connection
    from pamosnik.services.people import By, Changed

Who = Annotated[str, typer.Argument(help="@username, Instagram id, or the id of something they wrote.")]
Tags = Annotated[list[str], typer.Argument(help="Tags.")]


def register(contacts: typer.Typer) -> None:
    contacts.command("tag")(tag)
    contacts.command("untag")(untag)
    contacts.command("set")(set_)
    contacts.command("note")(note_)
    contacts.command("pause")(pause)
    contacts.command("resume")(resume)


def tag(who: Who, tags: Tags, as_json: Json = False) -> None:
    """Gives a person tags. Flows that wait for one of them go on."""
    from pamosnik.services import people

    done = _change(lambda conn, by: people.tag(conn, by, who, tags), as_json)
    word = "has the tags" if done.changed else "had these already; the tags are"
    note(f"{_name(done)} {word}: {shown(done.person['tags'])}")


def untag(who: Who, tags: Tags, as_json: Json = False) -> None:
    """Takes tags away from a person."""
    from pamosnik.services import people

    done = _change(lambda conn, by: people.untag(conn, by, who, tags), as_json)
    word = "has the tags" if done.changed else "had none of these; the tags are"
    note(f"{_name(done)} {word}: {shown(done.person['tags'])}")


def set_(
    who: Who,
    field: Annotated[str, typer.Argument(help="A field that a flow file declares.")],
    value: Annotated[str | None, typer.Argument(help="Its value, of the field's type.")] = None,
    unset: Annotated[bool, typer.Option("--unset", help="Take the value away.")] = False,
    as_json: Json = False,
) -> None:
    """Corrects what is kept in a field of a person."""
    from pamosnik.services import people

    if unset == (value is not None):
        raise UsageError(
            "Which value?",
            hint="Give one, or take it away. Try:"
            f" {shlex.join(['pamosnik', 'contacts', 'set', who, field, value or 'VALUE'])}",
        )

    def change(conn: "Connection", by: "By") -> "Changed":
        if value is None:
            return people.unset_field(conn, by, who, field)
        return people.set_field(conn, by, who, field, value)

    done = _change(change, as_json)
    fields = done.person["fields"]
    assert isinstance(fields, dict)
    kept = f"is {fields[field]}" if field in fields else "has no value"
    note(f"{field} of {_name(done)} {kept}{'' if done.changed else ', as it was'}.")


def note_(
    who: Who,
    text: Annotated[
        str | None, typer.Argument(help="What you want to remember; it replaces the note.")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Take the note away.")] = False,
    as_json: Json = False,
) -> None:
    """Keeps a note about a person, for you alone; it is in their export."""
    from pamosnik.services import people

    if clear == (text is not None):
        right = shlex.join(["pamosnik", "contacts", "note", who, text or "TEXT"])
        raise UsageError("Which note?", hint=f"Give one, or take it away. Try: {right}")
    kept_text = (text or "").strip() or None
    done = _change(lambda conn, by: people.set_note(conn, by, who, text or ""), as_json, note=kept_text)
    kept = "is kept" if kept_text else "is taken away"
    note(f"The note about {_name(done)} {kept}{'' if done.changed else ', as it was'}.")


def pause(
    who: Who,
    lasts: Annotated[
        str | None, typer.Option("--for", help="How long, like 2h or 3d; 12h unless said.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Automation rests for a person: you write with them yourself."""
    from pamosnik.services import people

    done = _change(lambda conn, by: people.pause(conn, by, who, lasts), as_json)
    word = "rests" if done.changed else "rests already"
    note(f"Automation {word} for {_name(done)} until {shown(done.person['paused_until'])}.")


def resume(who: Who, as_json: Json = False) -> None:
    """Automation goes on for a person, before its pause is over."""
    from pamosnik.services import people

    done = _change(lambda conn, by: people.resume(conn, by, who), as_json)
    word = "goes on" if done.changed else "does not rest"
    note(f"Automation {word} for {_name(done)}.")


def _change(change: "Callable[[Connection, By], Changed]", as_json: bool, **also: str | None) -> "Changed":
    """In one transaction, within the account's walls. `also`: what the JSON has beside the person."""
    from pamosnik.services.people import By

    with open_home() as home:
        by = By(home.account, "command", now())
        done = home.write(lambda conn: change(conn, by))
    if as_json:
        print_json({**done.person, **also, "changed": done.changed})
    return done


def _name(done: "Changed") -> str:
    return shown(done.person)
