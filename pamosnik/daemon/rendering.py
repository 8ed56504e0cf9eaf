"""Pages made from templates. Whatever strangers wrote is escaped; a value that a template misses is an error."""

from collections.abc import Mapping
from importlib import resources

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route


class Pages:
    """What lies in `daemon/pages`: templates, the style sheet, the icon."""

    def __init__(self) -> None:
        self._templates = jinja2.Environment(
            loader=jinja2.PackageLoader("pamosnik.daemon", "pages"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
        )
        folder = resources.files("pamosnik.daemon").joinpath("pages")
        self._style = folder.joinpath("style.css").read_text("utf-8")
        self._icon = folder.joinpath("icon.svg").read_text("utf-8")

    def routes(self) -> list[Route]:
        return [Route("/style.css", self._style_sheet), Route("/icon.svg", self._picture)]

    def page(self, name: str, values: Mapping[str, object], status: int = 200) -> Response:
        return HTMLResponse(self._templates.get_template(name).render(values), status)

    async def _style_sheet(self, _: Request) -> Response:
        return Response(self._style, media_type="text/css")

    async def _picture(self, _: Request) -> Response:
        return Response(self._icon, media_type="image/svg+xml")
