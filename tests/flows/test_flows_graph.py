"""Pictures of flows: nothing lies over anything else, no line crosses another, and everything is named."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pamosnik.flows.compile import compile_flow
from pamosnik.flows.graph import svg
from pamosnik.flows.graph.drawing import Drawing
from pamosnik.flows.graph.figures import with_figures
from pamosnik.flows.graph.layout import draw
from pamosnik.flows.graph.measure import clean, clusters, cut, width, wrap
from pamosnik.flows.graph.outline import Figures, Pace, Shape, outline
from pamosnik.flows.graph.words import phrases
from pamosnik.flows.load import load
from pamosnik.model.flow import Flow
from tests.flows.corpus_files import Case, cases
from tests.flows.graph_flows import TEXTS, Raw, bodies, flow_of
from tests.flows.graph_geometry import faults

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
_SVG = "{http://www.w3.org/2000/svg}"


def drawing(*steps: Raw, language: str = "en", **flow: object) -> Drawing:
    body = {"title": "Shop", "when": [{"trigger": "dm", "words": ["hi"]}], "do": list(steps), **flow}
    return draw([outline(flow_of(body), language)])


def drawn(text: str) -> Drawing:
    loaded = load([("shop.yaml", text)])
    assert not loaded.has_errors
    language = str(loaded.settings.get("language", "en"))
    zone = str(loaded.settings.get("timezone", "UTC"))
    return draw([outline(compile_flow(one.id, one.body, timezone=zone), language) for one in loaded.flows])


def parsed(made: Drawing) -> ET.Element:
    return ET.fromstring(svg.render(made))


def node(made: Drawing, path: str) -> list[str]:
    """The lines of text in the node of that path."""
    return [line.text for one in made.nodes if one.path == path for line in one.lines]


def ways(made: Drawing) -> set[tuple[str, str, Pace]]:
    return {(edge.start, edge.end, edge.pace) for edge in made.edges}


SEND: Raw = {"do": "send", "text": "Hi"}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(bodies())
def test_whatever_the_flow_nothing_overlaps_and_no_line_crosses(body: Raw) -> None:
    flow = flow_of(body)
    made = draw([outline(flow, "en")])
    assert faults(made) == []
    shown = {one.path for one in made.nodes} | {b.path for one in made.nodes for b in one.buttons}
    assert set(flow.steps) | set(flow.options) <= shown
    assert draw([outline(flow_of(body), "en")]) == made
    parsed(made)


@pytest.mark.parametrize("case", cases("valid"), ids=lambda case: case.title)
def test_every_valid_file_is_drawn_well(case: Case) -> None:
    loaded = load(list(case.files.items()))
    language = str(loaded.settings.get("language", "en"))
    flows = [compile_flow(one.id, one.body, timezone="UTC") for one in loaded.flows]
    made = draw([outline(flow, language) for flow in flows])
    assert faults(made) == []
    parsed(made)


def test_what_happens_at_once_what_waits_for_the_person_and_what_waits_for_time_look_different() -> None:
    made = drawing(
        {"do": "send", "text": "Tap", "buttons": [{"label": "Go", "do": [SEND]}]},
        {"do": "wait", "for": 7200},
        {"do": "ask", "question": "When?", "if_no_answer": [SEND]},
        SEND,
    )
    assert {
        ("when", "do.0", Pace.AT_ONCE),
        ("do.0.buttons.0", "do.0.buttons.0.do.0", Pace.PERSON),
        ("do.0", "do.1", Pace.AT_ONCE),
        ("do.1", "do.2", Pace.TIME),
        ("do.2.if_no_answer", "do.2.if_no_answer.0", Pace.TIME),
        ("do.2", "do.2.onward", Pace.PERSON),
        ("do.2~", "do.3", Pace.AT_ONCE),
    } <= ways(made)
    dashes = re.findall(r"\.by-(\w+)\{stroke-dasharray:([^}]+)\}", svg.render(made))
    assert len(dict(dashes)) == 2
    assert [sample.pace for sample in made.samples] == list(Pace)
    assert node(made, "do.1") == ["Wait", "2 h"]


def test_a_message_with_buttons_goes_on_beside_its_taps_when_steps_follow_and_waits_when_none_do() -> None:
    message = {"do": "send", "text": "Tap", "buttons": [{"label": "Go", "do": [SEND]}]}
    followed = drawing(message, {"do": "wait", "for": 60})
    first = {one.path: one for one in followed.nodes}
    assert first["do.1"].y < first["do.0.buttons.0.do.0"].bottom
    last = drawing(message)
    assert not [edge for edge in last.edges if edge.start == "do.0"]


def test_thirteen_chips_stand_in_rows_and_the_picture_stays_printable() -> None:
    chips = [{"label": f"Question {n}", "do": [SEND]} for n in range(13)]
    made = drawing({"do": "send", "text": "What about?", "chips": chips}, SEND)
    assert made.width < 1250
    tops = {one.y for one in made.nodes if one.shape is Shape.TAP}
    assert len(tops) == 5
    (follows,) = [one for one in made.nodes if one.path == "do.1"]
    assert follows.y < min(tops) + 30, "what follows at once stands beside the rows, not below them"
    assert faults(made) == []


def test_otherwise_without_steps_runs_straight_down_beside_rows_of_choices() -> None:
    many = [{"if": [{"if": "has_tag", "value": f"t{n}"}], "do": [SEND]} for n in range(6)]
    made = drawing({"do": "choose", "choose": many}, {"do": "tag", "tag": "end"})
    rows = {one.y for one in made.nodes if one.shape is Shape.MESSAGE}
    (straight,) = [edge for edge in made.edges if (edge.start, edge.end) == ("do.0", "do.0~")]
    assert len(rows) == 2
    assert len({x for x, _ in straight.points}) == 1
    assert node(made, "do.0.onward") == ["otherwise"]
    assert faults(made) == []


def test_the_middle_one_of_three_taps_leads_straight_down_and_on() -> None:
    choices = [
        {"label": label, "do": [{"do": "tag", "tag": tag}]}
        for label, tag in (("Sweet", "a"), ("Salty", "the-second"), ("Very hot", "c"))
    ]
    made = drawing({"do": "ask", "question": "Which?", "accept": "choice", "choices": choices}, SEND)
    of_middle = [edge for edge in made.edges if edge.start.startswith("do.0.choices.1")]
    assert len(of_middle) == 2
    assert len({x for edge in of_middle for x, _ in edge.points}) == 1
    assert faults(made) == []


def test_all_lines_of_a_text_are_read_from_the_same_side_and_its_sign_stands_before_them() -> None:
    """Lines of an Arabic text that begin with a name or an address ran the other way; the sign left its node."""
    text = "{first_name} مرحبا بكم في صفحتنا على instagram.com/roses وشكرا جزيلا لكم"
    hebrew = "לא יודע מתי"
    made = drawing(
        {"do": "send", "text": text.replace("{first_name}", "{first_name|?}")},
        {"do": "hand_over", "note": hebrew},
    )
    nodes = {one.path: one for one in made.nodes}
    said = [line for line in nodes["do.0"].lines if line.role == "text"]
    assert " ".join(line.text for line in said) == text
    assert len(said) > 1
    assert all(line.leftward for line in said)
    (note,) = [line for line in nodes["do.1"].lines if line.text == hebrew]
    assert note.leftward
    assert note.x + 20 <= nodes["do.1"].right


def test_what_leads_straight_on_beside_a_choice_is_named_and_misfits_are_counted_as_they_happen() -> None:
    """With `tries: 1` the question is asked again once; the second answer that does not fit goes on."""
    both = {"label": "Both", "do": [{"do": "tag", "tag": "both"}]}
    misfit = {"say": "Which?", "tries": 1, "then": [{"do": "tag", "tag": "lost"}]}
    asked = {"do": "ask", "question": "Night?", "accept": "choice", "if_not_understood": misfit}
    few = drawing({**asked, "choices": [{"label": "Friday"}, {"label": "Saturday"}, both]}, SEND)
    assert node(few, "do.0.onward") == ["Friday or Saturday"]
    assert node(few, "do.0.if_not_understood.then") == ["not understood 2×"]
    many = drawing({**asked, "choices": [*({"label": str(n)} for n in range(4)), both]}, SEND)
    assert node(many, "do.0.onward") == ["another answer"]
    assert faults(few) == faults(many) == []


def test_no_line_ends_between_a_number_and_its_unit() -> None:
    made = drawing({"do": "ask", "question": "Your number?", "accept": "text", "save_as": "lead_phone"})
    assert node(made, "do.0")[2:] == ["saved as lead_phone · waits up to", "23 h"]


def test_again_runs_back_along_a_free_lane() -> None:
    made = drawing(
        {"do": "ask", "question": "Which size?", "id": "size"},
        {
            "do": "choose",
            "choose": [
                {"if": [{"if": "has_tag", "value": "vip"}], "do": [SEND]},
                {"else": [SEND, {"do": "again", "again": "size", "at_most": 2}]},
            ],
        },
        SEND,
    )
    (back,) = [edge for edge in made.edges if edge.back]
    assert (back.start, back.end) == ("do.1.choose.1.else.1", "do.0")
    assert node(made, "do.1.choose.1.else.1") == ["Again, at most 2×", "Which size?"]
    assert faults(made) == []


def test_again_in_the_middle_is_a_link_because_its_line_would_cross_others() -> None:
    again = {"do": "again", "again": "size", "at_most": 1}
    branches = [{"if": [{"if": "has_tag", "value": tag}], "do": [again]} for tag in ("a", "b", "c")]
    made = drawing(
        {"do": "ask", "question": "Which size?", "id": "size"}, {"do": "choose", "choose": branches}
    )
    back = {edge.start for edge in made.edges if edge.back}
    assert back == {"do.1.choose.0.do.0", "do.1.choose.2.do.0"}
    links = [a.get("href") for a in parsed(made).iter(f"{_SVG}a")]
    assert links == ["#f-shop.do.0"]
    assert faults(made) == []


def test_run_leads_into_the_picture_of_the_other_flow() -> None:
    loaded = load(
        [
            (
                "shop.yaml",
                "version: 1\nflows:\n  a:\n    when: [{dm: hi}]\n    do: [{run: b}]\n"
                "  b:\n    do: [{send: Hello}]\n",
            )
        ]
    )
    outlines = [outline(compile_flow(one.id, one.body, timezone="UTC"), "en") for one in loaded.flows]
    together = ET.fromstring(svg.render(draw(outlines)))
    assert [a.get("href") for a in together.iter(f"{_SVG}a")] == ["#f-b.when"]
    assert together.find(f".//{_SVG}g[@id='f-b.when']") is not None
    alone = ET.fromstring(svg.render(draw(outlines[:1]), places={"b": "b.svg"}))
    assert [a.get("href") for a in alone.iter(f"{_SVG}a")] == ["b.svg"]
    nowhere = ET.fromstring(svg.render(draw(outlines[:1])))
    assert [*nowhere.iter(f"{_SVG}a")] == []


def test_every_step_of_a_flow_can_be_found_by_its_path() -> None:
    buttons = [{"label": "Go", "do": [SEND]}]
    root = parsed(drawing({"do": "send", "text": "Tap", "buttons": buttons}, {"do": "goal", "goal": "seen"}))
    paths = {g.get("data-path") for g in root.iter(f"{_SVG}g")}
    assert {"when", "do.0", "do.0.buttons.0", "do.0.buttons.0.do.0", "do.1"} <= paths
    ids = [g.get("id") for g in root.iter() if g.get("id") is not None]
    assert len(ids) == len(set(ids))


def test_a_picture_holds_no_script_and_asks_for_nothing() -> None:
    text = '</text><script>alert(1)</script> & "quotes" \x07\x1b[31m \u202egnp.exe ]]> <!-- '
    written = svg.render(drawing({"do": "send", "text": text}, title=text))
    root = ET.fromstring(written)
    assert {child.tag.removeprefix(_SVG) for child in root.iter()} <= {
        "svg", "title", "desc", "style", "marker", "path", "rect", "g", "text", "circle", "polygon",
    }  # fmt: skip
    assert "</text><script> alert" not in written
    assert not re.findall(r"[\x00-\x09\x0b-\x1f\u202a-\u202e]", written)
    assert re.findall(r"https?://[^\"]+", written) == ["http://www.w3.org/2000/svg"]
    assert root.get("role") == "img"


def test_an_emoji_newer_than_this_python_and_a_letter_of_nobody_are_told_apart() -> None:
    assert clean("\U0001faea\uffff\x85\U0001ffff\u2028é\n") == "\U0001faea    é\n"


def test_the_whole_text_is_in_the_title_where_the_picture_cuts_it() -> None:
    text = "A very long sentence. " * 30
    made = drawing({"do": "send", "text": text})
    shown = node(made, "do.0")
    assert shown[-1].endswith("…")
    assert len(shown) == 6
    title = parsed(made).find(f".//{_SVG}g[@data-path='do.0']/{_SVG}title")
    assert title is not None
    assert text.strip() in str(title.text)


def test_a_picture_speaks_the_language_of_its_file() -> None:
    steps: tuple[Raw, ...] = ({"do": "wait", "for": 86400 * 3}, {"do": "stop"})
    assert node(drawing(*steps, language="de"), "do.0") == ["Warten", "3 Tage"]
    assert node(drawing(*steps, language="pl"), "do.1") == ["Koniec tutaj"]
    assert node(drawing(*steps, language="pt"), "do.0") == ["Wait", "3 days"]


def test_every_phrase_exists_in_every_language_with_the_same_gaps() -> None:
    for key, said in phrases().items():
        gaps = {tuple(sorted(re.findall(r"\{\w+\}", one))) for one in said}
        assert len(gaps) == 1, key
        assert all(one.strip() for one in said), key


def test_conditions_read_as_plain_words() -> None:
    vip = {"if": "has_tag", "value": "vip"}
    guests = {"if": "field", "value": {"guests": {"test": "more_than", "values": ["4"]}}}
    night = {"if": "outside", "value": "open"}
    made = drawing(
        {
            "do": "choose",
            "choose": [
                {"if": [vip, {"if": "any", "value": [guests, night]}], "do": [SEND]},
                {"if": [{"if": "none", "value": [vip]}], "do": [SEND]},
            ],
        }
    )
    assert " ".join(node(made, "do.0.choose.0.do")) == "has tag vip and (guests > 4 or outside “open”)"
    assert node(made, "do.0.choose.1.do") == ["none of: has tag vip"]
    assert node(made, "do.0.choose.else") == ["otherwise"]


def test_a_flow_of_a_thousand_steps_is_drawn_with_all_its_ways_back() -> None:
    steps: list[Raw] = []
    for number in range(100):
        again = {"do": "again", "again": f"q{number}", "at_most": 2}
        steps += [
            {"do": "ask", "question": "When?", "id": f"q{number}", "if_no_answer": [SEND, again]},
            {"do": "send", "text": "Tap", "buttons": [{"label": "Go", "do": [SEND, SEND, SEND]}]},
            {"do": "wait", "for": 60},
        ]
    made = drawing(*steps)
    assert len(made.nodes) > 1000
    assert sum(edge.back for edge in made.edges) == 100
    svg.render(made)


def test_steps_nested_sixty_deep_are_drawn() -> None:
    inner: Raw = SEND
    for _ in range(60):
        inner = {"do": "choose", "choose": [{"if": [{"if": "first_time", "value": True}], "do": [inner]}]}
    assert faults(drawing(inner, SEND)) == []


@given(TEXTS, st.integers(40, 300), st.integers(1, 5))
def test_wrapped_text_fits_and_keeps_letters_whole(text: str, room: int, lines: int) -> None:
    made = wrap(text, room, 13, lines=lines)
    assert len(made) <= lines
    widest = max((width(one, 13) for one in clusters(text)), default=0)
    assert all(width(line, 13) <= max(room, widest + width("…", 13)) for line in made)


def test_a_family_and_a_flag_are_never_cut_apart() -> None:
    assert list(clusters("👩‍👩‍👧🇵🇱e\u0301")) == ["👩‍👩‍👧", "🇵🇱", "e\u0301"]
    assert cut("👩‍👩‍👧" * 9, 100, 13).removesuffix("…").replace("👩‍👩‍👧", "") == ""


def test_a_message_shows_its_cards_and_a_question_who_takes_over_when_nothing_fits() -> None:
    cards = [{"title": f"Bouquet {n}", "buttons": [{"label": "Order", "run": "other"}]} for n in range(7)]
    made = drawing(
        {"do": "send", "cards": cards},
        {"do": "ask", "question": "How many?", "accept": "number", "save_as": "guests"},
        priority=5,
        state="paused",
        mode="restart",
    )
    assert node(made, "do.0")[1:] == [f"{n + 1}. Bouquet {n}" for n in range(7)]
    pills = [button.line.text for one in made.nodes for button in one.buttons]
    assert pills == [f"{n + 1}. Order" for n in range(7)]
    assert " ".join(node(made, "do.1")) == (
        "Question How many? saved as guests · waits up to 23 h · not understood 3×: a person takes over"
    )
    assert " ".join(node(made, "when")).endswith(
        "paused in its file · again while in it: from the start · priority 5"
    )
    assert faults(made) == []


def test_again_names_a_message_by_its_words_and_anything_else_by_its_id() -> None:
    made = drawing(
        {"do": "send", "text": "Look!", "id": "look"},
        {"do": "wait", "for": 60, "id": "rest"},
        {"do": "again", "again": "look", "at_most": 1},
        {"do": "again", "again": "rest", "at_most": 3},
    )
    assert node(made, "do.2") == ["Again, at most 1×", "Look!"]
    assert node(made, "do.3") == ["Again, at most 3×", "rest"]


def test_the_picture_in_the_documentation_is_the_one_that_its_flow_gives() -> None:
    text = (PICTURES / "table.yaml").read_text("utf-8")
    assert svg.render(drawn(text)) == (PICTURES / "table.svg").read_text("utf-8")


def test_the_picture_in_the_readme_is_that_of_its_flow() -> None:
    """`pamosnik flows graph` with the block in a file makes it anew."""
    readme = (PICTURES.parents[1] / "README.md").read_text("utf-8")
    flow = readme.split("```yaml\n")[1].split("```")[0]
    assert svg.render(drawn(flow)) == (PICTURES / "price-list.svg").read_text("utf-8")


# --- numbers on it ---------------------------------------------------------------------------------------


def _with_numbers(flow: Flow, language: str = "en") -> Drawing:
    figures = {
        path: Figures(12_345 * (number + 1), 1 / (number + 1), number % 3 * 1_000, lost_most=number == 1)
        for number, path in enumerate(flow.steps)
    }
    return draw([with_figures(outline(flow, language), figures)])


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(bodies(), st.sampled_from(["en", "de", "pl", "es"]))
def test_with_numbers_nothing_overlaps_either(body: Raw, language: str) -> None:
    flow = flow_of(body)
    made = _with_numbers(flow, language)
    assert faults(made) == []
    counted = {node.path for node in made.nodes if node.bar is not None}
    assert counted == {node.path for node in made.nodes} & set(flow.steps)
    for one in made.nodes:
        if one.bar is not None:
            assert one.x <= one.bar.x
            assert one.bar.x + one.bar.w <= one.right
            assert one.y < one.bar.y < one.bottom
            assert all(line.y <= one.bar.y for line in one.lines)
            assert all(button.y >= one.bar.y for button in one.buttons)


def test_a_step_says_how_many_came_and_who_is_there() -> None:
    steps = {"do.0": Figures(1_280, 1.0, 0), "do.1": Figures(640, 0.5, 3, lost_most=True)}
    body = {"title": "Shop", "when": [{"trigger": "dm", "words": ["hi"]}], "do": [SEND, SEND]}
    made = draw([with_figures(outline(flow_of(body), "en"), steps)])
    assert node(made, "do.0")[-1] == "1,280 · 100 %"
    assert node(made, "do.1")[-1] == "640 · 50 % · 3 here now"
    assert [one.path for one in made.nodes if one.lost_most] == ["do.1"]


def test_on_a_page_it_has_no_style_of_its_own_and_no_links() -> None:
    """The page's policy takes none, and nothing in one image can be reached by keyboard."""
    body = {"title": "Shop", "when": [], "do": [SEND, {"do": "run", "run": "other"}]}
    made = _with_numbers(flow_of(body))
    written = svg.render_inline(made)
    root = ET.fromstring(written)
    assert "<style" not in written
    assert "style=" not in written
    assert root.findall(f".//{_SVG}a") == []
    assert len(root.findall(f".//{_SVG}rect[@class='share']")) == 2
    known = set(re.findall(r"\.([a-z][\w-]*)", svg.style_sheet()))
    used = {one for group in re.findall(r'class="([^"]*)"', written) for one in group.split()}
    assert used - known <= {
        "node",
        "by-at_once",
        "edges",
        "legend",
        "tap",
        "data",
        "label",
        "jump",
        "end",
        "t-text",
        "t-pill",
    }
