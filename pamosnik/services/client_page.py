"""A month as a page for a client: one file that needs nothing from elsewhere, to be mailed or printed.

People come first, what is counted of machines beside it. It names nobody who wrote, and quotes nothing of theirs: it
is made from totals, which hold no person.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from pamosnik._sqlite import Connection
from pamosnik.charts import style, words
from pamosnik.charts.words import number, share
from pamosnik.clock import local_minute
from pamosnik.services import pictures
from pamosnik.services.numbers import day_of
from pamosnik.services.reading import counts, numbers, statistics
from pamosnik.services.reading.connections import usernames
from pamosnik.services.reading.definitions import DEFINITIONS
from pamosnik.services.reading.numbers import FlowCounts
from pamosnik.services.reading.statistics import Day, Days, LinkCounts, PostCounts
from pamosnik.store import flows
from pamosnik.store.accounts import Account

POSTS_SHOWN = 20
_CAPTION_CHARS = 90
_SOMEBODY = re.compile(r"@[\w.]+")
_STYLE = """\
:root { color-scheme: light dark; --page: #fff; --text: #1d1b19; --quiet: #5f5a54; --line: #d9d4cc; --soft: #f1eee9;
  --accent: #2f5d8a; }
@media (prefers-color-scheme: dark) { :root { --page: #171614; --text: #ece8e2; --quiet: #aaa39a; --line: #3c3834;
  --soft: #2a2724; --accent: #8fbce6; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page); max-width: 52rem;
  margin: 0 auto; padding: 1rem 1rem 3rem; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 1rem 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .5rem; break-after: avoid; }
.quiet { color: var(--quiet); font-size: .9rem; }
.lead { font-size: 1.15rem; }
.counts { display: grid; grid-template-columns: repeat(auto-fill, minmax(7.5rem, 1fr)); gap: .6rem; padding: 0; }
.counts li { list-style: none; background: var(--soft); border-radius: .5rem; padding: .6rem .8rem; }
.counts b { display: block; font-size: 1.5rem; }
table { border-collapse: collapse; width: 100%; }
.wide { overflow-x: auto; }
th, td { text-align: left; padding: .4rem .5rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; font-size: .85rem; color: var(--quiet); }
th[scope=row] { font-size: 1rem; font-weight: 400; color: inherit; }
th.n, td.n { text-align: right; }
a { color: var(--accent); overflow-wrap: anywhere; }
dt { font-weight: 600; margin-top: .5rem; }
dd { margin: 0; }
@media print { :root { color-scheme: light; --page: #fff; --text: #000; --quiet: #444; --line: #bbb; --soft: #eee;
    --accent: #2f5d8a; --chart-2: #b08d57; }
  body { max-width: none; padding: 0; font-size: 11pt; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  details { display: none; } tr, figure, .counts li { break-inside: avoid; } .wide { overflow: visible; } }
"""


@dataclass(frozen=True, slots=True)
class Month:
    """What the page tells."""

    account: str
    connections: Sequence[str]
    name: str
    days: Days
    by_day: Sequence[Day]
    flows: Sequence[FlowCounts]
    titles: Mapping[str, str]
    """Flow → what it is called."""
    posts: Sequence[PostCounts]
    links: Sequence[LinkCounts]
    made: str


def of_month(conn: Connection, account: Account, month: str, now: datetime) -> str:
    """The page. `month`: 2026-11. Raises `UsageError`."""
    days = counts.of_month(month, day_of(now, account.timezone))
    within = {"since": days.first, "until": days.last}
    return page(
        Month(
            account=account.name,
            connections=sorted(usernames(conn, account).values()),
            name=words.month(month),
            days=days,
            by_day=statistics.by_day(conn, account, days),
            flows=numbers.by_flow(conn, account, **within),
            titles={flow.flow_id: flow.title for flow in flows.applied(conn, account.id)},
            posts=statistics.by_post(conn, account, **within),
            links=statistics.by_link(conn, account, **within),
            made=local_minute(now, account.timezone),
        )
    )


def page(month: Month) -> str:
    title = f"{month.account} on Instagram, {month.name}"
    return "".join(
        (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            f"<title>{escape(title)}</title>\n<style>\n{_STYLE}{style.STYLE}</style>\n</head>\n<body>\n<main>\n",
            f"<h1>{escape(title)}</h1>\n",
            *_parts(month),
            "</main>\n</body>\n</html>\n",
        )
    )


def _parts(month: Month) -> Iterator[str]:
    total = statistics.summed(month.by_day)
    whose = [", ".join(f"@{name}" for name in month.connections)] if month.connections else []
    yield f'<p class="quiet">{escape(" · ".join([*whose, f"{month.days.first} to {month.days.last}"]))}</p>\n'
    if not total[statistics.RECEIVED] and not total["started"]:
        yield f'<p class="lead">Nothing came in in {month.name}.</p>\n'
        return
    yield f'<p class="lead">{escape(_in_words(month, total))}</p>\n'
    yield _tiles(month, total)
    yield "<h2>Day by day</h2>\n" + pictures.came_in(month.by_day)
    yield "<h2>From the first word to the goal</h2>\n" + pictures.stages(total)
    yield from _posts(month.posts)
    yield from _flows(month)
    yield from _links(month.links)
    yield from _definitions(month)


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


def _tiles(month: Month, total: Mapping[str, int]) -> str:
    shown = (
        ("came in", number(total[statistics.RECEIVED])),
        ("answered", share(total[statistics.ANSWERED], total[statistics.RECEIVED])),
        ("started", number(total["started"])),
        ("links opened", number(sum(link.people for link in month.links))),
        ("replied", number(total["replied"])),
        ("completed", number(total["completed"])),
    )
    tiles = "".join(f"<li><b>{escape(value)}</b>{name}</li>" for name, value in shown)
    return f'<ul class="counts">{tiles}</ul>\n'


def _posts(posts: Sequence[PostCounts]) -> Iterator[str]:
    if not posts:
        return
    yield "<h2>Which posts brought most</h2>\n"
    yield _table(
        ("Post", "Comments", "Answered", "Clicked", "Completed"),
        [
            (
                _post(post),
                number(post.comments),
                number(post.matched),
                number(post.counts["clicked"]),
                number(post.counts["completed"]),
            )
            for post in posts[:POSTS_SHOWN]
        ],
    )
    if len(posts) > POSTS_SHOWN:
        yield f'<p class="quiet">The first {POSTS_SHOWN} of {number(len(posts))}.</p>\n'


def _post(post: PostCounts) -> str:
    """The shop's own words; whom they mention is left out."""
    caption = " ".join(_SOMEBODY.sub("@…", post.caption or "").split())
    short = f"{caption[:_CAPTION_CHARS]}…" if len(caption) > _CAPTION_CHARS else caption
    called = escape(short or f"Post {post.media_id}")
    if post.permalink is None or not post.permalink.startswith("https://"):
        return called
    return f'<a href="{escape(post.permalink)}" rel="noreferrer">{called}</a>'


def _flows(month: Month) -> Iterator[str]:
    begun = sorted(
        (flow for flow in month.flows if flow.counts["started"]), key=lambda f: -f.counts["started"]
    )
    if not begun:
        return
    several = len({flow.connection for flow in begun}) > 1
    yield "<h2>Flow by flow</h2>\n"
    yield _table(
        ("Flow", "Started", "Replied", "Clicked", "Completed", "Share"),
        [
            (
                escape(month.titles.get(flow.flow, flow.flow))
                + (f' <span class="quiet">@{escape(flow.connection)}</span>' if several else ""),
                *(number(flow.counts[name]) for name in ("started", "replied", "clicked", "completed")),
                escape(share(flow.counts["completed"], flow.counts["started"])),
            )
            for flow in begun
        ],
    )


def _links(links: Sequence[LinkCounts]) -> Iterator[str]:
    if not links:
        return
    yield "<h2>Links</h2>\n"
    yield _table(
        ("Link", "People", "Visits", "Machines"),
        [
            (escape(link.link), number(link.people), number(link.clicks), number(link.previews))
            for link in links
        ],
    )


def _definitions(month: Month) -> Iterator[str]:
    told = ("received", "answered", "started", "sent", "seen", "clicked", "replied", "completed")
    linked = ("people", "clicks", "previews") if month.links else ()
    named = {"received": "Came in", "clicks": "Visits", "previews": "Machines"}
    entries = "".join(
        f"<dt>{named.get(word, word.capitalize())}</dt><dd>{escape(DEFINITIONS[word])}</dd>"
        for word in (*told, *linked)
    )
    yield f"<h2>What the numbers count</h2>\n<dl>{entries}</dl>\n"
    yield f'<p class="quiet">Made by Pamosnik on {month.made}. It holds no names and no words of people.</p>\n'


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The first column says what a row is, the others are numbers. Cells are HTML."""
    first_head, *number_heads = heads
    head = f'<th scope="col">{first_head}</th>' + "".join(
        f'<th scope="col" class="n">{name}</th>' for name in number_heads
    )
    body = "".join(
        f'<tr><th scope="row">{first}</th>'
        + "".join(f'<td class="n">{cell}</td>' for cell in cells)
        + "</tr>"
        for first, *cells in rows
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>\n'
