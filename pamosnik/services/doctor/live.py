"""Whether the app is published. Nobody tells: an unpublished one gets empty lists, and test deliveries alone.

https://developers.facebook.com/docs/instagram-platform/webhooks , and what others met, October 2026.
"""

from pamosnik.instagram import reading
from pamosnik.model.outbox import OutcomeKind
from pamosnik.services.doctor import remedies
from pamosnik.services.doctor.asking import Answers
from pamosnik.services.doctor.checks import Check, bad, good, note
from pamosnik.services.doctor.known import Login


def look(login: Login, answers: Answers) -> Check:
    talks = answers.talks
    counted = [
        (count, one) for count, one in answers.comments if count and one.outcome.kind is OutcomeKind.SENT
    ]
    if counted and all(not any(reading.objects(one.body)) for _, one in counted):
        return bad(
            "app_live",
            f"The app is probably still in Development: Instagram counts {counted[0][0]} below a post (comments),"
            " and the list of them comes back empty. Real webhooks do not come then, either.",
            remedies.PUBLISH,
        )
    told = [one for one in login.heard if not one.recovered]
    real = [one for one in told if not one.test]
    recovered = [one for one in login.heard if one.recovered]
    if not real and any(one.test for one in told):
        seen = "Only tests of Meta's dashboard came in so far, and no real webhook"
        if recovered:
            count = sum(one.count for one in recovered)
            return bad("app_live", f"{seen}, though {count} events were found by reading.", remedies.PUBLISH)
        return bad(
            "app_live",
            f"{seen}: that is how an app in Development behaves.",
            f"{remedies.PUBLISH} If it is Live, write to the account from another one: this check ends with the"
            " first real webhook.",
        )
    wrote = [one for one in real if one.kind in ("message", "story_reply")]
    if wrote and talks.outcome.kind is OutcomeKind.SENT and not any(reading.objects(talks.body)):
        return note(
            "app_live",
            "People wrote, and the list of conversations comes back empty: so it does for an app in Development.",
            remedies.PUBLISH,
        )
    if real or counted:
        return good("app_live", "The app is Live, as far as can be seen.")
    return note(
        "app_live",
        "Whether the app is Live cannot be seen yet: no webhook has come, and there is no comment to compare with.",
        f"{remedies.PUBLISH} Then comment on a post from another account.",
    )
