"""The app's own subscription to webhooks, which stands beside each account's: where Meta sends them, and which.

https://developers.facebook.com/docs/graph-api/reference/app/subscriptions/ (October 2026). It belongs to the Meta app
(App settings → Basic), not to the Instagram app. Whether it manages the webhooks of "API setup with Instagram login"
in every app is unconfirmed: Meta's dashboard is the safe way.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType

from pamosnik.instagram import errors, reading
from pamosnik.instagram.graph import Answer, Graph
from pamosnik.model.outbox import OutcomeKind

GRAPH = "https://graph.facebook.com"
OBJECT = "instagram"


@dataclass(frozen=True, slots=True)
class AppSubscription:
    """What the app hears of Instagram."""

    callback_url: str | None
    active: bool
    fields: tuple[str, ...]


class MetaApp:
    """Requests in the app's own name. Close it, or use it as a context."""

    def __init__(self, app_id: str, secret: str, *, version: str, meta_url: str | None = None) -> None:
        """`meta_url`: one base address in place of all of Meta's hosts."""
        self._graph = Graph(meta_url or GRAPH, version, name="Meta")
        self._path = f"{app_id}/subscriptions"
        self._token = f"{app_id}|{secret}"

    async def __aenter__(self) -> "MetaApp":
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._graph.close()

    async def subscriptions(self) -> Answer:
        """What the app is subscribed to; `subscription` reads it."""
        answer = await self._graph.request("GET", self._path, token=self._token)
        if not _token_may_be_unread(answer):
            return answer
        return await self._graph.request("GET", self._path, token=None, params={"access_token": self._token})

    async def subscribe(self, callback_url: str, verify_token: str, fields: tuple[str, ...]) -> Answer:
        """Tells Meta where to send these fields, in place of what it was told before; `done` says whether it took it.
        Meta asks the address for its word before it answers."""
        form = {
            "object": OBJECT,
            "callback_url": callback_url,
            "verify_token": verify_token,
            "fields": ",".join(fields),
            "include_values": "true",
        }
        answer = await self._graph.request("POST", self._path, token=self._token, form=form)
        if not _token_may_be_unread(answer):
            return answer
        documented = {**form, "access_token": self._token}
        return await self._graph.request("POST", self._path, token=None, form=documented)


def _token_may_be_unread(answer: Answer) -> bool:
    """Meta documents the token as a parameter. Addresses end up in logs: the header is tried first."""
    outcome = answer.outcome
    return outcome.kind not in (OutcomeKind.SENT, OutcomeKind.BACK_OFF) and outcome.code not in (
        None,
        errors.CALLBACK_REFUSED,
    )


def subscription(answer: Answer) -> AppSubscription | None:
    """The app's subscription to Instagram; None when there is none, or Meta did not tell."""
    for one in reading.objects(answer.body):
        if one.get("object") == OBJECT:
            return AppSubscription(
                callback_url=reading.text(one.get("callback_url")),
                active=one.get("active") is not False,
                fields=tuple(_names(one.get("fields"))),
            )
    return None


def done(answer: Answer) -> bool:
    """Whether Meta took it: `true`, or the text "true" as in Meta's example."""
    return answer.outcome.kind is OutcomeKind.SENT and answer.body.get("success") in (True, "true")


def _names(fields: object) -> list[str]:
    """Objects with a name, or names alone, as Graph told them before."""
    given = fields if isinstance(fields, list) else []
    names = (reading.text(one.get("name") if isinstance(one, Mapping) else one) for one in given)
    return [name for name in names if name is not None]
