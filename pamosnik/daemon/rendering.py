"""Pages made from templates. Whatever strangers wrote is escaped; a value that a template misses is an error."""

import hashlib
import re
from collections.abc import Mapping
from importlib import resources

import jinja2
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from pamosnik.charts.style import STYLE
from pamosnik.clock import local_minute
from pamosnik.flows.graph import svg
from pamosnik.instagram import catalogue

_QUOTED = re.compile(r"`([^`\n]+)`")


class Pages:
    """What lies in `daemon/pages`: templates, the style sheet, the icon, the script; and the style of drawn flows."""

    def __init__(self) -> None:
        self._templates = jinja2.Environment(
            loader=jinja2.PackageLoader("pamosnik.daemon", "pages"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
        )
        self._templates.filters["local_minute"] = local_minute
        self._templates.filters["with_code"] = with_code
        self._templates.filters["with_errors"] = with_errors
        folder = resources.files("pamosnik.daemon").joinpath("pages")
        self._style = folder.joinpath("style.css").read_text("utf-8") + STYLE
        self._flow_style = svg.style_sheet()
        self._icon = folder.joinpath("icon.svg").read_text("utf-8")
        self._script = folder.joinpath("live.js").read_text("utf-8")

    def routes(self) -> list[Route]:
        return [
            Route("/style.css", self._style_sheet),
            Route("/flow.css", self._flow_sheet),
            Route("/icon.svg", self._picture),
            Route("/live.js", self._live),
            Route(catalogue.PAGE, self._errors),
        ]

    def page(self, name: str, values: Mapping[str, object], status: int = 200) -> Response:
        return HTMLResponse(self._templates.get_template(name).render(values), status)

    def kept_page(self, request: Request, name: str, values: Mapping[str, object]) -> Response:
        """For what says the same to everybody: browsers may keep it."""
        return kept(request, self._templates.get_template(name).render(values), "text/html")

    async def _style_sheet(self, request: Request) -> Response:
        return kept(request, self._style, "text/css")

    async def _flow_sheet(self, request: Request) -> Response:
        return kept(request, self._flow_style, "text/css")

    async def _picture(self, request: Request) -> Response:
        return kept(request, self._icon, "image/svg+xml")

    async def _errors(self, request: Request) -> Response:
        values = {"entries": tuple(catalogue.entries()), "without": catalogue.WITHOUT_CODE}
        return self.kept_page(request, "errors.html", values)

    async def _live(self, request: Request) -> Response:
        return kept(request, self._script, "text/javascript")


def with_errors(text: str) -> Markup:
    """A sentence in which every error of Meta's leads to its entry in the catalogue."""
    link = Markup('<a href="{}">{}</a>')
    pieces = (escape(piece) if to is None else link.format(to, piece) for piece, to in catalogue.linked(text))
    return Markup("").join(pieces)


def with_code(text: str) -> Markup:
    """A sentence in which words of flow files and commands stand between backticks, as terminals show it."""
    # Escaped before anything is added.
    return Markup(_QUOTED.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704


def kept(request: Request, content: str, media_type: str) -> Response:
    """Browsers may keep it, and ask whether it is still the same: another version may have brought another one."""
    tag = f'"{hashlib.sha256(content.encode()).hexdigest()[:20]}"'
    headers = {"etag": tag, "cache-control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=media_type)
