"""Which variables of the environment an account's flows may name, and what is taken from an answer."""

from pathlib import Path

import pytest

from pamosnik._sqlite import Connection
from pamosnik.services import webhooks
from pamosnik.services.webhooks import BadAnswer
from pamosnik.store import accounts, connections, notices
from tests.store.rows import NOW, connect, database


def _second_account(conn: Connection) -> None:
    account = accounts.Account("a2", "Max", "max@shop.example", "Europe/Warsaw", NOW)
    accounts.insert(conn, account, password_hash="x", wrapped_key=b"x", adult_stated_at=NOW)
    connect(conn, "k2", "179")
    conn.execute("UPDATE connections SET account_id='a2', username='rose.shop_two' WHERE connection_id='k2'")


def test_accounts_of_one_home_do_not_read_each_others_variables(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        conn = opened.connection
        assert [webhooks.may_read(conn, "a1", name) for name in ("FLOW_ANY", "PAMOSNIK_X", "HOME")] == [
            True,
            False,
            False,
        ]
        opened.write(_second_account)
        assert [c.username for c in connections.of_account(conn, "a2")] == ["rose.shop_two"]
        for name, readers in (
            ("FLOW_ROSE_SHOP_KEY", ["a1"]),
            ("FLOW_ROSE_SHOP_TWO_KEY", ["a2"]),
            ("FLOW_ROSE_SHOP_", ["a1"]),
            ("FLOW_KEY", []),
            ("FLOW_rose_shop_KEY", []),
        ):
            assert [a for a in ("a1", "a2") if webhooks.may_read(conn, a, name)] == readers, name
        opened.write(lambda conn: conn.execute("UPDATE connections SET username='rose_shop'"))
        assert not webhooks.may_read(conn, "a1", "FLOW_ROSE_SHOP_KEY"), "whose it is cannot be told"


def test_what_is_taken_from_an_answer() -> None:
    body = b'{"a": {"b": [1.50, {"c": true}]}, "d": null, "e": " x ", "f": "", "1": 1e400}'
    wanted = {
        "a": "a.b.0",
        "b": "a.b.1.c",
        "c": "d",
        "d": "e",
        "e": "f",
        "f": "a.x.y",
        "g": "a.b.7",
        "h": "1",
    }
    assert webhooks.saved(body, wanted) == {
        "a": "1.50",
        "b": "true",
        "c": None,
        "d": "x",
        "e": None,
        "f": None,
        "g": None,
        "h": "1e400",
    }
    assert webhooks.saved(b"not looked at", {}) == {}
    for broken, path in ((b"\xff", "a"), (b"", "a"), (body, "a"), (body, "a.b")):
        with pytest.raises(BadAnswer):
            webhooks.saved(broken, {"x": path})


@pytest.mark.parametrize(
    ("body", "taken"),
    [
        (rb'{"a": "\ud800x"}', "?x"),
        (rb'{"a": "x\u0000y"}', "x\ufffdy"),
        (b'{"a": 1, "a": 2}', "2"),
        (b'{"a": ' + b"9" * 9000 + b"}", "9" * 9000),
    ],
)
def test_hostile_answers_are_taken_as_what_can_be_stored(body: bytes, taken: str) -> None:
    assert webhooks.saved(body, {"x": "a"}) == {"x": taken}


@pytest.mark.parametrize("body", [b'{"a": NaN}', b'{"a": -Infinity}', b'{"a":' * 90_000])
def test_what_is_no_json(body: bytes) -> None:
    with pytest.raises(BadAnswer, match="is no JSON"):
        webhooks.saved(body, {"x": "a"})


def test_a_place_in_a_list_far_beyond_its_end_holds_nothing() -> None:
    assert webhooks.saved(b"[1]", {"x": "9" * 5000, "y": "0"}) == {"x": None, "y": "1"}


def test_a_failing_webhook_is_told_until_that_one_works(tmp_path: Path) -> None:
    with database(tmp_path) as opened:
        opened.write(lambda conn: webhooks.fails(conn, "a1", "crm", "it answers 500", NOW))
        assert [n.message for n in notices.every(opened.connection)] == [
            "The webhook crm fails: it answers 500."
        ]
        assert not webhooks.is_failing(opened.connection, "a1", "cr")
        assert webhooks.is_failing(opened.connection, "a1", "crm")
        opened.write(lambda conn: webhooks.works(conn, "a1"))
        assert notices.every(opened.connection) == []
