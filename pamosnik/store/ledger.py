"""`erasures.log`: what was erased, outside of the database, so that a restored backup is erased again.

It lies in the home; copies lie in the folder of its backups, and beside every backup that was made elsewhere. A line
is the key of an account's hashes, a tombstone, the id of a connection or an account of which everything was erased,
or the moment up to which a copy tells everything. Lines are only ever added: what is damaged, or not ours, stays.
"""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pamosnik.errors import HomeError
from pamosnik.store.backup import flush_folder
from pamosnik.store.backup_files import folder_of
from pamosnik.store.times import instant, ms
from pamosnik.store.tombstones import Tombstone

NAME = "erasures.log"
_CONNECTION, _ACCOUNT, _UNTIL = "connection_erased", "account_erased", "told_until"


@dataclass(frozen=True, slots=True, repr=False)
class Ledger:
    keys: Mapping[str, bytes]
    """By account."""
    stones: Sequence[Tombstone]
    connections: Mapping[str, datetime] = field(default_factory=dict)
    """Those that were erased, and when."""
    accounts: Mapping[str, datetime] = field(default_factory=dict)
    """Likewise."""
    told_until: datetime | None = None
    """It names everything that was erased until then; None: nobody says."""
    unread: int = 0
    """Lines that are damaged, or of another program."""

    @property
    def newest(self) -> datetime | None:
        """Up to when it is known to tell something."""
        moments = [
            *(stone.erased_at for stone in self.stones),
            *self.connections.values(),
            *self.accounts.values(),
            *(() if self.told_until is None else (self.told_until,)),
        ]
        return max(moments, default=None)


NOTHING = Ledger({}, [])


def unite(ledgers: Iterable[Ledger]) -> Ledger:
    """What any of them knows. Of keys the last one counts, of moments the latest."""
    keys: dict[str, bytes] = {}
    stones: dict[tuple[str, str], Tombstone] = {}
    erased: tuple[dict[str, datetime], dict[str, datetime]] = ({}, {})
    unread = 0
    for ledger in ledgers:
        keys.update(ledger.keys)
        unread += ledger.unread
        for stone in ledger.stones:
            known = stones.get((stone.connection_id, stone.person))
            if known is None or (stone.said_at, stone.erased_at) >= (known.said_at, known.erased_at):
                stones[stone.connection_id, stone.person] = stone
        for ours, theirs in zip(erased, (ledger.connections, ledger.accounts), strict=True):
            ours.update(
                {subject_id: at for subject_id, at in theirs.items() if at >= ours.get(subject_id, at)}
            )
    return Ledger(keys, list(stones.values()), *erased, unread=unread)


def without(ledger: Ledger, known: Ledger) -> Ledger:
    """What `known` does not hold yet."""
    stones = {(stone.connection_id, stone.person): stone for stone in known.stones}
    return Ledger(
        {account_id: key for account_id, key in ledger.keys.items() if known.keys.get(account_id) != key},
        [one for one in ledger.stones if stones.get((one.connection_id, one.person)) != one],
        {one: at for one, at in ledger.connections.items() if one not in known.connections},
        {one: at for one, at in ledger.accounts.items() if one not in known.accounts},
    )


# --- files -----------------------------------------------------------------------------------------------


def note(home: Path, new: Ledger, now: datetime) -> None:
    """Adds to the home's, durably, and to the copy beside its backups."""
    write(home / NAME, new)
    if folder_of(home).is_dir():
        copy(home, folder_of(home), now)


def copy(home: Path, folder: Path, now: datetime) -> None:
    """Brings what the home's says into the one of another folder, where backups are."""
    known = unite([read(folder / NAME)])
    new = without(unite([read(home / NAME)]), known)
    write(folder / NAME, Ledger(new.keys, new.stones, new.connections, new.accounts, told_until=now))


def write(path: Path, ledger: Ledger) -> None:
    """Adds to it, durably. What is said twice does no harm; after a line that was cut short a new one begins. Raises
    `HomeError`."""
    lines = "".join(f"\n{json.dumps(line)}" for line in _raw(ledger))
    try:
        path.touch(mode=0o600, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{lines}\n")
            file.flush()
            os.fsync(file.fileno())
        flush_folder(path.parent)  # the first line comes with a new name
    except OSError as error:
        raise _unusable(path, error) from error


def _raw(ledger: Ledger) -> Iterable[Mapping[str, object]]:
    for account_id, key in ledger.keys.items():
        yield {"account": account_id, "key": key.hex()}
    for stone in ledger.stones:
        yield {
            "connection": stone.connection_id,
            "person": stone.person,
            "said_at": ms(stone.said_at),
            "erased_at": ms(stone.erased_at),
            "opted_out": stone.opted_out,
        }
    for name, erased in ((_CONNECTION, ledger.connections), (_ACCOUNT, ledger.accounts)):
        for subject_id, at in erased.items():
            yield {name: subject_id, "erased_at": ms(at)}
    if ledger.told_until is not None:
        yield {_UNTIL: ms(ledger.told_until)}


def read(path: Path) -> Ledger:
    """Empty where there is none. Raises `HomeError` when there is one that cannot be read."""
    try:
        text = path.read_text("utf-8", errors="replace") if path.exists() else ""
    except OSError as error:
        raise _unusable(path, error) from error
    keys: dict[str, bytes] = {}
    stones: list[Tombstone] = []
    erased: dict[str, dict[str, datetime]] = {_CONNECTION: {}, _ACCOUNT: {}}
    until: datetime | None = None
    unread = 0
    for line in filter(str.strip, text.splitlines()):
        try:
            match json.loads(line):
                case {"account": str(account_id), "key": str(key)}:
                    keys[account_id] = bytes.fromhex(key)
                case {"connection": str(_), "person": str(_)} as raw:
                    stones.append(_stone(raw))
                case {"connection_erased": str(one), "erased_at": int(at)}:
                    erased[_CONNECTION][one] = instant(at)
                case {"account_erased": str(one), "erased_at": int(at)}:
                    erased[_ACCOUNT][one] = instant(at)
                case {"told_until": int(at)}:
                    until = instant(at)
                case _:
                    unread += 1
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            unread += 1
    return Ledger(keys, stones, erased[_CONNECTION], erased[_ACCOUNT], until, unread)


def _stone(raw: Mapping[str, object]) -> Tombstone:
    said_at, erased_at = (instant(int(str(raw[name]))) for name in ("said_at", "erased_at"))
    person = bytes.fromhex(str(raw["person"])).hex()
    return Tombstone(str(raw["connection"]), person, said_at, erased_at, bool(raw["opted_out"]))


def _unusable(path: Path, error: OSError) -> HomeError:
    return HomeError(
        f"{path}, which names what was erased, cannot be used: {error.strerror or error}.",
        hint=f"Try: ls -l {path}",
    )
