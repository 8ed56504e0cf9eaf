"""Whatever has happened: replayed with the flows that it met, it comes to the same."""

import asyncio
import json
import re
from collections.abc import Iterable
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pamosnik.rehearsal.replay import record, report, running, shapes
from pamosnik.rehearsal.replay.playing import Playing
from pamosnik.rehearsal.replay.report import Replay
from pamosnik.services import flows
from pamosnik.store import accounts, outbox_rows
from tests.conversations.any_sequence import Action, Comment, OwnerWrites, Pass, Story, Tap, Write
from tests.conversations.test_any_sequence import FIRST, PEOPLE, SECOND, WORDS
from tests.daemon.machine import Machine, machine
from tests.examples import stories

SHOP = FIRST.replace(", post: next", "")
"""For posts the runner waits, up to ten minutes: then an event is not answered when it came in."""

OTHER = SECOND.replace(", post: next", "")

ACTIONS: st.SearchStrategy[Action] = st.one_of(
    st.builds(Comment, PEOPLE, st.sampled_from(["price", "book", "nice"]), st.sampled_from(["m1", "m2"])),
    st.builds(Write, PEOPLE, WORDS),
    st.builds(Tap, PEOPLE, st.integers(0, 3), st.booleans()),
    st.builds(Pass, st.sampled_from([1, 30, 200, 23 * 60, 25 * 60, 7 * 24 * 60 + 1])),
    st.builds(OwnerWrites, PEOPLE),
)


def replayed(shop: Machine, begins: datetime, files: str) -> Replay:
    conn = shop.reader.connection
    [account] = accounts.every(conn)
    proposal = flows.propose(conn, account.id, [("flows.yaml", files)], prune=True)
    assert not proposal.loaded.has_errors, proposal.loaded.problems
    read = record.read(shop.reader, account.id, begins, shop.clock.now(), tracks_links=False)
    return running.run(read, proposal, lambda: None)


def nameless(texts: Iterable[str]) -> list[str]:
    """Usernames are as known now."""
    return [re.sub(r"Hi .*!", "Hi!", text) for text in texts]


@stories(6)
@given(st.lists(ACTIONS, min_size=4, max_size=18))
def test_any_record_comes_to_the_same_again(
    tmp_path_factory: pytest.TempPathFactory, actions: list[Action]
) -> None:
    """Every event its verdict, everybody their messages, and nothing differs from itself. What Instagram refused then
    is not recorded as an event: nothing goes wrong here."""

    async def play() -> None:
        async with machine(tmp_path_factory.mktemp("shop"), SHOP) as shop:
            begins, story = shop.clock.now(), Story(shop, (SHOP,))
            for action in actions:
                await story.play(action)
                await shop.later(seconds=2)  # no two things happen at the same instant
            same = replayed(shop, begins, SHOP)
            assert same.found.is_empty
            other = replayed(shop, begins, OTHER)
            assert all(len(line) <= 60 for line in report.lines(other, width=60, everybody=True))
            assert len(json.dumps(shapes.as_json(other))) > 100
            again = Playing(same.record, same.record.copy()).play(lambda: None)
            for one in same.record.events:
                ended = again.verdicts[one.event.id]
                assert (ended.verdict, ended.flow) == (one.event.incoming.verdict, one.flow_id), ended.reason
            for (_, igsid), person in again.people.items():
                rows = shop.reader.connection.execute(
                    "SELECT content FROM outbox WHERE igsid=? AND status='sent' AND kind IN"
                    " ('message','private_reply') ORDER BY last_attempt_at, seq",
                    (igsid,),
                )
                sent = [outbox_rows.content_from_json(content).text or "" for (content,) in rows]
                told = [
                    deed.text
                    for deed in person.deeds
                    if deed.kind in ("message", "private_reply") and deed.at <= shop.clock.now()
                ]
                assert nameless(told) == nameless(sent)

    asyncio.run(play())
