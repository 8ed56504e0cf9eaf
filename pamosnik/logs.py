"""Logging: a sentence for people, `extra={"action": …}` for machines, and no secret in either.

Message texts and user names are never handed to a logger; what looks like a token is cut out all the same, because
other libraries log too.
"""

import json
import logging
import re
import sys
import time
from typing import TextIO

_STANDARD = frozenset(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {
    "message",
    "asctime",
    "taskName",
}
_SECRET = re.compile(
    r"(?i)(bearer\s+|(?:access_token|client_secret|appsecret_proof|hub\.verify_token|code)=)[^\s&\"']+|\b(IGAA|EAA)[\w-]{10,}"
)
_QUIET = (
    "httpx",
    "httpcore",
    "aiohttp",
    "uvicorn",
    "uvicorn.error",
    "uvicorn.access",
    "apscheduler",
    "asyncio",
)


def redact(text: str) -> str:
    """The text without what looks like a token or secret."""
    return _SECRET.sub(lambda found: f"{found[1] or ''}(hidden)", text)


class _Text(logging.Formatter):
    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{record.msecs:03.0f}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in record.__dict__.items() if name not in _STANDARD}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return redact(json.dumps(line, default=str, ensure_ascii=False))


def set_up(log_format: str, *, stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Sends our records to `stream` (stderr), as text or JSON lines; other libraries speak from WARNING on."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        _Json()
        if log_format == "json"
        else _Text("%(asctime)s %(levelname)-7s %(message)s", "%Y-%m-%d %H:%M:%SZ")
    )
    # A log that cannot be written, on a full disk say, must neither end the daemon nor answer with tracebacks.
    logging.raiseExceptions = False
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
