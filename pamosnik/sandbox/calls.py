"""One authorised Graph call, and what kind of endpoint it is: faults and limits go by the kind."""

from dataclasses import dataclass

from pamosnik.errors import PamosnikError
from pamosnik.sandbox import errors, fields
from pamosnik.sandbox.fields import Edge, Node, Page
from pamosnik.sandbox.params import Params
from pamosnik.sandbox.things import Account, Json
from pamosnik.sandbox.world import World

ME = "me"


@dataclass(frozen=True, slots=True)
class Call:
    """The account's own ids in `path` are replaced by "me"."""

    method: str
    path: tuple[str, ...]
    address: str
    params: Params
    account: Account
    scopes: frozenset[str]
    expansion: bool = True

    def needs(self, scope: str) -> None:
        if scope not in self.scopes:
            raise errors.scope_missing(scope)

    def asks(self, field: str) -> bool:
        return any(one.name == field for one in self._asked())

    def node(self, node: Node) -> Json:
        return fields.project(node, self._asked())

    def edge(self, edge: Edge) -> Json:
        limit = self.params.integer("limit") if "limit" in self.params else None
        page = Page(limit, self.params.text_or_none("after"), self.params.text_or_none("before"))
        return fields.project_edge(edge, self._asked(), page, address=self.address)

    def _asked(self) -> tuple[fields.Asked, ...]:
        asked = fields.parse(self.params.text_or_none("fields"))
        if not self.expansion and any(one.limit is not None for one in asked):
            raise errors.bad_parameter("Syntax error in fields: limit is not supported.")
        return asked


@dataclass(frozen=True, slots=True)
class Target:
    """What a call is about: the kind of endpoint, "any" when it is none of the named, and the person."""

    endpoint: str
    person: str | None = None


def named(path: tuple[str, ...], account: Account) -> tuple[str, ...]:
    """The path with the account's own id as "me"."""
    own = (account.ig_id, account.asid)
    return (ME, *path[1:]) if path and path[0] in own else path


def without_account(world: World, path: tuple[str, ...]) -> tuple[str, ...]:
    """The same for a call whose token is not known yet."""
    for account in world.accounts.values():
        path = named(path, account)
    return path


def target(world: World, method: str, path: tuple[str, ...], params: Params) -> Target:
    """`path` has "me" for the account; a call that names nothing known is sorted by its address alone."""
    match path:
        case ("me", "messages"):
            return _message_target(world, params)
        case ("me", "conversations"):
            return Target("conversations", _person(world, _text(params, "user_id")))
        case ("me", ("media" | "live_media")):
            return Target("media")
        case ("me", "subscribed_apps"):
            return Target("subscribed_apps")
        case ("me",):
            return Target("me")
        case (("access_token" | "refresh_access_token"),):
            return Target("any")
        case (node, "replies") if method == "POST":
            return Target("comment_reply", _commenter(world, node))
        case (node, ("comments" | "replies")):
            return Target("comments", _commenter(world, node))
        case (node,):
            return _node_target(world, node)
        case _:
            return Target("any")


def _message_target(world: World, params: Params) -> Target:
    try:
        recipient = params.group("recipient")
        comment_id, igsid = recipient.text_or_none("comment_id"), recipient.text_or_none("id")
    except PamosnikError:
        return Target("messages")
    if comment_id is not None:
        return Target("private_reply", _commenter(world, comment_id))
    return Target("messages", _person(world, igsid))


def _node_target(world: World, node: str) -> Target:
    if node in world.media:
        return Target("media")
    if node in world.comments:
        return Target("comments", _commenter(world, node))
    if node in world.messages:
        node = world.messages[node].thread_id
    if node in world.threads:
        return Target("conversations", _person(world, world.threads[node].igsid))
    return Target("profile", _person(world, node))


def _commenter(world: World, comment_id: str) -> str | None:
    comment = world.comments.get(comment_id)
    return None if comment is None or comment.igsid is None else comment.username


def _person(world: World, igsid: str | None) -> str | None:
    found = None if igsid is None else world.person_behind(igsid)
    return None if found is None else found.username


def _text(params: Params, name: str) -> str | None:
    try:
        return params.text_or_none(name)
    except PamosnikError:
        return None
