"""Links in mails to an account's holder. The mail holds the token, the database its hash.

An address that is another account's gets a link like any other, only that nobody is mailed it: so nothing shows whose
addresses are known here.
"""

from datetime import datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.security import tokens
from pamosnik.services import accounts as account_services
from pamosnik.services import visits
from pamosnik.store import accounts, mailed_links
from pamosnik.store.accounts import Account
from pamosnik.store.mailed_links import MailedLink, Purpose

RESET_LASTS = timedelta(hours=1)
CONFIRM_LASTS = timedelta(hours=24)
RESET_PATH, CONFIRM_PATH = "/reset/", "/confirm/"


def to_reset(conn: Connection, account: Account, token: str, now: datetime) -> None:
    """Earlier ones hold on: mails overtake each other. The first that is used ends all."""
    link = MailedLink(account.id, Purpose.RESET_PASSWORD, account.email)
    mailed_links.add(conn, tokens.token_hash(token), link, now=now, expires_at=now + RESET_LASTS)


def to_confirm(conn: Connection, account: Account, email: str, token: str, now: datetime) -> None:
    """In place of an earlier one: only the address asked for last can become the account's."""
    mailed_links.drop(conn, account.id, Purpose.CONFIRM_EMAIL)
    link = MailedLink(account.id, Purpose.CONFIRM_EMAIL, email)
    mailed_links.add(conn, tokens.token_hash(token), link, now=now, expires_at=now + CONFIRM_LASTS)
    accounts.audit(conn, account.id, actor="page", action="another e-mail asked for", subject=None, now=now)


def withdraw_email(conn: Connection, account_id: str, *, actor: str, now: datetime) -> None:
    """The account keeps its address: a link that would change it is void."""
    if mailed_links.waiting(conn, account_id, Purpose.CONFIRM_EMAIL, now) is not None:
        accounts.audit(
            conn, account_id, actor=actor, action="another e-mail taken back", subject=None, now=now
        )
    mailed_links.drop(conn, account_id, Purpose.CONFIRM_EMAIL)


# --- using one -------------------------------------------------------------------------------------------


def reset_password(
    conn: Connection, account: Account, token_hash: bytes, password_hash: str, browser: str, now: datetime
) -> bool:
    """Uses the link up, ends all sessions, and knows the browser: whoever guesses does not lock its holder out. False
    when the link was used up meanwhile; then nothing is changed."""
    if mailed_links.find(conn, token_hash, Purpose.RESET_PASSWORD, now) is None:
        return False
    account_services.set_password(conn, account.id, password_hash, but_session=None, actor="page", now=now)
    visits.know_browser(conn, browser, account.id, now)
    return True


def confirm_email(conn: Connection, account: Account, token_hash: bytes, now: datetime) -> Account | None:
    """The account with its new address; the link is used up. None when it was used up meanwhile, or the address has
    become another account's: that must not show."""
    link = mailed_links.find(conn, token_hash, Purpose.CONFIRM_EMAIL, now)
    if link is None:
        return None
    mailed_links.drop(conn, account.id, Purpose.CONFIRM_EMAIL)
    try:
        return account_services.change_email(conn, account.id, link.email, actor="page", now=now)
    except account_services.AddressTaken:
        return None


def meant(conn: Connection, token: str, purpose: Purpose, now: datetime) -> tuple[MailedLink, Account] | None:
    """The link that a token is for, and its account; None: it is of no use (any more)."""
    link = mailed_links.find(conn, tokens.token_hash(token), purpose, now)
    account = None if link is None else accounts.load(conn, link.account_id)
    return None if link is None or account is None else (link, account)
