"""The Graph API over HTTP: reads a request, lets armed faults strike, checks its token, and has `routes` answer.

Every path but the login ones works under `/vNN.0/` and without a version. All calls, refused ones too, are
kept in `requests`, without tokens and secrets.
"""

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from pamosnik.errors import PamosnikError
from pamosnik.sandbox import calls, endings, errors, files, oauth, rules, subscriptions
from pamosnik.sandbox.calls import ME, Call
from pamosnik.sandbox.errors import GraphError, LoginError
from pamosnik.sandbox.faults import Faults, Rule, Way
from pamosnik.sandbox.limits import Limits, Quota, Usage, usage_headers
from pamosnik.sandbox.params import Params, read_object
from pamosnik.sandbox.routes import Router
from pamosnik.sandbox.things import Account, Json
from pamosnik.sandbox.webhooks import Deliverer
from pamosnik.sandbox.world import World

_LOG_LENGTH = 10_000
_SECRETS = ("access_token", "client_secret", "code", "verify_token")
_METHODS = ("GET", "POST", "DELETE")
_VERSION = re.compile(r"v(\d+)\.0")


@dataclass(frozen=True, slots=True)
class Logged:
    """One Graph call as it was answered; `status` None = it got no answer, `fault` the one that struck it."""

    at: datetime
    method: str
    path: str
    query: Json
    body: Json
    status: int | None
    fault: str | None = None


class Graph:
    """The endpoint of every address that is not `/sandbox`."""

    def __init__(self, world: World, deliverer: Deliverer) -> None:
        self.requests: deque[Logged] = deque(maxlen=_LOG_LENGTH)
        self.faults = Faults()
        self.held = endings.Held()
        self._world = world
        self._deliverer = deliverer
        self._limits = Limits(world)
        self._router = Router(world, self._limits)

    async def endpoint(self, request: Request) -> Response:
        body: Mapping[str, object] = {}
        rule: Rule | None = None
        try:
            body = await _read_body(request)
            params = Params({**request.query_params, **body})
            rule = self._strike(request, params)
            if rule is None:
                response = await self._answer(request, params)
            elif rule.fault.delivered:
                response = await self._delivered(request, params, rule)
            else:
                response = self._ended(request, rule, None)
        except (GraphError, LoginError, PamosnikError) as refusal:
            if rule is not None:
                self.faults.give_back(rule)
                rule = None
            response = self._refused(refusal)
        response.headers["instagram-api-version"] = f"v{_version_served(request.url.path)}.0"
        response.headers.setdefault("x-app-usage", '{"call_volume":0,"cpu_time":0}')
        self._keep(request, body, response, rule)
        return response

    def _strike(self, request: Request, params: Params) -> Rule | None:
        if not self.faults.active:
            return None
        path = tuple(part for part in request.url.path.split("/") if part)
        bare = path[1:] if path and _VERSION.fullmatch(path[0]) else path
        bare = calls.without_account(self._world, bare)
        target = calls.target(self._world, request.method, bare, params)
        return self.faults.strike(target.endpoint, target.person)

    async def _delivered(self, request: Request, params: Params, rule: Rule) -> Response:
        """What the call would have been answered decides whether there is anything to deliver."""
        answer = await self._answer(request, params)
        if rule.fault.way is Way.SLOW:
            await self.held.disconnected(request, self._deliverer.switches.slow_s)
        return self._ended(request, rule, answer)

    def _ended(self, request: Request, rule: Rule, answer: Response | None) -> Response:
        """`answer` is the right one, None when nothing was done."""
        fault = rule.fault
        match fault.way:
            case Way.REFUSED | Way.LOCALISED:
                refusal = fault.refusal(request.method)
                if fault.throttles:
                    refusal.extra_headers = self._usage(Usage(100, rules.THROTTLED_FOR))
                return JSONResponse(refusal.body(), refusal.status, refusal.headers())
            case Way.HTML:
                return endings.html(fault.status)
            case Way.SILENCE:
                return endings.Silence(self.held)
            case Way.HANG_UP:
                return endings.HangUp(reset=False)
            case Way.RESET:
                return endings.HangUp(reset=True)
            case Way.CUT_OFF:
                return endings.half_of(answer or JSONResponse({}))
            case Way.USAGE:
                right = answer or JSONResponse({})
                right.headers.update(self._usage(Usage(95, None)))
                return right
            case Way.SLOW:
                return answer or JSONResponse({})

    def _usage(self, usage: Usage) -> dict[str, str]:
        account = next(iter(self._world.accounts.values()), None)
        return usage_headers(account, Quota.REST, usage)

    def _refused(self, refusal: GraphError | LoginError | PamosnikError) -> Response:
        if isinstance(refusal, LoginError):
            return JSONResponse(refusal.body(), 400)
        if isinstance(refusal, PamosnikError):
            refusal = errors.bad_parameter(refusal.message)
        headers = refusal.headers()
        told = refusal.localised() if self._world.behaviour.localised else refusal
        return JSONResponse(told.body(), told.status, headers)

    async def _answer(self, request: Request, params: Params) -> Response:
        path = tuple(part for part in request.url.path.split("/") if part)
        if request.method not in _METHODS:
            raise errors.no_role(request.method)
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
        token = _token(request, params)
        if path[1:] == ("subscriptions",) and path[0] == self._world.app.meta_app_id:
            return await self._app_subscriptions(request, token, params)
        call = self._authorise(request, path, params, token)
        sending = (call.method, call.path) == ("POST", (ME, "messages"))
        if sending and self._world.behaviour.fetch_files:
            await files.check(params)
        answer = self._router.route(call)
        if sending and self._deliverer.switches.echo_first:
            await self._deliverer.settle_within(rules.DELIVERY_TIMEOUT_S)
        return JSONResponse(answer.body, headers=answer.headers)

    async def _app_subscriptions(self, request: Request, token: str, params: Params) -> Response:
        subscriptions.check_token(self._world.app, token)
        usage = self._limits.count(None, Quota.APP)
        body = await subscriptions.answer(self._world, self._deliverer, request.method, params)
        return JSONResponse(body, headers=usage_headers(None, Quota.APP, usage))

    def _authorise(self, request: Request, path: tuple[str, ...], params: Params, value: str) -> Call:
        token = oauth.valid_token(self._world, value)
        account = self._world.accounts[token.ig_id]
        if not account.has_role:
            raise errors.no_role(request.method)
        return Call(
            method=request.method,
            path=calls.named(path, account),
            address=_address_of_next_page(request),
            params=params,
            account=account,
            scopes=_usable(token.scopes, account),
            expansion=self._world.behaviour.field_expansion,
        )

    def _keep(
        self, request: Request, body: Mapping[str, object], response: Response, rule: Rule | None
    ) -> None:
        self.requests.append(
            Logged(
                at=self._world.clock.now(),
                method=request.method,
                path=request.url.path,
                query=_without_secrets(request.query_params),
                body=_without_secrets(body),
                status=None
                if isinstance(response, (endings.Silence, endings.HangUp))
                else response.status_code,
                fault=None if rule is None else rule.fault.name,
            )
        )


def _usable(granted: frozenset[str], account: Account) -> frozenset[str]:
    return granted & account.scopes


def _token(request: Request, params: Params) -> str:
    """From the header, or from the query or body."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        value = params.text_or_none("access_token") or ""
    return value.strip()


async def _read_body(request: Request) -> Mapping[str, object]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        async with request.form() as form:
            return _values(form)
    return read_object(await request.body())


def _values(form: FormData) -> Mapping[str, object]:
    """Texts as they are; of a file what can be checked about it."""
    return {name: value if isinstance(value, str) else _file(value) for name, value in form.items()}


def _file(file: UploadFile) -> Json:
    return {"name": file.filename or "", "type": file.content_type or "", "size": file.size or 0}


def _without_version(path: tuple[str, ...]) -> tuple[str, ...]:
    """Versions that are gone, unknown or doubled are refused."""
    version = _VERSION.fullmatch(path[0]) if path else None
    rest = path if version is None else path[1:]
    if not rest or (version is not None and not _alive(version)) or _VERSION.fullmatch(rest[0]):
        raise errors.unknown_path("/" + "/".join(path))
    return rest


def _version_served(path: str) -> int:
    """The one asked for; without one that is alive the newest."""
    version = _VERSION.fullmatch(path.strip("/").partition("/")[0])
    return int(version[1]) if version is not None and _alive(version) else rules.NEWEST_VERSION


def _alive(version: re.Match[str]) -> bool:
    return rules.OLDEST_VERSION <= int(version[1]) <= rules.NEWEST_VERSION


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
