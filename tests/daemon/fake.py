"""A second fake Instagram, written from Meta's documentation and sharing nothing with the sandbox.

It keeps to the rules a sender meets (open windows, one private reply per comment, sizes) and can misbehave: `trouble`
is asked about every request before it is answered.
"""

import asyncio
import contextlib
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import aiohttp
from aiohttp import web

from tests.daemon import events
from tests.daemon.events import IG_ID, Json

TOKEN = "IGAAtesttoken0123456789secretpart"
PROFILE = {"user_id": IG_ID, "id": "27000000000000001", "username": "shop", "account_type": "BUSINESS"}
WINDOW = timedelta(hours=24)
_PROFILE: Json = {
    "name": None,
    "follower_count": 12,
    "is_user_follow_business": False,
    "is_verified_user": False,
}


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as it came."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Json

    @property
    def is_send(self) -> bool:
        return self.method == "POST" and self.path.endswith("/messages")

    @property
    def is_private_reply(self) -> bool:
        return self.is_send and "comment_id" in self.body["recipient"]

    @property
    def is_look_up(self) -> bool:
        return "is_user_follow_business" in self.query.get("fields", "")

    @property
    def is_public_reply(self) -> bool:
        return self.method == "POST" and self.path.endswith("/replies")

    @property
    def is_action(self) -> bool:
        """A reaction or another sign, or something done to a comment."""
        to_person = self.is_send and "sender_action" in self.body
        deletes = self.method == "DELETE" and not self.path.endswith("/subscribed_apps")
        return to_person or deletes or "hide" in self.query


@dataclass(frozen=True, slots=True)
class Trouble:
    """How a request goes wrong. `done`: the thing asked for happens all the same."""

    status: int = 400
    code: int = 100
    subcode: int | None = None
    message: str = "Erro desconhecido"
    done: bool = False
    hang_up: bool = False
    html: bool = False
    slow_s: float = 0.0
    passes: bool = False
    """Only slow: the answer is the usual one."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that was accepted."""

    mid: str
    igsid: str
    comment_id: str | None
    text: str
    buttons: Mapping[str, str]
    """Payloads by label, of buttons and chips; addresses of buttons that open one."""
    kind: str
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class PublicReply:
    comment_id: str
    text: str
    id: str


@dataclass(frozen=True, slots=True)
class Line:
    """A message of a conversation, as the conversations API keeps it."""

    mid: str
    from_id: str
    text: str
    at: str
    template: bool = False


_NEVER = datetime.min.replace(tzinfo=UTC)

Ask = Callable[[Call], Trouble | None]


def calm(_: Call) -> Trouble | None:
    return None


class Refused(Exception):
    """A rule of Meta's was broken."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.message)
        self.trouble = trouble


@dataclass(slots=True)
class FakeInstagram:
    """The Graph server and the sender of webhooks."""

    hook: str
    port: int
    token: str = TOKEN
    """The newest; older ones go on working until they are revoked."""
    usage: Callable[[], Mapping[str, str]] = dict
    """Usage headers of every answer."""
    old_tokens: set[str] = field(default_factory=set)
    header_only: bool = False
    """Whether a token in the address is refused; otherwise the refresh takes it there only, as Meta documents."""
    calls: list[Call] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    replies: list[PublicReply] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    """What was accepted, in order: `private`, `message`, `public`, `react`, `hide`, `delete`."""
    reactions: list[tuple[str, str]] = field(default_factory=list)
    """(id of the message, emoji)"""
    hidden: set[str] = field(default_factory=set)
    trouble: Ask = calm
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    """Meta's clock."""
    echoes: str = "after"
    """`before` the answer, `after` it, or `none`."""
    subscribed: list[str] = field(default_factory=list)
    lists: str = "whole"
    """What the conversations API tells: `whole`, `bare` (documented fields only), `none` (an unpublished app)."""
    profiles: dict[str, Json] = field(default_factory=dict)
    """What is told of people, where it is not the usual."""
    listed: dict[str, str] = field(default_factory=dict)
    """Links by media id, of posts in the list of media."""
    posts: dict[str, str] = field(default_factory=dict)
    """Links by media id, of posts that are not in the list of media."""
    captions: dict[str, str] = field(default_factory=dict)
    """What stands below posts in the list of media."""
    profile: dict[str, dict[str, str]] = field(default_factory=dict)
    """Opening questions and menu items: payload by label, by Meta's word for them."""
    also: set[str] = field(default_factory=set)
    """Other accounts that the token may send for."""
    _told: dict[str, list[Json]] = field(default_factory=dict)
    """Comments by the media they stand under, the oldest first."""
    _threads: dict[str, list[Line]] = field(default_factory=dict)
    _comments: dict[str, str] = field(default_factory=dict)
    _answered: set[str] = field(default_factory=set)
    _windows: dict[str, datetime] = field(default_factory=dict)
    """Until when each person may be written to."""
    _runner: web.AppRunner | None = None
    _session: aiohttp.ClientSession | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # --- life ----------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Also after `stop`, on the same port."""
        app = web.Application(client_max_size=1 << 20)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()
        self._session = self._session or aiohttp.ClientSession()

    async def stop(self) -> None:
        """Nobody listens any more."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def close(self) -> None:
        await self.stop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    # --- webhooks ------------------------------------------------------------------------------------

    async def deliver(self, *entries: Json, tries: int = 300) -> None:
        """Signed and repeated until it is taken, as Meta does. What people did counts from the first try."""
        body = events.envelope(*entries)
        self.note(body)
        raw = events.encode(body)
        for _ in range(tries):
            if await self.post(raw) == 200:
                return
            await asyncio.sleep(0.05)
        raise AssertionError("the daemon does not take the delivery")

    async def post(self, raw: bytes, signature: str | None = None) -> int:
        """One try; 0 when nobody answers."""
        assert self._session is not None
        headers = {"Content-Type": "application/json"}
        headers["X-Hub-Signature-256"] = events.sign(raw) if signature is None else signature
        try:
            async with self._session.post(self.hook, data=io.BytesIO(raw), headers=headers) as answer:
                await answer.read()
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0

    def window_of(self, igsid: str) -> datetime:
        """Until when this person may be written to; long ago when never."""
        return self._windows.get(igsid, _NEVER)

    def retell(self, igsid: str, text: str) -> None:
        """The newest message of the business is told with another text from now on."""
        lines = self._threads[igsid]
        lines[-1] = replace(lines[-1], text=text)

    def owner_wrote(self, igsid: str, text: str) -> None:
        """By hand in the Instagram app; its echo is lost, too."""
        self._write(igsid, events.new_id("aWdf_owner_"), IG_ID, text)

    def note(self, body: Json) -> None:
        for entry in body["entry"]:
            for item in entry.get("messaging", ()):
                if "postback" in item or ("message" in item and not item["message"].get("is_echo")):
                    igsid = item["sender"]["id"]
                    told = item.get("message") or item["postback"]
                    text = told.get("text") or told.get("title", "")
                    written_at = datetime.fromtimestamp(item["timestamp"] / 1000, UTC)
                    self._windows[igsid] = written_at + WINDOW
                    self._write(igsid, told["mid"], igsid, text, at=written_at)
            for one in entry.get("changes", ()):
                if one["field"] in ("comments", "live_comments"):
                    value = one["value"]
                    self._comments[value["id"]] = value["from"]["id"]
                    at = datetime.fromtimestamp(entry["time"], UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
                    told = {"id": value["id"], "text": value["text"], "from": value["from"], "timestamp": at}
                    known = self._told.setdefault(value["media"]["id"], [])
                    if told["id"] not in {one["id"] for one in known}:
                        known.append(told)

    def _later(self, *entries: Json) -> None:
        async def send() -> None:
            with contextlib.suppress(AssertionError):
                await self.deliver(*entries)

        task = asyncio.create_task(send())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def all_told(self) -> bool:
        """Whether every echo has been taken, or given up."""
        return not self._tasks

    async def _tell(self, *entries: Json) -> None:
        match self.echoes:
            case "before":
                await self.deliver(*entries)
            case "after":
                self._later(*entries)
            case _:
                return

    # --- requests ------------------------------------------------------------------------------------

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        path = "/" + request.path.split("/", 2)[-1]
        call = Call(request.method, path, dict(request.query), json.loads(raw) if raw else {})
        self.calls.append(call)
        trouble = self.trouble(call)
        if trouble is not None:
            await asyncio.sleep(trouble.slow_s)
            if not trouble.passes:
                return await self._go_wrong(request, call, trouble)
        try:
            self._check_token(request)
            return web.json_response(await self._answer(call), headers=self.usage())
        except Refused as refused:
            return _error(refused.trouble)

    async def _go_wrong(self, request: web.Request, call: Call, trouble: Trouble) -> web.StreamResponse:
        if trouble.done:
            await self._answer(call)
        if trouble.hang_up and request.transport is not None:  # who asked may be gone already
            request.transport.abort()
        return _error(trouble)

    def _check_token(self, request: web.Request) -> None:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if request.path == "/refresh_access_token" and not self.header_only:
            given = ""
        if (given or request.query.get("access_token")) not in {self.token, *self.old_tokens}:
            raise Refused(Trouble(code=190, subcode=463, message="Session has expired"))

    async def _answer(self, call: Call) -> Json:
        match call.method, call.path.strip("/").split("/"):
            case "GET", ["me"]:
                return dict(PROFILE)
            case "GET", ["refresh_access_token"]:
                self.old_tokens.add(self.token)
                self.token = events.new_id("IGAArefreshed")
                return {"access_token": self.token, "token_type": "bearer", "expires_in": 5183944}
            case "GET", ["me", "conversations"]:
                return self._conversations(call)
            case "GET", [media_id] if media_id in self.posts:
                return {"id": media_id, "permalink": self.posts[media_id]}
            case "GET", [name] if name.startswith("thread-"):
                igsid = name.removeprefix("thread-")
                lines = reversed(self._threads[igsid])
                data = [{"id": line.mid, "created_time": line.at} for line in lines]
                return {"id": name, "messages": {"data": data}}
            case "GET", [name] if (line := self._line(name)) is not None:
                return _told(line)
            case "GET", [comment_id] if comment_id in self._comments:
                below = [
                    {"id": reply.id, "text": reply.text, "from": {"id": IG_ID, "username": "shop"}}
                    for reply in self.replies
                    if reply.comment_id == comment_id
                ]
                answer: Json = {"id": comment_id}
                return {**answer, "replies": {"data": below}} if below else answer
            case "POST", [account, "subscribed_apps"] if account == IG_ID:
                self.subscribed = call.query["subscribed_fields"].split(",")
                return {"success": True}
            case "DELETE", [account, "subscribed_apps"] if account == IG_ID:
                self.subscribed = []
                return {"success": True}
            case "GET", [account, "subscribed_apps"] if account == IG_ID and not self.subscribed:
                return {"data": []}
            case "GET", [account, "subscribed_apps"] if account == IG_ID:
                return {"data": [{"name": "Pamosnik", "id": "1", "subscribed_fields": self.subscribed}]}
            case "GET", [account, "media"] if account == IG_ID and self.listed:
                return {"data": [{"id": media, "permalink": link} for media, link in self.listed.items()]}
            case "GET", [account, "media"] if account == IG_ID and "caption" in call.query["fields"]:
                return {"data": [{"id": media, "caption": said} for media, said in self.captions.items()]}
            case "GET", [account, "media"] if account == IG_ID:
                posts = [
                    {"id": media, "timestamp": "2026-09-01T10:00:00+0000", "comments_count": len(told)}
                    for media, told in self._told.items()
                ]
                return {"data": posts or [{"id": "m77", "timestamp": "2026-09-01T10:00:00+0000"}]}
            case "GET", [igsid] if igsid in self._windows:
                return {"id": igsid, **_PROFILE, "username": f"u{igsid}", **self.profiles.get(igsid, {})}
            case "GET", [igsid] if igsid.isdecimal() and "is_user_follow_business" in call.query["fields"]:
                message = "User consent is required to access user profile"
                raise Refused(Trouble(code=230, message=message))
            case "GET", [media, "comments"]:
                return _page(call, [self._comment(told) for told in reversed(self._told.get(media, []))], 50)
            case "POST", [account, "messenger_profile"] if account == IG_ID:
                return self._put_profile(call.body)
            case "DELETE", [account, "messenger_profile"] if account == IG_ID:
                for part in call.body["fields"]:
                    self.profile.pop(part, None)
                return {"success": True}
            case "POST", [account, "messages"] if account == IG_ID or account in self.also:
                return await self._message(call)
            case "POST", [comment_id] if comment_id in self._comments and call.query.get("hide") == "true":
                self.hidden.add(comment_id)
                self.order.append("hide")
                return {"success": True}
            case "DELETE", [comment_id]:
                if self._comments.pop(comment_id, None) is None:
                    raise Refused(Trouble(400, 100, 33, "Unsupported post request. Object does not exist"))
                self.order.append("delete")
                return {"success": True}
            case "POST", [comment_id, "replies"]:
                return await self._public_reply(comment_id, call.query["message"])
            case _:
                message = f"Unsupported request - method type: {call.method.lower()}"
                raise Refused(Trouble(message=message))

    def _put_profile(self, body: Json) -> Json:
        assert body.pop("platform") == "instagram"
        for part, lists in body.items():
            (one,) = lists
            assert one["locale"] == "default"
            shown = [
                (item.get("question") or item["title"], item["payload"]) for item in one["call_to_actions"]
            ]
            if part == "ice_breakers" and len(shown) > 4:
                raise Refused(Trouble(message="Too many ice breakers"))
            self.profile[part] = dict(shown)
        return {"success": True}

    async def _message(self, call: Call) -> Json:
        recipient = call.body["recipient"]
        if "sender_action" in call.body:
            return self._sign(recipient["id"], call.body)
        igsid = self._private(recipient["comment_id"]) if "comment_id" in recipient else recipient["id"]
        if "comment_id" not in recipient and self._windows.get(igsid, _NEVER) < self.now():
            raise Refused(Trouble(403, 10, 2534022, "This message is sent outside of allowed window."))
        _require(set(call.body) <= {"recipient", "message", "reply_to"})
        quoted = call.body.get("reply_to", {}).get("mid")
        _require(quoted is None or quoted in {line.mid for line in self._threads.get(igsid, [])})
        text, buttons, kind = _content(call.body["message"])
        mid = events.new_id("aWdf_out_")
        sent = Sent(mid, igsid, recipient.get("comment_id"), text, buttons, kind, quoted)
        self.sent.append(sent)
        self._write(igsid, mid, IG_ID, text, template=kind == "buttons")
        self.order.append("message" if sent.comment_id is None else "private")
        echo = events.echo(igsid, mid, text)
        if kind == "buttons":
            echo = events.template_echo(igsid, mid, text, buttons)
        await self._tell(events.talk(echo))
        return {"recipient_id": igsid, "message_id": mid}

    def _sign(self, igsid: str, body: Json) -> Json:
        """A sender action: recipient and the sign alone, a reaction with its payload."""
        if self._windows.get(igsid, _NEVER) < self.now():
            raise Refused(Trouble(403, 10, 2534022, "This message is sent outside of allowed window."))
        _require(set(body) <= {"recipient", "sender_action", "payload"})
        if body["sender_action"] == "react":
            payload = body["payload"]
            _require(payload["message_id"] in {line.mid for line in self._threads.get(igsid, [])})
            self.reactions.append((payload["message_id"], payload["reaction"]))
        self.order.append(body["sender_action"])
        return {"recipient_id": igsid}

    def _private(self, comment_id: str) -> str:
        if comment_id not in self._comments or comment_id in self._answered:
            raise Refused(Trouble(400, 100, 2534025, "The comment is invalid for a private reply"))
        self._answered.add(comment_id)
        return self._comments[comment_id]

    async def _public_reply(self, comment_id: str, text: str) -> Json:
        if comment_id not in self._comments:
            raise Refused(Trouble(400, 100, 33, "Unsupported post request. Object does not exist"))
        _require(comment_id not in self.hidden)
        value = events.own_comment(comment_id, text)
        self.replies.append(PublicReply(comment_id, text, value["id"]))
        self.order.append("public")
        await self._tell(events.change(value))
        return {"id": value["id"]}

    def _write(
        self,
        igsid: str,
        mid: str,
        from_id: str,
        text: str,
        *,
        template: bool = False,
        at: datetime | None = None,
    ) -> None:
        lines = self._threads.setdefault(igsid, [])
        told = (at or self.now()).strftime("%Y-%m-%dT%H:%M:%S+0000")
        if at is None and lines:
            told = max(told, lines[-1].at)  # nobody answers before what is answered
        if mid not in {line.mid for line in lines}:
            lines.append(Line(mid, from_id, text, told, template))

    def _comment(self, told: Json) -> Json:
        below = [
            {"id": reply.id, "text": reply.text, "from": {"id": IG_ID, "username": "shop"}}
            for reply in self.replies
            if reply.comment_id == told["id"]
        ]
        return {**told, "replies": {"data": below}} if below else told

    def _line(self, mid: str) -> Line | None:
        return next((one for lines in self._threads.values() for one in lines[-20:] if one.mid == mid), None)

    def _conversations(self, call: Call) -> Json:
        if self.lists == "none":
            return {"data": []}
        if self.lists == "bare" and "{" in call.query["fields"]:
            raise Refused(Trouble(message="Tried accessing nonexisting field (messages)"))
        wanted = call.query.get("user_id")
        data = []
        for igsid, lines in reversed(self._threads.items()):
            if wanted in (None, igsid):
                people = [{"id": IG_ID, "username": "shop"}, {"id": igsid, "username": f"u{igsid}"}]
                thread: Json = {"id": f"thread-{igsid}", "updated_time": lines[-1].at}
                thread["participants"] = {"data": people}
                if "{" in call.query["fields"]:
                    thread["messages"] = {"data": [_told(line) for line in reversed(lines[-20:])]}
                data.append(thread)
        return _page(call, data, 25)

    # --- what people see -----------------------------------------------------------------------------

    def thread(self, igsid: str) -> list[str]:
        """What the business wrote to this person, in order."""
        return [sent.text for sent in self.sent if sent.igsid == igsid]

    def last(self, igsid: str) -> Sent:
        return [sent for sent in self.sent if sent.igsid == igsid][-1]

    def public(self, comment_id: str) -> list[str]:
        return [reply.text for reply in self.replies if reply.comment_id == comment_id]


def _page(call: Call, everything: list[Json], size: int) -> Json:
    """The part of a list that was asked for, with a cursor when there is more."""
    start = int(call.query.get("after", "0"))
    data = everything[start : start + size]
    if start + size >= len(everything):
        return {"data": data}
    after = str(start + size)
    paging: Json = {"cursors": {"after": after}}
    if size > 25:  # Meta's example of conversations shows the cursor alone
        paging["next"] = f"https://graph.example/?after={after}"
    return {"data": data, "paging": paging}


def _told(line: Line) -> Json:
    told: Json = {"id": line.mid, "created_time": line.at, "from": {"id": line.from_id}, "message": line.text}
    if line.template:
        told |= {"message": "", "attachments": {"data": [{"generic_template": {"title": line.text}}]}}
    return told


def _error(trouble: Trouble) -> web.Response:
    if trouble.html:
        return web.Response(
            status=trouble.status, text="<html>Sorry, something went wrong.</html>", content_type="text/html"
        )
    error: Json = {"message": trouble.message, "type": "IGApiException", "code": trouble.code}
    if trouble.subcode is not None:
        error["error_subcode"] = trouble.subcode
    return web.json_response({"error": {**error, "fbtrace_id": "Axx"}}, status=trouble.status)


def _content(message: Json) -> tuple[str, Mapping[str, str], str]:
    """Text, payloads by label, and the kind of message; refused when Meta would refuse it."""
    chips = {chip["title"]: chip["payload"] for chip in message.get("quick_replies", ())}
    _require(len(chips) <= 13)
    if "attachment" not in message:
        _require(0 < len(message["text"].encode()) <= 1000)
        return message["text"], chips, "chips" if chips else "text"
    payload = message["attachment"]["payload"]
    if message["attachment"]["type"] == "MEDIA_SHARE":
        return f"post {payload['id']}", chips, "post"
    _require("text" not in message and payload["template_type"] == "button")
    _require(0 < len(payload["text"]) <= 640 and 1 <= len(payload["buttons"]) <= 3)
    _require(all(len(button["title"]) <= 20 for button in payload["buttons"]))
    buttons = {
        button["title"]: button.get("payload") or button.get("url", "") for button in payload["buttons"]
    }
    return payload["text"], {**buttons, **chips}, "buttons"


def _require(right: bool) -> None:
    if not right:
        raise Refused(Trouble(message="Invalid parameter"))
