"""How well a ScanGuard tells brain scans from other images.

    python benchmarks/guard.py model.btc archive --groups archive/groups.csv
    python benchmarks/guard.py … --native folder --skimage site-packages/skimage/data

The guard is fitted on the scans of four of five folds that keep groups whole, through
the network of the model, and asked about those of the fifth: as they are, turned by 90
degrees, and inverted; about scans at their original sizes (``--native``, a folder of
class folders); and about images that are none. A network that was trained on the fifth
fold too makes the acceptance of it look better than it is: name the fold that it has
not seen with ``--fold``.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import non_scans
import numpy as np
from grouped_scans import N_FOLDS, grouped_folds, load_grouped_scans

from brain_tumor_clf import (
    ImageReader,
    ScanGuard,
    load,
    write_brain_mri,
)

_CHUNK = 200


def parse_arguments(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="a saved pipeline that ends in a network")
    parser.add_argument("folder", help="class folders, or Training/ above them")
    parser.add_argument("--groups", metavar="CSV", help="columns file and group")
    parser.add_argument("--fold", type=int, default=0, choices=range(N_FOLDS))
    parser.add_argument("--native", metavar="DIR", help="scans of other sizes")
    parser.add_argument("--skimage", metavar="DIR", help="scikit-image's pictures")
    parser.add_argument("--n-fit", type=int, help="fit on so many scans only")
    parser.add_argument("--n-test", type=int, help="test so many held-out scans only")
    parser.add_argument("--per-kind", type=int, default=200, help="non-scans of a kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", metavar="FILE")
    return parser.parse_args(argv)


def split(args):
    """Paths to fit on, and paths of held-out groups."""
    scans = load_grouped_scans(args.folder, args.groups)
    fit, test = grouped_folds(scans)[args.fold]
    rng = np.random.default_rng(args.seed)
    fit, test = (
        indices if n is None or n >= len(indices) else rng.choice(indices, n, False)
        for indices, n in ((fit, args.n_fit), (test, args.n_test))
    )
    return scans.data[fit], scans.data[test]


def is_accepted(guard, paths, change=lambda image: image):
    """Whether each scan passes after a change of its pixels; few are in memory."""
    accepted = []
    for start in range(0, len(paths), _CHUNK):
        images = ImageReader().transform(paths[start : start + _CHUNK])
        accepted.append(guard.predict([change(image) for image in images]) == 1)
    return np.concatenate(accepted)


def turned(image):
    return np.ascontiguousarray(np.rot90(image))


def inverted(image):
    return 255 - image


def measure(guard, test, args):
    """Rows of what, whether it is to be accepted, how many, and which share is."""
    sets = {"scans of held-out groups": test}
    if args.native:
        files = sorted(Path(args.native).rglob("*.jpg"))
        sets["scans at native size"] = np.array([str(path) for path in files])
    rows = []
    for name, paths in sets.items():
        for how, change, wanted in (
            ("", lambda image: image, True),
            (", turned by 90 degrees", turned, True),
            (", inverted", inverted, False),
        ):
            accepted = is_accepted(guard, paths, change)
            rows.append((f"{name}{how}", wanted, accepted))
    skimage = Path(args.skimage) if args.skimage else None
    for name, function in non_scans.kinds(skimage).items():
        images = non_scans.draw(function, args.per_kind, args.seed + 1000)
        rows.append((name, False, guard.predict(images) == 1))
    with tempfile.TemporaryDirectory() as folder:
        files = write_brain_mri(folder, args.per_kind, random_state=args.seed + 1000)
        accepted = guard.predict(files.data) == 1
        rows.append(("the package's phantoms as files", False, accepted))
    return [
        {
            "images": name,
            "wanted": "accepted" if wanted else "refused",
            "n": len(accepted),
            "n_right": int((accepted == wanted).sum()),
            "share": float((accepted == wanted).mean()),
        }
        for name, wanted, accepted in rows
    ]


def state_bytes(guard):
    """Bytes that the guard adds to a saved pipeline."""
    arrays = [a for subspace in guard.subspaces_ for a in subspace.values()]
    return sum(a.nbytes for a in (*arrays, guard.direction_, guard.median_))


def main(argv=None):
    args = parse_arguments(argv)
    fit, test = split(args)
    guard = ScanGuard(load(args.model)).fit(fit)
    rows = measure(guard, test, args)
    size = state_bytes(guard)
    print(f"fitted on {len(fit)} scans; {size / 1024:.0f} KiB of state\n")
    print("| images | n | wanted | share |")
    print("|---|---|---|---|")
    for row in rows:
        print(
            f"| {row['images']} | {row['n']} | {row['wanted']} | {row['share']:.1%} |"
        )
    if args.json:
        document = {"n_fit": len(fit), "fold": args.fold, "bytes": size, "rows": rows}
        Path(args.json).write_text(json.dumps(document, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
