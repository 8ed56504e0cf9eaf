"""The HTTP surface: Meta's webhooks and callbacks, health, tracked links, the API, and the status page."""

import asyncio
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import ASGIApp

from pamosnik import _sqlite, ages
from pamosnik.clock import Clock
from pamosnik.config import Config
from pamosnik.daemon import legal_editor, status, webhook
from pamosnik.daemon.account_forms import Parts
from pamosnik.daemon.account_mails import AccountMails
from pamosnik.daemon.account_pages import AccountPages
from pamosnik.daemon.api import ROOT, Api
from pamosnik.daemon.api_document import ApiDocument
from pamosnik.daemon.api_flows import FILES_BYTES
from pamosnik.daemon.api_writes import ApiWrites
from pamosnik.daemon.aside import Aside
from pamosnik.daemon.callback import Callback
from pamosnik.daemon.callers import Callers
from pamosnik.daemon.connect_pages import ConnectPages
from pamosnik.daemon.data_pages import DataPages
from pamosnik.daemon.downloads import Downloads
from pamosnik.daemon.error_answers import ErrorAnswers
from pamosnik.daemon.exports import Exports
from pamosnik.daemon.forgotten import Forgotten
from pamosnik.daemon.health import Health
from pamosnik.daemon.http_walls import Bounded, CutShort, ReadsToTheEnd, SafeHeaders
from pamosnik.daemon.legal_editor import LegalEditor
from pamosnik.daemon.legal_pages import LegalPages
from pamosnik.daemon.login_pages import LoginPages
from pamosnik.daemon.meta_callbacks import MetaCallbacks
from pamosnik.daemon.meters import Meters
from pamosnik.daemon.metrics import Metrics
from pamosnik.daemon.password_checks import PasswordChecks
from pamosnik.daemon.reached import Reached
from pamosnik.daemon.reception import Reception
from pamosnik.daemon.rendering import Pages
from pamosnik.daemon.status.live import Live
from pamosnik.daemon.status.parts import StatusParts
from pamosnik.daemon.tracked_links import TrackedLinks
from pamosnik.daemon.visitors import FormRefused, NotLoggedIn, Visitors
from pamosnik.daemon.webhook import Webhook
from pamosnik.errors import DatabaseDamaged, StorageRefused
from pamosnik.instagram import limits
from pamosnik.instagram.client import Instagram
from pamosnik.services.legal import Facts
from pamosnik.services.public_address import PublicAddress
from pamosnik.store.database import Database
from pamosnik.store.legal_texts import PAGES
from pamosnik.store.walls import Walled
from pamosnik.store.writer import GroupWriter


def make_app(
    settings: Config,
    writer: GroupWriter,
    reader: Database,
    own: Walled,
    aside: Aside,
    reception: Reception,
    clock: Clock,
    *,
    address: PublicAddress,
    mails: AccountMails,
    exports: Exports,
    instagram: Instagram,
    ending: asyncio.Event,
    on_events: Callable[[], None],
    on_change: Callable[[], None],
    on_deletion: Callable[[], None],
    meters: Meters | None = None,
    callback: Callback | None = None,
) -> ASGIApp:
    """All routes of the daemon. `own`: for what is read for one account; `aside`: likewise, if it takes longer;
    `address`: where it is reached from outside; `mails`: to whoever has one; `ending`: set when the daemon stops.
    `on_events` is called when there is something to decide, `on_change` when somebody changed what turns or messages
    may wait for, `on_deletion` when there is something to delete. `callback`: where the public address
    may change."""
    pages, reached = Pages(), Reached.under(settings, address)
    visitors = Visitors(writer, reader, clock, reached)
    checks = PasswordChecks(writer, reader, clock)
    parts = Parts(
        pages, visitors, reached, checks, mails, writer, reader, own, clock, settings.operator_email
    )
    live = Live(visitors, reader, clock, ending)
    login = LoginPages(pages, visitors, checks, clock)
    callers = Callers(writer, reader, clock)
    errors = ErrorAnswers(pages)
    health = Health(callers, writer, reader, aside, errors)
    meters = meters or Meters()
    app = Starlette(
        routes=[
            *_for_meta(settings, parts, reception, meters, callback, on_deletion),
            *health.routes(),
            *Metrics(callers, reader, aside, clock, meters, settings).routes(),
            *TrackedLinks(writer, reader, clock, on_click=on_events).routes(),
            *Api(settings, callers, writer, reader, aside, clock, address).routes(),
            *ApiDocument().routes(),
            *ApiWrites(
                settings, callers, writer, reader, aside, clock, address, on_change, on_deletion
            ).routes(),
            *pages.routes(),
            *login.routes(),
            *live.routes(),
            *ConnectPages(parts, settings, instagram, on_change).routes(),
            *_for_holders(settings, parts, aside, exports, live, on_change, on_deletion),
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
    return _within_walls(app, reached, errors)


def _for_meta(
    settings: Config,
    parts: Parts,
    reception: Reception,
    meters: Meters,
    callback: Callback | None,
    on_deletion: Callable[[], None],
) -> list[Route]:
    """What Meta calls."""
    hook = Webhook(
        parts.writer,
        reception,
        parts.clock,
        secrets=settings.webhook_secrets,
        verify_token=settings.verify_token,
        meters=meters,
        on_meta=None if callback is None else callback.heard_from_meta,
    )
    callbacks = MetaCallbacks(
        parts.pages,
        settings,
        parts.reached,
        parts.writer,
        parts.reader,
        parts.clock,
        on_deletion=on_deletion,
    )
    return [*hook.routes(), *callbacks.routes()]


def _for_holders(
    settings: Config,
    parts: Parts,
    aside: Aside,
    exports: Exports,
    live: Live,
    on_change: Callable[[], None],
    on_deletion: Callable[[], None],
) -> list[Route]:
    """The pages of an account, and the legal pages, which everybody may read."""
    pages, visitors, reader, clock = parts.pages, parts.visitors, parts.reader, parts.clock
    facts = Facts(
        settings.operator_name,
        settings.operator_email,
        parts.reached.public,
        {kind: settings.ages.of(kind) for kind in ages.KINDS},
    )
    return [
        *Forgotten(pages, visitors, parts.checks, parts.mails, parts.writer, reader, clock).routes(),
        *Downloads(visitors, aside, clock).routes(),
        *status.routes(
            StatusParts(
                pages, visitors, parts.writer, reader, aside, clock, live, parts.reached.public, on_change
            )
        ),
        *AccountPages(parts).routes(),
        *DataPages(parts, aside, exports, settings.ages, on_deletion).routes(),
        *LegalPages(pages, reader, clock, facts).routes(),
        *LegalEditor(parts, facts).routes(),
    ]


def _within_walls(app: ASGIApp, reached: Reached, errors: ErrorAnswers) -> ASGIApp:
    """What stands around every request."""
    larger = {webhook.PATH: limits.WEBHOOK_BODY_BYTES}
    larger |= {f"{ROOT}flows/{word}": FILES_BYTES for word in ("plan", "apply")}
    larger |= {f"{legal_editor.PATH}/{name}": legal_editor.FORM_BYTES for name in PAGES}
    bounded = Bounded(app, larger, errors.of_http)
    return SafeHeaders(ReadsToTheEnd(CutShort(bounded)), reached)
