"""Applied flows: immutable versions, what is live now, and the posts that flows name."""

import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.model import run_marks
from pamosnik.store.times import instant, ms, optional_instant


@dataclass(frozen=True, slots=True)
class AppliedFlow:
    """A flow as it is applied. `body` is the normal form, JSON; `timezone` the one its clock times were read in."""

    flow_id: str
    version: str
    title: str
    body: str
    timezone: str
    paused_at: datetime | None
    """By command; a file may say `state: paused` besides."""
    applied_at: datetime
    paused_by: str | None = None
    """Actor, as in the audit log."""
    rolled_back_at: datetime | None = None
    """Since when it has been rolled back, and the files say something else; None: the files say what is applied."""

    @property
    def paused_in_file(self) -> bool:
        return bool(json.loads(self.body).get("state") == "paused")

    @property
    def starts_nobody(self) -> bool:
        """Whoever paused it."""
        return self.paused_at is not None or self.paused_in_file


@dataclass(frozen=True, slots=True)
class NewFlow:
    """A flow that is to be applied."""

    flow_id: str
    version: str
    title: str
    body: str
    timezone: str
    was: str | None = None
    """The id it had before."""
    stays_rolled_back: bool = False
    """This is what is applied; the file says something else."""


def revision(conn: Connection, account_id: str) -> int:
    """Rises with everything that changes how flows run; 0: nothing was ever applied."""
    row = conn.execute("SELECT revision FROM books WHERE account_id=?", (account_id,)).fetchone()
    return 0 if row is None else int(row[0])


def settings(conn: Connection, account_id: str) -> str:
    """The settings all flows share, JSON."""
    row = conn.execute("SELECT settings FROM books WHERE account_id=?", (account_id,)).fetchone()
    return "{}" if row is None else str(row[0])


def applied(conn: Connection, account_id: str) -> list[AppliedFlow]:
    """What is applied now, in file order."""
    rows = conn.execute(
        "SELECT f.flow_id, f.version, f.title, v.body, v.timezone, f.paused_at, f.applied_at, f.paused_by,"
        " f.rolled_back_at FROM flows f JOIN flow_versions v USING (account_id, flow_id, version)"
        " WHERE account_id=? ORDER BY place, flow_id",
        (account_id,),
    )
    return [
        AppliedFlow(
            r[0], r[1], r[2], r[3], r[4], optional_instant(r[5]), instant(r[6]), r[7], optional_instant(r[8])
        )
        for r in rows
    ]


def version(conn: Connection, account_id: str, flow_id: str, version: str) -> tuple[str, str] | None:
    """(body, timezone) of one version, whole or by the first characters of its name."""
    row = conn.execute(
        "SELECT body, timezone FROM flow_versions WHERE account_id=? AND flow_id=? AND version>=? AND version<?",
        (account_id, flow_id, version, version + "g"),
    ).fetchone()
    return None if row is None else (str(row[0]), str(row[1]))


_IN_IT = (
    "(r.status IN ('active','waiting') OR r.run_id IN (SELECT run_id FROM waits WHERE account_id=:account))"
)
"""A tap may bring a run that is complete to a step that waits."""


def in_flight(conn: Connection, account_id: str) -> Mapping[str, int]:
    """Flow id → people who are in it now."""
    rows = conn.execute(
        "SELECT flow_id, count(DISTINCT contact_id) FROM ("
        "SELECT flow_id, contact_id FROM runs WHERE account_id=:account AND status IN ('active','waiting')"
        " UNION ALL SELECT r.flow_id, r.contact_id FROM waits w JOIN runs r USING (run_id)"
        " WHERE w.account_id=:account AND r.status NOT IN ('active','waiting')) GROUP BY flow_id",
        {"account": account_id},
    )
    return dict(rows.fetchall())


_WAITING = (
    "FROM runs r CROSS JOIN waits w WHERE r.account_id=:account AND r.flow_id=:flow AND r.version=:version"
    " AND r.status IN ('active','waiting') AND w.run_id=r.run_id"
)


def here_now(conn: Connection, account_id: str, flow_id: str, version: str) -> Mapping[str, int]:
    """Path of a step → people who wait there, in runs of this version that are not over."""
    rows = conn.execute(
        f"SELECT w.path, count(DISTINCT w.contact_id) {_WAITING} GROUP BY w.path",
        {"account": account_id, "flow": flow_id, "version": version},
    )
    return dict(rows)


def stay_here(conn: Connection, account_id: str, flow_id: str, version: str) -> Mapping[str, int]:
    """Path of a step → runs of this version that wait there and have never gone on from there. Whoever went back to
    an earlier step has."""
    rows = conn.execute(
        f"SELECT w.path, r.counted, count(DISTINCT w.run_id) {_WAITING} GROUP BY w.path, r.counted",
        {"account": account_id, "flow": flow_id, "version": version},
    )
    staying: Counter[str] = Counter()
    for path, counted, n in rows:
        if not run_marks.went_on(counted, path):
            staying[path] += n
    return staying


def versions_in_flight(conn: Connection, account_id: str) -> list[tuple[str, str, int]]:
    """(flow id, body of the version, people in it now), of every version that somebody is in."""
    rows = conn.execute(
        "SELECT r.flow_id, v.body, count(DISTINCT r.contact_id) FROM runs r"  # noqa: S608 - our own condition
        " JOIN flow_versions v USING (account_id, flow_id, version)"
        f" WHERE account_id=:account AND {_IN_IT} GROUP BY r.flow_id, r.version ORDER BY r.flow_id",
        {"account": account_id},
    )
    return [(str(flow_id), str(body), int(people)) for flow_id, body, people in rows]


def standing(conn: Connection, account_id: str) -> list[tuple[str, str, str, str, int]]:
    """(flow id, version, path of the step, what is waited for, people there), the most people first."""
    rows = conn.execute(
        "SELECT r.flow_id, r.version, w.path, w.kind, count(DISTINCT w.contact_id) AS people"
        " FROM waits w JOIN runs r USING (run_id) WHERE w.account_id=?"
        " GROUP BY r.flow_id, r.version, w.path, w.kind ORDER BY people DESC, r.flow_id, w.path, r.version, w.kind",
        (account_id,),
    )
    return list(rows)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a flow. `body` and `timezone` as of `AppliedFlow`."""

    version: str
    body: str
    timezone: str
    first_applied_at: datetime


def versions(conn: Connection, account_id: str, flow_id: str) -> list[Version]:
    """All that were ever applied, the newest first."""
    rows = conn.execute(
        "SELECT version, body, timezone, created_at FROM flow_versions WHERE account_id=? AND flow_id=?"
        " ORDER BY created_at DESC, version",
        (account_id, flow_id),
    )
    return [Version(row[0], row[1], row[2], instant(row[3])) for row in rows]


def first_id(conn: Connection, account_id: str, flow_id: str) -> str:
    """The id that a flow had before it was ever renamed."""
    row = conn.execute(
        "SELECT first_id FROM flow_names WHERE account_id=? AND flow_id=?", (account_id, flow_id)
    ).fetchone()
    return flow_id if row is None else str(row[0])


# --- posts -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Post:
    """What Instagram tells about a post; None: it did not."""

    media_id: str
    shortcode: str | None = None
    """The part of its link that names it."""
    posted_at: datetime | None = None
    permalink: str | None = None


CAPTION_KEPT = 300
"""Characters: it tells posts apart."""


def learn_post(conn: Connection, account_id: str, connection_id: str, post: Post) -> None:
    """What Instagram told about a post, in place of what was known."""
    conn.execute(
        "INSERT INTO posts (account_id, connection_id, media_id, shortcode, posted_at, permalink)"
        " VALUES (?,?,?,?,?,?) ON CONFLICT DO UPDATE SET shortcode=excluded.shortcode,"
        " posted_at=excluded.posted_at, permalink=coalesce(excluded.permalink, permalink)",
        (account_id, connection_id, post.media_id, post.shortcode, ms(post.posted_at), post.permalink),
    )


@dataclass(frozen=True, slots=True)
class Told:
    """A known post, as people tell it from others."""

    connection_id: str
    media_id: str
    caption: str | None
    permalink: str | None
    posted_at: datetime | None


def posts(conn: Connection, account_id: str) -> list[Told]:
    """All known posts of the account, the newest first."""
    rows = conn.execute(
        "SELECT connection_id, media_id, caption, permalink, posted_at FROM posts WHERE account_id=?"
        " ORDER BY posted_at DESC",
        (account_id,),
    )
    return [Told(a, b, c, d, optional_instant(at)) for a, b, c, d, at in rows]


def told(conn: Connection, connection_id: str, media_id: str) -> Told | None:
    """A post; None when Instagram was never asked."""
    row = conn.execute(
        "SELECT connection_id, media_id, caption, permalink, posted_at FROM posts"
        " WHERE connection_id=? AND media_id=?",
        (connection_id, media_id),
    ).fetchone()
    return None if row is None else Told(row[0], row[1], row[2], row[3], optional_instant(row[4]))


def learn_captions(conn: Connection, connection_id: str, captions: Mapping[str, str]) -> None:
    """Media id → what stands below the post ('' for nothing); of posts that are not known nothing is kept."""
    conn.executemany(
        "UPDATE posts SET caption=? WHERE connection_id=? AND media_id=?",
        [(caption[:CAPTION_KEPT], connection_id, media_id) for media_id, caption in captions.items()],
    )


def without_caption(conn: Connection, connection_id: str, media_ids: Collection[str]) -> frozenset[str]:
    """Those of the posts whose caption Instagram was not asked for."""
    marks = ",".join("?" * len(media_ids))
    rows = conn.execute(
        f"SELECT media_id FROM posts WHERE connection_id=? AND caption IS NULL AND media_id IN ({marks})",  # noqa: S608
        (connection_id, *media_ids),
    )
    return frozenset(media_id for (media_id,) in rows)


def post(conn: Connection, connection_id: str, media_id: str) -> tuple[str | None, datetime | None] | None:
    """(shortcode, when posted) of a post; None when Instagram was never asked."""
    row = conn.execute(
        "SELECT shortcode, posted_at FROM posts WHERE connection_id=? AND media_id=?",
        (connection_id, media_id),
    ).fetchone()
    return None if row is None else (row[0], optional_instant(row[1]))


def shortcodes(conn: Connection, connection_id: str) -> Mapping[str, str | None]:
    """Media id → the part of its link that names it, of all known posts."""
    rows = conn.execute("SELECT media_id, shortcode FROM posts WHERE connection_id=?", (connection_id,))
    return dict(rows.fetchall())


def media_id(conn: Connection, connection_id: str, shortcode: str) -> str | None:
    """The id of the post with this link, as far as Instagram was asked."""
    row = conn.execute(
        "SELECT media_id FROM posts WHERE connection_id=? AND shortcode=?", (connection_id, shortcode)
    ).fetchone()
    return None if row is None else str(row[0])


def expect_next_post(
    conn: Connection, account_id: str, connection_id: str, flow_id: str, version: str, since: datetime
) -> None:
    """`post: next` was said first by this version; a flow that is bound or waiting already stays as it is."""
    conn.execute(
        "INSERT INTO bound_posts (account_id, connection_id, flow_id, version, since) VALUES (?,?,?,?,?)"
        " ON CONFLICT DO NOTHING",
        (account_id, connection_id, flow_id, version, ms(since)),
    )


def bind_next_posts(conn: Connection, connection_id: str) -> None:
    """Binds every flow that waits for a post to the first known one after it began to wait."""
    conn.execute(
        "UPDATE bound_posts SET media_id="
        "(SELECT media_id FROM posts p WHERE p.connection_id=bound_posts.connection_id"
        " AND p.posted_at>bound_posts.since ORDER BY p.posted_at, p.media_id LIMIT 1)"
        " WHERE connection_id=? AND media_id IS NULL",
        (connection_id,),
    )


def bound_posts(conn: Connection, connection_id: str) -> Mapping[str, str]:
    """Flow id → the post that `post: next` was bound to."""
    rows = conn.execute(
        "SELECT flow_id, media_id FROM bound_posts WHERE connection_id=? AND media_id IS NOT NULL",
        (connection_id,),
    )
    return dict(rows.fetchall())


def forget_next_post(conn: Connection, account_id: str, flow_id: str) -> None:
    """The flow does not say `post: next` any more."""
    conn.execute("DELETE FROM bound_posts WHERE account_id=? AND flow_id=?", (account_id, flow_id))


def ever_applied(conn: Connection, account_id: str, flow_id: str) -> bool:
    """Whether there is or was a flow of this name."""
    row = conn.execute(
        "SELECT 1 FROM flow_versions WHERE account_id=? AND flow_id=? LIMIT 1", (account_id, flow_id)
    ).fetchone()
    return row is not None


def comments_read(conn: Connection, connection_id: str) -> Mapping[str, int]:
    """Post → how many comments it had when they were read last."""
    rows = conn.execute(
        "SELECT media_id, comments_read FROM posts WHERE connection_id=? AND comments_read IS NOT NULL",
        (connection_id,),
    )
    return dict(rows.fetchall())


def read_comments(conn: Connection, connection_id: str, media_id: str, count: int) -> None:
    """The comments of a known post were read when it had so many."""
    conn.execute(
        "UPDATE posts SET comments_read=? WHERE connection_id=? AND media_id=?",
        (count, connection_id, media_id),
    )


def named_posts(conn: Connection, connection_id: str, names: Collection[str]) -> frozenset[str]:
    """Media ids of the known posts that these ids or parts of links name, and of those that `next` was bound to."""
    rows = conn.execute(
        "SELECT media_id, shortcode FROM posts WHERE connection_id=?", (connection_id,)
    ).fetchall()
    named = {media_id for media_id, code in rows if media_id in names or code in names}
    return frozenset(named | set(bound_posts(conn, connection_id).values()))
