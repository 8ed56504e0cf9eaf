"""A month as a page for a client: one file that needs nothing from elsewhere, to be mailed or printed.

People come first, what is counted of machines beside it. It names nobody who wrote, and quotes nothing of theirs: it
is made from totals, which hold no person.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from html import escape
from zoneinfo import ZoneInfo

from pamosnik._sqlite import Connection
from pamosnik.charts import style, words
from pamosnik.charts.words import number, share
from pamosnik.clock import local_minute
from pamosnik.services import client_look, pictures
from pamosnik.services.numbers import day_of
from pamosnik.services.reading import connections, counts, numbers, statistics
from pamosnik.services.reading.definitions import DEFINITIONS
from pamosnik.services.reading.numbers import FlowCounts
from pamosnik.services.reading.statistics import Day, Days, KindCounts, LinkCounts, PostCounts
from pamosnik.store import connections as connections_store
from pamosnik.store import flows
from pamosnik.store.accounts import Account

POSTS_SHOWN = 20
MADE_BY = '<meta name="generator" content="Pamosnik">'
"""Stands in every page, so that it is told from other files."""
_CAPTION_CHARS = 90
_SOMEBODY = re.compile(r"@[\w.]+")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""A browser holds the page to what it promises: nothing is loaded, nothing is sent."""
_KINDS: Mapping[str, tuple[str, str]] = {
    "comment": ("comment", "comments"),
    "live_comment": ("comment during a live", "comments during lives"),
    "message": ("message", "messages"),
    "story_reply": ("story reply", "story replies"),
    "story_mention": ("story mention", "story mentions"),
    "shared_post": ("shared post", "shared posts"),
    "reaction": ("reaction", "reactions"),
    "postback": ("tap on a button", "taps on buttons"),
    "referral": ("visit by a link or an ad", "visits by links or ads"),
}
"""Kind of event → what one is called, and what several are."""


@dataclass(frozen=True, slots=True)
class Month:
    """What the page tells."""

    account: str
    """Whose page it is: the account's name, or the one connection that it is about."""
    connections: Sequence[str]
    name: str
    days: Days
    so_far: bool
    """The month is not over."""
    by_day: Sequence[Day]
    kinds: Sequence[KindCounts]
    flows: Sequence[FlowCounts]
    titles: Mapping[str, str]
    """Flow → what it is called."""
    posts: Sequence[PostCounts]
    links: Sequence[LinkCounts]
    before: Days
    """As many days of the month before."""
    counted_before: Mapping[str, int]
    """What these days counted; empty: nothing was counted by then."""
    connected_on: str | None
    """The first day; None: nothing was ever connected."""
    made: str
    timezone: str


def of_month(
    conn: Connection, account: Account, month: str, now: datetime, *, connection: str | None = None
) -> str:
    """The page. `month`: 2026-11; `connection`: about this one alone, by username or id. Raises `UsageError` and
    `NotFound`."""
    today = day_of(now, account.timezone)
    days = counts.of_month(month, today)
    before = _before(days)
    connected = connections_store.of_account(conn, account.id)
    if connection is not None:
        connected = [connections.find(conn, account, connection)]
    only = None if connection is None else connected[0].id
    within = {"since": days.first, "until": days.last}
    zone = account.timezone
    return page(
        Month(
            account=account.name if only is None else f"@{connected[0].username}",
            connections=sorted(one.username for one in connected),
            name=words.month(month),
            days=days,
            so_far=days.last == today,
            by_day=statistics.by_day(conn, account, days, connection=only),
            kinds=statistics.by_kind(conn, account, connection=only, **within),
            flows=numbers.by_flow(conn, account, connection=only, **within),
            titles={flow.flow_id: flow.title for flow in flows.applied(conn, account.id)},
            posts=statistics.by_post(conn, account, connection=only, **within),
            links=statistics.by_link(conn, account, connection=only, **within),
            before=before,
            counted_before=_counted_before(conn, account, before, only),
            connected_on=min((day_of(one.connected_at, zone) for one in connected), default=None),
            made=local_minute(now, zone),
            timezone=zone,
        )
    )


def _before(days: Days) -> Days:
    """As many days of the month before: a month that is not over is compared with the same days."""
    if days.first == f"{date.min}":
        return days
    last = date.fromisoformat(days.first) - timedelta(days=1)
    first = last.replace(day=1)
    wanted = date.fromisoformat(days.last)
    whole = (wanted + timedelta(days=1)).day == 1
    until = last if whole else first.replace(day=min(wanted.day, last.day))
    return Days(f"{first}", f"{until}")


def _counted_before(
    conn: Connection, account: Account, days: Days, connection: str | None
) -> Mapping[str, int]:
    total = statistics.summed(statistics.by_day(conn, account, days, connection=connection))
    if not any(total.values()):
        return {}
    links = statistics.by_link(conn, account, connection=connection, since=days.first, until=days.last)
    return {**total, _OPENED: sum(link.people for link in links)}


_OPENED = "links opened"


def page(month: Month) -> str:
    title = f"{month.account} on Instagram, {month.name}"
    return "".join(
        (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            f'{MADE_BY}\n<meta name="robots" content="noindex">\n',
            f"<title>{escape(title)}</title>\n<style>\n{client_look.STYLE}{style.STYLE}{client_look.PRINTED}</style>\n",
            "</head>\n<body>\n<main>\n",
            f"<header><h1>{escape(month.account)} <span>on Instagram, {escape(month.name)}</span></h1>\n",
            f'<p class="quiet">{escape(_whose_and_when(month))}</p></header>\n',
            *_parts(month),
            "</main>\n</body>\n</html>\n",
        )
    )


def _whose_and_when(month: Month) -> str:
    whose = ", ".join(f"@{name}" for name in month.connections)
    so_far = ", so far" if month.so_far else ""
    told = [whose, f"{_long(month.days)}{so_far}", f"days in {month.timezone}"]
    return " · ".join(part for part in told if part)


def _long(days: Days) -> str:
    """`1 to 30 November 2026`, of days of one month."""
    name = words.month(days.first[:7])
    first, last = int(days.first[8:]), int(days.last[8:])
    return f"{first} {name}" if first == last else f"{first} to {last} {name}"


def _parts(month: Month) -> Iterator[str]:
    total = statistics.summed(month.by_day)
    if not total[statistics.RECEIVED] and not total["started"]:
        yield f'<p class="lead">{escape(_nothing(month))}</p>\n'
        return
    yield f'<p class="lead">{escape(_in_words(month, total))}</p>\n'
    yield _tiles(month, total)
    yield "<h2>Day by day</h2>\n" + _kinds(month.kinds) + pictures.came_in(month.by_day)
    yield "<h2>From the first word to the goal</h2>\n" + pictures.stages(total)
    yield from _goals(month)
    yield from _posts(month)
    yield from _flows(month)
    yield from _links(month)
    yield from _definitions(month)


def _nothing(month: Month) -> str:
    came = f"Nothing came in in {month.name}{' so far' if month.so_far else ''}."
    if month.connected_on is not None and month.connected_on > month.days.last:
        on = date.fromisoformat(month.connected_on)
        return f"{came} Pamosnik was connected on {on.day} {words.month(month.connected_on[:7])}."
    return came


def _in_words(month: Month, total: Mapping[str, int]) -> str:
    clicked = sum(link.people for link in month.links)
    told = [
        f"{number(total[statistics.RECEIVED])} comments, messages and taps came in;",
        f"{number(total[statistics.ANSWERED])} of them were answered automatically.",
        f"{number(total['started'])} conversations began, and {number(total['completed'])} reached their goal.",
    ]
    if month.links:
        told.append(f"Links were opened {number(clicked)} times, each person counted once for each link.")
    return " ".join(told)


# --- what stands out -------------------------------------------------------------------------------------


def _tiles(month: Month, total: Mapping[str, int]) -> str:
    received, answered = total[statistics.RECEIVED], total[statistics.ANSWERED]
    of_them = f", {share(answered, received)}" if received else ""
    shown = (
        (statistics.RECEIVED, "came in", received),
        (statistics.ANSWERED, f"answered{of_them}", answered),
        ("started", "conversations", total["started"]),
        (_OPENED, _OPENED, sum(link.people for link in month.links)),
        ("replied", "replied", total["replied"]),
        ("completed", "completed", total["completed"]),
    )
    tiles = "".join(
        f"<li><b>{number(n)}</b>{escape(name)}{_compared(n, word, month.counted_before)}</li>"
        for word, name, n in shown
    )
    if not month.counted_before:
        return f'<ul class="counts">{tiles}</ul>\n'
    return (
        f'<ul class="counts">{tiles}</ul>\n'
        f'<p class="quiet">The percentages compare with {escape(_long(month.before))}.</p>\n'
    )


def _compared(n: int, word: str, before: Mapping[str, int]) -> str:
    """`+12 %`; nothing where there was nothing before, for that has no share."""
    if not before.get(word):
        return ""
    percent = round(100 * (n - before[word]) / before[word])
    sign = "+" if percent > 0 else "−" if percent < 0 else "±"
    return f' <span class="change">{sign}{number(abs(percent))} %</span>'


def _kinds(kinds: Sequence[KindCounts]) -> str:
    """What came in was, the most frequent first."""
    came = sorted((one for one in kinds if one.received), key=lambda one: -one.received)
    told = [f"{number(one.received)} {_called(one)}" for one in came]
    return f"<p>{escape(', '.join(told))}.</p>\n" if told else ""


def _called(kind: KindCounts) -> str:
    one, several = _KINDS.get(kind.kind, (kind.kind.replace("_", " "),) * 2)
    return one if kind.received == 1 else several


# --- tables ----------------------------------------------------------------------------------------------


def _goals(month: Month) -> Iterator[str]:
    reached: Counter[tuple[str, str]] = Counter()
    for flow in month.flows:
        for goal, n in flow.goals.items():
            reached[goal, flow.flow] += n
    if not reached:
        return
    yield "<h2>Goals</h2>\n"
    rows = sorted(reached.items(), key=lambda one: (-one[1], one[0]))
    yield _table(
        ("Goal", "Reached"),
        [
            (f'{escape(goal)} <span class="quiet">{escape(month.titles.get(flow, flow))}</span>', number(n))
            for (goal, flow), n in rows
        ],
    )


def _posts(month: Month) -> Iterator[str]:
    if not month.posts:
        return
    yield "<h2>Which posts brought most</h2>\n"
    yield _table(
        ("Post", "Comments", "Answered", "Clicked", "Completed"),
        [
            (
                _post(post, month.timezone) + _on(month, post.connection),
                number(post.comments),
                number(post.matched),
                number(post.counts["clicked"]),
                number(post.counts["completed"]),
            )
            for post in month.posts[:POSTS_SHOWN]
        ],
    )
    if len(month.posts) > POSTS_SHOWN:
        yield f'<p class="quiet">The first {POSTS_SHOWN} of {number(len(month.posts))}.</p>\n'


def _post(post: PostCounts, timezone: str) -> str:
    """The shop's own words; whom they mention is left out."""
    caption = " ".join(_SOMEBODY.sub("@…", post.caption or "").split())
    short = f"{caption[:_CAPTION_CHARS]}…" if len(caption) > _CAPTION_CHARS else caption
    called = escape(short or _of_day(post, timezone))
    if post.permalink is None or not post.permalink.startswith("https://"):
        return called
    return f'<a href="{escape(post.permalink)}" rel="noreferrer">{called}</a>'


def _of_day(post: PostCounts, timezone: str) -> str:
    if post.posted_at is None:
        return "A post without words"
    posted = post.posted_at.astimezone(ZoneInfo(timezone))
    return f"Post of {posted.day} {words.month(f'{posted:%Y-%m}')}"


def _on(month: Month, connection: str | None) -> str:
    """On which account, where there are several."""
    if connection is None or len(month.connections) < 2:
        return ""
    return f' <span class="quiet">@{escape(connection)}</span>'


def _flows(month: Month) -> Iterator[str]:
    begun = sorted(
        (flow for flow in month.flows if flow.counts["started"]), key=lambda f: -f.counts["started"]
    )
    if not begun:
        return
    yield "<h2>Flow by flow</h2>\n"
    yield _table(
        ("Flow", "Started", "Replied", "Clicked", "Completed", "Share"),
        [
            (
                escape(month.titles.get(flow.flow, flow.flow)) + _on(month, flow.connection),
                *(number(flow.counts[name]) for name in ("started", "replied", "clicked", "completed")),
                escape(share(flow.counts["completed"], flow.counts["started"])),
            )
            for flow in begun
        ],
    )


def _links(month: Month) -> Iterator[str]:
    if not month.links:
        return
    yield "<h2>Links</h2>\n"
    yield _table(
        ("Link", "People", "Visits", "Machines"),
        [
            (
                escape(link.link) + _on(month, link.connection),
                number(link.people),
                number(link.clicks),
                number(link.previews),
            )
            for link in month.links
        ],
    )


def _definitions(month: Month) -> Iterator[str]:
    told = ("received", "answered", "started", "sent", "seen", "clicked", "replied", "completed")
    linked = ("people", "clicks", "previews") if month.links else ()
    named = {"received": "Came in", "clicks": "Visits", "previews": "Machines"}
    entries = "".join(
        f"<div><dt>{named.get(word, word.capitalize())}</dt><dd>{escape(DEFINITIONS[word])}</dd></div>"
        for word in (*told, *linked)
    )
    yield f"<h2>What the numbers count</h2>\n<dl>{entries}</dl>\n"
    yield (
        '<p class="quiet">What happened counts on its day: who wrote in the last days of a month may reach the'
        " goal in the next one.</p>\n"
    )
    yield (
        f'<p class="quiet end">Made by Pamosnik on {month.made}. It holds no names and no words of people.</p>\n'
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The first column says what a row is, the others are numbers. Cells are HTML. On a phone every row stands under
    its name, and each number under its head."""
    first_head, *number_heads = heads
    head = f'<th scope="col">{first_head}</th>' + "".join(
        f'<th scope="col" class="n">{name}</th>' for name in number_heads
    )
    body = "".join(
        f'<tr><th scope="row">{first}</th>'
        + "".join(
            f'<td class="n" data-head="{name}">{cell}</td>'
            for name, cell in zip(number_heads, cells, strict=True)
        )
        + "</tr>"
        for first, *cells in rows
    )
    return f'<table class="rows"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>\n'
