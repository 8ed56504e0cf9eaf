"""Looks at everything: first at what is here, then at the network, all of it at the same time and within a bound."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from pamosnik.config import Config
from pamosnik.errors import PamosnikError
from pamosnik.instagram import reading
from pamosnik.instagram.client import Instagram
from pamosnik.services import home
from pamosnik.services.doctor import (
    account,
    asking,
    checks,
    clock,
    flows,
    known,
    links,
    live,
    logins,
    machine,
    mending,
    meta_app,
    needed,
    promises,
    public,
    subscribed,
    webhooks,
)
from pamosnik.services.doctor import settings as of_settings
from pamosnik.services.doctor.checks import GROUP, Check, Found, Group, note, skipped, waits
from pamosnik.services.doctor.known import Known, Login

WITHIN_S = 45.0
"""For all that is asked over the network."""
_ACCOUNTS_AT_ONCE = 8
_CLOSING_S = 0.05
"""What is left of connections that broke off is put away by the loop, which has to turn for that."""
_OF_LOGINS = tuple(name for name, group in GROUP.items() if group is Group.ACCOUNT)
_ORDER = {name: number for number, name in enumerate(GROUP)}

_NOTHING_CONNECTED = "no Instagram account is connected"

Looks = Awaitable[Sequence[Check]]


def examine(
    settings: Config, only_account: str | None = None, bad_mail: PamosnikError | None = None
) -> list[Check]:
    """All checks, in the order of `GROUP`; what is about an account stands together. `only_account`: an account's id;
    None: all of the machine. `bad_mail`: why no mail server can be read from the settings."""
    now = datetime.now(UTC)
    if settings.home.is_dir():  # a tunnel's address only the running daemon knows
        settings = replace(settings, public_url=home.public_address(settings))
    here = [*machine.look(settings), *of_settings.look(settings, now)]
    found = {check.name: check.found for check in here}
    whole = found["database"] is found["key"] is Found.GOOD
    known_now = _known(settings, only_account, now) if whole else None
    if isinstance(known_now, PamosnikError):
        here.append(checks.refused("login", known_now))
        known_now = None
    stored = list(_stored(settings, known_now, now)) if known_now is not None else []
    asked = asyncio.run(_ask(settings, known_now, now, bad_mail))
    return _sorted([*here, *stored, *asked, *_left_out([*here, *stored, *asked])])


def _known(settings: Config, only_account: str | None, now: datetime) -> Known | PamosnikError:
    try:
        return known.read(settings, only_account, now)
    except PamosnikError as error:
        return error


def _stored(settings: Config, known_now: Known, now: datetime) -> Iterator[Check]:
    """What the database tells."""
    yield clock.of_zone([*known_now.without_zone, *(one for one, _ in known_now.accounts)])
    yield from webhooks.of_the_machine(settings, known_now)
    yield from flows.look(known_now)
    for login in known_now.logins:
        for check in (*logins.look(login, now), *webhooks.of_login(login, now)):
            yield replace(check, connection=login.name)
    if not known_now.logins and not known_now.without_zone:
        yield note("login", "No Instagram account is connected.", "Try: pamosnik connect --token-stdin")


def _left_out(told: Sequence[Check]) -> Iterator[Check]:
    """Every check is told once at least, also one that nothing came to."""
    had = {check.name: check.found for check in told}
    unable = any(had.get(name) is Found.BAD for name in ("database", "key", "timezone"))
    for name in GROUP:
        if name not in had:
            why = "database, key and time zones must be in order first" if unable else _NOTHING_CONNECTED
            yield skipped(name, why)


def _sorted(told: Sequence[Check]) -> list[Check]:
    """Of an account everything stands together."""
    names = list(dict.fromkeys(check.connection or "" for check in told))
    return sorted(
        told,
        key=lambda check: (
            list(Group).index(check.group),
            names.index(check.connection or ""),
            _ORDER[check.name],
        ),
    )


# --- over the network ------------------------------------------------------------------------------------


async def _ask(
    settings: Config, known_now: Known | None, now: datetime, bad_mail: PamosnikError | None
) -> list[Check]:
    compared = clock.Compared()
    looks: list[tuple[tuple[str, ...], Looks]] = [
        (("mail",), _one(machine.mail(settings, bad_mail))),
        (_names(Group.ADDRESS, "address"), public.look(settings, machine.daemon_runs(settings))),
        (("instagram_app",), _one(meta_app.instagram_pair(settings))),
        (
            _names(Group.APP, "app_ids", "app_secret", "graph_version", "instagram_app"),
            _app(settings, known_now, now),
        ),
    ]
    if known_now is not None:
        all_flows = [
            (flow, catalog.book.settings.facts)
            for _, catalog in known_now.accounts
            for flow in catalog.book.flows
        ]
        looks.append((("links",), links.look(all_flows, now)))
        looks.append((("promises",), _accounts(settings, known_now, now, compared.hear)))
    told = await _within(looks)
    await asyncio.sleep(_CLOSING_S)
    return [*told, compared.check()]


async def _within(looks: Sequence[tuple[tuple[str, ...], Looks]]) -> list[Check]:
    """What is not done in time is told as that, under the names it would have told."""

    async def bounded(names: tuple[str, ...], look: Looks) -> Sequence[Check]:
        try:
            async with asyncio.timeout(WITHIN_S):
                return await look
        except TimeoutError:
            return [skipped(name, f"it took longer than {WITHIN_S:g} seconds") for name in names]

    done = await asyncio.gather(*(bounded(names, look) for names, look in looks))
    return [check for told in done for check in told]


def _names(group: Group, *but: str) -> tuple[str, ...]:
    return tuple(name for name, of in GROUP.items() if of is group and name not in but)


async def _one(check: Awaitable[Check]) -> Sequence[Check]:
    return [await check]


async def _app(settings: Config, known_now: Known | None, now: datetime) -> Sequence[Check]:
    accounts = [] if known_now is None else known_now.accounts
    fields = needed.fields(flow for _, catalog in accounts for flow in catalog.book.flows)
    lately = None if known_now is None else webhooks.lately_heard(known_now, now)
    register = partial(mending.register_app, settings, [one.id for one, _ in accounts])
    return await meta_app.look(settings, fields, lately, register)


async def _accounts(
    settings: Config, known_now: Known, now: datetime, hear: Callable[[datetime | None], None]
) -> Sequence[Check]:
    turn = asyncio.Semaphore(_ACCOUNTS_AT_ONCE)
    async with Instagram(
        version=settings.graph_version, meta_url=settings.meta_url, on_answer=hear
    ) as instagram:

        async def one(login: Login) -> list[Check]:
            async with turn:
                return [
                    replace(check, connection=login.name)
                    for check in await _login(settings, instagram, login, now)
                ]

        told = await asyncio.gather(*map(one, known_now.logins))
    return [check for of_one in told for check in of_one]


async def _login(settings: Config, instagram: Instagram, login: Login, now: datetime) -> list[Check]:
    names = [
        name
        for name in (*_OF_LOGINS, "promises")
        if name not in ("login", "token_age", "advanced_access", "sending")
    ]
    if login.token is None:
        return [waits(name, "the login") for name in names]
    answers = await asking.ask(instagram, login, login.token)
    if isinstance(answers, list):
        had = {check.name for check in answers}
        return [*answers, *(waits(name, f"`{answers[-1].name}`") for name in names if name not in had)]
    ids = (settings.instagram_app_id, settings.meta_app_id)
    ig_id = reading.text(answers.me.get("user_id")) or login.connected.ig_id
    mend = partial(mending.subscribe_account, settings, login, ig_id)
    return [
        *account.look(login, answers),
        *subscribed.look(login, answers.apps, ids, mend),
        live.look(login, answers),
        *promises.look(login, answers, now),
    ]
