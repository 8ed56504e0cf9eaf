"""Whatever is done with the keys, in any order and killed anywhere: every login that was stored opens."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pamosnik import config
from pamosnik.config import Config
from pamosnik.security.held_keys import HeldKeys
from pamosnik.services import credentials, rotation, tokens
from pamosnik.services.rotation import Wanted
from pamosnik.services.tokens import Refreshed
from pamosnik.store import accounts, connections
from pamosnik.store.connections import Connected
from pamosnik.store.database import open_database
from tests.keys import logins, steps

_WANTED = st.sampled_from([Wanted(), Wanted(accounts=False), Wanted(master=False)])
_STEPS = st.one_of(
    st.tuples(st.just("rotate"), _WANTED, st.integers(1, 24)),
    st.tuples(st.just("rotate"), _WANTED, st.just(0)),
    st.tuples(st.just("account"), st.none(), st.just(0)),
    st.tuples(st.just("connect"), st.none(), st.integers(0, 3)),
    st.tuples(st.just("refresh"), st.none(), st.integers(0, 3)),
)


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        settings = logins.make(Path(folder) / "home")
        logins.connect(settings, logins.add_account(settings, "rosa@shop.example"), "1000")
        yield settings.home


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=st.lists(_STEPS, min_size=1, max_size=8))
def test_every_login_opens(template: Path, plan: list[tuple[str, Wanted | None, int]]) -> None:
    with TemporaryDirectory() as folder:
        home = Path(shutil.copytree(template, Path(folder) / "home"))
        at = config.load({"home": str(home)}, environ={})
        expected = dict(logins.stored(at))
        held = HeldKeys(at.key_file, None)
        with open_database(at.database) as database:
            for number, (what, wanted, nth) in enumerate(plan):
                if wanted is not None:
                    _rotates(at, wanted, nth)
                elif what == "account":
                    account = logins.add_account(at, f"{number}@shop.example")
                    logins.connect(at, account, f"{2000 + number}", "t")
                    expected[f"{2000 + number}"] = f"t{2000 + number}"
                elif what == "connect":
                    account = accounts.every(database.connection)[0]
                    logins.connect(at, account, f"{1000 + nth}", f"{number}-")
                    expected[f"{1000 + nth}"] = f"{number}-{1000 + nth}"
                else:
                    first = _refreshes(at, held)
                    expected[first.ig_id] = f"fresh of {first.ig_id}"
                assert logins.tokens(database, held) == expected, "for who held the keys from the beginning"
            assert logins.stored(at) == expected
        rotation.rotate(at, Wanted(), logins.NOW)
        assert logins.stored(at) == expected


def _rotates(at: Config, wanted: Wanted, nth: int) -> None:
    try:
        with steps.dying(nth, steps.raise_killed):
            rotation.rotate(at, wanted, logins.NOW)
    except steps.Killed:
        pass


def _refreshes(at: Config, held: HeldKeys) -> Connected:
    """While Instagram is asked, all keys are rotated."""
    with open_database(at.database) as database:
        conn = database.connection
        first = connections.of_account(conn, accounts.every(conn)[0].id)[0]
        credentials.token(conn, held, first)
        rotation.rotate(at, Wanted(), logins.NOW)
        fresh = Refreshed(f"fresh of {first.ig_id}", timedelta(days=60))
        database.write(lambda conn: tokens.keep(conn, first, held, fresh, logins.NOW))
    return first


class _Overtaken:
    """Keys that are rotated between the moment a login is read and the moment it is opened."""

    def __init__(self, at: Config) -> None:
        self._at, self._held, self.asked = at, HeldKeys(at.key_file, None), 0

    def unwrap(self, account_id: str, wrapped: bytes) -> bytes:
        self.asked += 1
        if self.asked == 1:
            rotation.rotate(self._at, Wanted(), logins.NOW)
            self._held.follow()
        return self._held.unwrap(account_id, wrapped)

    def wrap(self, account_id: str, data_key: bytes) -> bytes:
        return self._held.wrap(account_id, data_key)


def test_a_rotation_between_reading_and_opening_is_no_unreadable_login(tmp_path: Path) -> None:
    at = logins.make(tmp_path / "home")
    logins.connect(at, logins.add_account(at, "rosa@shop.example"), "1000")
    keys = _Overtaken(at)
    with open_database(at.database) as database:
        conn = database.connection
        (connected,) = connections.of_account(conn, accounts.every(conn)[0].id)
        assert credentials.token(conn, keys, connected) == f"{logins.TOKEN}1000"
    assert keys.asked == 2
