"""How strangers see an address of ours: its name, its certificate, and what answers. For `doctor` alone.

Every question is bounded in time, follows nothing by itself, and says what kind of trouble it met: each has its own
remedy. Nothing here is logged: an address may carry the verify token.
"""

import asyncio
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

import aiohttp

ANSWER_BYTES: Final = 4096
"""What is behind is not read."""
WITHIN_S: Final = 10.0


class Trouble(Enum):
    """Why nothing came back."""

    NO_NAME = "its name is not known"
    REFUSED = "it takes no connection"
    SILENT = "it does not answer in time"
    BROKE_OFF = "the connection broke off"
    NO_HTTP = "what answers there is no web server"
    NO_TLS = "what answers there does not speak TLS"
    SELF_SIGNED = "its certificate is self-signed"
    UNKNOWN_AUTHORITY = "its certificate is from an authority that nobody knows"
    INCOMPLETE = "the chain of its certificate is incomplete"
    EXPIRED = "its certificate has expired"
    NOT_YET = "its certificate is not valid yet"
    OTHER_NAME = "its certificate is for another name"
    UNTRUSTED = "its certificate cannot be trusted"


OF_CERTIFICATES: Final = frozenset(
    {
        Trouble.SELF_SIGNED,
        Trouble.UNKNOWN_AUTHORITY,
        Trouble.INCOMPLETE,
        Trouble.EXPIRED,
        Trouble.NOT_YET,
        Trouble.OTHER_NAME,
        Trouble.UNTRUSTED,
    }
)

_VERIFY: Mapping[int, Trouble] = {
    9: Trouble.NOT_YET,
    10: Trouble.EXPIRED,
    18: Trouble.SELF_SIGNED,
    19: Trouble.UNKNOWN_AUTHORITY,
    20: Trouble.INCOMPLETE,
    21: Trouble.INCOMPLETE,
    62: Trouble.OTHER_NAME,
    64: Trouble.OTHER_NAME,
}
"""X509_V_ERR_…: https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/, read 2026-11-30."""


class Unreached(Exception):
    """Nothing came back."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer."""

    status: int
    leads_to: str | None
    """Where it sends a browser; None: nowhere."""
    body: str = field(repr=False)
    """Its beginning."""


async def addresses(host: str, port: int) -> Sequence[str]:
    """All that the name stands for. Raises `Unreached`."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(WITHIN_S):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except TimeoutError:
        raise Unreached(Trouble.NO_NAME) from None
    except (OSError, UnicodeError):
        raise Unreached(Trouble.NO_NAME) from None
    return [str(address[0]) for *_, address in found]


async def get(url: str, query: Mapping[str, str] | None = None) -> Seen:
    """Asks once, with the machine's authorities. Raises `Unreached`."""
    try:
        async with (
            asyncio.timeout(WITHIN_S),
            aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(),
                connector=aiohttp.TCPConnector(ssl=ssl.create_default_context(), force_close=True),
                timeout=aiohttp.ClientTimeout(total=None),
                auto_decompress=False,
                trust_env=False,
            ) as session,
            session.get(
                url, params=query, allow_redirects=False, headers={"Accept-Encoding": "identity"}
            ) as answer,
        ):
            body = await answer.content.read(ANSWER_BYTES)
            return Seen(answer.status, answer.headers.get("Location"), body.decode("utf-8", "replace"))
    except TimeoutError:
        raise Unreached(Trouble.SILENT) from None
    except aiohttp.ClientConnectorCertificateError as error:
        raise Unreached(_of_certificate(error.certificate_error)) from None
    except aiohttp.ClientConnectorDNSError:
        raise Unreached(Trouble.NO_NAME) from None
    except aiohttp.ClientSSLError:
        raise Unreached(Trouble.NO_TLS) from None
    except aiohttp.ClientConnectorError:
        raise Unreached(Trouble.REFUSED) from None
    except (aiohttp.ClientConnectionError, OSError):
        raise Unreached(Trouble.BROKE_OFF) from None
    except aiohttp.ClientError:
        raise Unreached(Trouble.NO_HTTP) from None


def _of_certificate(error: Exception) -> Trouble:
    if not isinstance(error, ssl.SSLCertVerificationError):
        return Trouble.OTHER_NAME if isinstance(error, ssl.CertificateError) else Trouble.UNTRUSTED
    return _VERIFY.get(error.verify_code, Trouble.UNTRUSTED)
