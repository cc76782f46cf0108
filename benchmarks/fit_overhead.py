"""What the estimators cost over bare Keras, and memory over many fits.

    python benchmarks/fit_overhead.py --json fit_overhead.json

Each repeat times all competitors one after the other, in rotating order, and a ratio is
taken within its repeat, so that a busy machine slows both sides of it. Printed are the
median and the range of the ratios, by the clock and in processor time, which depends
less on other programs.

- fit: ``SimpleCNNClassifier.fit`` and ``Pipeline.fit`` over ``Model.fit`` of the same
  network, optimizer and arrays (the pipeline reads from a full cache);
- predict: ``predict_proba`` of one image over ``predict_on_batch``, of many over
  ``Model.predict``;
- memory: growth of the process's memory, in MB a fit, over fits 10 to 30, and the time
  of fit 30 over that of fit 3.
"""

import functools
import tempfile
from pathlib import Path

import common
import keras
import numpy as np
import psutil

from brain_tumor_clf import (
    SimpleCNNClassifier,
    make_brain_mri,
    make_mri_pipeline,
    write_brain_mri,
)
from brain_tumor_clf.networks import simple_cnn

BATCH_SIZE = 32
SEED = 0
TARGETS = {  # ratio -> its upper bound
    "classifier.fit / Model.fit": 1.1,
    "Pipeline.fit, cached / Model.fit": 1.1,
    "predict_proba of one / predict_on_batch": 3.0,
    "predict_proba of many / Model.predict": 1.05,
}
PARTS = ("fit", "predict", "memory")
_FIRST, _WARM = 10, 3  # fits from which on memory and time are compared


def parse_arguments():
    parser = common.make_parser(__doc__)
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--file-size", type=int, default=512, help="pixels a side")
    parser.add_argument("--image-size", type=int, default=128)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--predictions", type=int, default=200, help="of one image")
    parser.add_argument("--fits", type=int, default=30, help="of the part memory")
    return parser.parse_args()


def make_classifier(epochs):
    return SimpleCNNClassifier(epochs=epochs, random_state=SEED)


def fit_competitors(cached, X, y, files, epochs):
    """Return functions that fit anew on the same images, by name."""
    Y = np.eye(4, dtype="float32")[np.unique(y, return_inverse=True)[1]]

    def fit_bare():
        keras.utils.set_random_seed(SEED)
        network = simple_cnn(X.shape[1:], 4, filters=(32, 64), dense_units=64)
        loss = keras.losses.CategoricalCrossentropy(from_logits=True)
        network.compile(keras.optimizers.Adam(1e-3), loss, metrics=["accuracy"])
        network.fit(X, Y, batch_size=BATCH_SIZE, epochs=epochs, verbose=0)

    return {
        "Model.fit": fit_bare,
        "classifier.fit": lambda: make_classifier(epochs).fit(X, y),
        "Pipeline.fit, cached": lambda: cached.fit(files, y),
    }


def predict_competitors(X, y, n_calls):
    """Return functions that predict many images, or one image many times, by name."""
    classifier = make_classifier(1).fit(X, y)
    network = classifier.model_

    def repeat(predict):
        return lambda: [predict(X[:1]) for _ in range(n_calls)]

    return {
        "predict_on_batch": repeat(network.predict_on_batch),
        "predict_proba of one": repeat(classifier.predict_proba),
        "Model.predict": lambda: network.predict(X, batch_size=BATCH_SIZE, verbose=0),
        "predict_proba of many": lambda: classifier.predict_proba(X),
    }


def measure(competitors, repeats):
    """Return seconds (repeats, 2) by the clock and of the processor, by name."""
    times = {name: [] for name in competitors}
    names = list(competitors)
    for function in competitors.values():
        function()  # traces
    for repeat in range(repeats):
        for name in names[repeat % len(names) :] + names[: repeat % len(names)]:
            times[name].append(common.stopwatch(competitors[name]))
    return {name: np.array(values) for name, values in times.items()}


def measure_memory(n_fits):
    """Return the growth of memory and of time over many fits in this process."""
    scans = make_brain_mri(n_samples=64, image_size=(64, 64), random_state=0)
    memory, times = [], []
    for seed in range(n_fits):
        clf = SimpleCNNClassifier(epochs=2, random_state=seed)
        fit = functools.partial(clf.fit, scans.data, scans.target)
        times.append(common.stopwatch(fit))
        memory.append(psutil.Process().memory_info().rss / 1e6)
    late = memory[_FIRST - 1 :]
    clock, processor = np.array(times[-1]) / times[_WARM - 1]
    return {
        "slope_mb_per_fit": float(np.polyfit(np.arange(len(late)), late, 1)[0]),
        "time_last_over_third": float(clock),
        "processor_last_over_third": float(processor),
    }


def summarize(times, label):
    """Return median and range of the ratio of two competitors."""
    above, below = (times[name] for name in label.split(" / "))
    ratios = dict(zip(("clock", "processor"), (above / below).T, strict=True))
    ranges = {f"{kind}_range": [r.min(), r.max()] for kind, r in ratios.items()}
    return {kind: np.median(r) for kind, r in ratios.items()} | ranges


def measure_ratios(args):
    """Return median and range of each ratio, of the parts that are asked for."""
    times = {}
    with tempfile.TemporaryDirectory() as work:
        folder, cache = Path(work, "scans"), Path(work, "cache")
        scans = write_brain_mri(folder, args.images, args.file_size, random_state=SEED)
        classifier = make_classifier(args.epochs)
        cached = make_mri_pipeline(classifier, args.image_size, cache=cache)
        X, y, files = cached[0].fit_transform(scans.data), scans.target, scans.data
        if "fit" in args.parts:
            competitors = fit_competitors(cached, X, y, files, args.epochs)
            times |= measure(competitors, args.repeats)
        if "predict" in args.parts:
            competitors = predict_competitors(X, y, args.predictions)
            times |= measure(competitors, 3 * args.repeats)
    labels = [label for label in TARGETS if label.split(" / ")[0] in times]
    return {label: summarize(times, label) for label in labels}


def main():
    args = parse_arguments()
    report = {}
    if {"fit", "predict"} & set(args.parts):
        report["ratios"] = measure_ratios(args)
        rows = []
        for label, row in report["ratios"].items():
            cells = []
            for kind in ("clock", "processor"):
                low, high = row[f"{kind}_range"]
                cells.append(f"{row[kind]:.2f} ({low:.2f}-{high:.2f})")
            rows.append([label, *cells, f"at most {TARGETS[label]:g}"])
        head = ["ratio", "clock (range)", "processor (range)", "target"]
        print(common.table(head, rows))
    if "memory" in args.parts:
        report["memory"] = measure_memory(args.fits)
        print(*(f"{k}: {v:.2f}" for k, v in report["memory"].items()), sep="\n")
    common.write_json(args.json, report)


if __name__ == "__main__":
    main()
