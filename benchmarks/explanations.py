"""How often the peak of a heat map lies in the tumor.

    python benchmarks/explanations.py
    python benchmarks/explanations.py --backbone EfficientNetLite0 --image-size 96
    python benchmarks/explanations.py --model model.btc --boxes boxes.csv

Without a model, a network is trained on phantoms, and heat maps of other phantoms are
compared with the masks of their lesions. A saved model is explained on files with
boxes: a table with the columns file (relative to the table's folder), label, left, top,
right and bottom, in pixels. Only correctly classified tumors count.

The methods are compared with the center of the head, the brightest point of the
smoothed scan, and heat maps of the same network with other random weights.
"""

from pathlib import Path

import common
import numpy as np
import pandas as pd
from scipy import ndimage
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

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
from brain_tumor_clf.pipeline import first_member, split_image_steps

_SMOOTHING = 0.03  # of the shorter side: more than noise and vessels, less than lesions
_GRADIENTS = {
    "LayerCAM, three resolutions, four views": {},
    "LayerCAM, three resolutions": {"n_views": 1},
    "LayerCAM, last feature map": {"n_views": 1, "layer": "feature_map"},
    "Grad-CAM": {"n_views": 1, "method": "gradcam"},
    "Grad-CAM++": {"n_views": 1, "method": "gradcam++"},
}


def parse_arguments():
    parser = common.make_parser(__doc__)
    parser.add_argument("--model", metavar="FILE", help="a saved pipeline")
    parser.add_argument("--boxes", metavar="CSV", help="its scans and their tumors")
    parser.add_argument("--backbone", default="simple", help="network to train")
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--phantoms", type=int, default=400, help="to train on")
    parser.add_argument("--test-phantoms", type=int, default=80)
    parser.add_argument("--no-occlusion", action="store_true", help="it is slow")
    return parser.parse_args()


def train_on_phantoms(args, side):
    params = {"epochs": args.epochs, "random_state": 0}
    if args.backbone == "simple":
        classifier = SimpleCNNClassifier(filters=(16, 32, 64), **params)
    else:
        params |= {"pooling": "avg", "lr_schedule": LearningRateSchedule(warmup=0.1)}
        classifier = TransferCNNClassifier(
            args.backbone, weights="imagenet", dense_units=0, **params
        )
    scans = make_brain_mri(args.phantoms, side, random_state=1)
    return make_mri_pipeline(classifier, args.image_size).fit(scans.data, scans.target)


def draw_tumors(args, side):
    """Return scans, labels, and a mask of the lesion of each."""
    scans = make_brain_mri(args.test_phantoms, side, return_masks=True, random_state=2)
    tumor = scans.target != "notumor"
    return list(scans.data[tumor]), scans.target[tumor], list(scans.masks[tumor])


def read_boxes(path):
    """Return paths, labels, and a mask of the box of each."""
    frame = pd.read_csv(path)
    files = [str(Path(path).parent / name) for name in frame["file"]]
    masks = []
    for image, row in zip(
        ImageReader().transform(files), frame.itertuples(), strict=True
    ):
        masks.append(np.zeros(image.shape[:2], dtype=bool))
        masks[-1][row.top : row.bottom + 1, row.left : row.right + 1] = True
    return files, frame["label"].to_numpy(), masks


def find_network(model):
    """Return the pipeline of the network that grad_cam explains."""
    transformers, rest = split_image_steps(model)
    while (member := first_member(rest)) is not None:
        more, rest = split_image_steps(member)
        transformers += more
    return make_pipeline(*transformers, rest)


def reinitialize(pipe, X):
    """Return the pipeline with random weights of another seed."""
    classifier = clone(pipe[-1]).set_params(random_state=1)
    if "weights" in classifier.get_params():
        classifier.set_params(weights=None)
    images = pipe[:-1].transform(X[:1]).repeat(len(pipe.classes_), 0)
    return make_pipeline(*pipe[:-1], classifier.initialize(images, pipe.classes_))


def peaks(maps):
    return [np.unravel_index(np.argmax(heat), heat.shape) for heat in maps]


def measure(pipe, X, y, masks, with_occlusion):
    """Return the share of points in the lesion, by what chose the points."""
    points = {
        name: peaks(grad_cam(pipe, X, y, **how)) for name, how in _GRADIENTS.items()
    }
    if with_occlusion:
        points["occlusion"] = peaks(occlusion_map(pipe, X, y))
    images = list(ImageReader().transform(X))
    boxes = np.array([HeadCropper(margin=0).find_box(image) for image in images])
    points["the center of the head"] = (boxes[:, :2] + boxes[:, 2:]) // 2
    points["the brightest point, smoothed"] = peaks(
        ndimage.gaussian_filter(image.astype(float), _SMOOTHING * min(image.shape))
        for image in images
    )
    points["LayerCAM, other random weights"] = peaks(
        grad_cam(reinitialize(pipe, X), X, y)
    )
    return {
        name: float(np.mean([m[tuple(p)] for p, m in zip(at, masks, strict=True)]))
        for name, at in points.items()
    }


def main():
    args = parse_arguments()
    if args.model:
        pipe = load(args.model)
        X, y, masks = read_boxes(args.boxes)
    else:
        side = args.image_size * 3 // 2  # a head fills about two thirds of the image
        pipe = train_on_phantoms(args, side)
        X, y, masks = draw_tumors(args, side)
    right = np.flatnonzero(pipe.predict(X) == y)
    if len(right) == 0:
        raise SystemExit("No tumor is classified correctly: train longer.")
    kept = [X[i] for i in right], y[right], [masks[i] for i in right]
    shares = measure(find_network(pipe), *kept, not args.no_occlusion)
    area = float(np.mean([mask.mean() for mask in kept[2]]))
    print(f"{len(right)} of {len(y)} tumors are classified correctly; they cover "
          f"{area:.1%} of the image\n")  # fmt: skip
    rows = [[name, f"{share:.1%}"] for name, share in shares.items()]
    print(common.table(["peak of the map", "in the tumor"], rows))
    found = {"n": len(right), "n_tumors": len(y), "area": area, "share": shares}
    common.write_json(args.json, found)


if __name__ == "__main__":
    main()
