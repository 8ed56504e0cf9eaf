"""Numbers on a picture: the outline of a flow, with what was counted of its steps."""

from collections.abc import Mapping
from dataclasses import replace

from pamosnik.flows.graph.measure import NO_BREAK
from pamosnik.flows.graph.outline import Figures, Item, Outline
from pamosnik.flows.graph.words import Vocabulary


def with_figures(outline: Outline, figures: Mapping[str, Figures]) -> Outline:
    """`figures`: path of a step → what was counted of it. Steps that are not in it are left as they are."""
    say = Vocabulary(outline.language)
    return replace(outline, items=tuple(_item(item, figures, say) for item in outline.items))


def _item(item: Item, figures: Mapping[str, Figures], say: Vocabulary) -> Item:
    ways = tuple(
        replace(way, steps=tuple(_item(one, figures, say) for one in way.steps)) for way in item.ways
    )
    counted = figures.get(item.path)
    if counted is None:
        return replace(item, ways=ways)
    return replace(item, ways=ways, figures=counted, counted=_words(counted, say))


def _words(counted: Figures, say: Vocabulary) -> str:
    said = [f"{counted.reached:,}"]
    if counted.share is not None:
        said.append(f"{counted.share:.0%}".replace("%", f"{NO_BREAK}%"))
    if counted.here:
        said.append(say("here_now", n=f"{counted.here:,}").replace(" ", NO_BREAK))
    return " · ".join(said)
