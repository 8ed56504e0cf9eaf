"""What is done for one person, in a form that two performances can be compared by."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from pamosnik.model.outbox import Action, ItemKind, MediaKind, OutboxItem, OutButton, OutMessage

_DONE = {Action.REACT: "reaction", Action.HIDE: "comment hidden", Action.DELETE: "comment deleted"}


@dataclass(frozen=True, slots=True)
class Deed:
    """One message, reply, mail or call."""

    at: datetime
    kind: str
    """`message`, `private_reply`, `comment_reply`, `email`, `call`, or what was done to a comment or message."""
    text: str
    options: tuple[str, ...] = ()
    """Labels of buttons and chips; of links with where they lead."""
    flow: str | None = None
    cause: str | None = None
    """What began the run that does it, or the event that it answers without a run."""

    @property
    def content(self) -> tuple[str, str, tuple[str, ...]]:
        """What the person notices: not when, and not which flow."""
        return ("message" if self.kind == "private_reply" else self.kind), self.text, self.options

    def without(self, word: str, stands_for_it: str) -> "Deed":
        """The same where it does not say this word."""
        options = tuple(option.replace(word, stands_for_it) for option in self.options)
        return replace(self, text=self.text.replace(word, stands_for_it), options=options)


def deed_of(item: OutboxItem, at: datetime, cause: str | None, shown: Callable[[str], str]) -> Deed | None:
    """None for what nobody notices. `shown`: tracked addresses as the flow file names them."""
    deed = Deed(at, item.kind.value, "", flow=item.flow_id, cause=cause)
    match item.kind:
        case ItemKind.MESSAGE | ItemKind.PRIVATE_REPLY | ItemKind.COMMENT_REPLY:
            return replace(
                deed, text=shown(_text(item.content)), options=tuple(map(shown, _options(item.content)))
            )
        case ItemKind.EMAIL:
            return replace(deed, text=item.task["text"].partition("\n\nPerson: ")[0].strip())
        case ItemKind.CALL:
            asked = json.loads(item.task.get("query", "[]"))
            return replace(deed, text=item.task["webhook"], options=tuple(f"{name}={v}" for name, v in asked))
        case _:
            if item.action is None or item.action is Action.TYPING:
                return None
            return replace(deed, kind=_DONE[item.action], text=item.task.get("emoji", ""))


def _text(content: OutMessage) -> str:
    parts = [content.text or "", *(f"(picture {url})" for url in content.images)]
    if content.media is not None:
        heart = content.media.kind is MediaKind.HEART
        parts.append("❤️" if heart else f"({content.media.kind.value} {content.media.url})")
    for card in content.cards:
        about = (card.title, card.subtitle, card.image and f"(picture {card.image})", card.url)
        parts.append(" · ".join(part for part in about if part))
    return "\n".join(part for part in parts if part)


def options_of(content: OutMessage) -> Iterable[OutButton]:
    """Everything that can be tapped."""
    yield from content.buttons
    yield from content.chips
    for card in content.cards:
        yield from card.buttons


def _options(content: OutMessage) -> Iterable[str]:
    for option in options_of(content):
        yield option.label if option.url is None else f"{option.label} → {option.url}"
