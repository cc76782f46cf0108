import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from brain_tumor_clf.exceptions import (
    BlankImageWarning,
    HeadNotFoundWarning,
    ImageReadError,
)
from brain_tumor_clf.preprocessing import (
    HeadCropper,
    ImagePipeline,
    ImageReader,
    ImageResizer,
    IntensityNormalizer,
)
from tests.preprocessing.images import encode, make_scan, write_scans


def make_chain(method="percentile", **params):
    return ImagePipeline(
        [
            ("read", ImageReader(image_size="auto")),
            ("crop", HeadCropper()),
            ("normalize", IntensityNormalizer(method)),
            ("resize", ImageResizer(24)),
        ],
        **params,
    )


@pytest.fixture
def paths(tmp_path):
    return write_scans(tmp_path, n_images=6)


def one_after_the_other(chain, X):
    for _, step in chain.steps:
        X = clone(step).fit_transform(X)
    return X


@pytest.mark.parametrize("method", ["percentile", "clahe"])
@pytest.mark.parametrize("n_jobs", [None, 3])
def test_equals_its_steps_one_after_the_other(method, n_jobs, paths):
    chain = make_chain(method, n_jobs=n_jobs)
    np.testing.assert_array_equal(
        chain.fit_transform(paths), one_after_the_other(chain, paths)
    )


def test_nested_parameters(paths):
    chain = make_chain()
    assert chain.get_params()["crop__margin"] == chain["crop"].margin
    assert "crop__margin" not in chain.get_params(deep=False)
    chain.set_params(crop__margin=0.3, resize__image_size=(8, 9))
    assert chain["crop"].margin == 0.3
    assert chain.fit_transform(paths).shape == (6, 8, 9, 1)
    with pytest.raises(ValueError, match="Invalid parameter"):
        chain.set_params(crop__margins=1)


@pytest.mark.parametrize("off", ["passthrough", None])
def test_step_left_out(off, paths):
    chain = make_chain().set_params(crop=off)
    without = ImagePipeline([step for step in make_chain().steps if step[0] != "crop"])
    np.testing.assert_array_equal(
        chain.fit_transform(paths), without.fit_transform(paths)
    )
    assert "passthrough" in chain._repr_html_()


def test_step_replaced(paths):
    chain = make_chain().set_params(normalize=IntensityNormalizer("clahe"))
    np.testing.assert_array_equal(
        chain.fit_transform(paths), make_chain("clahe").fit_transform(paths)
    )


def test_without_resizer_images_keep_their_sizes(paths):
    images = make_chain()[:3].fit_transform(paths)
    assert images.shape == (6,)
    assert images[0].shape != images[5].shape


def test_indexing():
    chain = make_chain(n_jobs=2, cache="folder")
    assert chain["crop"] is chain.named_steps["crop"] is chain[1]
    assert len(chain) == 4
    part = chain[:2]
    assert isinstance(part, ImagePipeline)
    assert (part.n_jobs, part.cache) == (2, "folder")
    with pytest.raises(KeyError):
        chain["cut"]


def test_clone_is_equal(paths):
    chain = make_chain("clahe").fit(paths)
    assert repr(clone(chain)) == repr(chain)


def test_html_shows_the_steps():
    html = make_chain()._repr_html_()
    for name in ("ImageReader", "HeadCropper", "IntensityNormalizer", "ImageResizer"):
        assert name in html


class CountingReader(ImageReader):
    """Counts how many images are in flight: read, and not yet given on."""

    def _transform_image(self, source, least_size=None):
        self.counts_.append(source)
        return super()._transform_image(source, least_size)


@pytest.mark.parametrize(("n_jobs", "ahead"), [(1, 1), (2, 6)])
def test_images_are_drawn_one_by_one(n_jobs, ahead, paths):
    reader = CountingReader()
    reader.counts_ = []
    chain = ImagePipeline(
        [("read", reader), ("resize", ImageResizer(8))], n_jobs=n_jobs
    )
    images = chain.iter_transform(paths * 20)
    assert not reader.counts_
    first = next(images)
    assert first.shape == (8, 8, 1)
    assert 1 <= len(reader.counts_) <= ahead
    images.close()


def test_iter_transform_checks_at_once_and_raises_at_the_end(paths):
    chain = make_chain().set_params(crop__margin=-1)
    with pytest.raises(ValueError, match="margin"):
        chain.iter_transform(paths)
    images = make_chain().iter_transform([*paths[:2], "missing.jpg", *paths[2:]])
    assert next(images).shape == (24, 24, 1)
    assert next(images).shape == (24, 24, 1)
    with pytest.raises(ImageReadError, match="1 of 7"):
        next(images)


def test_warnings_name_the_files(tmp_path, paths):
    black = tmp_path / "black.png"
    black.write_bytes(encode(np.zeros((50, 40), np.uint8)))
    with (
        pytest.warns(HeadNotFoundWarning, match=r"1 of 7 images.*black\.png"),
        pytest.warns(BlankImageWarning, match=r"1 of 7 images.*black\.png"),
    ):
        make_chain().fit_transform([*paths, black])


@pytest.mark.parametrize(
    ("steps", "error", "match"),
    [
        ([], ValueError, "steps must be a list"),
        ("read", ValueError, "steps must be a list"),
        ([ImageReader()], ValueError, r"\(name, transformer\)"),
        ([("a", ImageReader()), ("a", HeadCropper())], ValueError, "not unique"),
        ([("a__b", ImageReader())], ValueError, "__"),
        ([("cache", ImageReader())], ValueError, "conflict"),
        ([("scale", StandardScaler())], TypeError, "image transformer"),
        ([("crop", HeadCropper)], TypeError, "image transformer"),
        ([("inner", make_chain())], TypeError, "another ImagePipeline"),
        ([("crop", HeadCropper(margin=-1))], ValueError, "margin"),
    ],
)
def test_wrong_steps(steps, error, match):
    with pytest.raises(error, match=match):
        ImagePipeline(steps).fit([make_scan()])
    with pytest.raises(error, match=match):
        ImagePipeline(steps).transform([make_scan()])


def test_wrong_cache():
    with pytest.raises(TypeError, match="cache"):
        make_chain(cache=True).fit([make_scan()])


def test_all_steps_left_out(paths):
    chain = ImagePipeline([("crop", None)])
    scan = make_scan()
    np.testing.assert_array_equal(chain.fit_transform([scan])[0], scan)


class MeanClassifier(ClassifierMixin, BaseEstimator):
    """Tells bright images from dark ones."""

    def __init__(self, cut=100.0):
        self.cut = cut

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return self.classes_[
            (X.reshape(len(X), -1).mean(axis=1) > self.cut).astype(int)
        ]


def test_in_a_scikit_learn_pipeline(paths):
    y = np.array(["dark"] * 3 + ["light"] * 3)
    pipe = make_pipeline(
        ImagePipeline([("read", ImageReader()), ("resize", ImageResizer(16))]),
        FunctionTransformer(lambda X: X / 1.0),
        MeanClassifier(cut=60),
    )
    assert cross_val_score(pipe, np.array(paths), y, cv=3).mean() > 0.5
    grid = {
        "imagepipeline__resize__image_size": [8, 16],
        "meanclassifier__cut": [5, 60],
    }
    search = GridSearchCV(pipe, grid, cv=3, error_score="raise").fit(paths, y)
    assert search.best_params_["meanclassifier__cut"] == 60
