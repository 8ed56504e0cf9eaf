"""Whether anything is applied that could answer."""

from collections.abc import Iterator

from pamosnik.services.doctor import needed
from pamosnik.services.doctor.checks import Check, Found, bad, good, note
from pamosnik.services.doctor.known import Known
from pamosnik.store.connections import ConnectionStatus

_APPLY = "Try: pamosnik flows apply flows.yaml"


def look(known: Known) -> Iterator[Check]:
    """One for each account."""
    several = len(known.accounts) > 1
    for account, catalog in known.accounts:
        whose = f" by {account.email}" if several else ""
        connected = any(
            one.account.id == account.id and one.connected.status is ConnectionStatus.ACTIVE
            for one in known.logins
        )
        count = len(catalog.book.flows)
        if not count and connected:
            yield bad("flows", f"No flow is applied{whose}: nobody is answered.", _APPLY)
        elif not count:
            yield note("flows", f"No flow is applied{whose}.", _APPLY)
        elif len(catalog.paused) == count:
            told = f"All {count} applied flows{whose} are paused: nobody is answered."
            yield Check("flows", Found.NOTE, told, "Try: pamosnik flows resume FLOW")
        else:
            fields = ", ".join(needed.fields(catalog.book.flows)) or "none"
            yield good("flows", f"{count} applied{whose}; webhook fields they need: {fields}.")
