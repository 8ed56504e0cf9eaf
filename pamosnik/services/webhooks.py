"""Addresses that flows call: which variables of the environment they may name, and what is taken from an answer."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NoReturn

from pamosnik._sqlite import Connection
from pamosnik.instagram.webhook import storable
from pamosnik.store import accounts, connections, notices

PREFIX = "FLOW_"
FAILING = "webhook_failing"

_PLACE = re.compile(r"[0-9]{1,9}")
"""In a list of an answer."""


class BadAnswer(Exception):
    """What came back does not hold what was to be saved. Its text shows nothing of it."""


# --- the environment -------------------------------------------------------------------------------------


def prefix_of(username: str) -> str:
    """`rose.shop` → `FLOW_ROSE_SHOP_`."""
    return f"{PREFIX}{re.sub('[^A-Z0-9]', '_', username.upper())}_"


def may_read(conn: Connection, account_id: str, variable: str) -> bool:
    return readable(conn, account_id)(variable)


def readable(conn: Connection, account_id: str) -> Callable[[str], bool]:
    """Which variables the account may name. With several accounts in one home each reads what begins with the name of
    a connection of its own alone, so `conn` has to see all of them."""
    known = accounts.every(conn)
    if len(known) == 1:
        return lambda variable: variable.startswith(PREFIX)
    prefixes = [
        (prefix_of(connected.username), account.id)
        for account in known
        for connected in connections.of_account(conn, account.id)
    ]

    def may_read(variable: str) -> bool:
        owners = [(len(prefix), owner) for prefix, owner in prefixes if variable.startswith(prefix)]
        longest = max((length for length, _ in owners), default=0)
        return {owner for length, owner in owners if length == longest} == {account_id}

    return may_read


# --- what came back --------------------------------------------------------------------------------------


def saved(body: bytes, wanted: Mapping[str, str]) -> Mapping[str, str | None]:
    """Name → what stands at its path (`customer.tags.0`); None where nothing stands. Raises `BadAnswer`."""
    if not wanted:
        return {}
    try:
        # Numbers stay as they are written: 12.50 is a price.
        data = json.loads(body, parse_float=str, parse_int=str, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise BadAnswer("its answer is no JSON") from None
    return {name: _at(data, path) for name, path in wanted.items()}


def _no_number(written: str) -> NoReturn:
    """Python writes NaN and Infinity, JSON has none of them."""
    raise ValueError(written)


def _at(data: object, path: str) -> str | None:
    for part in path.split("."):
        if isinstance(data, dict):
            data = data.get(part)
        elif isinstance(data, list) and _PLACE.fullmatch(part) and int(part) < len(data):
            data = data[int(part)]
        else:
            return None
    if isinstance(data, dict | list):
        raise BadAnswer(f"`{path}` in its answer is no single value")
    if isinstance(data, bool):
        return "true" if data else "false"
    return None if data is None else storable(str(data)).strip() or None


# --- telling the owner -----------------------------------------------------------------------------------


def fails(conn: Connection, account_id: str, name: str, reason: str, now: datetime) -> None:
    """Nobody is helped by this webhook until its owner looks."""
    message = f"{_about(name)} fails: {reason}."
    fix = f"Look at `webhooks: {name}` in the flow file, at the variables it names, and at the service behind it."
    notices.raise_notice(conn, account_id, "", FAILING, message, fix, now)


def is_failing(conn: Connection, account_id: str, name: str) -> bool:
    return any(
        notice.code == FAILING and notice.message.startswith(f"{_about(name)} ")
        for notice in notices.of_account(conn, account_id)
    )


def works(conn: Connection, account_id: str) -> None:
    notices.settle(conn, account_id, "", FAILING)


def _about(name: str) -> str:
    return f"The webhook {name}"
