"""The applied flows back as files."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pamosnik import terminal
from pamosnik.commands import completing
from pamosnik.commands.common import Yes, note, open_home, require_yes
from pamosnik.commands.files import unwritable, write_whole

if TYPE_CHECKING:
    from pamosnik.services.flow_export import Exported

_IN_A_FOLDER = "flows.yaml"
_OWNER_ALONE = 0o600
"""Codes are worth something."""


def export(
    flows: Annotated[
        list[str] | None,
        typer.Argument(help="Ids of flows; all without it.", autocompletion=completing.flows),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help=f"File, or folder that gets {_IN_A_FOLDER} and the codes files."),
    ] = None,
    yes: Yes = False,
) -> None:
    """Writes the applied flows as a flow file, with the settings they share; applied again, it changes nothing."""
    from pamosnik.services import flow_export

    with open_home() as home:
        found = home.read(lambda conn: flow_export.export(conn, home.account, flows or ()))
    if output is None:
        terminal.as_written(found.flows)
        if found.codes:
            note("The codes that are left are files of their own. Try: pamosnik flows export -o FOLDER")
        _tell_of_others(found, flows or ())
        return
    _write(found, output, yes=yes)
    _tell_of_others(found, flows or ())


def _tell_of_others(found: "Exported", asked: Sequence[str]) -> None:
    if found.leads_to:
        both = " ".join([*asked, *found.leads_to])
        note(f"`run:` leads into flows that are not in it. To have them, too: pamosnik flows export {both}")


def _write(found: "Exported", output: Path, *, yes: bool) -> None:
    in_folder = output.is_dir() or output.suffix not in (".yaml", ".yml")
    file = output / _IN_A_FOLDER if in_folder else output
    wanted = {file.parent / name: text for name, text in found.codes.items()} | {file: found.flows}
    there = [path for path, text in wanted.items() if _holds_something_else(path, text)]
    if there:
        require_yes(f"Overwrite {', '.join(map(str, there))}?", yes=yes, otherwise="Nothing was written.")
    for path, text in wanted.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(path.parent, error) from error
        write_whole(path, text, mode=None if path == file else _OWNER_ALONE)
        note(f"Written: {path}")
    for pool, before in found.elsewhere.items():
        note(f"The codes `{pool}` were read from {before}; here they lie beside the flow file.")


def _holds_something_else(path: Path, text: str) -> bool:
    if not path.exists():
        return False
    return not path.is_file() or path.read_bytes() != text.encode()
