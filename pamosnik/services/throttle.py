"""How often something may be tried that could be guessed, or that bothers people with mails.

Counted before it is tried: of a thousand guesses at the same moment only the first few are looked at. Nothing here
asks for an address: behind a tunnel everybody comes from 127.0.0.1.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.store import login_attempts


@dataclass(frozen=True, slots=True)
class Limit:
    """So often within a time."""

    what: str
    within: timedelta
    each: int
    """About the same subject: an e-mail, a browser, an account."""
    in_all: int | None = None


LOGIN = Limit(login_attempts.LOGIN, timedelta(minutes=15), each=5, in_all=100)
KNOWN_BROWSER = Limit("login of a known browser", timedelta(minutes=15), each=5)
"""Somebody logged in with it before. It has a count of its own, so that strangers who guess lock nobody out."""
PRESENT_PASSWORD = Limit("present password", timedelta(minutes=15), each=5)
"""Somebody who is logged in says it once more."""
MAIL = Limit(login_attempts.MAIL, timedelta(hours=1), each=3, in_all=30)
"""Asked for by anybody."""
KNOWN_BROWSER_MAIL = Limit("mail of a known browser", timedelta(hours=1), each=3)
OWN_MAIL = Limit("mail of a holder", timedelta(hours=1), each=6)
"""Asked for by somebody who is logged in."""


@dataclass(frozen=True, slots=True)
class TooOften:
    until: datetime
    """From then on it may be tried again."""


def take(
    conn: Connection, limit: Limit, subject: str | bytes, now: datetime, account_id: str = ""
) -> int | TooOften:
    """Counts one more; its number, for `login_attempts.forgive` when it was none to be counted.

    What is refused does not count: whoever goes on trying does not put the end off. `account_id`: whom it is about;
    '' when that is not known. Within an account's walls only with its id.
    """
    about, since = subject_hash(subject), now - limit.within
    waits = [login_attempts.counted(conn, limit.what, about, limit.each, since)]
    if limit.in_all is not None:
        waits.append(login_attempts.counted(conn, limit.what, None, limit.in_all, since))
    full_since = [at for at in waits if at is not None]
    if full_since:
        return TooOften(max(full_since) + limit.within)
    return login_attempts.note(conn, limit.what, about, now, account_id)


def subject_hash(subject: str | bytes) -> bytes:
    """What is stored of it. Upper and lower case do not matter."""
    raw = subject.casefold().encode("utf-8", "replace") if isinstance(subject, str) else subject
    return hashlib.sha256(raw).digest()
