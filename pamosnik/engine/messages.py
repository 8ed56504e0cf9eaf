"""Messages of a step: texts, pictures, buttons, chips, as they will leave."""

from dataclasses import replace

from pamosnik.engine import payload, render, sentences
from pamosnik.engine.working import Turn
from pamosnik.instagram import limits
from pamosnik.model.book import Sentence
from pamosnik.model.decision import (
    Disclosed,
    SendMessage,
)
from pamosnik.model.outbox import OutButton, OutMessage
from pamosnik.model.step import (
    At,
    Option,
)
from pamosnik.model.text import Text


def send(
    turn: Turn,
    at: At,
    texts: tuple[Text, ...],
    *,
    buttons: tuple[Option, ...] = (),
    chips: tuple[Option, ...] = (),
    images: tuple[Text, ...] = (),
    skip: bool = False,
    remember_variant: bool = True,
) -> None:
    """Text and pictures are separate messages at Instagram; buttons and chips hang on the text."""
    pictures = tuple(turn.fill(image) for image in images)
    private = turn.run.origin.comment_id is not None and not turn.private_reply_made
    written: list[OutMessage] = []
    number = turn.variant(at.path, len(texts)) if texts else None
    if texts:
        assert number is not None
        written.append(_written(turn, texts[number], buttons, chips, skip=skip))
    if pictures:
        # A private reply is text only, so the pictures follow it; otherwise the buttons come last.
        written.insert(len(written) if private else 0, OutMessage(images=pictures))
    for content in written:
        turn.effects.append(
            SendMessage(
                step=at.path,
                content=content,
                private_reply=private,
                variant=number if remember_variant and content.text is not None else None,
            )
        )
        turn.private_reply_made = turn.private_reply_made or private
        private = False


def _written(
    turn: Turn, text: Text, buttons: tuple[Option, ...], chips: tuple[Option, ...], *, skip: bool
) -> OutMessage:
    prefix = _disclosure(turn)
    out_buttons = tuple(_out(turn, option) for option in buttons)
    out_chips = tuple(_out(turn, option) for option in chips)
    if skip:
        out_chips = (*out_chips, OutButton(sentences.say(turn.facts.settings, Sentence.SKIP)))
    filled = render.render(
        text,
        turn.values(),
        limit_bytes=limits.TEXT_BYTES,
        limit_chars=limits.BUTTON_TEXT_CHARS if out_buttons else None,
        prefix=prefix,
        whole=turn.whole(),
    )
    return OutMessage(
        text=filled,
        buttons=out_buttons,
        chips=out_chips,
        spelled_out=_spelled_out(turn, text, prefix, (*out_buttons, *out_chips)),
    )


def _spelled_out(turn: Turn, text: Text, prefix: str, options: tuple[OutButton, ...]) -> str | None:
    """The same in plain text, for when Instagram refuses the buttons: labels to write, addresses to follow."""
    if not options:
        return None
    links = [f"{option.label}: {option.url}" for option in options if option.url is not None]
    labels = [option.label for option in options if option.url is None]
    if labels:
        links.append(f"{sentences.say(turn.facts.settings, Sentence.REPLY_WITH)}: {' / '.join(labels)}")
    tail = "".join(f"\n{line}" for line in links)
    room = limits.TEXT_BYTES - len(tail.encode())
    if room < limits.TEXT_BYTES // 4:
        tail, room = "", limits.TEXT_BYTES
    words = render.render(text, turn.values(), limit_bytes=room, prefix=prefix, whole=turn.whole())
    return words + tail


def _disclosure(
    turn: Turn,
) -> str:
    """The line that says a machine is writing: once per person, as the first line of a message."""
    line = sentences.disclosure(turn.facts.settings)
    if line is None or turn.contact.disclosed_at is not None:
        return ""
    turn.contact = replace(turn.contact, disclosed_at=turn.now)
    turn.effects.append(Disclosed())
    return f"{line}\n"


def _out(turn: Turn, option: Option) -> OutButton:
    label = turn.fill(option.label, limit_chars=limits.LABEL_CHARS)
    if option.url is not None:
        return OutButton(label, url=turn.fill(option.url))
    target = payload.TapTarget(
        run_id=turn.run.id,
        flow_id=turn.flow.id,
        version=turn.flow.version[:16],
        option=option.path,
    )
    return OutButton(label, payload=payload.to_payload(target))
