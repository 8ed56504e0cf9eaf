"""What commands that read flow files share: their argument, and how problems are shown."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pamosnik.commands.common import paragraph

if TYPE_CHECKING:
    from pamosnik.flows.load import Loaded
    from pamosnik.services.shapes import Shape

Files = Annotated[list[Path], typer.Argument(help="Flow files, or folders of them.")]


def problems_json(loaded: "Loaded") -> "Sequence[Shape]":
    from pamosnik.services.flow_plans import problems_json as told

    return told(loaded.problems)


def show_problems(loaded: "Loaded") -> None:
    from pamosnik.flows.problems import render

    for problem in loaded.problems:
        paragraph(render(problem, loaded.texts.get(problem.file)))
