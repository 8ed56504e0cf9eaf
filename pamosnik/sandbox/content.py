"""Reads and checks the body of `POST /{ig_id}/messages`; what Instagram would refuse is a `GraphError`.

The kind of a file is read from its address. The sandbox makes no request to the outside; `files` fetches what
is on this machine when its switch is on.
"""

from dataclasses import dataclass
from enum import Enum
from urllib.parse import quote, urlsplit

from pamosnik.sandbox import rules
from pamosnik.sandbox.behaviour import Behaviour
from pamosnik.sandbox.errors import bad_parameter
from pamosnik.sandbox.params import Params
from pamosnik.sandbox.things import Attachment, Button, ButtonKind, Card, Chip, Content

_SUFFIXES = {
    "image": rules.IMAGE_SUFFIXES,
    "audio": rules.AUDIO_SUFFIXES,
    "video": rules.VIDEO_SUFFIXES,
    "file": rules.FILE_SUFFIXES,
}
_USUAL = Behaviour()
# A machine may serve its own pictures to its own sandbox without a certificate.
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_STICKER = "https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id=like_heart&signature=sandbox"


class Action(Enum):
    TYPING_ON = "typing_on"
    TYPING_OFF = "typing_off"
    MARK_SEEN = "mark_seen"
    REACT = "react"
    UNREACT = "unreact"


@dataclass(frozen=True, slots=True)
class SendMessage:
    content: Content
    reply_to_mid: str | None = None
    human_agent: bool = False
    # what the app notes in it; echoes may carry it
    metadata: str | None = None


@dataclass(frozen=True, slots=True)
class SenderAction:
    action: Action
    # the message reacted to, and with what
    mid: str | None = None
    reaction: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """Exactly one of `igsid` and `comment_id` is given."""

    igsid: str | None
    comment_id: str | None
    body: SendMessage | SenderAction


def read_order(params: Params, ways: Behaviour = _USUAL) -> Order:
    recipient = params.group("recipient")
    igsid, comment_id = recipient.text_or_none("id"), recipient.text_or_none("comment_id")
    if (igsid is None) == (comment_id is None):
        raise bad_parameter("Param recipient must have exactly one of id and comment_id.")
    return Order(igsid, comment_id, _read_body(params, ways))


def _read_body(params: Params, ways: Behaviour) -> SendMessage | SenderAction:
    if "sender_action" in params:
        return _read_action(params)
    reply_to = params.group("reply_to").text("mid") if "reply_to" in params else None
    message = params.group("message")
    noted = message.text_or_none("metadata")
    return SendMessage(read_content(message, ways), reply_to, _read_tag(params), noted)


def _read_action(params: Params) -> SenderAction:
    """Indicators come alone; a reaction has its payload beside it."""
    for other in ("message", "messaging_type", "tag", "reply_to"):
        if other in params:
            raise bad_parameter(f"sender_action cannot be combined with {other}.")
    word = params.text("sender_action")
    if word not in {action.value for action in Action}:
        raise bad_parameter(f"Param sender_action must not be {word}.")
    action = Action(word)
    if action not in (Action.REACT, Action.UNREACT):
        if "payload" in params:
            raise bad_parameter("sender_action cannot be combined with payload.")
        return SenderAction(action)
    payload = params.group("payload")
    reaction = payload.text("reaction") if action is Action.REACT else None
    return SenderAction(action, payload.text("message_id"), reaction)


def _read_tag(params: Params) -> bool:
    """True for HUMAN_AGENT, the only tag Instagram has."""
    kind = params.text_or_none("messaging_type")
    tag = params.text_or_none("tag")
    if kind not in (None, "RESPONSE", "UPDATE", "MESSAGE_TAG"):
        raise bad_parameter(f"Param messaging_type must not be {kind}.")
    if tag not in (None, "HUMAN_AGENT"):
        raise bad_parameter(f"The tag {tag} is not supported.")
    if kind == "MESSAGE_TAG" and tag is None:
        raise bad_parameter("The parameter tag is required.")
    return tag is not None


def read_content(message: Params, ways: Behaviour = _USUAL) -> Content:
    message.refuse_others("text", "attachment", "attachments", "quick_replies", "metadata")
    given = [name for name in ("text", "attachment", "attachments") if name in message]
    if len(given) != 1:
        raise bad_parameter("Message must have exactly one of text, attachment and attachments.")
    chips = _read_chips(message.groups("quick_replies")) if "quick_replies" in message else ()
    if "text" in message:
        return Content(text=_read_text(message.string("text")), chips=chips)
    if "attachments" in message:
        return Content(attachments=_read_images(message.groups("attachments")), chips=chips)
    return _read_attachment(message.group("attachment"), chips, ways)


def _read_text(text: str) -> str:
    if not text.strip():
        raise bad_parameter("Param message[text] must not be empty.")
    if len(text.encode()) > rules.TEXT_BYTES:
        raise bad_parameter(
            f"Length of param message[text] must be less than or equal to {rules.TEXT_BYTES}."
        )
    return text


def _read_chips(chips: tuple[Params, ...]) -> tuple[Chip, ...]:
    """Long titles are cut; kinds other than `text` are accepted and create no chip."""
    if not 1 <= len(chips) <= rules.QUICK_REPLIES:
        raise bad_parameter(f"Param quick_replies must have 1 to {rules.QUICK_REPLIES} items.")
    return tuple(_read_chip(chip) for chip in chips if chip.text("content_type") == "text")


def _read_chip(chip: Params) -> Chip:
    title, payload = chip.text("title"), chip.text("payload")
    if not title.strip():
        raise bad_parameter("Param title of a quick reply must not be empty.")
    _at_most(payload, rules.PAYLOAD_CHARACTERS, "payload of a quick reply")
    return Chip(title[: rules.QUICK_REPLY_TITLE], payload)


def _read_images(images: tuple[Params, ...]) -> tuple[Attachment, ...]:
    if not 1 <= len(images) <= rules.IMAGES_PER_MESSAGE:
        raise bad_parameter(f"Param attachments must have 1 to {rules.IMAGES_PER_MESSAGE} items.")
    if any(one.text("type") != "image" for one in images):
        raise bad_parameter("Only images can be sent together.")
    return tuple(_read_file("image", one.group("payload")) for one in images)


def _read_attachment(attachment: Params, chips: tuple[Chip, ...], ways: Behaviour) -> Content:
    kind = attachment.text("type")
    if kind == "template":
        return Content(cards=_read_template(attachment.group("payload"), ways), chips=chips)
    if kind == "like_heart":
        return Content(attachments=(Attachment("image", _STICKER),), chips=chips)
    payload = attachment.group("payload")
    if kind == "MEDIA_SHARE":
        return Content(attachments=(_shared(payload.text("id")),), chips=chips)
    if kind not in _SUFFIXES:
        raise bad_parameter(f"Param message[attachment][type] must not be {kind}.")
    return Content(attachments=(_read_file(kind, payload),), chips=chips)


def _shared(media_id: str) -> Attachment:
    url = f"https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id={media_id}&signature=sandbox"
    return Attachment("ig_post", url, media_id)


def _read_file(kind: str, payload: Params) -> Attachment:
    if "attachment_id" in payload:
        return Attachment(kind, "", upload_id=payload.text("attachment_id"))
    url = payload.text("url")
    _check_address(url)
    suffix = urlsplit(url).path.lower().rpartition("/")[2].rpartition(".")
    if suffix[1] and f".{suffix[2]}" not in _SUFFIXES[kind]:
        raise bad_parameter(f"The file at {url} is not of type {kind}.", 2018047)
    return Attachment(kind, url)


def _check_address(url: str) -> None:
    parts = urlsplit(url)
    reachable = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not parts.hostname or not reachable:
        raise bad_parameter(f"Failed to fetch the file from the url {url}.", 2018008)


def read_upload(params: Params) -> Attachment:
    """The body of `message_attachments`: an address, or in a form the file itself as `filedata`."""
    attachment = params.group("message").group("attachment")
    kind = attachment.text("type")
    if kind not in _SUFFIXES:
        raise bad_parameter(f"Param message[attachment][type] must not be {kind}.")
    if "filedata" in params:
        return _read_filedata(kind, params.group("filedata"))
    return _read_file(kind, attachment.group("payload"))


def _read_filedata(kind: str, file: Params) -> Attachment:
    """Only what the form says about the file is kept, not its content."""
    name = file.text("name")
    check_content_type(kind, file.text("type"), name)
    if file.integer("size") > largest(kind):
        raise bad_parameter(f"The file {name} is too big.", 2018109)
    return Attachment(kind, f"https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id={quote(name)}")


def largest(kind: str) -> int:
    return rules.IMAGE_BYTES if kind == "image" else rules.FILE_BYTES


def check_content_type(kind: str, content_type: str, what: str) -> None:
    right = {
        "image": content_type in rules.IMAGE_TYPES,
        "audio": content_type.startswith(("audio/", "video/mp4")),
        "video": content_type.startswith(("video/", "application/ogg")),
        "file": content_type == "application/pdf",
    }
    if not right.get(kind, True):
        raise bad_parameter(f"The file {what} is {content_type}, not of type {kind}.", 2018047)


def _read_template(payload: Params, ways: Behaviour) -> tuple[Card, ...]:
    kind = payload.text("template_type")
    if kind == "button":
        text = payload.text("text")
        _at_most(text, rules.BUTTON_TEMPLATE_TEXT, "text")
        return (Card(title=text, buttons=_read_buttons(payload, ways)),)
    if kind != "generic":
        raise bad_parameter(f"Param template_type must not be {kind}.")
    elements = payload.groups("elements")
    if not 1 <= len(elements) <= rules.ELEMENTS:
        raise bad_parameter(f"Param elements must have 1 to {rules.ELEMENTS} items.")
    return tuple(_read_card(element, ways) for element in elements)


def _read_card(element: Params, ways: Behaviour) -> Card:
    if not any(name in element for name in ("subtitle", "image_url", "default_action", "buttons")):
        raise bad_parameter("An element needs a subtitle, image_url, default_action or buttons.")
    title, subtitle = element.text("title"), element.text_or_none("subtitle")
    _at_most(title, rules.ELEMENT_TEXT, "title of an element")
    _at_most(subtitle or "", rules.ELEMENT_TEXT, "subtitle of an element")
    return Card(
        title=title,
        subtitle=subtitle,
        image_url=element.text_or_none("image_url"),
        default_url=_read_default_action(element),
        buttons=_read_buttons(element, ways) if "buttons" in element else (),
    )


def _read_default_action(element: Params) -> str | None:
    if "default_action" not in element:
        return None
    action = element.group("default_action")
    if action.text("type") != "web_url" or "title" in action:
        raise bad_parameter("default_action must be a web_url without a title.")
    return action.text("url")


def _read_buttons(template: Params, ways: Behaviour) -> tuple[Button, ...]:
    buttons = template.groups("buttons")
    if not 1 <= len(buttons) <= rules.BUTTONS:
        raise bad_parameter(f"Param buttons must have 1 to {rules.BUTTONS} items.")
    return tuple(read_button(button, ways) for button in buttons)


def read_button(button: Params, ways: Behaviour = _USUAL) -> Button:
    """Of a template or of the persistent menu."""
    kind, title = button.text("type"), button.text("title")
    if kind not in {one.value for one in ButtonKind}:
        raise bad_parameter(f"Param type of a button must not be {kind}.")
    value = button.text("url" if kind == ButtonKind.URL.value else "payload")
    if ways.button_limits:
        _at_most(title, rules.BUTTON_TITLE, "title of a button")
        if kind == ButtonKind.POSTBACK.value:
            _at_most(value, rules.PAYLOAD_CHARACTERS, "payload of a button")
    return Button(ButtonKind(kind), title, value)


def _at_most(value: str, length: int, what: str) -> None:
    if len(value) > length:
        raise bad_parameter(f"Length of param {what} must be less than or equal to {length}.")
