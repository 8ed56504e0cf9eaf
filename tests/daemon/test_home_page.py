"""The first page, as it is made from what was read."""

from datetime import UTC, datetime

from pamosnik.daemon.rendering import Pages
from pamosnik.services.reading import numbers
from pamosnik.services.reading.events import Event
from pamosnik.services.reading.overview import FlowTotals, Overview
from pamosnik.services.reading.problems import Problem
from pamosnik.store.accounts import Account

AT = datetime(2026, 12, 2, 23, 30, tzinfo=UTC)
EVENT = Event(
    id="e1",
    kind="story_reply",
    username=None,
    igsid="9001",
    text=None,
    at=AT,
    verdict="no_match",
    flow=None,
    reason=None,
    run=None,
    comment_id=None,
    message_id="m1",
    seen_times=1,
    recovered=False,
    connection="shop",
    trace=None,
)


def test_times_are_the_accounts_and_what_is_not_known_is_left_out() -> None:
    """A problem's time once stood there in UTC, in the form that scripts read."""
    view = Overview(
        problems=[Problem("storage", "The disk is full.", "Make room.", AT)],
        connections=[],
        queue=[("queued", 3)],
        prospects=None,
        flows=[
            FlowTotals("Price list", True, dict.fromkeys(numbers.WORDS, 7)),
        ],
        events=[EVENT],
    )
    account = Account("a1", "Shop", "shop@example.com", "Europe/Warsaw", AT)
    made = Pages().page("home.html", {"account": account, "csrf": "c", "page": "/", "view": view})
    text = bytes(made.body).decode()
    assert "since 2026-12-03 00:30" in text
    assert "<td>2026-12-03 00:30</td><td>9001</td>" in text
    assert "story reply" in text
    assert "None" not in text
    assert '<td>Price list <span class="quiet">(paused)</span></td><td>7</td>' in text
