"""ScanGuard: what it refuses, and that it lives with scikit-learn and files.

Here phantoms play the scans, so that no folder of real ones is needed; the guard's
knowledge of phantoms then says nothing, and is not held to anything.
"""

import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone, is_outlier_detector
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from brain_tumor_clf import (
    ScanGuard,
    SimpleCNNClassifier,
    load,
    make_brain_mri,
    make_mri_pipeline,
    save,
    write_brain_mri,
)
from brain_tumor_clf.exceptions import ImageReadError
from brain_tumor_clf.outlier_detection import _training_images
from brain_tumor_clf.outlier_detection._image_statistics import image_statistics
from brain_tumor_clf.outlier_detection._subspace import fit_subspace, project

# Keras' TensorFlow backend converts variables in the way of NumPy 1.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept:DeprecationWarning"
)


@pytest.fixture(scope="module", autouse=True)
def _few_phantoms():
    """Draw fewer phantoms than the guard does by default, for speed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_training_images, "_N_BATCHES", 4)
        yield


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("guard") / "scans"
    return write_brain_mri(folder, 48, image_size=64, random_state=0)


@pytest.fixture(scope="module")
def pipe(files):
    clf = SimpleCNNClassifier(filters=(4, 8), epochs=1, random_state=0)
    return make_mri_pipeline(clf, image_size=32).fit(files.data, files.target)


@pytest.fixture(scope="module")
def guard(pipe, files):
    return ScanGuard(pipe).fit(files.data)


def others():
    rng = np.random.default_rng(0)
    ramp = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (64, 1))
    return [
        np.zeros((64, 64), np.uint8),
        np.full((80, 60), 255, np.uint8),
        rng.integers(0, 256, (64, 64), dtype=np.uint8),
        ramp,
        ramp.T.copy(),
        rng.integers(0, 256, (64, 64, 3), dtype=np.uint8),
    ]


@pytest.mark.backend
def test_refuses_what_looks_like_no_scan(guard):
    assert guard.predict(others()).tolist() == [-1] * 6


def test_refuses_inverted_scans(guard, files, pipe):
    images = pipe[0][:1].transform(files.data[:12])
    assert (guard.predict([255 - image for image in images]) == -1).all()


def test_decision_score_and_offset_agree(guard, files):
    scores = guard.score_samples(files.data)
    assert scores.shape == (48,)
    assert scores.dtype == np.float64
    decision = guard.decision_function(files.data)
    np.testing.assert_array_equal(decision, scores - guard.offset_)
    predicted = guard.predict(files.data)
    assert set(np.unique(predicted)) <= {1, -1}
    np.testing.assert_array_equal(predicted == 1, decision >= 0)
    assert scores.mean() > guard.score_samples(others()).max()


def test_contamination_is_the_share_of_fitted_views_beyond_the_limit(pipe, files):
    strict = ScanGuard(pipe, contamination=0.3).fit(files.data)
    lenient = ScanGuard(pipe, contamination=0.01).fit(files.data)
    assert strict.offset_ > lenient.offset_
    refused = (strict.predict(files.data) == -1).mean()
    assert 0 < refused < 0.6


def test_chunks_equal_one_by_one(guard, files):
    many = guard.score_samples(np.tile(files.data, 2))
    np.testing.assert_allclose(many[:48], many[48:], rtol=1e-4)
    alone = [guard.score_samples([path])[0] for path in files.data[:3]]
    np.testing.assert_allclose(many[:3], alone, rtol=1e-4)


def test_bytes_and_paths_are_the_same(guard, files):
    content = [Path(path).read_bytes() for path in files.data[:3]]
    np.testing.assert_allclose(
        guard.score_samples(content), guard.score_samples(files.data[:3]), rtol=1e-4
    )


def test_unreadable_files_are_all_named(guard, files, tmp_path):
    broken = [tmp_path / "a.png", tmp_path / "b.png"]
    for path in broken:
        path.write_text("no image")
    paths = [str(broken[0]), *files.data, *files.data, str(broken[1])]
    with pytest.raises(ImageReadError) as caught:
        guard.predict(paths)
    failures = caught.value.failures
    assert list(failures) == [0, len(paths) - 1]
    assert [failure.source for failure in failures.values()] == list(map(str, broken))


def test_what_is_not_finite_is_refused():
    X, y = make_brain_mri(24, 24, random_state=0, return_X_y=True)
    clf = SimpleCNNClassifier(filters=(4,), epochs=1, random_state=0).fit(X, y)
    guard = ScanGuard(clf).fit(X)
    broken = X[:2].astype(float)
    broken[1, 0, 0] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        guard.predict(broken)
    weights = clf.model_.get_weights()
    for value, use in ((1e38, guard.predict), (np.nan, ScanGuard(clf).fit)):
        clf.model_.set_weights([np.full_like(weight, value) for weight in weights])
        with pytest.raises(ValueError, match="training has diverged"):
            use(X)


def test_no_warning_of_images_without_a_head(guard):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        guard.predict([np.zeros((64, 64), np.uint8)])


def test_two_fits_are_equal(pipe, files, guard):
    again = ScanGuard(pipe).fit(files.data)
    assert again.offset_ == pytest.approx(guard.offset_, rel=1e-4)


@pytest.mark.backend
def test_a_bare_classifier_of_arrays():
    X, y = make_brain_mri(24, 24, random_state=0, return_X_y=True)
    clf = SimpleCNNClassifier(filters=(4, 8), epochs=1, random_state=0).fit(X, y)
    guard = ScanGuard(clf).fit(X)
    assert guard.predict(X).shape == (24,)
    assert guard.predict(np.full((2, 24, 24), 255, np.uint8)).tolist() == [-1, -1]
    np.testing.assert_allclose(
        ScanGuard(clf).fit(X[..., None]).score_samples(X[..., None]),
        guard.score_samples(X),
        rtol=1e-4,
    )
    color = np.repeat(X[..., None], 3, axis=3)
    clf = SimpleCNNClassifier(filters=(4, 8), epochs=1, random_state=0).fit(color, y)
    assert ScanGuard(clf).fit(color).predict(color).shape == (24,)


@pytest.mark.parametrize(
    "wrap",
    [
        FrozenEstimator,
        lambda pipe: make_pipeline("passthrough", pipe),
        lambda pipe: CalibratedClassifierCV(FrozenEstimator(pipe), method="sigmoid"),
    ],
    ids=["frozen", "nested", "calibrated"],
)
def test_wrapped_classifiers_are_looked_into(wrap, pipe, files, guard):
    wrapped = wrap(pipe)
    if isinstance(wrapped, CalibratedClassifierCV):
        wrapped.fit(files.data, files.target)
    found = ScanGuard(wrapped).fit(files.data)
    assert found.offset_ == pytest.approx(guard.offset_, rel=1e-4)


# --- scikit-learn ------------------------------------------------


def test_is_an_outlier_detector(guard):
    assert is_outlier_detector(guard)
    assert set(guard.get_params(deep=False)) == {
        "estimator",
        "contamination",
        "n_components",
        "random_state",
    }


def test_a_clone_says_to_freeze_and_a_frozen_one_fits(pipe, files):
    with pytest.raises(NotFittedError, match=r"FrozenEstimator\(classifier\)"):
        clone(ScanGuard(pipe)).fit(files.data)
    frozen = clone(ScanGuard(FrozenEstimator(pipe), contamination=0.1))
    assert frozen.contamination == 0.1
    assert frozen.fit_predict(files.data).shape == (48,)


def test_unfitted(pipe, files):
    with pytest.raises(NotFittedError):
        ScanGuard(pipe).predict(files.data)


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(),
        make_pipeline(StandardScaler(), LogisticRegression()),
        make_pipeline(StandardScaler(), SimpleCNNClassifier()),
    ],
)
def test_other_estimators_are_refused(estimator, files):
    with pytest.raises(TypeError, match="classifier of this package"):
        ScanGuard(estimator).fit(files.data)


@pytest.mark.parametrize(
    "wrong",
    [{"contamination": 0}, {"contamination": 0.6}, {"n_components": 0}],
    ids=str,
)
def test_parameters_out_of_range(wrong, pipe, files):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ScanGuard(pipe, **wrong).fit(files.data)


def test_too_few_images(pipe, files):
    with pytest.raises(ValueError, match="at least 10 images, got 4"):
        ScanGuard(pipe).fit(files.data[:4])


# --- files ---------------------------------------------------------


@pytest.mark.backend
@pytest.mark.parametrize("way", ["save", "pickle"])
def test_the_guard_of_a_pipeline_travels_along(way, pipe, files, tmp_path):
    pipe.guard_ = ScanGuard(pipe).fit(files.data)
    try:
        path = tmp_path / "model.btc"
        if way == "save":
            manifest = save(pipe, path)
            # The network is in the file once.
            assert path.read_bytes().count(b'"_network_state"') == 1
            loaded = load(path)
            assert save(loaded, path).model_id == manifest.model_id
        else:
            loaded = pickle.loads(pickle.dumps(pipe))
        expected = pipe.guard_.score_samples(files.data)
    finally:
        del pipe.guard_
    assert loaded.guard_.estimator_[-1] is loaded[-1]
    np.testing.assert_allclose(
        loaded.guard_.score_samples(files.data), expected, rtol=1e-4
    )
    assert clone(loaded.guard_).fit(files.data).predict(files.data).shape == (48,)


def test_the_guard_adds_less_than_a_megabyte(pipe, guard, files, tmp_path):
    save(pipe, tmp_path / "without.btc")
    pipe.guard_ = guard
    try:
        save(pipe, tmp_path / "with.btc")
    finally:
        del pipe.guard_
    sizes = [(tmp_path / f"{n}.btc").stat().st_size for n in ("without", "with")]
    assert sizes[1] - sizes[0] < 100_000


# --- parts ---------------------------------------------------------


def test_statistics_do_not_change_when_an_image_is_turned_or_mirrored():
    image = make_brain_mri(1, 64, random_state=0).data[0]
    expected = image_statistics(image)
    assert expected.shape == (27,)
    for view in (np.rot90(image), image[:, ::-1], image[::-1], np.rot90(image, 2)):
        np.testing.assert_allclose(
            image_statistics(np.ascontiguousarray(view)), expected, atol=0.02
        )


@pytest.mark.parametrize("shape", [(200, 12), (30, 60)], ids=["tall", "wide"])
def test_distances_within_and_beside_the_axes(shape):
    rng = np.random.default_rng(0)
    axes = rng.normal(size=(3, shape[1]))
    seen = (rng.normal(size=(shape[0], 3)) @ axes).astype(np.float32)
    subspace = fit_subspace(seen, 3)
    coordinates, distances = project(subspace, seen)
    assert coordinates.shape == (shape[0], 3)
    np.testing.assert_allclose(coordinates.std(axis=0), 1, atol=0.15)
    _, along = project(subspace, 8 * seen)
    _, off = project(subspace, seen + 5 * rng.normal(size=seen.shape))
    assert (along[:, 0] > distances[:, 0].max()).mean() > 0.8
    assert off[:, 1].min() > distances[:, 1].max()
