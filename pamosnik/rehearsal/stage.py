"""The stage: a throwaway business with your flows, the fake Instagram beside it, and a clock that somebody moves.

What plays here is what production runs: the sandbox's webhooks, read and stored by the real intake; the real turns,
in the runner's order; the real outbox with its policy and pacing; the real client, whose requests the sandbox answers
by Instagram's rules. Left out is only what costs time: the network, the disk's flushes, and waiting.

Nothing moves by itself. Somebody acts; `settle` lets happen what is due now; `pass_time` goes from one due instant to
the next. Played twice, it is the same twice: time stands still, ids come from a row of their own, and everything
random in the engine is derived from them.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType

from starlette.responses import JSONResponse

from pamosnik._sqlite import Connection
from pamosnik.calls import Answer
from pamosnik.errors import NotFound, UsageError
from pamosnik.flows.load import File, Loaded
from pamosnik.rehearsal import clicking, scenery, walks
from pamosnik.rehearsal.happenings import Deed, Did, Happening, Option, PersonState, Post, RunState
from pamosnik.rehearsal.machinery import Machinery
from pamosnik.rehearsal.shown import buttons, chips
from pamosnik.rehearsal.ticket import Ticket
from pamosnik.rehearsal.walks import Walk
from pamosnik.sandbox import entrances, people
from pamosnik.sandbox.things import Account, Attachment, Comment, Media, MediaKind, Person
from pamosnik.services import clicks, explaining, flows
from pamosnik.services.explaining import Why
from pamosnik.services.library import Library
from pamosnik.services.reading import events
from pamosnik.services.reading import runs as run_reading
from pamosnik.services.shapes import Shape
from pamosnik.store import contacts, links, reads
from pamosnik.store import flows as flow_store

BETWEEN_ACTS = timedelta(seconds=1)
"""No two things that people do happen at the same instant."""


class Stage:
    """One performance. Close it, or use it as a context."""

    def __init__(self, ticket: Ticket) -> None:
        self._works = Machinery(ticket)
        self._world, self._shop = self._works.world, self._works.shop
        self._last_comments: dict[str, Comment] = {}
        self._last_act: datetime | None = None

    def __enter__(self) -> "Stage":
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Gives the database's file back; what happened can still be read from `happened`."""
        self._works.close()

    # --- how things stand ----------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        return self._works.now

    @property
    def _account(self) -> Account:
        """The shop as Instagram knows it now."""
        return self._world.accounts[self._shop.ig_id]

    @property
    def username(self) -> str:
        """The shop's."""
        return self._shop.username

    @property
    def happened(self) -> Sequence[Happening]:
        """Everything, in the order of time."""
        return self._works.log

    @property
    def people(self) -> tuple[str, ...]:
        return tuple(self._world.people)

    @property
    def posts(self) -> tuple[Post, ...]:
        """Posts, reels, stories, numbered from 1; those that flows name come first."""
        bound = flow_store.bound_posts(self._works.conn, self._works.connection_id)
        named = scenery.named_by(self._world, self._works.flows(), bound)
        return tuple(
            Post(number, m.kind.value, m.caption or "", m.permalink, tuple(named.get(m.id, ())))
            for number, m in enumerate(self._grid(), 1)
        )

    def person(self, who: str) -> PersonState:
        """What Pamosnik knows of somebody; nothing while it has not met them."""
        self._someone(who)
        return self._works.watcher.person(who, self._world.igsid(self._shop, self._someone(who)), self.now)

    def has_conversation(self, who: str) -> bool:
        """Whether there is a private conversation with this person yet."""
        return (
            self._world.thread_with(self._shop, self._world.igsid(self._shop, self._someone(who))) is not None
        )

    def options(self, who: str) -> tuple[Option, ...]:
        """What this person can tap: buttons and chips, the newest message's first; opening questions while the
        conversation is empty; the menu."""
        thread = self._world.thread_with(self._shop, self._world.igsid(self._shop, self._someone(who)))
        found: dict[str, Option] = {}
        for message in reversed(() if thread is None else self._world.messages_in(thread)):
            if message.from_business:
                shown = (*buttons(message.content), *chips(message.content))
                for option in shown:
                    found.setdefault(option.name, clicking.option(self._works.conn, option))
        if thread is None:
            found |= {label: Option(label) for label in entrances.questions(self._account)}
        menu = entrances.menu_items(self._account)
        return (*found.values(), *(Option(item.title) for item in menu if item.title not in found))

    def latest_run(self, who: str) -> RunState | None:
        """The run of this person in which something happened last."""
        conn = self._works.conn
        runs = self.person(who).runs
        return max(runs, key=lambda run: (reads.turns(conn, run.run_id)[-1][4], run.run_id), default=None)

    @property
    def failures(self) -> Sequence[Exception]:
        """What was raised in turns: faults of Pamosnik's own, each the end of what it was about."""
        return self._works.failures

    def why(self, event_id: str) -> Why:
        """What happened to an event, and the checks behind it."""
        return explaining.why(self._works.conn, self._works.account, event_id, self.now)

    def steps(self, run_id: str) -> tuple[str, ...]:
        """Paths of the steps a run has taken, in order: what a test has reached."""
        _, turns = run_reading.named(self._works.conn, self._works.account, run_id)
        return tuple(check[0] for taken in turns for check in taken.trace)

    def walks(self) -> tuple[Walk, ...]:
        """Which way every run went, but for those of people who were forgotten."""
        return walks.walks(self._works.conn, self._works.account, self._works.library)

    def verdicts(self) -> list[Shape]:
        """Every event with its verdict, in the shape of `events list --json`, the oldest first."""
        found = events.newest(self._works.conn, self._works.account, limit=None, since=None)
        return [event.shape() for event in reversed(found)]

    # --- time ----------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Lets everything happen that is due now: webhooks, turns, messages, their echoes."""
        self._works.settle()

    def pass_time(self, length: timedelta) -> None:
        """Moves the clock on, from one due instant to the next."""
        self._works.pass_time(length)

    def let_out(self, within: timedelta) -> None:
        """Lets leave what is under way: after `wait_first` and typing, and again what was refused for now. The clock
        goes on as far as that takes, no further than `within`; waits of flows that end meanwhile end."""
        until = self.now + within
        self.settle()
        while (moment := self._works.next_to_leave()) is not None and moment <= until:
            self.pass_time(moment - self.now)

    @property
    def waited_until(self) -> datetime | None:
        """When a flow's wait ended last."""
        return self._works.waited_until

    def next_moment(self) -> datetime | None:
        """When something happens by itself, as far as can be told; None when nothing will."""
        return self._works.next_moment()

    # --- who is there, what the world is like --------------------------------------------------------

    def meet(self, who: str, *, name: str | None = None, follows: bool | None = None) -> None:
        """Somebody of that username is there from now on; None leaves what is known as it is."""
        known = self._world.people.get(who, Person(who, None))
        followed = known.follows
        if follows is not None:
            followed = followed | {self._shop.ig_id} if follows else followed - {self._shop.ig_id}
        self._world.put_person(replace(known, name=name or known.name, follows=followed))
        self._tell_anew(who)

    def introduce(self, who: str, *, name: str | None, follows: bool | None) -> None:
        """Somebody of that username is there from now on, and all that Instagram could tell of them is this.
        `follows`: None, it does not tell. Their id comes from the username, so that some go one way of a
        `split` and some another."""
        following = frozenset({self._shop.ig_id}) if follows else frozenset()
        self._world.put_person(Person(who, name, follows=following))
        digest = hashlib.sha256(who.encode()).digest()
        igsid = str(800_000_000_000_000 + int.from_bytes(digest[:8]) % 100_000_000_000_000)
        self._world.meet(self._shop.ig_id, who, igsid)
        if follows is None:
            self._works.silent_about.add(igsid)
        else:
            self._works.silent_about.discard(igsid)
        self._tell_anew(who)

    def _tell_anew(self, who: str) -> None:
        """What is true of somebody from now on counts at once, whenever Instagram was asked last."""

        def outdate(conn: Connection) -> None:
            for contact_id in contacts.find(conn, self._works.account.id, f"@{who}"):
                contacts.profile_outdated(conn, contact_id)

        self._works.write(outdate)

    def remember(
        self, who: str, *, tags: Iterable[str] = (), fields: Mapping[str, str] | None = None
    ) -> None:
        """Pamosnik knows this of somebody from earlier; they have not written yet."""
        igsid = self._world.igsid(self._shop, self._someone(who))

        def note(conn: Connection) -> None:
            contact = contacts.meet(
                conn,
                account_id=self._works.account.id,
                connection_id=self._works.connection_id,
                igsid=igsid,
                username=who,
                now=self.now,
            )
            for tag in tags:
                contacts.add_tag(conn, contact, tag, self.now)
            for field, value in (fields or {}).items():
                contacts.set_field(conn, contact, field, value, self.now)

        self._works.write(note)
        self._works.look()

    def post_named(self, written: str, *, story: bool = False) -> int:
        """The number of a post or story, by its link or id; one that nothing names yet is there from now on, as old
        as the shop."""
        known = scenery.find(self._world, written)
        if known is None:
            add = scenery.add_story if story else scenery.add_post
            known = add(self._world, self._shop, written, "somebody")
        if known is None:
            what = "story" if story else "post"
            raise NotFound(f"“{written}” names no {what}.", hint=f"Give the link or the id of the {what}.")
        return self._grid().index(known) + 1

    def publish(self, caption: str, kind: MediaKind = MediaKind.POST) -> None:
        """A new post; a flow that waits for the next one takes it."""
        self._between_acts()
        self._world.add_media(self._shop, kind, caption)

    def reload(self, files: Sequence[File]) -> Loaded:
        """Puts changed files on; people in a flow finish the version they began. Nothing changes while the files have
        errors: look at the answer."""
        proposal = flows.propose(self._works.conn, self._works.account.id, files, prune=True, made_up=True)
        if not proposal.loaded.has_errors:
            self._works.write(
                partial(
                    flows.apply,
                    account_id=self._works.account.id,
                    proposal=proposal,
                    note=None,
                    actor="rehearsal",
                    now=self.now,
                )
            )
            self._works.library = Library(clicking.PUBLIC)
            self._works.keep_entrances()
            scenery.add_named_posts(self._world, self._shop, self._works.flows())
        return proposal.loaded

    def meta_says(self, status: int, body: dict[str, object]) -> None:
        """Instagram's answer to the next message or reply, in place of its own."""
        self._works.prepared.append(JSONResponse(body, status))

    def webhook_says(self, status: int, body: object) -> None:
        """The answer to the next call of a flow; without it that gets an empty 200."""
        self._works.webhook_answers.append(Answer(status, json.dumps(body).encode()))

    # --- what people do ------------------------------------------------------------------------------

    def comment(self, who: str, text: str, *, post: int | None = None) -> None:
        """Under the post of that number; without one under the newest."""
        media = self._post(post, MediaKind.POST, MediaKind.REEL)
        person = self._enter(who)
        self._last_comments[who] = people.comment(self._world, self._shop, person, media, text)
        self._did(who, Deed.COMMENT, text, media)

    def reply(self, who: str, text: str) -> None:
        """A reply to their own last comment."""
        parent = self._last_comments.get(who)
        if parent is None:
            raise UsageError(f"{who} has not commented yet.", hint="Comment first.")
        media = self._world.media[parent.media_id]
        people.comment(self._world, self._shop, self._enter(who), media, text, parent=parent)
        self._did(who, Deed.REPLY, text, media)

    def live_comment(self, who: str, text: str) -> None:
        """During a live broadcast, which begins if there is none."""
        person = self._enter(who)
        on_air = [m for m in self._world.media_of(self._shop, MediaKind.LIVE) if m.broadcasting]
        media = on_air[0] if on_air else self._world.add_media(self._shop, MediaKind.LIVE, None)
        people.comment(self._world, self._shop, person, media, text)
        self._did(who, Deed.LIVE_COMMENT, text)

    def write(self, who: str, text: str | None, *, image: str | None = None) -> None:
        """A direct message."""
        pictures = () if image is None else (Attachment("image", image),)
        people.message(self._world, self._shop, self._enter(who), text, attachments=pictures)
        self._did(who, Deed.MESSAGE, text or image)

    def answer_story(self, who: str, text: str, *, story: int | None = None) -> None:
        media = self._post(story, MediaKind.STORY)
        people.story_reply(self._world, self._shop, self._enter(who), media, text)
        self._did(who, Deed.STORY_REPLY, text, media)

    def mention(self, who: str) -> None:
        """Their own story mentions the shop."""
        people.story_mention(self._world, self._shop, self._enter(who))
        self._did(who, Deed.STORY_MENTION)

    def share(self, who: str, *, post: int | None = None) -> None:
        """A post of the shop, sent into the chat."""
        media = self._post(post, MediaKind.POST, MediaKind.REEL)
        people.share_post(self._world, self._shop, self._enter(who), media)
        self._did(who, Deed.SHARED_POST, media=media)

    def tap(self, who: str, label: str) -> None:
        """A button or chip that they see, by its label or name; the newest of that label."""
        options = [one for one in self.options(who) if label in (one.label, one.name)]
        if not options:
            raise NotFound(f"There is no button, chip, question or menu item “{label}” for {who}.")
        url = self._tap(self._enter(who), options[0])
        opened = None if url is None else clicking.shown(self._works.conn, url)
        self._did(who, Deed.TAP, options[0].name, opened=opened)
        self._count_click(clicking.token_of(url))

    def click(self, who: str, link: str) -> None:
        """A link that they see, by its name or its address; the newest."""
        conn = self._works.conn
        igsid = self._world.igsid(self._shop, self._someone(who))
        known = contacts.find(conn, self._works.account.id, igsid)
        token = links.newest_seen(conn, known[0], link) if known else None
        if token is None:
            hint = "Name it as the flow file does: by the `name:` of its button, or by its address."
            raise NotFound(f"There is no tracked link “{link}” for {who}.", hint=hint)
        self._enter(who)
        self._did(who, Deed.CLICK, link, opened=links.address_of(conn, token))
        self._count_click(token)

    def _count_click(self, token: str | None) -> None:
        if token is not None:
            self._works.write(partial(clicks.clicked, token=token, now=self.now))

    def _tap(self, person: Person, option: Option) -> str | None:
        """The address that it opened."""
        world, shop, label = self._world, self._account, option.label
        thread = world.thread_with(shop, world.igsid(shop, person))
        if thread is None and label in entrances.questions(shop):
            entrances.tap_ice_breaker(world, shop, person, label)
            return None
        try:
            return people.tap(world, shop, person, label, card_title=option.card).url
        except NotFound:
            return entrances.tap_menu(world, shop, person, label).url

    def react(self, who: str, emoji: str) -> None:
        """To the shop's last message."""
        people.react(self._world, self._shop, self._enter(who), emoji)
        self._did(who, Deed.REACTION, emoji)

    def see(self, who: str) -> None:
        """All that the shop has written to them; does nothing where that is nothing."""
        person = self._enter(who)
        if self.has_conversation(who):
            people.read(self._world, self._shop, person)

    def follow_link(self, who: str, ref: str | None = None) -> None:
        """An ig.me link of the shop. Instagram tells a stranger's with the first thing they do."""
        entrances.open_link(self._world, self._account, self._enter(who), ref)
        self._did(who, Deed.LINK, ref)

    def owner_writes(self, to: str, text: str) -> None:
        """The owner, by hand, from the phone."""
        people.owner_message(self._world, self._shop, self._enter(to), text)
        self._did(to, Deed.OWNER, text)

    def _enter(self, who: str) -> Person:
        person = self._someone(who)
        self._between_acts()
        return person

    def _between_acts(self) -> None:
        if self._last_act == self.now:
            self._works.clock.move_to(self.now + BETWEEN_ACTS)
        self._last_act = self.now

    def _did(
        self,
        who: str,
        deed: Deed,
        text: str | None = None,
        media: Media | None = None,
        opened: str | None = None,
    ) -> None:
        number = None if media is None else self._grid().index(media) + 1
        self._works.log.append(Did(self.now, who, deed, text, number, opened))

    def _someone(self, who: str) -> Person:
        if who not in self._world.people:
            raise NotFound(f"There is nobody called {who}.", hint=f"There are {', '.join(self.people)}.")
        return self._world.people[who]

    def _grid(self) -> tuple[Media, ...]:
        """A number once given stays."""
        shown = self._world.media_of(self._shop, MediaKind.POST, MediaKind.REEL, MediaKind.STORY)
        return tuple(reversed(shown))

    def _post(self, number: int | None, *kinds: MediaKind) -> Media:
        """The one of that number, or the newest."""
        grid = self._grid()
        if number is None:
            return max((media for media in reversed(grid) if media.kind in kinds), key=lambda m: m.created_at)
        if not 1 <= number <= len(grid) or grid[number - 1].kind not in kinds:
            words = " or ".join(kind.value for kind in kinds)
            raise NotFound(f"Number {number} is no {words}.")
        return grid[number - 1]
