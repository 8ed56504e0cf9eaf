"""What was recorded by the machinery of production, replayed with other flows."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from pamosnik._sqlite import Connection
from pamosnik.instagram import limits
from pamosnik.model.event import EventKind, Incoming, Verdict
from pamosnik.rehearsal.play import Play
from pamosnik.rehearsal.replay import record, report, running
from pamosnik.rehearsal.replay.comparing import Fate
from pamosnik.rehearsal.replay.deeds import Deed
from pamosnik.rehearsal.replay.played import Peak, peak
from pamosnik.rehearsal.replay.report import Replay
from pamosnik.rehearsal.stage import Stage
from pamosnik.services import answering, connecting, flows, intake
from pamosnik.services.connecting import Found
from pamosnik.store import inbox

SHOP = """\
version: 1
timezone: Europe/Warsaw
disclosure: false
fields: { nick: text }
flows:
  price:
    when: [{ comment: [cennik, price] }]
    do:
      - reply_publicly: { one_of: ["Look!", "Sent!", "See your messages!"] }
      - send:
          text: "The price list?"
          buttons:
            - { label: "Send it to me", do: [{ send: "Here: 100" }, { tag: asked }] }
            - { label: "Not now", do: [{ send: "Any time." }] }
  hello:
    when: [{ dm: hello }]
    do:
      - ask: { question: "Your name?", save_as: nick }
      - send: "Hi {nick|you}!"
      - wait: 2h
      - send: "Still there?"
  rest:
    when: [anything_else]
    do: [{ send: "A human answers soon." }]
"""


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """Anna asks for prices, Ben chats, Ola comments and leaves."""
    with Play([("shop.yaml", SHOP)]) as play, play.open() as stage:
        anna, ben, ola = "anna", "ben", "ola"
        for who in (anna, ben, ola):
            stage.meet(who)

        def then(act: Callable[..., None], *what: str, **passes: float) -> None:
            act(*what)
            stage.settle()
            stage.pass_time(timedelta(**passes))

        then(stage.comment, anna, "cennik?", minutes=5)
        then(stage.tap, anna, "Send it to me", minutes=5)
        then(stage.write, ben, "hello", minutes=1)
        then(stage.write, ben, "Benny", hours=3)
        then(stage.write, ben, "what?", minutes=1)
        then(stage.owner_writes, ben, "I am here", minutes=1)
        then(stage.write, ben, "thanks", minutes=1)
        then(stage.comment, ola, "the price please", hours=1)
        yield stage


def replayed(stage: Stage, files: str, *, prune: bool = True, long: timedelta = timedelta(days=1)) -> Replay:
    works = stage._works
    home, account_id = works.database, works.account.id
    proposal = flows.propose(home.connection, account_id, [("new.yaml", files)], prune=prune, made_up=True)
    assert not proposal.loaded.has_errors, proposal.loaded.problems
    read = record.read(home, account_id, stage.now - long, stage.now, tracks_links=True)
    return running.run(read, proposal, lambda: None)


def told(replay: Replay) -> str:
    return "\n".join(report.lines(replay, width=100, everybody=False))


def changes(replay: Replay) -> list[tuple[str | None, str | None]]:
    def text(deed: Deed | None) -> str | None:
        return None if deed is None else deed.text

    return [(text(c.before), text(c.after)) for one in replay.found.different for c in one.changes]


def test_the_applied_flows_against_themselves_differ_in_nothing(stage: Stage) -> None:
    replay = replayed(stage, SHOP)
    assert replay.found.is_empty
    assert not replay.found.unsent
    assert "Nobody would get anything else." in told(replay)


def test_the_applied_flows_come_to_the_verdicts_that_were_recorded(stage: Stage) -> None:
    replay = replayed(stage, SHOP)
    verdicts = [one.event.incoming.verdict for one in replay.record.events]
    assert verdicts == [
        Verdict.STARTED,
        Verdict.RESUMED,
        Verdict.STARTED,
        Verdict.RESUMED,
        Verdict.STARTED,
        Verdict.NOTED,
        Verdict.PAUSED,
        Verdict.STARTED,
    ]
    assert replay.found.as_then == replay.found.events == len(verdicts)


def test_another_text_reaches_whoever_got_the_old_one(stage: Stage) -> None:
    replay = replayed(stage, SHOP.replace("Here: 100", "Here: 120"))
    assert changes(replay) == [("Here: 100", "Here: 120")]
    assert not replay.found.shifts


def test_a_keyword_that_is_gone_took_comments_that_nothing_takes_now(stage: Stage) -> None:
    replay = replayed(stage, SHOP.replace("[cennik, price]", "[price]"))
    assert [tapped.label for tapped in replay.found.taps] == ["Send it to me"], "nobody was shown that button"
    [stopped] = replay.found.shifts
    assert (stopped.fate, stopped.kinds, stopped.texts) == (Fate.STOPPED, {"comment": 1}, ("cennik?",))
    assert (
        "price: the keyword “cennik” in comments took 1 comment of 1 person; nothing would take them"
        in told(replay)
    )


def test_a_tap_on_a_button_that_is_gone_would_find_nothing(stage: Stage) -> None:
    without = '            - { label: "Send it to me", do: [{ send: "Here: 100" }, { tag: asked }] }\n'
    replay = replayed(stage, SHOP.replace(without, ""))
    [tapped] = replay.found.taps
    assert (tapped.label, tapped.flow, tapped.instead, tapped.taps) == ("Send it to me", "price", None, 1)
    assert ("Here: 100", None) in changes(replay)
    assert ("tag", "asked") in [held for one in replay.found.different for held in one.lost]
    assert "“Send it to me” of price: 1 tap (@anna)" in told(replay)


def test_a_button_of_another_name_in_the_same_place_is_tapped_all_the_same(stage: Stage) -> None:
    replay = replayed(stage, SHOP.replace('"Send it to me"', '"Mail it"'))
    [tapped] = replay.found.taps
    assert (tapped.label, tapped.instead) == ("Send it to me", "Mail it")
    assert not any(one.lost for one in replay.found.different), "the tag is given as before"
    assert {
        change.before.text for one in replay.found.different for change in one.changes if change.before
    } == {"The price list?"}


def test_buttons_that_change_places_are_tapped_by_their_label(stage: Stage) -> None:
    first, second = (line for line in SHOP.splitlines() if "{ label:" in line)
    swapped = SHOP.replace(first, "X").replace(second, first).replace("X", second)
    replay = replayed(stage, swapped)
    assert not replay.found.taps
    assert not any(one.lost for one in replay.found.different)


def test_a_shorter_wait_brings_the_same_message_earlier(stage: Stage) -> None:
    replay = replayed(stage, SHOP.replace("wait: 2h", "wait: 1h"))
    [different] = replay.found.different
    assert [change.later for change in different.changes] == [timedelta(hours=-1)]
    assert "~ 1 h earlier: Still there?" in told(replay)


def test_a_flow_of_another_name_is_the_same_flow(stage: Stage) -> None:
    replay = replayed(stage, SHOP.replace("  price:\n", "  prices:\n    was: price\n"))
    assert replay.found.is_empty


def test_a_new_limit_leaves_the_second_time_unanswered() -> None:
    with Play([("shop.yaml", SHOP)]) as play, play.open() as stage:
        stage.meet("anna")
        for _ in range(3):
            stage.comment("anna", "price?")
            stage.settle()
            stage.pass_time(timedelta(minutes=1))
        new = SHOP.replace("    when: [{ comment", "    limits: { per_person: once }\n    when: [{ comment")
        replay = replayed(stage, new)
        [stopped] = replay.found.shifts
        assert (stopped.fate, stopped.events, stopped.people) == (Fate.STOPPED, 2, 1)
        assert stopped.after.verdict is Verdict.FILTERED
        assert "price steps aside: " in told(replay)


def test_what_is_new_is_told_with_what_people_said(stage: Stage) -> None:
    new = SHOP.replace(
        "flows:\n", 'flows:\n  polite:\n    when: [{ dm: what }]\n    do: [{ send: "Pardon?" }]\n'
    )
    replay = replayed(stage, new, prune=False)
    [moved] = replay.found.shifts
    assert (moved.fate, moved.before.flow, moved.after.flow) == (Fate.MOVED, "rest", "polite")
    assert changes(replay) == [("A human answers soon.", "Pardon?")]


def test_what_stays_applied_goes_on_answering_unless_it_is_pruned(stage: Stage) -> None:
    only_price = SHOP[: SHOP.index("  hello:")]
    assert replayed(stage, only_price, prune=False).found.is_empty
    stopped = replayed(stage, only_price, prune=True).found.shifts
    assert {shift.before.flow for shift in stopped} == {"hello", "rest"}
    assert {shift.fate for shift in stopped} == {Fate.STOPPED}


def test_nothing_of_the_home_is_changed(stage: Stage) -> None:
    home = stage._works.database
    before = home.path.read_bytes(), home.wal_bytes(), home.connection.total_changes
    replayed(stage, SHOP.replace("Here: 100", "Here: 120"))
    assert (home.path.read_bytes(), home.wal_bytes(), home.connection.total_changes) == before
    assert not home.connection.in_transaction


def test_nobody_has_done_anything() -> None:
    with Play([("shop.yaml", SHOP)]) as play, play.open() as stage:
        replay = replayed(stage, SHOP.replace("100", "120"))
        assert told(replay) == "Replay: no events are recorded yet, so there is nothing to replay."
        narrow = list(report.lines(replay, width=60, everybody=False))
        assert narrow == ["Replay: no events are recorded yet, so there is nothing to", "  replay."]


def test_what_belongs_to_conversations_from_before_is_left_out(stage: Stage) -> None:
    """Where they stood then nobody knows, and they go on as they began."""
    begins = stage.now - next(
        one.event.received_at
        for one in replayed(stage, SHOP).record.events
        if one.event.incoming.title == "Send it to me"
    )
    replay = replayed(stage, SHOP.replace("Here: 100", "Here: 120"), long=begins)
    assert replay.found.is_empty
    assert "Left out: 1 answer in conversations begun earlier" in told(replay)


PAUSES = """\
version: 1
disclosure: false
fields: { nick: text }
flows:
  group:
    when: [{ dm: group }]
    do: [{ hand_over: { note: a group, pause: 12h } }]
  nick:
    when: [{ dm: nick }]
    do: [{ ask: { question: "Nick?", save_as: nick } }, { hand_over: { note: a nick, pause: 12h } }]
  price:
    when: [{ dm: price }]
    do: [{ send: "100" }]
"""


def test_a_human_who_has_taken_over_before_keeps_flows_from_answering() -> None:
    """The pause is no part of the record, but the verdicts are; what comes after it is played."""
    with Play([("shop.yaml", PAUSES)]) as play, play.open() as stage:

        def write(who: str, text: str, **passes: float) -> None:
            stage.write(who, text)
            stage.settle()
            stage.pass_time(timedelta(**(passes or {"minutes": 1})))

        write("anna", "group")
        write("ben", "nick")
        stage.meet("ola")
        stage.meet("eve")
        stage.owner_writes("ola", "I am here")
        stage.settle()
        stage.pass_time(timedelta(minutes=1))
        begins = stage.now
        write("ben", "Benny")
        for who in ("anna", "ben", "ola"):
            write(who, "price")
        write("eve", "human")
        write("eve", "price", hours=13)
        write("anna", "price")
        replay = replayed(stage, PAUSES.replace('"100"', '"120"'), long=stage.now - begins)
        assert changes(replay) == [("100", "120")], "Anna's second one"
        assert replay.found.as_then == replay.found.events == 3, "Eve asked within the record"
        assert replay.record.begun_before == (1, 3)
        assert "Left out: 3 events in pauses that were begun earlier." in told(replay)


def test_answers_of_one_flow_that_nothing_takes_stand_on_one_line() -> None:
    """Each had its own reason then, and would have its own time now."""
    shop = """\
version: 1
disclosure: false
fields: { nick: text }
flows:
  hello:
    when: [{ dm: hello }]
    do: [{ ask: { question: "Nick?", save_as: nick } }]
  rest:
    when: [anything_else]
    limits: { per_person: 6h }
    do: [{ send: "A human answers soon." }]
"""
    with Play([("shop.yaml", shop)]) as play, play.open() as stage:
        for who in ("anna", "ben"):
            for text in ("hello", "Nicky"):
                stage.write(who, text)
                stage.settle()
                stage.pass_time(timedelta(minutes=1))
        replay = replayed(stage, shop.replace("{ dm: hello }", "{ dm: hi }"))
        said = told(replay).splitlines()
        assert (
            "  hello → rest: 2 messages of 2 people, not by the keyword “hello” in messages but by the trigger"
            in said
        )
        assert sum("hello: an answer or tap took 2 messages of 2 people" in line for line in said) == 1
        assert "(of the newest)" in " ".join(said)


def test_people_to_whom_the_same_is_said_by_their_names_stand_together() -> None:
    """By first names each stood alone, and so did each who was handed over: the mail names them by their ids."""
    shop = PAUSES.replace("100", "100, {first_name|you}")
    with Play([("shop.yaml", shop)]) as play, play.open() as stage:
        for who in ("anna", "ben"):
            for text in ("price", "group"):
                stage.write(who, text)
                stage.settle()
                stage.pass_time(timedelta(minutes=1))
        new = shop.replace("100, ", "120, ").replace("a group", "some")
        replay = replayed(stage, new)
        assert len(changes(replay)) == 4
        assert "message “price”  @ben, @anna" in told(replay) or "message “price”  @anna, @ben" in told(
            replay
        )


def test_a_replay_is_the_same_twice(stage: Stage) -> None:
    new = SHOP.replace("Look!", "Thanks!").replace("wait: 2h", "wait: 1h")
    assert told(replayed(stage, new)) == told(replayed(stage, new))


def test_the_same_words_to_another_comment_are_no_late_answer_to_the_first() -> None:
    with Play([("shop.yaml", SHOP)]) as play, play.open() as stage:
        stage.meet("anna")
        for text in ("cennik", "price"):
            stage.comment("anna", text)
            stage.settle()
            stage.pass_time(timedelta(days=2))
        replay = replayed(stage, SHOP.replace("[cennik, price]", "[price]"), long=timedelta(days=5))
        [different] = replay.found.different
        assert [change.later for change in different.changes] == [None, None]
        assert {change.after for change in different.changes} == {None}


def test_who_takes_messages_again_takes_them_in_a_replay() -> None:
    with Play([("shop.yaml", SHOP)]) as play, play.open() as stage:
        for text in ("STOP", "hello", "START", "hello"):
            stage.write("anna", text)
            stage.settle()
            stage.pass_time(timedelta(minutes=1))
        replay = replayed(stage, SHOP.replace("Your name?", "Who are you?"))
        assert replay.found.as_then == replay.found.events == 4
        assert changes(replay) == [("Your name?", "Who are you?")]


def test_flows_that_change_places_answer_in_the_new_order() -> None:
    head, first, second = (
        "version: 1\ndisclosure: false\nfacts: { prices: cheap }\nflows:\n",
        '  one: { when: [{ dm: price }], do: [{ send: "One: {prices}." }] }\n',
        '  two: { when: [{ dm: list }], do: [{ send: "Two." }] }\n',
    )
    with Play([("shop.yaml", head + first + second)]) as play, play.open() as stage:
        stage.write("anna", "price list")
        stage.settle()
        replay = replayed(stage, head + second + first)
        assert changes(replay) == [("One: cheap.", "Two.")]
        assert [shift.fate for shift in replay.found.shifts] == [Fate.MOVED]
        assert changes(replayed(stage, head.replace("cheap", "dear") + first + second)) == [
            ("One: cheap.", "One: dear.")
        ]


def test_comments_under_posts_that_nobody_has_looked_up_are_told(stage: Stage) -> None:
    post = "https://www.instagram.com/p/NeverSeen1/"
    new = SHOP.replace("comment: [cennik, price]", f"comment: {{ words: [cennik, price], post: {post} }}")
    replay = replayed(stage, new)
    assert replay.found.unknown_posts == 2
    assert "2 comments may stand under posts that flows name" in told(replay)


def test_more_than_fits_into_memory_is_refused_with_what_would_fit(stage: Stage) -> None:
    works, until = stage._works, stage.now
    since = until - timedelta(days=1)
    with pytest.raises(record.TooLong) as refused:
        record.read(works.database, works.account.id, since, until, tracks_links=False, most=5)
    assert refused.value.events > 5
    assert timedelta() < refused.value.fits < timedelta(hours=12)
    assert not works.conn.in_transaction


def test_what_people_write_commands_no_terminal() -> None:
    with Play([("shop.yaml", SHOP)]) as play, play.open() as stage:
        stage.write("anna", "oh \x1b[2J\x07 no")
        stage.settle()
        said = told(replayed(stage, SHOP.replace("A human answers soon.", "Soon.")))
        assert "message “oh [2J" in said
        assert not {"\x1b", "\x07"} & set(said)


EVERYTHING = """\
version: 1
timezone: Europe/Warsaw
disclosure: false
fields: { vip: text }
codes: { spring: { file: spring.csv } }
webhooks: { crm: { url: "https://crm.example/ask" } }
flows:
  code:
    when: [{ dm: code }]
    do:
      - give_code: { from: spring, text: "Yours: {code}", if_empty: [{ send: "Gone." }] }
  gate:
    when: [{ dm: gate }]
    do:
      - choose: [{ if: follows_me, do: [{ send: "In, {name|you}." }] }, { else: [{ send: "Out." }] }]
  ask:
    when: [{ dm: ask }]
    do:
      - call: { webhook: crm, save: { vip: vip }, if_it_fails: [{ send: "No answer." }, stop] }
      - send: "VIP: {vip|?}"
      - notify_me: "One asked."
  shop:
    when: [{ dm: shop }]
    do:
      - send: { text: "Here.", buttons: [{ label: Open, url: "https://shop.example/new", name: shop }] }
      - wait_for: { click: shop, up_to: 2h, if_not: [{ send: "Not yet?" }, stop] }
      - send: "Do you like it?"
      - wait_for: { answer: any, up_to: 2h, if_not: [{ hand_over: "liked it?" }] }
  forget:
    when: [{ dm: forget }]
    do: [forget_me, { send: "Kept." }]
  soup:
    when: [{ schedule: { days: thu, at: "09:00" } }]
    do: [{ send: "Soup today." }]
"""


@pytest.fixture(scope="module")
def busy() -> Iterator[Stage]:
    """People of whom all sorts of things outside are asked."""
    with Play([("shop.yaml", EVERYTHING)]) as play, play.open() as stage:
        stage.meet("anna", name="Anna", follows=True)
        stage.meet("ben", follows=False)
        stage.webhook_says(200, {"vip": "gold"})
        for who in ("anna", "ben"):
            for text in ("code", "gate", "ask", "shop"):
                stage.write(who, text)
                stage.settle()
                stage.pass_time(timedelta(minutes=1))
        stage.click("anna", "shop")
        stage.pass_time(timedelta(hours=6))
        stage.write("ben", "forget")
        stage.settle()
        stage.pass_time(timedelta(minutes=1))
        stage.write("ben", "Yes")
        stage.settle()
        stage.pass_time(timedelta(days=2))
        yield stage


def test_what_is_asked_outside_is_as_it_was_told_then(busy: Stage) -> None:
    """Answers of services, profiles, clicks; of a person who was forgotten nothing is left."""
    replay = replayed(busy, EVERYTHING, long=timedelta(days=4))
    assert replay.found.is_empty
    assert replay.found.people == 1
    assert replay.found.as_then == replay.found.events == 4


def test_every_way_of_reaching_people_is_replayed(busy: Stage) -> None:
    """Codes, profiles, calls, clicks, broadcasts, mails: each with another text."""
    others = {
        "Yours:": "Take",
        "In, ": "Come in, ",
        "VIP:": "Rank:",
        "One asked": "Somebody asked",
        "Do you like it?": "Good?",
        "Soup today": "Soup now",
    }
    new = EVERYTHING
    for text, other in others.items():
        new = new.replace(text, other)
    assert changes(replayed(busy, new, long=timedelta(days=4))) == [
        ("Yours: (code)", "Take (code)"),
        ("In, Anna.", "Come in, Anna."),
        ("One asked.", "Somebody asked."),
        ("VIP: gold", "Rank: gold"),
        ("Do you like it?", "Good?"),
        ("Soup today.", "Soup now."),
    ]


def test_a_connection_that_a_flow_is_not_for_any_more() -> None:
    with Play([("shop.yaml", SHOP)]) as play, play.open() as stage:
        works = stage._works
        stage.comment("anna", "price?")
        stage.settle()

        def second_shop(conn: Connection) -> None:
            found = Found("token", "4711", None, "second_shop", ())
            connecting.keep(conn, play._keys, works.account.id, found, stage.now)
            comment = Incoming(
                ig_id="4711",
                key="c:9",
                kind=EventKind.COMMENT,
                igsid="77",
                username="ben",
                text="price?",
                comment_id="9",
                media_id="1",
            )
            intake.store(conn, [comment], stage.now)
            [event_id] = inbox.pending(conn, 2)
            answering.take_event(conn, works.library, event_id, stage.now)

        works.write(second_shop)
        new = SHOP.replace("    when: [{ comment", "    connections: [your_shop]\n    when: [{ comment")
        replay = replayed(stage, new)
        [stopped] = replay.found.shifts
        assert (stopped.fate, stopped.events) == (Fate.STOPPED, 1)
        [different] = replay.found.different
        assert replay.record.names[different.who] == "@ben"
        before, after = replay.found.private_replies[different.who[0]]
        assert (before.wanted.count, after.wanted.count) == (1, 0)
        assert "@ben at @second_shop" in told(replay)
        assert "@second_shop  0, before: 1 from" in told(replay)


def test_a_rush_waits_for_the_next_hour() -> None:
    """Ten more comments than Meta lets be answered within an hour; a new flow that takes half of them waits for
    nothing."""
    many = limits.PRIVATE_REPLIES_PER_HOUR + 10
    with Play([("shop.yaml", SHOP)]) as play, play.open() as stage:
        works, begins = stage._works, stage.now

        def rush(conn: Connection) -> None:
            for n in range(many):
                comment = Incoming(
                    ig_id=works.shop.ig_id,
                    key=f"c:{n}",
                    kind=EventKind.COMMENT,
                    igsid=f"77{n}",
                    text="price" if n % 2 else "cennik",
                    comment_id=f"9{n}",
                    media_id="1",
                )
                intake.store(conn, [comment], begins + timedelta(seconds=4 * n))

        works.write(rush)
        works.clock.move_to(begins + timedelta(hours=1))
        replay = replayed(stage, SHOP.replace("[cennik, price]", "[price]"))
        [(before, after)] = replay.found.private_replies.values()
        assert (before.wanted.count, after.wanted.count) == (many, many // 2)
        assert before.longest_wait > timedelta(minutes=5)
        assert after.longest_wait == timedelta()


@pytest.mark.parametrize(
    ("minutes", "count", "begins"), [([], 0, None), ([0, 59, 60, 61], 3, 59), ([0, 0, 90, 100], 2, 0)]
)
def test_the_busiest_hour(minutes: list[int], count: int, begins: int | None) -> None:
    start = datetime(2026, 12, 1, tzinfo=UTC)
    found = peak([start + timedelta(minutes=n) for n in minutes])
    assert found == Peak(count, None if begins is None else start + timedelta(minutes=begins))
