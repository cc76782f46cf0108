"""How well a ScanGuard distinguishes brain scans from other images.

    python benchmarks/guard.py model.btc archive --groups archive/groups.csv
    python benchmarks/guard.py … --native folder --skimage site-packages/skimage/data

The guard is fitted on the scans of four of five folds that keep groups whole, with the
network of the model, and tested on those of the fifth: as they are, rotated by 90
degrees, and inverted; on scans of their original sizes (``--native``, a folder of class
folders); and on images that are not scans. A network that was trained on the fifth fold
makes its acceptance rate look better: choose with ``--fold`` one that it has not seen.
"""

import tempfile
from pathlib import Path

import common
import non_scans
import numpy as np

from brain_tumor_clf import ImageReader, ScanGuard, load, write_brain_mri

_CHUNK = 200
_CHANGES = (
    ("", lambda image: image, True),
    (", turned by 90 degrees", lambda image: np.rot90(image).copy(), True),
    (", inverted", lambda image: 255 - image, False),
)


def parse_arguments():
    parser = common.make_parser(__doc__)
    parser.add_argument("model", help="a saved pipeline that ends in a network")
    parser.add_argument("folder", help="class folders, or Training/ above them")
    parser.add_argument("--groups", metavar="CSV", help="columns file and group")
    parser.add_argument("--fold", type=int, default=0, choices=range(common.N_FOLDS))
    parser.add_argument("--native", metavar="DIR", help="scans of other sizes")
    parser.add_argument("--skimage", metavar="DIR", help="scikit-image's pictures")
    parser.add_argument("--n-fit", type=int, help="number of scans to fit on")
    parser.add_argument("--n-test", type=int, help="number of held-out scans to test")
    parser.add_argument("--per-kind", type=int, default=200, help="non-scans of a kind")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def split(args):
    """Yield paths to fit on, and paths of held-out groups."""
    scans = common.load_grouped_scans(args.folder, args.groups)
    fit, test = common.grouped_folds(scans)[args.fold]
    rng = np.random.default_rng(args.seed)
    for at, n in ((fit, args.n_fit), (test, args.n_test)):
        some = at if n is None or n >= len(at) else rng.choice(at, n, False)
        yield scans.data[some]


def is_accepted(guard, paths, change):
    """Return whether each scan passes after a change; few are in memory at a time."""
    accepted = []
    for start in range(0, len(paths), _CHUNK):
        images = ImageReader().transform(paths[start : start + _CHUNK])
        accepted.append(guard.predict([change(image) for image in images]) == 1)
    return np.concatenate(accepted)


def measure(guard, test, args):
    """Yield name, whether it is to be accepted, and whether each image is."""
    sets = {"scans of held-out groups": test}
    if args.native:
        files = sorted(Path(args.native).rglob("*.jpg"))
        sets["scans at native size"] = np.array([str(path) for path in files])
    for name, paths in sets.items():
        for how, change, wanted in _CHANGES:
            yield f"{name}{how}", wanted, is_accepted(guard, paths, change)
    seed = args.seed + 1000
    skimage = Path(args.skimage) if args.skimage else None
    for name, function in non_scans.kinds(skimage).items():
        rng = np.random.default_rng(seed)
        images = [function(rng) for _ in range(args.per_kind)]
        yield name, False, guard.predict(images) == 1
    with tempfile.TemporaryDirectory() as folder:
        files = write_brain_mri(folder, args.per_kind, random_state=seed)
        accepted = guard.predict(files.data) == 1
        yield "the package's phantoms as files", False, accepted


def main():
    args = parse_arguments()
    fit, test = split(args)
    guard = ScanGuard(load(args.model)).fit(fit)
    rows = [
        {
            "images": name,
            "n": len(accepted),
            "wanted": "accepted" if wanted else "refused",
            "share": float(np.mean(accepted == wanted)),
        }
        for name, wanted, accepted in measure(guard, test, args)
    ]
    arrays = [a for subspace in guard.subspaces_ for a in subspace.values()]
    size = sum(a.nbytes for a in (*arrays, guard.direction_, guard.median_))
    print(f"fitted on {len(fit)} scans; {size / 1024:.0f} KiB of state\n")
    cells = [[*list(row.values())[:3], f"{row['share']:.1%}"] for row in rows]
    print(common.table(["images", "n", "wanted", "share"], cells))
    found = {"n_fit": len(fit), "fold": args.fold, "bytes": size, "rows": rows}
    common.write_json(args.json, found)


if __name__ == "__main__":
    main()
