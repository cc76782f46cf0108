"""What holds for every transformer: scikit-learn's checks and twins of them."""

import importlib
import inspect
import pickle
import pkgutil

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    clone,
)
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted, validate_data

from brain_tumor_clf import preprocessing
from brain_tumor_clf._validation import check_image_collection
from brain_tumor_clf.preprocessing import (
    HeadCropper,
    ImagePipeline,
    ImageReader,
    ImageResizer,
    ImageTransformer,
    IntensityNormalizer,
)
from tests.preprocessing.images import make_scan, write_scans

NORMALIZERS = [IntensityNormalizer(method) for method in ("percentile", "clahe")]
PIPELINE = ImagePipeline(
    [
        ("read", ImageReader()),
        ("crop", HeadCropper()),
        ("normalize", IntensityNormalizer("clahe")),
        ("resize", ImageResizer(16)),
    ]
)
TRANSFORMERS = [ImageReader(), HeadCropper(), *NORMALIZERS, ImageResizer(16), PIPELINE]


class TwoDimensional:
    """Takes each row of a 2-D X as an image and flattens each result.

    A lone 2-D array is an error for our transformers, so that scikit-learn's checks,
    which all pass one, would be skipped. A row becomes an image of 16 lines, brighter
    from line to line; results of different width are filled up with zeros.
    """

    def fit(self, X, y=None):
        X = validate_data(self, X)
        return super().fit(self._to_images(X))

    def transform(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        results = super().transform(self._to_images(X))
        width = 16 * max(X.shape[1], 16)
        flat = np.zeros((len(results), width), dtype=np.uint8)
        for row, image in zip(flat, results, strict=True):
            row[: image.size] = image.ravel()
        return flat

    def _to_images(self, X):
        images = X[:, np.newaxis, :] + np.arange(16)[:, np.newaxis]
        if not isinstance(self, (ImageReader, ImagePipeline)):
            images = np.mod(np.rint(images * 8 + 60), 256).astype(np.uint8)
        return list(images)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.input_tags.three_d_array = False
        tags.input_tags.string = False
        tags.input_tags.one_d_array = False
        return tags


def adapted_class(kind):
    """A subclass that takes 2-D arrays, where pickle finds it."""
    name = f"TwoDimensional{kind.__name__}"
    members = {"__init__": kind.__init__, "__module__": __name__}
    return type(name, (TwoDimensional, kind), members)


ADAPTED = {kind: adapted_class(kind) for kind in {type(t) for t in TRANSFORMERS}}
globals().update({adapted.__name__: adapted for adapted in ADAPTED.values()})


def adapt(estimator):
    """An estimator with the same parameters that takes 2-D arrays."""
    return ADAPTED[type(estimator)](**clone(estimator).get_params(deep=False))


@pytest.mark.filterwarnings(
    "ignore:.*no head was found:brain_tumor_clf.exceptions.HeadNotFoundWarning"
)
@parametrize_with_checks([adapt(estimator) for estimator in TRANSFORMERS])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def all_modules():
    for info in pkgutil.walk_packages(
        preprocessing.__path__, preprocessing.__name__ + "."
    ):
        yield importlib.import_module(info.name)


def test_every_transformer_is_checked():
    found = {
        kind
        for module in all_modules()
        for kind in vars(module).values()
        if inspect.isclass(kind) and issubclass(kind, ImageTransformer)
    }
    assert found - {ImageTransformer} == {type(estimator) for estimator in TRANSFORMERS}


@pytest.mark.parametrize("kind", sorted({type(t) for t in TRANSFORMERS}, key=str))
def test_public_methods_are_defined_in_the_base_alone(kind):
    for name in ("fit", "transform", "fit_transform", "iter_transform"):
        assert name not in vars(kind)


@pytest.fixture
def scans():
    return [make_scan(50 + 3 * i, 60, level=80 + 30 * i, seed=i) for i in range(5)]


def assert_equal_images(results, expected):
    assert len(results) == len(expected)
    for image, other in zip(results, expected, strict=True):
        np.testing.assert_array_equal(image, other)


each_transformer = pytest.mark.parametrize(
    "transformer",
    TRANSFORMERS,
    ids=lambda t: f"{type(t).__name__}-{t.get_params().get('method', '')}",
)


@each_transformer
def test_fit_returns_self_and_changes_no_parameter(transformer, scans):
    transformer = clone(transformer)
    before = {name: str(value) for name, value in transformer.get_params().items()}
    assert transformer.fit(scans) is transformer
    assert {k: str(v) for k, v in transformer.get_params().items()} == before


@each_transformer
def test_images_are_not_changed(transformer, scans):
    copies = [scan.copy() for scan in scans]
    results = clone(transformer).fit_transform(scans)
    for result in results:
        result[:] = 77
    assert_equal_images(scans, copies)


@each_transformer
def test_fit_and_transform_are_repeatable(transformer, scans):
    transformer = clone(transformer)
    first = transformer.fit_transform(scans)
    assert_equal_images(transformer.transform(scans), first)
    assert_equal_images(transformer.fit(scans[:2]).fit(scans).transform(scans), first)
    assert_equal_images(clone(transformer).fit(scans).transform(scans), first)


@each_transformer
def test_each_image_is_on_its_own(transformer, scans):
    transformer = clone(transformer).fit(scans)
    together = transformer.transform(scans)
    alone = [transformer.transform([scan])[0] for scan in scans]
    assert_equal_images(together, alone)
    assert_equal_images(list(transformer.iter_transform(scans)), together)


@each_transformer
def test_threads_change_nothing(transformer, scans):
    expected = clone(transformer).fit_transform(scans * 5)
    for n_jobs in (2, -1):
        threaded = clone(transformer).set_params(n_jobs=n_jobs)
        assert_equal_images(threaded.fit_transform(scans * 5), expected)


@each_transformer
def test_pickle(transformer, scans):
    transformer = clone(transformer).fit(scans)
    loaded = pickle.loads(pickle.dumps(transformer))
    assert_equal_images(loaded.transform(scans), transformer.transform(scans))


@each_transformer
def test_result_has_the_form_that_is_promised(transformer, scans):
    same_size = [scan[:50] for scan in scans]
    results = clone(transformer).fit_transform(same_size)
    if isinstance(transformer, (ImageResizer, ImagePipeline)):
        assert results.shape == (5, 16, 16, 1)
        assert results.dtype == np.uint8
    else:
        assert results.shape == (5,)
        assert results.dtype == object
        for image in results:
            assert image.dtype == np.uint8
            assert image.ndim == 2
            assert image.flags.writeable
            assert image.base is None


@each_transformer
def test_color_images_of_three_equal_channels_match_grey_ones(transformer, scans):
    color = [np.repeat(scan[:, :, None], 3, axis=2) for scan in scans]
    transformer = clone(transformer)
    if isinstance(transformer, ImageReader):
        transformer.set_params(color_mode="rgb")
    if isinstance(transformer, ImagePipeline):
        transformer.set_params(read__color_mode="rgb")
    grey = clone(transformer).fit_transform(scans)
    for image, expected in zip(transformer.fit_transform(color), grey, strict=True):
        assert image.shape[2] == 3
        for channel in range(3):
            np.testing.assert_array_equal(
                image[:, :, channel],
                expected if expected.ndim == 2 else expected[..., 0],
            )


@each_transformer
def test_empty_and_lone_images_are_refused(transformer, scans):
    with pytest.raises(ValueError, match="0 sample"):
        clone(transformer).fit([])
    with pytest.raises(ValueError, match=r"\[image\]"):
        clone(transformer).fit(scans[0])


@pytest.mark.parametrize(
    "transformer",
    [HeadCropper(), IntensityNormalizer(), ImageResizer(16)],
    ids=lambda t: type(t).__name__,
)
@pytest.mark.parametrize(
    ("image", "error"),
    [
        ("scan.jpg", TypeError),
        (np.zeros((4, 4)), ValueError),
        (np.zeros((4, 4, 4), np.uint8), ValueError),
        (np.zeros((0, 4), np.uint8), ValueError),
    ],
)
def test_what_is_no_uint8_image_is_sent_to_the_reader(transformer, image, error):
    with pytest.raises(error, match="put an ImageReader before it"):
        transformer.transform([make_scan(), image])


@each_transformer
def test_nothing_is_learned(transformer, scans):
    transformer = clone(transformer)
    assert not transformer.__sklearn_tags__().requires_fit
    assert len(transformer.transform(scans)) == len(scans)


def test_plain_pipeline_gives_what_the_image_pipeline_gives(scans):
    steps = [clone(step) for _, step in PIPELINE.steps]
    plain = make_pipeline(*steps)
    images = clone(PIPELINE).fit_transform(scans)
    np.testing.assert_array_equal(plain.fit_transform(scans), images)
    np.testing.assert_array_equal(plain.transform(scans[:2]), images[:2])


@each_transformer
@pytest.mark.parametrize("everywhere", [True, False])
def test_set_output_leaves_images_as_they_are(transformer, everywhere, scans):
    """The results are images, not columns of a table."""
    expected = transformer.fit_transform(scans)
    with config_context(transform_output="pandas" if everywhere else "default"):
        told = clone(transformer).set_output(transform="pandas")
        images = told.fit_transform(scans)
    assert type(images) is np.ndarray
    assert_equal_images(images, expected)


def test_names_of_features_pass_through():
    assert PIPELINE.get_feature_names_out().tolist() == ["image"]
    assert PIPELINE.get_feature_names_out(["path"]).tolist() == ["path"]


class Flatten(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Images to rows, in the place of features."""

    def fit(self, X, y=None):
        self.size_ = check_image_collection(X)[0].size
        return self

    @property
    def _n_features_out(self):
        return self.size_

    def transform(self, X):
        return check_image_collection(X).reshape(len(X), -1)


@pytest.mark.parametrize("output", ["default", "pandas"])
@pytest.mark.parametrize("columns", ["scan", ["scan"]])
def test_in_a_column_transformer_beside_age_and_sex(output, columns, tmp_path):
    table = pd.DataFrame(
        {"scan": write_scans(tmp_path, 6), "age": range(40, 46), "sex": list("fmfmfm")}
    )
    transformer = make_column_transformer(
        (make_pipeline(clone(PIPELINE), ImageResizer(2), Flatten()), columns),
        (OneHotEncoder(sparse_output=False), ["sex"]),
        remainder="passthrough",
    ).set_output(transform=output)
    result = transformer.fit_transform(table)
    assert result.shape == (6, 4 + 2 + 1)
    names = transformer.get_feature_names_out().tolist()
    assert names[:4] == [f"pipeline__flatten{i}" for i in range(4)]
    if output == "pandas":
        assert list(result.columns) == names
    model = make_pipeline(transformer, LogisticRegression(max_iter=1000))
    model.fit(table, list("ababab"))
    assert cross_val_score(model, table, list("ababab"), cv=2).shape == (2,)
