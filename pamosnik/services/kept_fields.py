"""How long the values of fields are kept: `keep_for` of the flows that are applied now."""

import json
from collections.abc import Mapping
from datetime import timedelta

from pamosnik._sqlite import Connection
from pamosnik.flows.compile import compile_settings
from pamosnik.store import flows


def keep_for(conn: Connection, account_id: str) -> Mapping[str, timedelta]:
    """Of the fields that say it; the others are kept as long as the contact."""
    declared = compile_settings(json.loads(flows.settings(conn, account_id))).fields
    return {
        name: timedelta(seconds=spec.keep_for_s)
        for name, spec in declared.items()
        if spec.keep_for_s is not None
    }
