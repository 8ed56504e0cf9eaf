"""The page "Your data": exports, deletions, what was agreed to and who did what.

What takes long is done by others, export by export and row by row; `/account/data/progress` shows how far they are,
and looks again by itself. Whatever deletes asks for the password once more, and so does an export, which somebody who
finds the browser open could carry away. A person or connection of another account is answered as one that never was.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from pamosnik._sqlite import Connection
from pamosnik.ages import Ages
from pamosnik.clock import local_minute
from pamosnik.daemon.account_forms import AccountForms, Parts, Refused, typed
from pamosnik.daemon.aside import Aside
from pamosnik.daemon.exports import Exports
from pamosnik.daemon.meta_callbacks import STATUS
from pamosnik.daemon.visitors import Form, Visitor
from pamosnik.errors import UsageError
from pamosnik.privacy import erase
from pamosnik.services import data_overview, erasing, people
from pamosnik.services.erasing import Someone
from pamosnik.services.shapes import Shape
from pamosnik.store import accounts, connections, contacts, deletions
from pamosnik.store.accounts import Account
from pamosnik.store.deletions import Cause

PATH = "/account/data"
PROGRESS = f"{PATH}/progress"
LOOK_AGAIN_S = 3
FOUND_AT_MOST = 20
_CODE_BYTES = 15

Handler = Callable[[Request, Visitor, Form], Awaitable[Response]]
Again = Callable[[Request, Visitor, Refused | None, Mapping[str, str]], Awaitable[Response]]


class DataPages:
    def __init__(
        self, parts: Parts, aside: Aside, exports: Exports, ages: Ages, on_deletion: Callable[[], None]
    ) -> None:
        """`ages`: how long things are kept. `on_deletion` is called when there is something to delete."""
        self._parts = parts
        self._forms = AccountForms(parts)
        self._aside = aside
        self._exports = exports
        self._ages = ages
        self._on_deletion = on_deletion

    def routes(self) -> list[Route]:
        person, connection = f"{PATH}/people/{{id}}", f"{PATH}/connections/{{id}}"
        forms: Mapping[str, tuple[Handler, Again]] = {
            f"{PATH}/export": (self._export, self._page),
            f"{PATH}/people": (self._find, self._page),
            f"{person}/export": (self._export_person, self._person),
            f"{person}/forget": (self._forget, self._person),
            connection: (self._disconnect, self._connection),
            f"{PATH}/delete": (self._delete, self._deletion),
        }
        shown: Mapping[str, Again] = {
            PATH: self._page,
            PROGRESS: self._progress,
            person: self._person,
            connection: self._connection,
            f"{PATH}/delete": self._deletion,
        }
        return [
            *(Route(path, self._get(page), methods=["GET"]) for path, page in shown.items()),
            Route(f"{PATH}/exports/{{name}}", self._download, methods=["GET"]),
            *(Route(path, self._form(do, again), methods=["POST"]) for path, (do, again) in forms.items()),
            *(Route(path, self._back, methods=["GET"]) for path in forms if path not in shown),
        ]

    # --- what is shown -------------------------------------------------------------------------------

    def _get(self, page: Again) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            visitor = await self._parts.visitors.known(request)
            try:
                return await page(request, visitor, None, {})
            except Refused as refused:
                return await self._page(request, visitor, refused, {})

        return answer

    def _form(self, do: Handler, again: Again) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            visitor, form = await self._parts.visitors.form(request)
            try:
                try:
                    return await do(request, visitor, form)
                except Refused as refused:
                    return await again(request, visitor, refused, typed(form))
            except Refused as unknown:
                return await self._page(request, visitor, unknown, {})

        return answer

    async def _back(self, request: Request) -> Response:
        """Browsers ask for a form's address when they open a page anew that showed what was refused."""
        await self._parts.visitors.known(request)
        return RedirectResponse(PATH, 303)

    async def _page(
        self, _: Request, visitor: Visitor, refused: Refused | None, typed_in: Mapping[str, str]
    ) -> Response:
        return await self._overview(visitor, refused, typed_in, found=None)

    async def _overview(
        self,
        visitor: Visitor,
        refused: Refused | None,
        typed_in: Mapping[str, str],
        found: list[Shape] | None,
    ) -> Response:
        account = visitor.account
        view = await self._view(account)
        values = {
            "view": view,
            "export": self._export_state(visitor),
            "found": found,
            "found_at_most": FOUND_AT_MOST,
        }
        return self._shown("data.html", visitor, values, refused, typed_in)

    async def _progress(
        self, _: Request, visitor: Visitor, refused: Refused | None, typed_in: Mapping[str, str]
    ) -> Response:
        account = visitor.account
        deleted = await self._aside.read(account.id, partial(data_overview.under_way, account=account))
        export = self._export_state(visitor)
        going = export["under_way"] is not None or any(one.ended is None for one in deleted)
        values = {"deletions": deleted, "export": export, "going": going}
        response = self._shown("data_progress.html", visitor, values, refused, typed_in)
        if going:
            # With its address: a browser that came here with `#forget` would only scroll there.
            response.headers["refresh"] = f"{LOOK_AGAIN_S}; url={PROGRESS}"
        return response

    async def _person(
        self, request: Request, visitor: Visitor, refused: Refused | None, typed_in: Mapping[str, str]
    ) -> Response:
        person = await self._own_person(request, visitor)
        return self._shown("data_person.html", visitor, {"person": person}, refused, typed_in)

    async def _connection(
        self, request: Request, visitor: Visitor, refused: Refused | None, typed_in: Mapping[str, str]
    ) -> Response:
        connection = await self._own_connection(request, visitor)
        read = partial(data_overview.stored, account_id=visitor.account.id, connection_id=connection.id)
        stored = await self._aside.read(visitor.account.id, read)
        values = {"connection": connection, "stored": stored}
        return self._shown("data_connection.html", visitor, values, refused, typed_in)

    async def _deletion(
        self, _: Request, visitor: Visitor, refused: Refused | None, typed_in: Mapping[str, str]
    ) -> Response:
        account = visitor.account
        view = await self._view(account)
        return self._shown("data_delete.html", visitor, {"view": view}, refused, typed_in)

    async def _view(self, account: Account) -> data_overview.DataView:
        read = partial(data_overview.overview, account=account, ages=self._ages)
        return await self._aside.read(account.id, read)

    def _shown(
        self,
        template: str,
        visitor: Visitor,
        values: Mapping[str, object],
        refused: Refused | None,
        typed_in: Mapping[str, str],
    ) -> Response:
        header = {"account": visitor.account, "csrf": visitor.csrf, "page": PATH}
        status, headers = (200, {}) if refused is None else (refused.status, refused.headers)
        response = self._parts.pages.page(
            template, {**header, "refused": refused, "typed": typed_in, **values}, status
        )
        response.headers.update(headers)
        return response

    def _export_state(self, visitor: Visitor) -> Mapping[str, object]:
        """Times in the account's zone."""
        zone, account_id = visitor.account.timezone, visitor.account.id
        going, failed = self._exports.under_way(account_id), self._exports.failed(account_id)
        return {
            "under_way": None
            if going is None
            else {"since": local_minute(going.asked_at, zone), "size": _size(going.size_bytes)},
            "failed": None if failed is None else {"at": local_minute(failed.at, zone), "why": failed.why},
            "ready": [
                {
                    "path": f"{PATH}/exports/{one.name}",
                    "what": "Everything" if one.about is None else "One person",
                    "made": local_minute(one.begun_at, zone),
                    "until": local_minute(one.until, zone),
                    "size": _size(one.size_bytes),
                }
                for one in self._exports.ready(account_id)
            ],
        }

    # --- exports -------------------------------------------------------------------------------------

    async def _export(self, _: Request, visitor: Visitor, form: Form) -> Response:
        await self._forms.require_present(visitor, form, "export")
        return await self._ask_for_export(visitor, None)

    async def _export_person(self, request: Request, visitor: Visitor, form: Form) -> Response:
        person = await self._own_person(request, visitor)
        await self._forms.require_present(visitor, form, "export")
        return await self._ask_for_export(visitor, str(person["id"]))

    async def _ask_for_export(self, visitor: Visitor, about: str | None) -> Response:
        """What is going away at the moment is in no export, and an export that began before is given to nobody."""
        deleting = partial(deletions.any_since, account_id=visitor.account.id, at=self._parts.clock.now())
        if self._parts.own.read(visitor.account.id, deleting):
            raise Refused("export", "Data is being deleted. Ask again when that has ended.")
        if self._exports.under_way(visitor.account.id) is not None:
            raise Refused("export", "An export is being made already.")
        await self._forms.write(visitor, partial(_export_asked, about=about))
        self._exports.ask(visitor.account, about)
        return RedirectResponse(PROGRESS, 303)

    async def _download(self, request: Request) -> Response:
        visitor = await self._parts.visitors.known(request)
        path = self._exports.path(visitor.account.id, request.path_params["name"])
        if path is None:
            gone = Refused("export", "This file is there no longer. Prepare another one.", status=404)
            return await self._page(request, visitor, gone, {})
        day = local_minute(self._parts.clock.now(), visitor.account.timezone)[:10]
        return FileResponse(
            path,
            filename=f"pamosnik-export-{day}.zip",
            media_type="application/zip",
            headers={"cache-control": "no-store"},
        )

    # --- people --------------------------------------------------------------------------------------

    async def _find(self, _: Request, visitor: Visitor, form: Form) -> Response:
        """A form sent by POST: a name in an address would stay in histories and logs."""
        wanted = form.get("who", "")
        find = partial(people.find_everybody, account=visitor.account, text=wanted, limit=FOUND_AT_MOST)
        try:
            found = await self._aside.read(visitor.account.id, find)
        except UsageError as error:
            raise Refused("people", error.message, field="who") from None
        return await self._overview(visitor, None, typed(form), found)

    async def _forget(self, request: Request, visitor: Visitor, form: Form) -> Response:
        person = await self._own_person(request, visitor)
        await self._forms.require_present(visitor, form, "forget")
        if "comments_alone" in person:
            look = partial(erasing.people, account_id=visitor.account.id, who=str(person["id"]))
            for someone in await self._aside.read(visitor.account.id, look):
                await self._forms.write(visitor, partial(_forget_commenter, someone=someone))
        else:
            await self._forms.write(visitor, partial(_forget, contact_id=str(person["id"])))
        self._on_deletion()
        return RedirectResponse(PROGRESS, 303)

    async def _own_person(self, request: Request, visitor: Visitor) -> Shape:
        read = partial(data_overview.person, account=visitor.account, person_id=request.path_params["id"])
        person = self._parts.own.read(visitor.account.id, read)
        if person is None:
            raise Refused("people", "There is no such person, or not any more.", status=404)
        return person

    # --- deletions -----------------------------------------------------------------------------------

    async def _disconnect(self, request: Request, visitor: Visitor, form: Form) -> Response:
        connection = await self._own_connection(request, visitor)
        await self._forms.require_present(visitor, form, "disconnect")
        await self._forms.write(visitor, partial(_disconnect, connection_id=connection.id))
        self._on_deletion()
        return RedirectResponse(PROGRESS, 303)

    async def _own_connection(self, request: Request, visitor: Visitor) -> data_overview.ConnectionRow:
        read = partial(
            data_overview.connection, account=visitor.account, connection_id=request.path_params["id"]
        )
        connection = self._parts.own.read(visitor.account.id, read)
        if connection is None:
            raise Refused("connections", "There is no such connection, or not any more.", status=404)
        return connection

    async def _delete(self, request: Request, visitor: Visitor, form: Form) -> Response:
        """The last page that this login shows."""
        if accounts.tidy_email(form.get("email", "")).casefold() != visitor.account.email.casefold():
            raise Refused("delete", "This is not the e-mail address of this account.", field="email")
        await self._forms.require_present(visitor, form, "delete")
        code = secrets.token_hex(_CODE_BYTES)
        await self._forms.write(visitor, partial(_delete_account, code=code))
        self._on_deletion()
        path = f"{STATUS}{code}"
        return self._parts.pages.page(
            "data_deleted.html", {"path": path, "address": f"{self._parts.reached.address(request)}{path}"}
        )


def _size(size_bytes: int) -> str:
    """For people."""
    if size_bytes < 1 << 20:
        return f"{-(-size_bytes // 1024)} KB"
    return f"{size_bytes / (1 << 20):.1f} MB"


# --- what the forms write --------------------------------------------------------------------------------


def _export_asked(conn: Connection, account_id: str, *, about: str | None, actor: str, now: datetime) -> None:
    accounts.audit(conn, account_id, actor=actor, action="export asked for", subject=about, now=now)


def _forget(conn: Connection, account_id: str, *, contact_id: str, actor: str, now: datetime) -> None:
    """Of a form that was sent twice the second one may find that the person is gone."""
    if contacts.load(conn, contact_id) is not None:
        erase.begin_person(conn, contact_id, Cause.PAGE, actor=actor, now=now)


def _forget_commenter(
    conn: Connection, account_id: str, *, someone: Someone, actor: str, now: datetime
) -> None:
    """Likewise."""
    if someone.contact_id is None or contacts.load(conn, someone.contact_id) is not None:
        erasing.begin_forget(conn, someone, cause=Cause.PAGE, actor=actor, now=now)


def _disconnect(conn: Connection, account_id: str, *, connection_id: str, actor: str, now: datetime) -> None:
    """Likewise."""
    if connections.exists(conn, connection_id):
        erasing.begin_disconnect(conn, connection_id, cause=Cause.PAGE, actor=actor, now=now)


def _delete_account(conn: Connection, account_id: str, *, code: str, actor: str, now: datetime) -> None:
    """`code`: by which its holder, who cannot log in any more, asks how far it is."""
    deletion_id = erasing.begin_delete_account(conn, account_id, cause=Cause.PAGE, actor=actor, now=now)
    deletions.put_request(conn, code, account_id=account_id, deletion_id=deletion_id, now=now)
