"""`flows export`: the normal form back as a file that reads the same, written as a person would."""

import json
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pamosnik._sqlite import Connection
from pamosnik.errors import NotFound
from pamosnik.flows import durations
from pamosnik.flows.as_written import flow_file
from pamosnik.flows.code_files import as_table, parse_codes, read_codes
from pamosnik.flows.formatting import Formatted, formatted
from pamosnik.flows.load import Loaded, load, read_files
from pamosnik.services import flow_export, flows
from pamosnik.services.flow_export import Exported
from pamosnik.store import accounts
from pamosnik.store import codes as code_store
from pamosnik.store.database import Database
from tests.flows.corpus_files import Case, cases
from tests.flows.files import read
from tests.store.rows import NOW, database, meet

EXAMPLE = (Path(__file__).parents[2] / "flows.example.yaml").read_text("utf-8")


def exported(loaded: Loaded) -> str:
    return flow_file([(flow.id, flow.body) for flow in loaded.flows], loaded.settings)


def said(loaded: Loaded) -> str:
    """All that is applied: flows in their order, with their tests, and settings."""
    bodies = [(flow.id, {k: v for k, v in flow.body.items() if k != "was"}) for flow in loaded.flows]
    return json.dumps([bodies, loaded.settings], sort_keys=True)


def check_way_back(loaded: Loaded) -> None:
    before = said(loaded)
    text = exported(loaded)
    again = load([("flows.yaml", text)])
    assert said(again) == before == said(loaded), text
    assert formatted(text, "flows.yaml") == Formatted(text)


VALID = [*cases("valid"), Case("the example", {"flows.example.yaml": EXAMPLE})]


@pytest.mark.parametrize("case", VALID, ids=lambda case: case.title)
def test_every_valid_file_comes_back_as_it_was(case: Case) -> None:
    check_way_back(load(list(case.files.items())))


def test_the_example_looks_as_a_person_would_write_it() -> None:
    """Quotes where the author left them out, and no comment; nothing else."""
    bare = "\n".join(line for line in EXAMPLE.splitlines() if not line.startswith("#")) + "\n"
    other = [
        (ours, theirs)
        for ours, theirs in zip(exported(read(EXAMPLE)).splitlines(), bare.splitlines(), strict=False)
        if ours.replace('"', "") != theirs.replace('"', "")
    ]
    assert other[0] == (
        '      - comment: { words: [price, "how much", "cen*"], but_not: refund }',
        '      - comment: { words: [price, "how much", "cen*"], but_not: [refund] }',
    )


WAYS = """
version: 1
timezone: Europe/Warsaw
fields:
  guests: { type: number, keep_for: 90d }
  day: date
hours:
  open:
    - { days: mon to fri, from: "09:00", to: "17:00" }
    - { days: [sat, sun], from: "10:00", to: "14:00" }
  weekends: { days: [sat, mon] }
  holidays: 2026-12-25
flows:
  a:
    when:
      - dm
      - schedule: { at: "09:00", days: sat to tue, audience: [window_open] }
    only_if:
      - has_tag: x
    limits: { per_person: 24h }
    active: { until: "2026-12-01" }
    do:
      - reply_publicly: { text: "Sent", wait_first: 20s to 90s }
      - send: "yes"
      - send: |
          Two lines
          of text
      - send: " an edge\\n"
      - id: ask
        ask: { question: "How many?", save_as: guests }
      - ask: { question: "When?", save_as: day, accept: text }
      - wait: 3h
      - wait: { for: 26h, if_window_closed: skip }
      - set: { guests: "03" }
      - choose:
          - if: { during: open, outside: holidays }
            do:
              - again: ask
                at_most: 2
          - if: { none: [follows_me, { field: { guests: [1, 2] } }] }
            do:
              - stop
          - if: { follows_me: "true" }
            do:
              - hand_over
          - else:
              - hand_over: "Group of {guests|?}"
    tests:
      - name: talk
        person: { username: ben }
        steps:
          - dm: { text: "hi" }
          - story_mention
          - expect: { dm: any, tag: [x, y] }
"""


def test_short_forms() -> None:
    assert exported(read(WAYS)) == dedent("""\
        version: 1
        timezone: Europe/Warsaw

        fields:
          guests: { type: number, keep_for: 90d }
          day: date

        hours:
          open:
            - { days: mon to fri, from: "09:00", to: "17:00" }
            - { days: [sat, sun], from: "10:00", to: "14:00" }
          weekends: { days: [sat, mon] }
          holidays: 2026-12-25

        flows:
          a:
            when:
              - dm
              - schedule: { at: "09:00", days: sat to tue, audience: window_open }
            only_if:
              - has_tag: x
            limits: { per_person: 24h }
            active: { until: "2026-12-01" }
            do:
              - reply_publicly: { text: Sent, wait_first: 20s to 90s }
              - send: "yes"
              - send: |
                  Two lines
                  of text
              - send: " an edge\\n"
              - id: ask
                ask: { question: "How many?", save_as: guests }
              - ask: { question: "When?", save_as: day, accept: text }
              - wait: 3h
              - wait: { for: 26h, if_window_closed: skip }
              - set: { guests: "03" }
              - choose:
                  - if: { during: open, outside: holidays }
                    do:
                      - again: ask
                        at_most: 2
                  - if: { none: [follows_me, { field: { guests: [1, 2] } }] }
                    do:
                      - stop
                  - if: { follows_me: true }
                    do:
                      - hand_over
                  - else:
                      - hand_over: "Group of {guests|?}"
            tests:
              - name: talk
                person: { username: ben }
                steps:
                  - dm: hi
                  - story_mention
                  - expect: { dm: any, tag: [x, y] }
        """)


# A file with NUL is refused as a whole (`nul`), so nothing of it is ever applied and written back.
READABLE = st.characters(codec="utf-8", exclude_characters="\0")
TEXTS = st.text(READABLE, min_size=1, max_size=40) | st.sampled_from(
    [
        "no",
        "On",
        "~",
        "null",
        "true",
        "03",
        "1e3",
        "0x1f",
        "09:00",
        "a: b",
        "a #b",
        "- a",
        "a\nb",
        "a\n\nb\n",
        "#a\nb",
    ]
)
WORDS = st.sampled_from(["x", "no", "03", "key", "día", "a-b_c"])
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**14), 10**14)
    | st.decimals(-(10**9), 10**9, places=10).map(float)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
TIMES = st.integers(1, 10**7).map(lambda seconds: f"{seconds}s")
DAYS = st.lists(
    st.sampled_from(["mon", "tue to thu", "fri to mon", "sun", "2026-12-24", "tue"]), min_size=1, max_size=5
)
SIMPLE = st.one_of(
    st.builds(lambda one: {"has_tag": one}, WORDS),
    st.sampled_from(["first_time", "window_open", "follows_me", "verified"]),
    st.builds(lambda one: {"follows_me": one}, st.sampled_from(["true", "false", "unknown"])),
    st.sampled_from([{"followers": "unknown"}, {"followers": {"more_than": 5}}, {"first_time": False}]),
    st.builds(lambda one: {"field": {"f": one}}, TEXTS | st.lists(TEXTS, min_size=1, max_size=3)),
    st.builds(lambda how, one: {"field": {"f": {how: one}}}, st.sampled_from(["is_not", "contains"]), TEXTS),
    st.builds(lambda one: {"field": {"f": {"known": one}, "g": {"one_of": ["a"]}}}, st.booleans()),
    st.builds(lambda one: {"text": {"words": [one]}}, TEXTS),
)
CONDITIONS = st.recursive(
    SIMPLE,
    lambda inner: (
        st.builds(
            lambda how, many: {how: many},
            st.sampled_from(["any", "all", "none"]),
            st.lists(inner, min_size=1, max_size=3),
        )
        | st.just({"first_time": True, "followers": {"less_than": 9}, "has_tag": "x"})
    ),
    max_leaves=5,
)
STEPS = st.one_of(
    st.builds(lambda text: {"send": text}, TEXTS),
    st.builds(lambda one, more: {"send": {"one_of": [one, more]}}, TEXTS, TEXTS),
    st.builds(lambda one, two: {"set": {"f": one, "g": two}}, TEXTS, TEXTS),
    st.builds(lambda time: {"wait": {"for": time, "if_window_closed": "skip"}}, TIMES),
    st.builds(lambda json: {"call": {"webhook": "w", "send": {"a": json, "b c": 1}}}, JSON),
    st.builds(lambda tags: {"tag": tags}, st.lists(WORDS, min_size=1, max_size=3)),
    st.builds(
        lambda label: {"send": {"text": "x", "buttons": [label, {"label": "y", "do": ["stop"]}]}}, TEXTS
    ),
    st.builds(
        lambda found: {"choose": [{"if": found, "do": ["stop"]}, {"else": [{"goal": "x"}]}]}, CONDITIONS
    ),
    st.builds(
        lambda share: {"split": {"no": {"share": share}, "b": {"share": 100 - share}}}, st.integers(1, 99)
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=4), DAYS, CONDITIONS, TEXTS)
def test_whatever_a_flow_says_comes_back(
    steps: list[object], days: list[str], only_if: object, title: str
) -> None:
    flow = {
        "title": title,
        "when": [{"schedule": {"at": "09:00", "days": days}}],
        "only_if": only_if,
        "do": steps,
    }
    file = {
        "version": 1,
        "fields": {"f": "text", "g": "text"},
        "facts": {"fact": title},
        "hours": {"h": [{"days": days}, {"days": days[:1], "from": "9:00"}]},
        "webhooks": {"w": "https://shop.example/x"},
        "flows": {"no": flow},
    }
    # JSON is YAML but for a few signs, which the reader refuses.
    loaded = read(json.dumps(file, ensure_ascii=True))
    assume(loaded.flows and "only_if" in loaded.flows[0].body and "?" not in json.dumps(loaded.flows[0].body))
    assume(not any(problem.code in ("empty-text", "empty-word") for problem in loaded.problems))
    check_way_back(loaded)


def test_a_key_of_several_lines_is_written_on_one() -> None:
    """It was written as a block, which no key can be."""
    call = 'call: { webhook: w, send: { "a\\nb": 1, "no": "2" } }'
    text = f'version: 1\nwebhooks: {{ w: "https://x.example" }}\nflows: {{ a: {{ do: [{call}] }} }}\n'
    check_way_back(read(text))


@given(st.integers(0, 10**9))
def test_durations_come_back(seconds: int) -> None:
    assert durations.seconds(durations.written(seconds)) == seconds


@given(
    st.lists(st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=20), unique=True)
)
def test_codes_come_back(codes: list[str]) -> None:
    assert parse_codes(as_table(codes)) == tuple(codes)


SHOP = """
version: 1
fields: { day: date, size: text }
facts: { prices: "https://shop.example/prices", unused: "x" }
codes: { spring: { file: codes/spring.csv }, away: { file: ../away.csv } }
flows:
  gift:
    when: [dm: gift]
    do: [{ give_code: { from: spring, text: "{code}" } }, { ask: { question: "When?", save_as: day } }]
  list:
    when: [{ comment: { words: price, post: next } }]
    limits: { per_person: once }
    do: [{ send: "Look: {prices}" }, ]
"""


def _apply(opened: Database, folder: Path) -> None:
    def apply(conn: Connection) -> None:
        proposal = flows.propose(conn, "a1", read_files([folder]), prune=False)
        assert not proposal.loaded.has_errors, proposal.loaded.problems
        flows.apply(conn, "a1", proposal, note=None, actor="test", now=NOW)

    opened.write(apply)


def _export(opened: Database, *flow_ids: str) -> Exported:
    account = accounts.load(opened.connection, "a1")
    assert account is not None
    return flow_export.export(opened.connection, account, flow_ids)


def _put(found: Exported, folder: Path) -> Path:
    folder.mkdir()
    (folder / "flows.yaml").write_text(found.flows)
    for name, text in found.codes.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_an_export_applied_again_changes_nothing_but_the_path_of_codes_that_lay_elsewhere(
    tmp_path: Path,
) -> None:
    shop = tmp_path / "shop"
    (shop / "codes").mkdir(parents=True)
    (shop / "codes" / "spring.csv").write_text('code\nS-1\nS-2\n"S;3"\n')
    (tmp_path / "away.csv").write_text("A-1\n")
    (shop / "shop.yaml").write_text(SHOP)
    with database(tmp_path) as opened:
        _apply(opened, shop)
        opened.write(lambda conn: code_store.give(conn, meet(conn), "spring", "S-1", NOW))
        found = _export(opened)
        assert found.elsewhere == {"away": "../away.csv"}
        there = _put(found, tmp_path / "export")
        assert read_codes(there / "codes" / "spring.csv") == ("S-2", "S;3")
        proposal = flows.propose(opened.connection, "a1", read_files([there]), prune=False)
        assert {change.kind for change in proposal.plan.changes} == {"unchanged"}
        assert proposal.plan.codes == ()
        assert "S;3" not in repr(found)
        _apply(opened, there)
        assert _export(opened).flows == found.flows
        again = flows.propose(opened.connection, "a1", read_files([there]), prune=True)
        assert again.plan.is_empty


def test_one_flow_comes_with_the_settings_it_names(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    (shop / "codes").mkdir(parents=True)
    (shop / "codes" / "spring.csv").write_text("S-1\n")
    (tmp_path / "away.csv").write_text("A-1\n")
    (shop / "shop.yaml").write_text(SHOP)
    with database(tmp_path) as opened:
        _apply(opened, shop)
        one = _export(opened, "list")
        alone = read(one.flows)
        assert not alone.has_errors
        assert alone.settings == {"facts": {"prices": "https://shop.example/prices"}}
        assert one.codes == {}
        assert set(_export(opened, "gift").codes) == {"codes/spring.csv"}
        there = _put(one, tmp_path / "export")
        assert flows.propose(opened.connection, "a1", read_files([there]), prune=False).plan.is_empty
        with pytest.raises(NotFound, match="There is no flow nobody"):
            _export(opened, "nobody")


def test_flows_that_it_leads_into_are_told_however_far(tmp_path: Path) -> None:
    """The file of one flow alone had errors, and nobody said which flows were missing."""
    shop = tmp_path / "shop.yaml"
    shop.write_text(
        "version: 1\nflows:\n"
        "  a: { when: [dm: a], do: [{ send: { text: x, chips: [{ label: B, run: b }] } }] }\n"
        "  b: { when: [dm: b], do: [{ run: c }] }\n"
        "  c: { do: [{ send: x }] }\n"
    )
    with database(tmp_path) as opened:
        _apply(opened, shop)
        assert _export(opened, "a").leads_to == ("b", "c")
        assert _export(opened, "b", "a").leads_to == ("c",)
        assert _export(opened).leads_to == ()


def test_remarks_say_what_no_key_can(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "shop.yaml").write_text(
        "version: 1\nflows:\n  a:\n    when: [{ comment: { words: x, post: next } }]\n"
        "    limits: { per_person: once }\n    do: [hide_comment]\n"
    )
    with database(tmp_path) as opened:
        _apply(opened, shop)
        opened.write(lambda conn: _remarkable(conn))
        text = _export(opened).flows
        assert "\n# Clock times are those of Europe/Warsaw, the account's time zone.\n" in text
        assert (
            "\n  # Paused since 2026-12-02 12:00, whatever stands here. Try: pamosnik flows resume a\n"
            "  # Rolled back on 2026-12-02 12:00: what stands here is live.\n"
            "  # `next` is the post 179 of @rose.shop.\n"
            "  a:\n"
        ) in text
        assert formatted(text, "flows.yaml") == Formatted(text)


def _remarkable(conn: Connection) -> None:
    at = int(NOW.timestamp() * 1000)
    conn.execute("UPDATE flows SET paused_at=?, rolled_back_at=?", (at, at))
    conn.execute("UPDATE bound_posts SET media_id='179'")
