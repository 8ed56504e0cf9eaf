"""Which ways through the flows no test goes."""

from pamosnik.flows.load import load
from pamosnik.flows.ways import ways
from pamosnik.flows.written_tests import of_files
from pamosnik.rehearsal.play import Play
from pamosnik.rehearsal.testing.coverage import Coverage, coverage
from pamosnik.rehearsal.testing.player import play_all

FLOWS = """\
version: 1
fields: { size: text, note: text }
codes: { gift: { file: gift.csv } }
webhooks: { crm: { url: "https://crm.example/" } }
flows:
  shop:
    when:
      - dm: [shop]
      - dm: [store, shop window]
      - comment: [shop]
      - tag_added: vip
      - schedule: { at: "2026-12-03 09:00" }
    mode: parallel
    do:
      - send:
          text: "Tap"
          buttons:
            - { label: Sizes, run: sizes }
            - { label: Hats, do: [{ send: Hats. }] }
          chips:
            - { label: Call, do: [{ run: calls }] }
            - Nothing
  sizes:
    do:
      - ask:
          question: "Which size?"
          save_as: size
          choices: [S, { label: M, do: [{ send: Good. }] }, { label: L, run: notes }]
          if_not_understood: { tries: 1, then: [{ send: Hm. }] }
          if_no_answer: [{ send: Bye. }]
      - choose:
          - if: { field: { size: S } }
            do: [{ send: Small. }]
          - if: { field: { size: M } }
            do: [{ send: Medium. }]
          - else: [{ send: None. }]
  notes:
    do:
      - wait_for: { answer: any, up_to: 1h, if_not: [{ send: Nothing. }] }
      - give_code: { from: gift, text: "{code}", if_empty: [{ send: Empty. }] }
      - split:
          one: { share: 50, do: [{ send: One. }] }
          two: { share: 50, do: [{ send: Two. }] }
  calls:
    do:
      - call: { webhook: crm, if_it_fails: [{ send: Down. }] }
      - tag: vip
"""


def covered(*tests: str) -> Coverage:
    """By conversations, each in one line."""
    written = [f"  - steps: [{steps}]" for steps in tests]
    text = "\n".join([f"{FLOWS}tests:", *written, ""]) if tests else FLOWS
    loaded = load([("a.yaml", text)])
    assert not loaded.has_errors, loaded.problems
    with Play((), loaded=loaded) as play:
        results = list(play_all(play, of_files(loaded)))
    assert [result.failures for result in results] == [()] * len(tests)
    return coverage(ways(loaded), [walk for result in results for walk in result.walks])


def missed(*tests: str) -> list[tuple[int, str]]:
    return [(way.line, way.what) for way in covered(*tests).missed]


ALL = [
    (8, "started by dm"),
    (9, "started by dm"),
    (10, "started by comment"),
    (11, "started by tag_added"),
    (12, "started by schedule"),
    (18, "button “Sizes”"),
    (19, "button “Hats”"),
    (21, "chip “Call”"),
    (23, "started by another flow"),
    (28, "choice “M”"),
    (28, "choice “L”"),
    (30, "if_no_answer of ask"),
    (29, "if_not_understood of ask"),
    (32, "if of choose, way 1"),
    (34, "if of choose, way 2"),
    (36, "else of choose, way 3"),
    (37, "started by another flow"),
    (39, "if_not of wait_for"),
    (40, "if_empty of give_code"),
    (42, "way “one” of split"),
    (43, "way “two” of split"),
    (44, "started by another flow"),
    (46, "if_it_fails of call"),
]


def test_without_a_test_none_is_gone() -> None:
    assert missed() == ALL


def test_each_trigger_for_itself() -> None:
    gone = {(8, "started by dm")}
    assert missed("{ dm: shop }") == [way for way in ALL if way not in gone]
    assert (9, "started by dm") not in missed("{ dm: store }")
    assert (10, "started by comment") not in missed("{ comment: shop }")
    assert (12, "started by schedule") not in missed("{ dm: hello }, { pass: 21h }")


def test_all_but_the_one_that_cannot_be() -> None:
    """Made-up codes do not run out here."""
    found = missed(
        "{ dm: shop }, { tap: Sizes }, { tap: S }, { tap: Hats }",
        "{ dm: store }, { tap: Sizes }, { tap: M }",
        "{ comment: shop }, { tap: Sizes }, { tap: L }, { dm: hello }",
        "{ dm: shop }, { tap: Sizes }, { dm: XXL }, { dm: XXL }",
        "{ dm: shop }, { tap: Sizes }, { pass: 1d }",
        "{ dm: shop }, { tap: Sizes }, { tap: L }, { pass: 1h }",
        "{ person: { username: ben } }, { dm: shop }, { tap: Sizes }, { tap: L }, { dm: hello }",
        "{ person: { username: cleo } }, { dm: shop }, { tap: Sizes }, { tap: L }, { dm: hello }",
        "{ webhook_says: { status: 404 } }, { dm: shop }, { tap: Call }",
        "{ dm: hello }, { pass: 21h }",
    )
    assert found == [(40, "if_empty of give_code")]


def test_a_button_that_was_only_shown_is_no_way_gone() -> None:
    assert (19, "button “Hats”") in missed("{ dm: shop }, { expect: { dm: any } }")
