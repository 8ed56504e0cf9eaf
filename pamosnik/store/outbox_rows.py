"""How an item of the outbox stands in its row."""

import json
from typing import Any

from pamosnik.model.outbox import (
    HeldFor,
    ItemKind,
    ItemStatus,
    MediaKind,
    OutboxItem,
    OutButton,
    OutCard,
    OutMedia,
    OutMessage,
)
from pamosnik.store.times import instant, optional_instant

NEVER_TOO_LATE = 9_000_000_000_000_000
"""In the column `deadline`, so that it sorts last."""

COLUMNS = (
    "item_id, account_id, connection_id, contact_id, run_id, flow_id, step, kind, status, content, due_at, deadline,"
    " attempts, igsid, comment_id, held_for, depends_on, plain, wire, first_attempt_at, uncertain, reason,"
    " message_id, last_attempt_at, looks, not_there_at, live, doubt_from,"
    " task, result"
)


def content_json(content: OutMessage) -> str:
    """A message's content as it stands in the column."""
    raw: dict[str, object] = {}
    if content.text is not None:
        raw["text"] = content.text
    for name, buttons in (("buttons", content.buttons), ("chips", content.chips)):
        if buttons:
            raw[name] = [[b.label, b.url, b.payload] for b in buttons]
    if content.images:
        raw["images"] = list(content.images)
    if content.spelled_out is not None:
        raw["spelled_out"] = content.spelled_out
    if content.media is not None:
        raw["media"] = [content.media.kind.value, content.media.url]
    if content.reply_to is not None:
        raw["reply_to"] = content.reply_to
    if content.cards:
        raw["cards"] = [
            [c.title, c.subtitle, c.image, c.url, [[b.label, b.url, b.payload] for b in c.buttons]]
            for c in content.cards
        ]
    return json.dumps(raw, ensure_ascii=False)


def content_from_json(text: str) -> OutMessage:
    """The inverse of `content_json`."""
    raw = json.loads(text)
    return OutMessage(
        text=raw.get("text"),
        buttons=tuple(OutButton(*parts) for parts in raw.get("buttons", ())),
        chips=tuple(OutButton(*parts) for parts in raw.get("chips", ())),
        images=tuple(raw.get("images", ())),
        spelled_out=raw.get("spelled_out"),
        media=OutMedia(MediaKind(raw["media"][0]), raw["media"][1]) if "media" in raw else None,
        cards=tuple(_card(card) for card in raw.get("cards", ())),
        reply_to=raw.get("reply_to"),
    )


def _card(raw: tuple[Any, ...]) -> OutCard:
    title, subtitle, image, url, buttons = raw
    return OutCard(title, subtitle, image, url, tuple(OutButton(*parts) for parts in buttons))


def item_of(r: tuple[Any, ...]) -> OutboxItem:
    return OutboxItem(
        id=r[0],
        account_id=r[1],
        connection_id=r[2],
        contact_id=r[3],
        run_id=r[4],
        flow_id=r[5],
        step=r[6],
        kind=ItemKind(r[7]),
        status=ItemStatus(r[8]),
        content=content_from_json(r[9]),
        due_at=instant(r[10]),
        deadline=None if r[11] == NEVER_TOO_LATE else instant(r[11]),
        attempts=r[12],
        igsid=r[13],
        comment_id=r[14],
        held_for=None if r[15] is None else HeldFor(r[15]),
        depends_on=r[16],
        plain=bool(r[17]),
        wire=r[18],
        first_attempt_at=optional_instant(r[19]),
        uncertain=bool(r[20]),
        reason=r[21],
        message_id=r[22],
        last_attempt_at=optional_instant(r[23]),
        looks=r[24],
        not_there_at=optional_instant(r[25]),
        live=bool(r[26]),
        doubt_from=optional_instant(r[27]),
        task=json.loads(r[28] or "{}"),
        result=json.loads(r[29] or "{}"),
    )
