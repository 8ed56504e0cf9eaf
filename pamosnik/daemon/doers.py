"""Who does the errands, one for each kind."""

from collections.abc import Sequence

from pamosnik.daemon.errands import Doer
from pamosnik.daemon.tools import Tools


def doers(tools: Tools) -> Sequence[Doer]:
    """Those of the daemon. Each kind once."""
    return ()
