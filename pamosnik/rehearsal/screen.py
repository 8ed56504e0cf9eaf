"""How a conversation looks: bubbles on a terminal, plain lines everywhere else.

Texts come from flow files and from whoever types: `terminal` lets nothing of theirs command the terminal.
"""

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, assert_never
from zoneinfo import ZoneInfo

from pamosnik import terminal
from pamosnik.model.contact import PausedBy
from pamosnik.model.event import EventKind, Verdict
from pamosnik.model.outbox import Action, ItemKind, ItemStatus
from pamosnik.model.run import RunStatus
from pamosnik.rehearsal.happenings import (
    Acted,
    Called,
    Card,
    CodeGiven,
    Deed,
    Did,
    FieldSet,
    GoalReached,
    Happening,
    Judged,
    Mailed,
    NotSent,
    OptedOut,
    Option,
    Paused,
    PublicReply,
    Ran,
    Sent,
    Skipped,
    Steered,
    Tagged,
    Waiting,
)

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_ITEMS: Mapping[ItemKind, str] = {
    ItemKind.MESSAGE: "a message",
    ItemKind.PRIVATE_REPLY: "the private reply",
    ItemKind.COMMENT_REPLY: "the public reply",
    ItemKind.SENDER_ACTION: "the reaction, or the sign of typing,",
    ItemKind.COMMENT_ACTION: "what is done to the comment",
}

_ACTIONS: Mapping[Action, str] = {
    Action.REACT: "the shop reacts: {}",
    Action.TYPING: "the shop is typing",
    Action.HIDE: "the shop hides the comment",
    Action.DELETE: "the shop deletes the comment",
}

_MEDIA: Mapping[str, str] = {"video": "video", "audio": "sound", "file": "file", "ig_post": "post"}

DEEDS: Mapping[Deed, str] = {
    Deed.COMMENT: "in public, on {post}",
    Deed.REPLY: "in public, a reply on {post}",
    Deed.LIVE_COMMENT: "in public, live",
    Deed.MESSAGE: "",
    Deed.STORY_REPLY: "answers the story",
    Deed.STORY_MENTION: "mentions the shop in a story",
    Deed.SHARED_POST: "shares {post}",
    Deed.TAP: "taps",
    Deed.CLICK: "clicks",
    Deed.REACTION: "reacts",
    Deed.LINK: "opens a link",
    Deed.OWNER: "by hand",
}


def clean(text: str) -> str:
    """As on any terminal, with spaces for tabs: the width of bubbles is reckoned. Line ends stay."""
    return terminal.clean(text).replace("\t", " ")


class Screen(Protocol):
    """Where a conversation is shown. `numbers`: label → number to tap it by."""

    def show(self, happening: Happening, who: str, numbers: Mapping[str, int]) -> None:
        """One thing that happened, as the one who is talking sees it."""
        ...

    def say(self, text: str) -> None:
        """An answer to a command."""
        ...

    def note(self, text: str) -> None:
        """A remark, in the background."""
        ...


class Plain:
    """Lines without colour, the same on a terminal and in a file."""

    def __init__(self, shop: str, zone: ZoneInfo) -> None:
        self._shop = shop
        self._zone = zone

    def show(self, happening: Happening, who: str, numbers: Mapping[str, int]) -> None:
        match happening:
            case Sent():
                self._block(_from(self._shop, happening, who), lines_of(happening, numbers))
            case PublicReply():
                self._block(_from(self._shop, happening, who), clean(happening.text).split("\n"))
            case Did():
                if happening.opened is not None:
                    self.note(f"opens {happening.opened}")
            case _:
                for line in remarks(happening, who, self._zone):
                    self.note(line)

    def say(self, text: str) -> None:
        _write(clean(text))

    def note(self, text: str) -> None:
        _write(f"  · {clean(text)}")

    def _block(self, head: str, lines: Sequence[str]) -> None:
        indent = " " * (len(head) + 4)
        _write(f"  {head}: " + f"\n{indent}".join(lines))


class Bubbles:
    """Bubbles: the shop's on the left, the person's on the right; remarks in grey."""

    def __init__(self, shop: str, zone: ZoneInfo, console: "Console") -> None:
        self._shop = shop
        self._zone = zone
        self._console = console
        self._typed = 0

    def typed(self, rows: int) -> None:
        """The line just entered stands on so many rows; a bubble will take its place."""
        self._typed = rows

    def show(self, happening: Happening, who: str, numbers: Mapping[str, int]) -> None:
        match happening:
            case Sent():
                self._bubble(
                    "\n".join(lines_of(happening, numbers)), _from(self._shop, happening, who), "cyan"
                )
            case PublicReply():
                self._bubble(clean(happening.text), _from(self._shop, happening, who), "yellow")
            case Did():
                self._did(happening, who)
            case _:
                for line in remarks(happening, who, self._zone):
                    self.note(line)

    def say(self, text: str) -> None:
        self._print(clean(text), style="")

    def note(self, text: str) -> None:
        self._print(f"· {clean(text)}", style="bright_black")

    def _print(self, text: str, style: str) -> None:
        from rich.text import Text

        self._console.print(Text(text, style=style))

    def _did(self, did: Did, who: str) -> None:
        if self._typed:
            # The prompt's line goes: what it said comes back as a bubble.
            sys.stdout.write("\x1b[1A\x1b[2K" * self._typed)
            sys.stdout.flush()
            self._typed = 0
        place = DEEDS[did.deed].format(post=f"post {did.post}")
        text = clean(did.text) if did.text else "…"
        if did.deed is Deed.TAP:
            text = f"[{text}]"
        if did.deed is Deed.OWNER:
            self._bubble(text, f"{self._shop}, {place}", "magenta")
        else:
            title = f"{did.who}, {place}" if place else did.who
            self._bubble(text, title, "green" if "public" not in place else "yellow", right=True)
        if did.opened is not None:
            self.note(f"opens {did.opened}")

    def _bubble(self, text: str, title: str, colour: str, *, right: bool = False) -> None:
        from rich.align import Align
        from rich.box import ROUNDED
        from rich.cells import cell_len
        from rich.panel import Panel
        from rich.text import Text

        most = min(self._console.width, max(24, min(64, self._console.width * 2 // 3)))
        longest = max(cell_len(line) for line in (*text.split("\n"), f"{title}  "))
        panel: RenderableType = Panel(
            Text(text),
            box=ROUNDED,
            title=Text(clean(title), style=colour),
            title_align="right" if right else "left",
            border_style=colour,
            width=min(most, longest + 4),
        )
        self._console.print(Align.right(panel) if right else panel)


# --- words -----------------------------------------------------------------------------------------------


def when(moment: datetime, zone: ZoneInfo) -> str:
    """Wed 2 Dec 2026, 12:00"""
    local = moment.astimezone(zone)
    seconds = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    return f"{local:%a} {local.day} {local:%b %Y}, {seconds}"


def remarks(happening: Happening, who: str, zone: ZoneInfo) -> list[str]:
    """What is said in the background about something that nobody sees on Instagram; nothing for what is no news."""
    match happening:
        case Judged():
            return _judged(happening)
        case Waiting():
            return [_addressed(happening.to, who, _waiting(happening, zone))]
        case NotSent():
            what = f"{_ITEMS.get(happening.kind, happening.kind.value)} does not go out"
            return [_addressed(happening.to, who, f"{what}: {happening.reason or happening.status.value}")]
        case Ran():
            if happening.status in (RunStatus.ACTIVE, RunStatus.WAITING):
                return []
            why = f" ({happening.reason})" if happening.reason else ""
            return [_addressed(happening.who, who, f"{happening.flow}: {happening.status.value}{why}")]
        case Skipped():
            said = f"{happening.flow}: the step {happening.step} is skipped: {happening.reason}"
            return [_addressed(happening.who, who, said)]
        case Steered():
            return [_addressed(happening.who, who, f"{happening.flow}: {happening.how}")]
        case Called():
            return [f"the webhook {happening.webhook} is asked{' again' if happening.again else ''}"]
        case Mailed():
            return [f"a mail to you: {happening.subject}"]
        case GoalReached():
            return [_addressed(happening.who, who, f"goal {happening.goal}")]
        case CodeGiven():
            return [_addressed(happening.who, who, f"code {happening.code} of {happening.pool}")]
        case Tagged():
            word = "tag" if happening.given else "no longer tagged"
            return [_addressed(happening.who, who, f"{word} {happening.tag}")]
        case FieldSet():
            value = "cleared" if happening.value is None else f"= {happening.value}"
            return [_addressed(happening.who, who, f"{happening.field} {value}")]
        case Paused():
            human = happening.by is PausedBy.HAND_OVER
            why = "a human takes over" if human else "the owner has written"
            return [
                _addressed(happening.who, who, f"{why}; automation rests until {when(happening.until, zone)}")
            ]
        case OptedOut():
            said = "opted out: no more messages" if happening.opted_out else "wants messages again"
            return [_addressed(happening.who, who, said)]
        case Acted():
            return [_addressed(happening.to, who, _ACTIONS[happening.action].format(happening.emoji))]
        case Did() | Sent() | PublicReply():
            return []
        case unreachable:
            assert_never(unreachable)


def _judged(event: Judged) -> list[str]:
    if event.kind is EventKind.ECHO and event.verdict is not Verdict.ERROR:
        return []  # what an echo of the owner's changes is told as the pause it begins
    flow = f" {event.flow}" if event.flow else ""
    reason = f" ({event.reason})" if event.reason else ""
    more = "; /why says more" if event.verdict is Verdict.NO_MATCH else ""
    return [f"{event.kind.value.replace('_', ' ')}: {event.verdict.value}{flow}{reason}{more}"]


def _waiting(item: Waiting, zone: ZoneInfo) -> str:
    what = _ITEMS.get(item.kind, item.kind.value)
    reason = f": {item.reason}" if item.reason else ""
    if item.status is ItemStatus.UNKNOWN:
        return f"{what} may have gone out{reason}"
    if item.until is not None:
        return f"{what} goes out at {when(item.until, zone)}{reason}"
    if item.status is ItemStatus.QUEUED:
        return f"{what} waits for its turn{reason}"
    return f"{what} is held back{reason}"


def _addressed(person: str, who: str, text: str) -> str:
    return text if person == who else f"{person}: {text}"


def _from(shop: str, sent: Sent | PublicReply, who: str) -> str:
    kind = "in public" if isinstance(sent, PublicReply) else "private reply" if sent.private_reply else ""
    to = "" if sent.to == who else f"to {sent.to}"
    return ", ".join(part for part in (shop, kind, to) if part)


def lines_of(sent: Sent, numbers: Mapping[str, int]) -> list[str]:
    """What a message shows, with everything that can be tapped."""
    lines = [] if sent.text is None else clean(sent.text).split("\n")
    lines += [f"picture {clean(url)}" for url in sent.images]
    lines += [f"{_MEDIA.get(kind, kind)} {clean(url)}" for kind, url in sent.media]
    lines += ["❤️"] if sent.heart else []
    for card in sent.cards:
        lines += _card(card, numbers)
    if sent.buttons and not sent.cards:
        lines.append(" ".join(f"[{_option(option, numbers)}]" for option in sent.buttons))
    if sent.chips:
        lines.append(" ".join(f"({_option(option, numbers)})" for option in sent.chips))
    return lines or ["…"]


def _card(card: Card, numbers: Mapping[str, int]) -> list[str]:
    said = [part for part in (card.title, card.subtitle, card.url) if part is not None]
    taps = [" ".join(f"[{_option(option, numbers)}]" for option in card.buttons)] if card.buttons else []
    return [f"| {clean(' – '.join(said))}", *(f"|   {line}" for line in taps)]


def _option(option: Option, numbers: Mapping[str, int]) -> str:
    """With its number, unless labels are numbers themselves."""
    label = clean(option.label)
    number = numbers.get(option.name)
    return label if number is None else f"{number} {label}"


def _write(text: str) -> None:
    terminal.out(text)
