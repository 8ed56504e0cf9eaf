"""What `--fix` does at Meta: subscribe the account, register the app's webhooks. Each says it in the audit."""

import asyncio
from datetime import UTC, datetime

from pamosnik.config import Config
from pamosnik.errors import PamosnikError
from pamosnik.instagram.client import Instagram
from pamosnik.instagram.graph import Answer
from pamosnik.instagram.meta_app import MetaApp, done
from pamosnik.model.outbox import OutcomeKind
from pamosnik.services.doctor.asking import bounded
from pamosnik.services.doctor.known import Login
from pamosnik.store import accounts
from pamosnik.store.database import open_database


def subscribe_account(settings: Config, login: Login, ig_id: str, fields: tuple[str, ...]) -> None:
    """Raises `PamosnikError` when Instagram refuses."""
    token = login.token
    assert token is not None

    async def ask() -> Answer:
        async with Instagram(version=settings.graph_version, meta_url=settings.meta_url) as instagram:
            return await bounded(instagram.subscribe(ig_id, token, fields))

    answer = asyncio.run(ask())
    if answer.outcome.kind is not OutcomeKind.SENT or answer.body.get("success") is False:
        raise PamosnikError(f"Instagram refused the subscription: {answer.outcome.reason}.")
    _note(settings, login.account.id, "webhooks subscribed", login.connected.id)


def register_app(settings: Config, account_ids: list[str], callback: str, fields: tuple[str, ...]) -> None:
    """Meta asks the address for the verify token before it answers. Raises `PamosnikError` when it refuses."""
    app_id, secret, verify_token = settings.meta_app_id, settings.meta_app_secret, settings.verify_token
    assert app_id is not None
    assert secret is not None
    assert verify_token is not None

    async def ask() -> Answer:
        async with MetaApp(app_id, secret, version=settings.graph_version, meta_url=settings.meta_url) as app:
            return await bounded(app.subscribe(callback, verify_token, fields))

    answer = asyncio.run(ask())
    if not done(answer):
        raise PamosnikError(
            f"Meta refused {callback}: {answer.outcome.reason}. It asks the address at once, so `pamosnik serve`"
            " has to"
            " run and be reached there."
        )
    for account_id in account_ids:
        _note(settings, account_id, "app's webhooks registered", None)


def _note(settings: Config, account_id: str, action: str, subject: str | None) -> None:
    now = datetime.now(UTC)
    with open_database(settings.database) as database:
        database.write(
            lambda conn: accounts.audit(
                conn, account_id, actor="command", action=action, subject=subject, now=now
            )
        )
