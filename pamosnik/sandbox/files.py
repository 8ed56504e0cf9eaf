"""Fetches media the way Meta does, from this machine only: status, content type, size, time.

Used with the switch `fetch_files`. Addresses elsewhere are believed, since the sandbox calls nobody outside.
"""

from urllib.parse import urlsplit

import aiohttp

from pamosnik.sandbox import rules
from pamosnik.sandbox.content import SendMessage, check_content_type, largest, read_order
from pamosnik.sandbox.errors import bad_parameter
from pamosnik.sandbox.params import Params
from pamosnik.sandbox.things import Attachment

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_CHUNK = 64 * 1024
_TIMEOUT = aiohttp.ClientTimeout(total=rules.FETCH_TIMEOUT_S)


async def check(params: Params) -> None:
    """Refuses a send whose files cannot be had."""
    body = read_order(params).body
    if not isinstance(body, SendMessage):
        return
    local = [one for one in body.content.attachments if urlsplit(one.url).hostname in _LOOPBACK]
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
        for one in local:
            await _fetch(session, one)


async def _fetch(session: aiohttp.ClientSession, file: Attachment) -> None:
    most = largest(file.kind)
    try:
        async with session.get(file.url) as answer:
            if answer.status != 200:
                raise bad_parameter(f"Failed to fetch the file from the url {file.url}.", 2018008)
            check_content_type(file.kind, answer.content_type, file.url)
            size = 0
            async for chunk in answer.content.iter_chunked(_CHUNK):
                size += len(chunk)
                if size > most:
                    raise bad_parameter(f"The file at {file.url} is too big.", 2018109)
    except TimeoutError:
        raise bad_parameter(f"The file at {file.url} took too long.", 2018294) from None
    except aiohttp.ClientError:
        raise bad_parameter(f"Failed to fetch the file from the url {file.url}.", 2018008) from None
