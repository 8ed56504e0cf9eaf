"""Playing the tests that stand in flow files."""

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from pamosnik import terminal
from pamosnik.commands.common import Json, note, print_json, say
from pamosnik.commands.files import unwritable
from pamosnik.commands.flow_problems import Files, problems_json, show_problems
from pamosnik.errors import CheckFailed, InvalidFlows, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from pamosnik.commands.common import Home
    from pamosnik.rehearsal.testing.result import Result
    from pamosnik.services.flows import Proposal

Require = Annotated[
    bool,
    typer.Option("--require-tests", help="Apply only when there are tests and all pass; else exit code 5."),
]
_IN_FULL = 3
"""Conversations beside a plan: of flows that stay applied, whose tests no other command plays with the files."""
_WIDEST = 100
"""Columns: longer lines are hard to read."""


def play(
    files: Files,
    only: Annotated[
        str | None, typer.Option("--only", help="Only tests with this in their name, or of this flow.")
    ] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", help="File to write the results to, as JUnit XML.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="List all ways that no test goes, not only the first 20.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Plays the tests in flow files: the real engine, a fake Instagram, a clock that does not wait."""
    from pamosnik.flows.load import load, read_files
    from pamosnik.flows.written_tests import of_files

    read = read_files(files)
    loaded = load(read)
    if loaded.has_errors:
        print_json(problems_json(loaded)) if as_json else show_problems(loaded)
        raise typer.Exit(InvalidFlows.exit_code)
    tests = [one for one in of_files(loaded) if only is None or only in one.name or only == one.flow]
    if only is not None and not tests:
        every = shlex.join(["pamosnik", "flows", "test", *map(str, files)])
        raise UsageError(f"No test is called “{only}”.", hint=f"Try: {every}")

    from pamosnik.flows.ways import ways
    from pamosnik.rehearsal.play import Play
    from pamosnik.rehearsal.testing import show
    from pamosnik.rehearsal.testing.coverage import coverage
    from pamosnik.rehearsal.testing.player import play_all

    console, results = _console(), []
    with Play(read) as play:
        for result in play_all(play, tests):
            results.append(result)
            if not as_json:
                show.result(console, result, loaded.texts, play.timezone)
        zone = play.timezone
    walks = (walk for one in results for walk in one.walks)
    covered = coverage(ways(loaded), walks) if only is None else None
    if as_json:
        from pamosnik.rehearsal.testing import report

        print_json(report.as_json(results, covered, zone))
    else:
        _sum_up(results)
        if results and covered is not None:
            show.covered(console, covered, everything=everything)
    if junit is not None:
        from pamosnik.rehearsal.testing.junit import document

        _write(junit, document(results, loaded.texts, zone))
    if not all(result.passed for result in results):
        raise typer.Exit(CheckFailed.exit_code)


def _sum_up(results: "list[Result]") -> None:
    failed = sum(not result.passed for result in results)
    if not results:
        note("No tests: none of these flows has `tests:`. How they are written: docs/flow-tests.md")
    elif failed:
        say(f"{failed} of {_tests(len(results))} failed.")
    else:
        say(f"{_tests(len(results))} passed.")


def _tests(number: int) -> str:
    return f"{number} test{'s' if number != 1 else ''}"


def _console() -> "Console":
    console = terminal.console(colours=not os.environ.get("NO_COLOR"))
    console.width = min(console.width, _WIDEST)
    return console


def _write(path: Path, written: bytes) -> None:
    try:
        path.write_bytes(written)
    except OSError as error:
        raise unwritable(path, error) from error


# --- beside a plan -----------------------------------------------------------------------------------------


def of_plan(home: "Home", proposal: "Proposal") -> "list[Result]":
    """The tests of what would be applied, played."""
    import json

    from pamosnik.flows.plan import ChangeKind
    from pamosnik.flows.written_tests import of_outcome
    from pamosnik.store import flows as store

    kept = {change.flow_id for change in proposal.plan.changes if change.kind is ChangeKind.KEPT}
    kept |= proposal.stays
    applied = home.read(lambda conn: store.applied(conn, home.account.id))
    stay = {flow.flow_id: json.loads(flow.body) for flow in applied if flow.flow_id in kept}
    tests = of_outcome(proposal.loaded, stay)
    if not tests:
        return []
    # Only now: the stage takes longer to load than everything else that apply does.
    from pamosnik.rehearsal.testing import outcome

    return outcome.play(tests, proposal.loaded, stay, proposal.plan.order, home.account.timezone)


def tell(results: "list[Result]", files: list[Path], *, aside: bool) -> None:
    """In short, beside the plan: how many pass, and which do not."""
    out = note if aside else say
    failed = [one for one in results if not one.passed]
    if not failed:
        if results:
            out(f"{_tests(len(results))} passed.")
        return
    from pamosnik.rehearsal.testing import show

    out(f"{len(failed)} of {_tests(len(results))} failed:")
    in_full = [] if aside else [one for one in failed if not one.test.place.line][:_IN_FULL]
    for one in failed:
        out(f"  {one.failures[0].place}  {one.test.title}")
        if one in in_full:
            show.failed(_console(), one, {}, one.zone)
        else:
            out(f"      {one.failures[0].sentence}")
    if any(one.test.place.line for one in failed):
        out(f"What was said shows: {_command(files)}")


def in_short(results: "list[Result]") -> dict[str, object]:
    from pamosnik.rehearsal.testing import report

    return report.in_short(results)


def all_pass(results: "list[Result] | None") -> bool:
    """No tests are none that pass."""
    return bool(results) and all(one.passed for one in results or ())


def refuse(results: "list[Result] | None", files: list[Path]) -> NoReturn:
    if not results:
        raise CheckFailed(
            "Nothing was applied: --require-tests wants tests, and there are none.",
            hint="Write some under `tests:` (docs/flow-tests.md), or leave --require-tests out.",
        )
    failed = [one for one in results if not one.passed]
    of_files = any(one.test.place.line for one in failed)
    raise CheckFailed(
        f"Nothing was applied: {len(failed)} of {_tests(len(results))} failed.",
        hint=f"Try: {_command(files) if of_files else f'pamosnik flows export {failed[0].test.flow}'}",
    )


def _command(files: list[Path]) -> str:
    import shlex

    return shlex.join(["pamosnik", "flows", "test", *map(str, files)])
