"""How long an account keeps what, and how much of it is stored: `retention show`, and the same over the API."""

from collections.abc import Mapping
from datetime import datetime

from pamosnik import ages
from pamosnik._sqlite import Connection
from pamosnik.ages import Ages
from pamosnik.flows import durations
from pamosnik.privacy import retention
from pamosnik.privacy.retention import Held, Overview, Rules
from pamosnik.services import kept_fields
from pamosnik.services.shapes import Shape, iso


def rules(conn: Connection, account_id: str, kept: Ages) -> Rules:
    """`kept`: what the settings say; what fields say stands in the applied flows."""
    return Rules(kept, kept_fields.keep_for(conn, account_id))


def shape(found: Overview, sources: Mapping[str, str]) -> Shape:
    """`sources`: where each setting comes from, as `Config` has it."""
    last = found.last
    return {
        "kinds": [
            {
                "kind": one.name,
                "keep": ages.written(one.age),
                "source": sources[f"retention.{one.name}"],
                **_stock(one),
            }
            for one in found.kinds
        ],
        "fields": [
            {"field": one.name, "keep": _field_age(one), "source": "flows", **_stock(one)}
            for one in found.fields
        ],
        "last": None
        if last is None
        else {"began_at": iso(last.began_at), "ended_at": iso(last.ended_at), "gone": dict(last.gone)},
    }


def read(conn: Connection, account_id: str, kept: Ages, sources: Mapping[str, str], now: datetime) -> Shape:
    """Reads every row."""
    return shape(retention.overview(conn, account_id, rules(conn, account_id, kept), now), sources)


def _field_age(held: Held) -> str:
    return ages.FOREVER if held.age is None else durations.written(int(held.age.total_seconds()))


def _stock(held: Held) -> Shape:
    return {"stored": held.stock.stored, "goes": held.stock.goes, "oldest": iso(held.stock.oldest)}
