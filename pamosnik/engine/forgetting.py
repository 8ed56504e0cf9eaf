"""The step `forget_me`: asks whether it is meant, and hears a yes or not."""

from datetime import timedelta

from pamosnik.engine import answers, messages, sentences
from pamosnik.engine.working import Turn
from pamosnik.model.book import Sentence, Settings
from pamosnik.model.decision import ForgetPerson
from pamosnik.model.event import Event
from pamosnik.model.run import RunStatus, WaitKind
from pamosnik.model.sentences import YES
from pamosnik.model.step import ForgetMe, Message
from pamosnik.model.text import Text
from pamosnik.model.words import fold, trim

COUNTS_FOR = timedelta(hours=1)
"""A yes that comes later may answer something else."""


def ask(turn: Turn, step: ForgetMe, branch: str) -> bool:
    """True when the question was sent and the line waits for its answer."""
    if not turn.may_send():
        turn.note(step.at, "skipped", "the 24-hour window has closed")
        return False
    settings = turn.facts.settings
    sure = Text((sentences.say(settings, Sentence.FORGET_SURE),))
    messages.send(turn, step.at, Message((sure,)), labels=_labels(settings), remember_variant=False)
    turn.open_wait(WaitKind.ANSWER, step.at.path, turn.now + COUNTS_FOR, branch)
    turn.note(step.at, "waits", "for a yes")
    return True


def confirmed(settings: Settings, text: str | None) -> bool | None:
    """True for a yes, False for a no, None for anything else. The whole text has to say it."""
    heard = trim(fold(text or ""))
    if heard and heard in {trim(fold(word)) for word in (*YES["en"], *YES.get(settings.language, ()))}:
        return True
    number = answers.choose_option(_labels(settings), text, whole_only=True)
    return None if number is None else number == 0


def forget(turn: Turn, step: ForgetMe, event: Event) -> None:
    settings = turn.facts.settings
    said, disclosure = sentences.say(settings, Sentence.FORGOTTEN), sentences.disclosure(settings)
    turn.effects.append(ForgetPerson(event.at, said, disclosure))
    turn.note(step.at, "done", "the person confirmed: everything about them is erased")
    turn.end(RunStatus.STOPPED, "the person is forgotten")


def _labels(settings: Settings) -> tuple[str, str]:
    return sentences.say(settings, Sentence.FORGET_YES), sentences.say(settings, Sentence.FORGET_NO)
