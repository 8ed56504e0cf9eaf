"""Tells Meta where the webhook is when the public address changes, or says what is to be entered in its dashboard.

With the Meta app's id and secret the app's subscription is written by API; without them, and where Meta refuses that,
the owner is told. Other addresses that Meta's dashboard holds (where a login leads back to, deauthorize and
data-deletion callbacks) have no API at all. What Meta was told last is kept in a file of the home.
"""

import json
import logging
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from pamosnik._sqlite import Connection
from pamosnik.clock import Clock
from pamosnik.config import Config
from pamosnik.daemon import webhook
from pamosnik.daemon.meta_callbacks import DATA_DELETION, DEAUTHORIZE
from pamosnik.instagram import limits, meta_app
from pamosnik.instagram.meta_app import MetaApp
from pamosnik.model.outbox import OutcomeKind
from pamosnik.services import instagram_login
from pamosnik.store import notices
from pamosnik.store.shared_writer import Writer

FILE = "public-address.json"
CALLBACK, DASHBOARD = "callback_address", "dashboard_addresses"
SHOWN = timedelta(days=7)
"""So long it is told which addresses are to be entered by hand: nobody can see whether they were."""
_FIRST_GAP, _LONGEST_GAP = timedelta(minutes=1), timedelta(hours=1)
_FOR_NOW = (OutcomeKind.NOT_SENT, OutcomeKind.UNKNOWN, OutcomeKind.BACK_OFF, OutcomeKind.RETRY)
"""Meta could not be asked, which says nothing about what it knows."""
_WHERE = "In Meta's App Dashboard, under API setup with Instagram login"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Known:
    """What was told to whom."""

    meta: str | None = None
    """The public address that Meta sends to, as far as is known."""
    owner: str | None = None
    """The one whose other addresses the owner was told to enter."""


class Callback:
    """One for the daemon."""

    def __init__(self, settings: Config, writer: Writer, clock: Clock) -> None:
        self._settings, self._writer, self._clock = settings, writer, clock
        self._file = settings.home / FILE
        self._known = _load(self._file)
        self._url: str | None = None
        """Leads here at the moment."""
        self._looked = False
        """Whether Meta was asked since the start what it was told."""
        self._told: str | None = None
        self._not_before: datetime | None = None
        self._gap = _FIRST_GAP

    async def leads_here(self, url: str) -> None:
        """Called again and again while the public address answers; does something when something is to be done."""
        if url != self._url:
            self._url, self._not_before, self._gap = url, None, _FIRST_GAP
        if not self._has_pair:
            if self._told != url:
                await (self._is_known() if self._known.meta == url else self._to_be_entered(url, None))
                self._told = url
            return
        if self._looked and self._known.meta == url:
            return
        now = self._clock.now()
        if self._not_before is None or now >= self._not_before:
            await self._register(url)

    async def heard_from_meta(self, host: str) -> None:
        """Meta has asked for its word, or delivered something, under this name: it knows the address."""
        url = self._url
        if url is None or self._has_pair or self._known.meta == url:
            return
        if urlsplit(url).netloc.lower() == host.lower():
            # Whoever entered it in the dashboard was told the other addresses as well.
            await self._is_known()
            self._put(_Known(url, url))

    # --- telling Meta --------------------------------------------------------------------------------

    @property
    def _has_pair(self) -> bool:
        its = self._settings
        return None not in (its.meta_app_id, its.meta_app_secret, its.verify_token)

    async def _register(self, url: str) -> None:
        its = self._settings
        pair = (its.meta_app_id or "", its.meta_app_secret or "")
        async with MetaApp(*pair, version=its.graph_version, meta_url=its.meta_url) as app:
            await self._ask_and_tell(app, url)

    async def _ask_and_tell(self, app: MetaApp, url: str) -> None:
        callback = f"{url}{webhook.PATH}"
        answer = await app.subscriptions()
        if answer.outcome.kind in _FOR_NOW:
            self._try_later()
            return
        found = meta_app.subscription(answer)
        if found is None or found.callback_url != callback or not found.active:
            # Fields that the owner has added in the dashboard stay.
            fields = dict.fromkeys([*limits.SUBSCRIBED_FIELDS, *(found.fields if found else ())])
            answer = await app.subscribe(callback, self._settings.verify_token or "", tuple(fields))
            if not meta_app.done(answer):
                await self._refused(url, answer.outcome.reason)
                return
            log.info("Meta sends to %s from now on", callback, extra={"action": "callback.registered"})
        self._looked = True
        self._put(replace(self._known, meta=url))
        await self._is_known()
        if self._known.owner != url:
            await self._writer.write(partial(self._tell_the_rest, url=url))
            self._put(replace(self._known, owner=url))

    async def _refused(self, url: str, reason: str) -> None:
        self._try_later()
        log.warning(
            "Meta did not take the webhook's address: %s", reason, extra={"action": "callback.refused"}
        )
        await self._to_be_entered(url, reason)

    def _try_later(self) -> None:
        self._not_before = self._clock.now() + self._gap
        self._gap = min(self._gap * 2, _LONGEST_GAP)

    # --- telling the owner ---------------------------------------------------------------------------

    async def _is_known(self) -> None:
        await self._writer.write(partial(notices.settle, account_id="", connection_id="", code=CALLBACK))

    async def _to_be_entered(self, url: str, reason: str | None) -> None:
        await self._writer.write(partial(self._tell, url=url, reason=reason))

    def _tell(self, conn: Connection, *, url: str, reason: str | None) -> None:
        message = f"The public address is {url}, and Meta has not been told"
        message += "." if reason is None else f": {reason}."
        fix = (
            f"{_WHERE}, Configure webhooks: callback URL {url}{webhook.PATH}, verify token as in pamosnik.toml or"
            f" PAMOSNIK_VERIFY_TOKEN, then Verify and save. {self._others(url)}"
        )
        if reason is None:
            fix += " Or set PAMOSNIK_META_APP_ID and PAMOSNIK_META_APP_SECRET: then Pamosnik tells Meta that URL."
        notices.raise_notice(conn, "", "", CALLBACK, message, fix, self._clock.now())

    def _tell_the_rest(self, conn: Connection, *, url: str) -> None:
        message = (
            f"The public address has become {url}. Meta sends webhooks there; other addresses have no API."
        )
        fix = f"{self._others(url)} If you have done so, there is nothing to do: this goes after a week."
        notices.raise_notice(conn, "", "", DASHBOARD, message, fix, self._clock.now())

    def _others(self, url: str) -> str:
        login = (
            f"OAuth redirect URI {url}{instagram_login.CALLBACK}, " if self._settings.instagram_app_id else ""
        )
        return (
            f"{_WHERE}, Business login settings: {login}Deauthorize callback URL {url}{DEAUTHORIZE},"
            f" Data deletion request URL {url}{DATA_DELETION}. In App settings, Basic: {url}/privacy and {url}/terms."
        )

    def _put(self, known: _Known) -> None:
        self._known = known
        _save(self._file, known)


def forget_notices(conn: Connection) -> None:
    """Of a start with a tunnel, when there is none now."""
    for code in (CALLBACK, DASHBOARD):
        notices.settle(conn, "", "", code)


def _load(file: Path) -> _Known:
    """What cannot be read was told nobody: it is told again."""
    try:
        raw = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return _Known()
    if not isinstance(raw, dict):
        return _Known()
    known = {name: raw.get(name) for name in ("meta", "owner")}
    return _Known(**{name: value if isinstance(value, str) else None for name, value in known.items()})


def _save(file: Path, known: _Known) -> None:
    """In one step. A full disk is no reason to end: it is told once more after the next start."""
    new = file.with_suffix(".new")
    try:
        new.unlink(missing_ok=True)
        new.touch(mode=0o600)
        new.write_text(json.dumps(asdict(known)), "utf-8")
        new.replace(file)
    except OSError as error:
        log.warning("%s cannot be written: %s", FILE, error.strerror, extra={"action": "callback.unsaved"})
