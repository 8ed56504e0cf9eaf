"""Numbers: stats."""

import shutil
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pamosnik import terminal
from pamosnik.charts import letters
from pamosnik.commands import completing
from pamosnik.commands.common import Home, Json, note, now, open_home, print_json, print_table, say
from pamosnik.commands.files import write_whole
from pamosnik.errors import Again, UsageError

if TYPE_CHECKING:
    from pamosnik._sqlite import Connection
    from pamosnik.services.reading.counts import Wanted

_WHERE_IT_STANDS = 1000
"""Bytes from the beginning of a page, that say whose it is."""
_IN_A_PIPE = 160
"""Columns."""
_SHORTEST_BAR, _LONGEST_BAR = 6, 40
_SHORTEST_LINE, _LONGEST_LINE = 7, 30
"""Days."""
Rows = Sequence[Mapping[str, Any]]


class By(StrEnum):
    """As `services.reading.counts.By`, which takes long to load."""

    DAY = "day"
    POST = "post"
    STEP = "step"
    LINK = "link"


def register(app: typer.Typer) -> None:
    app.command()(stats)


def stats(
    flow: Annotated[str | None, typer.Option(help="Only this flow.", autocompletion=completing.flows)] = None,
    connection: Annotated[
        str | None,
        typer.Option(
            help="Only this connected account, by username, also on the page.",
            autocompletion=completing.connections,
        ),
    ] = None,
    since: Annotated[str | None, typer.Option(help="First day, like 2026-11-01 or 7d ago.")] = None,
    until: Annotated[str | None, typer.Option(help="Last day.")] = None,
    by: Annotated[
        By | None,
        typer.Option(help="Numbers of each day (without --since the last 30), post, step or link."),
    ] = None,
    month: Annotated[str | None, typer.Option(help="The days of this month, like 2026-11.")] = None,
    html: Annotated[
        Path | None,
        typer.Option(help="With --month: a page for a client, in one file. It names nobody who wrote."),
    ] = None,
    as_json: Json = False,
) -> None:
    """How often flows started, sent, were clicked and completed: docs/statistics.md says what each number counts."""
    from pamosnik.services.reading import counts
    from pamosnik.services.reading.counts import By as Counted
    from pamosnik.services.reading.counts import Wanted

    if month is not None and (since or until):
        raise UsageError("--month has its first and last day.", hint="Leave --since and --until out.")
    if html is not None:
        _page_only(month, flow, by, as_json=as_json)
    with open_home() as home:
        first, last = _days(home, since, until, month)
        if html is not None:
            assert month is not None
            _write_page(home, month, connection, html)
            return
        wanted = Wanted(None if by is None else Counted(by.value), flow, connection, first, last)
        found = home.read(lambda conn: counts.told(conn, home.account, wanted, now()))
        if as_json:
            print_json(found)
            return
        (rows,) = found.values()
        assert isinstance(rows, list)
        _show(rows, wanted, home)


def _days(
    home: Home, since: str | None, until: str | None, month: str | None
) -> tuple[str | None, str | None]:
    from pamosnik.services import asked
    from pamosnik.services.numbers import day_of
    from pamosnik.services.reading import counts

    zone = home.account.timezone
    if month is None:
        return asked.day("--since", since, now(), zone), asked.day("--until", until, now(), zone)
    days = counts.of_month(month, day_of(now(), zone))
    return days.first, days.last


# --- a page for a client -----------------------------------------------------------------------------------


def _page_only(month: str | None, flow: str | None, by: By | None, *, as_json: bool) -> None:
    if month is None:
        raise UsageError("Of which month?", again=Again(("--month", f"{now():%Y-%m}")))
    if flow is not None or by is not None or as_json:
        raise UsageError(
            "The page tells all of a month.", hint="Leave --flow, --by and --json out, or --html."
        )


def _write_page(home: Home, month: str, connection: str | None, path: Path) -> None:
    from pamosnik.services import client_page

    _require_ours(path, client_page.MADE_BY)
    page = home.read(
        lambda conn: client_page.of_month(conn, home.account, month, now(), connection=connection)
    )
    write_whole(path, page)
    note(f"Written to {path}.")


def _require_ours(path: Path, made_by: str) -> None:
    """A page that was made before is made anew; any other file stays."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        if made_by.encode() in file.read(_WHERE_IT_STANDS):
            return
    raise UsageError(
        f"{path} is there already, and is no page of Pamosnik's.",
        again=Again(("--html", f"{path.with_name(f'new-{path.name}')}")),
    )


# --- tables with bars --------------------------------------------------------------------------------------

_RUNS = (
    ("started", "Started"),
    ("sent", "Sent"),
    ("seen", "Seen"),
    ("clicked", "Clicked"),
    ("replied", "Replied"),
    ("completed", "Completed"),
)
_BETWEEN = 3
"""Columns that a table leaves between two of its own."""
_TABLES: Mapping[str, tuple[Sequence[tuple[str, str]], str]] = {
    "flow": (
        (
            ("flow", "Flow"),
            ("connection", "Account"),
            *_RUNS,
            ("failed", "Failed"),
            ("expired", "Expired"),
            ("goals", "Goals"),
            ("skipped", "Skipped"),
        ),
        "started",
    ),
    "day": ((("day", "Day"), ("received", "Came in"), ("answered", "Answered"), *_RUNS), "started"),
    "post": (
        (
            ("post", "Post"),
            ("connection", "Account"),
            ("comments", "Comments"),
            ("matched", "Matched"),
            *_RUNS,
        ),
        "comments",
    ),
    "step": ((("flow", "Flow"), ("version", "Version"), ("step", "Step"), ("reached", "Reached")), "reached"),
    "link": (
        (
            ("flow", "Flow"),
            ("link", "Link"),
            ("connection", "Account"),
            ("people", "People"),
            ("clicks", "Clicks"),
            ("previews", "Machines"),
        ),
        "people",
    ),
}
"""What is told apart → its columns, and the one that has bars."""


def _show(rows: Rows, wanted: "Wanted", home: Home) -> None:
    columns, counted = _TABLES["flow" if wanted.by is None else wanted.by.value]
    columns = [one for one in columns if _says_something(one[0], rows)]
    told = [_for_people(row) for row in rows]
    room = _room(told, columns)
    if wanted.by is None and room >= _SHORTEST_LINE:
        days = min(room, _LONGEST_LINE)
        for row in told:
            row["line"] = _started_lately(home, row, wanted, days)
        columns = [*columns, ("line", f"{days} days")]
    elif room >= _SHORTEST_BAR:
        most = max((int(row[counted]) for row in rows), default=0)
        for row, source in zip(told, rows, strict=True):
            row["bar"] = letters.bar(
                int(source[counted]), most, room, ascii_only=not terminal.takes_unicode()
            )
        columns = [*columns, ("bar", "")]
    print_table(told, columns, "Nothing to count yet.")
    for source in rows:
        for name, n in sorted(source.get("splits", {}).items()):
            say(f"{source['flow']}, split {name}: {n['started']} started, {n['completed']} completed")


def _started_lately(home: Home, row: Mapping[str, Any], wanted: "Wanted", number: int) -> str:
    """How many runs of a flow started on each of the last days, as a line."""
    from pamosnik.services.numbers import day_of
    from pamosnik.services.reading import statistics
    from pamosnik.store import connections

    def by_day(conn: "Connection") -> list[int]:
        known = {one.username: one.id for one in connections.of_account(conn, home.account.id)}
        last = wanted.until or day_of(now(), home.account.timezone)
        days = statistics.last_days(last, number)
        found = statistics.by_day(
            conn, home.account, days, flow=row["flow"], connection=known.get(row["connection"])
        )
        return [day.counts["started"] for day in found]

    return letters.sparkline(home.read(by_day), ascii_only=not terminal.takes_unicode())


def _says_something(name: str, rows: Rows) -> bool:
    """Columns that are empty everywhere, or the same in a home with one connection, are left out."""
    if name == "connection":
        return len({row[name] for row in rows}) > 1
    if name in ("goals", "skipped", "failed", "expired"):
        return any(row[name] for row in rows)
    return not rows or name in rows[0]


def _for_people(row: Mapping[str, Any]) -> dict[str, Any]:
    told = dict(row)
    if "post" in row:
        told["post"] = row["caption"] or row["permalink"] or row["post"]
    return told


def _room(rows: Rows, columns: Sequence[tuple[str, str]]) -> int:
    """What the numbers leave of the terminal's width."""
    wide = shutil.get_terminal_size().columns if sys.stdout.isatty() else _IN_A_PIPE
    taken = sum(
        max([len(heading), *(len(str(row.get(name))) for row in rows)]) + _BETWEEN
        for name, heading in columns
    )
    return min(wide - taken - 2, _LONGEST_BAR)
