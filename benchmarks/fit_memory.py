"""Memory and time of many fits in one process.

A grid search fits hundreds of networks in one process. This prints the slope of the
process's memory over fits 10 to 30, in MB a fit, and how much longer fit 30 takes than
fit 3, by the clock and in seconds of the processor (which other programs disturb
less)::

    python benchmarks/fit_memory.py [--fits 30] [--early-stopping]
"""

import argparse
import json
import time

import numpy as np
import psutil

from brain_tumor_clf import SimpleCNNClassifier, make_brain_mri

_FIRST, _WARM = 10, 3


def measure(n_fits, early_stopping):
    """Resident memory in MB after each fit; its seconds by clock and by processor."""
    scans = make_brain_mri(n_samples=64, image_size=(64, 64), random_state=0)
    process = psutil.Process()
    memory, clock, processor = [], [], []
    for seed in range(n_fits):
        clf = SimpleCNNClassifier(
            epochs=2, early_stopping=early_stopping, random_state=seed
        )
        start = time.perf_counter(), time.process_time()
        clf.fit(scans.data, scans.target, groups=scans.groups)
        clock.append(time.perf_counter() - start[0])
        processor.append(time.process_time() - start[1])
        memory.append(process.memory_info().rss / 1e6)
    return np.array(memory), np.array(clock), np.array(processor)


def summarize(memory, clock, processor):
    """Slope in MB a fit from fit 10 on, and the last fit's time over the third's."""
    late = memory[_FIRST - 1 :]
    return {
        "slope_mb_per_fit": float(np.polyfit(np.arange(len(late)), late, 1)[0]),
        "time_last_over_third": float(clock[-1] / clock[_WARM - 1]),
        "processor_last_over_third": float(processor[-1] / processor[_WARM - 1]),
        "median_seconds": float(np.median(clock)),
        "memory_mb": [round(value) for value in memory],
    }


def main():
    """Parse, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--fits", type=int, default=30)
    parser.add_argument("--early-stopping", action="store_true")
    options = parser.parse_args()
    if options.fits <= _FIRST:
        parser.error(f"--fits must be more than {_FIRST}, got {options.fits}.")
    print(json.dumps(summarize(*measure(options.fits, options.early_stopping))))


if __name__ == "__main__":
    main()
