"""Training: reproducible, without traces in the process, with the labels' own types."""

import copy
import functools
import random
import threading

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import log_loss

from brain_tumor_clf import (
    Augmentation,
    LearningRateSchedule,
    TransferCNNClassifier,
)
from brain_tumor_clf.classifiers._training import Batches, draw_seeds
from brain_tumor_clf.exceptions import GroupsIgnoredWarning


@pytest.mark.backend
def test_two_fits_equal_one(phantoms, tiny):
    clf = tiny(dropout=0.3, augmentation="light")
    once = clf.fit(phantoms.data, phantoms.target).predict_proba(phantoms.data)
    twice = clf.fit(phantoms.data, phantoms.target).predict_proba(phantoms.data)
    np.testing.assert_array_equal(once, twice)


@pytest.mark.parametrize(
    "make_state",
    [
        lambda: 3,
        lambda: np.int64(3),
        lambda: np.random.RandomState(3),
        lambda: np.random.default_rng(3),
    ],
    ids=["int", "int64", "RandomState", "Generator"],
)
def test_random_state_makes_seeds_equal(phantoms, tiny, make_state):
    def initialize(state):
        clf = tiny(random_state=state).initialize(phantoms.data, phantoms.target)
        return clf.predict_proba(phantoms.data)

    np.testing.assert_array_equal(initialize(make_state()), initialize(make_state()))
    assert not np.array_equal(initialize(make_state()), initialize(4))
    assert draw_seeds(make_state()) == draw_seeds(make_state())
    assert draw_seeds(make_state()) != draw_seeds(4)


def test_a_drawn_state_goes_on(phantoms, tiny):
    clf = tiny(random_state=np.random.RandomState(0), epochs=1)
    first = clf.fit(phantoms.data, phantoms.target).predict_proba(phantoms.data)
    second = clf.fit(phantoms.data, phantoms.target).predict_proba(phantoms.data)
    assert not np.array_equal(first, second)
    clf.set_params(random_state=np.random.RandomState(0))
    again = clf.fit(phantoms.data, phantoms.target).predict_proba(phantoms.data)
    np.testing.assert_array_equal(again, first)


def draw_from_globals():
    """What the process's generators give next, their states put back."""
    states = random.getstate(), np.random.get_state()  # noqa: NPY002
    drawn = [random.random(), np.random.rand()]  # noqa: NPY002
    random.setstate(states[0])
    np.random.set_state(states[1])  # noqa: NPY002
    return drawn


def settings():
    names = ("dtype_policy", "floatx", "epsilon", "image_data_format")
    return {name: getattr(keras.config, name)() for name in names}


@pytest.mark.backend
def test_globals_are_left_as_found(phantoms, tiny):
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    before = draw_from_globals(), settings()
    tiny(dropout=0.1, augmentation="light", mixed_precision="mixed_bfloat16").fit(
        phantoms.data, phantoms.target
    )
    assert (draw_from_globals(), settings()) == before


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="TensorFlow's own globals"
)
def test_globals_of_tensorflow_are_left_as_found(phantoms, tiny):
    import tensorflow as tf
    from tensorflow.python.framework.config import is_op_determinism_enabled

    def draw_after(function):
        tf.random.set_seed(1)
        function()
        return float(tf.random.uniform(()))

    try:
        undisturbed = draw_after(lambda: None)
        clf = tiny(dropout=0.1, augmentation="light")
        fitting = functools.partial(clf.fit, phantoms.data, phantoms.target)
        assert draw_after(fitting) == undisturbed
    finally:
        tf.random.set_seed(None)
    # scikeras switches it on for good, and then every unseeded fit fails.
    assert not is_op_determinism_enabled()
    tiny(random_state=None).fit(phantoms.data, phantoms.target)


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="PyTorch's own globals")
def test_globals_of_pytorch_are_left_as_found(phantoms, tiny):
    import torch

    before = torch.random.get_rng_state()
    tiny(dropout=0.1, augmentation="light").fit(phantoms.data, phantoms.target)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_fit_writes_no_file(phantoms, tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    clf = tiny(
        augmentation="light", early_stopping=True, warm_start=True, verbose=1, epochs=2
    )
    for _ in range(2):
        clf.fit(phantoms.data, phantoms.target, groups=phantoms.groups)
    clf.predict_proba(phantoms.data)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="TensorFlow alone takes it all"
)
def test_memory_of_a_gpu_grows_on_demand(phantoms, tiny):
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        pytest.skip("no GPU")
    tiny(epochs=1).fit(phantoms.data, phantoms.target)
    assert all(tf.config.experimental.get_memory_growth(gpu) for gpu in gpus)


def test_each_epoch_has_an_order_of_its_own(phantoms):
    y = np.arange(48, dtype="float32")[:, None]
    batches = Batches(phantoms.data[..., None], y, None, 16, seed=0)
    assert len(batches) == 3
    orders = []
    for _ in range(2):
        orders.append(np.concatenate([batches[i][1] for i in range(3)])[:, 0])
        batches.on_epoch_end()
    for order in orders:
        assert sorted(order) == list(range(48))
    assert not np.array_equal(*orders)


@pytest.mark.parametrize(
    "convert",
    [
        list,
        pd.Series,
        lambda y: pd.Series(y, dtype="category"),
        lambda y: np.searchsorted(np.unique(y), y),
        lambda y: np.searchsorted(np.unique(y), y).astype(float),
        lambda y: y == "notumor",
        lambda y: np.where(y == "notumor", -1, 1),
    ],
    ids=["list", "Series", "category", "int", "float", "bool", "minus-one-and-one"],
)
def test_labels_of_every_type_come_back(phantoms, tiny, convert):
    y = convert(phantoms.target)
    clf = tiny().initialize(phantoms.data, y)
    np.testing.assert_array_equal(clf.classes_, np.unique(np.asarray(y)))
    predicted = clf.predict(phantoms.data)
    assert predicted.dtype == clf.classes_.dtype
    assert set(predicted) <= set(clf.classes_)
    proba = clf.predict_proba(phantoms.data)
    assert proba.shape == (48, len(clf.classes_))
    np.testing.assert_allclose(proba.sum(axis=1), 1)


@pytest.mark.backend
def test_two_classes_have_one_logit(phantoms, fitted_two):
    clf = fitted_two
    logits = clf.decision_function(phantoms.data)
    assert logits.shape == (48,)
    np.testing.assert_array_equal(clf.predict(phantoms.data), logits > 0)
    proba = clf.predict_proba(phantoms.data)
    np.testing.assert_allclose(proba[:, 1], 1 / (1 + np.exp(-logits)), rtol=1e-6)


@pytest.mark.backend
def test_four_classes_have_four_logits(phantoms, fitted):
    clf = fitted
    logits = clf.decision_function(phantoms.data)
    assert logits.shape == (48, 4)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(clf.predict_proba(phantoms.data), shares, rtol=1e-5)


@pytest.mark.backend
def test_one_image_is_one_row(phantoms, fitted):
    clf = fitted
    assert clf.predict_proba(phantoms.data[:1]).shape == (1, 4)
    assert clf.predict(phantoms.data[:1]).shape == (1,)
    assert clf.decision_function(phantoms.data[:1]).shape == (1, 4)


def test_batches_do_not_change_predictions(phantoms, fitted):
    clf = copy.copy(fitted)
    by_seven = clf.set_params(batch_size=7).predict_proba(phantoms.data)
    whole = clf.set_params(batch_size=48).predict_proba(phantoms.data)
    np.testing.assert_allclose(by_seven, whole, atol=1e-6)


def test_class_weight_leaves_sample_weight_as_it_was(phantoms, tiny):
    weight = np.ones(48, dtype=int)
    tiny(class_weight="balanced", epochs=1).fit(
        phantoms.data, phantoms.target, sample_weight=weight
    )
    np.testing.assert_array_equal(weight, np.ones(48))
    assert weight.dtype == int


def test_class_weight_moves_predictions(phantoms, tiny):
    weights = {"glioma": 1e3, "meningioma": 1, "notumor": 1, "pituitary": 1}
    clf = tiny(class_weight=weights, learning_rate=0.01, epochs=4)
    clf.fit(phantoms.data, phantoms.target)
    assert (clf.predict(phantoms.data) == "glioma").mean() > 0.8


def test_labels_of_weight_zero_do_not_matter(phantoms, tiny):
    weight = np.arange(48) % 3 > 0
    changed = np.where(weight, phantoms.target, "glioma")
    assert (changed != phantoms.target).any()
    fits = [
        tiny().fit(phantoms.data, y, sample_weight=weight).predict_proba(phantoms.data)
        for y in (phantoms.target, changed)
    ]
    np.testing.assert_array_equal(*fits)


def test_warm_start_goes_on(phantoms, tiny):
    clf = tiny(warm_start=True).fit(phantoms.data, phantoms.target)
    network = clf.model_
    clf.fit(phantoms.data, phantoms.target)
    assert clf.model_ is network
    assert clf.n_iter_ == 4
    assert len(clf.history_["loss"]) == 4
    np.testing.assert_array_equal(clf.classes_, np.unique(phantoms.target))
    assert clf.history_["loss"][2] < clf.history_["loss"][0]
    with pytest.raises(ValueError, match=r"not seen before.*other"):
        clf.fit(phantoms.data[:2], ["glioma", "other"])


def test_warm_start_takes_another_augmentation(phantoms, tiny):
    X, y = phantoms.data, phantoms.target
    clf = tiny(warm_start=True, augmentation="light", random_state=0).fit(X, y)
    before, scores = clf.model_, clf.decision_function(X)
    # At this rate nothing is learned: the weights must be those of the network before.
    clf.set_params(augmentation="strong", learning_rate=1e-9, epochs=1).fit(X, y)
    assert clf.model_ is not before
    names = [layer.name for layer in clf.model_.layers]
    assert "random_cutout" in names
    assert "random_cutout" not in [layer.name for layer in before.layers]
    np.testing.assert_allclose(clf.decision_function(X), scores, atol=1e-5)
    assert clf.n_iter_ == 3
    again = clf.model_
    assert clf.fit(X, y).model_ is again
    clf.set_params(augmentation=None).fit(X, y)
    assert not [layer for layer in clf.model_.layers if "random" in layer.name]
    np.testing.assert_allclose(clf.decision_function(X), scores, atol=1e-5)


def enlarge(images, factor):
    return images.repeat(factor, axis=1).repeat(factor, axis=2)


def test_warm_start_takes_larger_images(phantoms):
    """As with progressive resizing: small images first, large ones at the end."""
    images = phantoms.data[:16, ..., None]
    X, larger = enlarge(images, 2), enlarge(images, 3)
    y = phantoms.target[:16]
    # Of the whole backbone the gradients would take a minute to compile.
    clf = TransferCNNClassifier(
        trainable="head", epochs=1, warm_start=True, random_state=0
    )
    clf.fit(X, y)
    before = clf.model_
    # At this rate nothing is learned: the weights must be those of the network before.
    clf.set_params(learning_rate=1e-9).fit(larger, y, X_val=larger[:4], y_val=y[:4])
    assert clf.input_shape_ == larger.shape[1:]
    for now, source in zip(clf.model_.weights, before.weights, strict=True):
        np.testing.assert_allclose(now, source, atol=1e-6)
    assert clf.n_iter_ == 2
    assert clf.predict_proba(larger).shape == (len(y), 4)
    with pytest.raises(ValueError, match="was fitted on images of shape"):
        clf.predict(X)
    with pytest.raises(ValueError, match="was fitted on images of shape"):
        clf.partial_fit(X, y)
    with pytest.raises(ValueError, match="was fitted on images of shape"):
        clf.fit(np.repeat(larger, 3, axis=3), y)
    with pytest.raises(ValueError, match="was fitted on images of shape"):
        clf.fit(X, y, X_val=larger[:4], y_val=y[:4])
    assert clf.input_shape_ == larger.shape[1:]


def test_warm_start_with_weights_of_one_size_keeps_to_it(phantoms, tiny):
    X, y = phantoms.data, phantoms.target
    clf = tiny(warm_start=True).fit(X, y)
    scores = clf.decision_function(X)
    with pytest.raises(ValueError, match=r"layer 'dense' are of one size of images"):
        clf.fit(enlarge(X, 2), y)
    np.testing.assert_array_equal(clf.decision_function(X), scores)


@pytest.mark.parametrize("precision", [False, True], ids=["float32", "float16"])
def test_warm_start_goes_on_at_the_learning_rate_asked_for(phantoms, tiny, precision):
    clf = tiny(warm_start=True, learning_rate=0.01, mixed_precision=precision, epochs=1)
    for change in (
        {},
        {"learning_rate": 0.001},
        {"lr_schedule": LearningRateSchedule("linear", warmup=0.0, final=0.5)},
        {"lr_schedule": None, "learning_rate": 0.002},
    ):
        clf.set_params(**change).fit(phantoms.data, phantoms.target)
    rates = clf.history_["learning_rate"]
    np.testing.assert_allclose(rates, [0.01, 0.001, 0.0005, 0.002], rtol=1e-5)


def test_partial_fit_trains_an_epoch_each_time(phantoms, tiny):
    clf = tiny()
    few = phantoms.target != "glioma"
    clf.partial_fit(phantoms.data[few], phantoms.target[few], phantoms.target_names)
    clf.partial_fit(phantoms.data, phantoms.target)
    assert clf.n_iter_ == 2
    assert list(clf.classes_) == list(phantoms.target_names)


def test_initialize_builds_without_training(phantoms, tiny):
    clf = tiny().initialize(phantoms.data, phantoms.target)
    assert clf.predict(phantoms.data).shape == (48,)
    assert clf.history_ == {}


@pytest.mark.backend
def test_early_stopping_keeps_the_best_weights(phantoms, tiny):
    clf = tiny(
        epochs=40,
        learning_rate=0.02,
        early_stopping=True,
        validation_fraction=0.25,
        n_iter_no_change=2,
    )
    clf.fit(phantoms.data, phantoms.target, X_val=phantoms.data, y_val=phantoms.target)
    losses = clf.history_["val_loss"]
    logits = clf.decision_function(phantoms.data)
    codes = np.searchsorted(clf.classes_, phantoms.target)
    kept = np.mean(np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(48), codes])
    assert kept == pytest.approx(min(losses), rel=1e-3)


def test_early_stopping_stops(phantoms, tiny):
    rng = np.random.default_rng(0)
    y = rng.permutation(phantoms.target)
    clf = tiny(epochs=200, learning_rate=0.01, early_stopping=True, n_iter_no_change=2)
    clf.fit(phantoms.data, y, groups=np.arange(48))
    losses = clf.history_["val_loss"]
    assert clf.n_iter_ < 200
    assert clf.n_iter_ == np.argmin(losses) + 1 + 2


def test_early_stopping_without_groups_warns(phantoms, tiny):
    with pytest.warns(GroupsIgnoredWarning, match=r"fit\(groups=…\)"):
        tiny(early_stopping=True, epochs=1).fit(phantoms.data, phantoms.target)


@pytest.mark.backend
@pytest.mark.parametrize("precision", [False, "mixed_float16"])
def test_weights_are_averages_at_the_end(phantoms, tiny, precision):
    def averages(clf):
        optimizer = clf.model_.optimizer
        inner = getattr(optimizer, "inner_optimizer", optimizer)
        return inner, [np.asarray(v) for v in inner._model_variables_moving_average]

    clf = tiny(weight_averaging=0.5, epochs=4, mixed_precision=precision)
    clf.fit(phantoms.data, phantoms.target)
    optimizer, expected = averages(clf)
    assert optimizer.ema_momentum == 1 - 1 / (0.5 * 4 * 2)  # two batches an epoch
    for weight, average in zip(clf.model_.trainable_weights, expected, strict=True):
        np.testing.assert_array_equal(np.asarray(weight), average)
    last = tiny(epochs=4, mixed_precision=precision)
    last.fit(phantoms.data, phantoms.target)
    weights = zip(clf.model_.weights, last.model_.weights, strict=True)
    assert not any(np.array_equal(np.asarray(a), np.asarray(b)) for a, b in weights)
    assert last.history_["loss"] == clf.history_["loss"]


@pytest.mark.backend
@pytest.mark.parametrize("stops", [True, False])
def test_averaging_goes_on_from_the_weights(phantoms, tiny, stops):
    X, y = phantoms.data, phantoms.target
    clf = tiny(weight_averaging=0.5, warm_start=True, early_stopping=stops)
    groups = np.arange(len(y))
    clf.fit(X, y, groups=groups)
    before = clf.model_.get_weights()
    clf.set_params(learning_rate=1e-9).fit(X, y, groups=groups)
    for weight, earlier in zip(clf.model_.get_weights(), before, strict=True):
        np.testing.assert_allclose(weight, earlier, atol=1e-6)


@pytest.mark.backend
@pytest.mark.parametrize("stops", [True, False])
def test_averaged_weights_are_watched_and_kept(phantoms, tiny, stops):
    clf = tiny(weight_averaging=0.3, early_stopping=stops, n_iter_no_change=1)
    # Of a rate that overshoots soon.
    clf.set_params(epochs=30 if stops else 3, learning_rate=0.05, batch_size=8)
    X, y = phantoms.data, phantoms.target
    clf.fit(X[:32], y[:32], X_val=X[32:], y_val=y[32:])
    assert clf.n_iter_ < 30
    losses = clf.history_["val_loss"]
    kept = min(losses) if stops else losses[-1]
    assert log_loss(y[32:], clf.predict_proba(X[32:])) == pytest.approx(kept, rel=1e-3)


def test_validation_images_come_with_labels(phantoms, tiny):
    with pytest.raises(ValueError, match="X_val and y_val must be given together"):
        tiny().fit(phantoms.data, phantoms.target, X_val=phantoms.data)


def test_validation_history_without_early_stopping(phantoms, tiny):
    clf = tiny().fit(
        phantoms.data, phantoms.target, X_val=phantoms.data, y_val=phantoms.target
    )
    names = {"loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"}
    assert set(clf.history_) == names
    assert all(len(values) == 2 for values in clf.history_.values())


def test_schedule_warms_up_and_decays(phantoms, tiny):
    schedule = LearningRateSchedule(decay="cosine", warmup=0.5, final=0.1)
    clf = tiny(lr_schedule=schedule, learning_rate=0.01, epochs=8, batch_size=48)
    rates = clf.fit(phantoms.data, phantoms.target).history_["learning_rate"]
    np.testing.assert_allclose(rates[:3], [0.005, 0.0075, 0.01], rtol=1e-5)
    assert rates == [*rates[:3], *sorted(rates[3:], reverse=True)]
    assert rates[-1] == pytest.approx(0.001, rel=1e-3)


@pytest.mark.parametrize("precision", [True, "mixed_bfloat16"])
def test_mixed_precision_is_of_one_estimator(phantoms, tiny, precision):
    clf = tiny(mixed_precision=precision).fit(phantoms.data, phantoms.target)
    assert any(layer.compute_dtype != "float32" for layer in clf.model_.layers)
    assert clf.decision_function(phantoms.data).dtype == np.float32
    other = tiny().fit(phantoms.data, phantoms.target)
    assert all(layer.compute_dtype == "float32" for layer in other.model_.layers)


@pytest.mark.parametrize(
    "augmentation",
    [
        "notebook",
        Augmentation(rotation=45),
        keras.layers.RandomFlip("horizontal"),
        [keras.layers.RandomBrightness(0.2, value_range=(0, 255))],
    ],
    ids=["name", "Augmentation", "layer", "list"],
)
def test_augmentation_acts_in_training_only(phantoms, tiny, fitted, augmentation):
    clf = tiny(augmentation=augmentation).fit(phantoms.data, phantoms.target)
    np.testing.assert_array_equal(
        clf.predict_proba(phantoms.data), clf.predict_proba(phantoms.data)
    )
    assert clf.history_["loss"] != fitted.history_["loss"]
    clone(clf)


@pytest.mark.parametrize("name", ["light", "strong", "notebook"])
def test_named_augmentations_are_layers_of_the_network(phantoms, tiny, name):
    clf = tiny(augmentation=name).initialize(phantoms.data, phantoms.target)
    plain = tiny().initialize(phantoms.data, phantoms.target)
    assert len(clf.model_.layers) > len(plain.model_.layers)


def test_callbacks_are_copied_and_kept(phantoms, tiny):
    class Count(keras.callbacks.Callback):
        epochs = 0

        def on_epoch_end(self, epoch, logs=None):
            self.epochs += 1

    callback = Count()
    for given in (callback, (callback,)):
        clf = tiny(callbacks=given).fit(phantoms.data, phantoms.target)
        assert callback.epochs == 0
        assert clf.callbacks_[0].epochs == 2


def test_fit_takes_no_callbacks(phantoms, tiny):
    with pytest.raises(TypeError, match="callbacks"):
        tiny().fit(phantoms.data, phantoms.target, callbacks=[])


def test_verbose_shows_one_bar_or_a_line_an_epoch(phantoms, tiny, capsys):
    tiny(verbose=1, epochs=3).fit(phantoms.data, phantoms.target)
    bar = capsys.readouterr().out
    assert "3/3" in bar
    assert bar.count("\n") == 1
    tiny(verbose=2, epochs=3).fit(phantoms.data, phantoms.target)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == ["1/3", "2/3", "3/3"]
    tiny(epochs=1).fit(phantoms.data, phantoms.target)
    assert capsys.readouterr().out == ""


def test_an_interrupted_fit_stops_its_bar(phantoms, tiny, capsys):
    from rich.progress import Progress

    class Interrupt(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tiny(verbose=1, callbacks=Interrupt()).fit(phantoms.data, phantoms.target)
    threads = [type(thread).__name__ for thread in threading.enumerate()]
    assert "_RefreshThread" not in threads
    with Progress():  # older versions of rich allow one at a time
        pass
