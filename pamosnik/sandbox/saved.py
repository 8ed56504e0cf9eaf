"""A world as a file, and back: everything, tokens and secrets included, so the file is its owner's alone (0600).

The file is JSON. What is written is exactly the fields of `things`; reading checks every key and type, so a
file of something else, a damaged one, or one of a newer version is refused before anything is overwritten.
"""

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

from pamosnik.clock import Clock
from pamosnik.errors import HomeError, UsageError
from pamosnik.sandbox import switches, things
from pamosnik.sandbox.behaviour import Behaviour
from pamosnik.sandbox.codec import Unreadable, decode, encode
from pamosnik.sandbox.params import Params
from pamosnik.sandbox.things import Json
from pamosnik.sandbox.world import World

FORMAT: Final = "pamosnik sandbox world"
VERSION: Final = 1
T = TypeVar("T")


class BadWorldFile(HomeError):
    """The file is not a world this version can read."""


def save(world: World, path: Path) -> None:
    """Replaces the file as a whole: a crash leaves the old one or the new one."""
    text = json.dumps(to_json(world), ensure_ascii=False, indent=1) + "\n"
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        raise


def load(path: Path, clock: Clock) -> World:
    """The world of that file under `clock`; `BadWorldFile` when it is none."""
    content = _read(path)
    try:
        return from_json(content, clock)
    except Unreadable as problem:
        raise _refused(path, str(problem)) from problem


def saved_at(path: Path) -> datetime:
    """When that world was saved: where a virtual clock goes on."""
    try:
        return decode(datetime, _read(path).get("saved_at"), "saved_at")
    except Unreadable as problem:
        raise _refused(path, str(problem)) from problem


def to_json(world: World) -> Json:
    return {
        "format": FORMAT,
        "version": VERSION,
        "saved_at": encode(world.clock.now()),
        "next_number": world.next_number,
        "behaviour": encode(world.behaviour),
        "app": encode(world.app),
        "accounts": _values(world.accounts),
        "people": _values(world.people),
        "acquaintances": [list(one) for one in world.acquaintances()],
        "tokens": _values(world.tokens),
        "codes": _values(world.codes),
        "media": _values(world.media),
        "comments": _values(world.comments),
        "threads": _values(world.threads),
        "messages": _values(world.messages),
        "uploads": _values(world.uploads),
        "flows": _values(world.flows),
        "arrivals": {igsid: encode(referral) for igsid, referral in world.arrivals.items()},
    }


def from_json(content: Mapping[str, object], clock: Clock) -> World:
    """Raises `Unreadable` naming the place."""
    world = World(clock)
    world.next_number = decode(int, content.get("next_number"), "next_number")
    world.behaviour = _behaviour(content.get("behaviour"))
    world.app = decode(things.App, content.get("app"), "app")
    for account in _list(content, "accounts", things.Account):
        world.put_account(account)
    for person in _list(content, "people", things.Person):
        world.put_person(person)
    for known in _list(content, "acquaintances", tuple[str, str, str]):
        world.meet(*known)
    world.tokens = {one.value: one for one in _list(content, "tokens", things.Token)}
    world.codes = {one.value: one for one in _list(content, "codes", things.LoginCode)}
    world.media = {one.id: one for one in _list(content, "media", things.Media)}
    for comment in _list(content, "comments", things.Comment):
        world.put_comment(comment)
    for thread in _list(content, "threads", things.Thread):
        world.put_thread(thread)
    world.messages = {one.mid: one for one in _list(content, "messages", things.Message)}
    world.uploads = {one.id: one for one in _list(content, "uploads", things.Upload)}
    world.flows = {one.id: one for one in _list(content, "flows", things.WelcomeFlow)}
    world.arrivals = decode(dict[str, things.Referral], content.get("arrivals"), "arrivals")
    _check_references(world)
    return world


def _behaviour(content: object) -> Behaviour:
    """Types and keys first, then the bounds each switch has."""
    read = decode(Behaviour, content, "behaviour")
    try:
        return switches.changed(read, Params(switches.shown(read)))
    except UsageError as problem:
        raise Unreadable(f"behaviour: {problem.message}") from problem


def _check_references(world: World) -> None:
    """What an edited file may have cut; without this it would fail at some later call."""
    owners = {one.ig_id for one in world.tokens.values()}
    owners |= {one.ig_id for one in world.media.values()} | {one.ig_id for one in world.threads.values()}
    for ig_id in owners - world.accounts.keys():
        raise Unreadable(f"no account {ig_id}")
    for _, username, _ in world.acquaintances():
        if username not in world.people:
            raise Unreadable(f"no person {username}")
    for comment in world.comments.values():
        if comment.media_id not in world.media or (comment.parent_id or comment.id) not in world.comments:
            raise Unreadable(f"comment {comment.id} hangs in the air")
    for thread in world.threads.values():
        if not world.messages.keys() >= set(thread.mids):
            raise Unreadable(f"thread {thread.id} lacks messages")
    if any(message.thread_id not in world.threads for message in world.messages.values()):
        raise Unreadable("a message has no thread")


def _read(path: Path) -> Mapping[str, object]:
    """The content of a file that says it is a world of this version or an older one."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as problem:
        raise _refused(path, f"it is not JSON ({problem})") from problem
    except OSError as problem:
        raise _refused(path, problem.strerror or str(problem)) from problem
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise _refused(path, "it is not the file of a sandbox world")
    version = content.get("version")
    if not isinstance(version, int) or version < 1:
        raise _refused(path, "it names no version")
    if version > VERSION:
        raise _refused(path, f"a newer Pamosnik wrote it: version {version}, this one reads {VERSION}")
    return content


def _refused(path: Path, why: str) -> BadWorldFile:
    return BadWorldFile(
        f"Cannot read the world in {path}: {why}.",
        hint="Nothing was changed. Name another file with --world.",
    )


def _list(content: Mapping[str, object], name: str, kind: type[T]) -> tuple[T, ...]:
    several = content.get(name)
    if not isinstance(several, list):
        raise Unreadable(f"{name} is not a list")
    return tuple(decode(kind, one, f"{name}[{place}]") for place, one in enumerate(several))


def _values(known: Mapping[str, object]) -> list[object]:
    return [encode(one) for one in known.values()]
