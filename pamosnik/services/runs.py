"""What the owner may do with somebody's way through a flow: end it."""

from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.errors import PamosnikError
from pamosnik.model.run import ENDED, RunStatus
from pamosnik.services import effects
from pamosnik.services.reading import runs
from pamosnik.store import accounts
from pamosnik.store.accounts import Account


def cancel(conn: Connection, account: Account, what: str, *, actor: str, now: datetime) -> str:
    """Ends a run early: it waits for nothing any more, and what it has not sent stays here. Returns the run's id.
    Raises `NotFound`, and `PamosnikError` when it has ended already."""
    run, _ = runs.named(conn, account, what)
    if RunStatus(run.status) in ENDED:
        raise PamosnikError(
            f"{run.id} is {run.status}: there is nothing to cancel.", hint="Try: pamosnik runs list"
        )
    effects.stop_run(conn, run.id, "cancelled by the owner", now)
    accounts.audit(conn, account.id, actor=actor, action="runs cancel", subject=run.id, now=now)
    return run.id
