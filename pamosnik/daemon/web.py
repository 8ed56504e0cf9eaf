"""The HTTP surface: Meta's webhooks, health, tracked links, and the status page."""

import hmac
import logging
import time
from collections.abc import Callable, Sequence
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from pamosnik import _sqlite, ages
from pamosnik.clock import Clock
from pamosnik.config import Config
from pamosnik.daemon import legal_editor
from pamosnik.daemon.account_forms import Parts
from pamosnik.daemon.account_mails import AccountMails
from pamosnik.daemon.account_pages import AccountPages
from pamosnik.daemon.api import Api
from pamosnik.daemon.api_writes import ApiWrites
from pamosnik.daemon.aside import Aside
from pamosnik.daemon.callers import Callers
from pamosnik.daemon.data_pages import DataPages
from pamosnik.daemon.downloads import Downloads
from pamosnik.daemon.error_answers import ErrorAnswers
from pamosnik.daemon.exports import Exports
from pamosnik.daemon.forgotten import Forgotten
from pamosnik.daemon.health import Health
from pamosnik.daemon.home_page import HomePage
from pamosnik.daemon.http_walls import Bounded, CutShort, ReadsToTheEnd, SafeHeaders
from pamosnik.daemon.legal_editor import LegalEditor
from pamosnik.daemon.legal_pages import LegalPages
from pamosnik.daemon.login_pages import LoginPages
from pamosnik.daemon.meta_callbacks import MetaCallbacks
from pamosnik.daemon.password_checks import PasswordChecks
from pamosnik.daemon.reached import Reached
from pamosnik.daemon.reception import Reception
from pamosnik.daemon.rendering import Pages
from pamosnik.daemon.tracked_links import TrackedLinks
from pamosnik.daemon.visitors import FormRefused, NotLoggedIn, Visitors
from pamosnik.errors import DatabaseDamaged, StorageRefused
from pamosnik.instagram import limits, webhook
from pamosnik.services.legal import Facts
from pamosnik.store import notices
from pamosnik.store.database import Database
from pamosnik.store.legal_texts import PAGES
from pamosnik.store.walls import Walled
from pamosnik.store.writer import GroupWriter

log = logging.getLogger(__name__)

WEBHOOK = "/webhooks/instagram"
_COMPLAIN_EVERY_S = 60.0
REFUSALS_TOLD = 3
"""Bad signatures in a row before the owner hears of it: one alone may be a stranger's."""
_BAD_SIGNATURE = "bad_signature"


class Webhook:
    """Meta's endpoint: checks who signed, stores, and only then says 200."""

    def __init__(
        self,
        writer: GroupWriter,
        reception: Reception,
        clock: Clock,
        *,
        secrets: Sequence[str],
        verify_token: str | None,
    ) -> None:
        self._writer = writer
        self._reception = reception
        self._clock = clock
        self._secrets = tuple(secrets)
        self._verify_token = verify_token
        self._complained_at = 0.0
        self._refused = 0
        """Deliveries refused since the last good one."""
        self._ever_fitted = False

    async def handshake(self, request: Request) -> Response:
        """Meta asks whether this address is ours: the challenge goes back if the token is right."""
        given = request.query_params.get("hub.verify_token", "").encode("utf-8", "replace")
        right = (self._verify_token or "").encode()
        asked = request.query_params.get("hub.mode") == "subscribe"
        if not right or not asked or not hmac.compare_digest(given, right):
            return PlainTextResponse("The verify token is not the one of this installation.", 403)
        return PlainTextResponse(request.query_params.get("hub.challenge", ""))

    async def deliver(self, request: Request) -> Response:
        """200 means: committed to disk. Never a 5xx for anything a stranger can send; 503 when storage refuses:
        Meta repeats it for hours."""
        try:
            body = await request.body()
        except ClientDisconnect:
            return Response(status_code=400)
        if webhook.signed_by(body, request.headers.get("x-hub-signature-256"), self._secrets) is None:
            await self._complain()
            return PlainTextResponse("The signature does not fit.", 403)
        await self._fits()
        delivery = webhook.parse(body)
        if not delivery.readable:
            log.warning("A signed delivery was not readable", extra={"action": "webhook.unreadable"})
        if delivery.items:
            await self._reception.take_in(delivery.items)
        return PlainTextResponse("ok")

    async def _fits(self) -> None:
        """A good signature: the secrets are right."""
        if self._refused >= REFUSALS_TOLD or not self._ever_fitted:
            # A notice from before the restart that brought the right secret ends here, too.
            self._ever_fitted = True
            await self._writer.note(
                partial(notices.settle, account_id="", connection_id="", code=_BAD_SIGNATURE)
            )
        self._refused = 0

    async def _complain(self) -> None:
        """Once a minute: a stranger must not fill the log. The owner is told when nothing good came in between."""
        self._refused += 1
        if self._refused == REFUSALS_TOLD:
            await self._writer.note(
                partial(
                    notices.raise_notice,
                    account_id="",
                    connection_id="",
                    code=_BAD_SIGNATURE,
                    message="Deliveries to the webhook were refused: no app secret fits their signature.",
                    fix="Compare PAMOSNIK_INSTAGRAM_APP_SECRET and PAMOSNIK_META_APP_SECRET with Meta's dashboard.",
                    now=self._clock.now(),
                )
            )
        now = time.monotonic()
        if now - self._complained_at < _COMPLAIN_EVERY_S:
            return
        self._complained_at = now
        hint = "" if self._secrets else " No app secret is set: PAMOSNIK_INSTAGRAM_APP_SECRET."
        log.warning(
            "A delivery was refused: its signature does not fit the app secrets.%s",
            hint,
            extra={"action": "webhook.bad_signature"},
        )


def make_app(
    settings: Config,
    writer: GroupWriter,
    reader: Database,
    own: Walled,
    aside: Aside,
    reception: Reception,
    clock: Clock,
    *,
    mails: AccountMails,
    exports: Exports,
    on_events: Callable[[], None],
    on_deletion: Callable[[], None],
) -> ASGIApp:
    """All routes of the daemon. `own`: for what is read for one account; `aside`: likewise, if it takes longer;
    `mails`: to whoever has one. `on_deletion` is called when there is something to delete."""
    hook = Webhook(
        writer,
        reception,
        clock,
        secrets=settings.webhook_secrets,
        verify_token=settings.verify_token,
    )
    pages = Pages()
    reached = Reached.under(settings)
    visitors = Visitors(writer, reader, clock, reached)
    checks = PasswordChecks(writer, reader, clock)
    login = LoginPages(pages, visitors, checks, clock)
    account_parts = Parts(
        pages, visitors, reached, checks, mails, writer, reader, own, clock, settings.operator_email
    )
    facts = Facts(
        settings.operator_name,
        settings.operator_email,
        settings.public_url,
        {kind: settings.ages.of(kind) for kind in ages.KINDS},
    )
    page_routes = [
        *pages.routes(),
        *login.routes(),
        *Forgotten(pages, visitors, checks, mails, writer, reader, clock).routes(),
        *Downloads(visitors, aside, clock).routes(),
        *HomePage(pages, visitors, writer, reader, aside, clock).routes(),
        *AccountPages(account_parts).routes(),
        *DataPages(account_parts, aside, exports, settings.ages, on_deletion).routes(),
        *LegalPages(pages, reader, clock, facts).routes(),
        *LegalEditor(account_parts, facts).routes(),
    ]
    callers = Callers(writer, reader, clock)
    errors = ErrorAnswers(pages)
    health = Health(callers, writer, reader, aside, errors)
    tracked = TrackedLinks(writer, reader, clock, on_click=on_events)
    callbacks = MetaCallbacks(pages, settings, reached, writer, reader, clock, on_deletion=on_deletion)
    app = Starlette(
        routes=[
            Route(WEBHOOK, hook.handshake, methods=["GET"]),
            Route(WEBHOOK, hook.deliver, methods=["POST"]),
            *callbacks.routes(),
            *health.routes(),
            *tracked.routes(),
            *Api(callers, writer, reader, aside, clock).routes(),
            *ApiWrites(callers, writer, clock, on_events, on_deletion).routes(),
            *page_routes,
        ],
        exception_handlers={
            HTTPException: errors.of_http,
            Exception: errors.of_our_own,
            NotLoggedIn: login.not_logged_in,
            FormRefused: login.form_refused,
            StorageRefused: health.refused,
            DatabaseDamaged: health.refused,
            _sqlite.Error: health.refused,
        },
    )
    # Starlette leads `/x/` on to `/x` of whatever host the request names, and over http.
    app.router.redirect_slashes = False
    larger = {WEBHOOK: limits.WEBHOOK_BODY_BYTES}
    larger |= {f"{legal_editor.PATH}/{name}": legal_editor.FORM_BYTES for name in PAGES}
    bounded = Bounded(app, larger, errors.of_http)
    return SafeHeaders(ReadsToTheEnd(CutShort(bounded)), reached)
