"""A served app and a real browser to look at it with."""

import contextlib
import os
import re
import resource
import shutil
import subprocess
import tempfile
import time

import pytest

from tests.cli.conftest import SCRIPT

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 60_000  # of a busy machine


def find_chromium():
    """Path of an installed Chromium; skips the test where there is none."""
    found = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if found is None:
        pytest.skip(f"no browser is installed ({', '.join(_CHROMIUM)})")
    return found


@contextlib.contextmanager
def open_browser():
    """Chromium without a window; skips the test where it can't be driven."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed"
    )
    path = find_chromium()
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=_FLAGS)
        yield browser
        browser.close()


@contextlib.contextmanager
def served(*args):
    """The app served by its command, which can write no scan to any file.

    Yields
    ------
    url : str
    seconds : float
        Until it answered.
    """
    start = time.monotonic()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            [SCRIPT, "app", "--port", "0", *map(str, args)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1"},
            preexec_fn=_forbid_files,
        )
        try:
            url = _address(process, said)
            yield url, time.monotonic() - start
        finally:
            process.terminate()
            process.communicate(timeout=30)


def _forbid_files():
    # A few bytes, with which Python tries out whether a folder can be written to.
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))


def _address(process, said):
    """Read what the command says until it names its address."""
    for line in process.stderr:
        said.write(line)
        found = re.search(r"http://[\w.:]+", line)
        if found:
            return found.group()
    said.seek(0)
    raise AssertionError(f"the app did not start:\n{said.read()}")


def open_page(browser, url, **options):
    """A new visitor's page, and the list of requests that it sends elsewhere."""
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    elsewhere = []
    own = (url, url.replace("http", "ws"), "data:", "blob:")
    page.on(
        "request",
        lambda r: None if r.url.startswith(own) else elsewhere.append(r.url),
    )
    page.goto(url)
    page.get_by_role("heading", name="Classify brain MRI scans").wait_for()
    return page, elsewhere


def upload(page, paths):
    """Give files to the uploader as a visitor does, and wait for the result."""
    page.locator("input[type=file]").set_input_files(list(map(str, paths)))
    count = f"{len(paths)} file{'s' if len(paths) > 1 else ''}"
    page.get_by_role("heading", name=count, exact=True).wait_for()


def shown_class(page):
    text = page.locator(".btc-head .what").first.inner_text()
    return text.split()[0]
