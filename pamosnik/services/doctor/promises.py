"""Posts that promise something no flow gives: their captions ask people to write a word that nothing takes."""

from collections.abc import Mapping
from datetime import datetime

from pamosnik.engine.catalog import kind_of
from pamosnik.engine.match import Heard
from pamosnik.instagram import reading
from pamosnik.model.outbox import OutcomeKind
from pamosnik.model.trigger import FirstMessageTrigger
from pamosnik.services import matching
from pamosnik.services.doctor.asking import Answers, Post
from pamosnik.services.doctor.checks import Check, bad, good, skipped, waits
from pamosnik.services.doctor.known import Login
from pamosnik.services.doctor.promise_words import Promise, promises
from pamosnik.services.matching import Answer, Ground, Where

_FIRST = kind_of(FirstMessageTrigger())
"""Takes whatever somebody writes first: no answer to these words."""
_TOLD = 10


def look(login: Login, answers: Answers, now: datetime) -> list[Check]:
    """One check for each word that nothing takes, or one that says that all is well."""
    if not login.catalog.book.flows:
        return [waits("promises", "`flows`")]
    told = answers.captions
    if told.outcome.kind is not OutcomeKind.SENT:
        return [skipped("promises", f"Instagram did not tell the captions ({told.outcome.reason})")]
    captions = {
        reading.text(one.get("id")): reading.text(one.get("caption")) for one in reading.objects(told.body)
    }
    posts = {media_id: one for one in answers.posts if (media_id := reading.text(one.get("id"))) is not None}
    broken: dict[tuple[str, str], list[str]] = {}
    lines: dict[tuple[str, str], tuple[Promise, str]] = {}
    kept = 0
    for media_id, caption in captions.items():
        for promise in promises(caption or ""):
            post = posts.get(media_id or "", {})
            answer = _answer(login, promise, media_id or "", post, now)
            if _taken(answer):
                kept += 1
                continue
            key = (promise.word.casefold(), promise.kind)
            broken.setdefault(key, []).append(_named(media_id or "", post))
            lines.setdefault(key, (promise, _line(promise, answer)))
    if not broken:
        read = f"The captions of {len(captions)} post{'' if len(captions) == 1 else 's'} were read:"
        if not kept:
            return [good("promises", f"{read} none asks people for a word.")]
        words = "the one word that they ask" if kept == 1 else f"all {kept} words that they ask"
        return [good("promises", f"{read} flows answer {words} for.")]
    return [_broken(*lines[key], names) for key, names in list(broken.items())[:_TOLD]]


def _broken(promise: Promise, line: str, posts: list[str]) -> Check:
    asks = "to comment" if promise.kind == "comment" else "to write"
    more = f" and {len(posts) - 3} more" if len(posts) > 3 else ""
    where = f"{', '.join(posts[:3])}{more}"
    ask = "asks" if len(posts) == 1 else "ask"
    message = f"{where} {ask} people {asks} “{promise.word}”, and no applied flow answers that."
    return bad("promises", message, f"{line}; then: pamosnik flows apply flows.yaml")


def _answer(login: Login, promise: Promise, media_id: str, post: Post, now: datetime) -> Answer:
    link = reading.text(post.get("permalink"))
    where = Where(login.name, link or media_id, media_id, login.bound)
    ground = Ground(login.catalog, where, login.account.timezone)
    return matching.told(ground, promise.word, promise.kind, now=now).answers[0]


def _taken(answer: Answer) -> bool:
    free = [one for one in answer.takers if one.against is None and one.trigger != _FIRST]
    return answer.safety is not None or bool(free)


def _line(promise: Promise, answer: Answer) -> str:
    against = next((one for one in answer.takers if one.against is not None), None)
    if against is not None:
        return f"The flow {against.flow.id} would take it, but {against.against}: change that"
    line = matching.keyword_line(promise.kind, Heard.of(promise.word))
    added = f"Add under `when:` of a flow: {line}" if line else "Add a trigger for it to a flow"
    near = next((one for one in answer.near), None)
    return added if near is None else f"{added} ({matching.came_close(near)})"


def _named(media_id: str, post: Mapping[str, object]) -> str:
    link, day = reading.text(post.get("permalink")), reading.moment(post.get("timestamp"))
    of_day = "" if day is None else f" of {day:%Y-%m-%d}"
    return f"The post{of_day} ({link or media_id})"
