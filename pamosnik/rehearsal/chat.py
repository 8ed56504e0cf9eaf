"""`pamosnik chat`: talking to flows in the terminal as somebody on Instagram."""

import re
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from io import TextIOWrapper
from pathlib import Path
from zoneinfo import ZoneInfo

from pamosnik import terminal
from pamosnik.errors import PamosnikError, UsageError
from pamosnik.flows.durations import seconds
from pamosnik.flows.load import File, read_files
from pamosnik.flows.problems import render
from pamosnik.model.event import CHANGES, EventKind
from pamosnik.model.run import RunStatus
from pamosnik.rehearsal.happenings import Judged, Option, Post
from pamosnik.rehearsal.play import Play
from pamosnik.rehearsal.screen import Bubbles, Plain, Screen, clean, when

FIRST = "anna"
"""Who you are in the beginning."""

_USERNAME = re.compile(r"[a-z0-9._]{1,30}")
_ON_POST = re.compile(r"(?s)(.*\S)\s+on\s+(?:post\s+|#)?(\S+)\s*")
_NOT_ASKED_ABOUT = CHANGES | {EventKind.ECHO}
"""/why is about what somebody did, not about what came of it."""
_LONGEST_PASS = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Command:
    """A line that begins with a slash."""

    usage: str
    does: str

    @property
    def name(self) -> str:
        return self.usage.split()[0]


COMMANDS: tuple[Command, ...] = (
    Command("/comment TEXT [on POST]", "comment under the newest post, or under the one of that number"),
    Command("/reply TEXT", "reply to your last comment"),
    Command("/story TEXT [on STORY]", "answer the story"),
    Command("/mention", "mention the shop in your own story"),
    Command("/share [POST]", "share one of the shop's posts into the chat"),
    Command("/tap LABEL|NUMBER", "tap a button, chip, opening question or menu item"),
    Command("/click LINK", "click a link of a message, by its name or address"),
    Command("/react EMOJI", "react to the shop's last message"),
    Command("/link [REF]", "open the shop's ig.me link; it is told with what you do next, or at once"),
    Command("/pass [2h]", "let time pass: 30s, 10m, 2h, 3d, 1h30m; alone, until something happens"),
    Command("/as ann [follows|unfollows]", "be somebody else; they are there from then on"),
    Command("/why", "what happened to the last event, and the checks behind it"),
    Command("/tags", "what Pamosnik knows of you: tags, fields, where you stand"),
    Command("/owner TEXT", "the owner writes to you by hand"),
    Command("/posts", "posts, reels and stories with their numbers"),
    Command("/post CAPTION", "the shop publishes a post"),
    Command("/restart", "a fresh world: nothing has happened yet"),
    Command("/reload", "read the flow files again; the conversation goes on"),
    Command("/help", "this list"),
    Command("/quit", "the end; so is Ctrl-D"),
)
_NAMES = tuple(command.name for command in COMMANDS)


class Chat:
    """One conversation: lines in, happenings out. Close it, or use it as a context."""

    def __init__(
        self, paths: Sequence[Path], files: Sequence[File], at: datetime | None, screen: "Maker"
    ) -> None:
        """`files` are what `paths` held; `/reload` reads them again. `at`: in the files' time zone."""
        self._paths = paths
        self._files = files
        self._at = at
        self.who = FIRST
        self._play = Play(files)
        try:
            self._stage = self._play.open(at, next_post=False)
        except BaseException:
            self._play.close()
            raise
        self._changed = False
        self._shown = 0
        self._screen = screen(self._stage.username, self._play.timezone)
        self._event: str | None = None
        self._does: dict[str, Callable[[str], None]] = {
            "/comment": self._comment,
            "/reply": self._reply,
            "/story": self._story,
            "/mention": lambda _: self._stage.mention(self.who),
            "/share": self._share,
            "/tap": self._tap,
            "/click": self._click,
            "/react": self._react,
            "/link": lambda ref: self._stage.follow_link(self.who, ref or None),
            "/pass": self._pass,
            "/as": self._as,
            "/why": lambda _: self._why(),
            "/tags": lambda _: self._tags(),
            "/owner": self._owner,
            "/posts": lambda _: self._posts(),
            "/post": self._post,
            "/restart": lambda _: self._restart(),
            "/reload": lambda _: self._reload(),
            "/help": lambda _: self._help(),
            "/": lambda _: self._help(),
        }

    def __enter__(self) -> "Chat":
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stage.close()
        self._play.close()

    @property
    def prompt(self) -> str:
        return f"{self.who} › "

    def welcome(self) -> None:
        self._screen.note(
            f"You are {self.who} on Instagram, writing with {self._stage.username}."
            f" It is {self._time(self._stage.now)} ({self._play.timezone.key}). /help lists what you can do."
        )

    def enter(self, line: str) -> bool:
        """Does what a line says; False: the end."""
        if not line.strip():
            return True
        name, _, rest = line.strip().partition(" ")
        if name == "/quit":
            return False
        try:
            if not line.startswith("/") or line.startswith("//"):
                self._stage.write(self.who, line.removeprefix("/") if line.startswith("//") else line)
            elif name in self._does:
                self._does[name](rest.strip())
            else:
                raise UsageError(f"There is no {name}.", hint=_did_you_mean(name))
            self._stage.settle()
        except PamosnikError as error:
            self._screen.note(error.message if error.hint is None else f"{error.message} {error.hint}")
        self._show_news()
        return True

    def completions(self, line: str) -> list[str]:
        """Whole lines that this one may become."""
        name, space, rest = line.partition(" ")
        if line.startswith("/") and not space:
            return [f"{known} " for known in _NAMES if known.startswith(name)]
        if name == "/as":
            return [f"/as {who}" for who in self._stage.people if who.startswith(rest)]
        labels = [option.name for option in self._stage.options(self.who)]
        if name == "/tap":
            return [f"/tap {label}" for label in _beginning(labels, rest)]
        return [] if line.startswith("/") else _beginning(labels, line)

    # --- what is seen --------------------------------------------------------------------------------

    def _show_news(self, *, times: bool = False) -> None:
        """What has happened since the last look; with `times` a line before each new instant."""
        news = self._stage.happened[self._shown :]
        self._shown = len(self._stage.happened)
        numbers = self._numbers()
        last: datetime | None = None
        for happening in news:
            if times and happening.at != last:
                last = happening.at
                self._screen.note(f"{self._time(last)}:")
            if isinstance(happening, Judged) and happening.kind not in _NOT_ASKED_ABOUT:
                self._event = happening.event_id
            self._screen.show(happening, self.who, numbers)

    def _numbers(self) -> dict[str, int]:
        """Label → number, unless labels are numbers themselves."""
        options = self._stage.options(self.who)
        return {o.name: n for n, o in enumerate(options, 1) if not _numbered(options)}

    def _time(self, moment: datetime) -> str:
        return when(moment, self._play.timezone)

    # --- what one can do -----------------------------------------------------------------------------

    def _comment(self, text: str) -> None:
        said, post = self._on_post(text, "/comment TEXT [on POST]")
        self._stage.comment(self.who, said, post=post)

    def _reply(self, text: str) -> None:
        self._stage.reply(self.who, _required(text, "/reply TEXT"))

    def _story(self, text: str) -> None:
        said, story = self._on_post(text, "/story TEXT")
        self._stage.answer_story(self.who, said, story=story)

    def _share(self, text: str) -> None:
        self._stage.share(self.who, post=self._number(text) if text else None)

    def _tap(self, label: str) -> None:
        self._stage.tap(self.who, self._option(_required(label, "/tap LABEL or /tap NUMBER")))

    def _click(self, link: str) -> None:
        self._stage.click(self.who, _required(link, "/click LINK"))

    def _react(self, emoji: str) -> None:
        self._stage.react(self.who, _required(emoji, "/react ❤️"))

    def _owner(self, text: str) -> None:
        self._stage.owner_writes(self.who, _required(text, "/owner TEXT"))

    def _post(self, caption: str) -> None:
        self._stage.publish(_required(caption, "/post CAPTION"))
        self._screen.note(f"{self._stage.username} has published post {len(self._stage.posts)}.")

    def _pass(self, written: str) -> None:
        self._stage.pass_time(self._length(written) if written else self._until_something_happens())
        self._show_news(times=True)
        self._screen.note(f"It is {self._time(self._stage.now)}.")

    def _length(self, written: str) -> timedelta:
        found = seconds(written)
        if not found:
            raise UsageError("That is no length of time.", hint="Write it like /pass 30s, 10m, 2h or 3d.")
        if found > _LONGEST_PASS.total_seconds():
            raise UsageError("That is too long.", hint=f"At most {_LONGEST_PASS.days} days at once.")
        return timedelta(seconds=found)

    def _until_something_happens(self) -> timedelta:
        moment = self._stage.next_moment()
        if moment is None:
            raise UsageError("Nothing will happen by itself.", hint="Give a time, like /pass 2h.")
        return moment - self._stage.now

    def _as(self, text: str) -> None:
        name, _, how = text.partition(" ")
        who = name.removeprefix("@").lower()
        if not _USERNAME.fullmatch(who):
            raise UsageError(
                f"“{name}” is no username." if name else "Say who.", hint="Write it like /as ann."
            )
        if how.strip() not in ("", "follows", "unfollows"):
            raise UsageError(f"What is “{how}”?", hint="Write /as ann, /as ann follows or /as ann unfollows.")
        follows = {"follows": True, "unfollows": False}.get(how.strip())
        self._stage.meet(who, follows=follows)
        self.who = who

    def _restart(self) -> None:
        if self._changed:
            fresh = Play(self._files)
            self._stage.close()
            self._play.close()
            self._play, self._changed = fresh, False
        else:
            self._stage.close()
        known = self.who
        self._stage = self._play.open(self._at, next_post=False)
        self._stage.meet(known)
        self._shown, self._event = 0, None
        self._screen.note(f"A fresh world. It is {self._time(self._stage.now)}.")

    def _reload(self) -> None:
        files = read_files(self._paths)
        loaded = self._stage.reload(files)
        for problem in loaded.problems:
            self._screen.say(render(problem, loaded.texts.get(problem.file)))
        if loaded.has_errors:
            self._screen.note("The files have errors; the flows are what they were.")
            return
        self._files, self._changed = files, True
        many = len(loaded.flows)
        self._screen.note(
            f"{many} flow{'s' if many != 1 else ''} read. Whoever is in one goes on in it as it was."
        )

    # --- what one can ask ----------------------------------------------------------------------------

    def _why(self) -> None:
        if self._event is None:
            raise UsageError("Nothing has happened yet.", hint="Write something first.")
        found = self._stage.why(self._event)
        lines = [found.sentence]
        lines += [
            f"  {what}: {result}{f' ({detail})' if detail else ''}" for what, result, detail in found.checks
        ]
        for item in found.sent:
            reason = f" ({item['reason']})" if item["reason"] else ""
            lines.append(f"  → {item['kind']} {item['status']}{reason}")
        lines += [] if found.advice is None else [found.advice]
        for line in lines:
            self._screen.say(line)

    def _tags(self) -> None:
        person, say = self._stage.person(self.who), self._screen.say
        say(f"tags     {', '.join(sorted(person.tags)) or '–'}")
        say(f"fields   {', '.join(f'{name} = {value}' for name, value in person.fields) or '–'}")
        until = person.window_open_until
        open_ = until is not None and until > self._stage.now
        say(f"window   {'open until ' + self._time(until) if until and open_ else 'closed'}")
        if person.paused_until is not None:
            why = "a human has taken over" if person.handed_over else "the owner writes"
            say(f"paused   until {self._time(person.paused_until)}: {why}")
        if person.opted_out:
            say("opted out of messages; START undoes it")
        for run in person.runs[:10]:
            place = f" at {run.step}" if run.step and run.status is RunStatus.WAITING else ""
            say(f"flow     {run.flow}: {run.status.value}{place}")

    def _posts(self) -> None:
        for post in self._stage.posts:
            named = f"   ({', '.join(post.flows)})" if post.flows else ""
            self._screen.say(f"{post.number:>2}  {post.kind:<5}  {post.caption}   {post.link}{named}")

    def _help(self) -> None:
        width = max(len(command.usage) for command in COMMANDS)
        self._screen.say("Anything else is a direct message; so is a label, typed.")
        for command in COMMANDS:
            self._screen.say(f"  {command.usage:<{width}}  {command.does}")

    # --- reading a line ------------------------------------------------------------------------------

    def _on_post(self, text: str, usage: str) -> tuple[str, int | None]:
        """The text, and the post that stands behind ` on `; a number there is always a post's."""
        _required(text, usage)
        found = _ON_POST.fullmatch(text)
        if found is not None:
            number = self._known_post(found[2])
            if number is not None:
                return found[1], number
            if found[2].isdecimal():
                raise _no_post(found[2])
        return text, None

    def _known_post(self, written: str) -> int | None:
        return next((p.number for p in self._stage.posts if _is_named(p, written)), None)

    def _number(self, written: str) -> int:
        number = self._known_post(written.removeprefix("#"))
        if number is None:
            raise _no_post(written)
        return number

    def _option(self, written: str) -> str:
        """A label as it is shown, for a label, its beginning or its number."""
        labels = [option.name for option in self._stage.options(self.who)]
        if not labels:
            raise UsageError("There is nothing to tap yet.")
        same = [label for label in labels if label.casefold() == written.casefold()]
        if same:
            return same[0]
        if written.isascii() and written.isdecimal() and 1 <= int(written[:4]) <= len(labels):
            return labels[int(written) - 1]
        begun = _beginning(labels, written)
        if len(begun) == 1:
            return begun[0]
        raise UsageError(f"There is no button or chip “{written}”.", hint=f"There are: {' · '.join(labels)}")


def _required(text: str, usage: str) -> str:
    if not text:
        raise UsageError("Something is missing.", hint=f"Write it like {usage}.")
    return text


def _no_post(written: str) -> UsageError:
    return UsageError(f"There is no post {written}.", hint="/posts lists them.")


def _is_named(post: Post, written: str) -> bool:
    return written in (str(post.number), post.link, post.link.rstrip("/"))


def _numbered(options: Sequence[Option]) -> bool:
    return any(option.label.strip().isdecimal() for option in options)


def _beginning(labels: Iterable[str], start: str) -> list[str]:
    return [label for label in labels if label.casefold().startswith(start.casefold())]


def _did_you_mean(name: str) -> str:
    near = get_close_matches(name[1:], [known[1:] for known in _NAMES], n=1, cutoff=0.6)
    return f"Did you mean /{near[0]}?" if near else "/help lists what there is."


# --- the terminal ----------------------------------------------------------------------------------------

Maker = Callable[[str, ZoneInfo], Screen]
"""A screen for a shop's name and a time zone."""


def talk(paths: Sequence[Path], files: Sequence[File], at: datetime | None, *, colour: bool) -> None:
    """Until the end of what is typed. On a terminal with a prompt, elsewhere line by line from standard input."""
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, _leave)
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # what this terminal cannot write is no reason to end
    if sys.stdin.isatty() and sys.stdout.isatty():
        _on_a_terminal(paths, files, at, colour=colour)
        return
    with Chat(paths, files, at, Plain) as chat:
        chat.welcome()
        for line in sys.stdin:
            said = line.rstrip("\r\n")
            if said.strip():
                terminal.out(f"{chat.prompt}{clean(said)}")
            going_on = chat.enter(said)
            sys.stdout.flush()
            if not going_on:
                return


def _leave(number: int, _frame: object) -> None:
    """A closed window ends it like Ctrl-D: the stage's files go."""
    raise SystemExit(128 + number)


def _on_a_terminal(
    paths: Sequence[Path], files: Sequence[File], at: datetime | None, *, colour: bool
) -> None:
    bubbles: list[Bubbles] = []

    def screen(shop: str, zone: ZoneInfo) -> Screen:
        if not colour:
            return Plain(shop, zone)
        bubbles.append(Bubbles(shop, zone, terminal.console()))
        return bubbles[0]

    # A background job hands down Ctrl-C as ignored; here somebody sits at the keyboard and must be able to leave.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with Chat(paths, files, at, screen) as chat:
        _complete_and_remember(chat)
        try:
            chat.welcome()
            while True:
                sys.stdout.flush()
                line = input(_prompt(chat.prompt, colour=colour))
                if bubbles:
                    bubbles[0].typed(_rows(chat.prompt + line))
                if not chat.enter(line):
                    break
        except (EOFError, KeyboardInterrupt):
            terminal.out("")


def _complete_and_remember(chat: Chat) -> None:
    """Tab and the arrow keys. Lines are remembered in memory, never on disk: they hold what people would write."""
    try:
        import readline
    except ImportError:  # a Python without it: typing works all the same
        return
    libedit = "libedit" in (readline.__doc__ or "")
    readline.set_completer_delims("")
    readline.set_completer(_Completer(chat))
    readline.parse_and_bind("bind ^I rl_complete" if libedit else "tab: complete")


class _Completer:
    """readline's protocol: asked for the first, second, … completion until None."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._found: list[str] = []

    def __call__(self, text: str, state: int) -> str | None:
        if state == 0:
            self._found = self._chat.completions(text)
        return self._found[state] if state < len(self._found) else None


def _prompt(text: str, *, colour: bool) -> str:
    """readline has to be told which characters take no room."""
    return f"\x01\x1b[1m\x02{text}\x01\x1b[0m\x02" if colour else text


def _rows(typed: str) -> int:
    """How many rows of the terminal the line stands on; 0 when that is not sure."""
    import shutil

    from rich.cells import cell_len

    cells, width = cell_len(clean(typed)), shutil.get_terminal_size().columns
    # Wide characters may leave the last column of a row empty; what was pasted may hold line breaks.
    sure = "\n" not in typed and (cells < width or cells == len(typed))
    return cells // width + 1 if sure else 0
