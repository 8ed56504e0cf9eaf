"""The canary: is everything that Instagram tells told here? Somebody with a second account tries it, step by step."""

import asyncio
import os
import select
import sys
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TypeVar

from pamosnik._sqlite import Connection
from pamosnik.commands.common import Home, note, now, print_table
from pamosnik.commands.waiting import Pressed, ctrl_c
from pamosnik.errors import PamosnikError
from pamosnik.instagram.client import Instagram
from pamosnik.security import keyring
from pamosnik.services import canary, credentials
from pamosnik.services.people import By
from pamosnik.services.reading import problems
from pamosnik.store import inbox
from pamosnik.store.connections import Connected

T = TypeVar("T")
_LOOKS_EVERY_S = 0.5
_SOON = 60.0
"""Seconds: so long a verdict and an answer of Instagram are waited for."""
_NO_BUTTON = "n"


class Keyboard:
    """Lines that somebody types while something else is waited for."""

    def __init__(self) -> None:
        self._over = False
        self._typed = b""

    def line(self, within_s: float) -> str | None:
        """The next one; None: nothing was typed meanwhile."""
        if self._over:
            time.sleep(within_s)
            return None
        if b"\n" not in self._typed and select.select([sys.stdin], [], [], within_s)[0]:
            # Not by `readline`: it would take further lines, too, and `select` would know nothing of them.
            more = os.read(sys.stdin.fileno(), 1024)
            self._over = not more
            self._typed += more
        line, ended, rest = self._typed.partition(b"\n")
        if not ended:
            return None
        self._typed = rest
        return line.decode("utf-8", "replace").strip().casefold()


class Canary:
    """Goes through the fields of one connected account."""

    def __init__(self, home: Home, connected: "Connected", within: timedelta, pressed: "Pressed") -> None:
        """`within`: so long each step is waited for; `pressed`: Ctrl-C, which goes on to the summary."""
        self._home = home
        self._connected = connected
        self._within = within
        self._pressed = pressed
        self._keyboard = Keyboard()
        self._since = home.read(lambda conn: inbox.newest_id(conn, home.account.id))
        self._item: str | None = None
        """The private reply with the button."""
        self._found: list[tuple[str, str, bool]] = []
        """(field, what came of it, whether it is as it should be)"""

    def run(self, post: str) -> bool:
        """Whether everything that was tried arrived. `post`: what the newest one is called."""
        note("You need a second Instagram account; a friend's will do. Enter skips a step, Ctrl-C ends.")
        shop = self._connected.username
        names = {"post": post, "shop": shop, "link": f"https://ig.me/m/{shop}?ref=pamosnik-test"}
        for number, probe in enumerate(canary.PROBES, 1):
            if self._pressed.yes:
                self._found.append((probe.field, "not waited for", True))
                continue
            arrived = self._step(f"{number} of {len(canary.PROBES)}", probe, names)
            if arrived and probe.field == canary.COMMENTS:
                self._answer()
        print_table(
            [{"field": field, "result": result} for field, result, _ in self._found],
            [("field", "Webhook field"), ("result", "Result")],
            "Nothing was tried.",
        )
        note("Comments on live videos (live_comments) are told during a broadcast only.")
        return all(good for _, _, good in self._found)

    # --- one step ------------------------------------------------------------------------------------

    def _step(self, place: str, probe: canary.Probe, names: Mapping[str, str]) -> bool:
        """Whether it arrived."""
        button = probe.field == canary.BUTTONS
        if button and self._item is None:
            self._is(probe, "not tried: no message with a button has left")
            return False
        note(f"{place}  {probe.field}: from the other account, {probe.task.format(**names)}.")
        if button:
            note(f"        If the message is there without a button, type {_NO_BUTTON} and Enter.")
        began = time.monotonic()
        while not self._pressed.yes and time.monotonic() - began < self._within.total_seconds():
            told = self._home.read(lambda conn: canary.told(conn, self._connected, probe, self._since))
            if told is not canary.Heard.NOT:
                self._arrived(probe, told)
                return True
            typed = self._keyboard.line(_LOOKS_EVERY_S)
            if typed is not None:
                self._typed(probe, typed, button=button)
                return False
        if self._pressed.yes:
            self._found.append((probe.field, "not waited for", True))
            return False
        self._is(probe, f"nothing arrived within {_minutes(self._within)}", good=False)
        self._tell_problems()
        return False

    def _arrived(self, probe: canary.Probe, told: canary.Heard) -> None:
        if told is canary.Heard.ONLY_READ:
            self._is(probe, "found by reading only: Instagram sent no webhook for it", good=False)
            note("        Is the app published, and the field switched on under Configure webhooks?")
            return
        self._is(probe, "arrived")
        if probe.field == canary.BUTTONS:
            self._learn(seen=True)

    def _typed(self, probe: canary.Probe, typed: str, *, button: bool) -> None:
        if button and typed.startswith(_NO_BUTTON):
            self._learn(seen=False)
            self._is(probe, "the button is not shown: private replies will spell their buttons out")
            return
        self._is(probe, "skipped")

    def _is(self, probe: canary.Probe, result: str, *, good: bool = True) -> None:
        note(f"        {probe.field}: {result}")
        self._found.append((probe.field, result, good))

    def _learn(self, *, seen: bool) -> None:
        self._home.write(lambda conn: canary.buttons_were_seen(conn, self._connected, seen=seen))

    def _tell_problems(self) -> None:
        """What Pamosnik knows of that may be the reason."""
        now_ = now()
        found = self._home.read(
            lambda conn: problems.of_account(conn, self._home.account, [self._connected], now_)
        )
        for problem in found:
            note(f"        {problem.message} {problem.fix or ''}")
        if not found:
            note("        Try: pamosnik doctor")

    # --- the private reply ---------------------------------------------------------------------------

    def _answer(self) -> None:
        """Answers the comment, and waits until Instagram has taken that."""
        comment = self._until(lambda conn: canary.the_comment(conn, self._connected, self._since))
        if comment is None:
            note(f"        No comment says {canary.WORD}: no message is sent.")
            return
        try:
            item_id = self._home.write(
                lambda conn: canary.answer(conn, By(self._home.account, "command", now()), comment)
            )
        except PamosnikError as error:
            note(f"        No test message is sent: {error.message}")
            return
        fate = self._until(lambda conn: canary.fate(conn, item_id))
        if fate is None or fate.problem is not None:
            why = "it is still waiting" if fate is None else fate.problem
            note(f"        The private reply has not left: {why}. Try: pamosnik queue show {item_id}")
            self._found.append(("private reply", f"not sent: {why}", False))
            return
        self._found.append(("private reply", "sent", True))
        if fate.without_button:
            note("        Instagram took the private reply, but without its button.")
            return
        note("        Instagram took the private reply.")
        self._item = item_id

    def _until(self, ask: Callable[[Connection], T | None]) -> T | None:
        """The first answer within a minute; None: there was none."""
        for _ in range(int(_SOON / _LOOKS_EVERY_S)):
            found = self._home.read(ask)
            if found is not None or self._pressed.yes:
                return found
            time.sleep(_LOOKS_EVERY_S)
        return None


def try_out(home: Home, connected: Connected, within: timedelta) -> bool:
    """Whether everything that was tried arrived."""

    async def ask() -> str | None:
        settings = home.settings
        keys = keyring.load(settings.key_file, settings.passphrase)
        token = home.read(lambda conn: credentials.token(conn, keys, connected))
        async with Instagram(version=settings.graph_version, meta_url=settings.meta_url) as instagram:
            return await canary.newest_post(instagram, token, connected)

    post = asyncio.run(ask())
    with ctrl_c() as pressed:
        return Canary(home, connected, within, pressed).run(post or "your newest post")


def _minutes(span: timedelta) -> str:
    minutes = span.total_seconds() / 60
    return "a minute" if minutes == 1 else f"{minutes:g} minutes"
