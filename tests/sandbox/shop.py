"""What the tests hold in their hands: a running sandbox, a client, and a receiver of webhooks."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
from aiohttp import web

from pamosnik.clock import VirtualClock
from pamosnik.sandbox.main import Sandbox

FIELDS = (
    "messages,messaging_postbacks,messaging_seen,message_reactions,message_edit,comments,live_comments,"
    "messaging_referral,messaging_optins,messaging_handover,standby"
)


def entries(body: bytes) -> list[Any]:
    """With or without the array around the object."""
    content = json.loads(body)
    return list((content[0] if isinstance(content, list) else content)["entry"])


@dataclass
class Receiver:
    """A callback address; `statuses` are answered first, then 200."""

    token: str = "open sesame"
    statuses: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)
    url: str = ""
    # no answer before this is set
    stall: asyncio.Event | None = None

    async def get(self, request: web.Request) -> web.Response:
        if request.query["hub.verify_token"] != self.token:
            return web.Response(status=403)
        return web.Response(text=request.query["hub.challenge"])

    async def post(self, request: web.Request) -> web.Response:
        if self.stall is not None:
            await self.stall.wait()
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 200:
            self.bodies.append(await request.read())
            self.headers.append(dict(request.headers))
            self.signatures.append(request.headers["X-Hub-Signature-256"])
            for entry in entries(self.bodies[-1]):
                bare = [entry] if "field" in entry else []
                self.events.extend(entry.get("messaging", []) + entry.get("changes", []) + bare)
        return web.Response(status=status)


@dataclass
class Answer:
    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def error(self) -> tuple[int, int, int | None]:
        """HTTP status, code, subcode."""
        error = self.body["error"]
        assert error["fbtrace_id"]
        return self.status, error["code"], error.get("error_subcode")


@dataclass
class Shop:
    sandbox: Sandbox
    clock: VirtualClock
    http: aiohttp.ClientSession
    receiver: Receiver

    async def call(self, method: str, path: str, *, token: str | None = None, **rest: Any) -> Answer:
        """A Graph call; `rest` is aiohttp's."""
        headers = {"Authorization": f"Bearer {token or self.sandbox.token}"}
        url = path if path.startswith("http") else self.sandbox.base_url + path
        async with self.http.request(method, url, headers=headers, allow_redirects=False, **rest) as answer:
            text = await answer.text()
            body = json.loads(text) if text and answer.content_type == "application/json" else text or None
            return Answer(answer.status, body, answer.headers)

    async def get(self, path: str, **params: str) -> Answer:
        return await self.call("GET", "/v26.0" + path, params=params)

    async def act(self, name: str, **body: Any) -> Any:
        """What people do; must succeed."""
        answer = await self.call("POST", f"/sandbox/{name}", json=body)
        assert answer.status == 200, answer.body
        return answer.body

    async def look(self, path: str) -> Any:
        answer = await self.call("GET", f"/sandbox/{path}")
        assert answer.status == 200, answer.body
        return answer.body

    async def send(self, recipient: Mapping[str, str], message: Any, **more: Any) -> Answer:
        body = {"recipient": recipient, "message": message, **more}
        return await self.call("POST", f"/v26.0/{self.sandbox.ig_id}/messages", json=body)

    async def connect(self, **switches: Any) -> None:
        """Configures the webhook and subscribes the account."""
        await self.act(
            "configure", callback_url=self.receiver.url, verify_token=self.receiver.token, fields=FIELDS
        )
        subscribed = await self.call(
            "POST", f"/v26.0/{self.sandbox.ig_id}/subscribed_apps", params={"subscribed_fields": "messages"}
        )
        assert subscribed.body == {"success": True}
        if switches:
            await self.act("switches", **switches)

    async def heard(self) -> list[Any]:
        """Everything delivered so far."""
        await self.sandbox.settle()
        return self.receiver.events

    async def igsid(self, username: str) -> str:
        return str((await self.act("people", username=username))["igsid"])

    async def post(self, path: str, **body: Any) -> Answer:
        """A Graph call with a JSON body."""
        return await self.call("POST", "/v26.0" + path, json=body)

    async def newest_post(self) -> str:
        media = await self.get("/me/media")
        return str(media.body["data"][0]["id"])

    async def comments(self, username: str, text: str = "LINK", **more: Any) -> str:
        """The person comments; answers the comment's id."""
        return str((await self.act("comment", person=username, text=text, **more))["id"])

    async def writes(self, username: str, text: str = "Hello") -> str:
        """The person opens the window; answers their IGSID."""
        await self.act("dm", person=username, text=text)
        return await self.igsid(username)

    def later(self, **units: float) -> None:
        self.clock.move_to(self.clock.now() + timedelta(**units))
