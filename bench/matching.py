"""How long it takes to find the flow for a message among ten thousand keywords, and patterns in a long text."""

import random
import statistics
import time
import timeit
from collections.abc import Callable, Sequence
from functools import partial

from pamosnik.engine.catalog import Catalog, Posts
from pamosnik.engine.match import Heard, KeywordIndex
from pamosnik.flows.compile import compile_flow, compile_settings
from pamosnik.flows.load import load
from pamosnik.model.book import Book
from pamosnik.model.text import MatchMode
from tests.engine.shop import event

FLOWS = 1000
KEYWORDS_EACH = 10
TEXTS = (
    "hello there",
    "How much is the blue dress with the long sleeves please?",
    "ile kosztuje {} i czy jest w rozmiarze S",
    "{}",
    "Добрый день, сколько стоит {}?",
    "😍😍😍",
)
_LETTERS = "abcdefghijklmnoprstuwyzłóążźćęабвгдежзиклмнопрстуфхцч"


def _words(number: int, chance: random.Random) -> list[str]:
    return ["".join(chance.choices(_LETTERS, k=chance.randint(4, 10))) for _ in range(number)]


def _catalog(flows: int, words: Sequence[str]) -> tuple[Catalog, float]:
    """The flows of a file with these words, and how many seconds reading, checking and compiling it took."""
    each = len(words) // flows
    lines = ["version: 1", "disclosure: Automated.", "flows:"]
    for number in range(flows):
        mine = words[number * each : (number + 1) * each]
        # The first ends in a star; it must not cover a word of another flow.
        written = ", ".join(
            f'"{word}"' if place else f'"q{number:04}{word}*"' for place, word in enumerate(mine)
        )
        lines += [f"  flow-{number}:", f"    when: [dm: [{written}]]", '    do: [send: "Here you are."]']
    begun = time.perf_counter()
    loaded = load([("many.yaml", "\n".join(lines))])
    errors = [problem.message for problem in loaded.problems if problem.severity == "error"]
    if errors:
        raise SystemExit(errors[0])
    compiled = tuple(compile_flow(flow.id, flow.body, timezone="UTC") for flow in loaded.flows)
    made = Catalog(Book(compiled, compile_settings(loaded.settings)))
    return made, time.perf_counter() - begun


def _finding(catalog: Catalog, words: Sequence[str]) -> Callable[[], None]:
    events = [event(text=text.format(words[place * 97 % len(words)])) for place, text in enumerate(TEXTS)]
    posts = Posts()

    def find() -> None:
        for one in events:
            heard = Heard.of(one.incoming.text)
            catalog.candidates(one, heard, first_message=False, posts=posts, username="shop")

    return find


def _each_us(run: Callable[[], None], times: int = 400) -> float:
    """Microseconds for one message; the median of seven rounds."""
    rounds = []
    for _ in range(7):
        begun = time.perf_counter()
        for _ in range(times):
            run()
        rounds.append((time.perf_counter() - begun) / times / len(TEXTS) * 1e6)
    return statistics.median(rounds)


def _patterns() -> float:
    """How much longer a text ten times as long takes, with patterns that make others take for ever."""
    patterns = ["(a+)+$", "(a|aa)*b", "(x+x+)+y", "^(([a-z])+.)+[A-Z]([a-z])+$"]
    index = KeywordIndex((number, pattern, MatchMode.REGEX) for number, pattern in enumerate(patterns))
    short, long = Heard.of("a" * 500 + "!"), Heard.of("a" * 5000 + "!")
    of_short, of_long = (
        statistics.median(timeit.repeat(partial(index.find, h), number=20, repeat=7)) for h in (short, long)
    )
    return of_long / of_short


def main() -> None:
    chance = random.Random(1)
    words = list(dict.fromkeys(_words(FLOWS * KEYWORDS_EACH * 2, chance)))[: FLOWS * KEYWORDS_EACH]
    many, took = _catalog(FLOWS, words)
    few, _ = _catalog(1, words[:KEYWORDS_EACH])
    of_few, of_many = _each_us(_finding(few, words)), _each_us(_finding(many, words))
    print(
        f"{len(words)} keywords in {FLOWS} flows   {of_many / of_few:.2f} × {KEYWORDS_EACH} keywords in one flow"
        f" ({of_many:.1f} of {of_few:.1f} µs a message); checked and compiled in {took:.1f} s"
    )
    print(f"patterns over a text ten times as long   {_patterns():.1f} × the time")


if __name__ == "__main__":
    main()
