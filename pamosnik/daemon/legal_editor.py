"""Where the operator changes the legal pages: a text in Markdown, the day from which it holds, a look at it first.
Other accounts of the installation read here why they cannot."""

from collections.abc import Mapping
from functools import partial

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pamosnik.daemon.account_forms import AccountForms, Parts, Refused, refusals_of, typed
from pamosnik.daemon.legal_pages import day
from pamosnik.daemon.told_once import Done, ToldOnce
from pamosnik.daemon.visitors import Form, Visitor
from pamosnik.services import legal
from pamosnik.services.legal import Draft, Facts, Operator
from pamosnik.store.legal_texts import PAGES

PATH = "/account/legal"
FORM_BYTES = 13 * legal.LONGEST
"""Forms write some signs with twelve."""
_DONE = {
    **{f"{name}-published": Done(name, "Published. It is shown from its day on.") for name in PAGES},
    **{f"{name}-same": Done(name, "It says so already: nothing was changed.") for name in PAGES},
}


class LegalEditor:
    def __init__(self, parts: Parts, facts: Facts) -> None:
        self._parts = parts
        self._facts = facts
        self._forms = AccountForms(parts)
        self._told = ToldOnce(PATH, _DONE)

    def routes(self) -> list[Route]:
        return [
            Route(PATH, self.pages, methods=["GET"]),
            Route(f"{PATH}/{{name}}", self.editor, methods=["GET"]),
            Route(f"{PATH}/{{name}}", self.edit, methods=["POST"]),
        ]

    # --- what is shown -------------------------------------------------------------------------------

    async def pages(self, request: Request) -> Response:
        """The three pages, and what each says at the moment."""
        visitor = await self._parts.visitors.known(request)
        conn, now = self._parts.reader.connection, self._parts.clock.now()
        run_by, done = legal.operator(conn, self._facts), self._told.heard(request)
        values = {
            "mine": _is_editor(run_by, visitor),
            "texts": {name: legal.of(conn, run_by, name, now) for name in PAGES},
            "done": done,
        }
        response = self._shown("legal_list.html", visitor, run_by, values)
        if done is not None:
            self._told.forget(response, secure=self._parts.reached.by_https(request))
        return response

    async def editor(self, request: Request) -> Response:
        visitor = await self._parts.visitors.known(request)
        return self._editor(visitor, _name(request))

    def _editor(
        self,
        visitor: Visitor,
        name: str,
        *,
        fields: Mapping[str, str] | None = None,
        sight: str | None = None,
        refused: Refused | None = None,
    ) -> Response:
        """`fields`: what was typed; `sight`: how that would look."""
        conn, now = self._parts.reader.connection, self._parts.clock.now()
        run_by = legal.operator(conn, self._facts)
        if run_by is None or not _is_editor(run_by, visitor):
            values: Mapping[str, object] = {"mine": False, "texts": {}, "done": None}
            return self._shown("legal_list.html", visitor, run_by, values, 403)
        page = legal.of(conn, run_by, name, now)
        newest = page.coming or page.now
        values = {
            "name": name,
            "text": page,
            "body": (fields or {}).get("body", newest.body),
            "on": (fields or {}).get("on", ""),
            "known": legal.values(run_by, self._facts),
            "longest": legal.LONGEST,
            "sight": sight,
            "refused": refused,
        }
        return self._shown(
            "legal_edit.html", visitor, run_by, values, 200 if refused is None else refused.status
        )

    def _shown(
        self,
        template: str,
        visitor: Visitor,
        run_by: Operator | None,
        values: Mapping[str, object],
        status: int = 200,
    ) -> Response:
        shared = {
            "account": visitor.account,
            "csrf": visitor.csrf,
            "titles": legal.TITLES,
            "day": None if run_by is None else partial(day, run_by=run_by),
        }
        return self._parts.pages.page(template, {**shared, **values}, status)

    # --- the form ------------------------------------------------------------------------------------

    async def edit(self, request: Request) -> Response:
        visitor, form = await self._parts.visitors.form(request)
        name = _name(request)
        try:
            return await self._do(request, visitor, name, form)
        except Refused as refused:
            return self._editor(visitor, name, fields=typed(form), refused=refused)

    async def _do(self, request: Request, visitor: Visitor, name: str, form: Form) -> Response:
        """Shows the text as it would be, publishes it, or goes back to the one that comes with Pamosnik."""
        run_by, now = legal.operator(self._parts.reader.connection, self._facts), self._parts.clock.now()
        if run_by is None or not _is_editor(run_by, visitor):
            return self._editor(visitor, name)
        known = legal.values(run_by, self._facts)
        with refusals_of(name, "body"):
            day_typed = form.get("on", "")
            if form.get("do") == "default":
                new = Draft(None, legal.effective_at(day_typed, visitor.account.timezone, now))
            else:
                new = legal.draft(form.get("body", ""), day_typed, visitor.account, known, now)
            if form.get("do") == "preview" and new.body is not None:
                fields = {**typed(form), "body": new.body}
                sight = legal.html(new.body, run_by, self._facts)
                return self._editor(visitor, name, fields=fields, sight=sight)
            published = await self._forms.write(visitor, partial(legal.publish, page=name, new=new))
        word = f"{name}-published" if published else f"{name}-same"
        return self._told.lead_back(word, secure=self._parts.reached.by_https(request))


def _is_editor(run_by: Operator | None, visitor: Visitor) -> bool:
    return run_by is not None and run_by.account is not None and run_by.account.id == visitor.account.id


def _name(request: Request) -> str:
    """Of the page that the address names."""
    name = str(request.path_params["name"])
    if name not in PAGES:
        raise HTTPException(404)
    return name
