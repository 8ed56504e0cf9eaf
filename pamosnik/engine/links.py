"""Tracked links: addresses of ours that count a click and lead on to the one that the flow names."""

import base64
import hashlib
from collections.abc import Callable, Collection

from pamosnik.model.addresses import addresses, hosts, is_web_address, replaced
from pamosnik.model.decision import NewLink, Tracking

_TOKEN_BYTES = 12


class Tracker:
    """Makes the links of one message; the same address has the same link wherever it stands in it."""

    def __init__(self, tracking: Tracking | None, place: str) -> None:
        """`tracking`: None leaves every address as it is. `place`: run, turn and step."""
        self._tracking = tracking
        self._place = place
        self._made: dict[str, NewLink] = {}

    @property
    def links(self) -> tuple[NewLink, ...]:
        return tuple(self._made.values())

    def address(self, address: str, name: str | None = None) -> str:
        """What stands in the message in place of an address."""
        if self._tracking is None or not is_web_address(address) or self._is_ours(address):
            return address
        link = NewLink(self._token(f"{name or ''}|{address}"), address, name)
        self._made[link.token] = link
        return f"{self._tracking.base}{link.token}"

    def text(self, text: str, whole: str, known_hosts: Collection[str], fits: Callable[[str], bool]) -> str:
        """A text with its addresses tracked, as far as it still fits then.

        `whole`: the text before anything was shortened; an address that was cut is left alone. So are those to hosts
        that the flow does not name: whatever people write could be reached under our name.
        """
        if self._tracking is None:
            return text
        known = set(addresses(whole))
        for address in dict.fromkeys(addresses(text)):
            if address not in known or not hosts(address) <= set(known_hosts):
                continue
            made = dict(self._made)
            tracked = replaced(text, address, self.address(address))
            if fits(tracked):
                text = tracked
            else:
                self._made = made
        return text

    def _is_ours(self, address: str) -> bool:
        return self._tracking is not None and address.startswith(self._tracking.base)

    def _token(self, what: str) -> str:
        assert self._tracking is not None
        digest = hashlib.sha256(f"{self._tracking.seed}|{self._place}|{what}".encode()).digest()
        return base64.urlsafe_b64encode(digest[:_TOKEN_BYTES]).decode()
