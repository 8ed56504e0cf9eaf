"""What is asked of Instagram, and sent to it. One request gives one outcome; it repeats nothing by itself."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from types import TracebackType
from urllib.parse import quote

from pamosnik.instagram import limits, login
from pamosnik.instagram.graph import Answer, AsgiApp, Graph
from pamosnik.instagram.login import App, Exchanged
from pamosnik.model.entrances import Entrance
from pamosnik.model.outbox import Action, ItemKind, OutboxItem, Outcome, OutcomeKind

GRAPH = "https://graph.instagram.com"
LOGIN = "https://api.instagram.com"

_MESSAGE_FIELDS = "id,created_time,from,to,message,attachments,shares,story"
_CONVERSATION_FIELDS = f"id,updated_time,participants,messages.limit(20){{{_MESSAGE_FIELDS}}}"

_REPLY_FIELDS = "id,text,timestamp,username,from"
_COMMENT_FIELDS = f"{_REPLY_FIELDS},replies{{{_REPLY_FIELDS}}}"

_PROFILE_FIELDS = "name,username,follower_count,is_user_follow_business,is_verified_user"
"""Not the picture: nobody uses it."""


class Instagram:
    """Requests to Meta. Close it, or use it as a context."""

    def __init__(
        self,
        *,
        version: str,
        meta_url: str | None = None,
        app: AsgiApp | None = None,
        on_answer: Callable[[datetime | None], None] = lambda _: None,
    ) -> None:
        """`meta_url`: one base address in place of all of Meta's hosts (the sandbox, a test server).
        `app`: answers in Meta's place inside this process; nothing reaches the network.
        `on_answer`: gets the time that each answer names in its `Date`, None when it names none."""
        self._graph = Graph(meta_url or GRAPH, version, name="Instagram", app=app, on_answer=on_answer)
        self._login = partial(Graph, meta_url or LOGIN, version, name="Instagram", app=app)

    async def __aenter__(self) -> "Instagram":
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._graph.close()

    # --- sending -------------------------------------------------------------------------------------

    async def send(self, item: OutboxItem, body: str, *, ig_id: str, token: str) -> Outcome:
        """Sends an outbox item's body as it is. Never raises for what the network or Meta does."""
        comment = quote(item.comment_id or "", safe="")
        # Meta documents what goes to a comment as parameters of the address, not as a body.
        if item.kind is ItemKind.COMMENT_REPLY:
            path = f"{comment}/replies"
            answer = await self._graph.request(
                "POST", path, token=token, params=json.loads(body), known_id="id"
            )
        elif item.kind is ItemKind.COMMENT_ACTION:
            method = "DELETE" if item.action is Action.DELETE else "POST"
            answer = await self._graph.request(method, comment, token=token, params=json.loads(body))
        elif item.kind is ItemKind.SENDER_ACTION:
            answer = await self._graph.request("POST", f"{ig_id}/messages", token=token, body=body)
        else:
            answer = await self._graph.request(
                "POST", f"{ig_id}/messages", token=token, body=body, known_id="message_id"
            )
        return answer.outcome

    # --- the account ---------------------------------------------------------------------------------

    async def me(self, token: str) -> Answer:
        """Who the token belongs to: `user_id` (IG_ID), `id` (app-scoped), `username`, `account_type`.
        https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/get-started"""
        answer = await self._graph.request(
            "GET", "me", token=token, params={"fields": "user_id,id,username,name,account_type"}
        )
        # Meta's documents show the object inside `data`; real answers are flat.
        data = answer.body.get("data")
        inner = data[0] if isinstance(data, list) and data else data
        return Answer(answer.outcome, inner) if isinstance(inner, dict) else answer

    async def refresh(self, token: str) -> Answer:
        """A new long-lived token for this one: `access_token`, `expires_in` (seconds).
        https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/business-login

        Meta documents the token as a parameter of the address. Addresses end up in logs: the header is tried first.
        """
        return await self._long_lived("refresh_access_token", token, {"grant_type": "ig_refresh_token"})

    async def lengthen(self, token: str, app_secret: str) -> Answer:
        """A long-lived token for the short one of a login: `access_token`, `expires_in` (seconds). The secret stands
        in the address: Meta knows no other way."""
        asked = {"grant_type": "ig_exchange_token", "client_secret": app_secret}
        return await self._long_lived("access_token", token, asked)

    async def _long_lived(self, path: str, token: str, asked: Mapping[str, str]) -> Answer:
        answer = await self._graph.request("GET", path, token=token, params=asked, versioned=False)
        if answer.outcome.code is None or answer.outcome.kind in (OutcomeKind.SENT, OutcomeKind.BACK_OFF):
            return answer
        documented = {**asked, "access_token": token}
        return await self._graph.request("GET", path, token=None, params=documented, versioned=False)

    async def exchange_code(self, app: App, code: str, redirect_uri: str) -> Exchanged:
        """The short-lived token (an hour) for the code of a login. A code works once."""
        form = {
            "client_id": app.id,
            "client_secret": app.secret,
            "grant_type": "authorization_code",
            "redirect_uri": redirect_uri,
            "code": code,
        }
        graph = self._login()
        try:
            answer = await graph.request("POST", "oauth/access_token", token=None, form=form, versioned=False)
        finally:
            await graph.close()
        return login.exchanged(answer)

    async def subscribe(self, ig_id: str, token: str, fields: tuple[str, ...]) -> Answer:
        """Asks for the account's webhooks. By its id: `me` was seen refused."""
        return await self._graph.request(
            "POST", f"{ig_id}/subscribed_apps", token=token, params={"subscribed_fields": ",".join(fields)}
        )

    async def unsubscribe(self, ig_id: str, token: str) -> Answer:
        """Wants no webhooks of the account any more. Documented for pages, unconfirmed for this login."""
        return await self._graph.request("DELETE", f"{ig_id}/subscribed_apps", token=token)

    async def subscriptions(self, ig_id: str, token: str) -> Answer:
        """The apps and fields the account is subscribed to."""
        return await self._graph.request("GET", f"{ig_id}/subscribed_apps", token=token)

    async def put_entrances(self, ig_id: str, token: str, body: str) -> Answer:
        """Registers opening questions or menu items: a body of `bodies.entrances`."""
        return await self._graph.request("POST", f"{ig_id}/messenger_profile", token=token, body=body)

    async def remove_entrances(self, ig_id: str, token: str, entrance: Entrance) -> Answer:
        """Takes all of one kind away."""
        body = json.dumps({"fields": [entrance.value]})
        return await self._graph.request("DELETE", f"{ig_id}/messenger_profile", token=token, body=body)

    async def newest_conversations(self, token: str) -> Answer:
        """One page of conversations. Creator accounts are reported to need one such call before webhooks start."""
        return await self._graph.request(
            "GET",
            "me/conversations",
            token=token,
            params={"platform": "instagram", "fields": "id,updated_time"},
        )

    async def conversations(self, token: str, after: str | None = None, igsid: str | None = None) -> Answer:
        """A page of conversations with their newest messages, or the one with `igsid`.

        Asking for the messages in the same call is how Graph works elsewhere; for Instagram it is unconfirmed.
        """
        params = {"platform": "instagram", "limit": "25", "fields": _CONVERSATION_FIELDS}
        if after is not None:
            params["after"] = after
        if igsid is not None:
            params["user_id"] = igsid
        return await self._graph.request("GET", "me/conversations", token=token, params=params)

    async def conversation_ids(
        self, token: str, after: str | None = None, igsid: str | None = None
    ) -> Answer:
        """The same without messages."""
        params = {"platform": "instagram", "fields": "id,updated_time,participants"}
        if after is not None:
            params["after"] = after
        if igsid is not None:
            params["user_id"] = igsid
        return await self._graph.request("GET", "me/conversations", token=token, params=params)

    async def messages(self, conversation_id: str, token: str) -> Answer:
        """Ids and times of a conversation's messages, newest first."""
        path = quote(conversation_id, safe="")
        return await self._graph.request("GET", path, token=token, params={"fields": "messages"})

    async def message(self, mid: str, token: str) -> Answer:
        """One message; only the 20 newest of a conversation can be read."""
        path = quote(mid, safe="")
        return await self._graph.request("GET", path, token=token, params={"fields": _MESSAGE_FIELDS})

    async def replies(self, comment_id: str, token: str) -> Answer:
        """A comment with the replies below it. Its absence from the answer means that there are none."""
        path = quote(comment_id, safe="")
        params = {"fields": f"id,timestamp,replies{{{_REPLY_FIELDS}}}"}
        return await self._graph.request("GET", path, token=token, params=params)

    async def media(self, ig_id: str, token: str, after: str | None = None) -> Answer:
        """One page of the account's posts, newest first."""
        params = {"fields": "id,permalink,timestamp,comments_count", "limit": str(limits.MEDIA_PAGE)}
        if after is not None:
            params["after"] = after
        return await self._graph.request("GET", f"{ig_id}/media", token=token, params=params)

    async def captions(self, ig_id: str, token: str) -> Answer:
        """What stands below the newest posts. Asked for alone: Meta's reference promises captions only to apps with
        Facebook login, and nothing else may fail over it."""
        params = {"fields": "id,caption", "limit": str(limits.MEDIA_PAGE)}
        return await self._graph.request("GET", f"{ig_id}/media", token=token, params=params)

    async def comments(
        self, media_id: str, token: str, *, after: str | None = None, limit: int = limits.COMMENTS_PAGE
    ) -> Answer:
        """A page of a post's comments with the replies below them, the newest first; Meta gives 50 at most."""
        params = {"limit": str(limit), "fields": _COMMENT_FIELDS}
        if after is not None:
            params["after"] = after
        return await self._graph.request(
            "GET", f"{quote(media_id, safe='')}/comments", token=token, params=params
        )

    async def one_media(self, media_id: str, token: str) -> Answer:
        """One post."""
        params = {"fields": "id,permalink,timestamp"}
        return await self._graph.request("GET", quote(media_id, safe=""), token=token, params=params)

    async def profile(self, igsid: str, token: str) -> Answer:
        """What Instagram tells of somebody who has written or tapped.
        https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/messaging-api/user-profile"""
        params = {"fields": _PROFILE_FIELDS}
        return await self._graph.request("GET", quote(igsid, safe=""), token=token, params=params)
