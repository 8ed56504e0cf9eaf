"""A message as the person sees it: its text, pictures, cards, and what can be tapped."""

from datetime import datetime
from itertools import islice

from pamosnik.model.outbox import ItemKind, MediaKind, OutboxItem
from pamosnik.rehearsal.happenings import Card, Option, Sent
from pamosnik.sandbox.things import ButtonKind, Content


def message(item: OutboxItem, content: Content, to: str, now: datetime) -> Sent:
    """`content`: of the item, as Instagram has it."""
    heart = item.content.media is not None and item.content.media.kind is MediaKind.HEART
    files = () if heart else content.attachments
    # A message with buttons is a card to Meta, whose title is the text.
    side_by_side = bool(item.content.cards) and content.text is None
    title = next((card.title for card in content.cards), None)
    return Sent(
        at=now,
        to=to,
        text=content.text if content.text is not None or side_by_side else title,
        buttons=buttons(content),
        chips=chips(content),
        images=tuple(one.url for one in files if one.kind == "image"),
        media=tuple((one.kind, one.url) for one in files if one.kind != "image"),
        heart=heart,
        cards=_cards(content) if side_by_side else (),
        private_reply=item.kind is ItemKind.PRIVATE_REPLY,
        flow=item.flow_id,
    )


def _cards(content: Content) -> tuple[Card, ...]:
    options = iter(buttons(content))
    return tuple(
        Card(card.title, card.subtitle, card.default_url, tuple(islice(options, len(card.buttons))))
        for card in content.cards
    )


def buttons(content: Content) -> tuple[Option, ...]:
    labels = [button.title for button in content.buttons]
    return tuple(
        Option(
            button.title,
            button.value if button.kind is ButtonKind.URL else None,
            card.title if labels.count(button.title) > 1 else None,
        )
        for card in content.cards
        for button in card.buttons
    )


def chips(content: Content) -> tuple[Option, ...]:
    return tuple(Option(chip.title) for chip in content.chips)
