"""Flows for pictures: made by Hypothesis in the normal form, steps within steps within steps."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from pamosnik.flows.compile import compile_flow
from pamosnik.model.flow import Flow

Raw = dict[str, Any]

TEXTS = st.one_of(
    st.sampled_from(
        [
            "Hi {first_name|there}!",
            "Zażółć gęślą jaźń, a potem jeszcze raz: zażółć gęślą jaźń",
            "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz",
            "السلام عليكم ورحمة الله",
            "価格表をお送りします。どうぞよろしくお願いいたします。",
            "👩‍👩‍👧‍👦 🇵🇱 ❤️‍🔥 👍🏽",
            "W" * 90,
            "line\nline\n\nline\nline\nline\nline\nline",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60).map(
        lambda text: text.replace("{", "(").replace("}", ")") or "?"
    ),
)
LABELS = TEXTS.map(lambda text: text[:20].replace("{", "(").replace("}", ")"))


class _Maker:
    """Draws steps; knows which ids lie behind somebody at each place."""

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        self.draw = draw
        self.made = 0

    def steps(self, depth: int, before: list[str], least: int = 0) -> list[Raw]:
        found: list[Raw] = []
        for _ in range(self.draw(st.integers(least, 3))):
            name = f"s{self.made}"
            self.made += 1
            kinds = ["send", "tag", "wait", "hand_over", "goal", *(["again"] if before else [])]
            nested = ["send", "ask", "choose", "split", "call", "wait_for", "give_code"] if depth else []
            kind = self.draw(st.sampled_from([*nested, *kinds]))
            step = self._step(kind, depth, [*before, name])
            found.append({**step, "do": kind, "id": name})
            if kind != "again":
                before = [*before, name]
        if found and self.draw(st.integers(0, 4)) == 0:
            found.append(self.draw(st.sampled_from([{"do": "stop"}, {"do": "run", "run": "other"}])))
        return found

    def _step(self, kind: str, depth: int, before: list[str]) -> Raw:
        draw = self.draw

        def inner(least: int = 1) -> list[Raw]:
            return self.steps(depth - 1, before, least)

        match kind:
            case "send":
                buttons = [self._option(depth, before) for _ in range(draw(st.integers(0, 3)))]
                chips = [self._option(depth, before) for _ in range(draw(st.sampled_from([0, 0, 0, 2, 7])))]
                return {"text": draw(TEXTS), "buttons": buttons, "chips": chips}
            case "tag":
                return {"tag": draw(LABELS)}
            case "wait":
                return {"for": draw(st.integers(1, 300_000))}
            case "goal":
                return {"goal": "bought"}
            case "again":
                return {"again": draw(st.sampled_from(before[:-1])), "at_most": 2}
            case "ask":
                asked: Raw = {"question": draw(TEXTS), "save_as": "size"}
                if draw(st.booleans()):
                    asked["choices"] = [self._option(depth, before) for _ in range(draw(st.integers(1, 6)))]
                if draw(st.booleans()):
                    asked["if_no_answer"] = inner()
                if draw(st.booleans()):
                    asked["if_not_understood"] = {"then": inner()}
                return asked
            case "choose":
                ways: list[Raw] = [
                    {"if": [{"if": "has_tag", "value": draw(LABELS)}], "do": inner(0)}
                    for _ in range(draw(st.integers(1, 5)))
                ]
                return {"choose": [*ways, {"else": inner(0)}] if draw(st.booleans()) else ways}
            case "split":
                return {"split": [{"name": name, "share": 50, "do": inner(0)} for name in ("a", "b")]}
            case "call":
                return {"webhook": "shop", **({"if_it_fails": inner()} if draw(st.booleans()) else {})}
            case "wait_for":
                return {"answer": "any", **({"if_not": inner()} if draw(st.booleans()) else {})}
            case "give_code":
                return {"from": "pool", "text": draw(TEXTS), "if_empty": inner()}
            case _:
                return {}

    def _option(self, depth: int, before: list[str]) -> Raw:
        option: Raw = {"label": self.draw(LABELS)}
        match self.draw(st.sampled_from(["plain", "url", "do", "do", "run"])):
            case "url":
                option["url"] = "https://shop.example/a?b=1&c=<2>"
            case "do" if depth:
                option["do"] = self.steps(depth - 1, before, 1)
            case "run":
                option["run"] = "other"
        return option


@st.composite
def bodies(draw: Callable[[Any], Any], *, depth: int = 3) -> Raw:
    """A flow in the normal form."""
    return {
        "title": draw(TEXTS),
        "when": [{"trigger": "dm", "words": draw(st.lists(LABELS, max_size=4))}],
        "limits": {"per_person": "once"},
        "do": _Maker(draw).steps(depth, []),
    }


def flow_of(body: Raw) -> Flow:
    return compile_flow("shop", body, timezone="Europe/Warsaw")
