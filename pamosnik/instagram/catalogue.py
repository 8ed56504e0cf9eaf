"""What is behind each of Meta's errors, what Pamosnik does about it, and what its owner can do: for people.

`docs/meta-errors.md` is written from it (`python -m pamosnik.instagram.catalogue > docs/meta-errors.md`), and the
daemon serves the same under `/help/errors`. Which errors there are, and their words, say the tables of `errors`.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from pamosnik.instagram import errors
from pamosnik.instagram.errors import Row
from pamosnik.model.outbox import OutcomeKind, RestOf

PAGE = "/help/errors"
"""Where the daemon serves it, to anybody: it is about nobody."""

_NAMED = re.compile(r"Meta's error (\d{1,12})(?:/(\d{1,12}))?")
_NONE = "Nothing."
_WINDOW = (
    "More than 24 hours have passed since this person last wrote or tapped. A comment, a reaction or an opened ig.me"
    " link opens no window."
)
_WAIT = "Nothing. Wait until they write; then flows go on."
_LOG_IN = "Log in again: `pamosnik connect`, or “Log in with Instagram” on the status page."
_PERMISSION = (
    "Check that all three permissions are added under “API setup with Instagram login” and were left on at the login,"
    " then `pamosnik connect` again. `pamosnik doctor` shows what is missing."
)
_SLOW = (
    "Nothing, unless it happens daily: then send less at once, and look for another program"
    " that uses the same app."
)
_APP = "Nothing to repair. If it comes again and again, another program uses the same app: give it an app of its own."
_OTHER_APP = (
    "Disconnect the other tool (Instagram app, Settings, Apps and websites), or answer there."
    " One automation at a time."
)
_FACEBOOK = (
    "It should not occur with Instagram Login. Check that the app is set up with Instagram"
    " Login, not Facebook Login."
)
_PERSON_GONE = (
    "Nothing. If it happens with everybody, the account connected is not the one they write"
    " to: `pamosnik connections list`."
)
_CHECKPOINT = (
    "Open Instagram (and Facebook, if the accounts are linked), do what it asks, then `pamosnik connect`."
)

EXPLAINED: Mapping[str, tuple[str, str]] = {
    "1": (
        "Meta did not say what went wrong. It was seen together with messages that did arrive.",
        "Nothing. What stays `unknown` is listed by `pamosnik queue list --open`: look into the conversation, then"
        " `pamosnik queue settle ID --sent`, `--resend` or `--drop`.",
    ),
    "2": (
        "A disturbance at Meta's, mostly short. Seen in the field also when the person has blocked the business.",
        "Nothing. What stays `unknown`: `pamosnik queue list --open`, then `pamosnik queue settle ID"
        " --sent`, `--resend`"
        " or `--drop`.",
    ),
    "3": (
        "The app lacks the capability: a permission is missing, or the token belongs to the setup"
        " with Facebook Login.",
        f"Use a token from “API setup with Instagram login”. {_PERMISSION}",
    ),
    "4": ("All calls of the app together passed Meta's hourly limit.", _APP),
    "9": (
        "One person got, or did, too much in a short time.",
        "Nothing. Flows with `limits: { per_person: … }` prevent it.",
    ),
    "10": (
        "The login lacks a permission, or the app lacks a feature that Meta approves one by one (Human Agent).",
        _PERMISSION,
    ),
    "10/2534022": (
        f"{_WINDOW} Where they wrote within the last day, the cause was never stated by Meta; the"
        " app's access level is the"
        " likely one, and `status` then says so (`advanced_access`).",
        "Wait until they write; then flows go on. If they had just written: docs/app-review.md.",
    ),
    "10/2018278": (f"{_WINDOW} (Messenger's number for it.)", _WAIT),
    "10/2018065": (f"{_WINDOW} (Messenger's number for it.)", _WAIT),
    "10/2018108": ("Instagram does not deliver to this person at the moment; it does not say why.", _NONE),
    "10/2534077": (
        "Of the setup with Facebook Login: Meta cannot verify how account, user and page belong"
        " together, often because"
        " two-factor login is missing.",
        f"Switch on two-factor login, then `pamosnik connect`. {_FACEBOOK}",
    ),
    "10/1893063": (
        "Meta's policies: spam, or the same message to many.",
        "Instagram app, Settings, Account Status: read and, if it is wrong, object. Then fewer and"
        " more varied messages.",
    ),
    "10/1404170": ("Meta's policies on marketing messages.", "Instagram app, Settings, Account Status."),
    "17": ("All calls with this login together passed Meta's limit.", _SLOW),
    "32": ("Of the setup with Facebook Login: the page's limit.", _SLOW),
    "100": (
        "Something in the request is not as Meta wants it: a text too long, an address it does not"
        " take, a field it does"
        " not know. Pamosnik checks what it knows before it sends, so this is rare.",
        "Look at the message: `pamosnik queue list`. If the flow is in order, please report it: it is a mistake of"
        " Pamosnik's.",
    ),
    errors.NO_ROLE: (
        "Meta says “Unsupported request - method type: …”. It is no matter of the request: the"
        " account is no Instagram"
        " tester of the app, or has not accepted the invitation.",
        "App roles → Roles: add the Instagram account as “Instagram tester”. Then, as that account,"
        " on instagram.com (on a"
        " computer): Settings → Apps and websites → Tester invites → Accept. Then `pamosnik connect`.",
    ),
    "100/33": (
        "The comment, message or post was deleted, hidden, or belongs to somebody else. Meta was"
        " seen to say so wrongly"
        " during an outage.",
        "Nothing.",
    ),
    "100/2018001": ("There is no such person, or the account is gone.", _PERSON_GONE),
    "100/2534014": (
        "The account is gone, or the id is one that another business knows the person by: each business has its own.",
        _PERSON_GONE,
    ),
    "100/2534013": ("Of the setup with Facebook Login: the page has no Instagram account.", _FACEBOOK),
    "100/2534015": (
        "Instagram does not take this content in this kind of message, mostly buttons or cards in a private reply.",
        "Nothing. Where it happens always, `private_reply_buttons: never` in the flow file saves the attempt.",
    ),
    "100/2534025": (
        "A comment takes one private reply, within 7 days. It was used, by you in the Instagram app,"
        " by another tool, or by"
        " Pamosnik; or the comment is too old, deleted, or of a kind that takes none.",
        "Nothing for a single one. If `status` says that another tool seems to answer, disconnect"
        " that: Instagram app,"
        " Settings, Apps and websites.",
    ),
    "100/2534029": (
        "Meta has barred the business from its messaging interface for breaking a policy.",
        "Instagram app, Settings, Account Status; then Meta's Business Support.",
    ),
    "100/2534037": (
        "Another app connected to the account holds this conversation at the moment.",
        _OTHER_APP,
    ),
    "100/2534068": (
        "Several pictures in one message were not enabled for every account while the feature was new.",
        "Send the pictures in steps of their own.",
    ),
    "100/2018008": (
        "The address answered slowly, with an error, with a redirect, or only inside your network.",
        "Open the address on a phone without Wi-Fi. It has to be https, public, and answer at once"
        " with the right type.",
    ),
    "100/2018294": ("Meta gives up after about 75 seconds.", "Put a smaller video on a faster server."),
    "100/2018047": (
        "Instagram takes png, jpeg and gif; aac, m4a, wav, mp4; mp4, ogg, avi, mov, webm; of files pdf alone.",
        "Convert it, and check the content type that its server names.",
    ),
    "100/2018109": ("More than 8 MB for a picture, 25 MB for sound, video, pdf.", "Make it smaller."),
    "100/2018074": (
        "An uploaded file serves only the account that uploaded it.",
        "Use the file's https address instead.",
    ),
    "102": ("The login was ended at Instagram.", _LOG_IN),
    "190": ("The token is not valid any more, or was never a right one.", _LOG_IN),
    "190/458": (
        "Somebody removed the app: Instagram app, Settings, Apps and websites.",
        "To keep everything, `pamosnik connect` within a day.",
    ),
    "190/459": ("Instagram wants to know that it is you before it lets anybody go on.", _CHECKPOINT),
    "190/460": ("A changed password ends all logins.", _LOG_IN),
    "190/463": (
        "A login that was not refreshed for 60 days is over, and cannot be refreshed. Tokens from"
        " the dashboard were seen to"
        " end within hours.",
        f"{_LOG_IN} If tokens from the dashboard end early, log in with Instagram instead of pasting one.",
    ),
    "190/464": ("Meta says that the user is not confirmed.", _CHECKPOINT),
    "190/467": ("The login was ended at Instagram.", _LOG_IN),
    "190/492": ("The login was ended at Instagram.", _LOG_IN),
    "200-299": (
        "A permission is missing. A text that says “does not have role on app” means that Advanced"
        " Access is missing.",
        f"{_PERMISSION} For Advanced Access: docs/app-review.md.",
    ),
    "200/2534041": (
        "In the Instagram app “Allow access to messages” is off. Then no direct message arrives either.",
        "Instagram app → Settings → Message controls → Connected tools: switch it on. The wording varies.",
    ),
    "200/2018028": (
        "Under Standard Access Meta may let the app write only to people with a role in it.",
        "docs/app-review.md. Until then add the people you test with as testers.",
    ),
    "200/1545041": ("Meta gives no reason.", _NONE),
    "230": (
        "Names and whether somebody follows you can be read once the person has written or tapped; a"
        " comment is not enough.",
        "Nothing. Put `follows_me` and texts with the name after the first tap.",
    ),
    "341": ("All calls of the app together passed Meta's limit.", _APP),
    "368": (
        "Meta blocks actions of the account for a while, for its policies or because they looked like spam.",
        "Instagram app, Settings, Account Status. Give public replies more variants (`one_of`), and"
        " answer less at once.",
    ),
    "506": (
        "Instagram does not take the same text twice in a row.",
        "Give the public reply several variants: `one_of`.",
    ),
    "551": (
        "The person has blocked you or does not take messages from you.",
        "Nothing; do not try to reach them otherwise.",
    ),
    "551/1545041": ("Meta gives no reason.", _NONE),
    "613": (
        "This kind of call passed its own limit: 750 private replies an hour, 2 conversations a"
        " second, and the like.",
        _SLOW,
    ),
    "803": (
        "What was asked for does not exist under this id.",
        "Nothing, unless it happens always: then please report it.",
    ),
    "2022": (
        "Meta has switched off commerce messages of the account.",
        "Instagram app, Settings, Account Status.",
    ),
    "2200": (
        "Meta opened the callback address to verify it, and got no answer or the wrong one.",
        "Look that `pamosnik serve` and its tunnel run and that the address leads to it without a"
        " redirect: `pamosnik doctor`."
        " Then press Verify and save with the verify token typed anew.",
    ),
    "2500": (
        "The address of the request has a wrong form.",
        "Unset `PAMOSNIK_GRAPH_VERSION` if you set it; else please report it.",
    ),
    "9010": ("There is no such person, or the account is gone (meaning unconfirmed).", _NONE),
    "10900": (
        "The comment has its private reply already (wording of pages; for Instagram unconfirmed).",
        _NONE,
    ),
    "36103": (
        "The account may not use the messaging interface: not a professional account, or excluded by Meta.",
        "Make it a professional account (Business or Creator) in the Instagram app, then `pamosnik connect`.",
    ),
    "80001": ("Of the setup with Facebook Login: the page's limit.", _SLOW),
    "80002": (
        "Calls for this account passed what Meta allows it in 24 hours; it grows with how often its posts are seen.",
        _SLOW,
    ),
    "80006": ("Messages of this account passed Meta's limit.", _SLOW),
    "9000001": ("The message was deleted, or lies behind the 20 newest of its conversation.", _NONE),
    "2018300": ("Another app connected to the account holds this conversation at the moment.", _OTHER_APP),
    "any/2534001": (
        "Its owner archived or deleted the conversation. Seen in the field with several codes.",
        "Nothing.",
    ),
    "any/2018300": (
        "Another app connected to the account holds this conversation at the moment.",
        _OTHER_APP,
    ),
    "http-429": ("Too many calls; Meta named no code.", _SLOW),
    "http-500": ("An error of Meta's servers with a code that is not in Meta's list.", "As with error 1."),
    "other": (
        "An error that is not in Meta's list, or has no code.",
        "Look whether Meta's own list has it by now, and please report it.",
    ),
}
"""Cause, and what the owner does. Sources as in `errors`; what was seen in the field alone says so."""

_DOES: Mapping[OutcomeKind, str] = {
    OutcomeKind.PERMANENT: "Gives this one up (`failed`), sends it to nobody again, and goes on with"
    " everything else.",
    OutcomeKind.RETRY: "Tries once more after a few seconds, then gives it up (`failed`).",
    OutcomeKind.UNKNOWN: "Takes it for `unknown`: looks in the conversation whether it arrived, and sends"
    " it again only where"
    " it is proven that it did not. A private reply is repeated, since Meta takes one for each comment.",
    OutcomeKind.LOGIN: "Stops sending for this account (`needs_login`), keeps what waits, tells you;"
    " after the login it goes on"
    " by itself.",
    OutcomeKind.CONFIGURATION: "Keeps messages of this kind (`held`), tells you, tries one every quarter of an"
    " hour, and goes on"
    " by itself once it is taken.",
}
_OF_ONE: Mapping[str, str] = {
    "10/2534022": "Gives it up (`failed`). Where the person wrote within the last 24 hours it says"
    " that Meta may require"
    " Advanced Access, instead.",
    "100": "Gives it up (`failed`), with two exceptions: a private reply with buttons or cards goes"
    " out again as text, and a"
    " quoting message without its quote.",
    "100/2534015": "Sends a private reply again as text with the labels written out; anything else"
    " it gives up (`failed`).",
    "100/2534025": "After an attempt of unknown fate it takes this as proof that the message arrived"
    " (`sent`). Else it gives it"
    " up (`failed`), does not post a public “sent you a message”, and says so in `status` when it happens often.",
    "190/458": "Stops everything for this account, keeps its data for a day and then deletes it, as Meta demands.",
    "230": "Asks again after the person has written.",
}
_FOR: Mapping[RestOf, str] = {
    RestOf.ITEM: "for this person",
    RestOf.QUOTA: "for this kind of message",
    RestOf.CONNECTION: "for this account",
    RestOf.APP: "for all accounts of the app",
}


@dataclass(frozen=True, slots=True)
class Entry:
    key: str
    named: str
    """As a heading: `10/2534022`."""
    words: str
    cause: str
    does: str
    owner: str

    @property
    def anchor(self) -> str:
        return _anchor(self.key)


def entries() -> Iterator[Entry]:
    """By code, and what has none at the end."""
    for key, row in sorted(errors.ROWS.items(), key=_order):
        cause, owner = EXPLAINED[key]
        yield Entry(key, _heading(key), row.reason, cause, _OF_ONE.get(key) or _does(row), owner)


def references(text: str) -> Iterator[tuple[str, str]]:
    """Every error of Meta's that a sentence of ours names, with the address of its entry on the daemon."""
    return ((piece, address) for piece, address in linked(text) if address is not None)


def linked(text: str) -> Iterator[tuple[str, str | None]]:
    """The text in pieces: those that name an error with the address of its entry, the others with None."""
    end = 0
    for found in _NAMED.finditer(text):
        yield text[end : found.start()], None
        yield found[0], _address(found)
        end = found.end()
    yield text[end:], None


def _address(found: re.Match[str]) -> str:
    code, subcode = int(found[1]), None if found[2] is None else int(found[2])
    # Without a code the HTTP status stands in its place.
    no_role = errors.ROWS[errors.NO_ROLE].reason in found.string
    status = code if subcode is None and 400 <= code <= 599 else 400
    key = errors.key_of(code, subcode, status, no_role=no_role)
    return f"{PAGE}#{_anchor(key)}"


def page() -> str:
    """docs/meta-errors.md."""
    rows = "".join(f"| “{words}” | {meaning} |\n" for words, meaning in WITHOUT_CODE.items())
    without = f"\n## Answers without Meta's form\n\n| Pamosnik says | what it is |\n|---|---|\n{rows}"
    return _HEAD + "".join(map(_section, entries())) + without


def _section(one: Entry) -> str:
    rows = (
        ("Pamosnik says", f"“{one.words}”"),
        ("Cause", one.cause),
        ("Pamosnik", one.does),
        ("You", one.owner),
    )
    told = "".join(f"- **{name}:** {_with_pages(text)}\n" for name, text in rows)
    return f'\n<a id="{one.anchor}"></a>\n\n### {one.named}\n\n{told}'


def _with_pages(text: str) -> str:
    return re.sub(r"docs/([a-z-]+\.md)", r"[\1](\1)", text)


def _anchor(key: str) -> str:
    return "error-" + key.replace("/", "-")


def _heading(key: str) -> str:
    named = {
        errors.NO_ROLE: "100, “Unsupported request”",
        "200-299": "200 to 299",
        "http-429": "HTTP 429 without a known code",
        "http-500": "HTTP 500 and above without a known code",
        "other": "Any other error",
    }
    return named.get(key) or key.replace("any/", "any code / ")


def _order(item: tuple[str, Row]) -> tuple[int, str]:
    code, _, subcode = item[0].partition("/")
    code = code.split("-")[0]
    return (
        (int(code), subcode.zfill(9) if subcode.isdecimal() else subcode)
        if code.isdecimal()
        else (10**9, code)
    )


def _does(row: Row) -> str:
    if row.kind is not OutcomeKind.BACK_OFF:
        return _DOES[row.kind]
    rest = row.rest or errors.REST
    told = " and tells you (`restricted`)" if rest == errors.LONG_REST else ""
    keeps = f"Keeps it and rests {_FOR[row.rest_of]} {_long(rest)}{told}"
    return f"{keeps}; it goes out by itself, if it is still in time."


def _long(rest: timedelta) -> str:
    hours = rest // timedelta(hours=1)
    return (
        f"for {hours} hours"
        if hours
        else f"as long as Meta names, else {rest // timedelta(minutes=1)} minutes"
    )


_HEAD = """\
# Meta's errors

Written by `python -m pamosnik.instagram.catalogue`; do not edit. Facts about Meta as of October 2026.

What Meta answers stands in `status`, `queue list`, `why`, on the status page and in mails as a sentence with Meta's
number behind it: “the 24-hour window of this person is closed (Meta's error 10/2534022)”, code and subcode. On the
status page the number is a link; the text below lies on your own machine as well, under `/help/errors`. Pamosnik goes
by the numbers, since Meta's texts come in many languages. What is not an error of Meta's:
[troubleshooting](troubleshooting.md).

Where an error says “tells you”, `status` and the status page show a problem with what to do, and
[a mail](operations.md#alerts-by-e-mail) goes out where a mail server is set.
"""
WITHOUT_CODE: Mapping[str, str] = {
    "Meta asked for a pause": "HTTP 429 without an error in it: Pamosnik rests.",
    "the server answered 403 without Meta's form of an error": "(401, 404 likewise) Something between you and Meta"
    " answered: a proxy, a firewall, a wrong `PAMOSNIK_META_URL`.",
    "the answer (502) was not in Meta's form; the message may have gone out": "A disturbance at Meta's or on the way:"
    " `unknown`, as with error 1.",
    "Meta's answer named no id; the message may have gone out": "Likewise.",
    "Meta's usage headers say 100 %": "The limit is used up, although nothing was refused yet: Pamosnik rests until"
    " Meta lets it go on.",
}
"""What stands where there is no number."""


if __name__ == "__main__":
    sys.stdout.write(page())
