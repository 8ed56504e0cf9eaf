"""The keys that seal logins: keys status, keys rotate."""

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from pamosnik import terminal, unsaid
from pamosnik.commands import asking, upgrading
from pamosnik.commands.common import (
    Json,
    Yes,
    counted,
    note,
    now,
    print_facts,
    print_json,
    print_table,
    require_yes,
    say,
)
from pamosnik.errors import UsageError

if TYPE_CHECKING:
    from pamosnik.config import Config
    from pamosnik.services.keys import Status
    from pamosnik.services.lost_key import Login
    from pamosnik.services.rotation import Rotated, Wanted


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="The keys that seal the logins of connected accounts.",
        rich_markup_mode=None,
        no_args_is_help=True,
    )
    group.command("status")(status)
    group.command("rotate")(rotate)
    app.add_typer(group, name="keys")


# --- status ----------------------------------------------------------------------------------------------


def status(as_json: Json = False) -> None:
    """The key file, its age and seal, and what it opens; when it is lost, what is lost with it. Shows no key."""
    from pamosnik import config
    from pamosnik.services import keys

    settings = config.load()
    found = keys.status(settings)
    if as_json:
        print_json(_shape(settings, found))
        return
    print_facts(_facts(settings, found))
    rows = [row for account in _accounts(found) for row in _rows(account)]
    columns = [("email", "Account"), ("key_made_at", "Key since"), ("key_opens", "Opens")]
    columns += [("username", "Instagram"), ("status", "State"), ("login_opens", "Login opens")]
    print_table(rows, columns, "There is no account yet. Try: pamosnik init")
    _say_what_is_lost(found)


def _facts(settings: "Config", found: "Status") -> list[tuple[str, object]]:
    outside = found.outside
    facts: list[tuple[str, object]] = [
        ("home", f"{settings.home} ({found.home_mode:04o})"),
        ("key file", f"{settings.key_file} ({'–' if outside is None else f'{outside.mode:04o}'})"),
    ]
    if outside is not None:
        facts.append(("sealed", _seal(found)))
    if found.made:
        facts.append(("made", ", ".join("not known" if at is None else _time(at) for at in found.made)))
    if len(found.made) > 1:
        facts.append(("rotation", "was broken off. To end it: pamosnik keys rotate"))
    if found.home_mode & 0o077:
        facts.append(
            ("danger", f"other users of this machine can get into the home. Try: chmod 700 {settings.home}")
        )
    if found.daemon is not None:
        facts.append(("daemon", "has read this file" if found.daemon else "does not hold this file's keys"))
    return facts


def _seal(found: "Status") -> str:
    from pamosnik.security.keyring import TODAY

    assert found.outside is not None
    with_ = found.outside.sealed_with
    if with_ is None:
        return "not with a passphrase" if found.outside.format is not None else "not known"
    weaker = with_.is_weaker_than(TODAY)
    figures = f"{with_.memory_kib >> 10} MiB, {with_.time_cost} times, {with_.parallelism} lanes"
    return f"with a passphrase: Argon2id, {figures}" + (
        ", weaker than today's: the next start of `serve` seals it anew" if weaker else ""
    )


def _rows(account: dict[str, object]) -> list[dict[str, object]]:
    """A line for each login; one for an account without any."""
    logins = account["connections"]
    assert isinstance(logins, list)
    mine = {name: account[name] for name in ("email", "key_made_at")} | {"key_opens": _yes(account["opens"])}
    of_login = [
        {"username": f"@{one['username']}", "status": one["status"], "login_opens": _login(one)}
        for one in logins
    ]
    return [{**mine, **one} for one in of_login or [{}]]


def _login(connection: Mapping[str, object]) -> str:
    return _yes(connection["login_opens"]) if connection["login_stored"] else "–"


def _yes(opens: object) -> str:
    return "not known" if opens is None else "yes" if opens else "no"


def _accounts(found: "Status") -> list[dict[str, object]]:
    return [
        {
            "email": one.key.account.email,
            "key_made_at": _time(one.key.made_at),
            "opens": one.opens if found.known else None,
            "connections": [
                {
                    "username": connected.username,
                    "ig_id": connected.ig_id,
                    "status": connected.status.value,
                    "login_stored": opens is not None,
                    "login_opens": opens if found.known else None,
                }
                for connected, opens in one.logins
            ],
        }
        for one in found.accounts
    ]


def _shape(settings: "Config", found: "Status") -> dict[str, object]:
    """The JSON contract."""
    from pamosnik.security.keyring import TODAY
    from pamosnik.services.lost_key import lost

    outside, trouble = found.outside, found.trouble
    seal = None if outside is None else outside.sealed_with
    argon2 = (
        None
        if seal is None
        else {
            "time_cost": seal.time_cost,
            "memory_kib": seal.memory_kib,
            "parallelism": seal.parallelism,
            "as_strong_as_today": not seal.is_weaker_than(TODAY),
        }
    )
    return {
        "home": {"path": str(settings.home), "mode": f"{found.home_mode:04o}"},
        "key_file": {
            "path": str(settings.key_file),
            "mode": None if outside is None else f"{outside.mode:04o}",
            "format": None if outside is None else outside.format,
            "argon2id": argon2,
        },
        "problem": None
        if trouble is None
        else {"code": trouble.trouble.value, "message": trouble.message, "fix": trouble.hint},
        "keys": [{"made_at": None if at is None else _time(at)} for at in found.made],
        "rotation_unfinished": len(found.made) > 1,
        "daemon_has_read": found.daemon,
        "accounts": _accounts(found),
        "lost": [one.connected.username for one in lost(found.accounts)] if found.known else None,
    }


def _say_what_is_lost(found: "Status") -> None:
    from pamosnik.security.keyring import Trouble
    from pamosnik.services.lost_key import lost

    trouble = found.trouble
    if trouble is not None:
        say(f"{trouble.message}")
    if not found.known:
        assert trouble is not None
        say(f"{trouble.hint}")
        return
    gone = lost(found.accounts)
    if trouble is None and not gone and all(one.opens for one in found.accounts):
        say("Everything opens.")
        return
    stored = sum(opens is not None for one in found.accounts for _, opens in one.logins)
    say(f"Lost without the right key: {_names(gone) or 'no login'} ({len(gone)} of {stored} stored logins).")
    say("Not lost: everything else. People, conversations, flows and what waits to be sent are not sealed.")
    say("The way on:")
    if trouble is not None and trouble.trouble in (Trouble.SEALED, Trouble.WRONG_PASSPHRASE):
        say("  1. Set PAMOSNIK_PASSPHRASE to the passphrase: everything opens again.")
        say("  2. If nobody knows it any more: rename master.key in the home to master.key.sealed, then")
    else:
        say(
            "  1. Put back the master.key that belongs to this database, from your copy: everything opens again."
        )
        say("  2. If there is no copy:")
    say("     pamosnik keys rotate --lost-key")
    if gone:
        say(f"     pamosnik connect, for {_names(gone)}")


def _names(logins: "Sequence[Login]") -> str:
    return ", ".join(f"@{one.connected.username} ({one.account})" for one in logins)


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


# --- rotate ----------------------------------------------------------------------------------------------


def rotate(
    master: Annotated[bool, typer.Option("--master", help="Only the master key.")] = False,
    accounts: Annotated[bool, typer.Option("--accounts", help="Only the accounts' own keys.")] = False,
    new_passphrase_stdin: Annotated[
        bool, typer.Option("--new-passphrase-stdin", help="Seal the key file with the passphrase read there.")
    ] = False,
    no_passphrase: Annotated[
        bool, typer.Option("--no-passphrase", help="Seal the key file no more.")
    ] = False,
    lost_key: Annotated[
        bool, typer.Option("--lost-key", help="Go on without a key that is lost: its logins are removed.")
    ] = False,
    yes: Yes = False,
) -> None:
    """New keys in the place of the old ones, beside a running daemon; nothing has to be connected again."""
    from pamosnik import config

    settings = config.load()
    if lost_key:
        if master or accounts or new_passphrase_stdin or no_passphrase:
            raise UsageError("--lost-key goes alone.", hint="Try: pamosnik keys rotate --lost-key")
        _give_up(settings, yes=yes)
        return
    wanted = _wanted(master, accounts, new_passphrase_stdin, no_passphrase)
    _rotate(settings, wanted, yes=yes)


def _wanted(master: bool, accounts: bool, new_passphrase: bool, no_passphrase: bool) -> "Wanted":
    from pamosnik.services.rotation import Wanted

    if new_passphrase and no_passphrase:
        raise UsageError(
            "A new passphrase, or none: not both.",
            hint="Try: pamosnik keys rotate --new-passphrase-stdin < FILE",
        )
    seal = None
    if new_passphrase:
        if sys.stdin.isatty():
            seal = terminal.ask("New passphrase", hidden=True, twice=True)
        else:
            command = "pamosnik keys rotate --new-passphrase-stdin"
            seal = unsaid.keep(asking.first_line("passphrase", command))
        _require_good(seal)
    both = master == accounts
    return Wanted(master=master or both, accounts=accounts or both, seal=seal, unseal=no_passphrase)


def _require_good(passphrase: str) -> None:
    from pamosnik.security.passwords import require_good

    try:
        require_good(passphrase)
    except UsageError as error:
        raise UsageError(error.message.replace("password", "passphrase", 1), hint=error.hint) from None


def _rotate(settings: "Config", wanted: "Wanted", *, yes: bool) -> None:
    from pamosnik.commands.patience import Patience
    from pamosnik.services import rotation

    what = (
        "master key and the accounts' keys"
        if wanted.master and wanted.accounts
        else ("master key" if wanted.master else "accounts' keys")
    )
    copies = " Copies of master.key that you keep open it no more." if wanted.master else ""
    require_yes(f"Replace the {what}?{copies}", yes=yes)
    upgrading.bring_up_to_date(settings)
    done = rotation.rotate(settings, wanted, now(), Patience(settings, note))
    _say_done(settings, wanted, done)


def _say_done(settings: "Config", wanted: "Wanted", done: "Rotated") -> None:
    if done.resumed:
        say("A rotation of the master key that had been broken off is at its end.")
    elif done.master:
        say("The master key is new; the old one is out of the key file.")
    if done.accounts:
        say(
            f"{counted(done.accounts, 'account')} got a new key; {counted(done.logins, 'login')} sealed under it."
        )
    for email in done.unreadable:
        say(f"The key of {email} does not open and stayed as it was. Try: pamosnik keys status")
    if done.resealed:
        _say_what_to_set(settings, wanted, sealed=done.sealed)
    if done.traces:
        note("Another program reads the database: what the old keys sealed stays in its log until that ends.")
    if not done.master:
        return  # copies of the key file, and all that was copied before, go together as they did
    note("Make a new copy of master.key, somewhere else than the backups.")
    if done.backups:
        note(
            f"{counted(done.backups, 'backup')} in this home, and every other made before: the logins in them open"
            " with the old master.key only. Try: pamosnik backup create"
        )
    if done.copies:
        note(
            f"{counted(done.copies, 'older copy', 'older copies')} of the database in this home: the same."
            f" If you need none: rm {settings.home}/pamosnik.*before-*"
        )


def _say_what_to_set(settings: "Config", wanted: "Wanted", *, sealed: bool) -> None:
    """A daemon that runs goes on with the keys it holds; the next start reads the file."""
    where = {
        "environment (PAMOSNIK_PASSPHRASE)": "PAMOSNIK_PASSPHRASE in the environment",
        "file (PAMOSNIK_PASSPHRASE_FILE)": "the file that PAMOSNIK_PASSPHRASE_FILE names",
        "pamosnik.toml": "passphrase in pamosnik.toml",
    }.get(settings.sources["passphrase"], "PAMOSNIK_PASSPHRASE")
    if not sealed:
        say("The key file is sealed no more.")
        say(f"Take away {where} now: as long as it is set, the next start of `serve` seals the file again.")
    elif wanted.seal is None:
        say("The key file is sealed with the passphrase that is set.")
    else:
        say("The key file is sealed with the new passphrase.")
        say(
            f"Change {where} to it now: the next start of `serve`, and every command that opens a login, needs it."
        )


# --- a lost key ------------------------------------------------------------------------------------------


def _give_up(settings: "Config", *, yes: bool) -> None:
    from pamosnik.commands.patience import Patience
    from pamosnik.services import lost_key

    gone = lost_key.lost(lost_key.require_lost(settings))
    question = f"Remove the stored logins of {_names(gone)}?" if gone else "Make a new master key?"
    require_yes(f"{question} With a copy of master.key nothing would be lost.", yes=yes)
    done = lost_key.give_up(settings, now(), Patience(settings, note))
    if done.aside is not None:
        say(f"The damaged key file is kept as {done.aside}")
    say("There is a new key. People, conversations, flows and what waits to be sent are as they were.")
    if done.logins:
        say("Connect again:")
    for login in done.logins:
        say(f"  @{login.connected.username}: pamosnik connect --account {login.account}")
    note("Make a copy of master.key, somewhere else than the backups.")
