"""Whether Instagram knows the Instagram app's id and secret as a pair: asked with a login code that is none.

https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/business-login :
an error of this address has a form of its own, `error_message`. Its words are all that tells a wrong pair from a code
that is none, so words that are not known say nothing.
"""

from enum import Enum
from types import TracebackType

from pamosnik.instagram import reading
from pamosnik.instagram.graph import Answer, Graph

LOGIN = "https://api.instagram.com"
_NO_CODE = "no-code-of-any-login"


class Pair(Enum):
    """What the answer says of the pair."""

    ACCEPTED = "accepted"
    WRONG_ID = "wrong id"
    WRONG_SECRET = "wrong secret"  # noqa: S105 - no secret
    UNTOLD = "untold"


class InstagramApp:
    """Requests in the name of the Instagram app. Close it, or use it as a context."""

    def __init__(self, app_id: str, secret: str, *, version: str, meta_url: str | None = None) -> None:
        """`meta_url`: one base address in place of all of Meta's hosts."""
        self._graph = Graph(meta_url or LOGIN, version, name="Instagram")
        self._form = {"client_id": app_id, "client_secret": secret}

    async def __aenter__(self) -> "InstagramApp":
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self._graph.close()

    async def try_pair(self, redirect_uri: str) -> Answer:
        """Changes nothing: there is no such code. `pair` reads the answer."""
        form = {
            **self._form,
            "grant_type": "authorization_code",
            "redirect_uri": redirect_uri,
            "code": _NO_CODE,
        }
        return await self._graph.request("POST", "oauth/access_token", token=None, form=form, versioned=False)


def pair(answer: Answer) -> Pair:
    """What the words of the error say."""
    error = answer.body.get("error")
    told = answer.body.get("error_message") or (error.get("message") if isinstance(error, dict) else None)
    said = (reading.text(told) or "").casefold()
    if "secret" in said:
        return Pair.WRONG_SECRET
    if "platform app" in said or "client_id" in said or "client id" in said or "app id" in said:
        return Pair.WRONG_ID
    return Pair.ACCEPTED if "code" in said else Pair.UNTOLD
