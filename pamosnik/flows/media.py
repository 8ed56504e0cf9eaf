"""Pictures, videos, sounds, files and cards: what Instagram takes of them. The numbers are `instagram.limits`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from pamosnik.flows.bodies import cards
from pamosnik.flows.outcome import Outcome
from pamosnik.flows.problems import Problem, Severity
from pamosnik.flows.texts import longest
from pamosnik.instagram import limits

Raw = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Kind:
    name: str
    suffixes: tuple[str, ...]

    @property
    def takes(self) -> str:
        words = [suffix.removeprefix(".") for suffix in self.suffixes if suffix != ".jpg"]
        return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


_PICTURE = _Kind("picture", limits.IMAGE_SUFFIXES)
_KINDS: Mapping[str, _Kind] = {
    "image": _PICTURE,
    "video": _Kind("video", limits.VIDEO_SUFFIXES),
    "audio": _Kind("sound", limits.AUDIO_SUFFIXES),
    "file": _Kind("file", limits.FILE_SUFFIXES),
}
_FILES = frozenset(
    {
        *(*limits.IMAGE_SUFFIXES, *limits.VIDEO_SUFFIXES, *limits.AUDIO_SUFFIXES, *limits.FILE_SUFFIXES),
        *(
            ".webp",
            ".svg",
            ".heic",
            ".bmp",
            ".tiff",
            ".tif",
            ".avif",
            ".mkv",
            ".wmv",
            ".m4v",
            ".mpg",
            ".mpeg",
        ),
        *(".mp3", ".flac", ".oga", ".opus", ".wma", ".amr"),
        *(".doc", ".docx", ".xls", ".xlsx", ".ppt", ".pptx", ".odt", ".ods", ".txt", ".csv", ".zip", ".epub"),
    }
)
"""Endings that say what is in a file. Behind others, like `photo.php`, may be anything."""


def check(outcome: Outcome, path: str, raw: Raw) -> Iterator[Problem]:
    """Problems of what a step sends beside its text."""
    images = cast("list[str]", raw.get("images", []))
    if len(images) > limits.IMAGES:
        yield too_many(outcome, f"{path}.images", "images", len(images), limits.IMAGES)
    for number, image in enumerate(images):
        yield from _address(outcome, f"{path}.images.{number}", image, _PICTURE)
    typing_s = cast("int", raw.get("typing", 0))
    if typing_s > limits.TYPING_SHOWN.total_seconds():
        message = f"Instagram shows for {limits.TYPING_SHOWN.seconds} seconds at most that somebody is typing"
        yield outcome.problem(
            f"{path}.typing", "typing-too-long", message, "Put a `wait:` before the message."
        )
    for key, kind in _KINDS.items():
        if key in raw:
            yield from _address(outcome, f"{path}.{key}", str(raw[key]), kind)
    many = len(cast("list[Raw]", raw.get("cards", [])))
    if many > limits.CARDS:
        yield too_many(outcome, f"{path}.cards", "cards", many, limits.CARDS)
    for place, card in cards(raw, path):
        yield from _card(outcome, place, card)


def too_many(outcome: Outcome, path: str, what: str, n: int, most: int) -> Problem:
    return outcome.problem(path, f"too-many-{what}", f"{n} {what}; Instagram takes {most} at most")


def _card(outcome: Outcome, path: str, card: Raw) -> Iterator[Problem]:
    for key in ("title", "subtitle"):
        chars = len(longest(str(card.get(key, "")), outcome.settings))
        if chars > limits.CARD_CHARS:
            message = f"the {key} of this card has {chars} characters; Instagram takes {limits.CARD_CHARS}"
            yield outcome.problem(f"{path}.{key}", "card-too-long", message, "Write it shorter.")
    if not card.keys() & {"subtitle", "image", "url", "buttons"} and path not in outcome.broken:
        message = "a card needs something beside its title"
        hint = "Add a `subtitle:`, an `image:`, a `url:` or `buttons:`."
        yield outcome.problem(path, "bare-card", message, hint)
    buttons = len(cast("list[Raw]", card.get("buttons", [])))
    if buttons > limits.BUTTONS:
        yield too_many(outcome, f"{path}.buttons", "buttons", buttons, limits.BUTTONS)
    if "image" in card:
        yield from _address(outcome, f"{path}.image", str(card["image"]), _PICTURE)
    if "url" in card and not str(card["url"]).startswith(("https://", "http://", "{")):
        yield outcome.problem(f"{path}.url", "bad-address", "an address begins with https://")


def _address(outcome: Outcome, path: str, written: str, kind: _Kind) -> Iterator[Problem]:
    address = _with_facts(written, cast("Mapping[str, str]", outcome.settings.get("facts", {})))
    if address.startswith("{"):
        return
    if not address.startswith("https://"):
        yield outcome.problem(
            path,
            "media-address",
            f"`{address}` is no public https address; Instagram fetches each {kind.name} itself",
            "Put the file on your website and write its address.",
        )
    elif (ending := _ending(address)) and ending not in kind.suffixes:
        yield outcome.problem(
            path,
            "media-type",
            f"Instagram takes {kind.takes} for a {kind.name}, and this is {ending}",
            f"Save the {kind.name} as {' or '.join(kind.takes.replace(' and ', ', ').split(', ')[:2])}.",
            Severity.ERROR if ending in _FILES else Severity.WARNING,
        )


def _ending(address: str) -> str:
    """What the last part of an address ends in, like `.png`; empty when it has no ending or that is filled in."""
    name = address.split("?")[0].split("#")[0].partition("://")[2].partition("/")[2].rpartition("/")[2]
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    return f".{ending}" if ending.isalnum() else ""


def _with_facts(written: str, facts: Mapping[str, str]) -> str:
    """The address with its facts; what is known of a person only stays a variable."""
    for name, value in facts.items():
        written = written.replace(f"{{{name}}}", value)
    return written
