"""What a caption promises: “comment PRICE”, „kommentiere PREIS“, «comenta PRECIO», „skomentuj CENA”, “DM me GUIDE”.

Read with care rather than cleverness: a word counts when it stands in quotation marks, in capitals, or behind “the
word”; whatever else is said in a caption is left alone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Promise:
    """A word that people are asked to write."""

    word: str
    kind: str
    """`comment` or `dm`, as a trigger calls it."""


_LONGEST = 40
_BEHIND = 90
"""Characters after a verb in which its word has to stand."""

_COMMENT = (
    r"comment(?:ing)?|kommentier(?:e|t|en)?|coment(?:a|á|ad|e|en)|(?:skomentuj|napisz|wpisz|zostaw)(?:cie)?",
    r"(?:reply|answer) with|antworte(?:t|n)? mit|respond(?:e|é|ed) con|odpisz(?:cie)?",
)
_WRITE = (
    r"reply|type|drop|write|leave",
    r"schreib(?:e|t|en)?|hinterlass(?:e|t|en)?|tipp(?:e|t)?",
    r"escrib(?:e|í|a|an|id)|dej(?:a|á|e|en)|pon|responde|respondé",
)
"""These are said about other things, too: they count where they ask, not where they tell (“we reply ASAP”)."""
_ASKING = re.compile(
    r"(?:^|[^\w\s]|\n|\b(?:and|or|just|then|please|simply|to|und|oder|einfach|bitte|dann|y|o|e|solo|sólo|luego|i|lub|albo|a|prostu"
    r"|proszę))\s*$",
    re.IGNORECASE,
)
_A_NOUN = re.compile(
    r"\b(?:an?|the|every|each|best|top|first|your|my|our|this|one|no|any|last|per)\s+$", re.IGNORECASE
)
_DM = (
    r"(?:send|text|message|dm) (?:me|us)(?: a (?:dm|message))?(?: with)?|dm(?: me| us)?",
    r"schreib(?:e|t)? (?:mir|uns)(?: (?:eine? )?(?:dm|pn|nachricht))?(?: mit)?|schick(?:e|t)? (?:mir|uns)(?:"
    r" (?:eine? )?"
    r"(?:dm|pn|nachricht))?(?: mit)?|(?:dm|pn) mit",
    r"(?:m[aá]nda|env[ií]a|escr[ií]be|d[ií])(?:me|nos)(?: (?:un )?(?:dm|md|mensaje|mensaje directo))?(?:"
    r" con)?|(?:dm|md) con",
    r"(?:napisz|wyślij)(?:cie)? (?:do (?:mnie|nas)|mi|nam)(?: (?:dm|wiadomość|priv|pw))?(?: z)?|dm z",
)
_IN_COMMENTS = (
    r"in (?:the |den |die )?(?:comments?|kommentaren?)(?: section)?|en (?:los )?comentarios|w"
    r" komentarz(?:u|ach)"
)
_IN_MESSAGES = (
    r"(?:in|per|via|by|als|as|en|por|w|na) (?:an? |eine[r]? |un |my |our |meine |mi |unsere )?"
    r"(?:dms?|pns?|pm|mds?|priv|direct|direct message|message|messages|nachricht|mensajes?(?: directos?| privados?)?"
    r"|wiadomości(?: prywatnej)?|wiadomość)"
)
_THE_WORD = r"(?:the |das |dem |la |el )?(?:word|keyword|wort|stichwort|palabra(?: clave)?|słowo|hasło)"
_FILLER = re.compile(
    rf"\s*(?:(?:{_IN_COMMENTS}|{_IN_MESSAGES}|below|down"
    rf" below|just|simply|with|now|here|us|me|unten|einfach|jetzt|hier|mir"
    r"|uns|nur|mit|das|den|die|the|abajo|ahora|aquí|solo|sólo|con|un|una|la|el|poniżej|teraz|po"
    r" prostu|tylko|tu)\b|[:\-–—>→👉👇⬇️➡️\s])",
    re.IGNORECASE,
)
_MARKED = re.compile(
    r"[\"“”„«»‹›‘’‚'`*]+\s*([^\"“”„«»‹›‘’‚`*\n]{1,40}?)\s*[\"“”»«›‹‘’'`*]+(?!\w)",
)
_TOKEN = re.compile(r"#?([^\W_][\w&+\-]*)")
_EMOJI = re.compile(r"([\U0001F300-\U0001FAFF\u2600-\u27BF\u2B50\u2764]\ufe0f?)")
_OR = re.compile(r"\s*(?:,|/|\bor\b|\boder\b|\bo\b|\blub\b|\balbo\b)\s*", re.IGNORECASE)
_WORD_SAID = re.compile(rf"\s*{_THE_WORD}\b\s*:?\s*", re.IGNORECASE)
_POINTERS = frozenset("👉👇⬇➡⬆☝✨❗❕‼✅✔📩💌📲📥")


def _verbs(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w#@])(?:{'|'.join(words)})(?!\w)", re.IGNORECASE)


_ASKS = ((_verbs(_DM), "dm"), (_verbs(_COMMENT), "comment"), (_verbs(_WRITE), "comment"))
_AFTERWARDS = re.compile(rf"\s*(?:below\s*)?(?:{_IN_MESSAGES})(?!\w)", re.IGNORECASE)
_WORD_FIRST = re.compile(
    rf"(?:{_MARKED.pattern}|(?<!\w)#?([^\W\d_]{{2,30}}))\s+(?:(?:{_IN_COMMENTS})|(?:in die"
    rf" kommentare)|kommentieren)(?!\w)",
    re.IGNORECASE,
)


def promises(caption: str) -> list[Promise]:
    """Each once, in the order they stand."""
    found: dict[tuple[str, str], Promise] = {}
    for one in (*_after_verbs(caption), *_before_places(caption)):
        found.setdefault((one.word.casefold(), one.kind), one)
    return list(found.values())


def _after_verbs(caption: str) -> Iterator[Promise]:
    taken = 0
    asks = sorted(
        (
            (match, kind)
            for verbs, kind in _ASKS
            for match in verbs.finditer(caption)
            if _asks(caption[: match.start()], always=verbs is not _ASKS[2][0])
        ),
        # Where two begin at one place, the longer one says more: “schreib mir” before “schreib”.
        key=lambda ask: (ask[0].start(), -ask[0].end()),
    )
    for match, kind in asks:
        if match.start() < taken:
            continue
        shouted = match.group().isupper() and len(match.group()) > 2
        words, end = _words(caption[match.end() : match.end() + _BEHIND], shouted=shouted)
        if not words:
            continue
        taken = match.end() + end
        privately = kind == "dm" or _AFTERWARDS.match(caption, taken) is not None
        yield from (Promise(word, "dm" if privately else "comment") for word in words)


def _asks(before: str, *, always: bool) -> bool:
    """Whether a verb behind this asks people to do something."""
    return _A_NOUN.search(before) is None and (always or _ASKING.search(before) is not None)


def _before_places(caption: str) -> Iterator[Promise]:
    """“PRICE in the comments”, „PREIS kommentieren“."""
    for match in _WORD_FIRST.finditer(caption):
        marked, bare = match.group(1), match.group(2)
        if marked is not None or (bare.isupper() and not match.group().isupper()):
            yield Promise(_tidy(marked or bare), "comment")


def _words(behind: str, *, shouted: bool) -> tuple[list[str], int]:
    """The words at its beginning, and where they end. `shouted`: all is in capitals, which then say nothing."""
    words: list[str] = []
    at, end = _past_filler(behind), 0
    said = _WORD_SAID.match(behind, at)
    if said is not None:
        at = said.end()
    while True:
        one = _one(behind, at, named=said is not None, shouted=shouted)
        if one is None:
            return words, end
        word, end = one
        if word:
            words.append(word)
        between = _OR.match(behind, end)
        if between is None or between.end() == end:
            return words, end
        at = between.end()


def _past_filler(behind: str) -> int:
    at = 0
    while (filler := _FILLER.match(behind, at)) is not None and filler.end() > at:
        # In capitals it may be the word itself: “comment HERE”.
        if filler.group().strip().isupper() and len(filler.group().strip()) > 1:
            return at
        at = filler.end()
    return at


def _one(behind: str, at: int, *, named: bool, shouted: bool) -> tuple[str, int] | None:
    marked = _MARKED.match(behind, at)
    if marked is not None:
        return _tidy(marked[1]), marked.end()
    emoji = _EMOJI.match(behind, at)
    if emoji is not None and emoji[1][0] not in _POINTERS:
        return emoji[1], emoji.end()
    loud: list[str] = []
    end = at
    while (token := _TOKEN.match(behind, end)) is not None:
        capitals = token[1].isupper() and sum(map(str.isalpha, token[1])) >= 2 and not shouted
        if not (capitals or (loud and token[1].isdecimal()) or (named and not loud)):
            break
        loud.append(token[1])
        end = token.end()
        gap = re.compile(r"[ ]").match(behind, end)
        if gap is None or (named and not capitals):
            break
        end = gap.end()
    return (_tidy(" ".join(loud)), end) if loud else None


def _tidy(word: str) -> str:
    return word.strip(" .,!?:;#")[:_LONGEST]
