"""Scores of a model on changed images: brighter, blurred, compressed, resized.

    python benchmarks/robustness.py model.btc scans

Scores a saved model on a folder of labeled scans, as they are and after each change. A
network that has learned the scanner or the frame instead of the tumor fails at the
first change of brightness. The scans must be of patients that the model has not seen.
"""

import io

import common
import numpy as np
from PIL import Image, ImageFilter
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from brain_tumor_clf import load, load_mri_folder
from brain_tumor_clf.metrics import tumor_miss_rate

AS_THEY_ARE = "as they are"


def map_levels(function):
    """Return a change of gray levels, as a function on [0, 1]."""
    table = np.clip(function(np.arange(256) / 255), 0, 1) * 255
    levels = np.round(table).astype(np.uint8).tolist()
    return lambda image: image.point(levels * len(image.getbands()))


def recompress(image, quality=15):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert(image.mode)


def resize(factor):
    def change(image):
        width, height = (max(16, round(side * factor)) for side in image.size)
        return image.resize((width, height), Image.Resampling.BICUBIC)

    return change


def add_noise(image, deviation=10, rng=0):
    pixels = np.array(image, dtype=float)
    noise = np.random.default_rng(rng).normal(0, deviation, pixels.shape[:2])
    pixels += noise if pixels.ndim == 2 else noise[..., None]
    return Image.fromarray(np.clip(pixels, 0, 255).round().astype(np.uint8))


def add_border(image):
    width, height = (round(1.4 * side) for side in image.size)
    framed = Image.new(image.mode, (width, height))
    framed.paste(image, ((width - image.width) // 2, (height - image.height) // 2))
    return framed


CHANGES = {
    AS_THEY_ARE: lambda image: image,
    "brighter (gray levels times 1.4)": map_levels(lambda x: 1.4 * x),
    "darker (gray levels times 0.5)": map_levels(lambda x: 0.5 * x),
    "gamma 0.6": map_levels(lambda x: x**0.6),
    "gamma 1.6": map_levels(lambda x: x**1.6),
    "window from 10 to 70 % of the range": map_levels(lambda x: (x - 0.1) / 0.6),
    "noise of 10 gray levels": add_noise,
    "blurred (Gaussian, 1.5 pixels)": lambda image: image.filter(
        ImageFilter.GaussianBlur(1.5)
    ),
    "JPEG of quality 15": recompress,
    "half the size": resize(0.5),
    "twice the size": resize(2),
    "black border of 20 % on each side": add_border,
    "rotated by 10 degrees": lambda image: image.rotate(10, Image.Resampling.BICUBIC),
}


def parse_arguments():
    parser = common.make_parser(__doc__)
    parser.add_argument("model", help="file that `save` or the command line wrote")
    parser.add_argument("folder", help="class folders of scans not trained on")
    return parser.parse_args()


def open_image(path):
    with Image.open(path) as image:
        return image.convert("L" if image.mode in ("1", "L") else "RGB")


def predict_changed(model, paths):
    """Return predicted labels of the images after each change, by its name."""
    images = [open_image(path) for path in paths]
    return {
        name: model.predict([change(image) for image in images])
        for name, change in CHANGES.items()
    }


def score(true, predicted):
    """Return scores of the labels after each change."""
    return [
        {
            "change": name,
            "accuracy": accuracy_score(true, labels),
            "balanced_accuracy": balanced_accuracy_score(true, labels),
            "tumor_miss_rate": tumor_miss_rate(true, labels),
            "unchanged": float(np.mean(labels == predicted[AS_THEY_ARE])),
        }
        for name, labels in predicted.items()
    ]


def to_markdown(rows):
    """Return a table of what `score` returns."""
    head = ["images", "accuracy", "balanced accuracy", "tumors missed", "same class"]
    specs = {
        "accuracy": ".3f",
        "balanced_accuracy": ".3f",
        "tumor_miss_rate": ".1%",
        "unchanged": ".1%",
    }
    cells = [
        [row["change"], *(format(row[name], spec) for name, spec in specs.items())]
        for row in rows
    ]
    return common.table(head, cells)


def main():
    args = parse_arguments()
    scans = load_mri_folder(args.folder)
    rows = score(scans.target, predict_changed(load(args.model), scans.data))
    print(to_markdown(rows))
    common.write_json(args.json, rows)


if __name__ == "__main__":
    main()
