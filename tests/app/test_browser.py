"""The app in a real browser, served by a process that can write no scan to any file.

``pytest tests/app/test_browser.py -n0 -rP`` also tells how long start and upload took.
"""

import csv
import socket
import time
import urllib.error
import urllib.parse
import urllib.request

import numpy as np
import pytest
from PIL import Image

from brain_tumor_clf import make_brain_mri, save
from brain_tumor_clf.app._results import MAX_FILE_MB
from tests.app.browser import (
    PATIENCE_MS,
    open_browser,
    open_page,
    served,
    shown_class,
    upload,
)

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def browser():
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def app(browser, fitted, tmp_path_factory):
    """The address of the app."""
    path = tmp_path_factory.mktemp("model") / "model.btc"
    save(fitted, path, metadata={"model_card": "## A network for tests"})
    with served("--model", path) as (url, seconds):
        page, elsewhere = open_page(browser, url)
        print(f"start to answer: {seconds:.1f} s")
        assert elsewhere == []
        page.context.close()
        yield url


@pytest.fixture
def open_app(app, browser):
    """Open the app as a new visitor."""
    pages = []

    def open_it(**options):
        page, elsewhere = open_page(browser, app, **options)
        pages.append((page, elsewhere))
        return page

    yield open_it
    for page, elsewhere in pages:
        assert elsewhere == []  # not a font, not an icon, no statistics
        page.context.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Fifty phantoms as files."""
    folder = tmp_path_factory.mktemp("scans")
    scans = make_brain_mri(50, image_size=64, random_state=1)
    paths = []
    for i, image in enumerate(scans.data):
        paths.append(folder / f"scan-{i:02d}.{'png' if i % 2 else 'jpg'}")
        Image.fromarray(image).save(paths[-1])
    return paths


def test_upload_and_result(open_app, fitted, files):
    page = open_app()
    start = time.monotonic()
    page.locator("input[type=file]").set_input_files(str(files[0]))
    page.locator(".btc-head .what").wait_for()
    print(f"upload to class: {time.monotonic() - start:.2f} s")
    page.get_by_text("The heat map shows which parts").wait_for()
    print(f"upload to heat map: {time.monotonic() - start:.2f} s")
    assert shown_class(page) == fitted.predict([files[0].read_bytes()])[0]
    picture = page.get_by_alt_text("Scan scan-00.jpg with the heat map")
    before = picture.evaluate("image => image.src")
    page.get_by_role("slider", name="Opacity of the heat map").press("End")
    is_another = """src =>
        (document.querySelector('img[alt*="heat map"]')?.src ?? src) != src"""
    page.wait_for_function(is_another, arg=before)


def test_fifty_files_at_once_and_the_csv_file(open_app, fitted, files):
    page = open_app()
    start = time.monotonic()
    upload(page, files)
    print(f"fifty files: {time.monotonic() - start:.2f} s")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV").click()
    with open(download.value.path(), newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["path"] for row in rows) == [path.name for path in files]
    by_name = {path.name: path.read_bytes() for path in files}
    expected = fitted.predict([by_name[row["path"]] for row in rows])
    assert [row["label"] for row in rows] == expected.tolist()


def test_a_broken_file_spoils_its_own_row_alone(open_app, fitted, files, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(files[1].read_bytes()[:400])
    page = open_app()
    upload(page, [files[0], broken])
    page.get_by_text("1 classified, 1 unreadable").wait_for()
    page.get_by_role("button", name="Next").click()
    page.get_by_text("Unreadable").wait_for()
    page.get_by_text("Damaged").first.wait_for()
    page.get_by_role("button", name="Previous").click()
    page.get_by_text("The heat map shows").wait_for()
    assert shown_class(page) == fitted.predict([files[0].read_bytes()])[0]


def test_large_files(open_app, tmp_path):
    """Beyond 1 MB the server would write to disk, were it not told to keep it."""
    wide = np.zeros((1300, 1300), dtype=np.uint16)
    wide[200:1100, 300:1000] = 900
    Image.fromarray(wide).save(tmp_path / "wide.tif")
    assert (tmp_path / "wide.tif").stat().st_size > 3_000_000
    page = open_app()
    upload(page, [tmp_path / "wide.tif"])
    page.get_by_text("wide.tif, 1300x1300 pixels").wait_for()


def test_a_file_beyond_the_limit_is_not_taken(open_app, tmp_path):
    (tmp_path / "huge.png").write_bytes(bytes(MAX_FILE_MB * 2**20 + 1))
    page = open_app()
    page.locator("input[type=file]").set_input_files(str(tmp_path / "huge.png"))
    page.get_by_text(f"File must be {MAX_FILE_MB}.0MB or smaller").wait_for()
    assert page.locator(".btc-head").count() == 0


def test_files_survive_a_look_at_another_page(open_app, files):
    page = open_app()
    upload(page, files[:2])
    page.get_by_role("link", name="Model card").click()
    page.get_by_role("heading", name="A network for tests").wait_for()
    page.get_by_role("link", name="Classify").click()
    page.get_by_role("heading", name="2 files").wait_for()
    page.get_by_role("button", name="Remove these files").click()
    page.get_by_role("heading", name="2 files").wait_for(state="detached")


def test_files_are_dropped_within_a_minute_of_closing_the_page(open_app, app, files):
    page = open_app()
    upload(page, files[:1])
    page.get_by_text("The heat map shows").wait_for()
    source = page.locator("img[alt^=Scan]").get_attribute("src")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV").click()
    addresses = [urllib.parse.urljoin(app, source), download.value.url]
    assert [status(address) for address in addresses] == [200, 200]
    page.close()
    closed = time.monotonic()  # no other visitor comes
    while [status(address) for address in addresses] != [404, 404]:
        assert time.monotonic() - closed < 60
        time.sleep(2)


def status(address):
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE_MS / 1000) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_everything_is_reached_by_the_keyboard(open_app, files):
    page = open_app()
    upload(page, files[:2])
    page.get_by_text("The heat map shows").wait_for()
    # Streamlit fetches the code of each kind of widget when it is first shown.
    for role, name in (
        *(("button", "Next"), ("button", "Download as CSV")),
        *(("combobox", "File"), ("combobox", "Heat map of class")),
        ("slider", "Opacity of the heat map"),
    ):
        page.get_by_role(role, name=name).wait_for()
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "() => { const e = document.activeElement;"
                " return e.getAttribute('aria-label') || e.innerText || e.type }"
            )
        )
    text = " | ".join(map(str, reached))
    for name in (
        *("Model card", "Try a phantom", "File", "Next"),
        *("Heat map of class", "Opacity of the heat map", "Download as CSV"),
    ):
        assert name in text, text
    page.get_by_role("button", name="Next").focus()
    page.keyboard.press("Enter")
    page.get_by_text("scan-01.png, 64x64 pixels").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_in_both_color_schemes(open_app, files, scheme):
    page = open_app(viewport={"width": 360, "height": 740}, color_scheme=scheme)
    upload(page, files[:2])
    page.get_by_text("The heat map shows").wait_for()
    for selector in (".stMain", "body"):
        widths = "e => [e.scrollWidth, e.clientWidth]"
        wanted, there = page.locator(selector).first.evaluate(widths)
        assert wanted <= there
    background = brightness(page, ".stApp", "backgroundColor")
    for selector in (".btc-head .what", ".btc-head .kind", ".btc.soft", "label p"):
        text = brightness(page, selector, "color")
        brighter, darker = max(text, background), min(text, background)
        assert (brighter + 0.05) / (darker + 0.05) >= 4.5, selector  # WCAG 2.2, AA
    assert (background > 0.5) == (scheme == "light")


def brightness(page, selector, name):
    """Relative luminance of a color, as WCAG defines it."""
    color = page.locator(selector).first.evaluate(f"e => getComputedStyle(e).{name}")
    values = [float(v) / 255 for v in color.strip("rgba()").split(",")[:3]]
    linear = [
        v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_phantom(open_app):
    page = open_app()
    page.get_by_role("radio", name="Try a phantom").or_(
        page.get_by_role("button", name="Try a phantom")
    ).first.click()
    page.get_by_text("The prediction says nothing").wait_for()
    assert page.get_by_text("This model has no guard").count()


@pytest.mark.parametrize(
    ("name", "status"), [("localhost", 101), ("127.0.0.1", 101), ("evil.example", 403)]
)
def test_it_answers_to_no_strangers_name(app, name, status):
    """A page from elsewhere may give its own name this machine's address."""
    port = int(app.rpartition(":")[2])
    request = (
        f"GET /_stcore/stream HTTP/1.1\r\nHost: {name}:{port}\r\n"
        f"Origin: http://{name}:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        "\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request.encode())
        assert connection.recv(100).startswith(f"HTTP/1.1 {status}".encode())
