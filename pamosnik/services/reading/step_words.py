"""What the steps of a flow are called where one of them is named: by the words that its picture has for them."""

import json
from collections.abc import Iterator, Mapping, Sequence

from pamosnik._sqlite import Connection
from pamosnik.flows.graph.outline import Item, outline
from pamosnik.services.library import Library
from pamosnik.store import flows
from pamosnik.store.accounts import Account

_LONGEST = 70


def of_version(conn: Connection, account: Account, flow_id: str, version: str) -> Mapping[str, str]:
    """Path → words; empty when the version is not kept."""
    flow = Library().flow(conn, account.id, flow_id, version)
    if flow is None:
        return {}
    language = json.loads(flows.settings(conn, account.id)).get("language", "en")
    return dict(_said(outline(flow, str(language)).items))


def _said(items: Sequence[Item]) -> Iterator[tuple[str, str]]:
    for item in items:
        yield item.path, _short(": ".join(filter(None, (item.head, item.text))))
        for way in item.ways:
            yield way.path, _short(way.label)
            yield from _said(way.steps)


def _short(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
