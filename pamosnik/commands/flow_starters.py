"""Flow files to start from."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from pamosnik.commands import completing
from pamosnik.commands.common import Json, note, print_json, print_table
from pamosnik.commands.files import unwritable
from pamosnik.errors import Again, NotFound, UsageError


def new(
    name: Annotated[
        str | None,
        typer.Argument(help="Which one; without it they are listed.", autocompletion=completing.starters),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File or folder; NAME.yaml here without it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Writes a flow file to start from: commented, ready to change, with tests that pass."""
    starters = _starters()
    if name is None:
        rows: list[dict[str, object]] = [{"name": one, "about": about} for one, about in told().items()]
        if as_json:
            print_json(rows)
            return
        print_table(rows, [("name", "Name"), ("about", "What it does")], "There is none.")
        note("Try: pamosnik flows new price-list")
        return
    if name not in starters:
        raise NotFound(f"There is no `{name}` to start from.", hint=_which(name, starters))
    file = _file(name, output)
    _create(file, starters[name].replace(f"{name}.yaml", shlex.quote(str(file))))
    if as_json:
        print_json({"name": name, "file": str(file)})
    note(f"Written: {file}")
    note(f"Try: pamosnik flows test {shlex.quote(str(file))}")


def told() -> Mapping[str, str]:
    """Name → what it does."""
    return {one: text.splitlines()[0].removeprefix("# ") for one, text in _starters().items()}


def _which(name: str, starters: Mapping[str, str]) -> str:
    from pamosnik.flows.near import nearest

    meant = nearest(name, starters)
    return f"Try: pamosnik flows new {meant}" if meant else f"There are: {', '.join(starters)}."


def _starters() -> Mapping[str, str]:
    """Name → the file."""
    from importlib.resources import files

    found = sorted(files("pamosnik").joinpath("starters").iterdir(), key=lambda one: one.name)
    return {
        one.name.removesuffix(".yaml"): one.read_text("utf-8") for one in found if one.name.endswith(".yaml")
    }


def _file(name: str, output: Path | None) -> Path:
    if output is None:
        return Path(f"{name}.yaml")
    # As `flows export` reads it: what does not end like a flow file is a folder.
    in_folder = output.is_dir() or output.suffix not in (".yaml", ".yml")
    return output / f"{name}.yaml" if in_folder else output


def _create(file: Path, text: str) -> None:
    """Never in the place of another file."""
    from pamosnik.store.backup import another_name

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8", newline="\n") as opened:
            opened.write(text)
    except FileExistsError:
        if not file.exists():
            raise UsageError(f"{file.parent} is no folder.", again=Again(("-o", file.name))) from None
        hint = f"To try the one that is there: pamosnik flows test {shlex.quote(str(file))}"
        another = another_name(file)
        raise UsageError(f"{file} is there already; nothing was written.", hint=hint, again=another) from None
    except OSError as error:
        raise unwritable(file, error) from error
