"""Does the mails of flows. One after the other; one that does not go is tried again for two days."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

from pamosnik.daemon.tools import Tools
from pamosnik.mail import Mail, MailFailed
from pamosnik.model.outbox import ItemKind, OutboxItem
from pamosnik.services import alerts
from pamosnik.services.errands import Brought, Failed, Later, Result
from pamosnik.store import accounts

NO_SERVER = "no mail server is set (PAMOSNIK_SMTP_URL)"
GIVE_UP_AFTER = timedelta(days=2)
_FIRST_GAP = timedelta(minutes=1)
_LONGEST_GAP = timedelta(hours=1)

SendMail = Callable[[Mail, datetime], Awaitable[None]]

log = logging.getLogger(__name__)


class MailDoer:
    """Hands mails to the mail server."""

    kind = ItemKind.EMAIL
    at_once = 1

    def __init__(self, tools: Tools, send: SendMail | None) -> None:
        """`send`: None when no mail server is set."""
        self._tools = tools
        self._send = send

    async def do(self, item: OutboxItem) -> Result:
        if self._send is None:
            return Failed(NO_SERVER)
        account = accounts.load(self._tools.reader.connection, item.account_id)
        assert account is not None
        to = item.task.get("to", account.email)
        now = self._tools.clock.now()
        try:
            await self._send(Mail(to, item.task["subject"], item.task["text"], item.id), now)
        except MailFailed as error:
            return await self._failed(item, error)
        conn = self._tools.reader.connection
        if alerts.mail_is_failing(conn, item.account_id):
            await self._tools.writer.write(partial(alerts.mail_went, account_id=item.account_id))
        return Brought()

    async def _failed(self, item: OutboxItem, error: MailFailed) -> Result:
        now = self._tools.clock.now()
        message, fix, account_id = error.message, error.hint or "", ""
        if error.recipient:
            message = f"The mail server does not take mails of the flow {item.flow_id} for their reader."
            fix, account_id = "Check the address: `to` in the flow file, or the account's.", item.account_id
        fails = partial(alerts.mail_fails, account_id=account_id, message=message, fix=fix, now=now)
        await self._tools.writer.write(fails)
        log.warning("A mail of a flow cannot be sent: %s", message, extra={"action": "mails.failed"})
        assert item.first_attempt_at is not None
        gap = min(_FIRST_GAP * 2 ** min(item.attempts - 1, 10), _LONGEST_GAP)
        if now + gap > item.first_attempt_at + GIVE_UP_AFTER:
            return Failed(message)
        return Later(now + gap, message)
