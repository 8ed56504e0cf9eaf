"""Backups: backup create, list, verify; restore."""

import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pamosnik import terminal, unsaid
from pamosnik.commands import asking
from pamosnik.commands.bars import progress_bar
from pamosnik.commands.common import Json, Yes, counted, note, now, print_facts, print_json, print_table, say
from pamosnik.errors import Declined, UsageError

if TYPE_CHECKING:
    from pamosnik.config import Config
    from pamosnik.services.backups import Backup

PassphraseStdin = Annotated[
    bool,
    typer.Option("--passphrase-stdin", help="The backup's passphrase is the first line of standard input."),
]

_SHOWN = {"contacts": "contact", "events": "event", "runs": "run", "outbox": "message"}
"""Tables whose number of rows people know the database by, and what one of them is called."""


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="Backups of the database: online, consistent, checked.",
        rich_markup_mode=None,
        no_args_is_help=True,
    )
    group.command("create")(create)
    group.command("list")(list_)
    group.command("verify")(verify)
    app.add_typer(group, name="backup")
    app.command()(restore)


def create(
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to make; without it one in the home's backups folder."),
    ] = None,
    passphrase_stdin: PassphraseStdin = False,
    as_json: Json = False,
) -> None:
    """Makes a backup, beside a running daemon or without it."""
    from pamosnik import config
    from pamosnik.services import backups

    passphrase = _new_passphrase("pamosnik backup create") if passphrase_stdin else None
    settings, moment = config.load(), now()
    with progress_bar("Backup") as tell:
        made = backups.create(settings, output, moment, passphrase=passphrase, tell=tell)
    _show(made, as_json)
    note("master.key is not inside: keep a copy of it, somewhere else than the backups.")
    if made.sealed:
        note("Keep the passphrase, too: without it nothing opens this backup.")
    copied = backups.copy_out(settings, moment) if output is None else None
    if copied is not None:
        note(f"Copied to {copied}")


def list_(as_json: Json = False) -> None:
    """Backups in the home's folder and in the other one that is set, each the newest first."""
    from pamosnik import config
    from pamosnik.services import backups

    rows = [_row(found) for found in backups.every(config.load())]
    if as_json:
        print_json(rows)
        return
    columns = [
        ("file", "File"),
        ("created_at", "Made"),
        ("age", "Age"),
        ("bytes", "Bytes"),
        ("contacts", "Contacts"),
        ("events", "Events"),
        ("schema_version", "Version"),
        ("sealed", "Sealed"),
        ("verified_at", "Verified"),
        ("problem", "Damaged"),
    ]
    moment = now()
    for row in rows:
        row["age"] = _age(row["created_at"], moment)
    print_table(rows, columns, "There is no backup yet. Try: pamosnik backup create")


def _age(made: object, moment: datetime) -> str | None:
    if made is None:
        return None
    hours = int((moment - datetime.fromisoformat(str(made))).total_seconds() // 3600)
    return counted(hours // 24, "day") if hours >= 48 else counted(max(hours, 0), "hour")


def verify(
    file: Annotated[
        Path | None, typer.Argument(help="The backup; the newest one when none is named.")
    ] = None,
    passphrase_stdin: PassphraseStdin = False,
    as_json: Json = False,
) -> None:
    """Unpacks a backup in a place of its own and examines every page of its database."""
    from pamosnik import config
    from pamosnik.services import backups

    settings = config.load()
    given = asking.first_line("passphrase", "pamosnik backup verify") if passphrase_stdin else None
    file = file or backups.newest(settings)
    passphrase = _passphrase(settings, file, given, "pamosnik backup verify")
    with progress_bar("Verify") as tell:
        found = backups.verify(settings, file, now(), passphrase=passphrase, tell=tell)
    _show(found, as_json)
    note("This backup is good.")


def restore(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    yes: Yes = False,
    old_daemon_stopped: Annotated[
        bool,
        typer.Option(
            "--old-daemon-stopped", help="Say that no daemon runs any more where the backup was made."
        ),
    ] = False,
    passphrase_stdin: PassphraseStdin = False,
) -> None:
    """Puts a backup in the place of the database. The database that was there is kept beside it."""
    from pamosnik import config
    from pamosnik.services import backups

    settings = config.load()
    given = asking.first_line("passphrase", "pamosnik restore FILE") if passphrase_stdin else None
    passphrase = _passphrase(settings, file, given, "pamosnik restore FILE")
    unknown_since = backups.unknown_since(settings, file)
    if unknown_since is not None:
        note(
            f"Who asked to be forgotten after {_row_time(unknown_since)} nobody can tell here: there is no"
            " erasures.log that is newer than this backup. If you have one, put it beside the backup first."
        )
    if backups.is_from_elsewhere(settings, file) and not old_daemon_stopped:
        _ask_about_the_old_daemon(yes=yes)
    if not yes:
        _ask(settings.database, unknown=unknown_since is not None)
    with progress_bar("Restore") as tell:
        done = backups.restore(settings, file, now(), passphrase=passphrase, tell=tell)
    say(
        f"Restored the backup of {_row_time(done.manifest.created_at)} ({_holds(done.manifest.counts or {})})."
    )
    if done.kept is not None:
        say(f"The database that was there is kept as {done.kept}")
    if done.replaced_held:
        note("The database that was there held what has to be deleted; it was not kept.")
    if not done.again.nothing:
        say(
            "Deleted again, because it had been deleted since the backup was made:"
            f" accounts {done.again.accounts}, connections {done.again.connections}, people {done.again.people}."
        )
    if done.unread:
        note(
            f"In erasures.log {counted(done.unread, 'line')} cannot be read: whom that names is not forgotten again."
            " The file is left as it is."
        )
    if done.key is not None:
        note(f"{done.key} Put back the master.key that belongs to this backup, before `pamosnik serve`.")
        note("If it is lost: pamosnik keys rotate --lost-key   (then connect again; only logins are lost)")
    if done.in_doubt:
        note(
            f"{counted(done.in_doubt, 'message')} waited when the backup was made. Before one leaves, Instagram is"
            " asked whether it arrived meanwhile; what nobody can tell shows in: pamosnik queue list --open"
        )
    note(
        "Passwords and API tokens are those of the backup: change or revoke again what was since. Everybody has to"
        " log in again."
    )
    note("Next: pamosnik serve")


def _ask_about_the_old_daemon(*, yes: bool) -> None:
    """Two daemons with one past would answer the same people, each on its own."""
    told = (
        "This backup was made in another home or on another machine. Does a daemon still run there, both answer the"
        " same people, everything twice."
    )
    if yes:
        note(f"{told} --yes is taken as your word that none runs there any more.")
        return
    _be_sure(
        told,
        "Stop it there (for good: pamosnik service uninstall), then add --old-daemon-stopped, or --yes.",
        f"{told} Is it stopped for good?",
    )


def _ask(database: Path, *, unknown: bool) -> None:
    """Only where something is to be lost or brought back."""
    if database.exists():
        _be_sure(
            f"There is a database at {database}, and nobody can be asked here.",
            "Add --yes to put the backup in its place; it is kept beside it.",
            f"Put the backup in the place of {database}? That file is kept beside it.",
        )
    elif unknown:
        _be_sure(
            "People who asked to be forgotten may come back with this backup, and nobody can be asked here.",
            "Add --yes to restore it all the same.",
            "People who asked to be forgotten since may come back with it. Restore it all the same?",
        )


def _be_sure(problem: str, hint: str, question: str) -> None:
    if not sys.stdin.isatty():
        raise UsageError(problem, hint=hint)
    if not terminal.sure(question):
        raise Declined("Nothing was changed.")


def _new_passphrase(command: str) -> str:
    from pamosnik.security.passwords import require_good

    given = unsaid.keep(asking.first_line("passphrase", f"{command} --passphrase-stdin"))
    try:
        require_good(given)
    except UsageError as error:
        raise UsageError(error.message.replace("password", "passphrase", 1), hint=error.hint) from None
    return given


def _passphrase(settings: "Config", file: Path, given: str | None, command: str) -> str | None:
    """What opens a sealed backup: given, set, or typed; None where it is not sealed. Raises `UsageError`."""
    from pamosnik.services import backups, sealed_backups

    sealed = backups.look_at(settings, file).seal is not None
    if not sealed:
        return None
    passphrase = unsaid.keep(given) if given else settings.backup_passphrase
    if passphrase is None and sys.stdin.isatty():
        passphrase = unsaid.keep(terminal.ask("Passphrase of the backup", hidden=True))
    try:
        sealed_backups.require_passphrase(file, passphrase)
    except sealed_backups.PassphraseWanted as error:
        hint = (
            error.hint if passphrase is not None else f"Try: {command} --passphrase-stdin < PASSPHRASE_FILE"
        )
        raise UsageError(error.message, hint=hint) from None
    return passphrase


def _show(backup: "Backup", as_json: bool) -> None:
    row = _row(backup)
    if as_json:
        print_json(row)
        return
    assert backup.manifest is not None
    counts = backup.manifest.counts
    print_facts(
        [
            ("file", row["file"]),
            ("made", row["created_at"]),
            ("bytes", row["bytes"]),
            ("holds", "sealed" if counts is None else _holds(counts)),
            ("version", row["schema_version"]),
            ("sealed", row["sealed"]),
        ]
    )


def _row(backup: "Backup") -> dict[str, object]:
    """A backup in the JSON contract."""
    found = backup.manifest
    counts = None if found is None else found.counts
    return {
        "file": str(backup.path),
        "created_at": None if found is None else _row_time(found.created_at),
        "bytes": backup.size_bytes,
        "contacts": None if counts is None else counts.get("contacts"),
        "events": None if counts is None else counts.get("events"),
        "schema_version": None if found is None else found.schema_version,
        "program": None if found is None else found.program,
        "database_sha256": None if found is None else found.database_sha256,
        "counts": None if counts is None else dict(counts),
        "sealed": None if found is None else backup.sealed,
        "verified_at": None if backup.verified_at is None else _row_time(backup.verified_at),
        "problem": backup.problem,
    }


def _row_time(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _holds(counts: Mapping[str, int]) -> str:
    return ", ".join(counted(counts.get(table, 0), name) for table, name in _SHOWN.items())
