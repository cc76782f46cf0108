"""What changed images do to a model: brighter, blurred, compressed, resized, windowed.

    python benchmarks/robustness.py model.btc scans

The scores of a saved model on a folder of labelled scans, as they are and after each
change. A network that has learned the scanner or the frame rather than the tumor falls
with the first change of brightness. The scans must be of patients that the model has
not seen.
"""

import argparse
import io
import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import numpy as np
from PIL import Image, ImageFilter
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from brain_tumor_clf import load, load_mri_folder
from brain_tumor_clf.metrics import tumor_miss_rate

AS_THEY_ARE = "as they are"


def map_levels(function):
    """A change of grey levels, from shares of 255 to shares of 255."""
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
    "brighter (grey levels times 1.4)": map_levels(lambda x: 1.4 * x),
    "darker (grey levels times 0.5)": map_levels(lambda x: 0.5 * x),
    "gamma 0.6": map_levels(lambda x: x**0.6),
    "gamma 1.6": map_levels(lambda x: x**1.6),
    "window from 10 to 70 % of the range": map_levels(lambda x: (x - 0.1) / 0.6),
    "noise of 10 grey levels": add_noise,
    "blurred (Gaussian, 1.5 pixels)": lambda image: image.filter(
        ImageFilter.GaussianBlur(1.5)
    ),
    "JPEG of quality 15": recompress,
    "half the size": resize(0.5),
    "twice the size": resize(2),
    "black border of 20 % on each side": add_border,
    "rotated by 10 degrees": lambda image: image.rotate(10, Image.Resampling.BICUBIC),
}


def parse_arguments(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="file that `save` or the command line wrote")
    parser.add_argument("folder", help="class folders of scans not trained on")
    parser.add_argument("--json", metavar="FILE")
    return parser.parse_args(argv)


def open_image(path):
    with Image.open(path) as image:
        return image.convert("L" if image.mode in ("1", "L") else "RGB")


def predict_changed(pipe, paths, progress=lambda name: None):
    """Predicted labels of the images after each change, by its name."""
    images = [open_image(path) for path in paths]
    predicted = {}
    for name, change in CHANGES.items():
        predicted[name] = pipe.predict([change(image) for image in images])
        progress(name)
    return predicted


def score(true, predicted):
    """Scores of the labels after each change, one dict a change."""
    rows = []
    for name, labels in predicted.items():
        rows.append(
            {
                "change": name,
                "accuracy": accuracy_score(true, labels),
                "balanced_accuracy": balanced_accuracy_score(true, labels),
                "tumor_miss_rate": tumor_miss_rate(true, labels),
                "unchanged": float(np.mean(labels == predicted[AS_THEY_ARE])),
            }
        )
    return rows


def to_markdown(rows):
    """A table of what `score` returns."""
    lines = [
        "| images | accuracy | balanced accuracy | tumors missed | same class |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            f"| {row['change']} | {row['accuracy']:.3f} "
            f"| {row['balanced_accuracy']:.3f} | {row['tumor_miss_rate']:.1%} "
            f"| {row['unchanged']:.1%} |"
        )
    return "\n".join(lines)


def main(argv=None):
    args = parse_arguments(argv)
    scans = load_mri_folder(args.folder)
    rows = score(scans.target, predict_changed(load(args.model), scans.data))
    print(to_markdown(rows))
    if args.json:
        Path(args.json).write_text(json.dumps(rows, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
