"""Words, lists, numbers and times in one language."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from pamosnik.flows.explain.english import ENGLISH
from pamosnik.flows.explain.german import GERMAN
from pamosnik.flows.explain.language import Forms, Language
from pamosnik.flows.explain.polish import POLISH
from pamosnik.flows.explain.spanish import SPANISH
from pamosnik.model.text import MatchMode, Text, Variable, Words

_ENDS = frozenset(".!?…。！？؟।:")
LANGUAGES = {"en": ENGLISH, "de": GERMAN, "pl": POLISH, "es": SPANISH}

_HOURS_UP_TO = timedelta(days=2)
"""A day and a half is 36 hours, three days are days."""


@dataclass(frozen=True, slots=True)
class Speech:
    language: Language

    # --- words and lists -------------------------------------------------------------------------------

    def quoted(self, text: str | Text) -> str:
        """What the shop wrote, as it is. A new line at the end, as `|` leaves it, says nothing."""
        first, last = self.language.grammar.quotes
        return f"{first}{(text if isinstance(text, str) else written(text)).rstrip(chr(10))}{last}"

    def all_of(self, parts: Iterable[str]) -> str:
        return _joined(list(parts), self.language.grammar.and_)

    def any_of(self, parts: Iterable[str]) -> str:
        return _joined(list(parts), self.language.grammar.or_)

    def all_clauses(self, clauses: Iterable[str]) -> str:
        return self._clauses(list(clauses), self.language.grammar.and_)

    def any_clause(self, clauses: Iterable[str]) -> str:
        return self._clauses(list(clauses), self.language.grammar.or_)

    def _clauses(self, parts: Sequence[str], word: str) -> str:
        comma = self.language.grammar.comma if len(parts) > 2 else ""
        return f"{comma} {word} ".join(parts)

    def sentences(self, told: Iterable[str]) -> str:
        """One after the other; one that ends with a quoted text without an end of its own gets its full stop."""
        parts = list(told)
        close = self.language.grammar.quotes[1]
        ended = [
            f"{part}." if part.endswith(close) and part[-2:-1] not in _ENDS else part for part in parts[:-1]
        ]
        return " ".join([*ended, *parts[-1:]])

    def any_quoted(self, texts: Iterable[str]) -> str:
        return self.any_of(self.quoted(text) for text in texts)

    def all_quoted(self, texts: Iterable[str]) -> str:
        return self.all_of(self.quoted(text) for text in texts)

    def words(self, words: Words | None) -> str:
        """Behind a clause on a text: which words it must have, and which not."""
        if words is None:
            return ""
        said = self.language.triggers
        modes = {
            MatchMode.WHOLE_WORD: said.whole_word,
            MatchMode.EXACT: said.exact,
            MatchMode.STARTS_WITH: said.starts_with,
            MatchMode.CONTAINS: said.contains,
            MatchMode.FUZZY: said.fuzzy,
            MatchMode.REGEX: said.regex,
        }
        made = modes[words.match].format(words=self.any_quoted(words.words)) if words.words else ""
        if words.but_not:
            made += said.but_not.format(words=self.any_quoted(words.but_not))
        open_end = any(word.endswith("*") and len(word) > 1 for word in (*words.words, *words.but_not))
        return made + (said.star if open_end and words.match is not MatchMode.REGEX else "")

    # --- numbers and times -----------------------------------------------------------------------------

    def counted(self, number: int, forms: Forms) -> str:
        return self.form(number, forms).format(n=number)

    def form(self, number: int, forms: Forms) -> str:
        return (forms.one, forms.few, forms.many)[self.language.grammar.form(number)]

    def times(self, number: int) -> str:
        return self.counted(number, self.language.grammar.times)

    def duration(self, length: timedelta) -> str:
        grammar = self.language.grammar
        units = [(grammar.hour, 3600), (grammar.minute, 60), (grammar.second, 1)]
        if length >= _HOURS_UP_TO:
            units.insert(0, (grammar.day, 86400))
        parts, rest = [], int(length.total_seconds())
        for forms, size in units:
            number, rest = divmod(rest, size)
            if number:
                parts.append(self.counted(number, forms))
        return self.all_of(parts)

    def clock(self, shown: time) -> str:
        return self.language.grammar.clock.format(h=shown.hour, m=shown.minute)

    def at(self, shown: time) -> str:
        grammar = self.language.grammar
        return (grammar.at_one if shown.hour == 1 else grammar.at).format(clock=self.clock(shown))

    def day(self, day: date) -> str:
        grammar = self.language.grammar
        return grammar.date.format(day=day.day, month=grammar.months[day.month - 1], year=day.year)

    def moment(self, moment: datetime) -> str:
        return self.language.grammar.moment.format(date=self.day(moment.date()), at=self.at(moment.time()))

    def days(self, weekdays: Iterable[int], dates: Iterable[date]) -> str:
        """Weekdays that follow each other as a range, and dates."""
        grammar, parts = self.language.grammar, []
        for first, last in _ranges(sorted(set(weekdays))):
            if last - first >= 2:
                begin, end = grammar.from_days[first], grammar.to_days[last]
                parts.append(grammar.days_range.format(first=begin, last=end))
            else:
                parts += grammar.days[first : last + 1]
        return self.all_of([*parts, *(self.day(day) for day in sorted(dates))])


def written(text: Text) -> str:
    """As it stands in the file: variables in braces."""
    return "".join(part if isinstance(part, str) else brace(part) for part in text.parts)


def brace(variable: Variable) -> str:
    stand_in = "" if variable.stand_in is None else f"|{variable.stand_in}"
    return f"{{{variable.name}{stand_in}}}"


def _joined(parts: Sequence[str], word: str) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def _ranges(numbers: Sequence[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found
