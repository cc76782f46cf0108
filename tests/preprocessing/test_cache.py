import io
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from brain_tumor_clf.exceptions import CacheWarning
from brain_tumor_clf.preprocessing import (
    HeadCropper,
    ImageCache,
    ImagePipeline,
    ImageReader,
    ImageResizer,
    IntensityNormalizer,
)
from tests.preprocessing.images import encode, make_scan, write_scans

reads = []


class CountingReader(ImageReader):
    """Notes what is read, over all clones of this process."""

    def _transform_image(self, source, least_size=None):
        reads.append(source)
        return super()._transform_image(source, least_size)


class Guess(ClassifierMixin, BaseEstimator):
    """The cheapest classifier with a parameter."""

    def __init__(self, guess=0):
        self.guess = guess

    def fit(self, X, y):
        assert X.ndim == 4
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[self.guess % len(self.classes_)])


@pytest.fixture(autouse=True)
def _forget_reads():
    reads.clear()


@pytest.fixture
def paths(tmp_path):
    return write_scans(tmp_path, n_images=10)


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def make_chain(cache, **params):
    chain = ImagePipeline(
        [
            ("read", CountingReader(image_size="auto")),
            ("crop", HeadCropper()),
            ("normalize", IntensityNormalizer()),
            ("resize", ImageResizer(16)),
        ],
        cache=cache,
    )
    return chain.set_params(**params)


def entries(cache):
    return sorted(path for path in cache.rglob("*") if path.is_file())


def test_grid_search_reads_each_image_once(paths, cache):
    """Six candidates on five folds, and the refit."""
    pipe = Pipeline([("preprocess", make_chain(cache)), ("classify", Guess())])
    search = GridSearchCV(pipe, {"classify__guess": range(6)}, cv=5)
    search.fit(paths, np.arange(10) % 2)
    assert sorted(reads) == sorted(paths)


def test_without_a_cache_every_fold_reads_again(paths):
    pipe = Pipeline([("preprocess", make_chain(None)), ("classify", Guess())])
    GridSearchCV(pipe, {"classify__guess": [0, 1]}, cv=5, refit=False).fit(
        paths, np.arange(10) % 2
    )
    assert len(reads) == 2 * 5 * 10


@pytest.mark.parametrize("n_jobs", [1, 4])
def test_results_are_those_without_a_cache(n_jobs, paths, cache):
    expected = make_chain(None).fit_transform(paths)
    for _ in range(2):
        chain = make_chain(cache, n_jobs=n_jobs)
        np.testing.assert_array_equal(chain.fit_transform(paths), expected)
    assert len(reads) == 20


def test_file_changed_under_its_path_is_read_again(paths, cache):
    chain = make_chain(cache).fit(paths)
    before = chain.transform(paths)
    with open(paths[3], "wb") as file:
        file.write(encode(make_scan(70, 90, seed=99), "JPEG"))
    reads.clear()
    after = chain.transform(paths)
    assert reads == [paths[3]]
    changed = (before != after).any(axis=(1, 2, 3))
    assert changed.tolist() == [i == 3 for i in range(10)]


def test_same_size_but_later_is_read_again(tmp_path, cache):
    path = tmp_path / "scan.bmp"
    path.write_bytes(encode(make_scan(), "BMP"))
    chain = make_chain(cache)
    chain.fit_transform([path])
    size, modified = path.stat().st_size, path.stat().st_mtime_ns
    path.write_bytes(encode(make_scan(seed=5), "BMP"))
    os.utime(path, ns=(modified + 1000, modified + 1000))
    assert path.stat().st_size == size
    chain.transform([path])
    assert len(reads) == 2


def test_relative_and_absolute_names_are_one_file(paths, cache, tmp_path, monkeypatch):
    make_chain(cache).fit_transform(paths[:1])
    monkeypatch.chdir(tmp_path)
    make_chain(cache).fit_transform([os.path.basename(paths[0])])
    assert len(reads) == 1


@pytest.mark.parametrize(
    "params",
    [
        {"read__color_mode": "rgb"},
        {"crop__margin": 0.1},
        {"crop": "passthrough"},
        {"normalize__method": "clahe"},
        {"normalize": IntensityNormalizer(percentiles=(2, 98))},
        {"resize__image_size": 17},
        {"resize__keep_aspect": False},
    ],
)
def test_other_parameters_never_find_a_result(params, paths, cache):
    make_chain(cache).fit_transform(paths)
    reads.clear()
    chain = make_chain(cache, **clone_values(params))
    expected = clone(chain).set_params(cache=None).fit_transform(paths)
    reads.clear()
    np.testing.assert_array_equal(chain.fit_transform(paths), expected)
    assert sorted(reads) == sorted(paths)


def clone_values(params):
    return {k: clone(v) if hasattr(v, "fit") else v for k, v in params.items()}


def test_n_jobs_and_names_of_steps_do_not_matter(paths, cache):
    make_chain(cache).fit_transform(paths)
    reads.clear()
    make_chain(cache, n_jobs=2, crop__n_jobs=2).fit_transform(paths)
    renamed = [(f"{name}_2", step) for name, step in make_chain(cache).steps]
    ImagePipeline(renamed, cache=cache).fit_transform(paths)
    assert not reads


def test_sources_without_a_path_are_known_by_content(paths, cache):
    with open(paths[0], "rb") as file:
        data = file.read()
    scan = make_scan()
    picture = Image.fromarray(scan)
    sources = [data, io.BytesIO(data), scan, picture]
    images = make_chain(cache).fit_transform(sources)
    assert len(reads) == 3  # bytes and a file object of the same content are one
    reads.clear()
    again = [bytes(data), io.BytesIO(data), scan.copy(), picture.copy()]
    np.testing.assert_array_equal(make_chain(cache).fit_transform(again), images)
    assert not reads
    make_chain(cache).fit_transform([scan[:-1], scan.T.copy(), scan.astype(int)])
    assert len(reads) == 3


def test_pictures_differ_by_mode_palette_and_orientation(cache):
    grey = Image.fromarray(np.eye(8, dtype=np.uint8) * 9)
    palette = Image.fromarray(np.eye(8, dtype=np.uint8), mode="P")
    palette.putpalette([0, 0, 0, 200, 200, 200])
    other = palette.copy()
    other.putpalette([0, 0, 0, 90, 90, 90])
    chain = ImagePipeline([("read", CountingReader())], cache=cache)
    chain.fit_transform([grey, palette, other])
    assert len(reads) == 3


def test_pictures_differ_by_what_their_tags_say_of_the_same_pixels(cache):
    wide = Image.fromarray(np.arange(600, dtype=np.uint16).reshape(20, 30))
    black, white = (
        Image.open(io.BytesIO(encode(wide, "TIFF", tiffinfo={262: zero})))
        for zero in (1, 0)
    )
    chain = ImagePipeline([("read", CountingReader())], cache=cache)
    one, two = chain.fit_transform([black, white])
    np.testing.assert_array_equal(one, 255 - two)


@pytest.mark.parametrize("damage", [b"", b"nonsense", "cut", "flip"])
def test_damaged_entries_are_made_again(damage, paths, cache):
    expected = make_chain(cache).fit_transform(paths)
    for path in entries(cache):
        content = bytearray(path.read_bytes())
        if damage == "cut":
            content = content[:-5]
        elif damage == "flip":
            content[-5] ^= 1
        else:
            content = damage
        path.write_bytes(content)
    reads.clear()
    np.testing.assert_array_equal(make_chain(cache).fit_transform(paths), expected)
    assert len(reads) == 10
    np.testing.assert_array_equal(make_chain(cache).fit_transform(paths), expected)
    assert len(reads) == 10


def test_failed_write_leaves_nothing_behind(cache, monkeypatch):
    def fail(source, target):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    full = ImageCache(cache)
    with pytest.warns(CacheWarning, match="disk full"):
        full.put(b"x", "parameters", np.zeros(3))
    full.put(b"y", "parameters", np.zeros(3))  # no second warning, which would fail
    assert entries(cache) == []


@pytest.mark.parametrize("kind", ["read-only", "a file", "below a file"])
@pytest.mark.parametrize("n_jobs", [1, 3])
def test_a_folder_that_cannot_be_written(kind, n_jobs, paths, tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    if kind == "read-only":  # also for root, who may write anywhere

        def refuse(*args, **kwargs):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "write_bytes", refuse)
    else:
        folder.write_text("no folder")
        folder = folder / "cache" if kind == "below a file" else folder
    expected = make_chain(None).fit_transform(paths)
    with pytest.warns(CacheWarning, match="cannot be written") as found:
        images = make_chain(folder, n_jobs=n_jobs).fit_transform(paths)
    assert 1 <= len(found) <= n_jobs
    np.testing.assert_array_equal(images, expected)


def test_unreadable_images_are_not_kept(cache, tmp_path):
    path = tmp_path / "scan.jpg"
    chain = make_chain(cache)
    for content in (None, b"", b"text"):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ValueError, match="1 of 1 images could not be read"):
            chain.fit_transform([str(path)])
    assert not cache.exists() or entries(cache) == []


@pytest.mark.parametrize(
    "value",
    [np.arange(6.0).reshape(2, 3), np.float32(2.5), np.array(["ab"]), np.zeros((0, 3))],
)
def test_any_numeric_array_comes_back(value, cache):
    cache = ImageCache(cache)
    cache.put(b"x", "parameters", value)
    found = cache.get(b"x", "parameters")
    np.testing.assert_array_equal(found, value)
    assert found.dtype == value.dtype
    assert cache.get(b"x", "others") is None


def test_objects_are_refused_as_they_would_need_pickle(cache):
    with pytest.raises(ValueError, match="allow_pickle"):
        ImageCache(cache).put(b"x", "parameters", np.array([{}]))
    assert entries(cache) == []


def test_threads_share_a_folder(cache):
    cache = ImageCache(cache)
    sources = [bytes([i]) for i in range(10)] * 20

    def use(source):
        return cache.get_or_make(source, "p", lambda s: np.full(1000, s[0]))

    with ThreadPoolExecutor(8) as pool:
        values = list(pool.map(use, sources))
    assert [int(value[0]) for value in values] == [s[0] for s in sources]


@pytest.mark.slow
def test_processes_share_a_folder(paths, cache):
    code = (
        "import sys; from tests.preprocessing.test_cache import make_chain\n"
        "from pathlib import Path\n"
        "X = make_chain(Path(sys.argv[1])).fit_transform(sys.argv[2:] * 5)\n"
        "print(X.astype(int).sum())"
    )
    command = [sys.executable, "-c", code, str(cache), *paths]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    sums = {process.communicate(timeout=120)[0] for process in running}
    expected = 5 * make_chain(None).fit_transform(paths).astype(int).sum()
    assert sums == {f"{expected}\n"}
    assert {path.suffix for path in entries(cache)} == {".cached"}
    assert len(entries(cache)) == 10
