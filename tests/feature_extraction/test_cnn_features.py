import pickle
import subprocess
import sys

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from brain_tumor_clf.exceptions import ModelFileError, WeightsError
from brain_tumor_clf.feature_extraction import CNNFeatures
from brain_tumor_clf.networks import feature_extractor
from tests.feature_extraction.conftest import N_FEATURES

# Keras' own, under NumPy 2.4: its writer asks TensorFlow's variables for arrays.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept:DeprecationWarning"
)

SIZE = 32


def images(n=5, channels=1):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (n, SIZE, SIZE, channels), dtype=np.uint8)


def make(backbone="Tiny", **parameters):
    return CNNFeatures(backbone, **{"weights": None, "random_state": 0, **parameters})


@pytest.fixture(scope="module")
def fitted():
    return make().fit(images())


@pytest.fixture(scope="module")
def lite0():
    return make("EfficientNetLite0").fit(images())


def assert_close(a, b):
    # Batches of another size are summed in another order.
    np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def count_computed(monkeypatch):
    """A list that grows by the number of images at each batch computed."""
    computed, compute = [], CNNFeatures._compute_batch

    def counting(self, batch):
        computed.append(len(batch))
        return compute(self, batch)

    monkeypatch.setattr(CNNFeatures, "_compute_batch", counting)
    return computed


def test_features_are_those_of_the_network(fitted):
    X = images()
    features = fitted.transform(X)
    assert features.shape == (5, N_FEATURES)
    assert features.dtype == np.float32
    assert_close(features, np.asarray(fitted.network_(X)))
    assert not fitted.network_.trainable_weights


def test_one_image_gives_one_row(fitted):
    X = images()
    assert fitted.transform(X[:1]).shape == (1, N_FEATURES)
    assert_close(fitted.transform(X[:1]), fitted.transform(X)[:1])


def test_grey_images_may_come_without_a_channel_axis(fitted):
    X = images()
    np.testing.assert_array_equal(fitted.transform(X[..., 0]), fitted.transform(X))
    np.testing.assert_array_equal(
        fitted.transform(X.astype("float64")), fitted.transform(X)
    )


def test_batches_are_bounded_and_few_sizes_come(fitted, monkeypatch):
    X, sizes = images(11), []
    expected = fitted.transform(X)
    predict = fitted.network_.predict_on_batch

    def recording(batch):
        sizes.append(len(batch))
        return predict(batch)

    monkeypatch.setattr(fitted.network_, "predict_on_batch", recording)
    fitted.set_params(batch_size=4)
    try:
        assert_close(fitted.transform(X), expected)
        assert_close(fitted.transform(X[:6]), expected[:6])
    finally:
        fitted.set_params(batch_size=32)
    assert sizes == [4, 4, 4, 4, 2]


def test_features_of_several_stages_stand_one_after_the_other(lite0):
    X = images()
    stages = make("EfficientNetLite0", stages=(-3, -2), pooling="avgmax").fit(X)
    network = keras.Model(
        lite0.network_.input,
        [
            lite0.network_.get_layer(name).output
            for name in ("block4a_expand_relu6", "block6a_expand_relu6")
        ],
    )
    fine, coarse = map(np.asarray, network(X))
    assert fine.shape[1:3] == (SIZE // 8, SIZE // 8)
    assert coarse.shape[1:3] == (SIZE // 16, SIZE // 16)
    expected = [
        pool(m, axis=(1, 2)) for m in (fine, coarse) for pool in (np.mean, np.max)
    ]
    assert_close(stages.transform(X), np.concatenate(expected, axis=1))
    # What lies behind the last stage is left out.
    assert len(stages.network_.layers) < len(lite0.network_.layers) / 1.2
    assert stages.get_feature_names_out().shape == (2 * (240 + 672),)
    loaded = pickle.loads(pickle.dumps(stages))
    np.testing.assert_array_equal(loaded.transform(X), stages.transform(X))


def test_the_last_stage_is_the_default(fitted):
    X = images()
    for stages in (-1, (-1,), [2]):
        again = make(stages=stages).fit(X)
        np.testing.assert_array_equal(again.transform(X), fitted.transform(X))


def test_random_weights_repeat(fitted):
    X = images()
    again = clone(fitted).fit(X)
    np.testing.assert_array_equal(again.transform(X), fitted.transform(X))
    other = make(random_state=1).fit(X)
    assert not np.allclose(other.transform(X), fitted.transform(X))


def test_names_and_pandas_output(fitted):
    names = fitted.get_feature_names_out()
    assert len(names) == N_FEATURES
    assert names[0] == "cnnfeatures0"
    frame = clone(fitted).set_output(transform="pandas").fit_transform(images(2))
    assert list(frame.columns) == list(names)


def test_pickle_is_exact_and_of_the_size_of_the_weights(lite0):
    X = images()
    data = pickle.dumps(lite0)
    n_bytes = 4 * lite0.network_.count_params()
    assert len(data) < 1.1 * n_bytes
    loaded = pickle.loads(data)
    np.testing.assert_array_equal(loaded.transform(X), lite0.transform(X))
    assert loaded.get_params() == lite0.get_params()
    assert not any(isinstance(v, keras.Model) for v in lite0.__getstate__().values())


def test_a_loaded_network_is_built_when_needed(fitted):
    X, expected = images(), fitted.transform(images())
    loaded = pickle.loads(pickle.dumps(fitted))
    assert loaded._network is None
    # Passed on as it came, without being built.
    again = pickle.loads(pickle.dumps(loaded))
    assert loaded._network is None
    np.testing.assert_array_equal(again.transform(X), expected)
    assert again._network_state is None
    # A new fit forgets what was loaded.
    loaded.set_params(random_state=1).fit(X)
    assert np.abs(loaded.transform(X) - expected).max() > 0.01


def test_a_loaded_network_is_checked_before_it_is_built(fitted):
    state = fitted.__getstate__()
    config = state["_network_state"]["config"].replace("MaxPooling2D", "Lambda")
    lambdas = state["_network_state"] | {"config": config}
    with pytest.raises(ModelFileError, match="Lambda"):
        CNNFeatures().__setstate__(state | {"_network_state": lambdas})
    weights = state["_network_state"]["weights"][1:]
    short = state["_network_state"] | {"weights": weights}
    loaded = CNNFeatures()
    loaded.__setstate__(state | {"_network_state": short})
    with pytest.raises(ModelFileError, match="do not fit"):
        loaded.transform(images())


@pytest.mark.slow
def test_pickle_loads_in_a_fresh_process(fitted, tmp_path):
    X = images()
    (tmp_path / "fitted.pickle").write_bytes(pickle.dumps(fitted))
    np.save(tmp_path / "images.npy", X)
    code = (
        "import pickle, numpy as np\n"
        "features = pickle.load(open('fitted.pickle', 'rb'))\n"
        "np.save('result.npy', features.transform(np.load('images.npy')))\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    result = np.load(tmp_path / "result.npy")
    np.testing.assert_array_equal(result, fitted.transform(X))


def test_unfitted_and_pickled_unfitted():
    transformer = pickle.loads(pickle.dumps(make()))
    with pytest.raises(NotFittedError):
        transformer.transform(images())
    with pytest.raises(NotFittedError):
        _ = transformer.network_


def test_cache_computes_no_feature_twice(tmp_path, monkeypatch):
    X = images(9)
    X[8] = X[0]  # the same image twice is one entry
    computed = count_computed(monkeypatch)
    transformer = make(cache=tmp_path, batch_size=4)
    first = transformer.fit_transform(X[:8])
    assert sum(computed) == 8
    again = clone(transformer).fit(X).transform(X)
    assert sum(computed) == 8
    np.testing.assert_array_equal(again[:8], first)
    np.testing.assert_array_equal(again[8], first[0])
    changed = X.copy()
    changed[3] ^= 1
    transformer.transform(changed)
    assert sum(computed) == 9


def test_cache_keeps_other_parameters_apart(tmp_path, monkeypatch):
    X = images(2)
    computed = count_computed(monkeypatch)
    changes = ({}, {"pooling": "max"}, {"random_state": 1}, {"stages": (-2, -1)})
    for change in changes:
        make(cache=tmp_path, **change).fit_transform(X)
    assert computed == [2, 2, 2, 2]
    make(cache=tmp_path, stages=np.array([-2, -1])).fit_transform(X)
    assert computed == [2, 2, 2, 2]


def test_grid_search_over_the_last_step_reads_each_image_once(tmp_path, monkeypatch):
    X, y = images(12), np.arange(12) % 2
    computed = count_computed(monkeypatch)
    pipeline = make_pipeline(make(cache=tmp_path), LogisticRegression(max_iter=10_000))
    grid = {"logisticregression__C": [0.01, 1.0]}
    GridSearchCV(pipeline, grid, cv=3).fit(X, y)
    assert sum(computed) == 12


def test_with_a_cache_the_network_is_built_when_needed(tmp_path, weights_file):
    X = images(3)
    options = {"backbone": "Tiny", "weights": weights_file, "cache": tmp_path / "cache"}
    first = CNNFeatures(**options).fit_transform(X)
    second = CNNFeatures(**options).fit(X)
    np.testing.assert_array_equal(second.transform(X), first)
    assert second._network is None
    # A pickle holds the network all the same.
    weights_file.unlink()
    with pytest.raises(WeightsError, match="no weights file"):
        pickle.dumps(second)
    with pytest.raises(WeightsError, match="no weights file"):
        CNNFeatures(**options).fit(X)


def test_a_changed_weights_file_is_another_cache_entry(
    tmp_path, weights_file, monkeypatch
):
    X = images(3)
    computed = count_computed(monkeypatch)
    options = {"backbone": "Tiny", "weights": weights_file, "cache": tmp_path / "cache"}
    CNNFeatures(**options).fit_transform(X)
    weights_file.write_bytes(_saved_network(tmp_path).read_bytes())
    CNNFeatures(**options).fit_transform(X)
    assert computed == [3, 3]


def _saved_network(folder):
    path = folder / "network.keras"
    feature_extractor("Tiny", (SIZE, SIZE, 1), weights=None).save(path)
    return path


@pytest.fixture
def weights_file(tmp_path):
    return _saved_network(tmp_path)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"backbone": "EfficientNetLite"}, ValueError, "Did you mean"),
        ({"pooling": "mean"}, ValueError, "pooling"),
        ({"stages": -4}, ValueError, "from -3 "),
        ({"stages": ()}, ValueError, "stages"),
        ({"stages": (-1, 2)}, ValueError, "different"),
        ({"stages": "last"}, ValueError, "stages"),
        ({"batch_size": 0}, ValueError, "batch_size"),
        ({"batch_size": 1.5}, ValueError, "batch_size"),
        ({"backbone": "Xception"}, ValueError, "at least 71x71"),
        ({"weights": "none.h5"}, WeightsError, "no weights file"),
    ],
)
def test_wrong_parameters_are_named_in_fit(change, error, message):
    with pytest.raises(error, match=message):
        make(**change).fit(images(1))


def test_wrong_images_are_named(fitted):
    with pytest.raises(TypeError, match="ImageResizer"):
        fitted.transform(["scan.jpg"])
    with pytest.raises(ValueError, match="fitted on"):
        fitted.transform(images()[:, :16])
    with pytest.raises(ValueError, match="NaN"):
        fitted.transform(np.full((1, SIZE, SIZE, 1), np.nan))
    with pytest.raises(ValueError, match="lone array"):
        fitted.transform(images()[0])


def test_packaged_weights_with_a_cache(tmp_path):
    X = images()
    features = CNNFeatures(
        weights="brain-mri-multisource", cache=tmp_path
    ).fit_transform(X)
    again = CNNFeatures(weights="brain-mri-multisource", cache=tmp_path).fit(X)
    assert again._network is None  # not needed: all is in the cache
    np.testing.assert_array_equal(again.transform(X), features)
    plain = CNNFeatures(weights="brain-mri-multisource").fit_transform(X)
    np.testing.assert_allclose(plain, features, atol=1e-6)
