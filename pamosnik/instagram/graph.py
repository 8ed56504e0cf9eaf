"""The one HTTP client: requests to a server of Meta's Graph. One request gives one answer; it repeats nothing.

httpx stays the interface; aiohttp carries it, because httpx's own pool slows down with the number of requests in
flight. The token travels in a header: addresses end up in logs.
"""

import asyncio
import json
import ssl
import zlib
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from pamosnik.instagram import errors
from pamosnik.model.outbox import Outcome, OutcomeKind

TIMEOUT = httpx.Timeout(30.0, connect=10.0, pool=30.0)
AT_ONCE = 512
WHOLE_S = 120.0
"""For all of a request: an answer of which a byte comes now and then would hold its sender for ever."""
ANSWER_BYTES = 4 << 20
"""Unpacked. Longer answers are no answers of Meta's, and are not read to their end."""

AsgiApp = Callable[[Any, Any, Any], Coroutine[None, None, None]]
"""What an ASGI server serves: scope, receive, send."""

_NEVER_LEFT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
"""Told by aiohttp's own errors: httpx-aiohttp calls every lost connection a ConnectTimeout, also one that was lost
after the request had been read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An outcome, with the answer's body when it was a JSON object."""

    outcome: Outcome
    body: Mapping[str, object]


class Graph:
    """One server of Meta's, in one version. Close it."""

    def __init__(
        self,
        server: str,
        version: str,
        *,
        name: str,
        app: AsgiApp | None = None,
        on_answer: Callable[[datetime | None], None] = lambda _: None,
    ) -> None:
        """`server`: its address; `name`: what it is called in reasons.
        `app`: answers in Meta's place inside this process; nothing reaches the network.
        `on_answer`: gets the time that each answer names in its `Date`, None when it names none."""
        self._server, self._version, self._name = server.rstrip("/"), version, name
        self._on_answer = on_answer
        self._http = httpx.AsyncClient(
            transport=_to_the_network() if app is None else httpx.ASGITransport(app),
            timeout=TIMEOUT,
            headers={"Accept-Encoding": "gzip"},
            follow_redirects=False,
            trust_env=False,
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def request(
        self,
        method: str,
        path: str,
        *,
        token: str | None,
        body: str | None = None,
        form: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        known_id: str | None = None,
        versioned: bool = True,
    ) -> Answer:
        """`token`: None when it stands elsewhere; `body`: JSON; `form`: in place of a body. Never raises for what the
        network or Meta does."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        request = self._http.build_request(
            method,
            f"{self._server}/{self._version}/{path}" if versioned else f"{self._server}/{path}",
            params=params,
            headers=headers,
            content=None if body is None else body.encode(),
            data=form,
        )
        try:
            async with asyncio.timeout(WHOLE_S):
                response = await self._http.send(request, stream=True)
                content = await _content(response)
        except TimeoutError:
            reason = f"no usable answer from {self._name} (it does not end)"
            return Answer(Outcome(OutcomeKind.UNKNOWN, reason), {})
        except (httpx.HTTPError, aiohttp.ClientError) as error:
            # An answer that is no HTTP comes as aiohttp's own error.
            what = _kind(error)
            if isinstance(error, _NEVER_LEFT) or isinstance(error.__cause__, _NEVER_LEFT):
                return Answer(Outcome(OutcomeKind.NOT_SENT, f"no connection to {self._name} ({what})"), {})
            return Answer(Outcome(OutcomeKind.UNKNOWN, f"no usable answer from {self._name} ({what})"), {})
        self._on_answer(_date(response.headers.get("date")))
        outcome = errors.classify(response.status_code, content, response.headers, known_id=known_id)
        return Answer(outcome, _object(content))


async def _content(response: httpx.Response) -> bytes:
    """Unpacked here: httpx would unpack whatever a small answer says it holds. What is too long, or packed in a way
    that nobody asked for, is empty, so that it is no answer."""
    packed = response.headers.get("content-encoding", "identity").strip().lower()
    unpack = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16) if packed == "gzip" else None
    content = bytearray()
    try:
        async for part in response.aiter_raw():
            content += part if unpack is None else unpack.decompress(part, ANSWER_BYTES + 1 - len(content))
            if len(content) > ANSWER_BYTES:
                return b""
    except zlib.error:
        return b""
    finally:
        await response.aclose()
    return bytes(content) if packed in ("gzip", "identity") else b""


def _to_the_network() -> httpx.AsyncBaseTransport:
    limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
    return AiohttpTransport(limits=limits, verify=ssl.create_default_context())


def _date(text: str | None) -> datetime | None:
    """https://www.rfc-editor.org/rfc/rfc9110#field.date: always in UTC."""
    try:
        return None if text is None else parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        return None


def _kind(error: Exception) -> str:
    """The kind of error. Its text may hold an address."""
    return type(error).__name__


def _object(content: bytes) -> Mapping[str, object]:
    try:
        raw = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return raw if isinstance(raw, dict) else {}
