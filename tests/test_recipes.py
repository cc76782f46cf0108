"""make_recipe: what each recipe is, that it fits paths, saves and scores by groups."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score

from brain_tumor_clf import (
    TransferCNNClassifier,
    load,
    make_recipe,
    save,
    source_balanced_weight,
    write_brain_mri,
)
from brain_tumor_clf.recipes import RECIPES

# Keras' TensorFlow backend converts variables in the way of NumPy 1.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept:DeprecationWarning"
)
# Only the head is trained: compiling the gradients of a backbone takes most of a test.
_HEAD = {"image_size": 32, "epochs": 1, "trainable": "head"}
SMALL = {
    "fast": {"image_size": 32},
    "default": _HEAD,
    "best": {**_HEAD, "n_networks": 2},
    "robust": _HEAD,
}


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scans") / "phantoms"
    return write_brain_mri(folder, 24, image_size=40, random_state=0)


@pytest.fixture(scope="module", params=RECIPES)
def fitted(request, scans):
    pipe = make_recipe(request.param, random_state=0, **SMALL[request.param])
    return request.param, pipe.fit(scans.data, scans.target)


def test_it_classifies_paths(fitted, scans):
    _, pipe = fitted
    probabilities = pipe.predict_proba(scans.data[:5])
    assert probabilities.shape == (5, 4)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    assert list(pipe.classes_) == sorted(set(scans.target))
    expected = pipe.classes_[probabilities.argmax(axis=1)]
    np.testing.assert_array_equal(pipe.predict(scans.data[:5]), expected)


def test_it_saves_without_pickle(fitted, scans, tmp_path):
    _, pipe = fitted
    save(pipe, tmp_path / "model.btc")
    loaded = load(tmp_path / "model.btc")
    np.testing.assert_array_equal(
        loaded.predict_proba(scans.data), pipe.predict_proba(scans.data)
    )


def test_a_seed_repeats(fitted, scans):
    name, pipe = fitted
    again = make_recipe(name, random_state=0, **SMALL[name])
    again.fit(scans.data, scans.target)
    np.testing.assert_array_equal(
        again.predict_proba(scans.data), pipe.predict_proba(scans.data)
    )


def test_sample_weights_reach_every_recipe(fitted, scans):
    name, pipe = fitted
    weights = np.where(scans.target == "glioma", 100.0, 1e-3)
    other = make_recipe(name, random_state=0, **SMALL[name])
    other.fit(scans.data, scans.target, classifier__sample_weight=weights)
    at = list(pipe.classes_).index("glioma")
    heavier = other.predict_proba(scans.data)[:, at].mean()
    assert heavier > pipe.predict_proba(scans.data)[:, at].mean()


def test_networks_of_best_differ_and_are_averaged(scans):
    pipe = make_recipe("best", random_state=5, **SMALL["best"])
    vote = pipe["classifier"]
    assert isinstance(vote, VotingClassifier)
    assert [clf.random_state for _, clf in vote.estimators] == [5, 6]
    pipe.fit(scans.data, scans.target)
    X = pipe["preprocess"].transform(scans.data)
    each = [network.predict_proba(X) for network in vote.estimators_]
    assert not np.allclose(each[0], each[1])
    np.testing.assert_allclose(pipe.predict_proba(scans.data), np.mean(each, axis=0))
    first = make_recipe("default", random_state=5, **SMALL["default"])
    first.fit(scans.data, scans.target)
    np.testing.assert_array_equal(first.predict_proba(scans.data), each[0])


def test_fast_computes_features_once(scans, tmp_path, monkeypatch):
    pipe = make_recipe("fast", image_size=32, random_state=0, cache=tmp_path)
    folds = StratifiedGroupKFold(3, shuffle=True, random_state=0)
    options = {"groups": scans.groups, "cv": folds}
    first = cross_val_score(pipe, scans.data, scans.target, **options)

    def no_more(*_):
        raise AssertionError("a feature was computed again")

    monkeypatch.setattr(type(pipe["features"]), "_compute_batch", no_more)
    again = cross_val_score(pipe, scans.data, scans.target, **options)
    np.testing.assert_array_equal(again, first)


def test_parameters_reach_their_step():
    pipe = make_recipe(
        "default",
        weights="brain-mri-multisource",
        image_size=(96, 80),
        cache="folder",
        n_jobs=2,
        batch_size=8,
        optimizer__clipnorm=1.0,
    )
    network = pipe["classifier"]
    assert isinstance(network, TransferCNNClassifier)
    assert network.weights == "brain-mri-multisource"
    assert network.batch_size == 8
    assert network.get_params()["optimizer__clipnorm"] == 1.0
    assert pipe["preprocess"].cache == "folder"
    assert pipe["preprocess"].n_jobs == 2
    assert pipe["preprocess"]["resize"].image_size == (96, 80)
    assert network.test_time_augmentation == "mirror"


def test_pipelines_share_no_parameters():
    first, second = make_recipe(), make_recipe()
    before = second.get_params()["classifier__augmentation__rotation"]
    first.set_params(classifier__augmentation__rotation=before + 1)
    assert second.get_params()["classifier__augmentation__rotation"] == before
    best = make_recipe("best").set_params(
        classifier__network_0__augmentation__rotation=before + 1
    )
    params = best.get_params()
    assert params["classifier__network_1__augmentation__rotation"] == before


@pytest.mark.parametrize(
    ("args", "options", "error", "said"),
    [
        (["fsat"], {}, ValueError, "Did you mean 'fast'"),
        (["fast"], {"epochs": 3}, ValueError, "epochs: the recipe 'fast' trains no"),
        (["default"], {"epochz": 3}, TypeError, "epochs"),
        (["best"], {"n_networks": 0}, ValueError, "n_networks"),
        (["best"], {"random_state": np.random.RandomState(0)}, ValueError, "integer"),
        (["default"], {"image_size": 0}, ValueError, "image_size"),
    ],
)
def test_wrong_use_is_named(args, options, error, said):
    with pytest.raises(error, match=said):
        make_recipe(*args, **options)


def test_robust_hides_sources_and_averages_weights():
    network = make_recipe("robust")["classifier"]
    assert network.augmentation.edges > 0
    assert network.mix_style > 0
    assert network.weight_averaging > 0
    assert network.lr_schedule.final == 0


def test_robust_on_real_scans_of_two_sources(real_mri_dir):
    """The head alone, of small images, learns through all of the augmentation."""
    folder = real_mri_dir / "other-sources"
    table = pd.read_csv(folder / "index.csv")
    table = table[table.source.isin(["rsna-brats2021", "ixi"])]
    table = table.groupby("source").sample(16, random_state=0)
    pipe = make_recipe("robust", image_size=96, random_state=0, trainable="head")
    pipe.set_params(classifier__epochs=6, classifier__batch_size=8)
    pipe.set_params(classifier__learning_rate=0.01)
    X, y = [str(folder / name) for name in table.file], table.label
    weight = source_balanced_weight(y, table.source)
    pipe.fit(X, y, classifier__sample_weight=weight)
    assert pipe["classifier"].history_["loss"][-1] < 0.7
    assert pipe.score(X, y) > 0.8


@pytest.mark.slow
def test_fast_on_real_scans_of_unseen_patients(real_mri_dir):
    """One of five folds of a tenth of the groups: well above the statistics' 0.6."""
    from brain_tumor_clf import load_mri_folder

    folder = real_mri_dir / "brain-tumor-mri"
    scans = load_mri_folder(folder, subset="train", groups=folder / "groups.csv")
    chosen = np.isin(scans.groups, np.unique(scans.groups)[::10])
    X, y, groups = scans.data[chosen], scans.target[chosen], scans.groups[chosen]
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    train, test = next(folds.split(X, y, groups))
    pipe = make_recipe("fast", random_state=0).fit(X[train], y[train])
    assert isinstance(pipe["classifier"], LogisticRegression)
    assert pipe.score(X[test], y[test]) >= 0.75
