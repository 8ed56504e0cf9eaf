"""A home that has lived: what it has counted, and what it shows, against what its rows tell."""

from collections import Counter
from datetime import datetime
from functools import partial

from pamosnik._sqlite import Connection
from pamosnik.clock import VirtualClock
from pamosnik.ids import new_id
from pamosnik.security import tokens
from pamosnik.services.numbers import day_of
from pamosnik.store import accounts, api_tokens
from pamosnik.store.accounts import Account
from pamosnik.store.api_tokens import ApiToken
from tests.daemon.site import Site, logged_in, open_site
from tests.recount import counting, places
from tests.recount.counting import Rows
from tests.recount.history import Lived


async def wrong(lived: Lived) -> list[str]:
    """Everything that is counted or told otherwise than the rows tell."""
    rows = Rows(lived.settings.database, lived.witness)
    counted = counting.counted(rows)
    found = [
        f"totals: {tally}: counted {told}, of the rows {n}"
        for tally, (told, n) in counting.difference(counting.kept(lived.settings.database), counted).items()
    ]
    async with open_site(lived.settings, VirtualClock(lived.now)) as site:
        for account in accounts.every(site.reader.connection):
            seen = await _as_seen(site, lived, account, rows, counted)
            found += [f"{account.name}: {one}" for one in await places.wrong(seen)]
    return found


async def _as_seen(
    site: Site, lived: Lived, account: Account, rows: Rows, counted: Counter[counting.Tally]
) -> places.Seen:
    text = f"pamo_{account.id}"
    await site.writer.write(partial(_give_token, account=account, text=text, now=lived.now))
    cookie = await logged_in(site, account.email)

    async def get(path: str) -> str:
        by_token = path.startswith(("/api/", "/metrics"))
        headers = {"authorization": f"Bearer {text}"} if by_token else {"cookie": cookie}
        answer = await site.ask("GET", path, headers)
        assert answer.status == 200, (path, answer)
        return answer.body.decode()

    return places.Seen(
        account.id,
        account.email,
        lived.settings.home,
        get,
        rows,
        counted,
        day_of(lived.now, account.timezone),
    )


def _give_token(conn: Connection, account: Account, text: str, now: datetime) -> None:
    token = ApiToken(new_id(now), account.id, "recount", now, None)
    api_tokens.insert(conn, token, tokens.token_hash(text))
