"""What was agreed to, and taken back, when: by the account's holder and by people. Append-only: triggers refuse
changes. A person's go with the person, the holder's with the account."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pamosnik._sqlite import Connection
from pamosnik.store.times import instant, ms


class What(StrEnum):
    """What was agreed to or taken back."""

    ADULTHOOD = "adulthood"
    """The holder stated to be an adult."""
    CONNECT = "connect"
    """An Instagram account was connected: its data is processed by the account's flows."""
    DISCONNECT = "disconnect"
    OPT_IN = "opt_in"
    """A person wants messages again."""
    OPT_OUT = "opt_out"


class How(StrEnum):
    """Where it was said."""

    COMMAND = "command"
    PAGE = "page"
    INSTAGRAM = "instagram"
    """By taking the app's access away there."""
    WORDS = "words"
    """STOP and START, and the account's own words."""
    FLOW = "flow"
    """A step of a flow."""
    BLOCK = "block"
    """Instagram's error that says the person blocks the business (551 without subcode)."""
    KEPT = "kept"
    """An opt-out of somebody who was forgotten since: it holds on when they come back."""


@dataclass(frozen=True, slots=True)
class Consent:
    id: int
    contact_id: str | None
    """None: the account's holder."""
    connection_id: str | None
    what: What
    how: str
    at: datetime


def note(
    conn: Connection,
    account_id: str,
    what: What,
    how: How,
    now: datetime,
    *,
    connection_id: str | None = None,
    contact_id: str | None = None,
) -> None:
    conn.execute(
        "INSERT INTO consents (account_id, contact_id, connection_id, what, how, at) VALUES (?,?,?,?,?,?)",
        (account_id, contact_id, connection_id, what.value, how.value, ms(now)),
    )


def of_account(conn: Connection, account_id: str, limit: int) -> list[Consent]:
    """Of the holder and of people, the newest first."""
    rows = conn.execute(
        "SELECT consent_id, contact_id, connection_id, what, how, at FROM consents WHERE account_id=?"
        " ORDER BY consent_id DESC LIMIT ?",
        (account_id, limit),
    )
    return [_consent(row) for row in rows]


def of_person(conn: Connection, contact_id: str) -> list[Consent]:
    """The newest first."""
    rows = conn.execute(
        "SELECT consent_id, contact_id, connection_id, what, how, at FROM consents WHERE contact_id=?"
        " ORDER BY consent_id DESC",
        (contact_id,),
    )
    return [_consent(row) for row in rows]


def _consent(row: tuple[int, str | None, str | None, str, str, int]) -> Consent:
    return Consent(row[0], row[1], row[2], What(row[3]), row[4], instant(row[5]))
