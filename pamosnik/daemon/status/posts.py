"""Posts and links: which reel earns, and which link is clicked."""

from collections.abc import Mapping
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pamosnik.daemon.status.parts import StatusParts, with_words
from pamosnik.daemon.visitors import Visitor
from pamosnik.services.numbers import day_of
from pamosnik.services.reading import posts
from pamosnik.services.reading.definitions import DEFINITIONS
from pamosnik.services.reading.posts import SORTS
from pamosnik.services.reading.statistics import last_days

PATH = "/posts"
RANGES: Mapping[str, tuple[str, int | None]] = {
    "7": ("7 days", 7),
    "30": ("30 days", 30),
    "90": ("90 days", 90),
    "all": ("all time", None),
}
"""Word of the address → what it is called, and how many days; None: all of them."""
USUAL_RANGE, USUAL_SORT = "30", "completed"
POSTS_SHOWN = 50


class PostsPage:
    def __init__(self, parts: StatusParts) -> None:
        self._parts = parts

    def routes(self) -> list[Route]:
        return [self._parts.shown(PATH, self._posts)]

    async def _posts(self, request: Request, visitor: Visitor) -> Response:
        days = _one_of(RANGES, request.query_params.get("days"), USUAL_RANGE)
        sort = _one_of(SORTS, request.query_params.get("sort"), USUAL_SORT)
        number, account = RANGES[days][1], visitor.account
        today = day_of(self._parts.clock.now(), account.timezone)
        since = None if number is None else last_days(today, number).first
        read = partial(posts.of_account, account=account, since=since, sort=sort)
        found = await self._parts.read(visitor, read)
        values = {
            "found": found,
            "definitions": DEFINITIONS,
            "posts": found.posts if request.query_params.get("posts") == "all" else found.posts[:POSTS_SHOWN],
            "all_posts": with_words(PATH, days=days, sort=sort, posts="all"),
            "all_time": with_words(PATH, days="all", sort=sort),
            "sort": sort,
            "range": RANGES[days][0],
            "since": since,
            "ranges": [
                (name, with_words(PATH, days=word, sort=sort), word == days)
                for word, (name, _) in RANGES.items()
            ],
            "sorts": {word: with_words(PATH, days=days, sort=word) for word in SORTS},
        }
        return self._parts.page("posts.html", visitor, values, page=PATH)


def _one_of(known: Mapping[str, object], word: str | None, usual: str) -> str:
    """An address that somebody has made up shows what is usual."""
    return word if word is not None and word in known else usual
