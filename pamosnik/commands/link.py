"""The address that brings people into a flow: link."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pamosnik import terminal
from pamosnik.commands import completing
from pamosnik.commands.common import Json, note, now, open_home, print_json, print_table, say
from pamosnik.commands.files import write_whole
from pamosnik.errors import Again, NotFound, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pamosnik.services.reading.ig_me import Link


class Picture(StrEnum):
    PNG = ".png"
    SVG = ".svg"


def register(app: typer.Typer) -> None:
    app.command()(link)


def link(
    flow: Annotated[
        str, typer.Argument(help="A flow with a `link:` trigger.", autocompletion=completing.flows)
    ],
    qr: Annotated[bool, typer.Option("--qr", help="As a QR code, too: for the screen, or into -o.")] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File for the QR code: .png or .svg.")
    ] = None,
    ref: Annotated[str | None, typer.Option(help="Only the link with this ref.")] = None,
    connection: Annotated[str | None, typer.Option(help="Only of this connected account.")] = None,
    as_json: Json = False,
) -> None:
    """The ig.me link that starts a flow: for a bio, a story, a flyer. It opens in Instagram's app, not on the web."""
    from pamosnik.services.reading import ig_me

    picture = None if output is None else _picture(output)
    if qr and output is None and as_json:
        raise UsageError("JSON holds no QR code.", again=Again(("-o", f"{flow}.png")))
    with open_home() as home:
        found = home.read(lambda conn: ig_me.of_flow(conn, home.account, flow, now()))
    links = _chosen(found.links, ref, connection)
    if output is not None and picture is not None:
        _write(_only(links, output), output, picture)
    if as_json:
        print_json({**found.shape(), "links": [one.shape() for one in links]})
        return
    _show(links, drawn=qr and output is None)
    if output is not None:
        note(f"Written to {output}.")
    for remark in found.remarks:
        note(remark)


def _picture(output: Path) -> Picture:
    try:
        return Picture(output.suffix.lower())
    except ValueError:
        raise UsageError(
            f"What to write into {output}, its name does not say.", again=Again(("-o", f"{output}.png"))
        ) from None


def _chosen(links: "Sequence[Link]", ref: str | None, connection: str | None) -> "list[Link]":
    username = None if connection is None else connection.removeprefix("@").casefold()
    chosen = [
        one for one in links if ref in (None, one.ref) and username in (None, one.connection.casefold())
    ]
    if not chosen:
        there = ", ".join(f"{one.ref or 'no ref'} of @{one.connection}" for one in links)
        raise NotFound("The flow has no such link.", hint=f"There are: {there}.")
    return chosen


def _only(links: "Sequence[Link]", output: Path) -> "Link":
    if len(links) == 1:
        return links[0]
    first = links[0]
    more = ("--connection", first.connection)
    several_refs = len({one.ref for one in links}) > 1
    add = (
        *(more if len({one.connection for one in links}) > 1 else ()),
        *(("--ref", first.ref or "") if several_refs else ()),
    )
    raise UsageError(f"Which of the {len(links)} links shall {output} hold?", again=Again(add))


def _write(chosen: "Link", output: Path, picture: Picture) -> None:
    from pamosnik.charts import qr

    write_whole(output, qr.svg(chosen.url) if picture is Picture.SVG else qr.png(chosen.url))


def _show(links: "Sequence[Link]", *, drawn: bool) -> None:
    if len(links) > 1 and not drawn:
        rows = [one.shape() for one in links]
        print_table(rows, [("connection", "Account"), ("ref", "ref"), ("url", "Link")], "")
        return
    for one in links:
        if drawn:
            _draw(one)
        say(one.url)


def _draw(chosen: "Link") -> None:
    from pamosnik.charts import qr

    if not terminal.takes_unicode():
        raise UsageError("This terminal cannot show a QR code.", again=Again(("-o", "qr.png")))
    terminal.console(width=200).print(qr.blocks(chosen.url), style="bright_white on black")
