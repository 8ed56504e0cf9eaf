"""What an error says to try is the command that was typed, with what it lacked."""

import pytest

from pamosnik.commands.again import typed_again
from pamosnik.errors import Again
from tests.cli.in_process import Command, home

__all__ = ["home"]

SAID = {
    "added": ("disconnect shop", Again(("--yes",)), "disconnect shop --yes"),
    "as it was": ("flows apply my.yaml", Again(), "flows apply my.yaml"),
    "another value": ("stats --since soon --json", Again(("--since", "7d")), "stats --json --since 7d"),
    "another value, with =": ("stats --since=soon", Again(("--since", "7d")), "stats --since 7d"),
    "said before": ("delete-account --yes", Again(("--yes", "--email", "a@b.example")), None),
    "before --": ("contacts set @anna size -- -5", Again(("--yes",)), "contacts set @anna size --yes -- -5"),
    "another word": ("contacts tag anna vip", Again(instead={"anna": "01K"}), "contacts tag 01K vip"),
    "quoted": ("export -o a.zip", Again(("-o", "my shop.zip")), "export -o 'my shop.zip'"),
}


@pytest.mark.parametrize("name", SAID)
def test_a_command_once_more(name: str) -> None:
    typed, again, expected = SAID[name]
    expected = expected or "delete-account --yes --email a@b.example"
    assert typed_again(typed.split(), again) == f"pamosnik {expected}"


def test_errors_say_the_command_to_type_next(home: Command) -> None:
    assert "Try: pamosnik --quiet stats --since 7d" in home("--quiet", "stats", "--since", "soon").stderr
    assert home("--account", "nobody@shop.example", "status").stderr.splitlines() == [
        "There is no account nobody@shop.example. There are: rosa@shop.example.",
        "Try: pamosnik status --account rosa@shop.example",
    ]
    asked = home("delete-account").stderr
    assert "Try: pamosnik delete-account --yes --email rosa@shop.example" in asked
