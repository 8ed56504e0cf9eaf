"""Which mails an owner gets about what needs them: one for each cause, one when it is mended, none in between.

The notices say what is wrong now, the alerts what was told last; whoever compares the two knows what to tell. So it
does not matter who raised a notice, and a restart forgets nothing.

Not mailed, although `status` shows them: a rest that Meta asked for (it ends by itself; a long one has a notice),
"not connected" and "no flows" (states of setting up, with the owner at the keyboard), and that mail itself fails.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pamosnik._sqlite import Connection
from pamosnik.model.outbox import Quota
from pamosnik.services import codes, errors_explained, logins, profiles, settling, webhooks
from pamosnik.store import accounts, alerts, connections, notices
from pamosnik.store.alerts import Alert
from pamosnik.store.notices import Notice

MAIL_FAILING = "mail_failing"
APART = timedelta(hours=1)
"""Between a mail about a cause and the next alert about it: what flaps is not told each time."""
APART_WHEN_OTHERS_CAUSE_IT = timedelta(days=1)
MENDED_FOR = timedelta(minutes=5)
"""So long a cause must be gone before its owner hears so."""

_CAUSED_BY_OTHERS = frozenset({"bad_signature"})
"""Whoever knows the address of the webhook can bring these about."""
_PATIENCE: Mapping[str, timedelta] = {
    "instagram_silent": timedelta(hours=1),
    "tunnel_down": timedelta(minutes=5),
    "callback_address": timedelta(minutes=10),
}
"""What mostly passes by itself is told when it has lasted so long."""
_CAUSES: Mapping[str, str] = {
    logins.EXPIRING: "login",
    logins.NEEDS_LOGIN: "login",
    logins.APP_REMOVED: "login",
}
"""Codes that are steps of one cause. Every other code is a cause of its own."""
_NOT_MAILED = frozenset({MAIL_FAILING, *notices.ASIDE})
_FINAL = frozenset({notices.DATA_DELETED})
"""Only told: nothing can be mended any more."""

_READ_INSTEAD = (
    "Messages and comments are read every five minutes instead, so answers come a little later."
    " Reactions and story mentions are missed."
)
_MEANWHILE: Mapping[str, str] = {
    logins.NEEDS_LOGIN: "Nothing is sent for this account. Answers wait, and go out when you have logged in,"
    " as far as they are still in time.",
    logins.EXPIRING: "Pamosnik goes on trying to refresh it. Until the login has ended, everything works.",
    logins.APP_REMOVED: "Nothing is received or sent for this account. What was waiting is kept until then.",
    notices.DATA_DELETED: "Your flows and everything of other accounts are as they were.",
    "restricted": "Answers wait, and go out by themselves as far as they are still in time.",
    "advanced_access": "This message is not sent again. Everything else goes on.",
    "subscription_lost": f"{_READ_INSTEAD} Pamosnik goes on trying to subscribe.",
    "webhooks_missing": _READ_INSTEAD,
    "no_app_secret": _READ_INSTEAD,
    "bad_signature": _READ_INSTEAD,
    "tunnel_down": _READ_INSTEAD,
    "callback_address": _READ_INSTEAD,
    "instagram_silent": "Messages wait, and go out by themselves as far as they are still in time.",
    webhooks.FAILING: "Flows that call it go on with what they say under `if_it_fails`.",
    codes.LOW: "Everything goes on. Whoever comes when no code is left gets what the flow says under `if_empty`.",
    profiles.REFUSED: "Everything goes on. Names stay unknown, and so does whether people follow you.",
    "another_tool": "Pamosnik goes on answering comments that are left to it.",
    **{
        f"{quota.value}_refused": "What was refused is kept, and goes out by itself if it is still in time."
        " Everything else goes on."
        for quota in Quota
    },
    settling.UNKNOWN_MESSAGES: "Pamosnik cannot tell whether it arrived, so it is not sent again. Later messages to"
    " the same person wait an hour at most.",
}


@dataclass(frozen=True, slots=True)
class Tell:
    """A mail that something is wrong."""

    notice: Notice


@dataclass(frozen=True, slots=True)
class TellMended:
    """A mail that it is mended."""

    alert: Alert


@dataclass(frozen=True, slots=True)
class Remember:
    """No mail, but the alert has changed."""

    alert: Alert


Move = Tell | TellMended | Remember


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail, and the alert to store when it has gone."""

    account_id: str
    to: str
    subject: str
    text: str
    after: Alert


# --- what to tell ----------------------------------------------------------------------------------------


def cause_of(code: str) -> str:
    return _CAUSES.get(code, code)


def decide(notice: Notice | None, told: Alert | None, now: datetime) -> Move | None:
    """What follows from what is wrong about one cause (None: nothing) and what was told last (None: never any)."""
    if notice is None:
        return None if told is None or not told.open else _gone(told, now)
    if told is None:
        return None if _may_pass(notice, now) else Tell(notice)
    if notice.code in _FINAL:
        return None
    if told.open and (told.gone_since is not None or told.step > notice.step):
        # It is back before anybody heard that it was gone; or it is less grave, and may become graver again.
        return Remember(replace(told, gone_since=None, step=min(told.step, notice.step)))
    news = not told.open or notice.step > told.step
    return Tell(notice) if news and not _may_pass(notice, now) and not _too_soon(notice, told, now) else None


def _gone(told: Alert, now: datetime) -> Move | None:
    if told.gone_since is None:
        return Remember(replace(told, gone_since=now))
    return TellMended(told) if now - told.gone_since >= MENDED_FOR else None


def _may_pass(notice: Notice, now: datetime) -> bool:
    return now - notice.since < _PATIENCE.get(notice.code, timedelta())


def _too_soon(notice: Notice, told: Alert, now: datetime) -> bool:
    """A mail from the future, before the clock was set right, holds nothing up."""
    apart = APART_WHEN_OTHERS_CAUSE_IT if notice.code in _CAUSED_BY_OTHERS else APART
    return told.mailed_at <= now < told.mailed_at + apart


def moves(conn: Connection, now: datetime) -> list[Move]:
    """For each cause what is to be done now, what has waited longest first."""
    wrong = _wrong(conn)
    told = {(one.account_id, one.connection_id, one.cause): one for one in alerts.every(conn)}
    keys = [*wrong, *(key for key in told if key not in wrong)]
    found = (decide(wrong.get(key), told.get(key), now) for key in keys)
    return [move for move in found if move is not None]


def _wrong(conn: Connection) -> dict[tuple[str, str, str], Notice]:
    """The gravest notice of each cause, the oldest first."""
    found: dict[tuple[str, str, str], Notice] = {}
    for notice in (*notices.every(conn), *settling.left_to_owners(conn)):
        key = (notice.account_id, notice.connection_id, cause_of(notice.code))
        if notice.code not in _NOT_MAILED and (key not in found or found[key].step < notice.step):
            found[key] = notice
    return found


# --- in which words --------------------------------------------------------------------------------------


def letters(
    conn: Connection,
    todo: Sequence[Move],
    operator_email: str | None,
    now: datetime,
    *,
    public: str | None = None,
) -> list[Letter]:
    """The mails. What concerns the whole installation goes to the operator, else to the first account.
    `public`: where the daemon is reached from outside."""
    known = accounts.every(conn)
    by_id = {account.id: account for account in known}
    found = []
    for move in todo:
        if isinstance(move, Remember):
            continue
        about = move.notice if isinstance(move, Tell) else move.alert
        account = by_id.get(about.account_id) if about.account_id else next(iter(known), None)
        if account is None:
            continue
        to = account.email if about.account_id else operator_email or account.email
        zone = ZoneInfo(account.timezone)
        if isinstance(move, TellMended):
            found.append(_mended(move.alert, to, zone, now))
        else:
            of_one = account.email if about.account_id else None
            found.append(_alert(move.notice, to, zone, now, account=of_one, public=public))
    return found


def _alert(
    notice: Notice, to: str, zone: ZoneInfo, now: datetime, *, account: str | None, public: str | None
) -> Letter:
    message, final = _one_line(notice.message), notice.code in _FINAL
    # Said to everybody: whether there are other accounts on the machine is none of this one's business.
    among = f" (If a command asks for the account: --account {account})" if account else ""
    explained = "".join(f"{line}\n\n" for line in errors_explained.lines([message], public))
    text = (
        f"{message}\n\n"
        f"What to do: {_one_line(notice.fix)}{among}\n\n"
        f"{explained}"
        f"Meanwhile: {_MEANWHILE.get(notice.code, 'Everything else goes on.')}\n\n"
        f"Since: {_local(notice.since, zone)}\n\n"
        f"{'' if final else 'You will hear when it is mended. '}`pamosnik status` shows what needs you now.\n"
    )
    after = Alert(
        notice.account_id,
        notice.connection_id,
        cause_of(notice.code),
        open=not final,
        step=notice.step,
        message=message,
        mailed_at=now,
        gone_since=None,
    )
    return Letter(notice.account_id, to, f"Pamosnik: {_short(message)}", text, after)


def _mended(alert: Alert, to: str, zone: ZoneInfo, now: datetime) -> Letter:
    assert alert.gone_since is not None
    text = (
        f"This is mended since {_local(alert.gone_since, zone)}, and there is nothing left to do:\n\n"
        f"{alert.message}\n"
    )
    after = replace(alert, open=False, step=0, mailed_at=now, gone_since=None)
    return Letter(alert.account_id, to, f"Pamosnik: mended: {_short(alert.message)}", text, after)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _short(text: str) -> str:
    """For a subject."""
    return text if len(text) <= 100 else f"{text[:99].rstrip()}…"


def _local(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M} ({zone.key})"


# --- what was told ---------------------------------------------------------------------------------------


def remember(conn: Connection, todo: Sequence[Move]) -> None:
    for move in todo:
        if isinstance(move, Remember):
            _put(conn, move.alert)


def told(conn: Connection, letter: Letter) -> None:
    """After the server has taken the mail. A crash in between makes the next start send it once more: better twice
    than never."""
    _put(conn, letter.after)
    mail_went(conn, letter.account_id)


def _put(conn: Connection, alert: Alert) -> None:
    """Of a connection that was deleted meanwhile nothing is kept but that it was."""
    if alert.cause in _FINAL or not alert.connection_id or connections.exists(conn, alert.connection_id):
        alerts.put(conn, alert)


def mail_fails(conn: Connection, account_id: str, message: str, fix: str, now: datetime) -> None:
    """`account_id`: whose address is refused; '' when the server is at fault."""
    notices.raise_notice(conn, account_id, "", MAIL_FAILING, f"No mail can be sent. {message}", fix, now)


def mail_is_failing(conn: Connection, account_id: str) -> bool:
    """Whether the owner was told so, about the server or this account's address."""
    return any(notices.since(conn, one, "", MAIL_FAILING) is not None for one in ("", account_id))


def mail_went(conn: Connection, account_id: str) -> None:
    """The server has taken a mail for a reader of this account."""
    for one in ("", account_id):
        notices.settle(conn, one, "", MAIL_FAILING)


def mail_works(conn: Connection) -> None:
    """Or nobody wants it any more."""
    notices.settle_everywhere(conn, MAIL_FAILING)
