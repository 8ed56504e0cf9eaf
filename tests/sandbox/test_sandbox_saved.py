"""A world as a file: complete, private, atomic, and refused when it is not one."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pamosnik.clock import VirtualClock
from pamosnik.errors import PamosnikError
from pamosnik.sandbox import business, entrances, people, saved
from pamosnik.sandbox.content import SendMessage
from pamosnik.sandbox.errors import GraphError
from pamosnik.sandbox.main import Sandbox, seed
from pamosnik.sandbox.saved import BadWorldFile
from pamosnik.sandbox.things import (
    Attachment,
    Button,
    ButtonKind,
    Card,
    Chip,
    Content,
    IceBreaker,
    IceBreakers,
    LoginCode,
    MediaKind,
    Menu,
    Person,
    Referral,
    TokenKind,
    WelcomeFlow,
)
from pamosnik.sandbox.world import World

from .shop import Shop

pytestmark = pytest.mark.anyio

START = datetime(2026, 9, 1, 10, 0, tzinfo=UTC)
NAMES = st.sampled_from(["anna", "ben", "chen"])
TEXT = st.text(min_size=1, max_size=20)
Step = Callable[[World], object]


def _account(world: World, first: bool) -> Any:
    accounts = tuple(world.accounts.values())
    return accounts[0] if first else accounts[-1]


def _step(draw: Any) -> Step:
    name, text, first = draw(NAMES), draw(TEXT), draw(st.booleans())
    content = Content(
        text=None if draw(st.booleans()) else text,
        attachments=(Attachment("image", "https://a.example/a.jpg", title=text),),
        cards=(Card(text, buttons=(Button(ButtonKind.POSTBACK, text, text),)),),
        chips=(Chip(text, text),),
    )
    steps: dict[str, Callable[[World, Any, Person], object]] = {
        "message": lambda w, a, p: people.message(w, a, p, text, referral=Referral("ADS", ref=text)),
        "edit": lambda w, a, p: people.edit_message(w, a, p, text),
        "unsend": lambda w, a, p: people.delete_message(w, a, p),
        "comment": lambda w, a, p: people.comment(w, a, p, w.media_of(a, MediaKind.POST)[0], text),
        "reply": lambda w, a, p: people.comment(
            w, a, p, w.media_of(a, MediaKind.POST)[0], text, parent=next(iter(w.comments.values()))
        ),
        "delete": lambda w, a, p: people.delete_comment(w, next(iter(w.comments.values()))),
        "live": lambda w, a, p: people.start_live(w, a),
        "send": lambda w, a, p: business.send(w, a, w.igsid(a, p), SendMessage(content, metadata=text)),
        "private": lambda w, a, p: business.private_reply(w, a, next(iter(w.comments)), Content(text=text)),
        "react": lambda w, a, p: people.react(w, a, p, "❤️"),
        "read": lambda w, a, p: people.read(w, a, p),
        "owner": lambda w, a, p: people.owner_message(w, a, p, text),
        "link": lambda w, a, p: entrances.open_link(w, a, p, "flyer"),
        "boost": lambda w, a, p: w.boost(w.media_of(a, MediaKind.POST)[0], text),
        "upload": lambda w, a, p: business.upload(w, a, "image", "https://a.example/a.jpg"),
        "flow": lambda w, a, p: business.put_flow(w, a, WelcomeFlow(str(w.number()), a.ig_id, text, "[]")),
        "token": lambda w, a, p: w.issue_token(a, TokenKind.SHORT, frozenset({text})),
        "revoke": lambda w, a, p: w.revoke_tokens(a, 460),
        "block": lambda w, a, p: w.put_person(replace(p, blocked=frozenset({a.ig_id}), name=None)),
        "greet": lambda w, a, p: w.put_account(
            replace(
                a,
                ice_breakers=(IceBreakers("default", (IceBreaker(text, text),)),),
                menus=(Menu("default", content.buttons),),
            )
        ),
        "code": lambda w, a, p: w.codes.update(
            {text: LoginCode(text, a.ig_id, "1", "https://a.example", frozenset({text}), w.clock.now())}
        ),
        "behave": lambda w, a, p: setattr(
            w, "behaviour", replace(w.behaviour, limits=False, shared_as="both")
        ),
    }
    chosen = steps[draw(st.sampled_from(sorted(steps)))]
    return lambda world: chosen(world, _account(world, first), world.person_named(name))


@st.composite
def worlds(draw: Any) -> World:
    clock = VirtualClock(START)
    world = World(clock)
    seed(world)
    world.add_account("another_shop", "Another")
    world.add_media(world.account_named("another_shop"), MediaKind.POST, None)
    for _ in range(draw(st.integers(0, 25))):
        clock.move_to(clock.now() + timedelta(microseconds=draw(st.integers(0, 10**11))))
        step = _step(draw)
        try:
            step(world)
        except (PamosnikError, GraphError, StopIteration):
            continue  # what cannot be done in this world changes nothing
    return world


def everything(world: World) -> dict[str, object]:
    return {name: value for name, value in vars(world).items() if name not in ("clock", "_listeners")}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(world=worlds())
def test_loading_what_was_saved_is_identity(world: World, tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    saved.save(world, path)
    again = saved.load(path, world.clock)
    there, here = everything(again), everything(world)
    # lists of ids keep those of deleted comments, which nothing can see
    for lists in ("_comments_on", "_replies_to"):
        there.pop(lists), here.pop(lists)
    assert there == here
    assert saved.to_json(again) == saved.to_json(world)
    for media in world.media.values():
        assert again.comments_on(media) == world.comments_on(media)
    assert saved.saved_at(path) == world.clock.now()


def a_world() -> World:
    world = World(VirtualClock(START))
    seed(world)
    return world


def test_the_file_is_its_owners_alone_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    path.write_text("old")
    path.chmod(0o644)
    saved.save(a_world(), path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["world.json"]


def test_a_failed_save_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    saved.save(a_world(), path)
    before = path.read_bytes()
    broken = a_world()
    broken.uploads["x"] = object()  # type: ignore[assignment]
    with pytest.raises(TypeError):
        saved.save(broken, path)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["world.json"]


def broken(**changes: Any) -> str:
    return json.dumps(saved.to_json(a_world()) | changes)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("{}", "not the file of a sandbox world"),
        ('["a"]', "not the file of a sandbox world"),
        (broken(version=2), "newer Pamosnik wrote it: version 2"),
        (broken(version="x"), "names no version"),
        (broken(accounts={}), "accounts is not a list"),
        (broken(accounts=[{}]), r"accounts\[0\] lacks"),
        (broken(people=[{"username": "x", "name": None, "mood": 1}]), "unknown key 'mood'"),
        (broken(people=[{"username": 7, "name": None}]), "username is not what it has to be"),
        (broken(next_number=True), "next_number"),
        (broken(people=[]), "acquaint|no person|not"),
        (broken(media=[{"id": "1"}]), r"media\[0\] lacks"),
        (broken(accounts=[]), "no account"),
        (broken(app=None), "app is not"),
        (broken(behaviour={"quota_code": "7"}), "quota_code is one of"),
        (broken(behaviour={"text_per_second": 0}), "text_per_second is at least"),
    ],
)
def test_files_that_are_no_world(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "world.json"
    if told.startswith("acquaint"):
        content = json.loads(text)
        content["acquaintances"] = [[content["accounts"][0]["ig_id"], "nobody", "9"]]
        text = json.dumps(content)
    path.write_text(text)
    with pytest.raises(BadWorldFile, match=told) as refused:
        saved.load(path, VirtualClock(START))
    assert str(path) in refused.value.message
    assert path.read_text() == text


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadWorldFile, match=r"nothing\.json"):
        saved.load(tmp_path / "nothing.json", VirtualClock(START))


async def test_a_world_goes_on_in_another_sandbox(shop: Shop, tmp_path: Path) -> None:
    """Tokens, ids and the webhook's configuration hold."""
    await shop.connect()
    igsid = await shop.writes("anna")
    path = tmp_path / "world.json"
    saved.save(shop.sandbox.world, path)
    second = Sandbox()
    await second.start(host="127.0.0.1", port=0, clock=shop.clock, world=saved.load(path, shop.clock))
    assert second.token == shop.sandbox.token
    other = Shop(second, shop.clock, shop.http, shop.receiver)
    assert (await other.send({"id": igsid}, {"text": "Still here"})).status == 200
    assert (await other.heard())[-1]["message"]["text"] == "Still here"
    await second.stop()
