"""Logging: a sentence for people, `extra={"action": …}` for machines, and no secret in either.

Message texts and user names are never handed to a logger. Three walls stand behind that, because other libraries log
too, and exceptions say what they like:

- Only our own loggers speak below WARNING. Whatever level is set, no library prints headers, addresses or values.
- Of an exception the frames are logged and its class. Its message only where the class says that it is about files,
  the database or the program: a `ValueError` quotes the value, and that may be what somebody wrote.
- What looks like a token or password is cut out, and so are the secrets that are known (`unsaid`).

A record is one line of its own, and what belongs to it stands further in: nobody forges a line.
"""

import json
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, TextIO

from pamosnik import terminal, unsaid
from pamosnik.errors import PamosnikError

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING}

_OURS = "pamosnik"
_STANDARD = frozenset(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {
    "message",
    "asctime",
    "taskName",
}
_SAYS_NOTHING_OF_PEOPLE = (
    PamosnikError,
    OSError,
    TypeError,
    AttributeError,
    NameError,
    ImportError,
    ArithmeticError,
    AssertionError,
    NotImplementedError,
    RecursionError,
    MemoryError,
    TimeoutError,
)
"""Their messages are about the program, the machine or the owner's settings."""
_DATABASE = ("sqlite3", "pysqlite3")
"""SQLite names tables and columns, never values."""

_PRIORITIES = {0: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
"""syslog's, from a level on."""

log = logging.getLogger(__name__)


def told(error: BaseException) -> str:
    """An exception as a log may say it, with those that led to it."""
    return unsaid.hide("".join(_told(error, set())).rstrip("\n"))


def _told(error: BaseException, before: set[int]) -> Iterator[str]:
    before.add(id(error))
    cause, context = error.__cause__, error.__context__
    if cause is not None and id(cause) not in before:
        yield from _told(cause, before)
        yield "\nThe above exception was the direct cause of the following exception:\n\n"
    elif context is not None and not error.__suppress_context__ and id(context) not in before:
        yield from _told(context, before)
        yield "\nDuring handling of the above exception, another exception occurred:\n\n"
    yield "Traceback (most recent call last):\n"
    yield from traceback.format_tb(error.__traceback__)
    yield f"{_named(type(error))}{_message(error)}\n"
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield "".join(f"  {line}" for line in "".join(_told(one, before)).splitlines(keepends=True))


def _named(kind: type[BaseException]) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _message(error: BaseException) -> str:
    from_database = type(error).__module__.split(".")[0] in _DATABASE
    if not from_database and not isinstance(error, _SAYS_NOTHING_OF_PEOPLE):
        return ""
    return f": {error}"


class _Lines(logging.Formatter):
    """What both formats share."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        error: BaseException | None = ei[1]
        return "" if error is None else told(error)


def _sentence(record: logging.LogRecord) -> str:
    """asyncio adds what it knows of a task, and there the exception it ended with quotes what it likes."""
    sentence = record.getMessage()
    return sentence.partition("\n")[0] if record.name == "asyncio" else sentence


class _Text(_Lines):
    converter = staticmethod(time.gmtime)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        record.message = _sentence(record)
        return terminal.one_line(super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # another handler's formatter may have kept its own there
        return terminal.clean(unsaid.hide(super().format(record))).replace("\n", "\n    ")


class _Journal(_Text):
    """The journal has the time already, and takes the level from the number in front."""

    def format(self, record: logging.LogRecord) -> str:
        level = _PRIORITIES[max(one for one in _PRIORITIES if one <= record.levelno)]
        return "\n".join(f"<{level}>{line}" for line in super().format(record).split("\n"))


class _Json(_Lines):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{record.msecs:03.0f}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _sentence(record),
        }
        line |= {name: value for name, value in record.__dict__.items() if name not in _STANDARD}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        # Before it is JSON: a pattern that ends at a quote would end in the middle of an escaped one.
        return terminal.escaped(json.dumps(_without_secrets(line), ensure_ascii=False))


def _without_secrets(value: object) -> object:
    match value:
        case None | bool() | int() | float():
            return value
        case Mapping():
            return {unsaid.hide(str(name)): _without_secrets(one) for name, one in value.items()}
        case list() | tuple():
            return [_without_secrets(one) for one in value]
        case _:
            return unsaid.hide(str(value))


def set_up(log_format: str, *, stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Sends our records from `level` on to `stream` (stderr), as text or JSON lines; other libraries' from WARNING
    on, Python's warnings among them."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_formatter(log_format, handler.stream))
    # A log that cannot be written, on a full disk say, must neither end the daemon nor answer with tracebacks.
    logging.raiseExceptions = False
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.WARNING))
    logging.getLogger(_OURS).setLevel(level)
    logging.captureWarnings(True)


def _formatter(log_format: str, stream: TextIO) -> logging.Formatter:
    if log_format == "json":
        return _Json()
    if goes_to_the_journal(stream):
        return _Journal("%(message)s")
    return _Text("%(asctime)s %(levelname)-7s %(message)s", "%Y-%m-%d %H:%M:%SZ")


def goes_to_the_journal(stream: TextIO) -> bool:
    """Whether it is what systemd has named in `JOURNAL_STREAM`, by device and inode."""
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def take_what_nobody_caught() -> None:
    """Exceptions that end a thread, or that a destructor raises, go to the log instead of raw to stderr."""

    def of_a_thread(args: threading.ExceptHookArgs) -> None:
        _uncaught(args.exc_type, args.exc_value, args.exc_traceback)

    def of_nobody(args: "sys.UnraisableHookArgs") -> None:
        _uncaught(args.exc_type, args.exc_value, args.exc_traceback)

    threading.excepthook = of_a_thread
    sys.unraisablehook = of_nobody
    sys.excepthook = _uncaught


def _uncaught(kind: type[BaseException], error: BaseException | None, frames: TracebackType | None) -> None:
    raised = kind() if error is None else error
    log.error("Nobody caught this", exc_info=(kind, raised, frames), extra={"action": "uncaught"})
