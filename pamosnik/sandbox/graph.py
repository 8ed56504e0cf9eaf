"""The Graph API over HTTP: reads a request, checks its token, and routes it to `business` and `views`.

Every path but the login ones works under `/vNN.0/` and without a version. All calls, refused ones too, are
kept in `requests`, without tokens and secrets.
"""

import json
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from pamosnik.errors import PamosnikError
from pamosnik.sandbox import business, errors, fields, oauth, rules, views
from pamosnik.sandbox.content import read_order
from pamosnik.sandbox.errors import GraphError, LoginError
from pamosnik.sandbox.fields import Edge, Node, Page
from pamosnik.sandbox.params import Params
from pamosnik.sandbox.things import Account, Json
from pamosnik.sandbox.webhooks import Deliverer
from pamosnik.sandbox.world import World

_LOG_LENGTH = 10_000
_SECRETS = ("access_token", "client_secret", "code")
_VERSION = re.compile(r"v(\d+)\.0")
_ACCOUNT = "me"


@dataclass(frozen=True, slots=True)
class Logged:
    """One Graph call as it was answered."""

    at: datetime
    method: str
    path: str
    query: Json
    body: Json
    status: int


@dataclass(frozen=True, slots=True)
class Call:
    """One authorised call. The account's own ids in `path` are replaced by "me"."""

    method: str
    path: tuple[str, ...]
    address: str
    params: Params
    account: Account
    scopes: frozenset[str]

    def needs(self, scope: str) -> None:
        if scope not in self.scopes:
            raise errors.scope_missing(scope)

    def node(self, node: Node) -> Json:
        return fields.project(node, fields.parse(self.params.text_or_none("fields")))

    def edge(self, edge: Edge) -> Json:
        asked = fields.parse(self.params.text_or_none("fields"))
        limit = self.params.integer("limit") if "limit" in self.params else None
        page = Page(limit, self.params.text_or_none("after"), self.params.text_or_none("before"))
        return fields.project_edge(edge, asked, page, address=self.address)


class Graph:
    """The endpoint of every address that is not `/sandbox`."""

    def __init__(self, world: World, deliverer: Deliverer) -> None:
        self.requests: deque[Logged] = deque(maxlen=_LOG_LENGTH)
        self._world = world
        self._deliverer = deliverer

    async def endpoint(self, request: Request) -> Response:
        body: Mapping[str, object] = {}
        try:
            body = await _read_body(request)
            response = await self._answer(request, Params({**request.query_params, **body}))
        except GraphError as refusal:
            response = JSONResponse(refusal.body(), refusal.status, refusal.headers())
        except LoginError as refusal:
            response = JSONResponse(refusal.body(), 400)
        except PamosnikError as problem:
            refused = errors.bad_parameter(problem.message)
            response = JSONResponse(refused.body(), refused.status)
        response.headers["instagram-api-version"] = f"v{rules.NEWEST_VERSION}.0"
        response.headers["x-app-usage"] = '{"call_volume":0,"cpu_time":0}'
        self._keep(request, body, response.status_code)
        return response

    async def _answer(self, request: Request, params: Params) -> Response:
        path = tuple(part for part in request.url.path.split("/") if part)
        match request.method, path:
            case "GET", ("oauth", "authorize"):
                return RedirectResponse(oauth.authorize(self._world, params), 302)
            case "POST", ("oauth", "access_token"):
                return JSONResponse(oauth.exchange_code(self._world, params))
            case "GET", ("access_token",):
                return JSONResponse(oauth.exchange_short(self._world, params))
            case "GET", ("refresh_access_token",):
                return JSONResponse(oauth.refresh(self._world, params))
            case _:
                return await self._graph(request, _without_version(path), params)

    async def _graph(self, request: Request, path: tuple[str, ...], params: Params) -> Response:
        call = self._authorise(request, path, params)
        answer = self._route(call)
        if call.path[1:] == ("messages",) and self._deliverer.switches.echo_first:
            await self._deliverer.settle_within(rules.DELIVERY_TIMEOUT_S)
        return JSONResponse(answer)

    def _authorise(self, request: Request, path: tuple[str, ...], params: Params) -> Call:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            value = params.text_or_none("access_token") or ""
        token = oauth.valid_token(self._world, value.strip())
        account = self._world.accounts[token.ig_id]
        if not account.has_role:
            raise errors.no_role(request.method)
        own = (account.ig_id, account.asid, _ACCOUNT)
        named = tuple(_ACCOUNT if place == 0 and part in own else part for place, part in enumerate(path))
        address = _address_of_next_page(request)
        return Call(request.method, named, address, params, account, token.scopes & account.scopes)

    def _route(self, call: Call) -> Json:
        match call.method, call.path:
            case _, ("me", "subscribed_apps"):
                return self._subscribed_apps(call)
            case "POST", ("me", "messages"):
                return self._send(call)
            case "GET", (node,):
                return self._get_node(call, node)
            case "GET", (node, edge):
                return self._get_edge(call, node, edge)
            case "POST", (node,):
                return self._change(call, node)
            case "POST", (node, ("comments" | "replies") as edge):
                return self._write_comment(call, node, edge)
            case "DELETE", (comment_id,):
                call.needs(rules.SCOPE_COMMENTS)
                business.delete_comment(self._world, call.account, comment_id)
                return {"success": True}
            case _:
                raise errors.unknown_path("/" + "/".join(call.path))

    def _subscribed_apps(self, call: Call) -> Json:
        account, app = call.account, self._world.app
        match call.method:
            case "POST":
                wanted = call.params.names("subscribed_fields")
                _check_webhook_fields(wanted)
                self._world.put_account(replace(account, subscribed_fields=wanted))
            case "DELETE":
                self._world.put_account(replace(account, subscribed_fields=()))
            case _ if account.subscribed_fields:
                subscribed = list(account.subscribed_fields)
                return {"data": [{"name": app.name, "id": app.app_id, "subscribed_fields": subscribed}]}
            case _:
                return {"data": []}
        return {"success": True}

    def _send(self, call: Call) -> Json:
        order = read_order(call.params)
        call.needs(rules.SCOPE_MESSAGES if order.comment_id is None else rules.SCOPE_COMMENTS)
        sent = business.perform(self._world, call.account, order)
        answer: Json = {"recipient_id": sent.igsid}
        return answer if sent.mid is None else answer | {"message_id": sent.mid}

    def _get_node(self, call: Call, node_id: str) -> Json:
        world, account = self._world, call.account
        if node_id == _ACCOUNT:
            return call.node(views.account_node(world, account))
        if node_id in world.media:
            media = business.own_media(world, account, node_id)
            return call.node(views.media_node(world, account, media))
        if node_id in world.comments:
            call.needs(rules.SCOPE_COMMENTS)
            comment = business.own_comment(world, account, node_id)
            return call.node(views.comment_node(world, account, comment))
        return self._get_messaging_node(call, node_id)

    def _get_messaging_node(self, call: Call, node_id: str) -> Json:
        world, account = self._world, call.account
        call.needs(rules.SCOPE_MESSAGES)
        if node_id in world.messages:
            message = business.readable_message(world, account, node_id)
            return call.node(views.message_node(world, account, message))
        if node_id in world.threads:
            if world.threads[node_id] not in business.visible_threads(world, account):
                raise errors.missing_object(node_id)
            return call.node(views.conversation_node(world, account, world.threads[node_id]))
        person = business.profile_of(world, account, node_id)
        return call.node(views.profile_node(account, person, node_id))

    def _get_edge(self, call: Call, node_id: str, edge: str) -> Json:
        world, account = self._world, call.account
        match node_id, edge:
            case "me", "media":
                return call.edge(views.media_edge(world, account))
            case "me", "conversations":
                call.needs(rules.SCOPE_MESSAGES)
                if call.params.text("platform") != "instagram":
                    raise errors.bad_parameter("Param platform must be instagram.")
                igsid = call.params.text_or_none("user_id")
                return call.edge(views.conversations_edge(world, account, igsid))
            case _, "comments":
                call.needs(rules.SCOPE_COMMENTS)
                media = business.own_media(world, account, node_id)
                return call.edge(views.comments_edge(world, account, media))
            case _, "replies":
                call.needs(rules.SCOPE_COMMENTS)
                comment = business.own_comment(world, account, node_id)
                return call.edge(views.replies_edge(world, account, comment))
            case _:
                raise errors.unknown_path(f"/{edge}")

    def _change(self, call: Call, node_id: str) -> Json:
        """Hides a comment, or switches the comments of a media."""
        call.needs(rules.SCOPE_COMMENTS)
        if node_id in self._world.media:
            enabled = call.params.flag("comment_enabled")
            business.enable_comments(self._world, call.account, node_id, enabled=enabled)
        else:
            comment = business.own_comment(self._world, call.account, node_id)
            hide = call.params.flag("hide")
            business.hide_comment(self._world, call.account, comment.id, hide=hide)
        return {"success": True}

    def _write_comment(self, call: Call, node_id: str, edge: str) -> Json:
        call.needs(rules.SCOPE_COMMENTS)
        text = call.params.text("message")
        if edge == "comments":
            return {"id": business.comment_on_media(self._world, call.account, node_id, text).id}
        return {"id": business.reply_to_comment(self._world, call.account, node_id, text).id}

    def _keep(self, request: Request, body: Mapping[str, object], status: int) -> None:
        self.requests.append(
            Logged(
                at=self._world.clock.now(),
                method=request.method,
                path=request.url.path,
                query=_without_secrets(request.query_params),
                body=_without_secrets(body),
                status=status,
            )
        )


async def _read_body(request: Request) -> Mapping[str, object]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return _strings(await request.form())
    raw = await request.body()
    if not raw:
        return {}
    try:
        body = json.loads(raw)
    except ValueError:
        raise errors.bad_parameter("The body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise errors.bad_parameter("The body must be a JSON object.")
    return body


def _strings(form: FormData) -> Mapping[str, object]:
    return {name: value for name, value in form.items() if isinstance(value, str)}


def _without_version(path: tuple[str, ...]) -> tuple[str, ...]:
    """Versions that are gone are served as the oldest one alive; unknown and doubled ones are refused."""
    version = _VERSION.fullmatch(path[0]) if path else None
    rest = path if version is None else path[1:]
    too_new = version is not None and int(version[1]) > rules.NEWEST_VERSION
    if not rest or too_new or _VERSION.fullmatch(rest[0]):
        raise errors.unknown_path("/" + "/".join(path))
    return rest


def _check_webhook_fields(wanted: tuple[str, ...]) -> None:
    if not wanted:
        raise errors.bad_parameter("The parameter subscribed_fields is required.")
    for place, name in enumerate(wanted):
        if name not in rules.FIELD_SCOPES:
            known = ", ".join(rules.FIELD_SCOPES)
            raise errors.bad_parameter(f"Param subscribed_fields[{place}] must be one of {{{known}}}")


def _address_of_next_page(request: Request) -> str:
    """Everything that was asked, but for the place in the list."""
    kept = [
        (name, value) for name, value in request.query_params.multi_items() if name not in ("after", "before")
    ]
    query = urlencode(kept)
    address = f"{request.base_url}{request.url.path.lstrip('/')}"
    return f"{address}?{query}" if query else address


def _without_secrets(values: Mapping[str, object]) -> Json:
    return {name: "…" if name in _SECRETS else value for name, value in values.items()}
