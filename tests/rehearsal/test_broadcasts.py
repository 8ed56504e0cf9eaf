"""Broadcasts as people meet them: the machinery of production, Instagram's rules, a clock that is moved."""

from datetime import timedelta

from pamosnik.rehearsal.happenings import PublicReply, Sent
from pamosnik.rehearsal.play import Play

FLOWS = """\
version: 1
timezone: Europe/Warsaw
disclosure: "A machine writes."
flows:
  hello: { when: [dm: hello], do: [send: "Hi!"] }
  soup:
    title: Soup of the day
    when:
      - schedule: { days: thu, at: "09:00", audience: [has_not_tag: full] }
    do:
      - reply_publicly: { one_of: ["A!", "B!", "C!"] }
      - choose: [{ if: { came_from: dm }, do: [{ tag: strange }] }]
      - ask: { question: "Soup today, {text|dear guest}?", choices: ["Yes", "No"], if_no_answer: [tag: silent] }
      - send: "Noted."
      - wait: { for: 30h, if_window_closed: skip }
      - send: "Was it good?"
      - tag: full
"""


def test_a_broadcast_is_a_conversation_like_any_other() -> None:
    # The play begins on Wednesday, 2 December, at noon.
    with Play([("shop.yaml", FLOWS)]) as play, play.open() as stage:
        anna, ben = stage.people[:2]
        for person in (anna, ben):
            stage.write(person, "hello")
            stage.settle()

        def sent(to: str) -> list[str | None]:
            return [one.text for one in stage.happened if isinstance(one, Sent) and one.to == to]

        stage.pass_time(timedelta(hours=21))
        assert sent(anna) == ["A machine writes.\nHi!", "Soup today, dear guest?"]
        stage.tap(anna, "Yes")
        stage.pass_time(timedelta(days=2))
        # 30 hours later the window is closed again: the last message is passed over, the flow goes on.
        assert sent(anna)[2:] == ["Noted."]
        assert stage.person(anna).tags == {"full"}
        assert stage.person(ben).tags == {"silent"}
        assert not [one for one in stage.happened if isinstance(one, PublicReply)]
        # The next Thursday: nobody's window is open but the one's who has been writing; she is full.
        stage.pass_time(timedelta(days=4))
        stage.write(anna, "hello")
        stage.pass_time(timedelta(days=1))
        assert sent(anna)[3:] == ["Hi!"]


KNOWN = """\
version: 1
timezone: Europe/Warsaw
disclosure: false
flows:
  gate: { when: [dm: gate], do: [choose: [{ if: follows_me, do: [send: "In."] }, { else: [send: "Out."] }]] }
  hello: { when: [dm: hello], do: [send: "Hi!"] }
  offer:
    when: [schedule: { days: thu, at: "09:00", audience: [follows_me: true] }]
    do: [send: "For followers."]
"""


def test_of_an_audience_counts_what_instagram_told_last() -> None:
    with Play([("shop.yaml", KNOWN)]) as play, play.open() as stage:
        for person, follows, text in (("anna", True, "gate"), ("ben", False, "gate"), ("ola", True, "hello")):
            stage.meet(person, follows=follows)
            stage.write(person, text)
            stage.settle()
        stage.pass_time(timedelta(hours=22))
        told = [one.to for one in stage.happened if isinstance(one, Sent) and one.text == "For followers."]
        assert told == ["anna"], "ola was never looked up"
