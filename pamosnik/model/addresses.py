"""Web addresses in texts, as people's programs find them there."""

import re

_ADDRESS = re.compile(r"https?://\w[^\s<>\"“”„«»\u3000-\u303f\uff00-\uffef]*", re.IGNORECASE)
_WEB = re.compile(r"https?://\w", re.IGNORECASE)
_HOST = re.compile(r"https?://([^/?#\\]+)", re.IGNORECASE)
_BEGUN = re.compile(rf"{_ADDRESS.pattern}\Z", re.IGNORECASE)
_NOT_THE_END = ".,;:!?'*_~…"


def addresses(text: str) -> list[str]:
    """In order, without the punctuation of the sentence around them."""
    return [_without_the_rest(found[0]) for found in _ADDRESS.finditer(text)]


def is_web_address(written: str) -> bool:
    return _WEB.match(written) is not None


def begun_in(text: str) -> bool:
    """Whether what comes after this text belongs to an address."""
    return bool(text.strip()) and not text[-1].isspace() and _BEGUN.search(text.split()[-1]) is not None


def hosts(text: str) -> frozenset[str]:
    """Of all addresses in a text, with port and user where they are written."""
    return frozenset(found[1].casefold() for one in addresses(text) if (found := _HOST.match(one)))


def replaced(text: str, address: str, by: str) -> str:
    """Only where the address stands whole: one may be the beginning of another."""

    def one(found: re.Match[str]) -> str:
        whole = _without_the_rest(found[0])
        return by + found[0][len(address) :] if whole == address else found[0]

    return _ADDRESS.sub(one, text)


def _without_the_rest(found: str) -> str:
    while found[-1] in _NOT_THE_END or (found[-1] in ")]" and not _opened(found)):
        found = found[:-1]
    return found


def _opened(found: str) -> bool:
    """Whether the bracket at the end belongs to the address."""
    opening = {")": "(", "]": "["}[found[-1]]
    return found.count(opening) >= found.count(found[-1])
