"""What is saved comes back the same, from every combination of estimators."""

import copy
import json
import os
import subprocess
import sys
import zipfile

import joblib
import numpy as np
import pytest
import sklearn
import skops.io
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

import brain_tumor_clf
from brain_tumor_clf import SimpleCNNClassifier, load, save
from brain_tumor_clf.exceptions import ModelFileError, ModelVersionWarning
from brain_tumor_clf.persistence import TRUSTED_TYPES, read_manifest
from brain_tumor_clf.persistence._archive import unpack
from brain_tumor_clf.persistence._trusted import OWN_TYPES

# Keras' TensorFlow backend converts variables in the way of NumPy 1.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept:DeprecationWarning"
)

TINY = {"filters": (4,), "epochs": 1}


class Squarer(TransformerMixin, BaseEstimator):
    """An estimator of a user's own."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return np.square(X)


@pytest.mark.backend
def test_fresh_process_predicts_bit_for_bit_the_same(network, saved, scans, tmp_path):
    np.save(tmp_path / "X.npy", scans[0])
    code = (
        "import sys, numpy as np; from brain_tumor_clf import load\n"
        "folder = sys.argv[2]\n"
        "p = load(sys.argv[1]).predict_proba(np.load(folder + '/X.npy'))\n"
        "np.save(folder + '/p.npy', p)"
    )
    subprocess.run([sys.executable, "-c", code, saved, tmp_path], check=True)
    there = np.load(tmp_path / "p.npy")
    assert there.tobytes() == network.predict_proba(scans[0]).tobytes()


def test_loaded_estimator_has_parameters_classes_history_and_model_id(network, saved):
    loaded = load(saved)
    assert loaded.get_params() == network.get_params()
    assert loaded.classes_.tolist() == network.classes_.tolist()
    assert loaded.history_ == network.history_
    assert loaded.model_id_ == read_manifest(saved).model_id
    assert not hasattr(clone(loaded), "model_id_")


def make_voting(network):
    other = clone(network).set_params(random_state=1)
    return VotingClassifier([("a", clone(network)), ("b", other)], voting="soft")


@pytest.mark.parametrize(
    "make",
    [
        make_voting,
        lambda network: CalibratedClassifierCV(clone(network), cv=2, ensemble=False),
        lambda network: CalibratedClassifierCV(
            FrozenEstimator(network), method="isotonic"
        ),
    ],
    ids=["voting", "calibrated", "calibrated-frozen"],
)
def test_networks_inside_meta_estimators(make, network, scans, tmp_path):
    X, y = scans
    fitted = make(network).fit(X, y)
    manifest = save(fitted, tmp_path / "model.btc")
    loaded = load(tmp_path / "model.btc")
    np.testing.assert_array_equal(loaded.predict_proba(X), fitted.predict_proba(X))
    assert save(loaded, tmp_path / "again.btc").model_id == manifest.model_id


@pytest.mark.backend
def test_best_estimator_of_a_grid_search(network, scans, tmp_path):
    search = GridSearchCV(clone(network), {"learning_rate": [1e-3, 1e-2]}, cv=2)
    search.fit(*scans)
    save(search.best_estimator_, tmp_path / "best.btc")
    np.testing.assert_array_equal(
        load(tmp_path / "best.btc").predict_proba(scans[0]),
        search.best_estimator_.predict_proba(scans[0]),
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda: make_pipeline(StandardScaler(), SVC()),
        lambda: make_pipeline(FunctionTransformer(np.sqrt), LogisticRegression()),
        lambda: GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=3),
    ],
    ids=["svc", "ufunc", "whole-search"],
)
def test_scikit_learn_alone(make, scans, tmp_path):
    X, y = scans[0].reshape(len(scans[0]), -1)[:, ::16], scans[1] == "notumor"
    fitted = make().fit(X, y)
    save(fitted, tmp_path / "model.btc")
    np.testing.assert_array_equal(
        load(tmp_path / "model.btc").predict(X), fitted.predict(X)
    )


def test_metadata_requests_are_kept(tmp_path):
    with sklearn.config_context(enable_metadata_routing=True):
        inner = LogisticRegression().set_fit_request(sample_weight="weight")
        model = make_pipeline(StandardScaler(), inner)
        model.fit([[0.0], [1.0]], [0, 1])
        asked = model[-1].get_metadata_routing().fit.requests
        save(model, tmp_path / "model.btc")
        assert model[-1].get_metadata_routing().fit.requests == asked
        loaded = load(tmp_path / "model.btc")
        assert loaded[-1].get_metadata_routing().fit.requests == asked
    assert asked == {"sample_weight": "weight"}
    assert vars(loaded[-1]).keys() == vars(model[-1]).keys()


@pytest.mark.parametrize("labels", [int, bool, object])
def test_labels_of_every_kind(labels, scans, tmp_path):
    X, y = scans
    y = np.array(["yes", "no"], dtype=object)[(y == "notumor").astype(int)]
    y = y if labels is object else (y == "yes").astype(labels)
    fitted = SimpleCNNClassifier(**TINY, random_state=0).fit(X, y)
    manifest = save(fitted, tmp_path / "model.btc")
    loaded = load(tmp_path / "model.btc")
    assert loaded.classes_.dtype == fitted.classes_.dtype
    assert loaded.predict(X).tolist() == fitted.predict(X).tolist()
    assert manifest.classes == fitted.classes_.tolist()


def test_model_id_is_of_the_content(network, saved, scans, tmp_path):
    same = save(network, tmp_path / "same.btc", metadata={"note": "another day"})
    assert same.model_id == read_manifest(saved).model_id
    other = clone(network).set_params(random_state=3).fit(*scans)
    assert save(other, tmp_path / "other.btc").model_id != same.model_id


def test_manifest_tells_what_it_is(network, tmp_path):
    metadata = {"accuracy": 0.5, "card": {"for": ["research"]}}
    written = save(network, tmp_path / "model.btc", metadata=metadata)
    read = read_manifest(tmp_path / "model.btc")
    assert read == written
    assert read.metadata == metadata
    assert read.classes == ["glioma", "meningioma", "notumor", "pituitary"]
    assert read.estimator == "SimpleCNNClassifier"
    assert read.versions["brain-tumor-clf"] == brain_tumor_clf.__version__
    assert read.backend in ("tensorflow", "jax", "torch")


def test_metadata_is_on_the_loaded_and_not_in_its_next_file(network, tmp_path):
    path = tmp_path / "model.btc"
    first = save(network, path, metadata={"note": "seen by nobody"})
    loaded = load(path)
    assert loaded.metadata_ == {"note": "seen by nobody"}
    outer = make_pipeline(FunctionTransformer(np.abs), loaded)
    again = save(outer, tmp_path / "outer.btc")
    assert again.metadata == {}
    assert b"seen by nobody" not in (tmp_path / "outer.btc").read_bytes()
    inner = load(tmp_path / "outer.btc")[-1]
    assert not hasattr(inner, "metadata_")
    assert not hasattr(inner, "model_id_")
    kept = save(loaded, path, metadata=loaded.metadata_)
    assert (kept.model_id, kept.metadata) == (first.model_id, first.metadata)


@pytest.mark.parametrize("write", [save, lambda o, p: joblib.dump(o, p)])
def test_attributes_of_a_pipeline_travel_along(write, network, scans, tmp_path):
    pipeline = make_pipeline(FunctionTransformer(np.abs), network)
    pipeline.extra_ = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    path = tmp_path / "model"
    write(pipeline, path)
    loaded = load(path) if write is save else joblib.load(path)
    assert loaded.extra_.predict([[0.0], [1.0]]).tolist() == [0, 1]
    np.testing.assert_array_equal(
        loaded.predict_proba(scans[0]), network.predict_proba(scans[0])
    )


@pytest.mark.backend
def test_half_precision_halves_the_file_and_hardly_changes_predictions(scans, tmp_path):
    X, y = scans
    model = SimpleCNNClassifier(filters=(64,), dense_units=128, epochs=1).fit(X, y)
    paths = [tmp_path / name for name in ("whole.btc", "half.btc", "again.btc")]
    whole = save(model, paths[0])
    half = save(model, paths[1], half_precision=True)
    assert paths[1].stat().st_size < 0.55 * paths[0].stat().st_size
    assert half.model_id != whole.model_id
    loaded = load(paths[1])
    assert {str(w.dtype) for w in loaded.model_.weights} == {"float32"}
    proba = loaded.predict_proba(X)
    np.testing.assert_allclose(proba, model.predict_proba(X), atol=5e-3)
    assert save(loaded, paths[2], half_precision=True).model_id == half.model_id


def test_a_weight_too_large_for_half_precision_is_named(network, tmp_path):
    large = copy.deepcopy(network)
    large.model_.set_weights([w + 1e6 for w in large.model_.get_weights()])
    with pytest.raises(ModelFileError, match=r"weight 0 .* holds 1e\+06, too lar"):
        save(large, tmp_path / "model.btc", half_precision=True)
    save(large, tmp_path / "model.btc")


def test_members_are_plain_data_that_skops_reads_alone(saved, network, scans):
    with zipfile.ZipFile(saved) as archive:
        assert archive.namelist() == ["manifest.json", "estimator.skops"]
        json.loads(archive.read("manifest.json"))
        content = archive.read("estimator.skops")
    for name, member in unpack(content).items():
        if name == "schema.json":
            json.loads(member)
        else:
            assert member.startswith(b"\x93NUMPY")
    assert set(skops.io.get_untrusted_types(data=content)) <= set(TRUSTED_TYPES)
    alone = skops.io.loads(content, trusted=TRUSTED_TYPES)
    np.testing.assert_array_equal(
        alone.predict_proba(scans[0]), network.predict_proba(scans[0])
    )


def test_skops_alone_writes_what_it_reads(network, scans):
    fitted = clone(network).set_params(warm_start=True).fit(*scans)
    content = skops.io.dumps(fitted)
    assert b"optimizer_state" not in content
    assert b"brain_tumor_clf.classifiers._" not in content
    alone = skops.io.loads(content, trusted=TRUSTED_TYPES)
    np.testing.assert_array_equal(
        alone.predict_proba(scans[0]), fitted.predict_proba(scans[0])
    )


def test_file_is_hardly_larger_than_the_weights(scans, tmp_path):
    X, y = scans
    model = SimpleCNNClassifier(filters=(64,), dense_units=128, epochs=1).fit(X, y)
    weights = sum(w.nbytes for w in model.model_.get_weights())
    assert weights > 2**20
    save(model, tmp_path / "model.btc")
    assert os.path.getsize(tmp_path / "model.btc") <= 1.2 * weights


def test_a_network_met_twice_is_stored_once(network, tmp_path):
    twice = VotingClassifier([("a", network), ("b", network)], voting="soft")
    twice.estimators_ = [network, network]
    twice.le_ = network.classes_
    once, both = tmp_path / "once.btc", tmp_path / "model.btc"
    save(network, once)
    save(twice, both)
    apart = copy.deepcopy(twice)
    apart.estimators_ = [network, copy.deepcopy(network)]
    save(apart, tmp_path / "apart.btc")
    arrays = [
        {n for n in unpack(unpack(path.read_bytes())["estimator.skops"]) if "npy" in n}
        for path in (once, both, tmp_path / "apart.btc")
    ]
    assert arrays[0] == arrays[1] == arrays[2]
    first, second = load(tmp_path / "model.btc").estimators_
    assert first is second


def test_folders_and_training_of_this_machine_stay_here(scans, tmp_path):
    X, y = scans
    model = SimpleCNNClassifier(**TINY, warm_start=True, random_state=0).fit(X, y)
    private = tmp_path / "patients"
    pipeline = make_pipeline(FunctionTransformer(np.abs), model, memory=str(private))
    save(pipeline, tmp_path / "model.btc")
    content = (tmp_path / "model.btc").read_bytes()
    assert b"patients" not in content
    assert b"optimizer_state" not in content
    loaded = load(tmp_path / "model.btc")
    assert loaded.memory is None
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    loaded[-1].fit(X, y)  # trains on from the weights, with a new optimizer


def test_unfitted_is_refused(tmp_path):
    with pytest.raises(NotFittedError):
        save(SimpleCNNClassifier(), tmp_path / "model.btc")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("estimator", "match"),
    [
        (
            make_pipeline(Squarer(), LogisticRegression()),
            r"steps\[0\].*Squarer.*joblib",
        ),
        (
            make_pipeline(FunctionTransformer(lambda X: X), LogisticRegression()),
            r"func is a .*<lambda>.*joblib",
        ),
        (RandomForestClassifier(2), r"tree_ is a sklearn.*Tree.*joblib"),
    ],
    ids=["own-class", "lambda", "forest"],
)
def test_what_the_format_cannot_hold_is_named(estimator, match, tmp_path):
    estimator.fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(ModelFileError, match=match):
        save(estimator, tmp_path / "model.btc")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["optimizer", "augmentation", "callbacks"])
def test_live_keras_objects_are_refused_by_the_parameters_name(name, scans, tmp_path):
    import keras

    value = {
        "optimizer": keras.optimizers.Adam(1e-3),
        "augmentation": [keras.layers.RandomFlip("horizontal")],
        "callbacks": [keras.callbacks.TerminateOnNaN()],
    }[name]
    X, y = scans
    model = SimpleCNNClassifier(**TINY, **{name: value}).fit(X, y)
    with pytest.raises(ModelFileError, match=f"its parameter {name} holds a keras"):
        save(model, tmp_path / "model.btc")
    save(model.set_params(**{name: None}), tmp_path / "model.btc")
    np.testing.assert_array_equal(
        load(tmp_path / "model.btc").predict(X), model.predict(X)
    )


def test_metadata_must_be_json(network, tmp_path):
    with pytest.raises(TypeError, match="JSON"):
        save(network, tmp_path / "model.btc", metadata={"scores": np.ones(2)})
    with pytest.raises(TypeError, match="dict"):
        save(network, tmp_path / "model.btc", metadata=[1])


def test_a_failed_save_leaves_the_file_that_was_there(network, tmp_path, monkeypatch):
    path = tmp_path / "model.btc"
    save(network, path)
    before = path.read_bytes()

    def full(*args, **kwargs):
        raise OSError("No space left on device")

    for name in ("os.replace", "zipfile.ZipFile.writestr", "skops.io.dumps"):
        with monkeypatch.context() as patch:
            patch.setattr(name, full)
            with pytest.raises(ModelFileError, match="No space"):
                save(network, path)
        assert path.read_bytes() == before
        assert [p.name for p in tmp_path.iterdir()] == ["model.btc"]


@pytest.mark.parametrize(
    "where", ["missing/model.btc", ".", "a" * 300, "a/" * 3000 + "m", "nul\0.btc"]
)
def test_places_that_cannot_be_written(where, network, tmp_path):
    with pytest.raises(ModelFileError, match="Cannot save to"):
        save(network, tmp_path / where)


def test_other_versions_load_with_one_warning(tamper, scans):
    versions = {"brain-tumor-clf": "0.1.9", "scikit-learn": "1.2.0", "keras": "3.0.0"}
    versions["numpy"] = np.__version__
    path = tamper({}, manifest={"versions": versions})
    with pytest.warns(ModelVersionWarning, match=r"scikit-learn 1\.2\.0") as caught:
        load(path).predict(scans[0])
    assert len(caught) == 1


def test_every_public_estimator_of_the_package_may_be_saved():
    import importlib

    for room, names in OWN_TYPES.items():
        module = importlib.import_module(f"brain_tumor_clf.{room}")
        public = {
            name
            for name in module.__all__
            if isinstance(getattr(module, name), type)
            and issubclass(getattr(module, name), BaseEstimator)
            # bases to derive from, and what holds functions
            and name not in {"ImageTransformer", "BaseCNNClassifier", "CNNClassifier"}
        }
        assert public <= set(names)
        assert set(names) <= set(module.__all__)
