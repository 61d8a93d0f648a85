"""A browser for the tests of the page, if this machine has one.

``python -m tests.label.browser`` says which; its status is 1 if there is none.
"""

import os
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Set where the tests must not be skipped.
REQUIRED = "SKPAIRCLUST_BROWSER_TESTS"


def find_browser():
    """Return the path of a Chromium, None if there is none."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        with sync_playwright() as playwright:
            own = playwright.chromium.executable_path
        found = own if Path(own).exists() else None
    return found


@contextmanager
def opened_browser(path):
    """A headless browser, for the length of a block."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # the superuser of a container has no sandbox; the page is our own
        arguments = ["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


if __name__ == "__main__":
    path = find_browser()
    print(path or "no browser")
    sys.exit(path is None)
