"""The applied flows as files again. Applied anew, they change nothing."""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import cast
from zoneinfo import ZoneInfo

from pamosnik._sqlite import Connection
from pamosnik.errors import NotFound
from pamosnik.flows.as_written import flow_file
from pamosnik.flows.code_files import as_table
from pamosnik.store import codes, connections
from pamosnik.store import flows as flow_store
from pamosnik.store.accounts import Account
from pamosnik.store.flows import AppliedFlow

_NAME = re.compile(r"[\w-]+")
_VARIABLE = re.compile(r"\{[^{}]*\}")
_BY_NAME = ("fields", "hours", "facts", "codes", "webhooks")
"""Settings of which a flow needs those that it names."""
_NO_PATH = re.compile(r'[\\:*?"<>|\x00]')

Raw = Mapping[str, object]


@dataclass(frozen=True, slots=True, repr=False)
class Exported:
    """Files, as texts. Its repr shows no code."""

    flows: str
    codes: Mapping[str, str]
    """Path beside the flow file → a file of codes: those that nobody was given."""
    elsewhere: Mapping[str, str]
    """Pools whose file lay outside the folder of the flow file, where an export writes nothing → that path."""
    leads_to: tuple[str, ...]
    """Other applied flows that these lead into (`run:`): without them the file alone has errors."""


def export(conn: Connection, account: Account, flow_ids: Collection[str] = ()) -> Exported:
    """All applied flows, or these. Raises `NotFound`."""
    applied = {flow.flow_id: flow for flow in flow_store.applied(conn, account.id)}
    if not applied:
        raise NotFound("No flow is applied.", hint="Try: pamosnik flows apply with your flow files")
    for flow_id in flow_ids:
        if flow_id not in applied:
            raise NotFound(
                f"There is no flow {flow_id}.",
                hint=f"Applied are: {', '.join(applied)}. Try: pamosnik flows list",
            )
    chosen = [flow for flow in applied.values() if not flow_ids or flow.flow_id in flow_ids]
    flows = [(flow.flow_id, cast("Raw", json.loads(flow.body))) for flow in chosen]
    settings: Raw = json.loads(flow_store.settings(conn, account.id))
    if flow_ids:
        settings = _needed(settings, [body for _, body in flows])
    settings, elsewhere = _inside(settings)
    bound = _bound(conn, account.id)
    zone = ZoneInfo(account.timezone)
    text = flow_file(
        flows,
        settings,
        head=list(_head(settings, account)),
        remarks={flow.flow_id: list(_remarks(flow, bound, zone)) for flow in chosen},
    )
    pools = cast("Mapping[str, Mapping[str, str]]", settings.get("codes", {}))
    tables = {raw["file"]: as_table(codes.free(conn, account.id, pool)) for pool, raw in pools.items()}
    reached = _reached([flow.flow_id for flow in chosen], applied)
    others = tuple(one for one in applied if one in reached and applied[one] not in chosen)
    return Exported(text, tables, elsewhere, others)


def _head(settings: Raw, account: Account) -> Iterator[str]:
    yield "What is applied, as `pamosnik flows export` found it."
    if "timezone" not in settings:
        yield f"Clock times are those of {account.timezone}, the account's time zone."


def _remarks(flow: AppliedFlow, bound: Mapping[str, Sequence[str]], zone: ZoneInfo) -> Iterator[str]:
    def day(instant: datetime) -> str:
        return f"{instant.astimezone(zone):%Y-%m-%d %H:%M}"

    if flow.paused_at is not None:
        yield f"Paused since {day(flow.paused_at)}, whatever stands here. Try: pamosnik flows resume {flow.flow_id}"
    if flow.rolled_back_at is not None:
        yield f"Rolled back on {day(flow.rolled_back_at)}: what stands here is live."
    yield from bound.get(flow.flow_id, ())


def _bound(conn: Connection, account_id: str) -> Mapping[str, list[str]]:
    """What `post: next` came to mean."""
    found: dict[str, list[str]] = {}
    for connected in connections.of_account(conn, account_id):
        for flow_id, media_id in flow_store.bound_posts(conn, connected.id).items():
            found.setdefault(flow_id, []).append(f"`next` is the post {media_id} of @{connected.username}.")
    return found


def _needed(settings: Raw, bodies: Sequence[Raw]) -> Raw:
    """Settings for these flows alone. What only looks like a name of theirs is kept, too."""
    rest = {key: value for key, value in settings.items() if key not in _BY_NAME}
    named = {word for one in (*bodies, rest, settings.get("webhooks", {})) for word in _words(one)}
    kept = dict(settings)
    for key in _BY_NAME:
        entries = cast("Raw", settings.get(key, {}))
        kept[key] = {name: value for name, value in entries.items() if name in named}
    return {key: value for key, value in kept.items() if value != {}}


def _words(value: object) -> Iterator[str]:
    if isinstance(value, str):
        # A name alone, or variables of a text.
        inside = [value] if _NAME.fullmatch(value) else _VARIABLE.findall(value)
        yield from (name for one in inside for name in _NAME.findall(one))
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _NAME.findall(str(name))
            yield from _words(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _words(inner)


def _reached(flow_ids: Sequence[str], applied: Mapping[str, AppliedFlow]) -> Collection[str]:
    """These flows, and those that their `run:` leads into, in however many steps."""
    reached, ahead = set(flow_ids), list(flow_ids)
    while ahead:
        led_into = set(_led_into(json.loads(applied[ahead.pop()].body))) & applied.keys()
        ahead += led_into - reached
        reached |= led_into
    return reached


def _led_into(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(flow_id := value.get("run"), str):
            yield flow_id
        value = list(value.values())
    for inner in value if isinstance(value, list) else ():
        yield from _led_into(inner)


def _inside(settings: Raw) -> tuple[Raw, Mapping[str, str]]:
    """Codes files get a path beside the flow file when theirs leads elsewhere."""
    pools = cast("Mapping[str, Mapping[str, str]]", settings.get("codes", {}))
    elsewhere = {pool: raw["file"] for pool, raw in pools.items() if not _is_beside(raw["file"])}
    if not elsewhere:
        return settings, elsewhere
    moved = {
        pool: {**raw, "file": f"codes-{pool}.csv"} if pool in elsewhere else raw
        for pool, raw in pools.items()
    }
    return {**settings, "codes": moved}, elsewhere


def _is_beside(written: str) -> bool:
    path = PurePosixPath(written)
    return not path.is_absolute() and ".." not in path.parts and not _NO_PATH.search(written)
