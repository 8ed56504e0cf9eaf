"""The audience of a broadcast, taken a few people at a time."""

from pathlib import Path

from pamosnik._sqlite import Connection
from pamosnik.model.contact import Contact
from pamosnik.store import broadcasts
from pamosnik.store.broadcasts import Broadcast
from tests.store.rows import NOW, database, meet


def _begun(looked_until: str) -> Broadcast:
    return Broadcast("b1", "a1", "k1", "news", "v1", NOW, NOW, (0,), looked_until, 0, {}, None, None)


def test_the_next_person_is_found_without_a_look_at_everybody(tmp_path: Path) -> None:
    """All of them were sorted each time: of 5,000 people, taken one by one, half the time of a replay was that."""
    with database(tmp_path) as opened:

        def many(conn: Connection) -> list[Contact]:
            return [meet(conn, str(number)) for number in range(1000)]

        ids = sorted(contact.id for contact in opened.write(many))
        steps = 0

        def count() -> int:
            nonlocal steps
            steps += 1
            return 0

        opened.connection.set_progress_handler(count, 10)
        try:
            found = broadcasts.audience(opened.connection, _begun(ids[500]), 1)
        finally:
            opened.connection.set_progress_handler(None, 0)
        assert found == [ids[501]]
        assert steps < 100
