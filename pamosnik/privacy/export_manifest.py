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
_NEVER_INSIDE = (
    "Passwords, logins, tokens of Instagram and of the API, keys, and hashes of all of these: they open something,"
    " or help to guess what does.",
    "Addresses of tracked links: whoever opens one counts as the person who got it. The address that it leads to"
    " stands in its place.",
    "Pictures, voice messages and other files: Pamosnik keeps their addresses at Instagram alone.",
)
_NOT_OF_ACCOUNT = (
    "Whom you had deleted: of them nothing is kept but a hash that recognizes them.",
    "Backups: they are copies of the whole database, and stay until you remove them. When one is restored, people who"
    " were forgotten since are forgotten again.",
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

    @property
    def not_inside(self) -> Sequence[str]:
        """What is left out, and why; in sentences."""
        return _NEVER_INSIDE if self.person is not None else (*_NEVER_INSIDE, *_NOT_OF_ACCOUNT)

    def as_json(self) -> dict[str, object]:
        return {
            "pamosnik_export": FORMAT,
            "created_at": f"{self.created_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
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
            "not_inside": list(self.not_inside),
        }

    def text(self) -> str:
        """The file."""
        return f"{json.dumps(self.as_json(), ensure_ascii=False, indent=2)}\n"
