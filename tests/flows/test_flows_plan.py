"""What a plan says would change, from the files and what is applied alone."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from pamosnik.flows.comparison import compared, flow_lines
from pamosnik.flows.compile import version_of
from pamosnik.flows.load import Loaded, load
from pamosnik.flows.normal import Raw
from pamosnik.flows.order import merged, moves
from pamosnik.flows.plan import Applied, ChangeKind, Plan, plan
from pamosnik.flows.plan_lines import LINES_SHOWN, lines, summary
from pamosnik.flows.settings_changes import setting_changes
from pamosnik.flows.standing import Standing, in_short, step_at, what_happens
from pamosnik.model.run import WaitKind
from tests.flows.corpus_files import cases
from tests.flows.files import read


def _applied(loaded: Loaded) -> Mapping[str, Applied]:
    return {
        flow.id: Applied(version_of(flow.body), str(flow.body.get("title", flow.id)), flow.body)
        for flow in loaded.flows
    }


def _plan(before: str, after: str, *, prune: bool = False, **in_flight: int) -> Plan:
    old, new = read(f"version: 1\n{before}\n"), read(f"version: 1\n{after}\n")
    assert not old.has_errors
    assert not new.has_errors
    return plan(new, _applied(old), applied_settings=old.settings, in_flight=in_flight, prune=prune)


def _said(told: Plan) -> list[str]:
    return [said.text for said in lines(told)]


# --- flows -----------------------------------------------------------------------------------------------


def test_a_plan_tells_what_would_change() -> None:
    told = _plan(
        "flows: { same: { do: [stop] }, other: { do: [{ tag: a }] }, gone: { do: [stop] } }",
        "flows: { same: { do: [stop] }, other: { do: [{ tag: b }] }, new: { do: [stop] } }",
        same=2,
        other=3,
    )
    assert {change.flow_id: (change.kind, change.people) for change in told.changes} == {
        "same": (ChangeKind.UNCHANGED, 2),
        "other": (ChangeKind.CHANGED, 3),
        "new": (ChangeKind.ADDED, 0),
        "gone": (ChangeKind.KEPT, 0),
    }
    assert _said(told)[:6] == [
        "= same",
        "~ other",
        "      do:",
        "    -   - tag: a",
        "    +   - tag: b",
        "    3 people are in it.",
    ]
    assert summary(told) == "1 added, 1 changed, 1 unchanged, 1 in no file."


def test_prune_removes_what_stands_in_no_file() -> None:
    told = _plan(
        "flows: { a: { do: [stop] }, b: { do: [stop] } }", "flows: { a: { do: [stop] } }", prune=True
    )
    assert [(change.flow_id, change.kind) for change in told.changes] == [
        ("a", ChangeKind.UNCHANGED),
        ("b", ChangeKind.REMOVED),
    ]
    assert "    Nobody new gets in; taps on buttons that it has sent go on working." in _said(told)


def test_a_renamed_flow_removes_nothing_and_its_people_come_along() -> None:
    told = _plan(
        "flows: { old: { do: [stop] } }", "flows: { new: { was: old, do: [stop] } }", prune=True, old=2
    )
    assert [(c.flow_id, c.kind, c.was, c.people) for c in told.changes] == [
        ("new", ChangeKind.RENAMED, "old", 2)
    ]
    assert (dict(told.renamed), told.is_empty) == ({"new": "old"}, False)
    assert _said(told)[0] == "~ new  (was old)"


def test_a_flow_renamed_and_changed_at_once_is_both() -> None:
    told = _plan("flows: { old: { do: [stop] } }", "flows: { new: { was: old, do: [opt_out] } }")
    assert [(c.kind, c.was, bool(c.lines)) for c in told.changes] == [(ChangeKind.CHANGED, "old", True)]


def test_was_that_stays_in_the_file_changes_nothing_any_more() -> None:
    told = _plan("flows: { new: { do: [stop] } }", "flows: { new: { was: old, do: [stop] } }")
    assert told.is_empty


def test_comments_layout_and_tests_are_no_change() -> None:
    before = 'flows:\n  a: { when: { dm: hi }, do: [send: "Hello"] }'
    after = (
        "flows:\n  a:\n    # greets\n    when:\n      - dm: { words: [hi] }\n"
        '    do:\n      - send: { text: "Hello" }\n'
        "    tests:\n      - name: it greets\n        steps: [{ dm: hi }, { expect: { dm: any } }]"
    )
    assert _plan(before, after).is_empty


# --- order -----------------------------------------------------------------------------------------------


def test_another_order_is_a_change() -> None:
    """File order decides between flows that fit equally well; a file that was only reordered changed nothing."""
    told = _plan(
        "flows: { a: { do: [stop] }, b: { do: [stop] } }", "flows: { b: { do: [stop] }, a: { do: [stop] } }"
    )
    assert (told.is_empty, told.order) == (False, ("b", "a"))
    assert "    b now stands first" in _said(told)


IDS = st.lists(st.sampled_from("abcdefgh"), unique=True)


@given(IDS, IDS)
def test_flows_of_a_file_stand_in_its_order_and_applying_it_again_moves_nothing(
    applied: list[str], files: list[str]
) -> None:
    order = merged(applied, files)
    assert sorted(order) == sorted({*applied, *files})
    assert [one for one in order if one in files] == files
    assert [one for one in order if one in applied and one not in files] == [
        one for one in applied if one not in files
    ]
    assert merged(order, files) == order


@given(IDS, IDS, IDS)
def test_files_without_a_flow_in_common_do_not_push_each_other_about(
    applied: list[str], one: list[str], other: list[str]
) -> None:
    other = [flow_id for flow_id in other if flow_id not in one]
    order = merged(merged(applied, one), other)
    assert merged(order, one) == order


@given(IDS, IDS)
def test_only_what_moves_is_told(before: list[str], after: list[str]) -> None:
    told = moves(before, after)
    stay = [one for one in before if one in after and one not in {move.flow_id for move in told}]
    assert [one for one in after if one in stay] == stay
    assert bool(told) == ([o for o in before if o in after] != [o for o in after if o in before])


# --- inside a flow ---------------------------------------------------------------------------------------


def test_flows_of_different_versions_differ_in_a_line_that_people_see() -> None:
    """Over everything that the corpus of valid files says."""
    seen: dict[str, str] = {}
    for case in cases("valid"):
        for flow in load(list(case.files.items())).flows:
            written = "\n".join(flow_lines(flow.body))
            assert seen.setdefault(written, version_of(flow.body)) == version_of(flow.body), written
    assert len(seen) > 50


def test_only_changed_lines_and_their_neighbours_are_shown() -> None:
    texts = [f'{{ send: "text {number}" }}' for number in range(30)]
    before = {
        "do": load([("a", f"version: 1\nflows: {{ a: {{ do: [{', '.join(texts)}] }} }}")]).flows[0].body["do"]
    }
    texts[20] = '{ send: "another" }'
    after = load([("a", f"version: 1\nflows: {{ a: {{ do: [{', '.join(texts)}] }} }}")]).flows[0].body
    assert [f"{line.sign} {line.text}" for line in compared(before, after)] == [
        '    - send: "text 19"',
        '-   - send: "text 20"',
        "+   - send: another",
        '    - send: "text 21"',
    ]


def test_long_changes_are_cut_and_say_how_to_see_all() -> None:
    many = ", ".join(f'{{ send: "text {number}" }}' for number in range(30))
    told = _plan("flows: { a: { do: [stop] } }", f"flows: {{ a: {{ when: {{ dm: x }}, do: [{many}] }} }}")
    cut = [said.text for said in lines(told)]
    assert "--full" in cut[LINES_SHOWN + 1]
    assert len([said for said in lines(told, full=True) if "text" in said.text]) == 30


# --- people ----------------------------------------------------------------------------------------------

BODY: Raw = (
    read(
        "version: 1\nfields: { day: date }\nflows:\n  a:\n    when: { dm: x }\n    do:\n"
        '      - ask: { question: "For which\n          day?", save_as: day }\n'
        "      - send: { text: Hi, buttons: [{ label: More, do: [{ wait: { for: 3h, if_window_closed: skip }}]}]}\n"
        "      - wait: { until: '09:00', if_window_closed: stop }\n"
        "      - choose: [{ else: [{ wait_for: { click: 'https://x.example', up_to: 2h } }] }]\n"
    )
    .flows[0]
    .body
)


def test_a_place_is_named_by_its_step_as_it_is_written() -> None:
    paths = ("do.0", "do.1", "do.1.buttons.0.do.0", "do.2", "do.3.choose.0.else.0", "do.9", "do")
    assert [in_short(step_at(BODY, path)) for path in paths] == [
        "ask: For which day?",
        "send: Hi",
        "wait: 3h",
        "wait: until 09:00",
        "wait_for: click https://x.example",
        "?",
        "?",
    ]


def test_what_happens_to_people_depends_on_where_they_are() -> None:
    asked = Standing("v1", "do.0", WaitKind.ANSWER, 2, "ask: x")
    may_tap = Standing("v1", "do.1", WaitKind.TAP, 2, "send: x")

    def happens(where: Standing, mode: str) -> str:
        told = what_happens(
            people=2, standing=[where], before={}, after={"mode": mode}, renamed=False, changed=True
        )
        return " ".join(told)

    assert "does not start for them anew" in happens(asked, "single")
    assert "leaves the old version" in happens(asked, "restart")
    assert "new version, too" in happens(asked, "parallel")
    # It was said of a flow, too, that the file pauses from now on.
    rests = what_happens(
        people=2, standing=[asked], before={}, after={"state": "paused"}, renamed=False, changed=True
    )
    assert rests[-1] == "It starts nobody while it is paused."
    # Who may only tap a button does not count as being in it: the new version starts for them at once.
    assert "mode" not in happens(may_tap, "single") + happens(may_tap, "restart")


# --- settings --------------------------------------------------------------------------------------------


def test_settings_are_told_entry_by_entry() -> None:
    before = read(
        "version: 1\ntimezone: Europe/Warsaw\nfields: { size: { type: choice, choices: [S, M] } }\n"
        "facts: { gone: x, prices: 'https://a.example' }\nwords: { stop: [halt] }\n"
        "hours: { open: { days: mon to fri, from: '09:00', to: '17:00' } }\n"
    ).settings
    after = read(
        "version: 1\ntimezone: Europe/Berlin\nlanguage: de\nfields: { size: { type: text, keep_for: 90d } }\n"
        "facts: { prices: 'https://b.example' }\nwords: { stop: [halt, basta] }\ndisclosure: false\n"
        "hours: { open: [{ days: mon to fri, from: '09:00' }, { days: ['2026-12-24', sat] }] }\n"
    ).settings
    assert {one.name: (one.before, one.after) for one in setting_changes(before, after)} == {
        "timezone": ("Europe/Warsaw", "Europe/Berlin"),
        "language": ("en", "de"),
        "disclosure": ("built-in text", "false (none)"),
        "fields.size": ("choice; S, M", "text; kept for 90d"),
        "facts.prices": ("https://a.example", "https://b.example"),
        "facts.gone": ("x", None),
        "words.stop": ("halt", "halt, basta"),
        "hours.open": ("mon to fri 09:00-17:00", "mon to fri 09:00-24:00; 2026-12-24, sat"),
    }


def test_a_text_of_several_lines_is_told_on_one() -> None:
    after = read('version: 1\nsays: { stopped: "Done.\\n- price-list  removed" }\n').settings
    (change,) = setting_changes({}, after)
    assert change.after == '"Done.\\n- price-list  removed"'


def test_a_setting_said_as_it_is_anyway_is_no_change() -> None:
    assert _plan(
        "flows: { a: { do: [stop] } }", "language: en\ndisclosure: true\nflows: { a: { do: [stop] } }"
    ).is_empty
