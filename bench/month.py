"""`python -m bench.month FOLDER`: a month of a shop's life in FOLDER/home, to try the status page with.

Ten thousand things happen through the real intake, engine and sender, beside a fake Instagram; at the end the numbers
that the page shows are compared with those counted from the rows.
"""

import argparse
import asyncio
import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pamosnik._sqlite import Connection
from pamosnik.clock import VirtualClock
from tests.daemon.machine import home_and_fake, running
from tests.daemon.shop import EMAIL, PASSWORD
from tests.recount import counting
from tests.recount.counting import Rows
from tests.recount.witness import Witness
from tests.shop_life import FLOWS, PUBLIC_URL, Life

DAYS = 30


def _hurry(conn: Connection) -> None:
    """No power cut is to be survived here."""
    conn.execute("PRAGMA synchronous=OFF")


async def month(folder: Path, per_day: int, seed: int) -> None:
    begin = datetime.now(UTC).replace(hour=1) - timedelta(days=DAYS)
    async with (
        home_and_fake(folder, FLOWS, PUBLIC_URL) as (settings, fake),
        running(settings, fake, VirtualClock(begin)) as shop,
    ):
        await shop.writer.alone(_hurry)
        life, began = Life(shop, random.Random(seed)), time.monotonic()
        witness = Witness(folder / "witness.db", shop.clock.now)
        await shop.writer.alone(witness.watch)
        await life.begins()
        await life.lives(DAYS, per_day, viral_day=DAYS // 3)
        took = time.monotonic() - began
    counted = counting.counted(Rows(settings.database, witness.path))
    assert counting.difference(counting.kept(settings.database), counted) == {}
    print(f"{life.done} things in {took:.0f} s; every number equals the one counted from the rows.")
    print(f"Try: PAMOSNIK_HOME={settings.home} pamosnik serve")
    print(f"and log in as {EMAIL} with the password: {PASSWORD}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--per-day", type=int, default=270)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    asyncio.run(month(given.folder, given.per_day, given.seed))


if __name__ == "__main__":
    main()
