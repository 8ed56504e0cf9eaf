"""Every place that shows numbers, read as users read it and compared with what was counted anew.

Each comparison gives sentences on what is not the same; none when all of it is.
"""

import csv
import io
import json
import os
import re
import zipfile
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from prometheus_client.parser import text_string_to_metric_families

from pamosnik import cli
from tests.recount import page, standing
from tests.recount.counting import Rows, Tallies
from tests.recount.page import Element
from tests.recount.sums import LINKS, RUNS, Sum, Sums, Words

Get = Callable[[str], Awaitable[str]]
"""The text of an address, for whoever is logged in or holds the account's token."""

CAME_IN = ("received", "answered")
_SPANS: Mapping[str, int | None] = {"1": 1, "7": 7, "30": 30, "90": 90, "all": None}
"""Word in addresses of pages → days."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An account as it is seen from outside."""

    id: str
    email: str
    home: Path
    get: Get
    rows: Rows
    tallies: Tallies
    today: str

    def sums(self, since: str = "", until: str = "9999") -> Sum:
        return Sum(self.tallies, self.id, self.rows.usernames, since, until)

    def last(self, days: int | None) -> Sum:
        """Of so many days, of which today is the last; None: of all."""
        if days is None:
            return self.sums(until=self.today)
        first = date.fromisoformat(self.today) - timedelta(days=days - 1)
        return self.sums(str(first), self.today)

    async def api(self, query: str) -> Any:
        return json.loads(await self.get(f"/api/v1/stats?{query}"))

    def command(self, *words: str) -> str:
        """What a command prints."""
        os.environ |= {"PAMOSNIK_HOME": str(self.home), "PAMOSNIK_ACCOUNT": self.email, "NO_COLOR": "1"}
        try:
            with redirect_stdout(io.StringIO()) as out:
                code = cli.run(list(words))
        finally:
            for name in ("PAMOSNIK_HOME", "PAMOSNIK_ACCOUNT", "NO_COLOR"):
                os.environ.pop(name, None)
        assert code == 0, words
        return out.getvalue()


async def wrong(seen: Seen) -> list[str]:
    """Everything that any place tells otherwise."""
    found = [*[one async for one in _json(seen)]]
    for check in (_sheets, _metrics, _export, _months, _first_page, _flows, _posts):
        found += [f"{check.__name__.strip('_')}: {one}" async for one in check(seen)]
    return found


def _differ(
    where: str, told: Mapping[Any, Words], counted: Mapping[Any, Words], words: Sequence[str]
) -> Iterator[str]:
    """What is told of nothing that was counted is 0; what was counted has to be told."""
    for what in sorted(
        {*told, *(one for one in counted if any(counted[one].get(word, 0) for word in words))}
    ):
        if what not in told:
            yield f"{where}: {what} is not told"
            continue
        for word in words:
            n = counted[what].get(word, 0) if what in counted else 0
            if told[what].get(word, 0) != n:
                yield f"{where}: {what} {word}: told {told[what].get(word, 0)}, counted {n}"


# --- the JSON of the command and of the API --------------------------------------------------------------


async def _json(seen: Seen) -> Any:
    since, until = (str(date.fromisoformat(seen.today) - timedelta(days=days)) for days in (9, 4))
    for first, last in (("", ""), (since, until)):
        sums = seen.sums(first, last or "9999")
        span = [f"{name}={day}" for name, day in (("since", first), ("until", last)) if day]
        for by in ("", "post", "step", "link"):
            api = await seen.api("&".join([*span, *([f"by={by}"] if by else [])]))
            words = [*(["--by", by] if by else []), *(f"--{one}" for one in span)]
            if json.loads(seen.command("stats", "--json", *words)) != api:
                yield f"stats {words}: the command and the API tell different numbers"
            (rows,) = api.values()
            for one in _told(by, rows, sums):
                yield f"{one} {first}"
    days = ["since=2025-10-01", f"until={seen.today}", "by=day"]
    for flow in (None, *sorted({name for (name,) in seen.sums().flow()})):
        api = await seen.api("&".join([*days, *([f"flow={quote(flow)}"] if flow else [])]))
        told = {(row["day"],): row for row in api["days"]}
        for one in _differ(
            f"by day {flow}", told, seen.sums().days(flow), RUNS if flow else (*CAME_IN, *RUNS)
        ):
            yield one


def _told(by: str, rows: Sequence[Any], sums: Sum) -> Iterator[str]:
    match by:
        case "":
            told = {(row["flow"], row["connection"]): _of_flow(row) for row in rows}
            words = [*RUNS, *_others(sums.flows())]
            yield from _differ("stats", told, sums.flows(), words)
        case "post":
            posts = {(row["post"], row["connection"]): row for row in rows}
            yield from _differ("by post", posts, sums.posts(), ("comments", "matched", *RUNS))
        case "step":
            steps = {(row["flow"], row["version"], row["step"]): row for row in rows}
            yield from _differ("by step", steps, sums.steps(), ("reached",))
        case _:
            links = {(row["flow"], row["link"], row["connection"]): row for row in rows}
            yield from _differ("by link", links, sums.links(), LINKS)


def _of_flow(row: Any) -> dict[str, int]:
    ways = {f"split:{way}:{word}": n for way, counted in row["splits"].items() for word, n in counted.items()}
    goals = {f"goal:{name}": n for name, n in row["goals"].items()}
    return {**row, **ways, **goals, **{f"skipped:{why}": n for why, n in row["skipped"].items()}}


def _others(sums: Sums) -> list[str]:
    """Goals, ways of splits, and why people were skipped."""
    return sorted({word for words in sums.values() for word in words if ":" in word})


# --- files -----------------------------------------------------------------------------------------------


async def _sheets(seen: Seen) -> Any:
    sums = seen.sums()
    flows = {(row["flow"], row["connection"]): row for row in await _csv(seen, "stats")}
    told = {
        what: {name.replace("goals.", "goal:"): _n(n) for name, n in row.items()}
        for what, row in flows.items()
    }
    for one in _differ("stats.csv", told, sums.flows(), RUNS):
        yield one
    days = {(row["day"],): _numbers(row) for row in await _csv(seen, "days")}
    for one in _differ("days.csv", days, sums.days(), (*CAME_IN, *RUNS)):
        yield one
    posts = {(row["post"], row["connection"]): _numbers(row) for row in await _csv(seen, "posts")}
    for one in _differ("posts.csv", posts, sums.posts(), ("comments", "matched", *RUNS)):
        yield one
    links = {
        (row["flow"], row["link"], row["connection"]): _numbers(row) for row in await _csv(seen, "links")
    }
    for one in _differ("links.csv", links, sums.links(), LINKS):
        yield one


async def _csv(seen: Seen, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((await seen.get(f"/{name}.csv")).removeprefix("\ufeff"))))


def _numbers(row: Mapping[str, str]) -> dict[str, int]:
    return {name: _n(cell) for name, cell in row.items()}


def _n(cell: str) -> int:
    return int(cell) if cell.isdigit() else 0


async def _metrics(seen: Seen) -> Any:
    runs: dict[tuple[str, ...], dict[str, int]] = {}
    kinds: dict[tuple[str, ...], dict[str, int]] = {}
    for family in text_string_to_metric_families(await seen.get("/metrics")):
        for sample in family.samples:
            labels = sample.labels
            if sample.name == "pamosnik_runs_total":
                runs.setdefault((labels["flow"], labels["connection"]), {})[labels["word"]] = int(
                    sample.value
                )
            for word in CAME_IN:
                if sample.name == f"pamosnik_events_{word}_total":
                    kinds.setdefault((labels["kind"],), {})[word] = int(sample.value)
    for one in _differ("runs", runs, seen.sums().flows(), RUNS):
        yield one
    for one in _differ("events", kinds, seen.sums().kinds(), CAME_IN):
        yield one


async def _export(seen: Seen) -> Any:
    path = seen.home.parent / f"{seen.id}.zip"
    path.unlink(missing_ok=True)
    seen.command("export", "-o", str(path))
    with zipfile.ZipFile(path) as packed:
        told = json.loads(packed.read("json/stats.json"))
        sheet = list(csv.DictReader(io.StringIO(packed.read("csv/stats.csv").decode("utf-8-sig"))))
        totals = json.loads(packed.read("data/totals.json"))
    for one in _told("", told, seen.sums()):
        yield one
    rows = {(row["flow"], row["connection"]): _numbers(row) for row in sheet}
    for one in _differ("csv", rows, seen.sums().flows(), RUNS):
        yield one
    counted = sum(n for tally, n in seen.tallies.items() if tally.account == seen.id)
    if sum(row["n"] for row in totals) != counted:
        yield f"totals: told {sum(row['n'] for row in totals)}, counted {counted}"


async def _months(seen: Seen) -> Any:
    """The pages for a client."""
    for month in sorted({tally.day[:7] for tally in seen.tallies if tally.account == seen.id}):
        path = seen.home.parent / f"{seen.id}-{month}.html"
        path.unlink(missing_ok=True)
        seen.command("stats", "--month", month, "--html", str(path))
        html, sums = page.read(path.read_text("utf-8")), seen.sums(month, f"{month}-31")
        total = sums.all()
        for stage in _rows(html.behind("From the first word to the goal")):
            if stage.numbers["number"] != total[stage.first.text.lower()]:
                yield f"{month} {stage.first.text}: told {stage.numbers}, counted {total}"
        for one in (*_of_client(seen, html, sums), *_days(html, sums)):
            yield f"{month} {one}"


def _of_client(seen: Seen, html: Element, sums: Sum) -> Iterator[str]:
    """What a client sees are names: of flows, posts and links that are called alike, each row is told."""
    words = ("started", "replied", "clicked", "completed")
    flows = _rows(html.behind("Flow by flow"))
    told = Counter((_called(row.first), *map(row.numbers.__getitem__, words)) for row in flows)
    begun = {what: counted for what, counted in sums.flows().items() if counted["started"]}
    counted = Counter(
        (
            seen.rows.titles.get((seen.id, flow), flow),
            *map(words_of.__getitem__, words),
        )
        for (flow, _), words_of in begun.items()
    )
    if told != counted:
        yield f"flows: told {told - counted}, counted {counted - told}"
    shown = _rows(html.behind("Which posts brought most"))
    of_posts = Counter(tuple(row.numbers.values()) for row in shown)
    posts = Counter(
        tuple(map(one.__getitem__, ("comments", "matched", "clicked", "completed")))
        for one in sums.posts().values()
    )
    if of_posts - posts or (len(shown) < 10 and of_posts != posts):
        yield f"posts: told {of_posts - posts}, counted {posts - of_posts}"
    told = Counter((_called(row.first), *row.numbers.values()) for row in _rows(html.behind("Links")))
    links = Counter(
        (link, *map(one.__getitem__, ("people", "clicks", "previews")))
        for (_, link, _), one in sums.links().items()
        if link
    )
    if told != links:
        yield f"links: told {told - links}, counted {links - told}"


# --- pages -----------------------------------------------------------------------------------------------


def _rows(part: Element) -> Sequence[page.Row]:
    tables = list(part.every("table"))
    return page.rows(tables[0]) if tables else []


async def _first_page(seen: Seen) -> Any:
    html = page.read(await seen.get("/"))
    today, month = seen.last(1).all(), seen.last(30).all()
    named = {"came in": "received"}
    for row in _rows(html.behind("Numbers")):
        word = named.get(row.first.text.lower(), row.first.text.lower())
        told = (row.numbers["today"], row.numbers["30 days"])
        if told != (today[word], month[word]):
            yield f"{word}: told {told}, counted {(today[word], month[word])}"
    for one in _days(html, seen.last(30)):
        yield one
    counted = seen.last(30).flow()
    for row in _rows(html.behind("Flows")):
        flow = _linked(row.first)
        for word in ("started", "completed"):
            n = counted[flow,][word] if (flow,) in counted else 0
            if row.numbers[word] != n:
                yield f"{flow} {word}: told {row.numbers[word]}, counted {n}"


def _days(html: Element, sums: Sum) -> Iterator[str]:
    """The table below the bars."""
    (chart,) = html.every("figure", of_class="chart")
    told = {
        (row.first.text,): {"answered": row.numbers["answered"], "received": sum(row.numbers.values())}
        for row in _rows(chart)
    }
    yield from _differ("day by day", told, sums.days(), CAME_IN)


async def _flows(seen: Seen) -> Any:
    taken_out = {name for (name,) in seen.sums().flow()}
    for span, days in _SPANS.items():
        sums = seen.last(days)
        html = page.read(await seen.get(f"/flows?days={span}"))
        told = {(_linked(row.first),): row.numbers for row in _rows(html)}
        applied = {what: words for what, words in sums.flow().items() if what in told}
        for one in _differ(
            f"{span} days", told, applied, ("started", "sent", "clicked", "replied", "completed")
        ):
            yield one
        for flow in sorted({name for (name,) in told} | taken_out) if span in ("7", "all") else ():
            async for one in _flow(seen, flow, span, sums):
                yield f"{flow}, {span} days: {one}"


async def _flow(seen: Seen, flow: str, span: str, sums: Sum) -> Any:
    html = page.read(await seen.get(f"/flows/{quote(flow)}?days={span}"))
    counted = sums.flow().get((flow,), Counter())
    for row in _rows(html.behind("How far people come")):
        if row.numbers["number"] != counted.get(row.first.text, 0):
            yield f"{row.first.text}: told {row.numbers['number']}, counted {counted.get(row.first.text, 0)}"
    for one in _sentences(html, counted):
        yield one
    goals = {item.text for item in html.behind("Goals").every("li")}
    expected = {
        f"{n:,}{word.removeprefix('goal:')}" for word, n in counted.items() if word.startswith("goal:")
    }
    if goals != expected:
        yield f"goals: told {goals}, counted {expected}"
    for table in html.every("table", of_class="ways"):
        for row in page.rows(table):
            for word in ("started", "completed"):
                n = counted.get(f"split:{row.first.text}:{word}", 0)
                if row.numbers[word] != n:
                    yield f"split {row.first.text} {word}: told {row.numbers[word]}, counted {n}"
    for row in _rows(html.behind("Versions")):
        short = _linked(row.first)
        versions = [version for version in seen.rows.bodies if version.startswith(short)]
        n = sum(sums.steps().get((flow, version, "do.0"), Counter())["reached"] for version in versions)
        if row.numbers["came in"] != n:
            yield f"version {short} came in: told {row.numbers['came in']}, counted {n}"
        there = page.read(await seen.get(f"/flows/{quote(flow)}/versions/{short}?days={span}"))
        for one in _steps(seen, there, flow, versions[0], sums, with_lost=span == "all"):
            yield f"version {short} {one}"


def _sentences(html: Element, counted: Words) -> Iterator[str]:
    text = html.text
    for word in ("expired", "failed"):
        found = re.search(rf"([\d,]+) {word}: ", text)
        told = page.number(found[1]) if found else 0
        if found and told != counted.get(word, 0):
            yield f"{word}: told {told}, counted {counted.get(word, 0)}"
        if not found and counted.get(word, 0):
            yield f"{word} is not told"
    skipped = re.search(r"Skipped on these days: (.*?)\. A broadcast", text)
    told = sum(map(page.number, skipped[1].split(", "))) if skipped else 0
    n = sum(n for word, n in counted.items() if word.startswith("skipped:"))
    if told != n:
        yield f"skipped: told {told}, counted {n}"


def _steps(
    seen: Seen, html: Element, flow: str, version: str, sums: Sum, *, with_lost: bool
) -> Iterator[str]:
    """Step by step, in the order in which the flow is written."""
    (words,) = html.every("div", of_class="in-words")
    told = [element.text for element in words.every("p", of_class="counted")]
    counted = sums.steps()
    paths = _paths(seen.rows.bodies[version]["do"], "do")
    if len(told) != len(paths):
        yield f"{len(told)} steps are told, {len(paths)} are written"
        return
    for path, said in zip(paths, told, strict=True):
        n = counted.get((flow, version, path), Counter())["reached"]
        if page.number(said) != n:
            yield f"{path}: told “{said}”, counted {n}"
        here = standing.here(seen.rows, seen.id, flow, version, path)
        if _beside(said, "here now") != here:
            yield f"{path}: told “{said}”, {here} wait there"
        if with_lost and "went no further" in said:
            lost = standing.lost(seen.rows, seen.id, flow, version, path)
            if _beside(said, "went no further") != lost:
                yield f"{path}: told “{said}”, {lost} went no further"


def _beside(said: str, words: str) -> int:
    found = re.search(rf"([\d,]+) {words}", said)
    return page.number(found[1]) if found else 0


def _paths(steps: Any, path: str) -> list[str]:
    """Of every step in it, as they are written."""
    found = []
    for number, step in enumerate(steps):
        found.append(f"{path}.{number}")
        for key, inner in step.items():
            if key in ("if_no_answer", "if_not"):
                found += _paths(inner, f"{path}.{number}.{key}")
            if key in ("buttons", "choices", "split", "choose"):
                for place, way in enumerate(inner):
                    does = "do" if "do" in way else "else"
                    found += _paths(way.get(does, []), f"{path}.{number}.{key}.{place}.{does}")
    return found


async def _posts(seen: Seen) -> Any:
    for span in ("7", "30", "all"):
        sums = seen.last(_SPANS[span])
        html = page.read(await seen.get(f"/posts?days={span}&posts=all"))
        posts = {_of_post(seen, row.first): row.numbers for row in _rows(html.behind("Posts"))}
        words = ("comments", "matched", "sent", "replied", "clicked", "completed")
        for one in _differ(f"{span} days", posts, sums.posts(), words):
            yield one
        links = {_of_link(seen, row.first): row.numbers for row in _rows(html.behind("Links"))}
        for one in _differ(f"links, {span} days", links, sums.links(), LINKS):
            yield one


def _linked(cell: Element) -> str:
    """What its first link leads to, without the way there."""
    href = next(cell.every("a")).attributes["href"]
    return unquote(href.partition("?")[0].rpartition("/")[2])


def _called(cell: Element) -> str:
    """Without the connection, which is told where there are several."""
    return cell.text.partition(" @")[0]


def _of_post(seen: Seen, cell: Element) -> tuple[str, str]:
    (comments,) = (one for one in cell.every("a") if "post=" in one.attributes["href"])
    return unquote(comments.attributes["href"].partition("post=")[2]), _username(seen, cell)


def _of_link(seen: Seen, cell: Element) -> tuple[str, str, str]:
    return _linked(cell), next(cell.every("strong")).text, _username(seen, cell)


def _username(seen: Seen, cell: Element) -> str:
    """Only told where there are several."""
    found = re.search(r"@([\w.]+)", cell.text)
    return found[1] if found is not None else str(seen.rows.connected[seen.id])
