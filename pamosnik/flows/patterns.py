"""Patterns of `match: regex`, compiled as the engine compiles them; what is wrong with one, in plain words."""

from pamosnik.model.words import unicode_edges

MOST = 500
"""In all flows of an account."""

_IN_PLAIN_WORDS = (
    ("missing )", "a ( is opened and not closed"),
    ("unexpected )", "a ) closes nothing"),
    ("missing ]", "a [ is opened and not closed"),
    ("no argument for repetition", "nothing stands before the *, + or ? that it could repeat"),
    ("bad repetition operator", "two of *, +, ? stand side by side"),
    ("invalid repetition size", "it repeats something too often; at most 1000 times"),
    ("invalid character class range", "a range inside [ ] runs backwards"),
    ("invalid character class", "what stands inside [ ] means nothing"),
    ("trailing \\", "it ends with a single \\"),
    ("invalid escape sequence", "a \\ stands before a character that means nothing special"),
    ("invalid perl operator", "looking ahead or behind with (?= or (?! is not possible here"),
    ("invalid named capture", "the name of a group is not right"),
    ("pattern too large", "it is too long or repeats too much"),
)


def error(pattern: str) -> str | None:
    """What is wrong with it; None when nothing is."""
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(unicode_edges(pattern), options)
    except re2.error as refused:
        said = refused.args[0] if refused.args else ""
        words = said.decode() if isinstance(said, bytes) else str(said)
        return next((plain for sign, plain in _IN_PLAIN_WORDS if sign in words), words)
    return None


def takes_everything(pattern: str) -> bool:
    """Whether a pattern that can be read fits every text, as `a*` does, which may also be no `a` at all."""
    import re2

    compiled = re2.compile(unicode_edges(pattern))
    return all(compiled.search(text) for text in ("", "x", "7 ?", "ж"))
