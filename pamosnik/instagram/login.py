"""Login with Instagram: where the browser is sent, and what is told when it comes back.

https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/business-login and
https://developers.facebook.com/docs/instagram-platform/reference/oauth-authorize/ (October 2026).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from pamosnik.instagram import limits
from pamosnik.instagram.graph import Answer
from pamosnik.instagram.webhook import storable

AUTHORIZE = "https://www.instagram.com"
_WORDS_AT_MOST = 200


@dataclass(frozen=True, slots=True)
class App:
    """The pair of "API setup with Instagram login"; not the one of App settings → Basic."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Exchanged:
    """What the exchange of a code gave: a token, or a problem."""

    token: str | None = field(default=None, repr=False)
    scopes: tuple[str, ...] | None = None
    """What the owner allowed: boxes can be unticked. None: it was not told."""
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class CameBack:
    """What the browser brings from Instagram: a code, or a problem."""

    code: str | None = field(default=None, repr=False)
    denied: bool = False
    """The owner said no."""
    problem: str | None = None
    """In Instagram's words."""


def authorize_address(meta_url: str | None, app: App, redirect_uri: str, state: str) -> str:
    """Where the owner logs in and agrees. `redirect_uri` has to stand exactly so in Meta's dashboard."""
    asked = {
        "client_id": app.id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": ",".join(limits.SCOPES),
        "state": state,
        # Its other door leads to an account of Facebook, which this login does not need.
        "enable_fb_login": "false",
    }
    return f"{(meta_url or AUTHORIZE).rstrip('/')}/oauth/authorize?{urlencode(asked)}"


def came_back(query: Mapping[str, str]) -> CameBack:
    """From the parameters of the callback's address."""
    # Instagram puts `#_` behind the address, and some programs on the way take it for a part of the code.
    code = query.get("code", "").removesuffix("#_")
    if code and "error" not in query:
        return CameBack(code=code)
    denied = "access_denied" in (query.get("error"), query.get("error_reason"))
    denied = denied or query.get("error_reason") == "user_denied"
    said = query.get("error_description") or query.get("error_message") or query.get("error")
    return CameBack(denied=denied, problem=_words(said) or "there is no code")


def exchanged(answer: Answer) -> Exchanged:
    """Both shapes of the answer are read: in `data` or flat, permissions as text or as a list. A refusal has a shape
    of its own here: `error_message`. The `user_id` in it is app-scoped: it is not the id of webhooks."""
    data = answer.body.get("data")
    inner = data[0] if isinstance(data, list) and data else data
    told = inner if isinstance(inner, Mapping) else answer.body
    token = told.get("access_token")
    if not isinstance(token, str) or not token:
        return Exchanged(problem=_words(answer.body.get("error_message")) or answer.outcome.reason)
    return Exchanged(token, _scopes(told.get("permissions")))


def not_allowed(scopes: tuple[str, ...] | None) -> tuple[str, ...]:
    """What Pamosnik needs and the owner did not allow; nothing when that was not told."""
    return () if scopes is None else tuple(scope for scope in limits.SCOPES if scope not in scopes)


def _scopes(told: object) -> tuple[str, ...] | None:
    names = told.split(",") if isinstance(told, str) else told
    if not isinstance(names, list):
        return None
    return tuple(one.strip() for one in names if isinstance(one, str) and one.strip())


def _words(said: object) -> str | None:
    """In one line that can be shown and kept."""
    if not isinstance(said, str):
        return None
    return " ".join(storable(said).split()).rstrip(".")[:_WORDS_AT_MOST] or None
