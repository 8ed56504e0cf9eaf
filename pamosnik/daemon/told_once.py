"""What a page says once after it has led somewhere else: "Saved." The word for it travels in a cookie, which the page
that says it takes away; so a reload does not say it again, and nothing of it stands in the address."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

COOKIE = "pamosnik_done"
_WITHIN_S = 60


@dataclass(frozen=True, slots=True)
class Done:
    """A sentence, and the section of the page that it concerns."""

    section: str
    text: str


class ToldOnce:
    """For one page."""

    def __init__(self, path: str, sentences: Mapping[str, Done]) -> None:
        """`sentences`: by the words that stand for them. A cookie with any other word says nothing."""
        self._path = path
        self._sentences = sentences

    def lead_back(self, word: str, *, secure: bool) -> Response:
        """To the page, where it says so, at the section it concerns."""
        response = RedirectResponse(f"{self._path}#{self._sentences[word].section}", 303)
        response.set_cookie(
            COOKIE, word, _WITHIN_S, path=self._path, secure=secure, httponly=True, samesite="strict"
        )
        return response

    def heard(self, request: Request) -> Done | None:
        """What the page is to say now; None: nothing."""
        return self._sentences.get(request.cookies.get(COOKIE, ""))

    def forget(self, response: Response, *, secure: bool) -> None:
        """With the page that says it."""
        response.delete_cookie(COOKIE, path=self._path, secure=secure, httponly=True, samesite="strict")
