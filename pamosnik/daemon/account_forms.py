"""What the forms of an account's pages share: they are sent by its holder, ask for the password once more where a
stranger could do harm who found the browser open, and are shown again when they are refused."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from pamosnik._sqlite import Connection
from pamosnik.clock import Clock
from pamosnik.daemon.account_mails import AccountMails
from pamosnik.daemon.login_pages import again_in
from pamosnik.daemon.password_checks import PasswordChecks
from pamosnik.daemon.reached import Reached
from pamosnik.daemon.rendering import Pages
from pamosnik.daemon.visitors import Form, FormTooLate, Visitor, Visitors
from pamosnik.errors import HomeError, PamosnikError
from pamosnik.services.throttle import TooOften
from pamosnik.store import sessions
from pamosnik.store.database import Database
from pamosnik.store.walls import Walled, write_for
from pamosnik.store.writer import GroupWriter

ACTOR = "page"
_NEVER_SHOWN_AGAIN = ("csrf", "present", "new", "again")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Parts:
    """What the pages are made with."""

    pages: Pages
    visitors: Visitors
    reached: Reached
    checks: PasswordChecks
    mails: AccountMails
    writer: GroupWriter
    reader: Database
    own: Walled
    clock: Clock
    operator_email: str | None


class Refused(Exception):
    """A form that is shown again, with what is wrong."""

    def __init__(
        self,
        section: str,
        message: str,
        *,
        field: str | None = None,
        status: int = 422,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """`field`: which one of the section's is wrong."""
        super().__init__(message)
        self.section = section
        self.message = message
        self.field = field
        self.status = status
        self.headers = headers or {}


class AccountForms:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def write(self, visitor: Visitor, verb: Callable[..., T]) -> T:
        """One of the services' verbs, as `write_while_in`."""
        return await self.write_while_in(visitor, partial(verb, actor=ACTOR))

    async def write_while_in(self, visitor: Visitor, fn: Callable[..., T]) -> T:
        """For this account, now and within its walls. Raises `FormTooLate` when the session was ended, or got another
        token, since the request came: comparing a password takes its time."""
        account_id, now = visitor.account.id, self._parts.clock.now()

        def while_in(conn: Connection) -> T:
            if sessions.by_token(conn, visitor.token_hash, now) is None:
                raise FormTooLate
            return fn(conn, account_id=account_id, now=now)

        return await self._parts.writer.write(write_for(account_id, while_in))

    async def require_present(self, visitor: Visitor, form: Form, section: str) -> None:
        """The present password, in the field `present`. Raises `Refused`."""
        outcome = await self._parts.checks.is_present(visitor.account.id, form.get("present", ""))
        if isinstance(outcome, TooOften):
            raise self.too_often(section, "Too many wrong passwords.", outcome)
        if not outcome:
            raise Refused(section, "The present password is wrong.", field="present")

    def too_often(self, section: str, what: str, outcome: TooOften) -> Refused:
        again = again_in(outcome, self._parts.clock.now())
        return Refused(section, f"{what} Try again in {again.words}.", status=429, headers=again.headers)


def typed(form: Form) -> Mapping[str, str]:
    """What a refused form shows again."""
    return {name: value for name, value in form.items() if name not in _NEVER_SHOWN_AGAIN}


@contextmanager
def refusals_of(section: str, field: str | None = None) -> Iterator[None]:
    """What a service refuses is told in the section; what storage refuses is no mistake of the visitor's."""
    try:
        yield
    except HomeError:
        raise
    except PamosnikError as error:
        raise Refused(section, words(error), field=field) from None


def words(error: PamosnikError) -> str:
    return error.message if error.hint is None else f"{error.message} {error.hint}"
