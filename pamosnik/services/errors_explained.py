"""Where the errors of Meta's that sentences name are explained."""

from collections.abc import Iterable

from pamosnik.instagram import catalogue


def lines(texts: Iterable[object], public: str | None) -> list[str]:
    """One for each error, once. `public`: where the daemon is reached; None: the documentation has the same."""
    base = "docs/meta-errors.md" if public is None else public.rstrip("/") + catalogue.PAGE
    found = dict.fromkeys(one for text in texts for one in catalogue.references(str(text)))
    return [f"About {named}: {base}#{address.partition('#')[2]}" for named, address in found]
