"""Did you mean: the name that somebody had in mind who wrote another one."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

_ALIKE = 0.6
_MANY = 300
"""Of more names than this, only those are looked at that begin or end like the written one."""
_LONGEST = 200
_OTHER_WORDS = {
    **dict.fromkeys(("message", "reply", "say", "text", "write", "dm_reply"), "send"),
    **dict.fromkeys(("delay", "pause", "sleep"), "wait"),
    **dict.fromkeys(("goto", "jump", "call_flow", "start_flow"), "run"),
    **dict.fromkeys(("condition", "branch", "if_else", "switch"), "choose"),
    **dict.fromkeys(("end", "exit", "finish"), "stop"),
    **dict.fromkeys(("unsubscribe", "optout"), "opt_out"),
    **dict.fromkeys(("handover", "human", "agent", "handoff"), "hand_over"),
    **dict.fromkeys(("add_tag", "label"), "tag"),
    **dict.fromkeys(("remove_tag", "untag_contact"), "untag"),
    **dict.fromkeys(("keyword", "keywords", "phrases"), "words"),
    **dict.fromkeys(("trigger", "triggers", "on"), "when"),
    **dict.fromkeys(("actions", "steps", "then"), "do"),
    **dict.fromkeys(("conditions", "filter"), "only_if"),
    **dict.fromkeys(("quick_replies", "quick_reply"), "chips"),
    **dict.fromkeys(("link", "href", "address"), "url"),
    **dict.fromkeys(("title", "caption"), "label"),
    **dict.fromkeys(("photo", "picture", "img"), "image"),
    **dict.fromkeys(("string", "str"), "text"),
    **dict.fromkeys(("int", "integer", "float", "decimal"), "number"),
    **dict.fromkeys(("datetime", "day"), "date"),
    **dict.fromkeys(("select", "enum", "options"), "choice"),
    **dict.fromkeys(("variants", "any_of", "random"), "one_of"),
}
"""What people call it who know another tool, and its name here."""


def nearest(written: str, known: Iterable[str]) -> str | None:
    """The known name that a written one may stand for; large and small letters are the same."""
    names = list(known)
    if written in names or len(written) > _LONGEST:
        return None
    folded = written.casefold()
    if len(names) > _MANY:
        names = [name for name in names if _begins_or_ends_alike(folded, name.casefold())][:_MANY]
    by_folded = {name.casefold(): name for name in reversed(names)}
    found = get_close_matches(folded, list(by_folded), n=1, cutoff=_ALIKE)
    if found:
        return by_folded[found[0]]
    other = _OTHER_WORDS.get(folded)
    return other if other in names else None


def _begins_or_ends_alike(one: str, other: str) -> bool:
    return abs(len(one) - len(other)) <= 2 and (one[:3] == other[:3] or one[-3:] == other[-3:])


def with_spaces(name: str, known: Sequence[str]) -> str | None:
    """`dm:x` and `-send` as they were meant."""
    head, colon, rest = name.partition(":")
    if colon and rest and head.strip("- ") in known:
        return f"{head}: {rest}" if not head.startswith("-") else f"- {head.strip('- ')}: {rest}"
    return f"- {name[1:]}" if name.startswith("-") and name[1:].strip() in known else None


def near(name: str, known: Mapping[str, object] | Sequence[str]) -> str | None:
    """A hint that names the nearest of the known names."""
    meant = nearest(name, known)
    return None if meant is None else f"Did you mean `{meant}`?"
