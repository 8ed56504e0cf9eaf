"""What all commands share: opening the home, and printing for people or for scripts."""

import contextlib
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from pamosnik import terminal
from pamosnik.errors import Again, Declined, UsageError

if TYPE_CHECKING:
    from pamosnik._sqlite import Connection
    from pamosnik.config import Config
    from pamosnik.store.accounts import Account
    from pamosnik.store.database import Database
    from pamosnik.store.walls import Walled

T = TypeVar("T")
_ZONE: ContextVar[str | None] = ContextVar("zone", default=None)
"""Of the account a command works for: people read times in it, JSON stays UTC. None: it works for no account."""

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")

_WIDEST = 100

NEWEST = 50
"""Rows that people see by default; scripts get all."""

Json = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Limit = Annotated[int | None, typer.Option(help="How many, the newest first.", min=1)]
All = Annotated[bool, typer.Option("--all", help="All of them.")]
Since = Annotated[str | None, typer.Option(help="Only what is newer: 2h, 3d or a date.")]


@dataclass(frozen=True, slots=True)
class Home:
    """An open home, and the account the command means. `read` and `write` stay within that account's walls."""

    settings: "Config"
    database: "Database"
    """All of it: for what concerns the machine, not one account."""
    account: "Account"
    own: "Walled"

    def read(self, fn: "Callable[[Connection], T]") -> "T":
        """Runs `fn` on one consistent snapshot of the account's rows."""
        return self.own.read(self.account.id, fn)

    def write(self, fn: "Callable[[Connection], T]") -> "T":
        """Runs `fn` in one transaction that changes rows of the account alone."""
        from pamosnik.store.walls import write_for

        return self.database.write(write_for(self.account.id, fn))


@dataclass(frozen=True, slots=True)
class Machine:
    """An open home with whichever accounts it has: for the machine's owner, who may see and change them all."""

    settings: "Config"
    database: "Database"


@contextlib.contextmanager
def open_machine() -> Iterator[Machine]:
    """The settings and the database; closed at the end. Raises `HomeError`, damage included."""
    from pamosnik import config
    from pamosnik.commands import upgrading
    from pamosnik.commands.patience import Patience
    from pamosnik.services import home
    from pamosnik.store.damage import look_quickly, require_there
    from pamosnik.store.database import open_database
    from pamosnik.store.refusals import told_in_words

    settings = config.load()
    require_there(settings.database)
    home.require_private(settings)
    look_quickly(settings.database)
    if upgrading.changes():
        upgrading.bring_up_to_date(settings)
    with told_in_words(settings.database), open_database(settings.database) as database:
        _ZONE.set(home.local_timezone())
        database.wait_while(Patience(settings, note))
        yield Machine(settings, database)


@contextlib.contextmanager
def open_home() -> Iterator[Home]:
    """The settings, the database and the account; closed at the end. Raises `HomeError`, damage included."""
    from pamosnik import config
    from pamosnik.services import home
    from pamosnik.store.database import open_database
    from pamosnik.store.walls import Walled

    with open_machine() as machine, open_database(machine.settings.database) as own:
        account = home.choose_account(machine.database, os.environ.get(config.ACCOUNT_VARIABLE) or None)
        times_on_the_clock_of(account)
        yield Home(machine.settings, machine.database, account, Walled(own))


def times_on_the_clock_of(account: "Account") -> None:
    """From now on people read times in the account's time zone."""
    _ZONE.set(account.timezone)


def now() -> datetime:
    return datetime.now(UTC)


def note(text: str) -> None:
    """A remark for people, on stderr; silent with --quiet."""
    if not os.environ.get("PAMOSNIK_QUIET"):
        with contextlib.suppress(OSError):  # the log of `serve` may be on a full disk
            terminal.err(text)


def about_errors(home: "Home", texts: Iterable[object]) -> None:
    """Where each error of Meta's that these sentences name is explained: the daemon's own page."""
    from pamosnik.services import errors_explained

    settings = home.settings
    base = settings.public_url or f"http://{settings.host}:{settings.port}"
    for line in errors_explained.lines(texts, base):
        note(line)


def say(text: str) -> None:
    """A line of the answer, on stdout. One line it stays, whatever the names and texts in it hold."""
    terminal.out(terminal.one_line(text))


def say_coloured(*parts: str | tuple[str, str]) -> None:
    """As `say`; of a pair the second is Rich's style of the first, for terminals, and without colours by NO_COLOR."""
    words = [(part, "") if isinstance(part, str) else part for part in parts]
    if not sys.stdout.isatty():
        say("".join(text for text, _ in words))
        return
    from rich.text import Text

    line = Text.assemble(*((terminal.one_line(text), style) for text, style in words))
    terminal.console().print(line, soft_wrap=True)


def paragraph(text: str) -> None:
    """Lines of the answer, on stdout: its line ends are ours."""
    terminal.out(text)


def width() -> int | None:
    """Columns for sentences: of the terminal, though not so many that lines are hard to read; None in a pipe."""
    import shutil

    return min(shutil.get_terminal_size().columns, _WIDEST) if sys.stdout.isatty() else None


def print_json(value: object) -> None:
    terminal.out(terminal.json_text(value))


def print_table(rows: Sequence[Mapping[str, object]], columns: Sequence[tuple[str, str]], empty: str) -> None:
    """`columns`: (key, heading). On a terminal as wide as it is; in a pipe every line whole."""
    if not rows:
        note(empty)
        return
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    console = terminal.console(width=None if sys.stdout.isatty() else 200)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for _, heading in columns:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(terminal.one_line(shown(row.get(key))) for key, _ in columns))
    console.print(table)


def print_facts(facts: Sequence[tuple[str, object]]) -> None:
    """One thing, a line for each fact."""
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        say(f"{name:<{width}}  {shown(value)}")


def shown(value: object) -> str:
    """A value of the JSON contract for people."""
    if value is None or value in ("", [], {}):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        if "igsid" in value:
            name = value.get("username")
            return f"@{name}" if name else str(value["igsid"] or "–")
        return ", ".join(f"{key}: {shown(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    text = str(value)
    return _local(text) if _INSTANT.fullmatch(text) else text


def _local(text: str) -> str:
    """An instant of the JSON contract on the clock of the account's owner; else in UTC, and that is said."""
    from zoneinfo import ZoneInfo

    zone = _ZONE.get()
    at = datetime.fromisoformat(text).astimezone(ZoneInfo(zone or "UTC"))
    return f"{at:%Y-%m-%d %H:%M:%S}{'' if zone else ' UTC'}"


def how_many(limit: int | None, everything: bool, as_json: bool) -> int | None:
    """The limit that holds; None for all."""
    if everything or (as_json and limit is None):
        return None
    return limit or NEWEST


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 backup`, `2 backups`; `many`: of a word that takes no s."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def since_instant(home: "Home", written: str | None) -> datetime | None:
    """As `asked.moment`, on the account's clock."""
    from pamosnik.services import asked

    return asked.moment("--since", written, now(), home.account.timezone)


def confirm(question: str, *, yes: bool) -> bool:
    """Asks on a terminal. Without one nothing is done unless --yes says so."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError(f"{question} Nobody can be asked here.", again=Again(("--yes",)))
    return terminal.sure(question)


def require_yes(question: str, *, yes: bool, otherwise: str = "Nothing was changed.") -> None:
    """Likewise, where a no is the end of the command. Raises `Declined`."""
    if not confirm(question, yes=yes):
        raise Declined(otherwise)
