"""What programs do about events: one that nothing answered is tried again with the flows of now."""

from pamosnik._sqlite import Connection
from pamosnik.daemon.api_bodies import Given, yes_or_no
from pamosnik.daemon.api_flows import Machine, Work
from pamosnik.errors import PamosnikError
from pamosnik.services import replaying
from pamosnik.services.library import Library
from pamosnik.services.people import By
from pamosnik.services.reading import events as event_reading
from pamosnik.services.shapes import Shape


def replay(conn: Connection, by: By, what: str, given: Given, machine: Machine) -> Work:
    """Compiles the applied flows ahead, as starting one does."""
    taken_too, dry_run = yes_or_no(given, "again"), yes_or_no(given, "dry_run")
    event, _ = event_reading.named(conn, by.account, what)
    library = Library(machine.address)
    library.catalog(conn, by.account.id)

    def work(writing: Connection) -> Shape:
        done = replaying.replay(writing, library, by, event.id, taken_too=taken_too, dry_run=dry_run)
        if not done.tried and not dry_run:
            raise PamosnikError(f"Nothing is sent. {done.reason}")
        return {**event.shape(), **done.shape()}

    return work
