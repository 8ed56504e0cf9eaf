"""`api-token` as somebody who writes a script uses it."""

import json
import re
from pathlib import Path

from tests.cli.in_process import PASSWORD, Command, home

__all__ = ["home"]

TOKEN = re.compile(r"pamo_[A-Za-z0-9_-]{43}")


def test_a_token_is_printed_once_alone(home: Command, tmp_path: Path) -> None:
    made = home("api-token", "create", "--name", "spreadsheet")
    token = made.stdout.removesuffix("\n")
    assert TOKEN.fullmatch(token)
    assert "spreadsheet" in made.stderr
    assert token not in made.stderr
    for command in (("list",), ("list", "--json")):
        said = home("api-token", *command)
        assert token not in said.stdout
        assert "spreadsheet" in said.stdout
    assert all(token.encode() not in path.read_bytes() for path in (tmp_path / "home").iterdir())


def test_json_has_the_token_and_what_it_is_called(home: Command) -> None:
    made = json.loads(home("api-token", "create", "--name", " books ", "--json").stdout)
    assert TOKEN.fullmatch(made["token"])
    [listed] = json.loads(home("api-token", "list", "--json").stdout)
    assert listed == {name: value for name, value in made.items() if name != "token"}
    assert (listed["name"], listed["last_used_at"]) == ("books", None)


def test_a_name_is_taken_once(home: Command) -> None:
    assert home("api-token", "create", "--name", "books").returncode == 0
    again = home("api-token", "create", "--name", "books")
    assert (again.returncode, again.stdout, "already" in again.stderr) == (1, "", True)
    for wrong in ("", "   ", "x" * 61, "a\nb", "pamo_x"):
        refused = home("api-token", "create", "--name", wrong)
        assert (refused.returncode, refused.stdout) == (2, "")
    assert home("api-token", "create").returncode == 2


def test_revoking_asks_and_is_told_when_there_is_nothing(home: Command) -> None:
    assert "api-token create" in home("api-token", "list").stderr
    home("api-token", "create", "--name", "books")
    token = home("api-token", "create", "--name", "spreadsheet").stdout.strip()
    [books, sheet] = json.loads(home("api-token", "list", "--json").stdout)
    asked = home("api-token", "revoke", "books")
    assert (asked.returncode, "never used" in asked.stderr, "--yes" in asked.stderr) == (2, True, True)
    assert home("api-token", "revoke", "books", "--yes").returncode == 0
    again = home("api-token", "revoke", "books", "--yes")
    assert (again.returncode, "There are: spreadsheet" in again.stderr) == (1, True)
    pasted = home("api-token", "revoke", token, "--yes")
    assert (pasted.returncode, token in pasted.stderr) == (2, False)
    assert home("api-token", "revoke", sheet["id"], "--yes").returncode == 0
    assert json.loads(home("api-token", "list", "--json").stdout) == []
    assert books["id"] != sheet["id"]


def test_each_account_has_its_own(home: Command) -> None:
    fern = ("--account", "fern@shop.example")
    who = ("--name", "Fern", "--email", "fern@shop.example", "--password-stdin")
    assert home("accounts", "create", *who, given=f"{PASSWORD}\n").returncode == 0
    for command in (("create", "--name", "books"), ("list",), ("revoke", "books", "--yes")):
        assert home("api-token", *command).returncode == 2
    rosa = ("--account", "rosa@shop.example")
    made = json.loads(home("api-token", "create", "--name", "books", "--json", *rosa).stdout)
    for meant in ("books", made["id"]):
        refused = home("api-token", "revoke", meant, "--yes", *fern)
        assert (refused.returncode, "This account has none" in refused.stderr) == (1, True)
    assert home("api-token", "create", "--name", "books", *fern).returncode == 0
    assert len(json.loads(home("api-token", "list", "--json", *rosa).stdout)) == 1
