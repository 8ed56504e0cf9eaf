"""The sentences Pamosnik says by itself, in four languages; `says` and `disclosure` replace them."""

from pamosnik.model.book import Sentence, Settings
from pamosnik.model.sentences import BUILT_IN, DISCLOSURE

LANGUAGES = tuple(BUILT_IN)


def say(settings: Settings, sentence: Sentence) -> str:
    """The owner's words if there are any, else the built-in ones in the language of the flow files."""
    own = settings.says.get(sentence)
    return own if own is not None else BUILT_IN.get(settings.language, BUILT_IN["en"])[sentence]


def disclosure(settings: Settings) -> str | None:
    """The line that says a machine is writing; None when the owner switched it off."""
    if settings.disclosure is True:
        return DISCLOSURE.get(settings.language, DISCLOSURE["en"])
    return settings.disclosure or None
