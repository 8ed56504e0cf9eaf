"""Which text of a legal page holds when, and that no text becomes more than text."""

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pamosnik._sqlite import Connection
from pamosnik.errors import PamosnikError, UsageError
from pamosnik.services import legal, legal_markdown
from pamosnik.services.legal import Draft, Facts, Text
from pamosnik.services.public_address import PublicAddress
from pamosnik.store import accounts, legal_texts
from pamosnik.store.database import Database
from pamosnik.store.legal_texts import PAGES, LegalText
from tests.store.rows import database

DAY = timedelta(days=1)
NOW = datetime(2026, 12, 10, 15, 30, tzinfo=UTC)
FACTS = Facts(None, None, PublicAddress("https://shop.example"), {"events": timedelta(days=30), "runs": None})
OURS = [Text("2026-11-30", NOW - 10 * DAY, "ours"), Text("2027-01-05", NOW + 26 * DAY, "ours, newer")]


def theirs(*texts: tuple[str | None, int]) -> list[LegalText]:
    """Each with the day, counted from now, on which it comes into effect."""
    return [
        LegalText("terms", number, body, NOW + day * DAY, NOW)
        for number, (body, day) in enumerate(texts, start=1)
    ]


def line(*texts: tuple[str | None, int]) -> list[tuple[str, int, int | None]]:
    return [
        (
            text.body,
            (text.since - NOW) // DAY,
            None if text.until is None else (text.until - NOW) // DAY,
        )
        for text in legal.timeline(theirs(*texts), OURS)
    ]


def test_a_newer_text_takes_the_place_of_the_one_before_from_its_day_on() -> None:
    assert line() == [("ours", -10, 26), ("ours, newer", 26, None)]
    assert line(("a", -3), ("b", 4)) == [("ours", -10, -3), ("a", -3, 4), ("b", 4, None)]
    assert line(("a", -3), (None, 4)) == [
        ("ours", -10, -3),
        ("a", -3, 4),
        ("ours", 4, 26),
        ("ours, newer", 26, None),
    ]


def test_a_text_whose_day_had_not_come_when_a_newer_one_took_its_place_never_holds() -> None:
    assert line(("announced", 9), ("correction", 0)) == [("ours", -10, 0), ("correction", 0, None)]
    assert line(("a", 0), ("later", 9), ("sooner", 5)) == [
        ("ours", -10, 0),
        ("a", 0, 5),
        ("sooner", 5, None),
    ]


@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.integers(-20, 40)), max_size=6))
def test_whatever_was_set_one_text_holds_at_a_time(texts: list[tuple[str | None, int]]) -> None:
    held = legal.timeline(theirs(*texts), OURS)
    assert held
    assert [text.until for text in held[:-1]] == [text.since for text in held[1:]]
    assert held[-1].until is None
    assert [text.since for text in held] == sorted({text.since for text in held})


# --- Markdown --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "a <img src=x onerror=alert(1)> b",
        "[a](javascript:alert(1))",
        "[a](JaVaScRiPt:alert(1))",
        "[a](data:text/html;base64,PHNjcmlwdD4=)",
        "![a](https://evil.example/pixel.gif)",
        "[a](//evil.example)",
        '<https://a.example/"onmouseover=alert(1)>',
        "[a](https://a.example '\" onclick=alert(1) x=\"')",
        "```<script>\nx\n```",
        "{operator}",
        "[{operator}](mailto:{operator})",
        "`{operator}`",
    ],
)
def test_no_text_and_no_name_becomes_more_than_text(text: str) -> None:
    name = '<b onclick="x">[a](javascript:y)</b> **b** "\'&'
    seen = _Seen()
    seen.feed(legal_markdown.html(text, {"operator": name}))
    assert {tag for tag, _ in seen.tags} <= {"p", "a", "code", "pre"}
    given = [(attribute, value) for _, attributes in seen.tags for attribute, value in attributes]
    assert {attribute for attribute, _ in given} <= {"href", "rel", "title", "class"}
    assert all((value or "").startswith(("https://", "mailto:")) for a, value in given if a == "href")


class _Seen(HTMLParser):
    """The tags that a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))


def test_what_markdown_is_for() -> None:
    text = "# Big\n\n## Mid\n\n### Small\n\n- **one** {operator}\n\n[us](/terms) [a](https://a.example) <{email}>"
    made = legal_markdown.html(
        f"{text} [m](mailto:{{email}})", {"operator": "R & S", "email": "ö+b@s.example"}
    )
    assert "<h2>Big</h2>\n<h2>Mid</h2>\n<h3>Small</h3>" in made
    assert "<strong>one</strong> R &amp; S" in made
    assert '<a href="/terms">us</a> <a href="https://a.example" rel="nofollow noopener">a</a>' in made
    assert 'href="mailto:%C3%B6%2Bb@s.example"' in made


def test_the_texts_that_come_with_pamosnik_use_placeholders_that_there_are(tmp_path: Path) -> None:
    with database(tmp_path) as home:
        run_by = legal.operator(home.connection, FACTS)
        assert run_by is not None
        kept = {kind: timedelta(days=9) for kind in ("events", "messages", "runs", "contacts", "logs")}
        known = legal.values(run_by, Facts(None, None, PublicAddress(), kept))
        used: set[str] = set()
        for name in PAGES:
            text = legal.of(home.connection, run_by, name, NOW).now
            used.update(legal_markdown.placeholders(text.body))
            assert "{" not in legal.html(text.body, run_by, Facts(None, None, PublicAddress(), kept)), name
        assert used == set(known)


# --- in whose name, and who may --------------------------------------------------------------------------


def test_the_oldest_account_that_stays_is_the_operators_unless_settings_say_more(tmp_path: Path) -> None:
    with database(tmp_path) as home:
        conn = home.connection
        home.write(lambda conn: _second(conn, "a2"))
        first = legal.operator(conn, FACTS)
        assert first is not None
        assert (first.name, first.email, first.zone) == ("Rose", "rose@shop.example", "Europe/Warsaw")
        said = legal.operator(conn, Facts("Agency", None, PublicAddress(), {}))
        assert said is not None
        assert (said.name, said.email) == ("Agency", "rose@shop.example")
        home.write(lambda conn: accounts.set_deleting(conn, "a1"))
        heir = legal.operator(conn, FACTS)
        assert heir is not None
        assert heir.name == "Tulip a2"
        home.write(lambda conn: accounts.set_deleting(conn, "a2"))
        assert legal.operator(conn, FACTS) is None
        alone = legal.operator(conn, Facts("Agency", "agency@a.example", PublicAddress(), {}))
        assert alone is not None
        assert legal.of(conn, alone, "terms", NOW).now.key == "2026-11-30"


def _second(conn: Connection, account_id: str) -> None:
    account = accounts.Account(account_id, f"Tulip {account_id}", f"{account_id}@t.example", "UTC", NOW)
    accounts.insert(conn, account, password_hash="x", wrapped_key=b"x", adult_stated_at=NOW)


def _publish(home: Database, body: str | None, at: datetime, account: str = "a1") -> bool:
    return home.write(
        lambda conn: legal.publish(conn, account, "terms", Draft(body, at), actor="page", now=NOW)
    )


def test_only_the_operators_account_publishes_and_what_says_the_same_is_no_new_text(tmp_path: Path) -> None:
    with database(tmp_path) as home:
        home.write(lambda conn: _second(conn, "a2"))
        with pytest.raises(PamosnikError, match="whoever runs"):
            _publish(home, "x", NOW, "a2")
        assert not _publish(home, None, NOW)
        assert _publish(home, "x", NOW)
        assert not _publish(home, "x", NOW)
        assert not _publish(home, "x", NOW + DAY)
        assert _publish(home, "y", NOW + 9 * DAY)
        assert _publish(home, "y", NOW)
        assert _publish(home, None, NOW)
        numbers = [text.number for text in legal_texts.of(home.connection, "a1", "terms")]
        assert numbers == [4, 3, 2, 1]
        noted = home.connection.execute("SELECT actor, action, subject FROM audit ORDER BY id").fetchall()
        assert noted == [("page", "legal text published: terms", str(n)) for n in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("body", "day", "told"),
    [
        (" \n ", "", "empty"),
        ("x" * (legal.LONGEST + 1), "", "30001 characters"),
        ("a\u202eb", "", "cannot be seen"),
        ("Hi {operater}", "", "no placeholder {operater}"),
        ("x", "2026-12-09", "The day is over"),
        ("x", "tomorrow", "no day"),
        ("x", "9999-12-31", "more than a year"),
    ],
)
def test_what_cannot_be_published_is_told(tmp_path: Path, body: str, day: str, told: str) -> None:
    with database(tmp_path) as home:
        (account,) = accounts.every(home.connection)
        with pytest.raises(UsageError, match=told):
            legal.draft(body, day, account, {"operator": "Rose"}, NOW)


def test_a_day_begins_on_the_operators_clock(tmp_path: Path) -> None:
    with database(tmp_path) as home:
        (account,) = accounts.every(home.connection)
        late = datetime(2026, 12, 10, 23, 30, tzinfo=UTC)  # the 11th in Warsaw
        assert legal.effective_at("", account.timezone, late) == late
        assert legal.effective_at("2026-12-11", account.timezone, late) == late
        tomorrow = legal.effective_at("2026-12-12", account.timezone, late)
        assert tomorrow == datetime(2026, 12, 11, 23, 0, tzinfo=UTC)
        tidied = legal.draft("\r\n# A \r\n\tb\r\n", "", account, {}, late)
        assert tidied == Draft("# A\n    b", late)
