"""`retention show` and `retention run` on a home, and how long things are kept in `pamosnik.toml`."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pamosnik import config
from pamosnik.errors import UsageError
from pamosnik.store import accounts
from pamosnik.store.database import open_database
from tests.cli.in_process import Command, home

__all__ = ["home"]


def _old_logins(folder: Path, count: int) -> None:
    at = datetime.now(UTC) - timedelta(days=40)
    with open_database(folder / "home" / "pamosnik.db") as database:
        account = accounts.every(database.connection)[0]
        for _ in range(count):
            database.write(
                lambda conn: accounts.audit(
                    conn, account.id, actor="page", action="plantedlogin", subject=None, now=at, access=True
                )
            )


def _settings(folder: Path, text: str) -> None:
    path = folder / "home" / "pamosnik.toml"
    path.write_text(path.read_text() + f"\n[retention]\n{text}\n")


def test_what_would_go_is_shown_and_goes_when_it_is_said(home: Command, tmp_path: Path) -> None:
    _old_logins(tmp_path, 3)
    _settings(tmp_path, 'contacts = "2y"\nlogs = "4w"\nruns = "forever"')
    shown = json.loads(home("retention", "show", "--json").stdout)
    kept = {kind["kind"]: (kind["keep"], kind["source"], kind["goes"]) for kind in shown["kinds"]}
    assert kept == {
        "events": ("30d", "default", 0),
        "messages": ("90d", "default", 0),
        "runs": ("forever", "pamosnik.toml", 0),
        "contacts": ("730d", "pamosnik.toml", 0),
        "logs": ("28d", "pamosnik.toml", 3),
    }
    assert shown["last"] is None
    refused = home("retention", "run")
    assert (refused.returncode, "Try: pamosnik retention run --yes" in refused.stderr) == (2, True)
    assert "Nothing was deleted" in home("retention", "run", "--dry-run").stderr
    done = home("retention", "run", "--yes")
    assert (done.returncode, "logs 3" in done.stdout) == (0, True), done
    for file in (tmp_path / "home").glob("pamosnik.db*"):
        assert b"plantedlogin" not in file.read_bytes(), file
    assert json.loads(home("retention", "show", "--json").stdout)["last"]["gone"] == {"logs": 3}
    after = json.loads(home("retention", "run", "--yes", "--json").stdout)
    assert after["last"]["gone"] == {}
    assert "Nothing is too old." in home("retention", "run").stdout


def test_fields_with_an_age_are_shown(home: Command, tmp_path: Path) -> None:
    flows = tmp_path / "flows.yaml"
    flows.write_text(
        "version: 1\nfields: { size: { type: text, keep_for: 90d }, day: date }\n"
        "flows: { ask: { when: [dm: size], do: [{ ask: { question: Which?, save_as: size } }] } }\n"
    )
    assert home("flows", "apply", str(flows), "--yes").returncode == 0
    (field,) = json.loads(home("retention", "show", "--json").stdout)["fields"]
    assert field == {
        "field": "size",
        "keep": "90d",
        "source": "flows",
        "stored": 0,
        "goes": 0,
        "oldest": None,
    }
    assert "field size" in home("retention", "show").stdout


def test_a_wrong_clock_deletes_nothing(home: Command, tmp_path: Path) -> None:
    from pamosnik.store import notices

    _old_logins(tmp_path, 1)
    with open_database(tmp_path / "home" / "pamosnik.db") as database:
        at = datetime.now(UTC)
        database.write(
            lambda conn: notices.raise_notice(conn, "", "", notices.CLOCK_WRONG, "It is ahead.", "", at)
        )
    refused = home("retention", "run", "--yes")
    assert (refused.returncode, "timedatectl" in refused.stderr) == (1, True)
    assert json.loads(home("retention", "show", "--json").stdout)["last"] is None


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('event = "30d"', "Did you mean events?"),
        ('people = "30d"', "Known are: events, messages"),
        ('events = "30"', "is no age"),
        ("events = 30", "is no age"),
        ('events = "30m"', "is no age"),
        ('events = "1d"', "too short: Instagram tells things again"),
        ('contacts = "1w"', "too short"),
        ('logs = "101y"', "hundred years"),
        ('messages = "-1d"', "is no age"),
        ('messages = ""', "is no age"),
        ("events = true", "is no age"),
    ],
)
def test_ages_that_are_none_are_refused_in_words(tmp_path: Path, written: str, said: str) -> None:
    (tmp_path / "pamosnik.toml").write_text(f"[retention]\n{written}\n")
    with pytest.raises(UsageError) as refused:
        config.load({"home": str(tmp_path)}, environ={})
    assert said in f"{refused.value.message} {refused.value.hint}"
    assert "pamosnik.toml" in refused.value.message


def test_retention_is_a_table(tmp_path: Path) -> None:
    (tmp_path / "pamosnik.toml").write_text('retention = "30d"\n')
    with pytest.raises(UsageError, match="must be a table"):
        config.load({"home": str(tmp_path)}, environ={})


def test_settings_show_how_long_things_are_kept(home: Command, tmp_path: Path) -> None:
    _settings(tmp_path, 'events = "12w"')
    shown = {one["name"]: one for one in json.loads(home("config", "show", "--json").stdout)}
    assert shown["retention.events"] == {
        "name": "retention.events",
        "value": "84d",
        "source": "pamosnik.toml",
    }
    assert shown["retention.contacts"]["source"] == "default"
