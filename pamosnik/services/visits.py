"""Logging in at the page and out again: what is counted, what is stored, how long it holds.

Whether an e-mail has an account must not show, not even in how long an answer takes: until the password is found to
be right, both are read and written alike.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.ids import new_id
from pamosnik.security import passwords, tokens
from pamosnik.services import throttle
from pamosnik.services.throttle import TooOften
from pamosnik.store import accounts, login_attempts, sessions
from pamosnik.store.accounts import Account
from pamosnik.store.sessions import Session

LASTS = timedelta(days=14)
"""A session that is not used."""
LASTS_AT_MOST = timedelta(days=90)
SESSIONS_AT_MOST = 20
"""Of one account: the one seen longest ago makes room."""
BROWSER_KNOWN = timedelta(days=180)
"""Since it was used last."""
BROWSERS_AT_MOST = 50
"""Of one account that are known: the one used longest ago makes room."""
NOTED_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A login that is counted already, and not decided yet."""

    number: int
    account: Account | None
    """None: nobody has this e-mail."""
    stored: str = field(repr=False)
    """What the password is compared with, also for nobody."""


@dataclass(frozen=True, slots=True)
class Come:
    """Somebody whose password was right."""

    account_id: str
    fitted: str = field(repr=False)
    """The stored hash that the password was compared with."""
    token_hash: bytes = field(repr=False)
    browser: str = field(repr=False)
    """The token that tells it from strangers' ones."""
    before: bytes | None = field(repr=False)
    """The session that this browser had."""
    called: str
    """Like `Firefox on Android`."""


def begin(conn: Connection, email: str, browser: str | None, now: datetime) -> Attempt | TooOften:
    """Counts a login before anything is compared. `browser`: the token it was given at an earlier login."""
    account = accounts.by_email(conn, email)
    if account is not None and browser is not None and _knows(conn, browser, account):
        number = throttle.take(
            conn, throttle.KNOWN_BROWSER, _browser_hash(browser, account.id), now, account.id
        )
    else:
        owner = "" if account is None else account.id
        number = throttle.take(conn, throttle.LOGIN, accounts.tidy_email(email), now, owner)
    if isinstance(number, TooOften):
        return number
    # Looked for in either case: it takes its microseconds, too.
    stored = accounts.password_hash(conn, "" if account is None else account.id) or passwords.NOBODY
    return Attempt(number, account, stored)


def ask_for_link(conn: Connection, email: str, browser: str | None, now: datetime) -> int | TooOften:
    """Counts that a link to a new password is asked for, likewise."""
    account = accounts.by_email(conn, email)
    if account is not None and browser is not None and _knows(conn, browser, account):
        return throttle.take(
            conn, throttle.KNOWN_BROWSER_MAIL, _browser_hash(browser, account.id), now, account.id
        )
    return throttle.take(conn, throttle.MAIL, accounts.tidy_email(email), now)


def know_browser(conn: Connection, browser: str, account_id: str, now: datetime) -> None:
    """Somebody logged in to the account with the browser that holds this token."""
    sessions.know_browser(conn, _browser_hash(browser, account_id), account_id, now)
    sessions.keep_browsers(conn, account_id, BROWSERS_AT_MOST)


def _knows(conn: Connection, browser: str, account: Account) -> bool:
    return sessions.browser_account(conn, _browser_hash(browser, account.id)) == account.id


def _browser_hash(browser: str, account_id: str) -> bytes:
    """Of its own for each account: whoever looks after ten shops is known to all of them."""
    return tokens.token_hash(f"{browser}:{account_id}")


def let_in(conn: Connection, come: Come, attempt: int, now: datetime) -> Session | None:
    """The password was right; `attempt`: the number of this login, which counts no more. None when the account has
    another password by now, or is gone: comparing takes its time, and whoever knew the old one is out. Nor does
    anybody come in whose account is being deleted."""
    account = accounts.load(conn, come.account_id)
    if account is None or accounts.is_deleting(conn, account.id):
        return None
    if accounts.password_hash(conn, account.id) != come.fitted:
        return None
    login_attempts.forgive(conn, attempt)
    if come.before is not None:
        sessions.close_by_token(conn, come.before)
    session = Session(new_id(now), come.account_id, come.called, now, now, now + LASTS)
    sessions.open_session(conn, come.token_hash, session)
    sessions.keep_newest(conn, come.account_id, SESSIONS_AT_MOST)
    know_browser(conn, come.browser, come.account_id, now)
    accounts.audit(
        conn, come.account_id, actor="page", action="login", subject=session.id, now=now, access=True
    )
    return session


def is_news(session: Session, now: datetime) -> bool:
    """Whether it is worth a write that it was used."""
    return now - session.last_seen_at >= NOTED_EVERY


def seen(conn: Connection, session: Session, now: datetime) -> None:
    """It holds from now on, but not for ever."""
    sessions.seen(conn, session.id, now, min(now + LASTS, session.created_at + LASTS_AT_MOST))


def see_out(conn: Connection, session: Session, now: datetime) -> None:
    sessions.close(conn, session.account_id, session.id)
    accounts.audit(
        conn, session.account_id, actor="page", action="logout", subject=session.id, now=now, access=True
    )
