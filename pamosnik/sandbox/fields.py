"""`fields=id,from{username},messages.limit(20){id}`: what is asked of a node, and what a node answers.

A node knows all its fields at once; asking for one it does not know is code 100. A field that is known but
has no value is left out of the answer, as Graph does; `NULL` marks the few that answer null.
"""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from pamosnik.sandbox import rules
from pamosnik.sandbox.errors import bad_parameter, unknown_field
from pamosnik.sandbox.things import Json

NULL: Final = object()
_TOKEN = re.compile(r"\s*([A-Za-z_0-9]+|[{},()]|\.)\s*")


@dataclass(frozen=True, slots=True)
class Asked:
    name: str
    limit: int | None = None
    inner: "tuple[Asked, ...]" = ()


@dataclass(frozen=True, slots=True)
class Node:
    """`values` may hold nodes and edges; `default` names what is answered when no fields are asked for."""

    values: Mapping[str, object]
    default: tuple[str, ...] = ("id",)


@dataclass(frozen=True, slots=True)
class Edge:
    """A list of nodes; only the ones on the asked page are built, since a list may be long.

    `page` is the size when no limit is asked, None for all.
    """

    ids: tuple[str, ...]
    build: Callable[[str], Node]
    page: int | None = rules.PAGE_SIZE
    ceiling: int = rules.PAGE_MAX
    # plain lists such as `participants` have no cursors
    paged: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of an edge is asked for; cursors name the last node before, or the first one after."""

    limit: int | None = None
    after: str | None = None
    before: str | None = None


def parse(text: str | None) -> tuple[Asked, ...]:
    """Empty or absent asks for the defaults."""
    if not text:
        return ()
    tokens = _tokens(text)
    asked, rest = _parse_list(tokens)
    if rest:
        raise _syntax_error(rest[0])
    return asked


def project(node: Node, asked: tuple[Asked, ...]) -> Json:
    """The asked fields of a node; `id` comes unasked."""
    wanted = asked or tuple(Asked(name) for name in node.default)
    answer: Json = {}
    for one in wanted:
        if one.name not in node.values:
            raise unknown_field(one.name)
        value = node.values[one.name]
        if value is not None:
            answer[one.name] = _value(value, one)
    if "id" in node.values:
        answer["id"] = node.values["id"]
    return answer


def project_edge(edge: Edge, asked: tuple[Asked, ...], page: Page, *, address: str | None = None) -> Json:
    """One page of an edge; `address` is where `paging.next` leads."""
    chosen, more = _slice(edge, page)
    answer: Json = {"data": [project(edge.build(node_id), asked) for node_id in chosen]}
    if not chosen or not edge.paged:
        return answer
    after = _cursor(chosen[-1])
    paging: Json = {"cursors": {"before": _cursor(chosen[0]), "after": after}}
    if more and address is not None:
        joint = "&" if "?" in address else "?"
        paging["next"] = f"{address}{joint}after={after}"
    return answer | {"paging": paging}


def _value(value: object, asked: Asked) -> object:
    match value:
        case Node():
            return project(value, asked.inner)
        case Edge():
            return project_edge(value, asked.inner, Page(asked.limit))
        case _ if asked.inner:
            raise bad_parameter(f"Subfields are not supported by {asked.name}")
        case _:
            return None if value is NULL else value


def _slice(edge: Edge, page: Page) -> tuple[tuple[str, ...], bool]:
    """The ids of the page, and whether more come after it."""
    start, end = 0, len(edge.ids)
    if page.after is not None:
        start = _position(edge, page.after) + 1
    if page.before is not None:
        end = _position(edge, page.before)
    size = page.limit if page.limit is not None else edge.page
    if size is None:
        return edge.ids[start:end], False
    if size < 1:
        raise bad_parameter("Param limit must be at least 1.")
    size = min(size, edge.ceiling)
    if page.before is not None:
        start = max(start, end - size)
    return edge.ids[start : min(end, start + size)], start + size < end


def _cursor(node_id: str) -> str:
    return base64.urlsafe_b64encode(node_id.encode()).decode()


def _position(edge: Edge, cursor: str) -> int:
    try:
        return edge.ids.index(base64.urlsafe_b64decode(cursor.encode()).decode())
    except ValueError:
        raise bad_parameter("Invalid cursor.") from None


def _tokens(text: str) -> list[str]:
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != re.sub(r"\s", "", text):
        raise bad_parameter("Syntax error in fields.")
    return [str(token) for token in tokens]


def _parse_list(tokens: list[str]) -> tuple[tuple[Asked, ...], list[str]]:
    asked: list[Asked] = []
    while True:
        one, tokens = _parse_one(tokens)
        asked.append(one)
        if not tokens or tokens[0] != ",":
            return tuple(asked), tokens
        tokens = tokens[1:]


def _parse_one(tokens: list[str]) -> tuple[Asked, list[str]]:
    if not tokens or not tokens[0][0].isidentifier():
        raise _syntax_error(tokens[0] if tokens else "end of text")
    name, rest = tokens[0], tokens[1:]
    limit: int | None = None
    inner: tuple[Asked, ...] = ()
    if rest[:3] == [".", "limit", "("]:
        if len(rest) < 5 or not rest[3].isdecimal() or rest[4] != ")":
            raise _syntax_error("limit")
        limit, rest = int(rest[3]), rest[5:]
    if rest[:1] == ["{"]:
        inner, rest = _parse_list(rest[1:])
        if rest[:1] != ["}"]:
            raise _syntax_error(rest[0] if rest else "end of text")
        rest = rest[1:]
    return Asked(name, limit, inner), rest


def _syntax_error(where: str) -> Exception:
    return bad_parameter(f'Syntax error in fields at "{where}".')
