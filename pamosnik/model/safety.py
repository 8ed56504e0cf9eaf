"""Safety words: what every person can say at any time to stop, to start again, or to reach a human.

A message counts when its whole text is one of them. English always works; the language of the flow files and the
owner's own words come on top.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SafetyWords:
    stop: tuple[str, ...]
    start: tuple[str, ...]
    human: tuple[str, ...]


_BUILT_IN = {
    "en": SafetyWords(
        stop=("stop", "stop all", "unsubscribe", "opt out", "stop messaging me"),
        start=("start", "unstop"),
        human=("human", "agent", "real person", "talk to a human", "speak to a human", "talk to a person"),
    ),
    "de": SafetyWords(
        stop=("stopp", "abmelden", "abbestellen", "keine nachrichten mehr"),
        start=("starten", "anmelden"),
        human=("mensch", "mitarbeiter", "echter mensch", "mit einem menschen sprechen"),
    ),
    "pl": SafetyWords(
        stop=("wypisz", "wypisz mnie", "nie pisz", "przestań", "rezygnuję"),
        start=("wznów", "zapisz mnie"),
        human=("człowiek", "konsultant", "żywy człowiek", "rozmowa z człowiekiem"),
    ),
    "es": SafetyWords(
        stop=("baja", "darme de baja", "alto", "no más mensajes"),
        start=("empezar", "iniciar", "alta"),
        human=("humano", "persona real", "agente", "hablar con una persona"),
    ),
}


def words(language: str) -> SafetyWords:
    """The built-in words of a language, English included."""
    english = _BUILT_IN["en"]
    own = _BUILT_IN.get(language, english)
    if own is english:
        return english
    return SafetyWords(
        stop=english.stop + own.stop, start=english.start + own.start, human=english.human + own.human
    )
