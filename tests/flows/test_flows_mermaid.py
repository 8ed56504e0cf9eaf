"""Flows as Mermaid: whatever a text holds, the chart stays the chart."""

import pytest
from hypothesis import HealthCheck, given, settings

from pamosnik.flows.compile import compile_flow
from pamosnik.flows.graph import mermaid
from pamosnik.flows.graph.outline import outline
from pamosnik.flows.load import load
from tests.flows.corpus_files import Case, cases
from tests.flows.graph_flows import Raw, bodies, flow_of
from tests.flows.mermaid_grammar import Chart, read

SEND: Raw = {"do": "send", "text": "Hi"}


def chart(*steps: Raw, **flow: object) -> Chart:
    body = {"title": "Shop", "when": [{"trigger": "dm", "words": ["hi"]}], "do": list(steps), **flow}
    return read(mermaid.render([outline(flow_of(body), "en")]))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(bodies())
def test_whatever_the_flow_the_chart_is_well_formed_and_whole(body: Raw) -> None:
    flow = flow_of(body)
    found = read(mermaid.render([outline(flow, "en")]))
    assert {f"f_shop__{path.replace('.', '_')}" for path in flow.steps} <= set(found.nodes)


@pytest.mark.parametrize("case", cases("valid"), ids=lambda case: case.title)
def test_every_valid_file_becomes_a_chart(case: Case) -> None:
    loaded = load(list(case.files.items()))
    flows = [compile_flow(one.id, one.body, timezone="UTC") for one in loaded.flows]
    found = read(mermaid.render([outline(flow, str(loaded.settings.get("language"))) for flow in flows]))
    assert len(found.boxes) == (len(flows) if len(flows) > 1 else 0)


def test_signs_of_the_notation_in_texts_are_written_as_numbers() -> None:
    text = 'say "hi"] --> x{{y}} | `#35;` <b>&amp;</b> *bold* _it_ end;'
    found = chart({"do": "send", "text": text})
    assert found.nodes["f_shop__do_0"] == f"Message\n{text.replace('{{', '{').replace('}}', '}')}"


def test_a_text_that_begins_like_a_list_stays_a_text() -> None:
    found = chart({"do": "send", "text": "1. one\n- two\n= three"}, {"do": "tag", "tag": "vip"})
    assert found.nodes["f_shop__do_0"] == "Message\n1. one\n- two\n= three"
    assert found.nodes["f_shop__do_1"] == "+ tag: vip"


def test_taps_are_dotted_and_named_and_what_follows_at_once_is_not() -> None:
    found = chart({"do": "send", "text": "Tap", "buttons": [{"label": "Go", "do": [SEND]}]}, SEND)
    assert ("f_shop__do_0", "-.->", "taps: Go", "f_shop__do_0_buttons_0_do_0") in found.edges
    assert ("f_shop__do_0", "-->", "", "f_shop__do_1") in found.edges


def test_a_last_message_with_buttons_waits_for_a_tap() -> None:
    """Nothing but the taps leads to an end, as in the picture."""
    tap = {"do": "send", "text": "Tap", "buttons": [{"label": "Go", "do": [SEND]}]}
    found = chart(SEND, tap)
    assert [edge for edge in found.edges if edge[0] == "f_shop__do_1"] == [
        ("f_shop__do_1", "-.->", "taps: Go", "f_shop__do_1_buttons_0_do_0")
    ]
    assert "f_shop__do_end" not in found.nodes


def test_again_leads_back() -> None:
    found = chart(
        {"do": "ask", "question": "Size?", "id": "size"}, {"do": "again", "again": "size", "at_most": 2}
    )
    assert ("f_shop__do_1", "-->", "back", "f_shop__do_0") in found.edges


def test_flows_whose_ids_look_alike_keep_their_own_nodes() -> None:
    flows = [
        compile_flow(name, {"do": [SEND]}, timezone="UTC") for name in ("a-b", "a_b", "cennik-ż", "cennik-z")
    ]
    found = read(mermaid.render([outline(flow, "en") for flow in flows]))
    assert len(found.nodes) == 3 * 4
    assert len(found.boxes) == 4
