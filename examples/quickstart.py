"""From a folder of scans to a saved classifier, in the order one works.

python quickstart.py            # phantoms, about half a minute on two cores
python quickstart.py archive    # a folder with one sub-folder of scans per class
"""

import argparse
import os
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import numpy as np
from sklearn.metrics import classification_report
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score

from brain_tumor_clf import (
    SimpleCNNClassifier,
    load,
    load_mri_folder,
    make_mri_pipeline,
    save,
    write_brain_mri,
)


def parse_arguments(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", help="class folders; phantoms if left out")
    parser.add_argument("--n-samples", type=int, default=320, help="of phantoms")
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=15)
    return parser.parse_args(argv)


def main(argv=None):
    args = parse_arguments(argv)
    with tempfile.TemporaryDirectory() as work:
        run(args, Path(work))


def run(args, work):
    folder = args.folder
    if folder is None:
        folder = work / "scans"
        write_brain_mri(folder, args.n_samples, image_size=96, random_state=0)

    # 1. Paths, labels, and the group (patient) of each image; no image is opened yet.
    scans = load_mri_folder(folder)
    print(scans.DESCR)
    if scans.groups is None:
        raise SystemExit("This example needs a groups.csv beside the class folders.")

    # 2. Read, crop, normalise, resize, classify: one scikit-learn Pipeline.
    pipe = make_mri_pipeline(
        SimpleCNNClassifier(epochs=args.epochs, augmentation="light", random_state=0),
        image_size=args.image_size,
        cache=work / "cache",
    )

    # 3. Cross-validation that keeps every patient on one side.
    folds = StratifiedGroupKFold(3, shuffle=True, random_state=0)
    scores = cross_val_score(
        pipe, scans.data, scans.target, groups=scans.groups, cv=folds
    )
    print(f"grouped cross-validation: {np.round(scores, 3)}, mean {scores.mean():.3f}")

    # 4. Hold out a part of the patients, fit, and look at every class.
    train, test = next(folds.split(scans.data, scans.target, scans.groups))
    pipe.fit(scans.data[train], scans.target[train])
    print(classification_report(scans.target[test], pipe.predict(scans.data[test])))

    # 5. One file without pickle, and back.
    manifest = save(pipe, work / "model.btc")
    loaded = load(work / "model.btc")
    one = scans.data[test][:1]
    probabilities = loaded.predict_proba(one)[0]
    print(f"model {manifest.model_id}")
    for name, probability in zip(loaded.classes_, probabilities, strict=True):
        print(f"  {name:<12}{probability:.3f}")
    print(
        f"{Path(one[0]).name}: {loaded.predict(one)[0]}, truly {scans.target[test][0]}"
    )
    print("Research only; not a medical device.")


if __name__ == "__main__":
    main()
