"""`/sandbox/…`: a small HTTP API that plays the people, the owner, and the app's dashboard.

Every address takes and answers JSON. `account` (a username) may be left out while there is one account, `post`
for the newest post or reel. What cannot be done answers 400, what does not exist 404, both as `{"error": …}`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pamosnik.errors import NotFound, PamosnikError, UsageError
from pamosnik.sandbox import desk, people, views
from pamosnik.sandbox.graph import Graph
from pamosnik.sandbox.params import Params
from pamosnik.sandbox.things import Account, Attachment, Comment, Json, Media, MediaKind, Message, Person
from pamosnik.sandbox.webhooks import Deliverer
from pamosnik.sandbox.world import World

Act = Callable[[Params], Json]


class Control:
    """The people and the switches of one world."""

    def __init__(self, world: World, deliverer: Deliverer, graph: Graph) -> None:
        self._world = world
        self._deliverer = deliverer
        self._graph = graph

    def app(self) -> Starlette:
        acts: dict[str, Act] = {
            "/people": self._people,
            "/posts": self._posts,
            "/comment": self._comment,
            "/delete_comment": self._delete_comment,
            "/live_comment": self._live_comment,
            "/end_live": self._end_live,
            "/dm": self._dm,
            "/story_reply": self._story_reply,
            "/story_mention": self._story_mention,
            "/share_post": self._share_post,
            "/tap": self._tap,
            "/react": self._react,
            "/read": self._read,
            "/delete_message": self._delete_message,
            "/owner_message": self._owner_message,
            "/accounts": lambda params: desk.add_account(self._world, params),
            "/token": lambda params: desk.new_token(self._world, params),
            "/revoke": lambda params: desk.revoke(self._world, params),
            "/switches": lambda params: desk.switch(self._world, self._deliverer, params),
            "/test_event": self._test_event,
        }
        routes = [Route(path, _endpoint(act), methods=["POST"]) for path, act in acts.items()]
        return Starlette(
            routes=[
                *routes,
                Route("/configure", _guarded(self._configure), methods=["POST"]),
                Route("/settle", _guarded(self._settle), methods=["POST"]),
                Route("/thread/{username}", _guarded(self._thread)),
                Route("/comments", _guarded(self._comments)),
                Route("/requests", _guarded(self._requests)),
                Route("/deliveries", _guarded(self._deliveries)),
                Route("/state", _guarded(self._state)),
            ]
        )

    # what people do

    def _people(self, params: Params) -> Json:
        """Makes a person or changes the given properties of one."""
        params.refuse_others(
            "account",
            "username",
            "name",
            "follows",
            "followed",
            "blocked",
            "verified",
            "private",
            "follower_count",
        )
        account = self._account(params)
        username = params.text("username")
        known = self._world.people.get(username) or Person(username, name=username.capitalize())
        ig_id = account.ig_id
        person = replace(
            known,
            name=params.text_or_none("name") or known.name,
            verified=params.flag_or("verified", known.verified),
            private=params.flag_or("private", known.private),
            follower_count=params.integer_or("follower_count", known.follower_count),
            follows=_member(known.follows, ig_id, params, "follows"),
            followed_by=_member(known.followed_by, ig_id, params, "followed"),
            blocked=_member(known.blocked, ig_id, params, "blocked"),
        )
        self._world.put_person(person)
        return {"username": username, "igsid": self._world.igsid(account, person)}

    def _posts(self, params: Params) -> Json:
        kind = params.text_or_none("kind") or MediaKind.POST.value
        if kind not in {one.value for one in MediaKind}:
            raise UsageError(f"kind {kind} is not one of post, reel, story and live")
        media = self._world.add_media(self._account(params), MediaKind(kind), params.text_or_none("caption"))
        return {"id": media.id, "permalink": media.permalink}

    def _comment(self, params: Params) -> Json:
        account, person = self._both(params)
        parent = self._named_comment(params.text("parent")) if "parent" in params else None
        media = self._post(account, params) if parent is None else self._world.media[parent.media_id]
        said = people.comment(self._world, account, person, media, params.text("text"), parent=parent)
        return {"id": said.id, "post": media.id}

    def _delete_comment(self, params: Params) -> Json:
        people.delete_comment(self._world, self._named_comment(params.text("id")))
        return {}

    def _live_comment(self, params: Params) -> Json:
        """Under the running broadcast; one is started when there is none."""
        account, person = self._both(params)
        live = self._running(account) or self._world.add_media(account, MediaKind.LIVE, None)
        said = people.comment(self._world, account, person, live, params.text("text"))
        return {"id": said.id, "post": live.id}

    def _end_live(self, params: Params) -> Json:
        live = self._running(self._account(params))
        if live is None:
            raise UsageError("nothing is being broadcast")
        self._world.media[live.id] = replace(live, broadcasting=False)
        return {"id": live.id}

    def _dm(self, params: Params) -> Json:
        account, person = self._both(params)
        image = (Attachment("image", params.text("image")),) if "image" in params else ()
        written = people.message(
            self._world,
            account,
            person,
            params.text_or_none("text"),
            attachments=image,
            reply_to_mid=params.text_or_none("reply_to"),
        )
        return _mid(written)

    def _story_reply(self, params: Params) -> Json:
        """To the newest story unless `story` names one; a story is posted when there is none."""
        account, person = self._both(params)
        stories = self._world.media_of(account, MediaKind.STORY)
        if "story" in params:
            story = self._own_media(account, params.text("story"))
        else:
            story = stories[0] if stories else self._world.add_media(account, MediaKind.STORY, None)
        return _mid(people.story_reply(self._world, account, person, story, params.text("text")))

    def _story_mention(self, params: Params) -> Json:
        account, person = self._both(params)
        return _mid(people.story_mention(self._world, account, person))

    def _share_post(self, params: Params) -> Json:
        account, person = self._both(params)
        return _mid(people.share_post(self._world, account, person, self._post(account, params)))

    def _tap(self, params: Params) -> Json:
        account, person = self._both(params)
        tapped = people.tap(self._world, account, person, params.text("title"))
        return {"mid": None if tapped.message is None else tapped.message.mid, "url": tapped.url}

    def _react(self, params: Params) -> Json:
        """`emoji` left out takes the reaction back."""
        account, person = self._both(params)
        emoji, mid = params.text_or_none("emoji"), params.text_or_none("mid")
        return _mid(people.react(self._world, account, person, emoji, mid))

    def _read(self, params: Params) -> Json:
        return _mid(people.read(self._world, *self._both(params)))

    def _delete_message(self, params: Params) -> Json:
        account, person = self._both(params)
        return _mid(people.delete_message(self._world, account, person, params.text_or_none("mid")))

    def _owner_message(self, params: Params) -> Json:
        account, person = self._both(params)
        return _mid(people.owner_message(self._world, account, person, params.text("text")))

    # the app's dashboard, and what can be looked at

    def _test_event(self, _: Params) -> Json:
        self._deliverer.offer_test()
        return {}

    async def _configure(self, request: Request) -> object:
        """Answers after the handshake; nothing changes when it fails."""
        params = await _body(request)
        await self._deliverer.configure(desk.configured(self._world.app, params))
        return desk.app_state(self._world.app)

    async def _settle(self, _: Request) -> object:
        await self._deliverer.settle()
        return {}

    async def _thread(self, request: Request) -> object:
        account = self._world.account_named(request.query_params.get("account"))
        person = self._world.person_named(request.path_params["username"])
        thread = self._world.thread_with(account, self._world.igsid(account, person))
        shown = () if thread is None else self._world.messages_in(thread)
        return [_bubble(message) for message in shown]

    async def _comments(self, request: Request) -> object:
        params = Params(request.query_params)
        media = self._post(self._account(params), params)
        newest_first = self._world.comments_on(media)
        return [self._comment_shown(comment) for comment in reversed(newest_first)]

    async def _requests(self, _: Request) -> object:
        return [asdict(one) | {"at": views.iso(one.at)} for one in self._graph.requests]

    async def _deliveries(self, _: Request) -> object:
        return [asdict(one) | {"at": views.iso(one.at)} for one in self._deliverer.log]

    async def _state(self, _: Request) -> object:
        return desk.state(self._world, self._deliverer)

    def _comment_shown(self, comment: Comment) -> Json:
        replies = [self._comment_shown(reply) for reply in self._world.replies_to(comment)]
        author = "business" if comment.igsid is None else "person"
        return {
            "id": comment.id,
            "from": author,
            "username": comment.username,
            "text": comment.text,
            "hidden": comment.hidden,
            "at": views.iso(comment.created_at),
            "replies": replies,
        }

    # finding what is named

    def _account(self, params: Params) -> Account:
        return self._world.account_named(params.text_or_none("account"))

    def _both(self, params: Params) -> tuple[Account, Person]:
        return self._account(params), self._world.person_named(params.text("person"))

    def _post(self, account: Account, params: Params) -> Media:
        if "post" in params:
            return self._own_media(account, params.text("post"))
        posts = self._world.media_of(account, MediaKind.POST, MediaKind.REEL)
        if not posts:
            raise NotFound(f"{account.username} has posted nothing")
        return posts[0]

    def _own_media(self, account: Account, media_id: str) -> Media:
        media = self._world.media.get(media_id)
        if media is None or media.ig_id != account.ig_id:
            raise NotFound(f"{account.username} has no media {media_id}")
        return media

    def _running(self, account: Account) -> Media | None:
        broadcasts = self._world.media_of(account, MediaKind.LIVE)
        return next((media for media in broadcasts if media.broadcasting), None)

    def _named_comment(self, comment_id: str) -> Comment:
        if comment_id not in self._world.comments:
            raise NotFound(f"no comment {comment_id}")
        return self._world.comments[comment_id]


def _member(group: frozenset[str], ig_id: str, params: Params, name: str) -> frozenset[str]:
    if name not in params:
        return group
    return group | {ig_id} if params.flag(name) else group - {ig_id}


def _mid(message: Message) -> Json:
    return {"mid": message.mid}


def _bubble(message: Message) -> Json:
    """A message as the phone shows it: a template is its cards' titles, one per line."""
    content = message.content
    text = content.text
    if content.cards:
        text = "\n".join(card.title for card in content.cards)
    card_images = [card.image_url for card in content.cards if card.image_url is not None]
    return {
        "from": "business" if message.from_business else "person",
        "text": text,
        "buttons": [button.title for button in content.buttons],
        "chips": [chip.title for chip in content.chips],
        "images": [one.url for one in content.attachments if one.kind == "image"] + card_images,
        "mid": message.mid,
        "at": views.iso(message.created_at),
    }


async def _body(request: Request) -> Params:
    try:
        body = await request.json()
    except ValueError:
        raise UsageError("the body is not valid JSON") from None
    if not isinstance(body, dict):
        raise UsageError("the body must be a JSON object")
    return Params(body)


def _endpoint(act: Act) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> object:
        return act(await _body(request))

    return _guarded(answer)


def _guarded(answer: Callable[[Request], Awaitable[object]]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return JSONResponse(await answer(request))
        except PamosnikError as problem:
            status = 404 if isinstance(problem, NotFound) else 400
            return JSONResponse({"error": problem.message, "hint": problem.hint}, status)

    return endpoint
