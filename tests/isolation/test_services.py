"""What services do for one account, where the other one is in the way."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from pamosnik.errors import PamosnikError
from pamosnik.security import keyring
from pamosnik.services import accounts, connecting
from pamosnik.services.connecting import Found
from pamosnik.store.database import Database, open_database
from pamosnik.store.walls import write_for
from tests.isolation import world
from tests.isolation.world import MINE, NOW, OTHERS


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Database]:
    """Nothing of the other account's changes, whatever a test does."""
    with open_database(world.make(tmp_path / "home")) as database:
        before = world.rows_of(database.connection, OTHERS)
        yield database
        assert world.rows_of(database.connection, OTHERS) == before


def test_an_instagram_account_of_theirs_is_not_connected(both: Database) -> None:
    """Whoever asks has a token of it and so knows its name; more is not told."""
    keys = keyring.load(both.path.with_name("master.key"), None)
    found = Found("another-token", OTHERS.ig_id, None, "as.instagram.says", ())
    connect = partial(connecting.keep, keys=keys, account_id=MINE.account, found=found, now=NOW)
    with pytest.raises(PamosnikError) as refused:
        both.write(write_for(MINE.account, connect))
    told = f"{refused.value.message} {refused.value.hint}"
    assert "as.instagram.says is connected to another account" in told
    assert OTHERS.mark not in told


def test_an_instagram_account_of_ones_own_is_connected_again(both: Database) -> None:
    keys = keyring.load(both.path.with_name("master.key"), None)
    found = Found("another-token", MINE.ig_id, None, "renamed", ())
    connect = partial(connecting.keep, keys=keys, account_id=MINE.account, found=found, now=NOW)
    assert both.write(write_for(MINE.account, connect)).id == MINE.connection


def test_an_address_of_theirs_is_not_taken(both: Database) -> None:
    change = partial(accounts.change_email, account_id=MINE.account, actor="page", now=NOW)
    for email in (OTHERS.email, OTHERS.email.upper()):
        with pytest.raises(accounts.AddressTaken):
            both.write(write_for(MINE.account, partial(change, email=email)))
