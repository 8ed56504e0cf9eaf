"""What an export says about itself: `manifest.json`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pamosnik.privacy.export_archive import Entry
from pamosnik.store import migrations
from pamosnik.store.accounts import Account
from pamosnik.store.export_tables import Person

FORMAT = 1
NOT_INSIDE = (
    "Passwords, logins, tokens of Instagram and of the API, keys, and hashes of all of these: they open something,"
    " or help to guess what does.",
    "Addresses of tracked links: whoever opens one counts as the person who got it. The address that it leads to"
    " stands in its place.",
    "Pictures, voice messages and other files: Pamosnik keeps their addresses at Instagram alone.",
    "Whom you had deleted: of them nothing is kept but a hash that recognizes them.",
    "Backups: they are whole copies, encrypted in part; what is deleted is deleted from them by restoring, and they"
    " are removed after 30 days.",
)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an export says about itself."""

    created_at: datetime
    program: str
    account: Account
    person: Person | None
    """None: it holds the whole account."""
    entries: Sequence[Entry]

    @property
    def counts(self) -> Mapping[str, int]:
        """Kind → rows."""
        return {one.kind: one.rows for one in self.entries if one.path.startswith("json/")}

    def as_json(self) -> dict[str, object]:
        return {
            "pamosnik_export": FORMAT,
            "created_at": self.created_at.astimezone(UTC).isoformat(timespec="milliseconds"),
            "program": self.program,
            "schema_version": len(migrations.MIGRATIONS),
            "account": {
                "name": self.account.name,
                "email": self.account.email,
                "timezone": self.account.timezone,
            },
            "person": None if self.person is None else {"igsids": list(self.person.igsids)},
            "complete": self.person is None,
            "counts": dict(self.counts),
            "files": [
                {
                    "path": one.path,
                    "kind": one.kind,
                    "rows": one.rows,
                    "bytes": one.size_bytes,
                    "sha256": one.sha256,
                }
                for one in self.entries
            ],
            "not_inside": list(NOT_INSIDE),
        }

    def text(self) -> str:
        """The file."""
        return f"{json.dumps(self.as_json(), ensure_ascii=False, indent=2)}\n"
