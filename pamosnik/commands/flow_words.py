"""`flows explain`: flows in plain sentences."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from pamosnik.commands.common import Json, print_json, say, width
from pamosnik.commands.flow_problems import Files, problems_json, show_problems
from pamosnik.errors import InvalidFlows, NotFound

if TYPE_CHECKING:
    from pamosnik.flows.explain.page import Item, Page

_IN_A_PIPE = 80
"""Columns: good to paste into an e-mail."""


class Language(StrEnum):
    """Languages that flows are explained in."""

    EN = "en"
    DE = "de"
    PL = "pl"
    ES = "es"


def explain(
    files: Files,
    flow: Annotated[str | None, typer.Option("--flow", help="Id of one flow; without, all of them.")] = None,
    language: Annotated[
        Language | None, typer.Option("--language", help="Language of the sentences; default the files'.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Tells flows in plain sentences, to read aloud or to have signed off; needs no home, no network."""
    from pamosnik.flows import explain as explaining
    from pamosnik.flows.explain import page
    from pamosnik.flows.load import load, read_files

    loaded = load(read_files(files))
    if loaded.has_errors:
        print_json(problems_json(loaded)) if as_json else show_problems(loaded)
        raise typer.Exit(InvalidFlows.exit_code)
    wanted = [one for one in loaded.flows if flow in (None, one.id)]
    if flow is not None and not wanted:
        known = ", ".join(one.id for one in loaded.flows) or "none"
        raise NotFound(f"There is no flow {flow} in these files.", hint=f"There are: {known}")
    told = explaining.explain(wanted, loaded.settings, None if language is None else language.value)
    if as_json:
        print_json(_json(told))
        return
    for line in page.lines(told, width() or _IN_A_PIPE):
        say(line)


def _json(page: "Page") -> dict[str, object]:
    return {
        "language": page.language,
        "general": [_item_json(item) for item in page.head],
        "flows": [
            {
                "flow": flow.flow,
                "title": flow.title,
                "parts": [
                    {"kind": part.kind, "lead": part.lead, "items": [_item_json(one) for one in part.items]}
                    for part in flow.parts
                ],
            }
            for flow in page.flows
        ],
    }


def _item_json(item: "Item") -> dict[str, object]:
    return {
        "number": item.number,
        "step": item.path,
        "text": item.text,
        "items": [_item_json(one) for one in item.items],
    }
