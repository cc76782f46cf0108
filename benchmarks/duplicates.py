"""Time and memory of the search for copies in a folder.

    python benchmarks/duplicates.py archive/Training --json duplicates.json

Prints the seconds to read the images, and the seconds and the memory to find the copies
after that.
"""

import threading

import common
import psutil

from brain_tumor_clf import NearDuplicateGrouper, load_mri_folder


def measure(function):
    """Call a function; return its seconds, and the memory that it added at its peak."""
    process, stop = psutil.Process(), threading.Event()
    start = peak = process.memory_info().rss

    def watch():
        nonlocal peak
        while not stop.wait(0.02):
            peak = max(peak, process.memory_info().rss)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    clock, processor = common.stopwatch(function)
    stop.set()
    watcher.join()
    return {
        "seconds": round(clock, 2),
        "processor_seconds": round(processor, 2),
        "memory_mb": round((peak - start) / 2**20),
    }


def main():
    parser = common.make_parser(__doc__)
    parser.add_argument("folder", help="class folders")
    args = parser.parse_args()
    scans, made = load_mri_folder(args.folder), []
    grouper = NearDuplicateGrouper()
    reading, _ = common.stopwatch(
        lambda: made.append(grouper._make_thumbnails(scans.data))
    )
    found = {
        "images": len(scans.data),
        "seconds_reading": round(reading, 2),
        **measure(lambda: grouper.fit_thumbnails(made[0])),
        "pairs": len(grouper.pairs_),
        "groups": grouper.n_groups_,
    }
    print(
        f"{found['images']:,} images: {found['seconds_reading']:.1f} s to read, then "
        f"{found['seconds']:.1f} s and {found['memory_mb']:,} MB to find "
        f"{found['pairs']:,} pairs, {found['groups']:,} groups"
    )
    common.write_json(args.json, found)


if __name__ == "__main__":
    main()
