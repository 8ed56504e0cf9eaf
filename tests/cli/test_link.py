"""`link`: the ig.me link of a flow, as text and as a QR code."""

import json
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection
from pamosnik.store import accounts
from pamosnik.store.database import open_database
from tests.cli.in_process import Command, home

__all__ = ["home"]

FLOWS = """
version: 1
disclosure: "Automated."
flows:
  price:
    when: [{ dm: price }, { link: flyer }, { link: [bio, flyer] }]
    do: [{ send: "Here you are." }]
  everywhere:
    when: [link]
    connections: [tulip]
    do: [{ send: "Hello." }]
  written:
    when: [{ dm: hello }, { ice_breaker: "Opening hours?" }]
    connections: [tulip]
    do: [{ send: "Hello." }]
  elsewhere:
    when: [link]
    connections: [gone]
    do: [{ send: "Hello." }]
"""


@pytest.fixture
def shop(home: Command, tmp_path: Path) -> Command:
    """Two connected accounts, and a third that removed the app."""
    (tmp_path / "flows.yaml").write_text(FLOWS, "utf-8")
    with open_database(tmp_path / "home" / "pamosnik.db") as database:
        database.write(_connected)
    assert home("flows", "apply", str(tmp_path / "flows.yaml"), "--yes").returncode == 0
    return home


def _connected(conn: Connection) -> None:
    account = accounts.every(conn)[0].id
    for number, (name, status) in enumerate(
        (("tulip", "active"), ("rose", "needs_login"), ("gone", "disconnected"))
    ):
        conn.execute(
            "INSERT INTO connections (connection_id, account_id, ig_id, username, status, scopes, connected_at)"
            " VALUES (?, ?, ?, ?, ?, '[]', 0)",
            (f"K{number}", account, f"17841{number}", name, status),
        )


def test_each_ref_of_each_account_has_its_link(shop: Command) -> None:
    done = shop("link", "price", "--json")
    told = json.loads(done.stdout)
    assert [(one["connection"], one["ref"]) for one in told["links"]] == [
        ("tulip", "flyer"),
        ("tulip", "bio"),
        ("rose", "flyer"),
        ("rose", "bio"),
    ]
    assert told["links"][1]["url"] == "https://ig.me/m/tulip?ref=bio"
    listed = shop("link", "price").stdout
    assert all(one["url"] in listed for one in told["links"])


def test_one_link_stands_alone_on_a_line(shop: Command) -> None:
    assert shop("link", "everywhere").stdout == "https://ig.me/m/tulip\n"
    assert (
        shop("link", "price", "--ref", "bio", "--connection", "@ROSE").stdout
        == "https://ig.me/m/rose?ref=bio\n"
    )


def test_what_metas_condition_lacks_is_said_of_the_account_that_lacks_it(shop: Command) -> None:
    assert shop("link", "everywhere").stderr == ""
    said = shop("link", "price").stderr
    assert said.startswith("@rose has no opening questions")
    assert "tulip" not in said


def test_a_paused_flow_is_named(shop: Command) -> None:
    shop("flows", "pause", "everywhere")
    assert "Try: pamosnik flows resume everywhere" in shop("link", "everywhere").stderr


def test_a_flow_without_such_a_trigger_gets_the_line_to_add(shop: Command) -> None:
    done = shop("link", "written")
    assert (done.returncode, done.stdout) == (1, "")
    assert "- link: written" in done.stderr


def test_flows_and_accounts_that_are_not_there(shop: Command) -> None:
    assert "Did you mean price?" in shop("link", "prices").stderr
    assert "No account is connected that elsewhere plays on." in shop("link", "elsewhere").stderr
    done = shop("link", "price", "--ref", "story")
    assert done.returncode == 1
    assert "flyer of @tulip, bio of @tulip" in done.stderr


@pytest.mark.parametrize(("name", "begins"), [("code.png", b"\x89PNG"), ("code.SVG", b"<?xml")])
def test_the_code_goes_into_a_file(shop: Command, tmp_path: Path, name: str, begins: bytes) -> None:
    done = shop("link", "everywhere", "--qr", "-o", str(tmp_path / name))
    assert done.stdout == "https://ig.me/m/tulip\n"
    assert (tmp_path / name).read_bytes().startswith(begins)
    again = shop("link", "everywhere", "-o", str(tmp_path / name))
    assert again.returncode == 0, "a code may be made anew"


def test_a_file_holds_one_code(shop: Command, tmp_path: Path) -> None:
    file = tmp_path / "code.png"
    done = shop("link", "price", "-o", str(file))
    assert done.returncode == 2
    assert f"Try: pamosnik link price -o {file} --connection tulip --ref flyer" in done.stderr
    assert not file.exists()


def test_files_of_other_kinds_and_folders_that_are_not_there(shop: Command, tmp_path: Path) -> None:
    done = shop("link", "everywhere", "-o", str(tmp_path / "code"))
    assert done.returncode == 2
    assert "code.png" in done.stderr
    done = shop("link", "everywhere", "-o", str(tmp_path / "no" / "code.png"))
    assert done.returncode == 2
    assert "cannot be written" in done.stderr


def test_the_code_on_the_screen_stands_above_its_link(shop: Command) -> None:
    lines = shop("link", "everywhere", "--qr").stdout.splitlines()
    assert lines[-1] == "https://ig.me/m/tulip"
    assert set("".join(lines[:-1])) == set("█▀▄ ")
    assert shop("link", "price", "--qr").stdout.count("https://ig.me/") == 4
