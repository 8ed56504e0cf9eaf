"""Messages of a step: texts, pictures, videos, cards, buttons, chips, as they will leave."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

from pamosnik.engine import payload, render, sentences
from pamosnik.engine.links import Tracker
from pamosnik.engine.working import Turn
from pamosnik.instagram import limits
from pamosnik.model.addresses import hosts
from pamosnik.model.book import Sentence
from pamosnik.model.decision import (
    Act,
    Disclosed,
    SendMessage,
)
from pamosnik.model.outbox import Action, MediaKind, OutButton, OutCard, OutMedia, OutMessage
from pamosnik.model.step import (
    At,
    Card,
    Media,
    Message,
    Option,
)
from pamosnik.model.text import Text


def send(
    turn: Turn,
    at: At,
    message: Message,
    *,
    skip: bool = False,
    labels: tuple[str, ...] = (),
    remember_variant: bool = True,
) -> None:
    """Puts a step's messages into the outbox; the first one after a comment is the private reply.

    `labels`: of chips that only write what stands on them.
    """
    if skip:
        labels = (*labels, sentences.say(turn.facts.settings, Sentence.SKIP))
    number = turn.variant(at.path, len(message.texts)) if message.texts else None
    tracking = turn.facts.tracking if message.track_links else None
    of_text, of_cards = (Tracker(tracking, f"{turn.run.id}|{turn.run.turn}|{at.path}") for _ in range(2))
    text = None
    if number is not None:
        text = _written(turn, message.texts[number], message.buttons, message.chips, labels, of_text)
    cards = _cards(turn, message.cards, of_cards) if message.cards else None
    private = turn.run.origin.comment_id is not None and not turn.private_reply_made
    # Instagram takes a text or cards as a private reply; a picture or video waits for the person's answer.
    opening = (text or cards) if private else None
    delay = _typing(turn, at, message.typing, private=opening is not None)
    quoted = turn.run.origin.message_id if message.quote else None
    for content in _in_order(turn, message, text, cards, opening):
        turn.effects.append(
            SendMessage(
                step=at.path,
                content=replace(content, reply_to=quoted),
                private_reply=content is opening,
                variant=number if remember_variant and content is text else None,
                delay=delay,
                links=of_text.links if content is text else of_cards.links if content is cards else (),
            )
        )
        # The others follow it: a person's messages keep their order.
        delay, quoted = timedelta(), None
    turn.private_reply_made = turn.private_reply_made or opening is not None


def _typing(turn: Turn, at: At, typing: timedelta | None, *, private: bool) -> timedelta:
    """For how long the message waits while the sign of typing is shown; to a mere commenter none can be."""
    if typing is None or private or not turn.contact.window_open(turn.now):
        return timedelta()
    turn.effects.append(Act(at.path, Action.TYPING, within=typing))
    return typing


def _in_order(
    turn: Turn,
    message: Message,
    text: OutMessage | None,
    cards: OutMessage | None,
    opening: OutMessage | None,
) -> list[OutMessage]:
    """Each kind of content is a message of its own at Instagram; buttons and chips hang on the text."""
    before = (
        [OutMessage(images=tuple(turn.fill(image) for image in message.images))] if message.images else []
    )
    before += [_media(turn, one) for one in message.media if one.kind is not MediaKind.HEART]
    after = [] if cards is None else [cards]
    after += [_media(turn, one) for one in message.media if one.kind is MediaKind.HEART]
    said = [] if text is None else [text]
    # What can be tapped stands at the bottom: chips are shown under the last message only.
    tapped = text is not None and bool(text.buttons or text.chips)
    ordered = [*before, *after, *said] if tapped else [*before, *said, *after]
    if opening is None:
        return ordered
    return [opening, *(content for content in ordered if content is not opening)]


def _media(turn: Turn, media: Media) -> OutMessage:
    return OutMessage(media=OutMedia(media.kind, None if media.url is None else turn.fill(media.url)))


def _cards(turn: Turn, cards: tuple[Card, ...], tracker: Tracker) -> OutMessage:
    out = tuple(_card(turn, card, tracker) for card in cards)
    return OutMessage(cards=out, spelled_out=_cards_spelled_out(turn, out))


def _card(turn: Turn, card: Card, tracker: Tracker) -> OutCard:
    subtitle = None if card.subtitle is None else turn.fill(card.subtitle, limit_chars=limits.CARD_CHARS)
    return OutCard(
        turn.fill(card.title, limit_chars=limits.CARD_CHARS),
        subtitle=subtitle or None,
        image=None if card.image is None else turn.fill(card.image),
        url=None if card.url is None else _link(turn, card.url, tracker),
        buttons=tuple(_out(turn, option, tracker) for option in card.buttons),
    )


def _cards_spelled_out(turn: Turn, cards: tuple[OutCard, ...]) -> str:
    """The cards in plain text; as many of them as a message holds."""
    buttons = tuple(button for card in cards for button in card.buttons)
    labels = dict.fromkeys(button.label for button in buttons if button.url is None)
    reply = f"{sentences.say(turn.facts.settings, Sentence.REPLY_WITH)}: {' / '.join(labels)}"
    last = [reply] if labels and len(reply.encode()) < limits.TEXT_BYTES // 2 else []
    kept: list[str] = []
    for card in cards:
        lines = [*kept, *_card_lines(card)]
        if len("\n".join([*lines, *last]).encode()) > limits.TEXT_BYTES:
            break
        kept = lines
    return "\n".join([*(kept or [cards[0].title]), *last])


def _card_lines(card: OutCard) -> list[str]:
    said = card.title if card.subtitle is None else f"{card.title} – {card.subtitle}"
    links = [f"{button.label}: {button.url}" for button in card.buttons if button.url is not None]
    return [said, *([] if card.url is None else [card.url]), *links]


def _written(
    turn: Turn,
    text: Text,
    buttons: tuple[Option, ...],
    chips: tuple[Option, ...],
    labels: tuple[str, ...],
    tracker: Tracker,
) -> OutMessage:
    prefix = _disclosure(turn)
    out_buttons = tuple(_out(turn, option, tracker) for option in buttons)
    out_chips = (*(_out(turn, option, tracker) for option in chips), *(OutButton(label) for label in labels))
    chars = limits.BUTTON_TEXT_CHARS if out_buttons else None
    return OutMessage(
        text=_filled(turn, text, prefix, tracker, limits.TEXT_BYTES, chars),
        buttons=out_buttons,
        chips=out_chips,
        spelled_out=_spelled_out(turn, text, prefix, (*out_buttons, *out_chips), tracker),
    )


def _filled(
    turn: Turn, text: Text, prefix: str, tracker: Tracker, limit_bytes: int, limit_chars: int | None
) -> str:
    """A text within its limits, with its addresses tracked as far as they leave room for it."""
    filled = render.render(
        text,
        turn.values(),
        limit_bytes=limit_bytes,
        limit_chars=limit_chars,
        prefix=prefix,
        whole=turn.whole(),
        owners=turn.owners(),
    )
    fits = partial(render.fits, limit_bytes=limit_bytes, limit_chars=limit_chars)
    return tracker.text(filled, turn.fill(text), turn.hosts(text), fits)


def _link(turn: Turn, url: Text, tracker: Tracker, name: str | None = None) -> str:
    """Tracked, unless a person says where it leads: our name does not stand for that."""
    address = turn.fill(url)
    return tracker.address(address, name) if hosts(address) <= turn.hosts(url) else address


def _spelled_out(
    turn: Turn, text: Text, prefix: str, options: tuple[OutButton, ...], tracker: Tracker
) -> str | None:
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
    return _filled(turn, text, prefix, tracker, room, None) + tail


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


def _out(turn: Turn, option: Option, tracker: Tracker) -> OutButton:
    label = turn.fill(option.label, limit_chars=limits.LABEL_CHARS)
    if option.url is not None:
        return OutButton(label, url=_link(turn, option.url, tracker, option.name))
    target = payload.TapTarget(
        run_id=turn.run.id,
        flow_id=turn.flow.id,
        version=turn.flow.version[:16],
        option=option.path,
    )
    return OutButton(label, payload=payload.to_payload(target))
