"""Heat maps: their formulas, their gradients, what they explain, and wrong use."""

import gc
import itertools
import weakref

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

from brain_tumor_clf import (
    ImagePipeline,
    ImageReader,
    ImageResizer,
    SimpleCNNClassifier,
    TransferCNNClassifier,
    grad_cam,
    make_brain_mri,
    make_mri_pipeline,
)
from brain_tumor_clf.inspection import (
    SaliencyDisplay,
    TrainingHistoryDisplay,
    occlusion_map,
)
from brain_tumor_clf.inspection._grad_cam import _class_map as class_map
from brain_tumor_clf.inspection._gradients import maps_and_gradients
from brain_tumor_clf.networks import (
    BACKBONES,
    get_backbone,
    stage_layers,
    transfer_cnn,
)
from brain_tumor_clf.selective import SelectiveClassifier
from tests.inspection.spots import make_spot_detector, make_spotted_head, peak

METHODS = ["layercam", "gradcam", "gradcam++"]


@pytest.fixture(scope="module")
def scans():
    return make_brain_mri(n_samples=24, image_size=32, random_state=0)


@pytest.fixture(scope="module")
def clf(scans):
    clf = SimpleCNNClassifier(filters=(4, 8), dense_units=8, epochs=3, random_state=0)
    return clf.fit(scans.data, scans.target)


@pytest.fixture(scope="module")
def two_class_clf(scans):
    clf = SimpleCNNClassifier(filters=(4, 8), dense_units=8, epochs=2, random_state=0)
    return clf.fit(scans.data, scans.target != "notumor")


# --- formulas ---------------------------------------------------------------------


@pytest.fixture
def drawn():
    rng = np.random.default_rng(0)
    maps = rng.gamma(1, size=(2, 3, 4, 5)).astype("float32")
    return maps, rng.normal(size=maps.shape).astype("float32")


def by_hand(method, maps, gradients):
    """One image, pixel by pixel, as the papers write it."""
    height, width, channels = maps.shape
    heat = np.zeros((height, width))
    for k in range(channels):
        a, g = maps[..., k].astype(float), gradients[..., k].astype(float)
        if method == "gradcam":
            heat += g.sum() / (height * width) * a
        elif method == "gradcam++":
            alpha = g**2 / (2 * g**2 + a.sum() * g**3)
            heat += (alpha * np.maximum(g, 0)).sum() * a
        else:
            heat += np.maximum(g, 0) * a
    return np.maximum(heat, 0)


@pytest.mark.parametrize("method", METHODS)
def test_formulas_are_those_of_the_papers(method, drawn):
    maps, gradients = drawn
    expected = [by_hand(method, *pair) for pair in zip(maps, gradients, strict=True)]
    np.testing.assert_allclose(class_map(method, maps, gradients), expected, rtol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_gradients_of_zero_make_an_empty_map(method, drawn):
    assert not class_map(method, drawn[0], np.zeros_like(drawn[0])).any()


# --- gradients --------------------------------------------------------------------


def log_odds(network, feature_map, position):
    """Score of a class from the last feature map on, in NumPy at the end."""
    x = feature_map
    names = [layer.name for layer in network.layers]
    for layer in network.layers[names.index("feature_map") + 1 :]:
        x = layer(x)
    (logits,) = keras.ops.convert_to_numpy(x).astype(float)
    if len(logits) == 1:
        return logits[0] if position else -logits[0]
    return logits[position] - np.log(np.exp(np.delete(logits, position)).sum())


@pytest.mark.backend
@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize("n_outputs", ["one logit", "four logits"])
def test_gradients_predict_how_the_score_changes(
    n_outputs, position, clf, two_class_clf, scans
):
    network = (two_class_clf if n_outputs == "one logit" else clf).model_
    layer = network.get_layer("feature_map")
    image = scans.data[:1, :, :, None]
    (maps,), (gradients,) = maps_and_gradients(network, [layer], image, [position])
    assert gradients.shape == maps.shape == (1, *layer.output.shape[1:])
    # In proportion to the maps, so that the same cells win in max pooling.
    step = 0.003 * maps * np.sign(gradients)
    change = log_odds(network, maps + step, position) - log_odds(
        network, maps - step, position
    )
    assert change == pytest.approx(2 * (gradients * step).sum(), rel=0.05)


@pytest.mark.backend
def test_the_two_classes_of_one_logit_are_opposed(two_class_clf, scans):
    network = two_class_clf.model_
    layers = stage_layers(network)
    image = scans.data[:1, :, :, None]
    _, against = maps_and_gradients(network, layers, image, [0])
    _, speaking_for = maps_and_gradients(network, layers, image, [1])
    for one, other in zip(against, speaking_for, strict=True):
        np.testing.assert_allclose(one, -other, rtol=1e-5, atol=1e-9)


def test_images_of_a_batch_do_not_mix(clf, scans):
    maps = grad_cam(clf, scans.data, "glioma")  # three batches
    alone = np.concatenate([grad_cam(clf, scans.data[[i]], "glioma") for i in (0, 23)])
    np.testing.assert_allclose(maps[[0, 23]], alone, atol=1e-4)


@pytest.mark.backend
def test_half_precision_gradients_do_not_vanish():
    detector = make_spot_detector((32, 32), dtype=True)
    heat = grad_cam(detector, [make_spotted_head((32, 32), (20, 12))], "spot")
    np.testing.assert_allclose(peak(heat[0]), (20, 12), atol=1)


@pytest.mark.slow  # under JAX, which compiles each operation
def test_a_frozen_backbone_is_explained(scans):
    clf = TransferCNNClassifier(trainable="head", epochs=1, random_state=0)
    clf.fit(scans.data[:8], scans.target[:8])
    assert (grad_cam(clf, scans.data[:2]).max(axis=(1, 2)) == 1).all()


@pytest.mark.backend
def test_explaining_leaves_the_network_as_it_was(clf, scans):
    before = clf.predict_proba(scans.data), clf.model_.get_config()
    weights = clf.model_.get_weights()
    grad_cam(clf, scans.data)
    np.testing.assert_array_equal(clf.predict_proba(scans.data), before[0])
    assert clf.model_.get_config() == before[1]
    for old, new in zip(weights, clf.model_.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


# --- which layers -----------------------------------------------------------------


def check_stages(network):
    stages = stage_layers(network)
    assert stages[-1].name == "feature_map"
    sizes = [layer.output.shape[1] for layer in stages]
    assert all(coarse < fine for fine, coarse in itertools.pairwise(sizes))
    return [layer.name for layer in stages]


def test_stages_of_known_networks():
    lite = check_stages(transfer_cnn("EfficientNetLite0", (64, 64, 1), 4))
    assert lite[-3:] == ["block4a_expand_relu6", "block6a_expand_relu6", "feature_map"]
    vgg = check_stages(transfer_cnn("VGG16", (64, 64, 1), 4))
    assert vgg[-3:] == ["block4_conv3", "block5_conv3", "feature_map"]


@pytest.mark.slow
@pytest.mark.parametrize("name", BACKBONES)
def test_every_backbone_has_three_stages(name):
    side = max(get_backbone(name).min_size, 96)
    assert len(check_stages(transfer_cnn(name, (side, side, 1), 4))) >= 3


def test_layers_by_name(clf, scans):
    one = grad_cam(clf, scans.data, layer="conv_1")
    assert not np.array_equal(one, grad_cam(clf, scans.data, layer="feature_map"))
    both = grad_cam(clf, scans.data, layer=["conv_1", "feature_map"])
    np.testing.assert_array_equal(both, grad_cam(clf, scans.data))


@pytest.mark.parametrize("method", ["gradcam", "gradcam++"])
def test_methods_of_one_layer_take_the_last_feature_map(method, clf, scans):
    default = grad_cam(clf, scans.data, method=method)
    last = grad_cam(clf, scans.data, layer="feature_map", method=method)
    np.testing.assert_array_equal(default, last)


# --- what is explained ------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_maps_are_as_large_as_the_images(method, clf, scans):
    maps = grad_cam(clf, scans.data, method=method)
    assert maps.shape == (24, 32, 32)
    assert maps.dtype == np.float32
    assert maps.min() >= 0
    assert set(maps.max(axis=(1, 2))) <= {0, 1}


def test_the_predicted_class_is_explained(clf, scans):
    predicted = clf.predict(scans.data)
    assert len(set(predicted)) > 1
    maps = grad_cam(clf, scans.data)
    np.testing.assert_array_equal(maps, grad_cam(clf, scans.data, predicted))
    for label in set(predicted):
        alone = grad_cam(clf, scans.data, label)
        at = predicted == label
        np.testing.assert_allclose(maps[at], alone[at], atol=1e-4)
    assert not np.allclose(grad_cam(clf, scans.data, "glioma"), maps)


def test_labels_that_are_no_strings(two_class_clf, scans):
    maps = grad_cam(two_class_clf, scans.data, [True] * 24)
    np.testing.assert_array_equal(maps, grad_cam(two_class_clf, scans.data, True))


def test_nothing_that_speaks_for_a_class_is_a_map_of_zeros():
    black = np.zeros((1, 32, 32), dtype=np.uint8)
    heat = grad_cam(make_spot_detector((32, 32)), black, "spot")
    assert not heat.any()


def test_two_views_find_the_same_from_both_sides(clf, scans):
    maps = grad_cam(clf, scans.data, "glioma", n_views=2)
    mirrored = grad_cam(clf, scans.data[:, :, ::-1], "glioma", n_views=2)
    np.testing.assert_allclose(maps, mirrored[:, :, ::-1], atol=1e-4)
    alone = grad_cam(clf, scans.data, "glioma", n_views=1)
    assert not np.allclose(maps, alone, atol=0.01)


@pytest.mark.backend
def test_views_are_put_back_where_they_came_from():
    detector = make_spot_detector((48, 64))
    scan = make_spotted_head((48, 64), (14, 40))
    for n_views in (1, 2, 4):
        (heat,) = grad_cam(detector, [scan], "spot", n_views=n_views)
        np.testing.assert_allclose(peak(heat), (14, 40), atol=1)


def test_wrappers_that_look_elsewhere_for_nothing(clf, scans):
    maps = grad_cam(clf, scans.data)
    np.testing.assert_array_equal(grad_cam(FrozenEstimator(clf), scans.data), maps)
    preprocess = ImagePipeline([("read", ImageReader()), ("resize", ImageResizer(32))])
    pipe = make_pipeline(preprocess, clf)
    calibrated = CalibratedClassifierCV(FrozenEstimator(pipe), method="sigmoid")
    calibrated.fit(scans.data, scans.target)
    np.testing.assert_allclose(grad_cam(calibrated, scans.data), maps, atol=1e-5)


def test_a_selective_classifier_is_looked_into(clf, scans):
    pipe = make_mri_pipeline(clf, 32)
    model = SelectiveClassifier(FrozenEstimator(pipe)).fit(scans.data, scans.target)
    X = scans.data[:3]
    np.testing.assert_array_equal(grad_cam(model, X), grad_cam(pipe, X))
    np.testing.assert_array_equal(occlusion_map(model, X), occlusion_map(pipe, X))
    assert len(SaliencyDisplay.from_estimator(model, X).axes_) == 6
    assert TrainingHistoryDisplay.from_estimator(model).history is clf.history_


def test_a_network_that_is_not_finite_is_refused(scans):
    broken = SimpleCNNClassifier(filters=(4,), epochs=1, random_state=0)
    broken.initialize(scans.data, scans.target)
    weights = [np.full_like(weight, np.nan) for weight in broken.model_.get_weights()]
    broken.model_.set_weights(weights)
    for explain in (grad_cam, occlusion_map):
        with pytest.raises(ValueError, match=r"not finite|returns NaN or infinity"):
            explain(broken, scans.data[:2], "glioma")


def test_a_finished_search_is_looked_into(scans):
    tiny = SimpleCNNClassifier(filters=(2,), dense_units=2, epochs=1, random_state=0)
    search = GridSearchCV(
        make_mri_pipeline(tiny, 16), {"classifier__epochs": [1]}, cv=2
    )
    search.fit(scans.data, scans.target)
    maps = grad_cam(search, scans.data[:2])
    np.testing.assert_array_equal(
        maps, grad_cam(search.best_estimator_, scans.data[:2])
    )


# --- the randomisation test of Adebayo et al. -------------------------------------


def ranks(heat):
    return np.argsort(np.argsort(heat.ravel()))


@pytest.mark.parametrize("drawn_again", ["the logits", "all weights"])
def test_maps_change_when_weights_are_drawn_again(drawn_again, clf, scans):
    """Adebayo et al. 2018: a map that stays shows the image, not the network."""
    other = clone(clf).set_params(random_state=1).initialize(scans.data, scans.target)
    if drawn_again == "the logits":
        for layer, fresh in zip(clf.model_.layers, other.model_.layers, strict=True):
            if layer.name != "logits":
                fresh.set_weights(layer.get_weights())
    before = grad_cam(clf, scans.data, scans.target)
    after = grad_cam(other, scans.data, scans.target)
    alike = [
        np.corrcoef(ranks(a), ranks(b))[0, 1]
        for a, b in zip(before, after, strict=True)
    ]
    assert np.mean(alike) < 0.8
    assert np.mean(np.abs(before - after)) > 0.05


# --- what is kept of a network ----------------------------------------------------


def test_maps_follow_the_weights_of_one_network(scans):
    """What was compiled for a network is used again, with its weights of now."""
    clf = SimpleCNNClassifier(filters=(4,), epochs=1, random_state=0)
    clf.fit(scans.data, scans.target)
    before = grad_cam(clf, scans.data[:3], "glioma")
    weights = clf.model_.get_weights()
    clf.model_.set_weights([-weight for weight in weights])
    assert np.abs(grad_cam(clf, scans.data[:3], "glioma") - before).max() > 0.1
    clf.model_.set_weights(weights)
    np.testing.assert_array_equal(grad_cam(clf, scans.data[:3], "glioma"), before)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="a setting of TensorFlow"
)
def test_maps_where_tensorflow_runs_functions_eagerly(clf, scans):
    import tensorflow as tf

    expected = grad_cam(clf, scans.data[:3], "glioma")
    tf.config.run_functions_eagerly(True)
    try:
        maps = grad_cam(clf, scans.data[:3], "glioma")
    finally:
        tf.config.run_functions_eagerly(False)
    np.testing.assert_allclose(maps, expected, atol=1e-4)


def test_nothing_is_kept_of_a_network_that_is_gone(scans):
    clf = SimpleCNNClassifier(filters=(4,), epochs=1, random_state=0)
    clf.fit(scans.data, scans.target)
    grad_cam(clf, scans.data[:2])
    network = weakref.ref(clf.model_)
    del clf
    gc.collect()
    assert network() is None


# --- wrong use --------------------------------------------------------------------


def test_unknown_names_are_told_the_nearest(clf, scans):
    with pytest.raises(ValueError, match=r"Did you mean 'conv_2'\?.*conv_1, feature"):
        grad_cam(clf, scans.data, layer="conv2")
    with pytest.raises(ValueError, match=r"layer .dense. has shape \(None, 8\)"):
        grad_cam(clf, scans.data, layer="dense")
    with pytest.raises(ValueError, match="at least one layer"):
        grad_cam(clf, scans.data, layer=[])
    with pytest.raises(ValueError, match="Did you mean 'glioma'"):
        grad_cam(clf, scans.data, "gliom")
    with pytest.raises(ValueError, match="one label or 24, one for each image"):
        grad_cam(clf, scans.data, ["glioma", "notumor"])
    with pytest.raises(ValueError, match="Did you mean 'layercam'"):
        grad_cam(clf, scans.data, method="layer_cam")
    with pytest.raises(ValueError, match="n_views must be 1, 2 or 4, got 3"):
        grad_cam(clf, scans.data, n_views=3)


def test_what_is_no_network_is_refused(clf, scans):
    flatten = FunctionTransformer(lambda X: np.asarray(X).reshape(len(X), -1) / 255)
    model = make_pipeline(flatten, LogisticRegression()).fit(scans.data, scans.target)
    with pytest.raises(TypeError, match=r"got Pipeline\. occlusion_map"):
        grad_cam(model, scans.data)
    with pytest.raises(TypeError, match=r"got LogisticRegression\. occlusion_map"):
        grad_cam(model[-1], scans.data)
    with pytest.raises(TypeError, match="got Pipeline"):
        grad_cam(make_pipeline(FunctionTransformer(), clf), scans.data)


def test_an_unfitted_classifier_is_refused(scans):
    unfitted = SimpleCNNClassifier()
    with pytest.raises(NotFittedError):
        grad_cam(unfitted, scans.data)
    with pytest.raises(NotFittedError):
        grad_cam(make_mri_pipeline(unfitted), scans.data)


# --- ensembles --------------------------------------------------------------------


@pytest.mark.parametrize("ensemble", [VotingClassifier, StackingClassifier])
def test_of_an_ensemble_the_first_network_is_explained(clf, scans, ensemble):
    X, y = scans.data, scans.target
    flatten = FunctionTransformer(lambda images: images.reshape(len(images), -1))
    other = make_pipeline(flatten, DecisionTreeClassifier(random_state=0)).fit(X, y)
    members = [("network", FrozenEstimator(clf)), ("other", FrozenEstimator(other))]
    kwargs = {"cv": "prefit"} if ensemble is StackingClassifier else {"voting": "soft"}
    together = ensemble(members, **kwargs).fit(X, y)
    answers = together.predict(X)
    # What is explained is the answer of all, where the first thinks otherwise too.
    assert (answers != clf.predict(X)).any()
    np.testing.assert_array_equal(
        grad_cam(together, X), grad_cam(clf, X, target=answers)
    )


def test_a_vote_that_calls_its_classes_by_numbers(clf, scans):
    X, y = scans.data, scans.target
    vote = VotingClassifier([("network", clone(clf))], voting="soft").fit(X, y)
    inside = vote.estimators_[0]
    assert inside.classes_.tolist() == [0, 1, 2, 3]
    np.testing.assert_array_equal(
        grad_cam(vote, X[:4], target="pituitary"), grad_cam(inside, X[:4], target=3)
    )


def test_members_with_their_own_transformers():
    small = SimpleCNNClassifier(filters=(4,), epochs=1, random_state=0)
    pipes = [
        (f"at_{size}", make_mri_pipeline(clone(small), image_size=size))
        for size in (32, 24)
    ]
    images = make_brain_mri(n_samples=8, image_size=64, random_state=0)
    vote = VotingClassifier(pipes, voting="soft").fit(images.data, images.target)
    maps = grad_cam(vote, images.data[:2], target="glioma")
    assert maps.shape == (2, 64, 64)
    np.testing.assert_array_equal(
        maps, grad_cam(vote.estimators_[0], images.data[:2], target=0)
    )
