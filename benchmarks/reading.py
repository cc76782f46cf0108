"""How fast 512x512 JPEG files become 224x224 grey arrays: ours and others.

    python benchmarks/reading.py [--n 400] [--rounds 5] [--cores 1 2] [--json FILE]

Each number of cores has its own process, bound to these cores. In each round every
reader reads all files once, in turn, so that a busy machine slows them all alike.
Printed are the median images/s, and the median and range over rounds of the ratio to
plain Pillow.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 512
TARGET = 224
BASELINE = "Pillow"


def write_jpegs(folder, n_files, seed=0):
    """Write JPEG files of smooth, noisy ellipses, about as large as real scans."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(n_files):
        height, width = rng.uniform(0.35, 0.45), rng.uniform(0.3, 0.4)
        inside = (y / height) ** 2 + (x / width) ** 2 < 1
        waves = 30 * np.sin(x * rng.uniform(20, 60)) * np.sin(y * rng.uniform(20, 60))
        image = inside * (rng.uniform(60, 160) + waves)
        image = np.clip(image + rng.normal(0, 4, image.shape), 0, 255).astype(np.uint8)
        picture = Image.fromarray(image).convert("RGB")
        picture.save(folder / f"scan_{i:05d}.jpg", quality=90)


def ours(cores):
    from brain_tumor_clf.preprocessing import ImagePipeline, ImageReader, ImageResizer

    steps = [("read", ImageReader(image_size="auto")), ("resize", ImageResizer(TARGET))]
    return ImagePipeline(steps, n_jobs=cores).transform


def over_threads(function, cores):
    def read(paths):
        with ThreadPoolExecutor(cores) as pool:
            return np.stack(list(pool.map(function, paths)))

    return read


def pillow(cores):
    def read(path):
        with Image.open(path) as image:
            return np.asarray(image.convert("L").resize((TARGET, TARGET)))

    return over_threads(read, cores)


def pillow_draft(cores):
    def read(path):
        with Image.open(path) as image:
            image.draft("L", (TARGET, TARGET))
            small = image.convert("L").resize((TARGET, TARGET), reducing_gap=2.0)
            return np.asarray(small)

    return over_threads(read, cores)


def opencv(cores):
    import cv2

    cv2.setNumThreads(1)

    def read(path):
        image = cv2.imread(path, cv2.IMREAD_REDUCED_GRAYSCALE_2)
        return cv2.resize(image, (TARGET, TARGET), interpolation=cv2.INTER_AREA)

    return over_threads(read, cores)


def tf_data(cores):
    import tensorflow as tf

    def decode(path):
        image = tf.io.decode_jpeg(tf.io.read_file(path), channels=1, ratio=2)
        return tf.cast(tf.image.resize(image, (TARGET, TARGET)), tf.uint8)

    def read(paths):
        data = tf.data.Dataset.from_tensor_slices(paths)
        batches = data.map(decode, num_parallel_calls=cores).batch(64)
        return np.concatenate(list(batches.as_numpy_iterator()))

    return read


def keras_generator(cores):
    """Keras' old generator; it has a single thread."""
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    def read(paths):
        flow = ImageDataGenerator().flow_from_directory(
            Path(paths[0]).parent.parent,
            target_size=(TARGET, TARGET),
            color_mode="grayscale",
            class_mode=None,
            batch_size=64,
            shuffle=False,
        )
        return np.concatenate([flow[i] for i in range(len(flow))])

    return read


READERS = {
    "ours": ours,
    BASELINE: pillow,
    "Pillow with draft": pillow_draft,
    "OpenCV, reduced": opencv,
    "tf.data, reduced": tf_data,
    "ImageDataGenerator": keras_generator,
}


def available_readers(cores):
    readers, missing = {}, []
    for name, make in READERS.items():
        try:
            readers[name] = make(cores)
        except ImportError:
            missing.append(name)
    return readers, missing


def measure(folder, cores, rounds):
    """Seconds per round of every reader that is installed."""
    paths = sorted(str(path) for path in Path(folder).rglob("*.jpg"))
    readers, missing = available_readers(cores)
    seconds = {name: [] for name in readers}
    for read in readers.values():
        shape = read(paths[:64]).shape[:3]
        if shape != (min(64, len(paths)), TARGET, TARGET) and shape[0] != len(paths):
            raise RuntimeError(f"A reader returned an array of shape {shape}.")
    for _ in range(rounds):
        for name, read in readers.items():
            start = time.perf_counter()
            read(paths)
            seconds[name].append(time.perf_counter() - start)
    return {"n": len(paths), "seconds": seconds, "missing": missing}


def measure_in_process(folder, cores, rounds):
    command = [sys.executable, __file__, "--worker", folder]
    command += ["--cores", str(cores), "--rounds", str(rounds)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def bind_to(cores):
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


def summarize(result):
    rows = {}
    base = result["seconds"][BASELINE]
    for name, seconds in result["seconds"].items():
        ratios = [b / s for b, s in zip(base, seconds, strict=True)]
        rows[name] = {
            "images_per_s": result["n"] / statistics.median(seconds),
            "ratio": statistics.median(ratios),
            "ratio_min": min(ratios),
            "ratio_max": max(ratios),
        }
    return rows


def print_table(cores, n_images, rows, missing):
    print(f"\n{cores} core{'s' if cores > 1 else ''}, {n_images} images\n")
    print("| reader | images/s | x Pillow (range) |")
    print("|---|---|---|")
    for name, row in rows.items():
        spread = f"{row['ratio_min']:.2f}-{row['ratio_max']:.2f}"
        print(
            f"| {name} | {row['images_per_s']:.0f} | {row['ratio']:.2f} ({spread}) |",
            flush=True,
        )
    for name in missing:
        print(f"| {name} | not installed | |")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=400, help="number of files")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--json", type=Path, help="file for the numbers")
    parser.add_argument("--worker", metavar="FOLDER", help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    args = parse()
    if args.worker:
        bind_to(args.cores[0])
        print(json.dumps(measure(args.worker, args.cores[0], args.rounds)))
        return
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        write_jpegs(Path(folder, "scans"), args.n)
        for cores in args.cores:
            result = measure_in_process(folder, cores, args.rounds)
            rows = summarize(result)
            print_table(cores, result["n"], rows, result["missing"])
            results[cores] = {**result, "rows": rows}
    if args.json:
        args.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
