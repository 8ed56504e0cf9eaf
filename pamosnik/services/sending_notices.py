"""What sending finds out that its owner has to know: each cause once, in words, until it is over."""

from datetime import datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.clock import local_minute
from pamosnik.model.outbox import OutboxItem, Quota
from pamosnik.store import accounts, connections, notices, outbox
from pamosnik.store.connections import ConnectionStatus

SILENCE_IS_TOLD_AFTER = timedelta(minutes=15)
"""Shorter disturbances pass by themselves."""
OTHER_TOOL_AFTER = 3
"""So many comments within a day that somebody else had answered privately: that is no chance any more."""

_RESTRICTED = "restricted"
_SILENT = "instagram_silent"
_OTHER_TOOL = "another_tool"
_ADVANCED_ACCESS = "advanced_access"
_DAY = timedelta(days=1)


def restricted(conn: Connection, item: OutboxItem, reason: str, now: datetime) -> None:
    """Meta blocks the account for its behaviour."""
    _raise(
        conn,
        item,
        _RESTRICTED,
        f"Meta restricts {_username(conn, item)} for a while: {reason}. Nothing is sent until it is tried again.",
        "Look at Account Status in the Instagram app. Fewer and more varied messages help.",
        now,
    )


def silent(conn: Connection, item: OutboxItem, since: datetime, now: datetime) -> None:
    """No attempt of this connection was answered since then."""
    if now - since < SILENCE_IS_TOLD_AFTER:
        return
    account = accounts.load(conn, item.account_id)
    assert account is not None
    at = local_minute(since, account.timezone)
    username = _username(conn, item)
    _raise(
        conn,
        item,
        _SILENT,
        f"Instagram has not answered {username} since {at}. Messages wait; one is tried every two minutes.",
        "Look whether this machine is online. If it is, the trouble is Meta's, and nothing needs to be done.",
        now,
    )


def refused(conn: Connection, item: OutboxItem, reason: str, remedy: str, now: datetime) -> None:
    """A permission or setting is missing for this kind of message. `remedy` is a sentence."""
    _raise(
        conn,
        item,
        _refused(item.quota),
        f"Instagram refused to send for {_username(conn, item)}: {reason}.",
        f"{remedy} Pamosnik tries one every quarter of an hour, and goes on by itself.",
        now,
    )


def access_level(conn: Connection, item: OutboxItem, now: datetime) -> str:
    """Refused as too late although the person has just written: seen where the app's access level was the cause.

    Returns the item's reason.
    """
    _raise(
        conn,
        item,
        _ADVANCED_ACCESS,
        f"Instagram refused to send for {_username(conn, item)} although the person had just written"
        " (Meta's error 10/2534022).",
        "Meta may require Advanced Access for the app: docs/app-review.md says how to ask for it.",
        now,
    )
    return "refused although this person has just written: Meta may require Advanced Access for the app"


def answered_by_another(conn: Connection, item: OutboxItem, reason: str, now: datetime) -> None:
    """A first private reply was refused with this reason: somebody else used the one that Meta allows.

    Call when the item has failed with it.
    """
    if _answered_lately(conn, item, reason, now) >= OTHER_TOOL_AFTER:
        _raise(
            conn,
            item,
            _OTHER_TOOL,
            f"Another tool seems to answer the comments of {_username(conn, item)}: private replies were refused as"
            " already given. Each comment takes one, so whoever is first wins.",
            "Disconnect the other tool: Instagram app, Settings, Apps and websites. One automation at a time.",
            now,
        )


def over(conn: Connection, item: OutboxItem) -> bool:
    """Instagram took one: what stood in the way of its kind is gone. True when this kind had been refused before.

    A request that was under way already when the trouble began says nothing about it.
    """
    codes = [_RESTRICTED, _SILENT, _refused(item.quota)]
    if item.quota is Quota.PRIVATE_REPLY:
        codes.append(_OTHER_TOOL)
    settled = [code for code in codes if _settle(conn, item, code)]
    if item.quota is Quota.MESSAGE:
        # With this cause some people are reached and others are not: the notice must not come and go all day.
        _settle(conn, item, _ADVANCED_ACCESS, stays=_DAY)
    return _refused(item.quota) in settled


def _settle(conn: Connection, item: OutboxItem, code: str, *, stays: timedelta = timedelta()) -> bool:
    since = notices.since(conn, item.account_id, item.connection_id, code)
    if since is None or item.last_attempt_at is None or item.last_attempt_at < since + stays:
        return False
    notices.settle(conn, item.account_id, item.connection_id, code)
    return True


def _answered_lately(conn: Connection, item: OutboxItem, reason: str, now: datetime) -> int:
    return outbox.failed_lately(conn, item.connection_id, item.account_id, reason, now - _DAY)


def _refused(quota: Quota) -> str:
    return f"{quota.value}_refused"


def _username(conn: Connection, item: OutboxItem) -> str:
    return connections.load(conn, item.connection_id).username


def _raise(conn: Connection, item: OutboxItem, code: str, message: str, fix: str, now: datetime) -> None:
    if connections.load(conn, item.connection_id).status is ConnectionStatus.DISCONNECTED:
        return  # its owner knows better
    notices.raise_notice(conn, item.account_id, item.connection_id, code, message, fix, now)
