"""The pages that Meta asks for and people read: `/privacy`, `/terms`, `/data-deletion`, in the operator's name.

Each has a text that comes with Pamosnik, and may have texts of the operator's: whoever holds the oldest account of
the installation. A text holds from a day on, until a newer one does; none is lost, and those that held stay readable.
The texts that come with Pamosnik are files with the day of their making in their names: one that changes gets a new
file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

from pamosnik._sqlite import Connection
from pamosnik.errors import PamosnikError, UsageError
from pamosnik.services import account_words, legal_markdown
from pamosnik.services.public_address import PublicAddress
from pamosnik.store import accounts, legal_texts
from pamosnik.store.accounts import Account
from pamosnik.store.legal_texts import LegalText

TITLES = {"privacy": "Privacy policy", "terms": "Terms of use", "data-deletion": "Data deletion"}
LONGEST = 30_000
"""Characters of a text."""
AHEAD_AT_MOST = timedelta(days=366)
_FOREVER = "without a fixed time limit"


@dataclass(frozen=True, slots=True)
class Operator:
    """Who stands behind the pages."""

    name: str
    email: str
    account: Account | None
    """May edit them; None: there is no account."""

    @property
    def zone(self) -> str:
        return "UTC" if self.account is None else self.account.timezone


@dataclass(frozen=True, slots=True)
class Facts:
    """What the settings say."""

    name: str | None
    email: str | None
    address: PublicAddress
    """Of the installation."""
    kept: Mapping[str, timedelta | None]
    """Kind → how long; None: for ever."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text of a page, and from when on it holds."""

    key: str
    """Behind the page's address: the number of one of the operator's, the day of one that comes with Pamosnik."""
    since: datetime
    body: str
    until: datetime | None = None
    """None: no other one follows."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says now, said before, and will say."""

    now: Text
    earlier: Sequence[Text]
    """The newest first."""
    coming: Text | None
    """The next one."""


# --- who and what ----------------------------------------------------------------------------------------


def editor(conn: Connection) -> Account | None:
    """Whose texts the pages have: the oldest account that is not being deleted."""
    return next((one for one in accounts.every(conn) if not accounts.is_deleting(conn, one.id)), None)


def operator(conn: Connection, facts: Facts) -> Operator | None:
    """None: neither a setting nor an account says who runs this installation, or how to reach them."""
    account = editor(conn)
    name = facts.name or (account.name if account is not None else None)
    email = facts.email or (account.email if account is not None else None)
    return None if name is None or email is None else Operator(name, email, account)


def values(run_by: Operator, facts: Facts) -> Mapping[str, str]:
    """What stands for each placeholder."""
    kept = {f"retention_{kind}": _days(age) for kind, age in facts.kept.items()}
    return {"operator": run_by.name, "email": run_by.email, "address": facts.address.url or "", **kept}


def _days(age: timedelta | None) -> str:
    return _FOREVER if age is None else f"{age.days} day{'' if age.days == 1 else 's'}"


def html(text: str, run_by: Operator, facts: Facts) -> str:
    """Safe to be put into a page."""
    return _html(text, tuple(values(run_by, facts).items()))


@lru_cache(maxsize=16)
def _html(text: str, known: tuple[tuple[str, str], ...]) -> str:
    """Strangers may ask for the pages as often as they like: it takes some milliseconds."""
    return legal_markdown.html(text, dict(known))


# --- the texts -------------------------------------------------------------------------------------------


@cache
def _ours(page: str) -> Sequence[Text]:
    """Those that came with Pamosnik, the oldest first. A day begins in UTC."""
    files = resources.files("pamosnik.services").joinpath("legal_texts")
    found = []
    for file in files.iterdir():
        name, _, rest = file.name.partition(".")
        if name == page:
            day = date.fromisoformat(rest.removesuffix(".md"))
            since = datetime.combine(day, time(), UTC)
            found.append(Text(day.isoformat(), since, file.read_text("utf-8")))
    return sorted(found, key=lambda text: text.since)


def of(conn: Connection, run_by: Operator | None, page: str, now: datetime) -> Page:
    """`page`: one of `legal_texts.PAGES`."""
    account = None if run_by is None else run_by.account
    theirs = [] if account is None else legal_texts.of(conn, account.id, page)
    line = timeline(theirs, _ours(page))
    past = [text for text in line if text.since <= now] or line[:1]
    coming = next((text for text in line if text.since > now and text not in past), None)
    return Page(past[-1], list(reversed(past[:-1])), coming)


def timeline(theirs: Sequence[LegalText], ours: Sequence[Text]) -> list[Text]:
    """Every text that held, holds or will hold, the oldest first, each with when it began to.

    Of the operator's the one set last counts among those whose day has come, so a text whose day had not come when a
    newer one took its place never holds.
    """
    moments = sorted({text.effective_at for text in theirs} | {text.since for text in ours})
    line: list[Text] = []
    for moment in moments:
        text = _holding(theirs, ours, moment)
        if not line or line[-1].key != text.key:
            line[-1:] = [replace(last, until=moment) for last in line[-1:]]
            line.append(text)
    return line


def _holding(theirs: Sequence[LegalText], ours: Sequence[Text], moment: datetime) -> Text:
    come = [text for text in theirs if text.effective_at <= moment]
    newest = max(come, key=lambda text: text.number, default=None)
    if newest is not None and newest.body is not None:
        return Text(str(newest.number), newest.effective_at, newest.body)
    default = [text for text in ours if text.since <= moment]
    shown = default[-1] if default else ours[0]
    return Text(shown.key, moment, shown.body)


def find(page: Page, key: str) -> Text | None:
    """One that holds or held."""
    return next((text for text in (page.now, *page.earlier) if text.key == key), None)


# --- editing ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Draft:
    """A text that may be published."""

    body: str | None
    """None: the one that comes with Pamosnik."""
    effective_at: datetime


def draft(body: str, day: str, account: Account, known: Mapping[str, str], now: datetime) -> Draft:
    """What was typed, in the form in which it is kept. Raises `UsageError`."""
    lines = [line.expandtabs(4).rstrip() for line in body.strip().splitlines()]
    tidied = "\n".join(lines)
    if not tidied:
        raise UsageError("The text is empty.")
    if len(tidied) > LONGEST:
        raise UsageError(f"The text has {len(tidied)} characters; it can have {LONGEST}.")
    if not all(account_words.printable(line) for line in lines):
        raise UsageError("The text has a sign in it that cannot be seen, like a change of direction.")
    unknown = [name for name in legal_markdown.placeholders(tidied) if name not in known]
    if unknown:
        raise UsageError(
            f"There is no placeholder {{{unknown[0]}}}.",
            hint=f"There are: {', '.join(f'{{{name}}}' for name in known)}.",
        )
    return Draft(tidied, effective_at(day, account.timezone, now))


def effective_at(day: str, zone: str, now: datetime) -> datetime:
    """When a day begins on the account's clock; today: at once. Raises `UsageError`."""
    today = now.astimezone(ZoneInfo(zone)).date()
    try:
        wanted = date.fromisoformat(day) if day else today
    except ValueError:
        raise UsageError("This is no day.", hint="Write it like 2027-01-31.") from None
    if wanted < today:
        raise UsageError("The day is over: a text holds from today on, or later.")
    if wanted > today + AHEAD_AT_MOST:
        raise UsageError("The day is more than a year away.")
    return now if wanted == today else datetime.combine(wanted, time(), ZoneInfo(zone)).astimezone(UTC)


def publish(conn: Connection, account_id: str, page: str, new: Draft, *, actor: str, now: datetime) -> bool:
    """From its day on the page says this. False: that is what it says, and nothing else was announced. Raises
    `PamosnikError` when the account is not the one whose texts the pages have (any more)."""
    account = editor(conn)
    if account is None or account.id != account_id:
        raise PamosnikError("These pages are those of whoever runs this installation; nothing was changed.")
    texts = legal_texts.of(conn, account_id, page)
    newest = texts[0] if texts else None
    same = newest.body == new.body if newest is not None else new.body is None
    if same and (newest is None or newest.effective_at <= new.effective_at):
        return False
    number = legal_texts.put(conn, account_id, page, new.body, new.effective_at, now)
    accounts.audit(
        conn, account_id, actor=actor, action=f"legal text published: {page}", subject=str(number), now=now
    )
    return True
