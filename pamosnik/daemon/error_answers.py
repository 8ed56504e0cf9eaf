"""Answers when something cannot be had: a short page for browsers, JSON below `/api/`, else a line of text.

Nothing of the inside is in them: no path, no version, no traceback.
"""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from pamosnik.daemon import api
from pamosnik.daemon.rendering import Pages

_IN_WORDS = {
    400: ("That was not understood", "Go back, load the page again and try once more."),
    403: ("That is not allowed", "Load the page that led here again and try once more."),
    404: ("There is nothing here", "Perhaps a character of the address was lost."),
    405: ("That does not work at this address", "Go back and use the page's own buttons."),
    413: ("That is too large", "Send less at once."),
    500: ("Something went wrong in Pamosnik", "Try again. Whoever runs it finds the cause in its log."),
    503: ("Not at the moment", "Try again in a minute."),
}
_ELSE = ("That did not work", "Go back and try again.")


class ErrorAnswers:
    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def told(
        self, request: Request, status: int, text: str, headers: Mapping[str, str] | None = None
    ) -> Response:
        """`text`: for what is no browser."""
        if "text/html" not in request.headers.get("accept", ""):
            return PlainTextResponse(text, status, headers)
        heading, what_to_do = _IN_WORDS.get(status, _ELSE)
        values = {"heading": heading, "what_to_do": what_to_do}
        response = self._pages.page("problem.html", values, status)
        response.headers.update(headers or {})
        return response

    async def of_http(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if api.is_below(request):
            return api.no_such_thing(request, error.status_code, error.detail, error.headers)
        return self.told(request, error.status_code, error.detail, error.headers)

    async def of_our_own(self, request: Request, _: Exception) -> Response:
        """The server logs the error itself."""
        if api.is_below(request):
            return api.refusal(500, "Something went wrong in Pamosnik.", "Its log tells what.")
        return self.told(request, 500, "Something went wrong in Pamosnik; its log tells what.")
