"""Applied flows, compiled once and kept until something is applied, paused or resumed."""

import json
from collections import OrderedDict

from pamosnik._sqlite import Connection
from pamosnik.engine.catalog import Catalog
from pamosnik.flows.compile import compile_flow, compile_settings
from pamosnik.model.book import Book
from pamosnik.model.flow import Flow, Pause
from pamosnik.services.public_address import PublicAddress
from pamosnik.store import accounts, flow_history
from pamosnik.store import flows as flow_store

_VERSIONS_KEPT = 500


class Library:
    """Not for several threads at once: one belongs to the writer thread, one to each command."""

    def __init__(self, address: PublicAddress | None = None) -> None:
        """`address`: where tracked links lead; None, or while it is not known: links are not tracked."""
        self._address = address or PublicAddress()
        self._catalogs: dict[str, tuple[tuple[int, str], Catalog]] = {}
        self._versions: OrderedDict[tuple[str, str, str], Flow] = OrderedDict()

    @property
    def public_url(self) -> str | None:
        """Where this machine is reached from outside now."""
        return self._address.url

    def catalog(self, conn: Connection, account_id: str) -> Catalog:
        """What is applied now; empty when nothing is."""
        as_of = (flow_store.revision(conn, account_id), accounts.timezone(conn, account_id))
        known = self._catalogs.get(account_id)
        if known is not None and known[0] == as_of:
            return known[1]
        applied = flow_store.applied(conn, account_id)
        settings = compile_settings(json.loads(flow_store.settings(conn, account_id)))
        # Not the zone that a version was applied in first: a setting counts as it is now.
        zone = settings.timezone or as_of[1]
        book = Book(
            tuple(compile_flow(f.flow_id, json.loads(f.body), timezone=zone) for f in applied), settings
        )
        catalog = Catalog(
            book,
            paused={f.flow_id: Pause(f.paused_at, f.paused_by or "") for f in applied if f.paused_at},
            renamed=flow_history.renamed(conn, account_id),
            gone=flow_history.taken_out(conn, account_id),
            renamings=flow_history.renamings(conn, account_id),
        )
        self._catalogs[account_id] = (as_of, catalog)
        return catalog

    def following(self, conn: Connection, account_id: str, flow_id: str) -> Flow:
        """Where a `run:` leads that `Catalog.ways` lets go on; of an id that was moved, the one that it has now."""
        catalog = self.catalog(conn, account_id)
        if flow_id in catalog.named:
            return catalog.named[flow_id]
        found = self.flow(conn, account_id, *catalog.gone[flow_id])
        assert found is not None
        return found

    def flow(self, conn: Connection, account_id: str, flow_id: str, version: str) -> Flow | None:
        """One version, named whole or by its first characters; None when it is not kept."""
        key = (account_id, flow_id, version)
        if key in self._versions:
            self._versions.move_to_end(key)
            return self._versions[key]
        found = flow_store.version(conn, account_id, flow_id, version)
        if found is None:
            return None
        flow = compile_flow(flow_id, json.loads(found[0]), timezone=found[1])
        self._versions[key] = flow
        if len(self._versions) > _VERSIONS_KEPT:
            self._versions.popitem(last=False)
        return flow
