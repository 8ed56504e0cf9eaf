"""Every command, run for one account with every id and name that the other one has.

The same commands run in two homes: in one of them the other account never was. Whatever a command says or does there,
it says and does here, in the same words; so an id of theirs is an id that never existed.
"""

import io
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
import typer.core
import typer.main

from pamosnik import cli
from pamosnik import commands as package
from pamosnik._sqlite import Connection
from pamosnik.cli_reference import commands
from pamosnik.ids import earliest
from pamosnik.store.database import open_database
from tests.isolation import world
from tests.isolation.world import ANNA, MINE, NOW, OTHERS, PUBLIC, Side
from tests.privacy import exported

WITHOUT_ACCOUNT: Mapping[str, str] = {
    "accounts create": "of the machine: makes another account",
    "accounts list": "of the machine: who has it may list them",
    "backup create": "of the machine: all of it",
    "backup list": "of the machine",
    "backup verify": "of the machine",
    "chat": "flow files alone",
    "config show": "settings of the machine",
    "demo": "a home of its own",
    "flows explain": "flow files alone",
    "flows fmt": "flow files alone",
    "flows graph": "flow files alone",
    "flows new": "flow files alone",
    "flows schema": "no home",
    "flows test": "flow files alone",
    "flows validate": "flow files alone",
    "init": "of the machine: makes the first account",
    "keys rotate": "of the machine: the keys of every account",
    "keys status": "of the machine: the keys of every account",
    "restore": "of the machine: all of it",
    "sandbox": "no home",
    "serve": "of the machine: every account",
    "service install": "of the machine: every account",
    "service status": "of the machine: every account",
    "service uninstall": "of the machine: every account",
    "version": "no home",
}
"""Commands that work for no account, and why."""

WITH_AN_ID: Mapping[str, Sequence[str]] = {
    "accounts sessions revoke": (),
    "api-token revoke": ("--yes",),
    "connections refresh": (),
    "connections test": (),
    "connections show": (),
    "contacts export": ("-o", "HOME/person.zip"),
    "contacts pause": (),
    "contacts resume": (),
    "contacts note": ("a note",),
    "contacts set": ("size", "XL"),
    "contacts forget": ("--yes",),
    "contacts show": (),
    "disconnect": ("--yes",),
    "contacts tag": ("vip",),
    "contacts untag": ("vip",),
    "events replay": ("--again", "--yes"),
    "events show": (),
    "flows export": (),
    "flows history": (),
    "flows pause": (),
    "flows resume": (),
    "flows rollback": ("--yes",),
    "flows show": (),
    "queue cancel": ("--yes",),
    "queue retry": ("--yes",),
    "link": (),
    "queue settle": ("--resend", "--yes"),
    "runs cancel": ("--yes",),
    "runs show": (),
    "why": (),
}
"""Commands that take the id or name of something; what stands behind it. HOME is the home that they run in."""

WITHOUT_AN_ID: Mapping[str, Sequence[Sequence[str]]] = {
    "accounts history": [(), ("--json",), ("--limit", "3"), ("--since", "2000-01-01", "--all")],
    "accounts passwd": [("--password-stdin",)],
    "accounts sessions list": [(), ("--json",)],
    "accounts set": [("--name", "Another name"), ("--timezone", "Europe/Warsaw", "--json")],
    "api-token create": [("--name", "script of THEIRS")],
    "api-token list": [(), ("--json",)],
    "connect": [("--token-stdin",)],
    "connections list": [(), ("--json",)],
    "contacts find": [("THEIRS",), ("fan.THEIRS", "--json"), ("XL", "--json")],
    "contacts list": [(), ("--json",)],
    "delete-account": [
        ("--dry-run",),
        ("--dry-run", "--json"),
        ("--yes", "--email", "theirs@THEIRS.example"),
    ],
    "doctor": [(), ("--json",)],
    "events list": [(), ("--json",), ("--limit", "3")],
    "export": [("-o", "HOME/all.zip")],
    "flows apply": [("FILE", "--dry-run"), ("FILE", "--yes", "--prune", "--json")],
    "flows diff": [("FILE", "--replay", "30d"), ("FILE", "--replay", "30d", "--json", "--prune")],
    "flows list": [(), ("--json",)],
    "import": [("EXPORT", "--dry-run"), ("EXPORT", "--json")],
    "flows match": [
        ("price",),
        ("secret THEIRS",),
        ("price", "--post", "post-THEIRS"),
        ("secret THEIRS", "--json"),
    ],
    "queue list": [(), ("--json",), ("--open",)],
    "retention run": [("--dry-run",), ("--yes",), ("--dry-run", "--json")],
    "retention show": [(), ("--json",)],
    "runs list": [(), ("--json",)],
    "stats": [
        (),
        ("--json",),
        ("--flow", "only-THEIRS"),
        ("--connection", "shop-THEIRS"),
        ("--since", "30d", "--json"),
        *(("--by", by, "--json") for by in ("day", "post", "step", "link")),
        ("--by", "step", "--flow", "only-THEIRS"),
    ],
    "status": [(), ("--json",)],
}
"""Commands that take none, or other words; each way to run them. THEIRS is the other account's mark."""

LASTING = ("flows apply", "accounts passwd", "api-token create", "contacts forget", "disconnect")
"""Run in homes of their own: what they change is in the way of others, whichever test comes first."""


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended, in words that do not change from run to run."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Homes:
    both: Path
    alone: Path
    """The other account never was here."""
    spare: Path
    """Both, once more: for what the other account does."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Homes:
    folder = tmp_path_factory.mktemp("commands")
    world.make(folder / "both")
    world.without(folder / "both", OTHERS, folder / "alone")
    world.without(folder / "both", NOBODY, folder / "spare")
    flows = world.FLOWS.replace("MARK", MINE.mark).replace("NEXT_YEAR", str(NOW.year + 1))
    (folder / "new.yaml").write_text(flows.replace("Which size at", "What size at"))
    with open_database(folder / "both" / "pamosnik.db") as database:
        exported.write(folder / "export.zip", exported.data(database.connection, MINE.account))
    return Homes(folder / "both", folder / "alone", folder / "spare")


@pytest.fixture
def homes(made: Homes, tmp_path: Path, request: pytest.FixtureRequest) -> Homes:
    """The same for all tests, but for commands whose changes last."""
    known = getattr(request.node, "callspec", None)
    if known is None or known.params.get("command") not in LASTING:
        return made
    shutil.copytree(made.both.parent, tmp_path / "own")
    own = tmp_path / "own"
    return Homes(own / made.both.name, own / made.alone.name, own / made.spare.name)


NOBODY = Side("", "", "nobody", 0)
Run = Callable[..., Said]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in a home, for an account or without one."""
    monkeypatch.setattr(cli, "app", _built())
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("PAMOSNIK_PUBLIC_URL", PUBLIC)
    monkeypatch.setenv("PAMOSNIK_META_URL", "http://127.0.0.1:9")  # nobody answers

    def run(home: Path, *arguments: str, account: str = MINE.email) -> Said:
        monkeypatch.setenv("PAMOSNIK_HOME", str(home))
        monkeypatch.setenv("PAMOSNIK_ACCOUNT", account)
        monkeypatch.setattr(sys, "stdin", io.StringIO("three quite random words\n"))
        with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
            code = cli.run([one.replace("HOME", str(home)) for one in arguments])
        return Said(code, _steady(out.getvalue(), home), _steady(err.getvalue(), home))

    return run


@cache
def _built() -> typer.core.TyperGroup:
    """All commands. To build them takes longer than most of them take."""
    built = typer.main.get_command(cli.app)
    assert isinstance(built, typer.core.TyperGroup)
    return built


_SOON = NOW + timedelta(hours=1)
_WORLD = tuple(f"{at:%Y-%m-%d %H:%M:%S}" for at in (NOW - timedelta(hours=1), _SOON))
"""All that happened in the homes; every other time comes from the clock."""
_IDS = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{26}\b")
_TIMES = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")
_FILES = re.compile(r"\b\d+ files for ")
"""What a deletion searched: a log lies beside the database while others have it open."""
_SECRET = re.compile(r"^[\w-]{40,}$", re.MULTILINE)
"""A token of the API, printed alone."""


def _steady(text: str, home: Path) -> str:
    """Without the name of the home, and without ids, times and secrets that this very run has made."""
    text = _FILES.sub("FILES for ", text)
    text = _IDS.sub(lambda found: "ID" if found[0] > earliest(_SOON) else found[0], text)
    text = _TIMES.sub(
        lambda found: found[0] if _WORLD[0] < found[0].replace("T", " ") < _WORLD[1] else "NOW", text
    )
    return _SECRET.sub("SECRET", text).replace(str(home), "HOME")


def _names(conn: Connection, side: Side) -> Iterator[str]:
    """Every id and name that somebody may know of an account; one of each kind."""
    columns = {
        "events": ("event_id", "mid", "comment_id"),
        "runs": ("run_id", "version"),
        "outbox": ("item_id", "message_id"),
        "contacts": ("contact_id",),
        "waits": ("wait_id",),
        "links": ("token",),
        "sessions": ("session_id",),
        "api_tokens": ("token_id", "name"),
        "broadcasts": ("broadcast_id",),
        "deletions": ("deletion_id",),
        "connections": ("connection_id", "ig_id", "asid", "username"),
        "codes": ("code",),
        "contact_ids": ("igsid",),
        "bound_posts": ("media_id",),
    }
    for table, names in columns.items():
        for name in names:
            yield from (
                str(value)
                for (value,) in conn.execute(
                    f"SELECT DISTINCT {name} FROM {table} WHERE account_id=? AND {name} IS NOT NULL LIMIT 1",
                    (side.account,),
                )
            )
    yield from (side.account, side.email, side.fan, f"@fan.{side.mark}", f"only-{side.mark}", side.mark)


@pytest.fixture(scope="module")
def their_names(made: Homes) -> Sequence[str]:
    with open_database(made.both / "pamosnik.db") as database:
        return sorted(set(_names(database.connection, OTHERS)))


@pytest.fixture
def untouched(homes: Homes) -> Iterator[None]:
    """No row of theirs, and none of the whole installation, is another one afterwards."""
    with open_database(homes.both / "pamosnik.db") as database:
        before = [world.rows_of(database.connection, side) for side in (OTHERS, NOBODY)]
        yield
        assert [world.rows_of(database.connection, side) for side in (OTHERS, NOBODY)] == before


def test_every_command_is_tried_or_listed() -> None:
    tables = (WITHOUT_ACCOUNT, WITH_AN_ID, WITHOUT_AN_ID)
    listed = [name for table in tables for name in table]
    assert sorted(listed) == sorted(name for name, _ in commands())


LOOKS_BEYOND: Mapping[str, str] = {
    "accounts": "whether another account has an address already",
    "flow_history": "whose a variable of the environment is",
    "flow_plans": "whose a variable of the environment is",
    "import_": "whether ids of the export, or its Instagram accounts, are in the home already",
    "status": "how large the file beside the database is",
}
"""Modules of commands that use the whole database for an account, and what for."""


def test_commands_that_work_for_an_account_stay_within_its_walls() -> None:
    """`home.read` and `home.write`; where `home.database` is used, it is for one of these reasons."""
    files = Path(package.__file__).parent.glob("*.py")
    beyond = {file.stem for file in files if "home.database" in file.read_text("utf-8")}
    assert beyond == set(LOOKS_BEYOND)


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("command", sorted(WITH_AN_ID))
def test_an_id_of_theirs_is_one_that_never_existed(
    homes: Homes, run: Run, their_names: Sequence[str], command: str
) -> None:
    words, more = command.split(), WITH_AN_ID[command]
    unknown = {name: run(homes.alone, *words, name, *more) for name in their_names}
    for name, expected in unknown.items():
        assert run(homes.both, *words, name, *more) == expected, name
        assert expected.code != 0, (name, expected)
        assert OTHERS.mark not in expected.out + expected.err.replace(name, ""), (name, expected)
    # To its owner the same command says something else: some of these names are good ones.
    assert any(
        run(homes.spare, *words, name, *more, account=OTHERS.email) != unknown[name] for name in unknown
    )


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("command", sorted(WITH_AN_ID))
@pytest.mark.parametrize("name", [ANNA, "price"])
def test_a_name_that_both_have_means_ones_own(homes: Homes, run: Run, command: str, name: str) -> None:
    words, more = command.split(), WITH_AN_ID[command]
    said = run(homes.both, *words, name, *more)
    assert said == run(homes.alone, *words, name, *more)
    assert OTHERS.mark not in said.out + said.err


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("command", sorted(WITHOUT_AN_ID))
def test_what_is_told_is_as_if_the_other_were_not_there(homes: Homes, run: Run, command: str) -> None:
    """Lists, sums, plans and checks: no row of theirs, and no count."""
    file = str(homes.both.with_name("new.yaml"))
    for more in WITHOUT_AN_ID[command]:
        export = str(homes.both.with_name("export.zip"))
        given = [
            word.replace("THEIRS", OTHERS.mark).replace("FILE", file).replace("EXPORT", export)
            for word in more
        ]
        said = run(homes.both, *command.split(), *given)
        assert said == run(homes.alone, *command.split(), *given)
        for word in given:
            said = Said(said.code, said.out.replace(word, ""), said.err.replace(word, ""))
        assert OTHERS.mark not in said.out + said.err


CALLS = """
version: 1
webhooks:
  crm: { url: "https://crm.example/", secret_from: VARIABLE }
flows:
  ask:
    when: [dm: ask]
    do: [call: { webhook: crm }, send: Done.]
"""


@pytest.mark.usefixtures("untouched")
def test_variables_of_theirs_are_neither_named_nor_told(
    homes: Homes, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whose a variable is hangs on all accounts: the one thing that a command has to know of the others."""

    def applied(variable: str) -> str:
        file = tmp_path / "calls.yaml"
        file.write_text(CALLS.replace("VARIABLE", variable))
        said = run(homes.both, "flows", "apply", str(file), "--dry-run")
        return f"{said.code}: {said.out.replace(variable, 'VARIABLE')}"

    theirs, mine = (f"FLOW_SHOP_{side.mark.upper()}_KEY" for side in (OTHERS, MINE))
    unset = applied(theirs)
    assert "VARIABLE is none of this account's" in unset
    assert unset.startswith("4: ")
    assert applied("FLOW_OF_NOBODY_KEY") == unset
    monkeypatch.setenv(theirs, "sesame")
    assert applied(theirs) == unset
    monkeypatch.setenv(mine, "sesame")
    assert applied(mine).startswith("0: ")


@pytest.mark.parametrize("command", [name for name in (*WITH_AN_ID, *WITHOUT_AN_ID) if name != "doctor"])
def test_without_account_the_accounts_are_listed(homes: Homes, run: Run, command: str) -> None:
    """Never a guess: `doctor` alone looks at all of them then."""
    tried = ["ID", *WITH_AN_ID[command]] if command in WITH_AN_ID else next(iter(WITHOUT_AN_ID[command]))
    said = run(homes.spare, *command.split(), *tried, account="")
    assert (said.code, said.out) == (2, "")
    assert MINE.email in said.err
    assert OTHERS.email in said.err
