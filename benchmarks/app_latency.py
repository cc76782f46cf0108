"""Seconds until the web app answers, and until an uploaded scan has its result.

    python benchmarks/app_latency.py scans/*.jpg --model model.btc

The app is started by its command, and used in an installed Chromium. Each file, a scan
that the model classifies, is uploaded on a new page. Times run from the moment at which
the browser is given the file to those at which the class, and then its heat map, are on
the page.
"""

import argparse
import contextlib
import json
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_PATIENCE_MS = 60_000


def parse_arguments(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path, help="scans")
    parser.add_argument("--model", metavar="FILE", help="default: the packaged one")
    parser.add_argument("--json", metavar="FILE")
    return parser.parse_args(argv)


@contextlib.contextmanager
def serve(model):
    """Run the app in a process of its own; yield its address and its start in s."""
    command = [sys.executable, "-m", "brain_tumor_clf.cli", "app", "--port", "0"]
    command += ["--model", str(model)] if model else []
    start = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        for line in process.stderr:
            if found := re.search(r"http://[\w.:]+", line):
                yield found.group(), time.perf_counter() - start
                return
            sys.stderr.write(line)
        raise SystemExit("The app did not start.")
    finally:
        process.terminate()
        process.communicate(timeout=30)


def time_upload(browser, url, file):
    """Seconds from the upload of a file to its class, and to its heat map."""
    context = browser.new_context()
    context.set_default_timeout(_PATIENCE_MS)
    page = context.new_page()
    page.goto(url)
    uploader = page.locator("input[type=file]")
    uploader.wait_for(state="attached")
    page.wait_for_load_state("networkidle")
    start = time.perf_counter()
    uploader.set_input_files([str(file)])
    page.locator(".btc-head .what").first.wait_for()
    classified = time.perf_counter() - start
    page.get_by_text("The heat map shows which parts").first.wait_for()
    colored = time.perf_counter() - start
    context.close()
    return {"file": file.name, "class": classified, "heat_map": colored}


def print_table(found):
    print("| what | median | slowest |")
    print("|---|---|---|")
    print(f"| start, until the app answers | {found['start']:.1f} s | |")
    for title, key in (("class", "class"), ("class and heat map", "heat_map")):
        seconds = [upload[key] for upload in found["uploads"]]
        print(
            f"| upload of one scan, until its {title} is shown | "
            f"{statistics.median(seconds):.2f} s | {max(seconds):.2f} s |"
        )


def main(argv=None):
    args = parse_arguments(argv)
    chromium = next(filter(None, map(shutil.which, _CHROMIUM)))
    with sync_playwright() as driver, serve(args.model) as (url, seconds):
        browser = driver.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        uploads = [time_upload(browser, url, file) for file in args.files]
        browser.close()
    found = {"start": seconds, "uploads": uploads}
    print_table(found)
    if args.json:
        Path(args.json).write_text(json.dumps(found, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
