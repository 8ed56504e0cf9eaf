"""A shop, a customer and their events, from flow files as people write them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pamosnik.engine.catalog import Catalog
from pamosnik.flows.compile import compile_flow, compile_settings
from pamosnik.flows.load import load
from pamosnik.model.book import Book
from pamosnik.model.condition import CameFrom
from pamosnik.model.contact import Contact
from pamosnik.model.decision import Facts
from pamosnik.model.event import Event, EventKind, Incoming
from pamosnik.model.flow import Flow
from pamosnik.model.run import Origin, Run, RunStatus

NOW = datetime(2026, 12, 2, 11, tzinfo=UTC)
"""A Wednesday, noon in Warsaw."""


def book(text: str) -> Book:
    """The book of a file that may have warnings, but no errors."""
    loaded = load([("shop.yaml", f"version: 1\n{text}")])
    assert [problem for problem in loaded.problems if problem.severity == "error"] == []
    flows = tuple(compile_flow(flow.id, flow.body, timezone="Europe/Warsaw") for flow in loaded.flows)
    return Book(flows, compile_settings(loaded.settings))


def catalog(text: str) -> Catalog:
    return Catalog(book(text))


def steps(lines: str, top: str = "") -> tuple[Book, Flow]:
    """A flow of these steps, indented by six, that a message `price` or a comment starts."""
    when = "when: [{ dm: price }, { comment: { words: [price] } }]"
    made = book(f"{top}\nflows:\n  shop:\n    {when}\n    limits: once\n    do:\n{lines}\n")
    return made, made.flows[0]


def anna(*, window: bool = True, disclosed: bool = True) -> Contact:
    return Contact(
        "c1",
        "a1",
        "k1",
        "900",
        username="anna",
        name="Anna Nowak",
        window_open_until=NOW + timedelta(hours=23) if window else None,
        disclosed_at=NOW if disclosed else None,
    )


def facts(made: Book, contact: Contact) -> Facts:
    ids = frozenset(flow.id for flow in made.flows)
    return Facts(contact, made.settings, "Europe/Warsaw", "rose.shop", can_start=ids)


def run(flow: Flow, *, comment: bool = False) -> Run:
    """A run that has just begun, from a message or from a comment."""
    origin = Origin(CameFrom.DM, "e1", text="price")
    if comment:
        origin = replace(
            origin, came_from=CameFrom.COMMENT, comment_id="179", top_comment_id="179", comment_at=NOW
        )
    return Run("r1", "a1", "k1", "c1", flow.id, flow.version, flow.mode, RunStatus.ACTIVE, origin, NOW)


def event(kind: EventKind = EventKind.MESSAGE, text: str | None = None, **known: str) -> Event:
    """`known`: further keys of `Incoming`."""
    incoming = Incoming("178", f"x:{text}", kind, NOW, "900", "anna", text, "m1")
    return Event("e1", "a1", "k1", replace(incoming, **known), NOW, 0)  # type: ignore[arg-type]
