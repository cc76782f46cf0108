"""adapt: a fitted model and a few labeled scans of another source."""

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from brain_tumor_clf import (
    ScanGuard,
    SelectiveClassifier,
    SimpleCNNClassifier,
    TransferCNNClassifier,
    adapt,
    grad_cam,
    load,
    make_brain_mri,
    make_mri_pipeline,
    predict_files,
    save,
)
from brain_tumor_clf.adaptation import choose_correction
from brain_tumor_clf.exceptions import ImageReadError, NoGainWarning

# Keras' TensorFlow backend converts variables in the way of NumPy 1.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept:DeprecationWarning"
)


@pytest.fixture(scope="module")
def home():
    """Phantoms of the source that models are trained on."""
    return make_brain_mri(96, 32, random_state=0)


@pytest.fixture(scope="module")
def away():
    """Phantoms of another source: as negatives, two slices of each patient."""
    scans = make_brain_mri(160, 32, random_state=1)
    scans.data = 255 - scans.data
    scans.groups = np.array([f"{y}{i // 8}" for i, y in enumerate(scans.target)])
    return scans


@pytest.fixture(scope="module")
def pipe(home):
    cnn = SimpleCNNClassifier(filters=(4, 8), epochs=12, random_state=0)
    return make_mri_pipeline(cnn, 24).fit(home.data, home.target)


@pytest.fixture(scope="module")
def adapted(pipe, away):
    return adapt(pipe, away.data[:80], away.target[:80], away.groups[:80])


def test_scans_of_the_other_source_are_classified_better(pipe, adapted, away):
    X, y = away.data[80:], away.target[80:]
    assert adapted.score(X, y) > pipe.score(X, y)
    record = adapted.metadata_["adaptation"]
    before, after = record["balanced_accuracy"]
    assert after > before
    assert before == pytest.approx(
        pipe.score(away.data[:80], away.target[:80]), abs=0.1
    )
    assert record["images"] == 80
    assert record["cases"] == dict.fromkeys(pipe.classes_.tolist(), 10)
    assert record["adapted_from"] is None


def test_the_model_given_is_as_it_was(home, adapted, pipe):
    again = clone(pipe).fit(home.data, home.target)
    np.testing.assert_array_equal(
        pipe.decision_function(home.data), again.decision_function(home.data)
    )
    assert not hasattr(pipe, "metadata_")
    assert type(adapted) is type(pipe)
    assert adapted["preprocess"] is not pipe["preprocess"]


@pytest.mark.parametrize(
    "given", [("glioma", "pituitary"), ("meningioma", "pituitary")]
)
def test_absent_classes_are_predicted_for_the_same_images(pipe, home, away, given):
    part = np.isin(away.target, given)
    X, y = away.data[part], away.target[part]
    partly = adapt(pipe, X, y)
    assert partly.score(X, y) > pipe.score(X, y)
    images = np.concatenate([home.data, away.data])
    before, after = pipe.predict(images), partly.predict(images)
    absent = ~np.isin(before, given)
    assert absent.any()
    np.testing.assert_array_equal(after[absent], before[absent])
    assert np.isin(after[~absent], given).all()
    assert (after != before).any()


def test_a_model_without_a_gain_is_returned_itself(home):
    cnn = SimpleCNNClassifier(filters=(4, 8), random_state=0)
    cnn.initialize(home.data, home.target)
    logits = cnn.model_.layers[-1]
    logits.set_weights([np.zeros_like(each) for each in logits.get_weights()])
    anything = np.random.default_rng(0).permutation(home.target)
    with pytest.warns(NoGainWarning, match="No gain was found on 96 scans"):
        assert adapt(cnn, home.data, anything) is cnn
    assert not hasattr(cnn, "metadata_")


def test_a_selective_classifier_keeps_all_it_has(pipe, home, away, tmp_path):
    guard = ScanGuard(pipe)
    model = SelectiveClassifier(pipe, guard, threshold=0.4, reject="pituitary")
    model.fit(home.data, home.target)
    abstention = {"threshold": 0.4, "error_rate": 0.05, "coverage": 0.75}
    model.metadata_ = {"license": "CC0", "abstention": abstention}
    model.model_id_ = "first"
    part = slice(0, 80)
    adapted = adapt(model, away.data[part], away.target[part], away.groups[part])
    assert isinstance(adapted, SelectiveClassifier)
    assert adapted.guard_.estimator_[-1] is adapted["classifier"]
    np.testing.assert_allclose(
        adapted.guard_.score_samples(home.data[:8]),
        model.guard_.score_samples(home.data[:8]),
        rtol=1e-5,
    )
    assert (adapted.threshold_, adapted.reject) == (0.4, "pituitary")
    assert adapted.classes_.tolist() == ["glioma", "meningioma", "notumor"]
    assert adapted.metadata_["license"] == "CC0"
    assert adapted.metadata_["abstention"] == {"threshold": 0.4}
    assert model.metadata_["abstention"] == abstention
    assert adapted.metadata_["adaptation"]["adapted_from"] == "first"
    assert adapted.model_id_ is None
    assert clone(adapted).get_params()["threshold"] == 0.4

    save(adapted, tmp_path / "model.btc", metadata=adapted.metadata_)
    joblib.dump(adapted, tmp_path / "model.joblib")
    expected = adapted.predict_proba(away.data)
    for other in (load(tmp_path / "model.btc"), joblib.load(tmp_path / "model.joblib")):
        np.testing.assert_array_equal(other.predict_proba(away.data), expected)
        assert other.metadata_["adaptation"]["images"] == 80
    assert len(predict_files(adapted, list(away.data[:4]))) == 4


def test_heat_maps_are_drawn_of_an_adapted_network(adapted, away):
    maps = grad_cam(adapted, away.data[:2])
    assert maps.shape == (2, 32, 32)
    assert maps.max() == 1


def test_two_classes_mirrors_and_a_second_adaptation(home, away):
    two = ["glioma", "notumor"]
    part, other = np.isin(home.target, two), np.isin(away.target, two)
    cnn = SimpleCNNClassifier(
        filters=(4, 8), epochs=30, test_time_augmentation="mirror", random_state=0
    )
    cnn.fit(home.data[part], home.target[part])
    X, y = away.data[other], away.target[other]
    once = adapt(cnn, X, y)
    assert once.score(X, y) > cnn.score(X, y)
    twice = adapt(once, home.data[part], home.target[part])
    assert twice.score(home.data[part], home.target[part]) > once.score(
        home.data[part], home.target[part]
    )


@pytest.mark.slow
def test_a_network_on_a_backbone(home, away):
    cnn = TransferCNNClassifier(
        weights="brain-mri-multisource",
        trainable="head",
        dense_units=0,
        epochs=2,
        random_state=0,
    )
    cnn.fit(home.data, home.target)
    adapted = adapt(cnn, away.data[:80], away.target[:80])
    X, y = away.data[80:], away.target[80:]
    assert adapted.score(X, y) > cnn.score(X, y)


def test_a_correction_is_that_of_a_penalized_regression():
    rng = np.random.default_rng(0)
    codes = np.arange(90) % 3
    features = rng.normal(size=(90, 5)) + np.eye(3, 5)[codes] * 2
    logits = rng.normal(size=(90, 3))
    kernel, bias, record = choose_correction(features, logits, codes, np.arange(90))
    corrected = logits + features @ kernel + bias
    # Corrections of all classes together change nothing: the penalty makes them zero.
    np.testing.assert_allclose(kernel.sum(axis=1), 0, atol=1e-4)
    alone = LogisticRegression().fit(np.hstack([features, logits]), codes)
    right = (corrected.argmax(axis=1) == codes).mean()
    assert right > alone.score(np.hstack([features, logits]), codes) - 0.1
    assert record["log_loss"][1] < record["log_loss"][0]


def test_each_case_has_one_vote():
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1], 20)
    features = rng.normal(size=(40, 2)) + codes[:, None]
    groups = np.arange(40)
    once = choose_correction(features, np.zeros((40, 2)), codes, groups)
    rows = np.r_[np.arange(40), np.repeat(3, 50)]  # one case of 51 equal images
    often = choose_correction(
        features[rows], np.zeros((90, 2)), codes[rows], groups[rows]
    )
    direction = once[0][:, 1] / np.linalg.norm(once[0][:, 1])
    other = often[0][:, 1] / np.linalg.norm(often[0][:, 1])
    assert direction @ other > 0.9


def test_errors_say_what_was_expected(pipe, away, tmp_path):
    X, y, groups = away.data, away.target, away.groups
    with pytest.raises(ValueError, match=r"does not know: glioblastoma. It knows gli"):
        adapt(pipe, X, np.where(y == "glioma", "glioblastoma", y))
    with pytest.raises(ValueError, match="two classes, got glioma alone"):
        adapt(pipe, X[y == "glioma"], y[y == "glioma"])
    with pytest.raises(ValueError, match="at least 5 cases"):
        adapt(pipe, X[:16], y[:16])
    with pytest.raises(ValueError, match="at least 5 cases"):
        adapt(pipe, X, y, np.char.add(y, "one"))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        adapt(pipe, X, y[1:])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        adapt(pipe, X, y, groups[1:])
    with pytest.raises(ValueError, match=r"groups has 2 missing values.*of its own"):
        adapt(pipe, X, y, [None, np.nan, *groups[2:]])
    files = [str(tmp_path / f"{i}.png") for i in range(20)]
    with pytest.raises(ImageReadError, match="20 of 20 images"):
        adapt(pipe, files, y[:20])
    with pytest.raises(NotFittedError):
        adapt(clone(pipe), X, y)
    flat = LogisticRegression(max_iter=5000).fit(X[:20].reshape(20, -1), y[:20])
    with pytest.raises(TypeError, match="one functional network"):
        adapt(flat, X, y)
