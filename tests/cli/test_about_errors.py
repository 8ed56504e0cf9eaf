"""Where a command names one of Meta's errors, it says on stderr where that is explained."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection
from pamosnik.store import accounts, notices
from pamosnik.store.database import open_database
from tests.cli.in_process import Command, home

__all__ = ["home"]


def _refused(conn: Connection) -> None:
    account = accounts.every(conn)[0]
    message = "Instagram refused to send for rosas_shop: so it is (Meta's error 200/2534041)."
    notices.raise_notice(conn, account.id, "", "message_refused", message, "Switch it on.", datetime.now(UTC))


@pytest.mark.parametrize("public", [None, "https://bot.shop.example/"])
def test_status_says_where_the_error_is_explained(
    home: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, public: str | None
) -> None:
    assert "About Meta" not in home("status").stderr
    open_database(tmp_path / "home" / "pamosnik.db").write(_refused)
    if public is not None:
        monkeypatch.setenv("PAMOSNIK_PUBLIC_URL", public)
    said = home("status")
    base = "http://127.0.0.1:8788" if public is None else "https://bot.shop.example"
    assert f"About Meta's error 200/2534041: {base}/help/errors#error-200-2534041\n" in said.stderr
    assert "About Meta" not in said.stdout
    assert "About Meta" not in home("status", "--json").stderr
