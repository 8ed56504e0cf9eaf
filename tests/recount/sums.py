"""What was counted, summed as places show it."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.recount.counting import COMMENTS, Tallies, Tally

RUNS = ("started", "completed", "sent", "seen", "clicked", "replied", "failed", "expired")
LINKS = ("messages", "people", "clicks", "previews")
Words = Mapping[str, int]
Sums = Mapping[tuple[str, ...], Counter[str]]


@dataclass(frozen=True, slots=True)
class Sum:
    """Over what is counted of one account, from one day to another."""

    tallies: Tallies
    account: str
    usernames: Mapping[str, str]
    since: str = ""
    until: str = "9999"

    def _by(self, key: Callable[[Tally], tuple[str, ...]], word: Callable[[Tally], str | None]) -> Sums:
        found: dict[tuple[str, ...], Counter[str]] = {}
        for tally, n in self.tallies.items():
            if tally.account == self.account and self.since <= tally.day <= self.until:
                called = word(tally)
                if called is not None:
                    found.setdefault(key(tally), Counter())[called] += n
        return found

    def flows(self) -> Sums:
        """(flow, username) → words of runs, `goal:`, `split:` and `skipped:`."""
        return self._by(lambda t: (t.flow, self.usernames[t.connection]), _of_run)

    def flow(self) -> Sums:
        """(flow,) → the same, of all connections."""
        return self._by(lambda t: (t.flow,), _of_run)

    def days(self, flow: str | None = None) -> Sums:
        """(day,) → received, answered, and words of runs."""

        def word(t: Tally) -> str | None:
            if flow is not None and t.flow != flow:
                return None
            return t.what.partition(":")[0] if t.flow == "" else _of_run(t)

        return self._by(lambda t: (t.day,), word)

    def all(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for words in self.days().values():
            found.update(words)
        return found

    def posts(self) -> Sums:
        """(post, username) → comments, matched, and words of runs."""
        names = {f"received:{kind}": "comments" for kind in COMMENTS}
        names |= {f"answered:{kind}": "matched" for kind in COMMENTS}
        return self._by(
            lambda t: (t.post, self.usernames[t.connection]),
            lambda t: names.get(t.what, t.what) if t.post and not t.step else None,
        )

    def steps(self) -> Sums:
        """(flow, version, path) → reached."""
        return self._by(
            lambda t: (t.flow, t.version, t.step), lambda t: "reached" if t.what == "reached" else None
        )

    def links(self) -> Sums:
        """(flow, link, username) → messages, people, clicks, previews."""
        return self._by(
            lambda t: (
                t.flow,
                t.what.split(":", 2)[2] if t.what.startswith("link:") else "",
                self.usernames[t.connection],
            ),
            lambda t: t.what.split(":")[1] if t.what.startswith("link:") else None,
        )

    def kinds(self) -> Sums:
        """(kind of event,) → received, answered."""
        return self._by(
            lambda t: (t.what.partition(":")[2],),
            lambda t: t.what.partition(":")[0] if t.what.startswith(("received:", "answered:")) else None,
        )


def _of_run(tally: Tally) -> str | None:
    return None if tally.flow == "" or tally.step or tally.what.startswith("link:") else tally.what
