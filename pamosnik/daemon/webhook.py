"""Meta's webhook: checks who signed, stores, and only then says 200."""

import hmac
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pamosnik._sqlite import Connection
from pamosnik.clock import Clock
from pamosnik.daemon.meters import Meters
from pamosnik.daemon.reception import Reception
from pamosnik.instagram import webhook
from pamosnik.store import notices
from pamosnik.store.writer import GroupWriter

log = logging.getLogger(__name__)

PATH = "/webhooks/instagram"
_COMPLAIN_EVERY_S = 60.0
REFUSALS_TOLD = 3
"""Bad signatures in a row before something is wrong: one alone may be a stranger's, and is told aside."""
_BAD_SIGNATURE = "bad_signature"
_COMPARE = "Compare PAMOSNIK_INSTAGRAM_APP_SECRET and PAMOSNIK_META_APP_SECRET with Meta's dashboard"


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
        meters: Meters,
        on_meta: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        """`on_meta` is called with the name under which Meta has come here."""
        self._writer = writer
        self._reception = reception
        self._clock = clock
        self._secrets = tuple(secrets)
        self._verify_token = verify_token
        self._meters = meters
        self._on_meta = on_meta
        self._complained_at = 0.0
        self._refused = 0
        """Deliveries refused since the last good one."""
        self._ever_fitted = False

    def routes(self) -> list[Route]:
        return [
            Route(PATH, self.handshake, methods=["GET"]),
            Route(PATH, self.deliver, methods=["POST"]),
        ]

    async def handshake(self, request: Request) -> Response:
        """Meta asks whether this address is ours: the challenge goes back if the token is right."""
        given = request.query_params.get("hub.verify_token", "").encode("utf-8", "replace")
        right = (self._verify_token or "").encode()
        asked = request.query_params.get("hub.mode") == "subscribe"
        if not right or not asked or not hmac.compare_digest(given, right):
            return PlainTextResponse("The verify token is not the one of this installation.", 403)
        await self._meta_is_here(request)
        return PlainTextResponse(request.query_params.get("hub.challenge", ""))

    async def deliver(self, request: Request) -> Response:
        """200 means: committed to disk. Never a 5xx for anything a stranger can send; 503 when storage refuses:
        Meta repeats it for hours."""
        try:
            body = await request.body()
        except ClientDisconnect:
            return Response(status_code=400)
        if webhook.signed_by(body, request.headers.get("x-hub-signature-256"), self._secrets) is None:
            self._meters.deliveries["bad_signature"] += 1
            await self._complain()
            return PlainTextResponse("The signature does not fit.", 403)
        await self._fits()
        await self._meta_is_here(request)
        delivery = webhook.parse(body)
        self._meters.deliveries["accepted" if delivery.readable else "unreadable"] += 1
        if not delivery.readable:
            log.warning("A signed delivery was not readable", extra={"action": "webhook.unreadable"})
        if delivery.items:
            await self._reception.take_in(delivery.items)
        return PlainTextResponse("ok")

    async def _meta_is_here(self, request: Request) -> None:
        if self._on_meta is not None:
            await self._on_meta(request.headers.get("host", ""))

    async def _fits(self) -> None:
        """A good signature: the secrets are right."""
        if self._refused >= REFUSALS_TOLD or not self._ever_fitted:
            # A notice from before the restart that brought the right secret ends here, too.
            self._ever_fitted = True
            await self._writer.note(_secrets_fit)
        self._refused = 0

    async def _complain(self) -> None:
        """Once a minute: a stranger must not fill the log. The owner is told when nothing good came in between."""
        self._refused += 1
        if self._refused == 1 and not self._ever_fitted:
            await self._writer.note(partial(_one_refused, now=self._clock.now()))
        if self._refused == REFUSALS_TOLD:
            await self._writer.note(partial(_all_refused, now=self._clock.now()))
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


# --- what is told ----------------------------------------------------------------------------------------


def _one_refused(conn: Connection, now: datetime) -> None:
    """Unless it is known already that all are."""
    if notices.since(conn, "", "", _BAD_SIGNATURE) is not None:
        return
    message = (
        "A delivery to the webhook was refused, for no app secret fits its signature; none has fitted since pamosnik"
        " serve was started."
    )
    fix = f"If it was yours (a Test of the dashboard, a comment to try): {_COMPARE}. Else a stranger sent it."
    notices.raise_notice(conn, "", "", notices.SIGNATURE_REFUSED, message, fix, now)


def _all_refused(conn: Connection, now: datetime) -> None:
    notices.settle(conn, "", "", notices.SIGNATURE_REFUSED)
    message = "Deliveries to the webhook were refused: no app secret fits their signature."
    notices.raise_notice(conn, "", "", _BAD_SIGNATURE, message, f"{_COMPARE}.", now)


def _secrets_fit(conn: Connection) -> None:
    for code in (_BAD_SIGNATURE, notices.SIGNATURE_REFUSED):
        notices.settle(conn, "", "", code)
