"""Speed of reading 512x512 JPEG files as 224x224 grayscale arrays.

    python benchmarks/reading.py [--n 400] [--rounds 5] [--cores 1 2] [--json FILE]

Each number of cores has its own process, bound to these cores. In each round every
reader reads all files once, in turn, so that a busy machine slows them all alike.
Printed are the median images/s, and the median and range over rounds of the ratio to
plain Pillow.
"""

import argparse
import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import common
import numpy as np
from PIL import Image

SIDE = 512
TARGET = 224
BASELINE = "Pillow"


def parse_arguments():
    parser = common.make_parser(__doc__)
    parser.add_argument("--n", type=int, default=400, help="number of files")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--worker", metavar="FOLDER", help=argparse.SUPPRESS)
    return parser.parse_args()


def write_jpegs(folder, n_files, seed=0):
    """Write JPEG files of noisy ellipses, about as large as those of real scans."""
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


READERS = {
    "ours": ours,
    BASELINE: pillow,
    "Pillow with draft": pillow_draft,
    "OpenCV, reduced": opencv,
    "tf.data, reduced": tf_data,
}


def measure(folder, cores, rounds):
    """Return seconds of every installed reader in each round, by name."""
    common.bind_to(cores)
    paths = sorted(str(path) for path in Path(folder).rglob("*.jpg"))
    seconds, readers = {}, {}
    for name, make in READERS.items():
        seconds[name] = []
        try:
            readers[name] = make(cores)
        except ImportError:
            continue  # stays without seconds
        assert readers[name](paths[:64]).shape[1:3] == (TARGET, TARGET), name
    for _ in range(rounds):
        for name, read in readers.items():
            seconds[name].append(common.stopwatch(lambda read=read: read(paths))[0])
    return {"n": len(paths), "seconds": seconds}


def summarize(result):
    """Return images/s and ratios to the baseline of each installed reader."""
    base = np.array(result["seconds"][BASELINE])
    rows = {}
    for name, seconds in result["seconds"].items():
        if seconds:
            ratios = base / seconds
            rows[name] = {
                "images_per_s": result["n"] / float(np.median(seconds)),
                "ratio": float(np.median(ratios)),
                "ratio_min": float(ratios.min()),
                "ratio_max": float(ratios.max()),
            }
    return rows


def main():
    args = parse_arguments()
    if args.worker:
        print(json.dumps(measure(args.worker, args.cores[0], args.rounds)))
        return
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        write_jpegs(Path(folder, "scans"), args.n)
        for cores in args.cores:
            result = common.run_self(
                "--worker", folder, "--cores", cores, "--rounds", args.rounds
            )
            rows = summarize(result)
            print(f"\n{cores} core{'s' if cores > 1 else ''}, {result['n']} images\n")
            cells = []
            for name, row in rows.items():
                spread = f"{row['ratio_min']:.2f}-{row['ratio_max']:.2f}"
                speed, ratio = f"{row['images_per_s']:.0f}", f"{row['ratio']:.2f}"
                cells.append([name, speed, f"{ratio} ({spread})"])
            missing = [[n, "not installed", ""] for n in READERS if n not in rows]
            head = ["reader", "images/s", "x Pillow (range)"]
            print(common.table(head, [*cells, *missing]), flush=True)
            results[cores] = {**result, "rows": rows}
    common.write_json(args.json, results)


if __name__ == "__main__":
    main()
