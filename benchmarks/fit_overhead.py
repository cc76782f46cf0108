"""What the estimators cost over bare Keras, and what they save over the notebooks' way.

    python benchmarks/fit_overhead.py --json fit_overhead.json

Each repeat times all competitors one after the other, in an order that turns; a ratio
is taken within its repeat, so that a machine that is busy for a while slows both sides
of it. Reported are the median and the range of the ratios, on the clock and in
processor time (which other programs disturb less).

- fit: ``SimpleCNNClassifier.fit`` and ``Pipeline.fit`` over ``Model.fit`` of the same
  network, optimizer and arrays (the pipeline takes files that are cached already);
- generator: the notebooks' first network as they trained it, from Keras'
  ImageDataGenerator and ``flow_from_directory`` (RGB), over ``Pipeline.fit`` with the
  same brightness, size and files (grey, as is the default here), nothing cached; the
  same with our network in half precision; and the images of all epochs without any
  network, which is what a fast GPU waits for;
- predict: ``predict_proba`` of one image over ``predict_on_batch``, of many over
  ``Model.predict``.
"""

import argparse
import io
import json
import os
import platform
import tempfile
import time
import warnings
from contextlib import redirect_stdout
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import keras
import numpy as np
from sklearn.base import clone

from brain_tumor_clf import SimpleCNNClassifier, make_mri_pipeline, write_brain_mri
from brain_tumor_clf.networks import simple_cnn

BRIGHTNESS = (0.6, 1.4)  # the notebooks' only augmentation
BATCH_SIZE = 32
SEED = 0
# Ratio -> the most that it may be, and the least.
AT_MOST = {
    "classifier.fit / Model.fit": 1.1,
    "Pipeline.fit, cached / Model.fit": 1.1,
    "predict_proba of one / predict_on_batch": 3.0,
    "predict_proba of many / Model.predict": 1.05,
}
AT_LEAST = {"generator path / Pipeline.fit": 2.0}
FOR_COMPARISON = (
    "generator path / Pipeline.fit, bfloat16",
    "its images alone / Pipeline's images alone",
)
PARTS = ("fit", "generator", "predict")


def parse_arguments(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--file-size", type=int, default=512, help="pixels a side")
    parser.add_argument("--image-size", type=int, default=128)
    parser.add_argument(
        "--notebook-size", type=int, default=256, help="image size beside the generator"
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--predictions", type=int, default=200, help="of one image")
    parser.add_argument("--json", metavar="FILE")
    return parser.parse_args(argv)


def stopwatch(function):
    """Seconds on the clock and of the processor that a call takes."""
    cpu, clock = time.process_time(), time.perf_counter()
    function()
    return time.perf_counter() - clock, time.process_time() - cpu


def new_classifier(epochs, augmentation=None):
    return SimpleCNNClassifier(
        epochs=epochs, augmentation=augmentation, random_state=SEED
    )


def new_network(shape):
    """The network that `SimpleCNNClassifier` trains by default, compiled alike."""
    network = simple_cnn(shape, 4, filters=(32, 64), dense_units=64)
    network.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return network


def make_flow(folder, size):
    """The notebooks' way: decode, resize and brighten each file in each epoch."""
    from tensorflow.keras.preprocessing.image import ImageDataGenerator

    # Its scaling to 0..1 is left out: the network, the same on both sides, scales.
    generator = ImageDataGenerator(brightness_range=BRIGHTNESS)
    with redirect_stdout(io.StringIO()):  # it prints how many images it found
        return generator.flow_from_directory(
            folder,
            target_size=(size, size),
            color_mode="rgb",
            batch_size=BATCH_SIZE,
            class_mode="categorical",
            shuffle=True,
            seed=SEED,
        )


def fit_generator(folder, size, epochs):
    flow = make_flow(folder, size)
    with warnings.catch_warnings():
        # The old generator does not call the constructor that Keras now expects.
        warnings.filterwarnings("ignore", message=".*super\\(\\).__init__")
        new_network((size, size, 3)).fit(flow, epochs=epochs, verbose=0)


def draw_from_generator(folder, size, epochs):
    flow = make_flow(folder, size)
    for _ in range(epochs * len(flow)):
        next(flow)


def draw_from_pipeline(preprocess, files, epochs):
    """Read once, then draw each epoch's batches from the array, as `fit` does."""
    X = preprocess.fit_transform(files)
    for epoch in range(epochs):
        order = np.random.default_rng(epoch).permutation(len(X))
        for start in range(0, len(X), BATCH_SIZE):
            X[order[start : start + BATCH_SIZE]].astype("float32")


def make_arrays(scans, folder, args):
    """A pipeline whose cache is full, and what it makes of the scans."""
    cached = make_mri_pipeline(
        new_classifier(args.epochs), args.image_size, cache=folder.parent / "cache"
    )
    return cached, cached[0].fit_transform(scans.data)


def fit_competitors(cached, X, y, files, epochs):
    """Name -> a function that fits anew on the same images."""
    Y = np.eye(4, dtype="float32")[np.unique(y, return_inverse=True)[1]]

    def bare():
        keras.utils.set_random_seed(SEED)
        new_network(X.shape[1:]).fit(
            X, Y, batch_size=BATCH_SIZE, epochs=epochs, verbose=0
        )

    return {
        "Model.fit": bare,
        "classifier.fit": lambda: new_classifier(epochs).fit(X, y),
        "Pipeline.fit, cached": lambda: cached.fit(files, y),
    }


def generator_competitors(scans, folder, args):
    """Name -> a function that fits anew from the same files."""
    size, epochs = args.notebook_size, args.epochs
    # The generator has no crop and no percentiles, so this pipeline has none either.
    pipeline = make_mri_pipeline(
        new_classifier(epochs, "notebook"), size, crop=False, normalize=None
    )
    half = clone(pipeline).set_params(classifier__mixed_precision="mixed_bfloat16")
    return {
        "generator path": lambda: fit_generator(folder, size, epochs),
        "its images alone": lambda: draw_from_generator(folder, size, epochs),
        "Pipeline's images alone": lambda: draw_from_pipeline(
            pipeline[:-1], scans.data, epochs
        ),
        "Pipeline.fit, bfloat16": lambda: half.fit(scans.data, scans.target),
        "Pipeline.fit": lambda: pipeline.fit(scans.data, scans.target),
    }


def measure_fits(competitors, repeats):
    """Name -> array (repeats, 2) of seconds on the clock and of the processor."""
    times = {name: [] for name in competitors}
    names = list(competitors)
    competitors[names[-1]]()  # what only the first fit of a process pays
    for repeat in range(repeats):
        for name in names[repeat % len(names) :] + names[: repeat % len(names)]:
            times[name].append(stopwatch(competitors[name]))
    return {name: np.array(values) for name, values in times.items()}


def measure_predictions(X, y, args):
    """Name -> array (repeats, 2), one repeat being many images or many calls of one."""
    classifier = new_classifier(1).fit(X, y)
    network, one = classifier.model_, X[:1]

    def repeat_call(function):
        return lambda: [function(one) for _ in range(args.predictions)]

    competitors = {
        "predict_on_batch": repeat_call(network.predict_on_batch),
        "predict_proba of one": repeat_call(classifier.predict_proba),
        "Model.predict": lambda: network.predict(X, batch_size=BATCH_SIZE, verbose=0),
        "predict_proba of many": lambda: classifier.predict_proba(X),
    }
    times = {name: [] for name in competitors}
    for function in competitors.values():
        function()  # traces
    for _ in range(3 * args.repeats):
        for name, function in competitors.items():
            times[name].append(stopwatch(function))
    return {name: np.array(values) for name, values in times.items()}


def ratio(times, label):
    """Median, least and greatest ratio of two competitors, clock and processor."""
    above, below = (times[name] for name in label.split(" / "))
    ratios = above / below
    return {
        "clock": np.median(ratios[:, 0]),
        "clock_range": [ratios[:, 0].min(), ratios[:, 0].max()],
        "processor": np.median(ratios[:, 1]),
        "processor_range": [ratios[:, 1].min(), ratios[:, 1].max()],
    }


def judge(label, value):
    """The target in words, and whether it is met."""
    if label in FOR_COMPARISON:
        return "", ""
    if label in AT_LEAST:
        target, met = f"≥ {AT_LEAST[label]:g}", value >= AT_LEAST[label]
    else:
        target, met = f"≤ {AT_MOST[label]:g}", value <= AT_MOST[label]
    return target, "yes" if met else "no"


def as_markdown(report):
    lines = [
        "| ratio | clock: median (range) | processor: median (range) | target | met |",
        "|---|---|---|---|---|",
    ]
    for label, row in report["ratios"].items():
        target, met = judge(label, row["clock"])
        cells = [
            f"{row[kind]:.2f} ({row[kind + '_range'][0]:.2f} to "
            f"{row[kind + '_range'][1]:.2f})"
            for kind in ("clock", "processor")
        ]
        lines.append(f"| {label} | {cells[0]} | {cells[1]} | {target} | {met} |")
    lines += ["", "| | median seconds |", "|---|---|"]
    for name, seconds in report["seconds"].items():
        lines.append(f"| {name} | {seconds:.3g} |")
    return "\n".join(lines)


def main(argv=None):
    args = parse_arguments(argv)
    times = {}
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / "scans"
        scans = write_brain_mri(folder, args.images, args.file_size, random_state=SEED)
        y = scans.target
        cached, X = make_arrays(scans, folder, args)
        if "fit" in args.parts:
            fits = fit_competitors(cached, X, y, scans.data, args.epochs)
            times |= measure_fits(fits, args.repeats)
        if "generator" in args.parts:
            fits = generator_competitors(scans, folder, args)
            times |= measure_fits(fits, args.repeats)
        if "predict" in args.parts:
            times |= measure_predictions(X, y, args)
    labels = [
        x for x in (*AT_MOST, *AT_LEAST, *FOR_COMPARISON) if x.split(" / ")[0] in times
    ]
    seconds = {name: float(np.median(values[:, 0])) for name, values in times.items()}
    for name in {"predict_on_batch", "predict_proba of one"} & set(times):
        seconds[name] /= args.predictions
    report = {
        "settings": {k: v for k, v in vars(args).items() if k != "json"},
        "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}, "
        f"Keras {keras.__version__} on {keras.backend.backend()}",
        "ratios": {label: ratio(times, label) for label in labels},
        "seconds": seconds,
    }
    print(report["machine"], report["settings"], "", as_markdown(report), sep="\n")
    if args.json:
        Path(args.json).write_text(json.dumps(report, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
