"""Does the calls of flows. Without an answer, or with one of 500 and above, a call is repeated three times."""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from pamosnik import unsaid
from pamosnik.calls import Answer, CallRefused, NoAnswer, Order, Target
from pamosnik.daemon.tools import Tools
from pamosnik.model.book import Webhook
from pamosnik.model.outbox import ItemKind, OutboxItem
from pamosnik.model.text import Variable
from pamosnik.services import webhooks
from pamosnik.services.errands import Brought, Failed, Later, Result
from pamosnik.services.library import Library
from pamosnik.services.webhooks import BadAnswer

GAPS = (timedelta(seconds=1), timedelta(seconds=5), timedelta(seconds=20))
"""Before each repetition: a person waits for the answer."""

MakeCall = Callable[[Target, Order, datetime], Awaitable[Answer]]
Environ = Callable[[str], str | None]

_OWNERS_FAULT = frozenset({401, 403})
"""The service does not know us: that is no answer about one person."""

log = logging.getLogger(__name__)


class CallDoer:
    """Asks the addresses that flow files name."""

    kind = ItemKind.CALL
    at_once = 16

    def __init__(
        self, tools: Tools, make_call: MakeCall, environ: Environ, gaps: Sequence[timedelta] = GAPS
    ) -> None:
        self._tools = tools
        self._make_call = make_call
        self._environ = environ
        self._gaps = gaps
        self._library = Library()

    async def do(self, item: OutboxItem) -> Result:
        name = item.task["webhook"]
        settings = self._library.catalog(self._tools.reader.connection, item.account_id).book.settings
        webhook = settings.webhooks.get(name)
        if webhook is None:
            return Failed(f"there is no webhook {name} any more")
        try:
            target = self._target(item.account_id, webhook, settings.facts)
            answer = await self._make_call(target, _order(item), self._tools.clock.now())
        except CallRefused as error:
            return await self._failed(item, str(error))
        except NoAnswer as error:
            return await self._again(item, str(error))
        return await self._answered(item, answer)

    def _target(self, account_id: str, webhook: Webhook, facts: Mapping[str, str]) -> Target:
        if webhook.url is not None:
            url = "".join(facts.get(p.name, "") if isinstance(p, Variable) else p for p in webhook.url.parts)
        else:
            assert webhook.url_from is not None
            url = self._variable(account_id, webhook.url_from)
        key = None if webhook.secret_from is None else self._variable(account_id, webhook.secret_from)
        return Target(url, key, webhook.allow_private)

    def _variable(self, account_id: str, name: str) -> str:
        if not webhooks.may_read(self._tools.reader.connection, account_id, name):
            raise CallRefused(
                f"{name} does not begin with FLOW_ and the name of a connection of this account"
            )
        value = (self._environ(name) or "").strip()
        if not value:
            raise CallRefused(f"{name} is not set in the environment of `pamosnik serve`")
        return unsaid.keep(value)

    async def _answered(self, item: OutboxItem, answer: Answer) -> Result:
        status = answer.status
        if status >= 500:
            return await self._again(item, f"it answers {status}")
        if 300 <= status < 400:
            return await self._failed(item, f"it answers {status}, a redirect, which is not followed")
        if status in _OWNERS_FAULT:
            return await self._failed(item, f"it answers {status}")
        if not 200 <= status < 300:
            return Failed(f"it answers {status}")
        try:
            found = webhooks.saved(answer.body, json.loads(item.task["save"]))
        except BadAnswer as error:
            return await self._failed(item, str(error))
        conn = self._tools.reader.connection
        if webhooks.is_failing(conn, item.account_id, item.task["webhook"]):
            await self._tools.writer.write(partial(webhooks.works, account_id=item.account_id))
        return Brought(found)

    async def _again(self, item: OutboxItem, reason: str) -> Result:
        if item.attempts > len(self._gaps):
            return await self._failed(item, reason)
        return Later(self._tools.clock.now() + self._gaps[item.attempts - 1], reason)

    async def _failed(self, item: OutboxItem, reason: str) -> Result:
        name = item.task["webhook"]
        tell = partial(webhooks.fails, account_id=item.account_id, name=name, reason=reason)
        await self._tools.writer.write(partial(tell, now=self._tools.clock.now()))
        log.warning("The webhook %s fails: %s", name, reason, extra={"action": "calls.failed"})
        return Failed(reason)


def _order(item: OutboxItem) -> Order:
    task = item.task
    query = tuple((str(name), str(value)) for name, value in json.loads(task.get("query", "[]")))
    return Order(item.id, task["webhook"], task["method"], task.get("body"), query, float(task["timeout_s"]))
