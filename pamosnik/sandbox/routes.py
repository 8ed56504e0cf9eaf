"""Which address does what: from an authorised call to `business`, `views` and the JSON they answer."""

import re
from dataclasses import dataclass, replace

from pamosnik.sandbox import business, errors, messenger_profile, rules, views
from pamosnik.sandbox.calls import ME, Call
from pamosnik.sandbox.content import Order, SendMessage, read_order, read_upload
from pamosnik.sandbox.errors import GraphError
from pamosnik.sandbox.limits import Limits, Quota, usage_headers
from pamosnik.sandbox.subscriptions import check_fields
from pamosnik.sandbox.things import Json, MediaKind
from pamosnik.sandbox.world import World

# of people and things, or of a message or conversation
_ID = re.compile(r"[0-9]+|aWdf[A-Za-z0-9_=-]+")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call that succeeds is answered, with the usage headers of its limit."""

    body: Json
    headers: dict[str, str]


class Router:
    """The endpoints of one world."""

    def __init__(self, world: World, limits: Limits) -> None:
        self._world = world
        self._limits = limits

    def route(self, call: Call) -> Answer:
        order = None
        if (call.method, call.path) == ("POST", (ME, "messages")):
            order = read_order(call.params, self._world.behaviour)
        quota = self._quota(call, order)
        usage = usage_headers(call.account, quota, self._limits.count(call.account, quota))
        try:
            body = self._act(call) if order is None else self._send(call, order)
        except GraphError as refusal:
            refusal.extra_headers = usage
            raise
        return Answer(body, usage)

    def _quota(self, call: Call, order: Order | None) -> Quota:
        if order is not None:
            return self._send_quota(order)
        node = call.path[0]
        conversation = call.path == (ME, "conversations") or node in self._world.threads
        if call.method == "GET" and (conversation or node in self._world.messages):
            return Quota.CONVERSATIONS
        return Quota.REST

    def _send_quota(self, order: Order) -> Quota:
        if order.comment_id is not None:
            comment = self._world.comments.get(order.comment_id)
            live = comment is not None and self._world.media[comment.media_id].kind is MediaKind.LIVE
            return Quota.LIVE_PRIVATE_REPLY if live else Quota.PRIVATE_REPLY
        files = order.body.content.attachments if isinstance(order.body, SendMessage) else ()
        return Quota.MEDIA if any(one.kind in ("audio", "video") for one in files) else Quota.TEXT

    def _act(self, call: Call) -> Json:
        """Too long a path is malformed, and a path begins with an id."""
        node = call.path[0]
        if len(call.path) > 2:
            raise errors.unknown_path("/" + "/".join(call.path))
        if node != ME and not _ID.fullmatch(node):
            raise errors.unknown_alias(node)
        match call.method, call.path:
            case _, ("me", "subscribed_apps"):
                return self._subscribed_apps(call)
            case _, ("me", "messenger_profile"):
                return self._messenger_profile(call)
            case _, ("me", "welcome_message_flows"):
                return self._welcome_flows(call)
            case "POST", ("me", "message_attachments") if self._world.behaviour.message_attachments:
                call.needs(rules.SCOPE_MESSAGES)
                file = read_upload(call.params)
                return {"attachment_id": business.upload(self._world, call.account, file.kind, file.url).id}
            case "GET", (node,):
                return self._get_node(call, node)
            case "GET", (node, edge):
                return self._get_edge(call, node, edge)
            case "POST", (node,):
                return self._change(call, node)
            case "POST", (node, ("comments" | "replies") as edge):
                return self._write_comment(call, node, edge)
            case "DELETE", (comment_id,):
                call.needs(rules.SCOPE_COMMENTS)
                business.delete_comment(self._world, call.account, comment_id)
                return {"success": True}
            case _:
                raise self._nowhere(call)

    def _nowhere(self, call: Call) -> GraphError:
        """A node that is not the account's is missing; else it cannot do that."""
        world, node = self._world, call.path[0]
        known = node == ME or any(node in kept for kept in (world.media, world.comments, world.threads))
        return errors.no_role(call.method) if known else errors.missing_object(node)

    def _subscribed_apps(self, call: Call) -> Json:
        account, app, ways = call.account, self._world.app, self._world.behaviour
        match call.method:
            case "POST":
                if not ways.me_subscribed_apps and call.address.split("?")[0].endswith("/me/subscribed_apps"):
                    raise errors.no_role(call.method)
                wanted = call.params.names("subscribed_fields")
                if not wanted:
                    raise errors.bad_parameter("The parameter subscribed_fields is required.")
                check_fields(wanted, "subscribed_fields")
                self._world.put_account(replace(account, subscribed_fields=wanted))
            case "DELETE":
                if not ways.delete_subscribed_apps:
                    raise errors.no_role(call.method)
                self._world.put_account(replace(account, subscribed_fields=()))
            case _ if account.subscribed_fields:
                subscribed = list(account.subscribed_fields)
                return {"data": [{"name": app.name, "id": app.app_id, "subscribed_fields": subscribed}]}
            case _:
                return {"data": []}
        return {"success": True}

    def _messenger_profile(self, call: Call) -> Json:
        call.needs(rules.SCOPE_MESSAGES)
        match call.method:
            case "POST":
                messenger_profile.write_profile(self._world, call.account, call.params)
            case "DELETE":
                messenger_profile.delete_profile(self._world, call.account, call.params)
            case _:
                return messenger_profile.read_profile(call.account, call.params)
        return {"result": "success"} if self._world.behaviour.profile_result_success else {"success": True}

    def _welcome_flows(self, call: Call) -> Json:
        call.needs(rules.SCOPE_MESSAGES)
        match call.method:
            case "POST":
                return messenger_profile.write_flow(self._world, call.account, call.params)
            case "DELETE":
                business.delete_flow(self._world, call.account, call.params.text("flow_id"))
                return {"success": True}
            case _:
                return messenger_profile.read_flows(self._world, call.account, call.params)

    def _send(self, call: Call, order: Order) -> Json:
        call.needs(rules.SCOPE_MESSAGES if order.comment_id is None else rules.SCOPE_COMMENTS)
        sent = business.perform(self._world, call.account, order)
        if sent.mid is not None:
            return {"recipient_id": sent.igsid, "message_id": sent.mid}
        if self._world.behaviour.sender_action_names_recipient:
            return {"recipient_id": sent.igsid}
        return {"success": True}

    def _get_node(self, call: Call, node_id: str) -> Json:
        world, account = self._world, call.account
        if node_id == ME:
            call.needs(rules.SCOPE_BASIC)
            flat = call.node(views.account_node(world, account))
            return {"data": [flat]} if world.behaviour.me_in_data else flat
        if node_id in world.media:
            media = business.own_media(world, account, node_id)
            if call.asks("comments"):
                call.needs(rules.SCOPE_COMMENTS)
            return call.node(views.media_node(world, account, media))
        if node_id in world.comments:
            call.needs(rules.SCOPE_COMMENTS)
            comment = business.own_comment(world, account, node_id)
            return call.node(views.comment_node(world, account, comment))
        return self._get_messaging_node(call, node_id)

    def _get_messaging_node(self, call: Call, node_id: str) -> Json:
        world, account = self._world, call.account
        call.needs(rules.SCOPE_MESSAGES)
        if node_id in world.messages:
            message = business.readable_message(world, account, node_id)
            return call.node(views.message_node(world, account, message))
        if node_id in world.threads:
            if world.threads[node_id] not in business.visible_threads(world, account):
                raise errors.missing_object(node_id)
            return call.node(views.conversation_node(world, account, world.threads[node_id]))
        person = business.profile_of(world, account, node_id)
        return call.node(views.profile_node(account, person, node_id))

    def _get_edge(self, call: Call, node_id: str, edge: str) -> Json:
        world, account = self._world, call.account
        match node_id, edge:
            case "me", "media":
                call.needs(rules.SCOPE_COMMENTS if call.asks("comments") else rules.SCOPE_BASIC)
                return call.edge(views.media_edge(world, account))
            case "me", "live_media" if world.behaviour.live_media:
                return call.edge(views.live_edge(world, account))
            case "me", "conversations":
                call.needs(rules.SCOPE_MESSAGES)
                if call.params.text("platform") != "instagram":
                    raise errors.bad_parameter("Param platform must be instagram.")
                igsid = call.params.text_or_none("user_id")
                return call.edge(views.conversations_edge(world, account, igsid))
            case _, "comments":
                call.needs(rules.SCOPE_COMMENTS)
                media = business.own_media(world, account, node_id)
                return call.edge(views.comments_edge(world, account, media))
            case _, "replies":
                call.needs(rules.SCOPE_COMMENTS)
                comment = business.own_comment(world, account, node_id)
                return call.edge(views.replies_edge(world, account, comment))
            case _:
                raise self._nowhere(call)

    def _change(self, call: Call, node_id: str) -> Json:
        """Hides a comment, or switches the comments of a media."""
        call.needs(rules.SCOPE_COMMENTS)
        if node_id in self._world.media:
            enabled = call.params.flag("comment_enabled")
            business.enable_comments(self._world, call.account, node_id, enabled=enabled)
        else:
            comment = business.own_comment(self._world, call.account, node_id)
            hide = call.params.flag("hide")
            business.hide_comment(self._world, call.account, comment.id, hide=hide)
        return {"success": True}

    def _write_comment(self, call: Call, node_id: str, edge: str) -> Json:
        call.needs(rules.SCOPE_COMMENTS)
        text = call.params.text("message")
        if edge == "comments":
            return {"id": business.comment_on_media(self._world, call.account, node_id, text).id}
        return {"id": business.reply_to_comment(self._world, call.account, node_id, text).id}
