"""The `Date` of every answer: Instagram's time is the sandbox's, which may have been moved."""

from email.utils import format_datetime

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pamosnik.clock import Clock


class Dated:
    """uvicorn would name the machine's time."""

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = format_datetime(self._clock.now(), usegmt=True).encode()
                message["headers"] = [*message.get("headers", []), (b"date", date)]
            await send(message)

        await self._app(scope, receive, dated)
