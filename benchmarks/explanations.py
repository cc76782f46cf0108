"""How often the peak of a heat map lies in the tumor.

    python benchmarks/explanations.py
    python benchmarks/explanations.py --backbone EfficientNetLite0 --image-size 96
    python benchmarks/explanations.py --model model.btc --boxes boxes.csv

Without a model a network is trained on phantoms, and the maps of phantoms that it has
not seen are held against the masks of their lesions. A saved model is explained as it
is, on files with boxes: a table with the columns file (a path from the table's folder),
label, left, top, right and bottom, in pixels. Only tumors that are classified rightly
count.

Beside the methods stand what a map has to beat: the point in the middle of the head,
the brightest point of the smoothed scan, and the maps of the same network with weights
that are drawn anew.
"""

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import numpy as np
import pandas as pd
from scipy import ndimage
from sklearn.base import clone
from sklearn.ensemble import StackingClassifier
from sklearn.pipeline import Pipeline

from brain_tumor_clf import (
    HeadCropper,
    ImageReader,
    LearningRateSchedule,
    SimpleCNNClassifier,
    TransferCNNClassifier,
    grad_cam,
    load,
    make_brain_mri,
    make_mri_pipeline,
    occlusion_map,
)

_SMOOTHING = 0.03  # of the shorter side: more than noise and vessels, less than lesions
_GRADIENTS = {
    "LayerCAM, three resolutions, four views": {},
    "LayerCAM, three resolutions": {"n_views": 1},
    "LayerCAM, last feature map": {"n_views": 1, "layer": "feature_map"},
    "Grad-CAM": {"n_views": 1, "method": "gradcam"},
    "Grad-CAM++": {"n_views": 1, "method": "gradcam++"},
}


def parse_arguments(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", metavar="FILE", help="a saved pipeline")
    parser.add_argument("--boxes", metavar="CSV", help="its scans and their tumors")
    parser.add_argument("--backbone", default="simple", help="what is trained")
    parser.add_argument("--weights", default="imagenet", help="what a backbone has")
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--phantoms", type=int, default=400, help="to train on")
    parser.add_argument("--test-phantoms", type=int, default=80)
    parser.add_argument("--no-occlusion", action="store_true", help="it is slow")
    parser.add_argument("--json", metavar="FILE")
    return parser.parse_args(argv)


def train_on_phantoms(args):
    common = {"epochs": args.epochs, "random_state": 0}
    if args.backbone == "simple":
        classifier = SimpleCNNClassifier(filters=(16, 32, 64), **common)
    else:
        classifier = TransferCNNClassifier(
            args.backbone,
            weights=None if args.weights == "none" else args.weights,
            pooling="avg",
            dense_units=0,
            lr_schedule=LearningRateSchedule(warmup=0.1),
            **common,
        )
    scans = make_brain_mri(args.phantoms, _phantom_size(args), random_state=1)
    return make_mri_pipeline(classifier, args.image_size).fit(scans.data, scans.target)


def _phantom_size(args):
    return args.image_size * 3 // 2  # a head fills about two thirds of the frame


def test_phantoms(args):
    """Scans, labels, and a mask of the lesion of each."""
    scans = make_brain_mri(
        args.test_phantoms, _phantom_size(args), return_masks=True, random_state=2
    )
    tumor = scans.target != "notumor"
    return list(scans.data[tumor]), scans.target[tumor], list(scans.masks[tumor])


def boxed_scans(table):
    """Paths, labels, and a mask of the box of each."""
    frame = pd.read_csv(table)
    paths = [str(Path(table).parent / name) for name in frame["file"]]
    masks = []
    for path, row in zip(paths, frame.itertuples(), strict=True):
        mask = np.zeros(ImageReader().transform([path])[0].shape, dtype=bool)
        mask[row.top : row.bottom + 1, row.left : row.right + 1] = True
        masks.append(mask)
    return paths, frame["label"].to_numpy(), masks


def share_inside(points, masks):
    inside = [mask[tuple(p)] for p, mask in zip(points, masks, strict=True)]
    return float(np.mean(inside))


def peaks(maps):
    return [np.unravel_index(np.argmax(heat), heat.shape) for heat in maps]


def middles(images):
    boxes = [HeadCropper(margin=0).find_box(image) for image in images]
    return [
        ((top + bottom) // 2, (left + right) // 2) for top, left, bottom, right in boxes
    ]


def smoothed(image):
    return ndimage.gaussian_filter(image.astype(float), _SMOOTHING * min(image.shape))


def explained_member(pipe):
    """The pipeline of the network whose maps are drawn: the first one of a stack."""
    if isinstance(pipe[-1], StackingClassifier):
        return pipe[-1].estimators_[0].estimator
    return pipe


def drawn_anew(pipe, X):
    """The pipeline with the initial weights of another seed and no pretrained ones."""
    classifier = clone(pipe[-1]).set_params(random_state=1)
    if "weights" in classifier.get_params():
        classifier.set_params(weights=None)
    classifier.initialize(
        pipe[:-1].transform(X[:1]).repeat(len(pipe.classes_), 0), pipe.classes_
    )
    return Pipeline([*pipe.steps[:-1], ("classifier", classifier)])


def measure(pipe, X, y, masks, with_occlusion):
    images = ImageReader().transform(X)
    found = {
        name: peaks(grad_cam(pipe, X, y, **how)) for name, how in _GRADIENTS.items()
    }
    if with_occlusion:
        found["occlusion"] = peaks(occlusion_map(pipe, X, y))
    found["the middle of the head"] = middles(images)
    found["the brightest point, smoothed"] = peaks(
        [smoothed(image) for image in images]
    )
    found["LayerCAM, weights drawn anew"] = peaks(grad_cam(drawn_anew(pipe, X), X, y))
    return {name: share_inside(points, masks) for name, points in found.items()}


def main(argv=None):
    args = parse_arguments(argv)
    if args.model:
        pipe = load(args.model)
        X, y, masks = boxed_scans(args.boxes)
    else:
        pipe = train_on_phantoms(args)
        X, y, masks = test_phantoms(args)
    right = np.flatnonzero(pipe.predict(X) == y)
    if len(right) == 0:
        raise SystemExit("No tumor is classified rightly: train longer.")
    kept = [X[i] for i in right], y[right], [masks[i] for i in right]
    shares = measure(explained_member(pipe), *kept, not args.no_occlusion)
    area = float(np.mean([mask.mean() for mask in kept[2]]))
    print(f"{len(right)} of {len(y)} tumors are classified rightly; they take up "
          f"{area:.1%} of the image\n")  # fmt: skip
    print("| peak of the map | in the tumor |")
    print("|---|---|")
    for name, share in shares.items():
        print(f"| {name} | {share:.1%} |")
    if args.json:
        document = {"n": len(right), "n_tumors": len(y), "area": area, "share": shares}
        Path(args.json).write_text(json.dumps(document, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
