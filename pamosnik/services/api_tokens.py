"""Tokens of the API: made, listed, revoked, recognised. Each opens one account and nothing else."""

import shlex
import unicodedata
from datetime import datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.errors import NotFound, PamosnikError, UsageError
from pamosnik.ids import new_id
from pamosnik.security import tokens
from pamosnik.services.account_words import printable
from pamosnik.services.shapes import Shape, iso
from pamosnik.store import accounts, api_tokens
from pamosnik.store.api_tokens import ApiToken

LONGEST_NAME = 60
MOST = 50
"""Tokens of one account: enough for every script, few enough to look through."""
NOTED_EVERY = timedelta(minutes=1)
"""A busy script must not cause a write with every request."""


def create(
    conn: Connection, account_id: str, name: str, *, actor: str, now: datetime
) -> tuple[ApiToken, str]:
    """The new token, and its text: shown once, for only its hash is stored."""
    name = _valid_name(name)
    known = api_tokens.of_account(conn, account_id)
    if any(token.name == name for token in known):
        raise PamosnikError(
            f"There is a token {name} already.",
            hint="Take another name, or revoke it first: its text cannot be shown again. Try:"
            f" {shlex.join(['pamosnik', 'api-token', 'revoke', name])}",
        )
    if len(known) >= MOST:
        raise PamosnikError(
            f"This account has {len(known)} tokens, and cannot have more.",
            hint="Revoke those that nobody uses. Try: pamosnik api-token list",
        )
    text = tokens.new_api_token()
    made = ApiToken(new_id(now), account_id, name, now, None)
    api_tokens.insert(conn, made, tokens.token_hash(text))
    accounts.audit(conn, account_id, actor=actor, action="api token made", subject=made.id, now=now)
    return made, text


def find(conn: Connection, account_id: str, id_or_name: str) -> ApiToken:
    """The account's token that is meant. Raises `NotFound`."""
    if id_or_name.startswith(tokens.API_TOKEN_PREFIX):
        raise UsageError(
            "This is the text of a token, not its name: where commands are seen or kept, it is known now.",
            hint="Find its name and revoke it. Try: pamosnik api-token list",
        )
    known = api_tokens.of_account(conn, account_id)
    for token in known:
        if id_or_name in (token.id, token.name):
            return token
    names = ", ".join(token.name for token in known)
    raise NotFound(
        f"There is no token {id_or_name}.",
        hint=f"There are: {names}. Try: pamosnik api-token list"
        if known
        else "This account has none. Try: pamosnik api-token create --name NAME",
    )


def revoke(conn: Connection, account_id: str, id_or_name: str, *, actor: str, now: datetime) -> ApiToken:
    """It opens nothing from this commit on. Raises `NotFound`."""
    token = find(conn, account_id, id_or_name)
    api_tokens.revoke(conn, account_id, token.id)
    accounts.audit(conn, account_id, actor=actor, action="api token revoked", subject=token.id, now=now)
    return token


def listed(conn: Connection, account_id: str) -> list[Shape]:
    """The oldest first."""
    return [shape(token) for token in api_tokens.of_account(conn, account_id)]


def shape(token: ApiToken) -> Shape:
    """Never its text, never its hash."""
    return {
        "id": token.id,
        "name": token.name,
        "created_at": iso(token.created_at),
        "last_used_at": iso(token.last_used_at),
    }


def of_request(conn: Connection, text: str) -> ApiToken | None:
    """The token that a request brought, of whichever account: `conn` must see them all. None: nobody's."""
    if not text.startswith(tokens.API_TOKEN_PREFIX):
        return None
    return api_tokens.by_hash(conn, tokens.token_hash(text))


def to_be_noted(token: ApiToken, now: datetime) -> bool:
    """Whether its use is worth a write: one was not noted within the last minute."""
    return token.last_used_at is None or token.last_used_at < now - NOTED_EVERY


def used(conn: Connection, token: ApiToken, now: datetime) -> None:
    """Notes its use; written at most once a minute, however many ask at once."""
    api_tokens.used(conn, token.id, now, noted_before=now - NOTED_EVERY)


def _valid_name(text: str) -> str:
    name = unicodedata.normalize("NFC", text).strip()
    if not name or len(name) > LONGEST_NAME or not printable(name):
        raise UsageError(
            f"The name of a token has 1 to {LONGEST_NAME} characters that can be seen.",
            hint="Name it after what uses it, like spreadsheet.",
        )
    if name.startswith(tokens.API_TOKEN_PREFIX):
        raise UsageError(
            f"The name of a token cannot begin with {tokens.API_TOKEN_PREFIX}: its text does.",
            hint="Name it after what uses it, like spreadsheet.",
        )
    return name
