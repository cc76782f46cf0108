"""What the benchmarks share: arguments, grouped scans, timing, processes, tables.

Importing it imports nothing of the package, so that programs can time the import.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

N_FOLDS = 5


def make_parser(doc, *, scans=False):
    """Return a parser with --json and, if asked, the arguments that name scans."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    if scans:
        parser.add_argument("folder", help="class folders, or Training/ above them")
        parser.add_argument("--groups", metavar="CSV", help="columns file and group")
    parser.add_argument("--json", metavar="FILE", help="write the numbers to a file")
    return parser


def load_grouped_scans(folder, groups=None):
    """Load a folder of class folders, or Training/ in it, with groups."""
    from brain_tumor_clf import load_mri_folder

    subset = "train" if (Path(folder) / "Training").is_dir() else None
    scans = load_mri_folder(folder, subset=subset, groups=groups)
    if scans.groups is None:
        raise SystemExit("Groups are needed: name a table with --groups.")
    return scans


def split(X, y, groups=None, n_folds=N_FOLDS, seed=0):
    """Return shuffled, stratified folds; they keep groups whole if there are any."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    return list(kind(n_folds, shuffle=True, random_state=seed).split(X, y, groups))


def grouped_folds(scans, n_folds=N_FOLDS):
    """Return the folds of scans, the same in every program."""
    return split(scans.data, scans.target, scans.groups, n_folds)


def stopwatch(function):
    """Call a function; return its seconds by the clock and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - clock, time.process_time() - processor


def bind_to(cores):
    """Bind this process to the first cores that it may use."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


def run_json(*command):
    """Run a command in a process of its own; return the JSON of its last line."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"A process failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def run_self(*arguments):
    """Run the current program with other arguments, as `run_json` does."""
    return run_json(sys.executable, sys.argv[0], *arguments)


def table(head, rows):
    """Return a Markdown table."""
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    lines += [f"| {' | '.join(map(str, row))} |" for row in rows]
    return "\n".join(lines)


def write_json(path, document):
    """Write a document to a file, if there is one."""
    if path:
        Path(path).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
