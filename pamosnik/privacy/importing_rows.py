"""What an import restores, in which order, and what becomes of a row on the way.

Not restored: what came in and went out (events, messages, runs, tracked links), which means nothing on another
machine and would be answered again; logins and tokens; what was planned, for it is planned anew when the Instagram
account is connected.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from pamosnik.flows.compile import compile_flow, compile_settings
from pamosnik.store.times import ms

CONNECTIONS = "connections"
PEOPLE = (
    "contacts",
    "contact_ids",
    "contact_tags",
    "contact_fields",
    "given_codes",
    "starts",
    "variants",
    "consents",
    "totals",
    "bound_posts",
    "broadcasts",
)
"""What hangs on connections and people: many rows, in many transactions."""
AT_THE_END = (
    "flow_versions",
    "flows",
    "books",
    "flow_names",
    "flow_history",
    "codes",
    "legal_texts",
    "consents",
)
"""In one transaction: with it the account works. Consents: those of the account's holder."""
RESTORED = (CONNECTIONS, *dict.fromkeys((*PEOPLE, *AT_THE_END)))

UNDER_WAY = "an import is under way"
MOVED = "its data came with an import: connect it again"

LATEST = 253_402_214_400_000
"""The last day that a date can have, in milliseconds: whatever the time zone, it is one there, too."""
_NEVER_HERE = {
    "status": "disconnected",
    "reason": UNDER_WAY,
    "token_expires_at": None,
    "token_issued_at": None,
    "token_refresh_at": None,
    "subscribed_fields": "[]",
    "rest_until": None,
    "rest_reason": None,
    "read_until": None,
    "delete_after": None,
}
"""Of a connection without a login, until all of its data is here. A token that was never issued here tells `connect`
that what happened before is not to be answered."""
_LISTS: Mapping[str, Mapping[str, type]] = {
    "connections": {"scopes": list, "subscribed_fields": list},
    "broadcasts": {"triggers": list, "skipped": dict},
}
_CODE = 64


class Unfit(ValueError):
    """A row cannot be taken in; why."""


@dataclass(frozen=True, slots=True)
class Move:
    """From which account to which, and what stays behind."""

    source: str
    """The account's id in the export."""
    target: str
    made_at: datetime
    """When the export was made."""
    gone: frozenset[str] = frozenset()
    """Connections that were being deleted then."""
    left_out: frozenset[str] = frozenset()
    """People who are forgotten."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Connections that get another id, and which."""

    def here(self, connection_id: str) -> str:
        """The id that a connection of the export has here."""
        return self.renamed.get(connection_id, connection_id)


def another_id(digest: str, connection_id: str) -> str:
    """For a connection whose id stands for deleted data in this home: a restored backup would delete it again. The
    same at every try with the same file."""
    return hashlib.sha256(f"{digest}:{connection_id}".encode()).hexdigest()[:26].upper()


def row_of(raw: object, columns: Mapping[str, str], *, whole: bool) -> dict[str, object]:
    """A row as it stands in the file. `columns`: name → type of all that may be there; `whole`: each must be.

    Raises `Unfit`.
    """
    if not isinstance(raw, dict):
        raise Unfit("it is no object")
    unknown = sorted(set(raw) - columns.keys())
    missing = sorted(columns.keys() - set(raw)) if whole else []
    if unknown or missing:
        raise Unfit(f"unknown columns: {', '.join(unknown) or '–'}; missing: {', '.join(missing) or '–'}")
    for name, value in raw.items():
        _require_plain(name, value, columns[name])
    return raw


def _require_plain(name: str, value: object, kind: str) -> None:
    if value is None:
        return
    if kind == "INTEGER":
        if type(value) is not int or not 0 <= value <= LATEST:
            raise Unfit(f"{name} is no number that can be there")
        return
    if not isinstance(value, str) or "\0" in value:
        raise Unfit(f"{name} is no text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Unfit(f"{name} holds half of a character") from None
    if name in ("connection_id", "contact_id", "broadcast_id", "igsid", "ig_id") and not _is_id(value, name):
        raise Unfit(f"{name} is no id")


def _is_id(value: str, name: str) -> bool:
    empty_means_everybody = name == "contact_id"
    plain = value.isascii() and value.isprintable() and not set(value) & set(" /?#%")
    return plain and len(value) <= _CODE and bool(value or empty_means_everybody)


def moved(table: str, row: Mapping[str, object], move: Move) -> dict[str, object] | None:
    """The row as it is to be here; None when it stays behind. Raises `Unfit`."""
    if row.get("account_id") != move.source:
        raise Unfit("it belongs to another account than the rest")
    of_holder = table == "consents" and row.get("contact_id") is None
    if row.get("contact_id") in move.left_out or (row.get("connection_id") in move.gone and not of_holder):
        return None
    here = {**row, "account_id": move.target}
    if row.get("connection_id") is not None:
        here["connection_id"] = move.here(str(row["connection_id"]))
    for name, kind in _LISTS.get(table, {}).items():
        if name in row:
            _require_json(name, row[name], kind)
    match table:
        case "connections":
            here |= _NEVER_HERE
        case "broadcasts" if row.get("finished_at") is None:
            # Who was reached since the export was made nobody knows: it does not go on.
            here |= {"finished_at": ms(move.made_at), "reason": "the account was moved to another home"}
        case "flow_versions":
            _require_flow(row)
        case "books":
            _require_settings(row)
    return here


def _require_json(name: str, value: object, kind: type) -> None:
    try:
        good = isinstance(json.loads(str(value)), kind)
    except (ValueError, RecursionError):
        good = False
    if not good:
        raise Unfit(f"{name} is not what it has to be")


def _require_flow(row: Mapping[str, object]) -> None:
    """Every flow of an account is read at every change of one: a broken one would stop all of them."""
    try:
        ZoneInfo(str(row["timezone"]))
        flow = compile_flow(str(row["flow_id"]), json.loads(str(row["body"])), timezone=str(row["timezone"]))
    except Exception:  # noqa: BLE001 - whatever in it trips the compiler, it is no flow
        raise Unfit("body is no flow") from None
    if flow.version != row["version"]:
        raise Unfit("version is not that of the body")


def _require_settings(row: Mapping[str, object]) -> None:
    try:
        compile_settings(json.loads(str(row["settings"])))
    except Exception:  # noqa: BLE001 - whatever in it trips the compiler, these are no settings
        raise Unfit("settings cannot be read") from None


def state_after(row: Mapping[str, object]) -> tuple[str, str | None, int | None]:
    """(status, reason, delete_after) of a connection once its data is here. Where the owner had removed the app, its
    data goes when it would have gone."""
    delete_after = row.get("delete_after")
    if row.get("status") == "disconnected" and isinstance(delete_after, int):
        return "disconnected", str(row.get("reason")), delete_after
    return "needs_login", MOVED, None
