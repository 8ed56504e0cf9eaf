"""Promises that hold for any sequence of events, taps, times, applies and disturbances."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conversations.any_sequence import (
    Action,
    Apply,
    Comment,
    Disturb,
    OwnerWrites,
    Pass,
    Story,
    Tap,
    Write,
)
from tests.daemon.fake import Trouble
from tests.daemon.machine import machine
from tests.examples import stories

FLOWS = """
version: 1
disclosure: "A machine writes."
fields: { guests: number, day: date, visits: number }
flows:
  price:
    when: [{ comment: [price, cena] }, { dm: [price, cena] }]
    limits: { per_person: 10m }
    mode: MODE
    do:
      - reply_publicly: { one_of: [Sent!, Look inside!, On its way!], wait_first: 20s to 90s }
      - id: offer
        send:
          text: "Hi {username|there}!"
          buttons:
            - label: Send it
              do:
                - send: "Here you are."
                - wait: { for: 3h, if_window_closed: skip }
                - send: "Any question?"
                - goal: sent
            - { label: Book instead, run: book }
            - label: Show me again
              do:
                - again: offer
                  at_most: 2
  book:
    when: [{ dm: book }, { comment: { words: book, post: next } }]
    limits: { per_person: 5m }
    mode: restart
    do:
      - ask: { question: "For which day?", save_as: day, give_up_after: 20h, if_no_answer: [{ tag: silent }] }
      - id: guests
        ask:
          question: "How many?"
          save_as: guests
          choices: [{ label: "2", do: [{ tag: two }] }, "4", "6"]
          if_not_understood: { say: "A number, please.", tries: 1, then: [{ hand_over: "LOST" }] }
      - choose:
          - { if: { field: { guests: { more_than: 4 } } }, do: [{ send: "Many!" }, { hand_over: { pause: 2h } }] }
          - { if: { field: { guests: { is: 4 } } }, do: [{ send: "Really?" }, { again: guests, at_most: 1 }] }
          - { else: [{ send: "Noted, {guests|some}." }] }
      - goal: booked
  two:
    when: [{ tag_added: two }, { field_set: guests }]
    mode: parallel
    do:
      - add: { visits: 0.1 }
      - split: { tell: { share: 50, do: [{ send: "Visit {visits|0}." }] }, rest: { share: 50 } }
      - untag: two
  talk:
    when: [dm: talk]
    mode: MODE
    do:
      - send: { text: "Shall we?", chips: ["Yes", "No"] }
      - wait_for: { tap: "Yes", up_to: 5h, if_not: [{ wait_for: { answer: any, up_to: 40h } }] }
      - wait_for: { tag: two, up_to: 2h, if_not: [{ send: "Not two." }, stop] }
      - send: "Two."
  hello:
    when: [first_message]
    mode: parallel
    do:
      - send:
          text: "Hello!"
          chips: [{ label: Prices, run: price }, { label: Later, do: [{ wait: 2h }, { send: "Now." }] }]
  other:
    when: [anything_else]
    only_if: [{ has_not_tag: two }]
    limits: { per_person: 1h }
    do:
      - wait: { for: 90s }
      - send: "I read everything."
      - wait: { for: 30h, if_window_closed: skip }
      - send: "Still there?"
"""
FIRST = FLOWS.replace("MODE", "single")
SECOND = FLOWS.replace("MODE", "restart").replace("Here you are.", "Here it is.").replace("20h", "1h")
PEOPLE = st.integers(0, 1)
TROUBLES = st.sampled_from(
    [
        Trouble(500, 2),
        Trouble(500, 2, done=True),
        Trouble(hang_up=True),
        Trouble(hang_up=True, done=True),
        Trouble(400, 100, 2534015),
        Trouble(400, 613),
        Trouble(400, 551),
    ]
)
WORDS = st.sampled_from(
    ["price", "book", "24.12.", "4", "six", "talk", "Yes", "hmm", "STOP", "START", "human", "cena book"]
)
ACTIONS: st.SearchStrategy[Action] = st.one_of(
    st.builds(Comment, PEOPLE, st.sampled_from(["price", "book", "nice"]), st.sampled_from(["m1", "m2"])),
    st.builds(Write, PEOPLE, WORDS),
    st.builds(Tap, PEOPLE, st.integers(0, 3), st.booleans()),
    st.builds(Pass, st.sampled_from([1, 30, 200, 23 * 60, 25 * 60, 7 * 24 * 60 + 1])),
    st.builds(Apply, st.integers(0, 1)),
    st.builds(OwnerWrites, PEOPLE),
    st.builds(Disturb, TROUBLES),
)


@stories(10)
@given(st.lists(ACTIONS, min_size=4, max_size=18))
def test_any_sequence(tmp_path_factory: pytest.TempPathFactory, actions: list[Action]) -> None:
    """No second private reply, nothing outside a window, no run without a future, nobody in two places of a flow."""

    async def play() -> None:
        async with machine(tmp_path_factory.mktemp("shop"), FIRST) as shop:
            story = Story(shop, (FIRST, SECOND))
            for action in actions:
                await story.play(action)
            await story.ends()

    asyncio.run(play())
