"""What came in, what is going on, what goes out: why, events, runs, queue."""

from collections.abc import Mapping
from typing import Annotated

import typer

from pamosnik.commands.common import (
    All,
    Json,
    Limit,
    Since,
    how_many,
    open_home,
    print_facts,
    print_json,
    print_table,
    say,
    shown,
    since_instant,
)


def register(app: typer.Typer) -> None:
    app.command()(why)
    events = typer.Typer(help="What came in.", rich_markup_mode=None, no_args_is_help=True)
    events.command("list")(events_list)
    events.command("show")(events_show)
    app.add_typer(events, name="events")
    runs = typer.Typer(help="What is going on.", rich_markup_mode=None, no_args_is_help=True)
    runs.command("list")(runs_list)
    runs.command("show")(runs_show)
    app.add_typer(runs, name="runs")
    queue = typer.Typer(help="What goes out.", rich_markup_mode=None, no_args_is_help=True)
    queue.command("list")(queue_list)
    queue.callback()(_queue)
    app.add_typer(queue, name="queue")


def _queue() -> None:
    pass


def why(
    what: Annotated[str, typer.Argument(help="Event, comment or message id, or @username.")],
    as_json: Json = False,
) -> None:
    """What happened to a comment or message, and the checks behind it."""
    from pamosnik.services import explaining

    with open_home() as home:
        found = explaining.why(home.database.connection, home.account, what)
    if as_json:
        print_json(found.as_json())
        return
    say(found.sentence)
    for what_, result, detail in found.checks:
        say(f"  {what_}: {result}{f' ({detail})' if detail else ''}")
    for item in found.sent:
        say(f"  → {_item(item)}")
    if found.advice:
        say(found.advice)


def _item(item: Mapping[str, object]) -> str:
    reason = f" ({item['reason']})" if item["reason"] else ""
    return f"{item['kind']} {item['status']}{reason}"


def events_list(
    limit: Limit = None, everything: All = False, since: Since = None, as_json: Json = False
) -> None:
    """What came in, with its verdict; the newest first."""
    from pamosnik.services import reading

    with open_home() as home:
        rows = reading.events(
            home.database.connection,
            home.account,
            limit=how_many(limit, everything, as_json),
            since=since_instant(since),
        )
    if as_json:
        print_json(rows)
        return
    columns = [
        ("at", "When"),
        ("kind", "What"),
        ("from", "Who"),
        ("text", "Text"),
        ("verdict", "Verdict"),
        ("flow", "Flow"),
        ("reason", "Why"),
        ("id", "Id"),
    ]
    print_table(rows, columns, "Nothing came in yet.")


def events_show(
    what: Annotated[str, typer.Argument(help="Event, comment or message id, or @username.")],
    as_json: Json = False,
) -> None:
    """One event."""
    from pamosnik.services import reading

    with open_home() as home:
        event, trace = reading.event(home.database.connection, home.account, what)
    if as_json:
        print_json({**event, "trace": trace})
        return
    print_facts(list(event.items()))
    for check in trace:
        say(f"  {check[0]}: {check[1]}{f' ({check[2]})' if check[2] else ''}")


def runs_list(
    limit: Limit = None, everything: All = False, since: Since = None, as_json: Json = False
) -> None:
    """People going through flows; the newest first."""
    from pamosnik.services import reading

    with open_home() as home:
        rows = reading.runs(
            home.database.connection,
            home.account,
            limit=how_many(limit, everything, as_json),
            since=since_instant(since),
        )
    if as_json:
        print_json(rows)
        return
    columns = [
        ("started_at", "Started"),
        ("flow", "Flow"),
        ("contact", "Who"),
        ("status", "State"),
        ("step", "Step"),
        ("due_at", "Due"),
        ("reason", "Why"),
        ("id", "Id"),
    ]
    print_table(rows, columns, "No flow was started yet.")


def runs_show(
    run: Annotated[
        str, typer.Argument(help="Run, event, comment or message id; @username for their latest.")
    ],
    as_json: Json = False,
) -> None:
    """One run, turn by turn."""
    from pamosnik.services import reading

    with open_home() as home:
        found, turns = reading.run(home.database.connection, home.account, run)
        items = reading.queue(home.database.connection, home.account, run_id=str(found["id"]))
    if as_json:
        print_json({**found, "turns": turns, "queue": items})
        return
    print_facts(list(found.items()))
    for turn in turns:
        say(f"\n{shown(turn['at'])}  {turn['stimulus']}")
        trace = turn["trace"]
        assert isinstance(trace, list)
        for check in trace:
            say(f"  {check[0]}: {check[1]}{f' ({check[2]})' if check[2] else ''}")
    for item in reversed(items):
        say(f"→ {_item(item)}")


def queue_list(
    limit: Limit = None,
    everything: All = False,
    since: Since = None,
    open_: Annotated[bool, typer.Option("--open", help="Only what has not reached its end.")] = False,
    as_json: Json = False,
) -> None:
    """Messages on their way and where they ended; the newest first."""
    from pamosnik.services import reading

    with open_home() as home:
        rows = reading.queue(
            home.database.connection,
            home.account,
            limit=how_many(limit, everything, as_json),
            open_only=open_,
            since=since_instant(since),
        )
    if as_json:
        print_json(rows)
        return
    columns = [
        ("due_at", "Due"),
        ("kind", "What"),
        ("to", "To"),
        ("flow", "Flow"),
        ("status", "State"),
        ("deadline", "Too late after"),
        ("attempts", "Tries"),
        ("reason", "Why"),
        ("id", "Id"),
    ]
    print_table(rows, columns, "Nothing went out yet.")
