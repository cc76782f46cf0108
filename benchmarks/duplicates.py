"""How long copies are searched for, and in how much memory.

    python benchmarks/duplicates.py archive/Training --json duplicates.json

With a folder: seconds to read it and seconds to find the copies after that. Always: the
search alone among synthetic thumbnails, each size in a process of its own. They are
drawn from the principal components of phantoms, so that they are about as alike as
scans are; three in ten are noisy or mirrored copies of others. "Memory" is what the
search adds to the thumbnails themselves.
"""

import argparse
import itertools
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil

from brain_tumor_clf import NearDuplicateGrouper, load_mri_folder, make_brain_mri
from brain_tumor_clf.model_selection._thumbnails import make_thumbnails

_SIZE = 32
_N_PHANTOMS = 300
_N_COMPONENTS = 120
_COPIES = 0.3


def parse_arguments(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", help="class folders of real scans")
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[12_500, 25_000, 50_000, 100_000]
    )
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def draw_thumbnails(n, seed=0):
    """Thumbnails (n, 2, 32, 32) of scans that never were, three in ten copies."""
    rng = np.random.default_rng(seed)
    scans = make_brain_mri(_N_PHANTOMS, image_size=(96, 96), random_state=seed)
    known = np.stack([make_thumbnails(scan, _SIZE) for scan in scans.data])
    flat = known.reshape(_N_PHANTOMS, -1)
    mean = flat.mean(axis=0)
    _, spread, axes = np.linalg.svd(flat - mean, full_matrices=False)
    axes = (axes * spread[:, None] / np.sqrt(_N_PHANTOMS))[:_N_COMPONENTS]
    thumbnails = np.empty((n, 2, _SIZE, _SIZE), dtype=np.float32)
    for start in range(0, n, 5000):
        part = thumbnails[start : start + 5000]
        drawn = mean + rng.normal(size=(len(part), len(axes))) @ axes
        part[:] = np.clip(drawn, 0, 255).reshape(part.shape)
    n_copies = int(_COPIES * n)
    copies = rng.permutation(n)[:n_copies]
    originals = rng.integers(0, n, n_copies)
    for copy, original in zip(copies, originals, strict=True):
        step = -1 if copy % 2 else 1
        thumbnails[copy] = thumbnails[original][..., ::step]
    thumbnails += rng.normal(0, 1, size=thumbnails.shape).astype(np.float32)
    return thumbnails


class Measured:
    """Seconds on the clock and of the processor, and memory above that at the start."""

    def __enter__(self):
        self._start = time.perf_counter(), time.process_time()
        self._process = psutil.Process()
        self.start = self.peak = self._process.memory_info().rss
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _watch(self):
        while not self._stop.wait(0.02):
            self.peak = max(self.peak, self._process.memory_info().rss)

    def __exit__(self, *_):
        self.seconds = time.perf_counter() - self._start[0]
        self.processor_seconds = time.process_time() - self._start[1]
        self._stop.set()
        self._thread.join()
        self.added_mb = (self.peak - self.start) / 2**20

    def to_dict(self):
        return {
            "seconds": round(self.seconds, 2),
            "processor_seconds": round(self.processor_seconds, 2),
            "memory_mb": round(self.added_mb),
        }


def search(n):
    """Seconds and memory of the search among `n` synthetic thumbnails."""
    thumbnails = draw_thumbnails(n)
    grouper = NearDuplicateGrouper(size=_SIZE)
    with Measured() as measured:
        grouper._fit_thumbnails(thumbnails)
    return {
        "images": n,
        **measured.to_dict(),
        "thumbnails_mb": round(thumbnails.nbytes / 2**20),
        "pairs": len(grouper.pairs_),
        "groups": grouper.n_groups_,
    }


def search_folder(folder):
    """Seconds to read a folder, and to search it after that."""
    scans = load_mri_folder(folder)
    grouper = NearDuplicateGrouper()
    start = time.perf_counter()
    thumbnails = grouper._make_thumbnails(scans.data)
    read = time.perf_counter() - start
    with Measured() as measured:
        grouper._fit_thumbnails(thumbnails)
    return {
        "images": len(scans.data),
        "seconds_reading": round(read, 2),
        **measured.to_dict(),
        "pairs": len(grouper.pairs_),
        "groups": grouper.n_groups_,
    }


def growth(rows, column):
    """Exponent of a column's growth with the number of images, between two rows."""
    exponents = [None]
    for before, after in itertools.pairwise(rows):
        ratio = max(after[column], 1e-9) / max(before[column], 1e-9)
        exponents.append(np.log(ratio) / np.log(after["images"] / before["images"]))
    return exponents


def print_synthetic(rows):
    print("| thumbnails | clock, s | CPU, s | growth | memory, MB | growth | pairs |")
    print("|---|---|---|---|---|---|---|")
    by_time, by_memory = growth(rows, "processor_seconds"), growth(rows, "memory_mb")
    for row, *exponents in zip(rows, by_time, by_memory, strict=True):
        shown = ["" if e is None else f"n^{e:.1f}" for e in exponents]
        print(
            f"| {row['images']:,} | {row['seconds']:.1f} | "
            f"{row['processor_seconds']:.1f} | {shown[0]} | "
            f"{row['memory_mb']:,} | {shown[1]} | {row['pairs']:,} |"
        )


def main(argv=None):
    args = parse_arguments(argv)
    if args.one:
        print(json.dumps(search(args.one)))
        return
    results = {"synthetic": []}
    if args.folder:
        results["folder"] = row = search_folder(args.folder)
        print(
            f"{row['images']:,} images: {row['seconds_reading']:.1f} s to read, then "
            f"{row['seconds']:.1f} s and {row['memory_mb']:,} MB to find "
            f"{row['pairs']:,} pairs, {row['groups']:,} groups\n"
        )
    for n in args.sizes:
        command = [sys.executable, __file__, "--one", str(n)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        results["synthetic"].append(json.loads(done.stdout))
    print_synthetic(results["synthetic"])
    if args.json:
        Path(args.json).write_text(json.dumps(results, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
