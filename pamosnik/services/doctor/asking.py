"""One connected account, asked at Instagram: what was answered, and what keeps more from being asked."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass

from pamosnik.instagram import reading
from pamosnik.instagram.client import Instagram
from pamosnik.instagram.graph import Answer
from pamosnik.model.outbox import Outcome, OutcomeKind
from pamosnik.services.doctor import remedies
from pamosnik.services.doctor.checks import Check, bad, good, note
from pamosnik.services.doctor.known import Login

ANSWER_WITHIN_S = 10.0
Post = Mapping[str, object]

_TOKEN_CODES = (190, 102)
_POSTS_COMPARED = 3

_TOKEN_FIXES: Mapping[int | None, str] = {
    458: "Somebody removed the app in Instagram's settings. If it is to work again, make a new token:"
    f" {remedies.NEW_TOKEN}",
    459: "Open the Instagram app as this account and confirm what it asks for (a checkpoint)."
    f" Then make a new token: {remedies.NEW_TOKEN}",
    464: "Confirm the account's e-mail or phone number in the Instagram app."
    f" Then make a new token: {remedies.NEW_TOKEN}",
}


@dataclass(frozen=True, slots=True)
class Answers:
    """What Instagram said about an account whose token is good."""

    me: Mapping[str, object]
    apps: Answer
    talks: Answer
    media: Answer
    captions: Answer
    comments: Sequence[tuple[int, Answer]]
    """(how many there are said to be, the newest) of posts that have some; of the newest post if none has."""

    @property
    def posts(self) -> list[Post]:
        """The newest first; empty also when they were not told."""
        return posts_of(self.media)


def posts_of(media: Answer) -> list[Post]:
    return list(reading.objects(media.body)) if media.outcome.kind is OutcomeKind.SENT else []


def count_of(post: Post) -> int:
    """How many comments it is said to have."""
    count = post.get("comments_count")
    return count if isinstance(count, int) and not isinstance(count, bool) else 0


async def ask(instagram: Instagram, login: Login, token: str) -> list[Check] | Answers:
    """Checks where something keeps more from being asked."""
    me = await bounded(instagram.me(token))
    stopped = _stopped(me.outcome)
    if stopped is not None:
        return stopped
    ig_id = reading.text(me.body.get("user_id")) or login.connected.ig_id
    apps, talks, media, captions = await asyncio.gather(
        bounded(instagram.subscriptions(ig_id, token)),
        bounded(instagram.newest_conversations(token)),
        bounded(instagram.media(ig_id, token)),
        bounded(instagram.captions(ig_id, token)),
    )
    posts = posts_of(media)
    with_some = [one for one in posts if count_of(one)][:_POSTS_COMPARED] or posts[:1]
    asked = [(media_id, one) for one in with_some if (media_id := reading.text(one.get("id"))) is not None]
    comments = await asyncio.gather(
        *(bounded(instagram.comments(media_id, token, limit=1)) for media_id, _ in asked)
    )
    counted = [(count_of(one), answer) for (_, one), answer in zip(asked, comments, strict=True)]
    return Answers(me.body, apps, talks, media, captions, counted)


async def bounded(question: Awaitable[Answer]) -> Answer:
    """No answer in time is one that says so."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            return await question
    except TimeoutError:
        reason = f"no answer within {ANSWER_WITHIN_S:g} seconds"
        return Answer(Outcome(OutcomeKind.UNKNOWN, reason), {})


def _stopped(outcome: Outcome) -> list[Check] | None:
    """What keeps every other question from being asked; None: nothing does."""
    if outcome.kind is OutcomeKind.SENT:
        return None
    if outcome.http_status is None:
        return [_no_answer(outcome)]
    if outcome.kind is OutcomeKind.BACK_OFF:
        told = f"Instagram asks for a pause: {outcome.reason}."
        return [note("instagram", told, "Nothing to do: try again in an hour.")]
    if outcome.code is None:
        return [_no_form(outcome)]
    answers = good("instagram", "Instagram answers.")
    if outcome.kind in (OutcomeKind.RETRY, OutcomeKind.UNKNOWN):
        busy = note(
            "instagram", f"Instagram answers, but not to this now: {outcome.reason}.", "Try again later."
        )
        return [busy]
    if outcome.code in _TOKEN_CODES:
        fix = _TOKEN_FIXES.get(outcome.subcode, f"Make a new token: {remedies.NEW_TOKEN}")
        return [answers, bad("token", f"Instagram does not take the token: {outcome.reason}.", fix)]
    took = good("token", "Instagram takes the token.")
    if outcome.code == 100 and outcome.subcode is None and outcome.kind is OutcomeKind.CONFIGURATION:
        told = (
            "The account has no accepted role in the app: Instagram answers “Unsupported request” (100). The"
            " invitation"
            " as Instagram tester is missing, or nobody accepted it."
        )
        return [answers, took, bad("role", told, remedies.TESTER)]
    if outcome.code == 2500:
        told = f"Graph does not know what is asked for: {outcome.reason}."
        fix = "Look at PAMOSNIK_GRAPH_VERSION (like v26.0) and PAMOSNIK_META_URL: pamosnik config show"
        return [bad("instagram", told, fix)]
    basic = "instagram_business_basic"
    told = f"The token may not even read the account ({basic} is missing): {outcome.reason}."
    return [answers, took, bad("permissions", told, remedies.PERMISSIONS)]


def _no_answer(outcome: Outcome) -> Check:
    return bad(
        "instagram",
        f"Instagram could not be asked: {outcome.reason}. That says nothing about the token.",
        "Look at this machine's connection to the internet. Try: curl -sI https://graph.instagram.com",
    )


def _no_form(outcome: Outcome) -> Check:
    return bad(
        "instagram",
        f"The answer ({outcome.http_status}) is not in Meta's form: Meta has an outage, or something else answers"
        " in its"
        " place. That says nothing about the token.",
        "Try again in a minute; if it stays so, look at PAMOSNIK_META_URL, PAMOSNIK_GRAPH_VERSION and at proxies"
        " on the"
        " way: pamosnik config show",
    )
