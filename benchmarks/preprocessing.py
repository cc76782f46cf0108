"""The whole preprocessing chain in one go against its steps one after the other.

    python benchmarks/preprocessing.py [--n 5000] [--cores 1 2] [--json FILE]

Reading, cropping, normalising and resizing 512x512 JPEG files to 224x224. Every run is
a process of its own, bound to the cores. Printed are images/s and the peak of memory
above what the process and the result array take.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from reading import TARGET, bind_to, write_jpegs

MEBIBYTE = 2**20
LIMIT = 200  # MiB above the result that one go may take


def make_steps(cores):
    from brain_tumor_clf.preprocessing import (
        HeadCropper,
        ImageReader,
        ImageResizer,
        IntensityNormalizer,
    )

    return [
        ("read", ImageReader(image_size=2 * TARGET, n_jobs=cores)),
        ("crop", HeadCropper(n_jobs=cores)),
        ("normalize", IntensityNormalizer(n_jobs=cores)),
        ("resize", ImageResizer(TARGET, n_jobs=cores)),
    ]


def make_chain(kind, cores):
    if kind == "in one go":
        from brain_tumor_clf.preprocessing import ImagePipeline

        return ImagePipeline(make_steps(cores), n_jobs=cores)
    from sklearn.pipeline import Pipeline

    return Pipeline(make_steps(cores))


def peak_memory():
    """The most memory that this process has held, in bytes."""
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def measure(folder, kind, cores, n_images):
    paths = sorted(str(path) for path in Path(folder).rglob("*.jpg"))[:n_images]
    chain = make_chain(kind, cores)
    chain.fit_transform(paths[:4])  # imports and first allocations
    before = psutil.Process().memory_info().rss
    start = time.perf_counter()
    images = chain.transform(paths)
    seconds = time.perf_counter() - start
    return {
        "n": len(paths),
        "images_per_s": len(paths) / seconds,
        "result_mib": images.nbytes / MEBIBYTE,
        "extra_mib": (peak_memory() - before - images.nbytes) / MEBIBYTE,
    }


def measure_in_process(folder, kind, cores, n_images):
    command = [sys.executable, __file__, "--worker", folder, "--kind", kind]
    command += ["--cores", str(cores), "--n", str(n_images)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=5000, help="number of files")
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--json", type=Path, help="file for the numbers")
    parser.add_argument("--worker", metavar="FOLDER", help=argparse.SUPPRESS)
    parser.add_argument("--kind", default="in one go", help=argparse.SUPPRESS)
    return parser.parse_args()


def run(folder, cores_list, n_images):
    """Measure each way on each number of cores, and one go on fewer images too."""
    runs = []
    for cores in cores_list:
        for kind, n in (
            ("in one go", n_images // 5),
            ("in one go", n_images),
            ("one after the other", n_images),
        ):
            row = measure_in_process(folder, kind, cores, n)
            runs.append({"kind": kind, "cores": cores, **row})
            print(
                f"| {kind} | {cores} | {row['n']:,} | {row['images_per_s']:.0f} "
                f"| {row['result_mib']:.0f} | {row['extra_mib']:.0f} |",
                flush=True,
            )
    return runs


def main():
    args = parse()
    if args.worker:
        bind_to(args.cores[0])
        print(json.dumps(measure(args.worker, args.kind, args.cores[0], args.n)))
        return 0
    print("| chain | cores | images | images/s | result, MiB | above it, MiB |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        write_jpegs(Path(folder, "scans"), args.n)
        runs = run(folder, args.cores, args.n)
    if args.json:
        args.json.write_text(json.dumps(runs, indent=1))
    worst = max(row["extra_mib"] for row in runs if row["kind"] == "in one go")
    print(f"\nIn one go: at most {worst:.0f} MiB above the result (limit {LIMIT}).")
    return 0 if worst < LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
