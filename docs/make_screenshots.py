"""Take the pictures of the web app; all of them show phantoms.

A small network is trained on phantoms first, which takes some minutes. The extras `app`
and `test`, and Chromium, are needed.

python docs/make_screenshots.py
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright
from sklearn.metrics import confusion_matrix

from brain_tumor_clf import (
    SimpleCNNClassifier,
    make_brain_mri,
    make_mri_pipeline,
    save,
)
from brain_tumor_clf.metrics import risk_coverage_curve

FOLDER = Path(__file__).parent / "figures"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
EDGES = [0, 0.5, 0.7, 0.8, 0.9, 0.95, 1]
THRESHOLD = 0.95
SHOWN = 2  # seed of the phantoms in the pictures
CARD = """## What it is

A small network that was trained on phantoms, to take the pictures of these pages. It
must not be used for anything else.
"""


def train(path, n_samples):
    """Train a network on phantoms and save it with what the app shows of a model."""
    scans = make_brain_mri(n_samples, 128, random_state=0)
    classifier = SimpleCNNClassifier(epochs=20, random_state=0)
    pipe = make_mri_pipeline(classifier, image_size=96, n_jobs=-1)
    pipe.fit(scans.data, scans.target, classifier__groups=scans.groups)
    save(pipe, path, metadata={"model_card": CARD, **measure(pipe)})


def measure(pipe):
    """Measure the network on phantoms of other heads."""
    scans = make_brain_mri(400, 128, random_state=1)
    probabilities = pipe.predict_proba(scans.data)
    predicted = pipe.classes_[probabilities.argmax(axis=1)]
    confidence, right = probabilities.max(axis=1), predicted == scans.target
    n, _ = np.histogram(confidence, EDGES)
    n_right, _ = np.histogram(confidence, EDGES, weights=right.astype(float))
    coverage, risk, _ = risk_coverage_curve(
        scans.target, probabilities, classes=pipe.classes_
    )
    return {
        "abstention": {
            "threshold": THRESHOLD,
            "coverage": float((confidence >= THRESHOLD).mean()),
        },
        "reliability": {
            "edges": EDGES,
            "accuracy": [r / k if k else None for r, k in zip(n_right, n, strict=True)],
            "n": n.tolist(),
        },
        "confusion_matrix": {
            "classes": pipe.classes_.tolist(),
            "counts": confusion_matrix(scans.target, predicted).tolist(),
        },
        "risk_coverage": {"coverage": coverage.tolist(), "risk": risk.tolist()},
    }


def write_scans(folder):
    """Phantoms of heads that the network never saw, and a damaged file."""
    scans = make_brain_mri(5, 256, slices_per_patient=1, random_state=SHOWN)
    paths = []
    for i, (image, label) in enumerate(zip(scans.data, scans.target, strict=True)):
        paths.append(folder / f"phantom-{i + 1}-{label}.png")
        Image.fromarray(image).save(paths[-1])
    cut_off = folder / "cut-off.png"
    cut_off.write_bytes(paths[0].read_bytes()[:2000])
    return [*paths, cut_off]


@contextmanager
def served(*arguments):
    """The app at the address that it announces."""
    command = [sys.executable, "-m", "brain_tumor_clf.cli", "app", "--port", "0"]
    command += map(str, arguments)
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        found = (re.search(r"http://[\d.:]+", line) for line in process.stderr)
        yield next(filter(None, found)).group()
    finally:
        process.terminate()
        process.wait()


def open_page(browser, url, *, width, height, scheme="light"):
    page = browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        device_scale_factor=1.5,
    )
    page.goto(url)
    page.get_by_role("heading", name="Classify brain MRI scans").wait_for()
    return page


def take(page, name):
    """A picture of 256 colors: a third of the bytes."""
    page.mouse.move(0, 0)
    page.wait_for_timeout(1500)  # transitions
    page.wait_for_function("!document.querySelector('[data-testid=stSkeleton]')")
    path = FOLDER / f"{name}.png"
    page.screenshot(path=path)
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(256, dither=Image.Dither.FLOYDSTEINBERG)
    small.save(path, optimize=True)
    print(path.name, f"{path.stat().st_size / 1024:.0f} KB")


def give(page, paths):
    page.locator("input[type=file]").set_input_files(list(map(str, paths)))
    page.get_by_text("The heat map shows").wait_for()


def take_of_uploads(browser, url, paths):
    page = open_page(browser, url, width=1120, height=866)
    give(page, paths[:1])
    take(page, "app_result")
    page.close()
    page = open_page(browser, url, width=1120, height=1400)
    give(page, paths)
    take(page, "app_table")
    page.close()
    page = open_page(browser, url, width=390, height=1120, scheme="dark")
    give(page, paths[1:2])
    take(page, "app_phone")
    page.close()
    page = open_page(browser, url, width=1120, height=1180)
    page.get_by_role("link", name="Model card").click()
    page.get_by_role("heading", name="Selective risk").wait_for()
    take(page, "app_model_card")
    page.close()


def take_of_phantom(browser, url):
    page = open_page(browser, url, width=1120, height=720)
    page.get_by_text("Try a phantom").click()
    page.get_by_text("The guard rejected it").wait_for()
    take(page, "app_phantom")
    page.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-samples", type=int, default=800, help="to train on")
    parser.add_argument(
        "--pictures",
        choices=["uploads", "phantom", "all"],
        default="all",
        help="phantom: only the one of the packaged model, nothing is trained",
    )
    arguments = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    path = next(filter(None, map(shutil.which, BROWSERS)))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        if arguments.pictures != "phantom":
            model = Path(folder) / "phantoms.btc"
            train(model, arguments.n_samples)
            with served("--model", model) as url:
                take_of_uploads(browser, url, write_scans(Path(folder)))
        if arguments.pictures != "uploads":
            with served() as url:
                take_of_phantom(browser, url)
        browser.close()


if __name__ == "__main__":
    main()
