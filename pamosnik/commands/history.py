"""What came in, what is going on, what goes out: why, events, runs, queue."""

from collections.abc import Callable, Mapping
from typing import Annotated

import typer

from pamosnik.commands import event_replay
from pamosnik.commands.common import (
    All,
    Json,
    Limit,
    Since,
    Yes,
    about_errors,
    how_many,
    note,
    now,
    open_home,
    print_facts,
    print_json,
    print_table,
    require_yes,
    say,
    shown,
    since_instant,
)
from pamosnik.errors import Again, UsageError


def register(app: typer.Typer) -> None:
    app.command()(why)
    events = typer.Typer(help="What came in.", rich_markup_mode=None, no_args_is_help=True)
    events.command("list")(events_list)
    events.command("show")(events_show)
    events.command("replay")(event_replay.replay)
    app.add_typer(events, name="events")
    runs = typer.Typer(help="What is going on.", rich_markup_mode=None, no_args_is_help=True)
    runs.command("list")(runs_list)
    runs.command("show")(runs_show)
    runs.command("cancel")(runs_cancel)
    app.add_typer(runs, name="runs")
    queue = typer.Typer(help="What goes out.", rich_markup_mode=None, no_args_is_help=True)
    queue.command("list")(queue_list)
    queue.command("retry")(queue_retry)
    queue.command("cancel")(queue_cancel)
    queue.command("settle")(queue_settle)
    app.add_typer(queue, name="queue")


def why(
    what: Annotated[str, typer.Argument(help="Event, comment or message id, or @username.")],
    as_json: Json = False,
) -> None:
    """What happened to a comment or message, and the checks behind it."""
    from pamosnik.services import explaining

    with open_home() as home:
        found = home.read(lambda conn: explaining.why(conn, home.account, what, now()))
    if as_json:
        print_json(found.as_json())
        return
    say(found.sentence)
    for what_, result, detail in found.checks:
        say(f"  {what_}: {result}{f' ({detail})' if detail else ''}")
    for item in found.sent:
        say(f"  → {_item(item)}")
    for link in found.links:
        say(f"  → {_link(link)}")
    if found.advice:
        say(found.advice)
    about_errors(home, (item["reason"] for item in found.sent))


def _item(item: Mapping[str, object]) -> str:
    reason = f" ({item['reason']})" if item["reason"] else ""
    what = item["kind"] if item["action"] is None else f"{item['kind']} ({item['action']})"
    return f"{what} {item['status']}{reason}"


def _link(link: Mapping[str, object]) -> str:
    times = int(str(link["clicks"]))
    name = f" {link['name']}" if link["name"] else ""
    often = {0: "not clicked yet", 1: "clicked once"}.get(times, f"clicked {times} times")
    return f"link{name} to {link['address']}: {often}" + (
        f", last {shown(link['last_click_at'])}" if times else ""
    )


def events_list(
    limit: Limit = None, everything: All = False, since: Since = None, as_json: Json = False
) -> None:
    """What came in, with its verdict; the newest first."""
    from pamosnik.services.reading import events as event_reading

    with open_home() as home:
        newest = how_many(limit, everything, as_json)
        found = home.read(
            lambda conn: event_reading.newest(
                conn, home.account, limit=newest, since=since_instant(home, since)
            )
        )
    rows = [event.shape() for event in found]
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
    from pamosnik.services.reading import events as event_reading

    with open_home() as home:
        event = home.read(lambda conn: event_reading.whole(conn, home.account, what))
    if as_json:
        print_json(event)
        return
    trace = event.pop("trace")
    assert isinstance(trace, list)
    print_facts(list(event.items()))
    for check in trace:
        say(f"  {check[0]}: {check[1]}{f' ({check[2]})' if check[2] else ''}")


def runs_list(
    limit: Limit = None, everything: All = False, since: Since = None, as_json: Json = False
) -> None:
    """People going through flows; the newest first."""
    from pamosnik.services.reading import runs as run_reading

    with open_home() as home:
        newest = how_many(limit, everything, as_json)
        found = home.read(
            lambda conn: run_reading.newest(
                conn, home.account, limit=newest, since=since_instant(home, since)
            )
        )
    rows = [run.shape() for run in found]
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
    from pamosnik.services.reading import runs as run_reading
    from pamosnik.services.reading.runs import STIMULI

    with open_home() as home:
        found = home.read(lambda conn: run_reading.whole(conn, home.account, run, now()))
    if as_json:
        print_json(found)
        return
    turns, items, links = found.pop("turns"), found.pop("queue"), found.pop("links")
    assert isinstance(turns, list)
    assert isinstance(items, list)
    assert isinstance(links, list)
    print_facts(list(found.items()))
    for turn in turns:
        say("")
        say(f"{shown(turn['at'])}  {STIMULI.get(str(turn['stimulus']), turn['stimulus'])}")
        trace = turn["trace"]
        assert isinstance(trace, list)
        for check in trace:
            say(f"  {check[0]}: {check[1]}{f' ({check[2]})' if check[2] else ''}")
    for item in reversed(items):
        say(f"→ {_item(item)}")
    for link in links:
        say(f"→ {_link(link)}")


def runs_cancel(
    run: Annotated[
        str, typer.Argument(help="Run, event, comment or message id; @username for their latest.")
    ],
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Ends a run early; what it has not sent yet is called off."""
    from pamosnik.services import runs
    from pamosnik.services.reading import runs as run_reading

    with open_home() as home:
        require_yes("End this run? What it has not sent yet is called off.", yes=yes)
        ended = home.write(lambda conn: runs.cancel(conn, home.account, run, actor="command", now=now()))
        found, _ = home.read(lambda conn: run_reading.named(conn, home.account, ended))
    if as_json:
        print_json(found.shape())
    else:
        say(f"{found.id} is {found.status}: {found.reason}.")


def queue_list(
    limit: Limit = None,
    everything: All = False,
    since: Since = None,
    open_: Annotated[bool, typer.Option("--open", help="Only what has not reached its end.")] = False,
    as_json: Json = False,
) -> None:
    """Messages on their way and where they ended; the newest first."""
    from pamosnik.services.reading import forecast
    from pamosnik.services.reading import queue as queue_reading
    from pamosnik.store.reads import QueueFilter

    with open_home() as home:
        moment, newest = now(), how_many(limit, everything, as_json)
        asked = QueueFilter(open_only=open_, since=since_instant(home, since))
        found = home.read(
            lambda conn: queue_reading.newest(conn, home.account, asked, now=moment, limit=newest)
        )
        prospects = home.read(lambda conn: forecast.prospects(conn, home.account, moment))
    rows = [one.shape() for one in found]
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
    about_errors(home, (row["reason"] for row in rows))
    if prospects is not None:
        note(prospects)


Item = Annotated[
    str, typer.Argument(help="Id of the queue item, of the message it became, or of the comment it answers.")
]


def queue_retry(item: Item, yes: Yes = False, as_json: Json = False) -> None:
    """Sends again what failed, expired or was cancelled, if it can still arrive in time."""
    from pamosnik.services import queue

    _change(item, "Send this again?", queue.retry, yes=yes, as_json=as_json)


def queue_cancel(item: Item, yes: Yes = False, as_json: Json = False) -> None:
    """Calls off what has not left yet."""
    from pamosnik.services import queue

    _change(item, "Call this off?", queue.cancel, yes=yes, as_json=as_json)


def queue_settle(
    item: Item,
    sent: Annotated[bool, typer.Option("--sent", help="It arrived.")] = False,
    resend: Annotated[bool, typer.Option("--resend", help="It did not arrive: send it.")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Leave it.")] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Says what became of a message whose fate is unknown: look at the conversation first."""
    from functools import partial

    from pamosnik.services import queue
    from pamosnik.services.queue import Fate

    chosen = [f for f, is_it in ((Fate.SENT, sent), (Fate.RESEND, resend), (Fate.DROP, drop)) if is_it]
    if len(chosen) != 1:
        raise UsageError(
            "What became of it?", hint="One of --sent, --resend and --drop says it.", again=Again(("--sent",))
        )
    questions = {
        Fate.SENT: "Count this as sent?",
        Fate.RESEND: "Send this again? If it had arrived, the person gets it twice.",
        Fate.DROP: "Leave this unsent?",
    }
    _change(item, questions[chosen[0]], partial(queue.settle, fate=chosen[0]), yes=yes, as_json=as_json)


def _change(item: str, question: str, change: Callable[..., str], *, yes: bool, as_json: bool) -> None:
    from pamosnik.services.reading import queue as queue_reading
    from pamosnik.store.reads import QueueFilter

    with open_home() as home:
        require_yes(question, yes=yes)
        changed = home.write(lambda conn: change(conn, home.account, item, actor="command", now=now()))
        only = QueueFilter(item_id=changed)
        (found,) = home.read(lambda conn: queue_reading.newest(conn, home.account, only, now=now()))
    if as_json:
        print_json(found.shape())
    else:
        say(f"{found.id} is {found.status}: {found.reason}.")
