"""Markdown of the legal pages to HTML. Whatever a text holds, no HTML of its own, no picture and no address but of a
web page or of a mailbox comes out; and what stands for a placeholder is text, whatever signs it has."""

import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

from markdown_it import MarkdownIt
from markdown_it.token import Token

PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_IN_AN_ADDRESS = re.compile(r"%7B([a-z_]+)%7D")
_ADDRESS = re.compile(r"https?://|mailto:|/(?!/)|#", re.IGNORECASE)
_OURS = ("/", "#")


def html(text: str, values: Mapping[str, str]) -> str:
    """`values`: what stands for each placeholder. Headings begin below that of the page."""
    parser = _parser()
    tokens = parser.parse(text)
    for token in _all(tokens):
        _fill(token, values)
    return str(parser.renderer.render(tokens, parser.options, {}))


def placeholders(text: str) -> Sequence[str]:
    """In the order in which they stand there."""
    return list(dict.fromkeys(PLACEHOLDER.findall(text)))


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False})
    parser.disable("image")
    parser.validateLink = _may_lead_to  # type: ignore[method-assign]
    return parser


def _may_lead_to(url: str) -> bool:
    return _ADDRESS.match(url) is not None


def _all(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from token.children or ()


def _fill(token: Token, values: Mapping[str, str]) -> None:
    if token.type in ("heading_open", "heading_close"):
        token.tag = "h2" if token.tag in ("h1", "h2") else "h3"
    elif token.type == "link_open":
        address = str(token.attrs.get("href", ""))
        token.attrs["href"] = _IN_AN_ADDRESS.sub(
            lambda found: quote(values.get(found[1], ""), safe="@"), address
        )
        if not address.startswith(_OURS):
            token.attrs["rel"] = "nofollow noopener"
    elif token.type in ("text", "code_inline", "code_block", "fence"):
        token.content = PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), token.content)
