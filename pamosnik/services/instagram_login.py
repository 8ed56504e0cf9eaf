"""Login with Instagram: an address for one connection, what becomes of the code that comes back, and whose it is.

Whoever opens the address gets its token as a cookie; the `state` that Instagram brings back is derived from it. So a
code is taken only from the browser that was sent for it.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

from pamosnik import unsaid
from pamosnik._sqlite import Connection
from pamosnik.config import Config
from pamosnik.errors import NeedsAuthorisation, PamosnikError
from pamosnik.instagram import login
from pamosnik.instagram.client import Instagram
from pamosnik.instagram.login import App
from pamosnik.security import tokens
from pamosnik.security.vault import Keys
from pamosnik.services import connecting
from pamosnik.services import tokens as long_lived
from pamosnik.services.connecting import Found
from pamosnik.store import instagram_logins
from pamosnik.store.consents import How

LASTS = timedelta(minutes=30)
PATH = "/connect/instagram"
CALLBACK = f"{PATH}/callback"
_STATE = b"pamosnik: state of a login with Instagram"

_MEANS: Mapping[str, str] = {
    "instagram_business_basic": "see who the account is",
    "instagram_business_manage_messages": "read and answer messages",
    "instagram_business_manage_comments": "read and answer comments",
}


def begin(conn: Connection, account_id: str, token: str, *, how: How, now: datetime) -> None:
    """A login for one connection of the account. Whoever has the token can connect an Instagram account to it."""
    instagram_logins.add(conn, tokens.token_hash(token), account_id, how, now=now, expires_at=now + LASTS)


def state_of(token: str) -> str:
    """Whoever knows it cannot tell the token."""
    return hmac.new(token.encode("utf-8", "replace"), _STATE, hashlib.sha256).hexdigest()


def is_state(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), state_of(token).encode())


def app(settings: Config) -> App:
    """The app whose login it is. Raises `PamosnikError` where it is not set."""
    app_id, secret = settings.instagram_app_id, settings.instagram_app_secret
    if app_id and secret:
        return App(app_id, secret)
    needed = (("PAMOSNIK_INSTAGRAM_APP_ID", app_id), ("PAMOSNIK_INSTAGRAM_APP_SECRET", secret))
    lacking = " and ".join(variable for variable, value in needed if not value)
    raise PamosnikError(
        f"Login with Instagram is not set up: {lacking} must be set.",
        hint='Both stand in Meta\'s dashboard under "API setup with Instagram login". Set them and restart'
        " `pamosnik serve`; or paste a token from there: pamosnik connect --token-stdin",
    )


def redirect_uri(address: str) -> str:
    """Where Instagram sends the browser back to; it has to stand exactly so in Meta's dashboard. `address`: where
    this machine is reached from outside."""
    return f"{address.rstrip('/')}{CALLBACK}"


def require_encrypted(settings: Config, address: str) -> None:
    """Instagram sends nobody to an address without encryption. Its stand-in on this machine may."""
    if address.startswith("https:") or settings.meta_url is not None:
        return
    raise PamosnikError(
        "Login with Instagram needs an https address that leads to this machine.",
        hint="Set PAMOSNIK_PUBLIC_URL to that of your tunnel or domain and restart `pamosnik serve`; or paste a token"
        " from Meta's dashboard: pamosnik connect --token-stdin",
    )


async def look_up(instagram: Instagram, app: App, code: str, address: str) -> Found:
    """From the code to a token that lasts, and whose it is; its webhooks are subscribed. Nothing is stored.

    Raises `NeedsAuthorisation` where the owner or Meta did not allow it, `PamosnikError` for anything else."""
    short = await instagram.exchange_code(app, code, redirect_uri(address))
    if short.token is None:
        raise PamosnikError(
            f"Instagram gave no token for this login: {short.problem}.",
            hint="Check PAMOSNIK_INSTAGRAM_APP_SECRET, and in Meta's dashboard under Business login settings the"
            f" OAuth redirect URI: {redirect_uri(address)}. Then begin again.",
        )
    _require_allowed(login.not_allowed(short.scopes))
    answer = await instagram.lengthen(unsaid.keep(short.token), app.secret)
    lasting = long_lived.read(answer)
    if lasting is None:
        raise PamosnikError(
            f"Instagram gave no token that lasts: {answer.outcome.reason}.",
            hint="Check PAMOSNIK_INSTAGRAM_APP_SECRET; then begin again.",
        )
    return await connecting.look_up(instagram, lasting.token, lasts=lasting.lasts)


def keep(conn: Connection, keys: Keys, token_hash: bytes, found: Found, now: datetime) -> None:
    """Stores the connection, and uses the login up. Raises `PamosnikError` where it is used up already, and as
    `connecting.keep`, whose `keys` these are."""
    begun = instagram_logins.find(conn, token_hash, now)
    if begun is None or begun.connection_id is not None:
        raise PamosnikError("This login is over.", hint="Begin again: pamosnik connect")
    connected = connecting.keep(conn, keys, begun.account_id, found, now, how=begun.how)
    instagram_logins.connected(conn, token_hash, connected.id)


def _require_allowed(lacking: tuple[str, ...]) -> None:
    if lacking:
        told = "; ".join(f"{_MEANS[scope]} ({scope})" for scope in lacking)
        raise NeedsAuthorisation(
            f"Instagram was not allowed everything that Pamosnik needs. Missing: {told}.",
            hint="Nothing was connected. Begin again, and leave every permission switched on.",
        )
