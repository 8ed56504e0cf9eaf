"""`python -m tests.recount FOLDER`: ten thousand things happen, and every number is counted anew."""

import argparse
import asyncio
import shutil
import sys
import time
from collections import Counter
from pathlib import Path

from tests.recount import comparing, counting, history
from tests.recount.history import Lived


def _told(lived: Lived, seconds: float) -> None:
    rows = counting.Rows(lived.settings.database, lived.witness)
    verdicts = Counter(event["verdict"] for event in rows.events.values())
    kinds = Counter(event["kind"] for event in rows.events.values())
    states = Counter(item["status"] for item in rows.outbox.values())
    print(
        f"{lived.done} things happened in {seconds:.0f} s: {len(rows.events)} events, {len(rows.runs)} runs."
    )
    for name, found in (("events", kinds), ("verdicts", verdicts), ("outbox", states)):
        print(f"{name}: " + ", ".join(f"{n} {word}" for word, n in found.most_common()))
    counted = counting.counted(rows)
    words = Counter[str]()
    for tally, n in counted.items():
        words[tally.what.partition(":")[0]] += n
    print("counted: " + ", ".join(f"{n} {word}" for word, n in words.most_common()))


async def _played(given: argparse.Namespace) -> int:
    began = time.monotonic()
    lived = await history.live(
        given.folder, seed=given.seed, number=given.number, days=given.days, legs=given.legs
    )
    _told(lived, time.monotonic() - began)
    wrong = await comparing.wrong(lived)
    for one in wrong:
        print(one)
    print(
        f"{len(wrong)} numbers are wrong." if wrong else "Every number equals the one counted from the rows."
    )
    return 1 if wrong else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="is made anew; the home is in it")
    parser.add_argument("--number", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=21)
    parser.add_argument(
        "--legs", type=int, default=11, help="each ends with a restart and a change of the flows"
    )
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    shutil.rmtree(given.folder, ignore_errors=True)
    given.folder.mkdir(parents=True)
    return asyncio.run(_played(given))


if __name__ == "__main__":
    sys.exit(main())
