"""What the page of an account shows: when, where and with what its holder is logged in, and where its mails go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from zoneinfo import available_timezones

from pamosnik._sqlite import Connection
from pamosnik.clock import local_minute
from pamosnik.services import accounts as account_services
from pamosnik.store import accounts, api_tokens, mailed_links
from pamosnik.store.accounts import Account
from pamosnik.store.api_tokens import ApiToken
from pamosnik.store.mailed_links import Purpose
from pamosnik.store.sessions import Session

_REGIONS = (
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
)
"""The other names of time zones are old ones, or say less."""


@dataclass(frozen=True, slots=True)
class SessionRow:
    id: str
    browser: str
    since: str
    last_seen: str
    this: bool
    """The one that asks."""


@dataclass(frozen=True, slots=True)
class TokenRow:
    id: str
    name: str
    made: str
    last_used: str | None
    """None: never."""


@dataclass(frozen=True, slots=True)
class AccountView:
    """Times are for people, in the account's time zone."""

    made: str
    adult_stated: str
    confirming: str | None
    """The address that becomes the account's when its holder uses the link that went there."""
    sessions: Sequence[SessionRow]
    tokens: Sequence[TokenRow]


@dataclass(frozen=True, slots=True)
class Zones:
    """Time zones of one part of the world: (name, how it is shown)."""

    region: str
    zones: Sequence[tuple[str, str]]


def overview(conn: Connection, account: Account, session: Session, now: datetime) -> AccountView:
    """`session`: the one that asks."""
    stated = accounts.adult_stated_at(conn, account.id)
    assert stated is not None
    return AccountView(
        made=local_minute(account.created_at, account.timezone),
        adult_stated=local_minute(stated, account.timezone),
        confirming=mailed_links.waiting(conn, account.id, Purpose.CONFIRM_EMAIL, now),
        sessions=[
            _session_row(one, session.id, account.timezone)
            for one in account_services.sessions(conn, account.id, now)
        ],
        tokens=[token_row(token, account.timezone) for token in api_tokens.of_account(conn, account.id)],
    )


def token(conn: Connection, account: Account, token_id: str) -> TokenRow | None:
    """None: the account has no such token."""
    for one in api_tokens.of_account(conn, account.id):
        if one.id == token_id:
            return token_row(one, account.timezone)
    return None


def token_row(token: ApiToken, timezone: str) -> TokenRow:
    used = token.last_used_at
    return TokenRow(
        token.id,
        token.name,
        made=local_minute(token.created_at, timezone),
        last_used=None if used is None else local_minute(used, timezone),
    )


def _session_row(session: Session, this: str, timezone: str) -> SessionRow:
    return SessionRow(
        session.id,
        session.browser or "An unknown browser",
        since=local_minute(session.created_at, timezone),
        last_seen=local_minute(session.last_seen_at, timezone),
        this=session.id == this,
    )


def where_others_go(conn: Connection, account: Account, operator_email: str | None) -> str:
    """Who is told what concerns the whole installation, in words for this account's holder. `conn` must see all
    accounts; the address of another one is not told."""
    first = next(iter(accounts.every(conn)), account)
    if (operator_email or first.email).casefold() == account.email.casefold():
        return "Alerts that concern the whole installation come to you, too."
    if account.id == first.id:
        return f"Alerts that concern the whole installation go to {operator_email} (PAMOSNIK_OPERATOR_EMAIL)."
    return "Alerts that concern the whole installation go to whoever runs it."


# --- time zones ------------------------------------------------------------------------------------------


def zones(present: str) -> Sequence[Zones]:
    """All to choose from, the present one among them."""
    known = _zones()
    if any(present == name for region in known for name, _ in region.zones):
        return known
    return (Zones("Other", ((present, present),)), *known)


@cache
def _zones() -> tuple[Zones, ...]:
    names = sorted(available_timezones())
    by_region = [
        Zones(region, tuple((name, _shown(name)) for name in names if name.startswith(f"{region}/")))
        for region in _REGIONS
    ]
    everywhere = Zones("Everywhere", (("UTC", "UTC"),))
    return (everywhere, *(one for one in by_region if one.zones))


def _shown(name: str) -> str:
    return name.partition("/")[2].replace("_", " ").replace("/", " – ")
