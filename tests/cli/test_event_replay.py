"""`events replay`: what nothing answered, tried again with the flows of now."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection
from pamosnik.ids import Ids, ids_from
from pamosnik.store.database import open_database
from tests.cli.in_process import Command, in_this_process
from tests.isolation import world
from tests.isolation.world import MINE, NOW, OTHERS

WORDS = f"nothing for {MINE.mark}"
FLOWS = world.FLOWS.replace("MARK", MINE.mark).replace("NEXT_YEAR", str(NOW.year + 1))
WITH_IT = FLOWS.replace(f"[dm: secret {MINE.mark}]", f"[dm: [secret {MINE.mark}, nothing for]]")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("replayed")
    with ids_from(Ids()):  # of that time, whatever other tests have made
        world.make(folder / "both")
    world.without(folder / "both", OTHERS, folder / "home")
    return folder / "home"


@pytest.fixture
def command(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    shutil.copytree(made, tmp_path / "home")
    monkeypatch.setenv("PAMOSNIK_PUBLIC_URL", world.PUBLIC)
    return in_this_process(monkeypatch, tmp_path / "home")


@pytest.fixture
def conn(command: Command, tmp_path: Path) -> Iterator[Connection]:
    with open_database(tmp_path / "home" / "pamosnik.db") as opened:
        yield opened.connection


def _event(conn: Connection) -> tuple[str, str, str | None]:
    """Id, verdict and flow of what nothing answered."""
    asked = "SELECT event_id, verdict, flow_id FROM events WHERE text=?"
    event_id, verdict, flow = conn.execute(asked, (WORDS,)).fetchone()
    return event_id, verdict, flow


def _applies(command: Command, folder: Path) -> None:
    (folder / "flows.yaml").write_text(WITH_IT)
    done = command("flows", "apply", str(folder / "flows.yaml"), "--yes")
    assert done.returncode == 0, done


def test_one_is_answered_as_soon_as_a_flow_takes_it(
    command: Command, conn: Connection, tmp_path: Path
) -> None:
    event_id, _, _ = _event(conn)
    nothing = command("events", "replay", event_id, "--yes")
    assert nothing.returncode == 1
    assert "Nothing is to be sent: No flow has a trigger for it." in nothing.stderr
    assert f"Try: pamosnik why {event_id}" in nothing.stderr
    _applies(command, tmp_path)
    # The person was sent the flow since, for the other of its words.
    since = command("events", "replay", event_id, "--yes")
    assert f"only-{MINE.mark} has begun for them since" in since.stderr
    unasked = command("events", "replay", event_id, "--again")
    assert unasked.returncode == 2
    assert "Answer 1 person now? Nobody can be asked here." in unasked.stderr
    assert _event(conn) == (event_id, "no_match", None)
    done = command("events", "replay", event_id, "--again", "--yes")
    assert done.returncode == 0, done
    assert "1 event was tried again." in done.stderr
    assert _event(conn) == (event_id, "started", f"only-{MINE.mark}")
    taken = command("events", "replay", event_id, "--yes")
    assert (taken.returncode, "--again" in taken.stderr) == (1, True)


def test_several_are_chosen_by_words_flow_and_time(
    command: Command, conn: Connection, tmp_path: Path
) -> None:
    _applies(command, tmp_path)
    conn.execute("DELETE FROM runs WHERE flow_id=?", (f"only-{MINE.mark}",))
    event_id, _, _ = _event(conn)

    def dry(*how: str) -> list[tuple[str, bool]]:
        done = command("events", "replay", *how, "--dry-run", "--json")
        assert done.returncode == 0, done
        return [(one["id"], one["tried"]) for one in json.loads(done.stdout)]

    assert dry("--words", WORDS.upper()) == [(event_id, True)]
    assert dry("--flow", f"only-{MINE.mark}") == [(event_id, True)]
    assert dry("--flow", "price") == []
    assert dry("--words", "other") == []
    assert dry("--since", "1m") == []
    assert _event(conn)[1] == "no_match"
    done = command("events", "replay", "--since", "1d", "--yes", "--json")
    assert [(one["verdict"], one["flow"]) for one in json.loads(done.stdout)] == [
        ("started", f"only-{MINE.mark}")
    ]
    assert dry("--flow", f"only-{MINE.mark}") == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "Which events?"),
        (("--since", "1d", "--again"), "--again is for events that are named."),
        (("--since", "never"), "is no time"),
    ],
)
def test_what_makes_no_sense_is_refused(command: Command, words: tuple[str, ...], says: str) -> None:
    done = command("events", "replay", *words)
    assert done.returncode == 2
    assert says in done.stderr


def test_a_flow_that_is_not_applied_is_told(command: Command) -> None:
    done = command("events", "replay", "--flow", "unheard-of", "--yes")
    assert done.returncode == 1
    assert "unheard-of" in done.stderr
