"""Posts and links with what came of them: which of them earns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pamosnik._sqlite import Connection
from pamosnik.model.flow import Flow
from pamosnik.model.posts import shortcode
from pamosnik.model.trigger import AnyPost, CommentTrigger, SharedPostTrigger
from pamosnik.services.library import Library
from pamosnik.services.reading import statistics
from pamosnik.services.reading.connections import usernames
from pamosnik.services.reading.statistics import LinkCounts, PostCounts
from pamosnik.store import flows, stats
from pamosnik.store.accounts import Account

SORTS: Mapping[str, Callable[[PostCounts], object]] = {
    "completed": lambda post: (post.counts[stats.COMPLETED], post.counts[stats.CLICKED]),
    "clicked": lambda post: post.counts[stats.CLICKED],
    "replied": lambda post: post.counts[stats.REPLIED],
    "matched": lambda post: post.matched,
    "comments": lambda post: post.comments,
    "newest": lambda post: post.posted_at or datetime.min.replace(tzinfo=UTC),
}
"""What posts can be sorted by: the largest first."""


@dataclass(frozen=True, slots=True)
class Post:
    """A post with its numbers, and the flows that name it."""

    counted: PostCounts
    flows: Sequence[tuple[str, str]]
    """(id, title) of applied ones."""

    @property
    def matched_share(self) -> float | None:
        """Of its comments, those that started a flow or went on in one."""
        return self.counted.matched / self.counted.comments if self.counted.comments else None


@dataclass(frozen=True, slots=True)
class Earnings:
    posts: Sequence[Post]
    links: Sequence[LinkCounts]
    best: Post | None
    """The post that most came of; None: nothing came of any."""


def of_account(
    conn: Connection, account: Account, *, since: str | None = None, sort: str = "completed"
) -> Earnings:
    """`since`: the first day that counts, None: all of them; `sort`: one of `SORTS`."""
    counted = statistics.by_post(conn, account, since=since)  # those that most came of first
    named = _Named(conn, account)
    best = next((post for post in counted if _earned(post)), None)
    return Earnings(
        [named.post(post) for post in sorted(counted, key=SORTS[sort], reverse=True)],  # type: ignore[arg-type]
        statistics.by_link(conn, account, since=since),
        None if best is None else named.post(best),
    )


def _earned(post: PostCounts) -> bool:
    return any(post.counts[word] for word in (stats.COMPLETED, stats.CLICKED, stats.STARTED))


class _Named:
    """Which applied flows name which post: by its link, by its id, or as the `next` one."""

    def __init__(self, conn: Connection, account: Account) -> None:
        self._flows = Library().catalog(conn, account.id).book.flows
        ids = {name: one for one, name in usernames(conn, account).items()}
        self._codes = {name: flows.shortcodes(conn, one) for name, one in ids.items()}
        self._bound = {name: flows.bound_posts(conn, one) for name, one in ids.items()}

    def post(self, counted: PostCounts) -> Post:
        connection = counted.connection or ""
        code = self._codes.get(connection, {}).get(counted.media_id)
        names = {counted.media_id} if code is None else {counted.media_id, code}
        bound = self._bound.get(connection, {})
        found = [
            (flow.id, flow.title)
            for flow in self._flows
            if _names(flow) & names or (_takes_next(flow) and bound.get(flow.id) == counted.media_id)
        ]
        return Post(counted, found)


def _names(flow: Flow) -> set[str]:
    """The posts that its triggers name: ids, and the parts of links that name a post."""
    named = [t.posts for t in flow.triggers if isinstance(t, CommentTrigger | SharedPostTrigger)]
    return {shortcode(post) or post for posts in named if not isinstance(posts, AnyPost) for post in posts}


def _takes_next(flow: Flow) -> bool:
    return any(isinstance(t, CommentTrigger) and t.posts is AnyPost.NEXT for t in flow.triggers)
