"""Opening a page in the user's browser, which may not exist and must never stop anything."""

import contextlib
import os
import threading
import webbrowser

SWITCHED_OFF_BY = "PAMOSNIK_NO_BROWSER"


def open_page(address: str) -> None:
    """Returns at once; does nothing where there is no browser with a window, or when the variable is set.

    In a thread of its own: some browsers are waited for, and nobody may have to wait for them at the end.
    """
    if os.environ.get(SWITCHED_OFF_BY):
        return
    threading.Thread(target=_open, args=(address,), name="browser", daemon=True).start()


def _open(address: str) -> None:
    with contextlib.suppress(webbrowser.Error, OSError):
        browser = webbrowser.get()
        # Text browsers are "generic" ones, and would take over this terminal; one that the user named is meant.
        if type(browser) is not webbrowser.GenericBrowser or os.environ.get("BROWSER"):
            browser.open(address)
