"""Where this machine is reached from outside. A tunnel may change it at any time: it is asked for when it is used."""


class PublicAddress:
    """One for all parts of a process."""

    def __init__(self, fixed: str | None = None) -> None:
        """`fixed`: as it is set, which nothing changes; None: whatever `found` says."""
        self.fixed = None if fixed is None else fixed.rstrip("/")
        self._found: str | None = None

    @property
    def url(self) -> str | None:
        """Without `/` at its end; None: nowhere that is known."""
        return self.fixed or self._found

    def found(self, url: str | None) -> None:
        """What a tunnel says. It does not count where an address is set."""
        self._found = url
