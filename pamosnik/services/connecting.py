"""Connecting an Instagram account: ask who the token belongs to, check, subscribe, keep the token sealed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.errors import Again, NeedsAuthorisation, PamosnikError
from pamosnik.ids import new_id
from pamosnik.instagram import limits
from pamosnik.instagram.client import Instagram
from pamosnik.instagram.graph import Answer
from pamosnik.model.outbox import OutcomeKind
from pamosnik.security import vault
from pamosnik.security.vault import Keys
from pamosnik.services import broadcasts, credentials, sending, tokens
from pamosnik.services.library import Library
from pamosnik.store import accounts, connections, consents, deletions, entrances, imports, notices
from pamosnik.store import flows as flow_store
from pamosnik.store.connections import Connected, NewConnection
from pamosnik.store.consents import How, What

DASHBOARD_TOKEN_LASTS = timedelta(days=60)
"""As documented for tokens of the dashboard; the answer of the first refresh tells better.
https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/get-started"""

_PERMISSION_CODES = frozenset({3, 10, 190, *range(200, 300)})
"""Everything else that goes wrong with the conversations is no reason not to connect."""


@dataclass(frozen=True, slots=True, repr=False)
class Found:
    """What Instagram said about a token. Its repr shows nothing, for it holds the token."""

    token: str
    ig_id: str
    asid: str | None
    username: str
    scopes: tuple[str, ...]
    lasts: timedelta = DASHBOARD_TOKEN_LASTS


async def look_up(instagram: Instagram, token: str, *, lasts: timedelta = DASHBOARD_TOKEN_LASTS) -> Found:
    """Asks Instagram who this is, whether it may read messages, and subscribes its webhooks."""
    me = await instagram.me(token)
    _require(me, "Instagram does not accept the token")
    ig_id, username = _text(me.body, "user_id"), _text(me.body, "username")
    if ig_id is None or username is None:
        raise PamosnikError(
            "Instagram's answer names no professional account.",
            hint="Switch the account to Business or Creator in the Instagram app, then connect again.",
        )
    if str(me.body.get("account_type", "")).casefold() == "personal":
        raise PamosnikError(
            f"{username} is a personal account, and Instagram has no interface for those.",
            hint="Switch the account to Business or Creator in the Instagram app, then connect again.",
        )
    # Creator accounts are reported to need one such call before webhooks start; it also shows the permission.
    conversations = await instagram.newest_conversations(token)
    if conversations.outcome.code in _PERMISSION_CODES:
        _require(conversations, "The token may not read messages")
    await _require_comments(instagram, ig_id, token)
    fields = limits.SUBSCRIBED_FIELDS
    subscribed = await instagram.subscribe(ig_id, token, fields)
    _require(subscribed, "The account's webhooks cannot be subscribed")
    if subscribed.body.get("success") is False:
        raise PamosnikError(
            "Instagram did not subscribe the account's webhooks and gave no reason.",
            hint="Check in Meta's dashboard that the app has webhook fields, then try again.",
        )
    return Found(token, ig_id, _text(me.body, "id"), username, limits.SCOPES, lasts)


async def _require_comments(instagram: Instagram, ig_id: str, token: str) -> None:
    """A token does not say what it may do: reading a comment shows it. Without a post nothing can be shown."""
    media = await instagram.media(ig_id, token)
    if media.outcome.code in _PERMISSION_CODES:
        _require(media, "The token may not read posts")
    posts = media.body.get("data")
    first = posts[0] if isinstance(posts, list) and posts else None
    if isinstance(first, dict) and isinstance(first.get("id"), str):
        answer = await instagram.comments(first["id"], token, limit=1)
        if answer.outcome.code in _PERMISSION_CODES:
            _require(answer, "The token may not read comments")


def _require(answer: Answer, what: str) -> None:
    outcome = answer.outcome
    if outcome.kind is OutcomeKind.SENT:
        return
    if outcome.kind in (OutcomeKind.UNKNOWN, OutcomeKind.NOT_SENT, OutcomeKind.BACK_OFF, OutcomeKind.RETRY):
        raise PamosnikError(
            f"Instagram could not be asked: {outcome.reason}.", hint="Try again in a minute.", again=Again()
        )
    message = f"{what}: {outcome.reason}."
    if outcome.kind in (OutcomeKind.LOGIN, OutcomeKind.CONFIGURATION):
        raise NeedsAuthorisation(
            message,
            hint="Check the permissions and the tester role in Meta's dashboard, make a new token there,"
            " and connect again.",
        )
    raise PamosnikError(message, hint="Try again in a minute.", again=Again())


def _text(raw: Mapping[str, object], key: str) -> str | None:
    value = raw.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value else None


def keep(
    conn: Connection,
    keys: Keys,
    account_id: str,
    found: Found,
    now: datetime,
    *,
    how: How = How.COMMAND,
) -> Connected:
    """Stores the connection with its token sealed. Connecting again replaces the token and frees what waited; after
    the app was removed it undoes that, as long as the deletion is not due. `keys` come from `keys.wrapping`."""
    imports.require_none(conn, account_id)
    known = connections.known(conn, found.ig_id)
    if known is not None:
        _require_mine(conn, known, account_id, found.username, now)
    connections.put(
        conn,
        NewConnection(
            id=new_id(now) if known is None else known.id,
            account_id=account_id,
            ig_id=found.ig_id,
            asid=found.asid,
            username=found.username,
            scopes=found.scopes,
            token_sealed=vault.seal_token(
                _data_key_or_new(conn, keys, account_id, found.ig_id, now),
                found.token,
                account_id=account_id,
                ig_id=found.ig_id,
            ),
            token_expires_at=now + found.lasts,
            token_refresh_at=now + tokens.FIRST_REFRESH,
            subscribed_fields=limits.SUBSCRIBED_FIELDS,
        ),
        now,
    )
    connected = connections.by_ig_id(conn, found.ig_id)
    assert connected is not None
    notices.settle(conn, account_id, connected.id)
    notices.settle_everywhere(conn, notices.DATA_DELETED, account_id)
    sending.release_held(conn, connected.id, now)
    entrances.doubt(conn, connected.id)
    consents.note(conn, account_id, What.CONNECT, how, now, connection_id=connected.id)
    accounts.audit(
        conn,
        account_id,
        actor=how.value,
        action="connect: consent given",
        subject=connected.id,
        now=now,
    )
    for flow in flow_store.applied(conn, account_id):
        if '"next"' in flow.body:
            flow_store.expect_next_post(conn, account_id, connected.id, flow.flow_id, flow.version, now)
    broadcasts.plan(conn, Library(), account_id, now)
    return connected


def _require_mine(conn: Connection, known: Connected, account_id: str, username: str, now: datetime) -> None:
    """Refuses a connection of another account, and one whose data is being deleted, or is to be by now. Whoever asks
    has shown a token of it, so strangers learn nothing; whose it is here is not told."""
    if known.account_id != account_id:
        raise PamosnikError(
            f"{username} is connected to another account of this installation.",
            hint="To move it here, remove the app in Instagram's settings (Website permissions → Apps and websites):"
            " a day later its data is deleted there. Then: pamosnik connect",
        )
    if deletions.open_for(conn, known.id) is not None:
        raise PamosnikError(
            f"The data of {username} is being deleted.",
            hint="Let `pamosnik serve` run until `pamosnik connections list` has it no more. Then: pamosnik connect",
        )
    if known.delete_after is not None and known.delete_after <= now:
        raise PamosnikError(
            f"{username} had removed the app, and the time to keep its data is over: it is being deleted.",
            hint="Let `pamosnik serve` run until `pamosnik connections list` has it no more. Then: pamosnik connect",
        )


def _data_key_or_new(conn: Connection, keys: Keys, account_id: str, ig_id: str, now: datetime) -> bytes:
    """The account's data key. One that the master key at hand does not open is replaced, where only the token was
    sealed under it that the owner is handing in anew: of others, the right master key may yet come back."""
    try:
        return credentials.data_key(conn, keys, account_id)
    except vault.Unreadable as unreadable:
        if any(one.ig_id != ig_id for one, _ in connections.sealed_tokens(conn, account_id)):
            raise vault.Unreadable(
                f"{unreadable.message} With a new one, the other logins of the account would be lost.",
                hint=unreadable.hint,
            ) from None
        fresh = vault.new_data_key()
        accounts.put_wrapped_key(conn, account_id, keys.wrap(account_id, fresh), now)
        return fresh
