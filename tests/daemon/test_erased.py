"""Deletions that somebody orders: of a connection, an account, a person. What stays is a receipt without names."""

from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection
from pamosnik.daemon.eraser import Eraser
from pamosnik.errors import NotFound, PamosnikError
from pamosnik.privacy import erase_account
from pamosnik.privacy.subject import REGISTER
from pamosnik.services import erasing
from pamosnik.store import accounts, connections, consents, deletions, exports
from pamosnik.store.consents import How, What
from pamosnik.store.deletions import Cause, MetaTold, Receipt, Scope
from tests.daemon import events
from tests.daemon.bytes_left import left
from tests.daemon.fake import Trouble
from tests.daemon.machine import Machine, machine

pytestmark = pytest.mark.anyio

FLOWS = """
version: 1
flows:
  size:
    when: [dm: size]
    do:
      - ask: { question: "Which size?", save_as: size, choices: [Small, Large] }
      - send: "Noted: {size|?}"
  price:
    when: [comment: price]
    do: [send: "Hi {username|there}!"]
fields:
  size: { type: choice, choices: [Small, Large] }
"""
BELA, CELIA = "900200000000002", "900300000000003"
NAMES = (BELA, "bela.secretive", f"c{BELA}", "what bela wants to know")
OTHERS = (CELIA, "celia.secretive", f"c{CELIA}")


async def _busy(shop: Machine) -> None:
    """Two people who comment, and one that writes."""
    for igsid, name, text in ((BELA, "bela", "what bela wants to know"), (CELIA, "celia", "and celia too")):
        comment = events.comment(
            igsid, f"price: {text}", username=f"{name}.secretive", comment_id=f"c{igsid}"
        )
        await shop.deliver(events.change(comment))
    await shop.works()
    await shop.deliver(events.talk(_message(shop, "900100000000001", "size")))
    await shop.works()


def _message(shop: Machine, igsid: str, text: str) -> events.Json:
    return {**events.message(igsid, text), "timestamp": int(shop.clock.now().timestamp() * 1000)}


def _account(shop: Machine) -> str:
    return accounts.every(shop.reader.connection)[0].id


def _connection(shop: Machine) -> str:
    return connections.of_account(shop.reader.connection, _account(shop))[0].id


async def _disconnect(shop: Machine) -> str:
    begin = partial(
        erasing.begin_disconnect, connection_id=_connection(shop), cause=Cause.COMMAND, actor="command"
    )
    return await shop.writer.write(partial(begin, now=shop.clock.now()))


async def _delete_account(shop: Machine) -> str:
    begin = partial(
        erasing.begin_delete_account, account_id=_account(shop), cause=Cause.COMMAND, actor="command"
    )
    return await shop.writer.write(partial(begin, now=shop.clock.now()))


async def _forget(shop: Machine, who: str) -> list[str]:
    def begin(conn: Connection) -> list[str]:
        found = erasing.people(conn, _account(shop), who)
        now = shop.clock.now()
        return [
            erasing.begin_forget(conn, one, cause=Cause.COMMAND, actor="command", now=now) for one in found
        ]

    return await shop.writer.write(begin)


def _receipt(shop: Machine, deletion_id: str) -> Receipt:
    found = deletions.load(shop.reader.connection, deletion_id)
    assert found is not None
    return found


# --- a connection ----------------------------------------------------------------------------------------


async def test_a_disconnected_account_leaves_nothing_but_a_receipt(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _busy(shop)
        token = connections.sealed_token(shop.reader.connection, _connection(shop))
        assert token is not None
        assert set(left(tmp_path / "home", NAMES)) == set(NAMES)
        sent = len(shop.fake.sent)
        await shop.deliver(events.talk(_message(shop, "900100000000001", "Small")))
        deletion_id = await _disconnect(shop)
        await shop.works()
        assert len(shop.fake.sent) == sent, "what waited never leaves"
        with pytest.raises(PamosnikError, match="is being deleted"):
            await shop.connects()
        await shop.eraser.round()
        receipt = _receipt(shop, deletion_id)
        assert (receipt.ended_at is not None, receipt.subject_id) == (True, None)
        assert (receipt.people, receipt.meta) == (3, MetaTold.TOLD)
        assert shop.fake.subscribed == []
        assert left(tmp_path / "home", [*NAMES, *OTHERS, token, events.IG_ID, "mid."]) == {}
        (said,) = consents.of_account(shop.reader.connection, _account(shop), 1)
        assert (said.what, said.how) == (What.DISCONNECT, How.COMMAND)
        again = await shop.connects()
        assert again.status.value == "active"


@pytest.mark.parametrize(
    ("trouble", "said", "tries"),
    [
        (Trouble(400, 190, 460), MetaTold.REFUSED, 1),
        (Trouble(500, 2), MetaTold.UNREACHABLE, 3),
    ],
    ids=["refused", "unreachable"],
)
async def test_a_deletion_never_hangs_on_meta(
    tmp_path: Path, trouble: Trouble, said: MetaTold, tries: int
) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.trouble = lambda call: trouble if call.path.endswith("/subscribed_apps") else None
        deletion_id = await _disconnect(shop)
        await Eraser(shop.tools, pauses=(0.0, 0.0)).round()
        receipt = _receipt(shop, deletion_id)
        assert receipt.ended_at is not None
        assert (receipt.meta, receipt.meta_tries) == (said, tries)
        asked = [call for call in shop.fake.calls if call.method == "DELETE"]
        assert len(asked) == tries


async def test_meta_is_told_when_nothing_is_under_way_any_more(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _busy(shop)
        now = shop.clock.now()
        sending = partial(_one_is_sending, now=now)
        await shop.writer.write(sending)
        deletion_id = await _disconnect(shop)
        assert not await shop.eraser.round()
        receipt = _receipt(shop, deletion_id)
        assert (receipt.meta, receipt.people) == (MetaTold.DUE, 0)
        shop.move_to(now + timedelta(minutes=6))
        assert await shop.eraser.round()
        assert _receipt(shop, deletion_id).ended_at is not None


def _one_is_sending(conn: Connection, now: datetime) -> None:
    conn.execute(
        "UPDATE outbox SET status='sending', last_attempt_at=? WHERE seq=(SELECT max(seq) FROM outbox)",
        (int(now.timestamp() * 1000),),
    )


# --- an account ------------------------------------------------------------------------------------------


async def test_a_deleted_account_leaves_receipts_that_name_nobody(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _busy(shop)
        conn, account_id = shop.reader.connection, _account(shop)
        earlier = await _forget(shop, BELA)
        await shop.eraser.round()
        (under_way,) = await _forget(shop, CELIA)
        await shop.writer.write(partial(_asked_by_meta, account_id=account_id, deletion_id=under_way))
        kept = _rows(conn, "account_id<>?", account_id)
        deletion_id = await _delete_account(shop)
        assert accounts.is_deleting(conn, account_id)
        assert deletion_id == await _delete_account(shop)
        await shop.eraser.round()
        receipt = _receipt(shop, deletion_id)
        assert (receipt.scope, receipt.account_id, receipt.subject_id) == (Scope.ACCOUNT, "", None)
        assert (receipt.people, receipt.meta, receipt.ended_at is None) == (2, MetaTold.TOLD, False)
        assert deletions.load(conn, under_way) is None
        request = deletions.request(conn, "code")
        assert request is not None
        assert request.deletion == receipt
        assert _receipt(shop, earlier[0]).account_id == ""
        assert _rows(conn, "account_id=?", account_id) == dict.fromkeys(REGISTER, 0)
        assert _rows(conn, "account_id<>?", account_id) == {
            **kept,
            "deletions": kept["deletions"] + 2,
            "deletion_requests": 1,
        }
        assert accounts.every(conn) == []
        secrets = [*NAMES, *OTHERS, events.IG_ID, "rosa@shop.example", "Which size?"]
        assert left(tmp_path / "home", secrets) == {}


def _asked_by_meta(conn: Connection, account_id: str, deletion_id: str) -> None:
    deletions.put_request(
        conn, "code", account_id=account_id, deletion_id=deletion_id, now=datetime.now().astimezone()
    )


def _rows(conn: Connection, where: str, account_id: str) -> dict[str, int]:
    return {
        table: conn.execute(f"SELECT count(*) FROM {table} WHERE {where}", (account_id,)).fetchone()[0]
        for table in REGISTER
    }


async def test_no_table_of_an_account_is_forgotten(tmp_path: Path) -> None:
    """Each has the account's id, and goes before what it points to."""
    async with machine(tmp_path, FLOWS) as shop:
        conn = shop.reader.connection
        order = erase_account.order(conn)
        assert {*order, *erase_account.STAY} == set(REGISTER)
        for table in REGISTER:
            columns = {name for (name,) in conn.execute("SELECT name FROM pragma_table_info(?)", (table,))}
            assert "account_id" in columns, table
        for table in order:
            for (pointed_to,) in conn.execute('SELECT "table" FROM pragma_foreign_key_list(?)', (table,)):
                assert pointed_to == table or order.index(table) < order.index(pointed_to)


# --- a person --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("called", [BELA, "@bela.secretive", f"c{BELA}"], ids=["id", "name", "comment"])
async def test_a_forgotten_person_leaves_nothing(tmp_path: Path, called: str) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _busy(shop)
        await shop.deliver(events.change(events.own_comment(f"c{BELA}", "@bela.secretive: sent!")))
        below = events.comment(CELIA, "me too", username="celia.secretive", comment_id="c-below")
        await shop.deliver(events.change({**below, "parent_id": f"c{BELA}"}))
        await shop.works()
        (deletion_id,) = await _forget(shop, called)
        await shop.eraser.round()
        receipt = _receipt(shop, deletion_id)
        assert (receipt.people, receipt.events > 0, receipt.runs, receipt.messages) == (1, True, 1, 1)
        assert receipt.ended_at is not None
        assert left(tmp_path / "home", NAMES) == {}
        assert set(left(tmp_path / "home", (*OTHERS, "me too"))) == {*OTHERS, "me too"}
        assert await _forget(shop, called) == []


async def test_what_no_id_leads_to_goes_with_the_person(tmp_path: Path) -> None:
    """A public reply in somebody else's thread stands below that one's comment; a comment without an author's id has
    the username alone."""
    flows = """
version: 1
flows:
  price:
    when: [comment: price]
    do: [reply_publicly: { one_of: ["@{username|you}: sent!", "@{username|you}: look!", "@{username|you}: done!"] }]
"""
    async with machine(tmp_path, flows) as shop:
        await _busy(shop)
        (said,) = shop.reader.connection.execute(
            "SELECT message_id FROM outbox WHERE comment_id=? AND kind='comment_reply'", (f"c{BELA}",)
        ).fetchone()
        reply = events.own_comment(f"c{CELIA}", "@bela.secretive: sent!")
        await shop.deliver(events.change({**reply, "id": said}))
        nameless = events.comment(BELA, "no id, says bela", username="bela.secretive", comment_id="c-no-id")
        await shop.deliver(events.change({**nameless, "from": {"id": None, "username": "bela.secretive"}}))
        others = events.comment(
            CELIA, "no id, says celia", username="celia.secretive", comment_id="c-no-id-2"
        )
        await shop.deliver(events.change({**others, "from": {"id": None, "username": "celia.secretive"}}))
        await shop.works()
        await _forget(shop, BELA)
        await shop.eraser.round()
        names = ("bela.secretive", "no id, says bela", str(said))
        assert left(tmp_path / "home", names) == {}
        kept = ("celia.secretive", "no id, says celia")
        assert set(left(tmp_path / "home", kept)) == set(kept)


async def test_somebody_of_whom_there_are_events_alone_is_forgotten(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        comment = events.comment(BELA, "no flow hears this", username="bela.secretive", comment_id="c7")
        await shop.deliver(events.change(comment))
        await shop.works()
        await shop.writer.write(lambda conn: conn.execute("DELETE FROM contacts").rowcount)
        (deletion_id,) = await _forget(shop, "bela.secretive")
        await shop.eraser.round()
        assert _receipt(shop, deletion_id).events == 1
        assert left(tmp_path / "home", [BELA, "bela.secretive", "no flow hears this"]) == {}


async def test_what_waits_for_a_person_dies_first(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await shop.deliver(events.talk(_message(shop, BELA, "size")))
        await shop.runner.round()
        assert shop.states() == ["queued"]
        await _forget(shop, BELA)
        assert shop.states() == ["cancelled"]
        await shop.works()
        assert shop.fake.sent == []
        await shop.eraser.round()
        assert shop.states() == []


async def test_a_farewell_of_which_nobody_knows_whether_it_left_is_not_waited_for_long(
    tmp_path: Path,
) -> None:
    """Killed while it sent "everything is deleted", the daemon once kept the person for ten minutes."""
    async with machine(tmp_path, FLOWS) as shop:
        await shop.deliver(events.talk(_message(shop, BELA, "size")))
        await shop.runner.round()
        now = shop.clock.now()

        def left_unseen(conn: Connection) -> None:
            conn.execute(
                "UPDATE outbox SET status='unknown', last_attempt_at=?", (int(now.timestamp() * 1000),)
            )
            conn.execute("UPDATE contacts SET forget_at=?", (int(now.timestamp() * 1000),))

        await shop.writer.write(left_unseen)
        await shop.eraser.round()
        assert shop.states() == ["unknown"]
        shop.move_to(now + timedelta(minutes=1))
        await shop.eraser.round()
        assert shop.states() == []


async def test_who_is_gone_meanwhile_is_refused_in_words(tmp_path: Path) -> None:
    """While a command asked whether it is meant, the page was faster."""
    async with machine(tmp_path, FLOWS) as shop:
        await shop.deliver(events.talk(_message(shop, BELA, "hello")))
        await shop.works()
        (found,) = erasing.people(shop.reader.connection, _account(shop), BELA)
        connection_id, now = _connection(shop), shop.clock.now()
        await _forget(shop, BELA)
        await shop.eraser.round()
        with pytest.raises(NotFound, match="forgotten already"):
            await shop.writer.write(
                partial(erasing.begin_forget, someone=found, cause=Cause.COMMAND, actor="command", now=now)
            )
        disconnect = partial(
            erasing.begin_disconnect,
            connection_id=connection_id,
            cause=Cause.COMMAND,
            actor="command",
            now=now,
        )
        await shop.writer.write(disconnect)
        await shop.eraser.round()
        with pytest.raises(NotFound, match="deleted already"):
            await shop.writer.write(disconnect)


# --- traces ----------------------------------------------------------------------------------------------


async def test_traces_are_removed_and_what_comes_meanwhile_keeps_its_mark(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        conn, now = shop.reader.connection, shop.clock.now()
        leave = partial(deletions.leave_traces, account_id=_account(shop), now=now)
        await shop.writer.write(leave)
        await shop.eraser.round()
        assert deletions.traces(conn) == []
        await shop.writer.write(leave)
        await shop.eraser.round()
        seen = deletions.traces(conn)
        assert len(seen) == 1, "for traces alone the file is not written anew so soon"
        await shop.writer.write(leave)
        await shop.writer.write(partial(deletions.traces_gone, marks=seen))
        assert len(deletions.traces(conn)) == 1, "more was left while those were being removed"
        await _forget_somebody(shop)
        assert deletions.traces(conn) == []


async def test_a_message_that_is_taken_back_leaves_traces_that_are_removed(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        said = _message(shop, BELA, "what bela regrets")
        await shop.deliver(events.talk(said))
        await shop.works()
        mid = said["message"]["mid"]
        await shop.deliver(events.talk({**said, "message": {"mid": mid, "is_deleted": True}}))
        await shop.works()
        await shop.eraser.round()
        assert left(tmp_path / "home", ["what bela regrets"]) == {}


async def test_an_export_for_the_page_goes_with_the_first_message_that_is_taken_back(tmp_path: Path) -> None:
    """Also while the file is not written anew so soon; one that was begun afterwards stays."""
    async with machine(tmp_path, FLOWS) as shop:
        await shop.writer.write(
            partial(deletions.leave_traces, account_id=_account(shop), now=shop.clock.now())
        )
        await shop.eraser.round()
        shop.move_to(shop.clock.now() + timedelta(minutes=1))
        home, made_at = shop.reader.path.parent, shop.clock.now()
        made = exports.new(home, _account(shop), None, made_at)
        others = exports.new(home, "somebody", None, made_at)
        made.path.parent.mkdir()
        for one in (made, others):
            one.path.write_bytes(b"what bela regrets")
        shop.move_to(made_at + timedelta(minutes=1))
        said = _message(shop, BELA, "what bela regrets")
        gone = {**said, "message": {"mid": said["message"]["mid"], "is_deleted": True}}
        for one_of_them in (said, gone):
            await shop.deliver(events.talk(one_of_them))
            await shop.works()
        assert deletions.any_since(shop.reader.connection, _account(shop), made_at)
        shop.move_to(shop.clock.now() + timedelta(minutes=1))
        later = exports.new(home, _account(shop), None, shop.clock.now())
        later.path.write_bytes(b"without it")
        await shop.eraser.round()
        assert len(deletions.traces(shop.reader.connection)) == 1, "the file waits"
        assert [one.path.exists() for one in (made, others, later)] == [False, True, True]


async def _forget_somebody(shop: Machine) -> None:
    await shop.deliver(events.talk(_message(shop, BELA, "hello")))
    await shop.works()
    await _forget(shop, BELA)
    await shop.eraser.round()


async def test_a_note_for_a_human_does_not_keep_what_was_taken_back(tmp_path: Path) -> None:
    flows = """
version: 1
flows:
  help:
    when: [dm: help]
    do: [hand_over: { note: "wrote: {text|?}" }]
"""
    async with machine(tmp_path, flows) as shop:
        noted = partial(_column, shop.reader.connection, "SELECT paused_note FROM contacts")
        for igsid, text in (("900100000000001", "help, bela is my real name"), ("900100000000002", "help")):
            said = _message(shop, igsid, text)
            await shop.deliver(events.talk(said))
            await shop.works()
            if text != "help":
                mid = said["message"]["mid"]
                gone = events.talk({**said, "message": {"mid": mid, "is_deleted": True}})
        assert noted() == ["wrote: help, bela is my real name", "wrote: help"]
        await shop.deliver(gone)
        await shop.works()
        assert noted() == [None, "wrote: help"]
        await shop.eraser.round()
        assert left(tmp_path / "home", ["bela is my real name"]) == {}


def _column(conn: Connection, asked: str) -> list[object]:
    return [value for (value,) in conn.execute(f"{asked} ORDER BY contact_id")]
