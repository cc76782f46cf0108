"""Batches of one size, divergence, failed fits, weights, partial_fit, callbacks."""

import pickle
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
import sklearn
from sklearn.model_selection import GroupKFold, cross_validate

from brain_tumor_clf import LearningRateSchedule, SimpleCNNClassifier
from brain_tumor_clf.classifiers._compilation import compile_network, ready_averages
from brain_tumor_clf.classifiers._training import Batches
from brain_tumor_clf.exceptions import DivergenceError

ON_TENSORFLOW = keras.backend.backend() == "tensorflow"


def copy_weights(clf):
    return [np.array(np.asarray(weight)) for weight in clf.model_.weights]


def assert_same_weights(first, second):
    for one, two in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, two)


class Interrupt(keras.callbacks.Callback):
    """Interrupt training at the end of its first epoch."""

    def on_epoch_end(self, epoch, logs=None):
        raise KeyboardInterrupt


class TestBatches:
    def test_the_last_one_is_filled_with_further_images_at_weight_zero(self):
        X = np.arange(10, dtype="float32")[:, None]
        batches = Batches(X, X, None, 4, seed=0)
        assert len(batches) == 3
        parts = [batches[i] for i in range(3)]
        assert all(len(array) == 4 for part in parts for array in part)
        real = np.concatenate([images[weight > 0] for images, _, weight in parts])
        assert sorted(real[:, 0]) == list(range(10))
        images, _, weight = parts[-1]
        # Keras divides by four; the mean over two images is wanted.
        np.testing.assert_array_equal(weight, [2, 2, 0, 0])
        assert len(set(images[:, 0])) == 4

    def test_is_never_larger_than_the_data_set(self):
        X = np.arange(10, dtype="float32")[:, None]
        (batch,) = Batches(X, X, None, 32, seed=0)
        assert len(batch) == 2  # no weights, because nothing is filled up
        assert sorted(batch[0][:, 0]) == list(range(10))

    def test_validation_weighs_each_image_alike(self):
        X = np.arange(10, dtype="float32")[:, None]
        batches = Batches(X, X, None, 4, seed=None)
        losses = [(weight * images[:, 0]).mean() for images, _, weight in batches]
        assert np.mean(losses) == pytest.approx(X.mean())


@pytest.mark.backend
def test_a_filled_batch_has_the_gradient_of_the_batch_without(phantoms, tiny):
    """One step of plain gradient descent shows it."""
    X = phantoms.data[:20, ..., None].astype("float32")
    y = np.eye(4, dtype="float32")[np.arange(20) % 4]
    weight = np.linspace(0.5, 1.5, 20, dtype="float32")
    images, targets, weights = Batches(X, y, weight, 16, seed=0)[1]
    real = weights > 0
    assert real.sum() == 4
    # By hand, what compensates for the division by 16 is undone.
    alone = (images[real], targets[real], weights[real] * 4 / 16)
    steps = []
    for batch in (alone, (images, targets, weights)):
        network = tiny().initialize(phantoms.data, phantoms.target).model_
        compile_network(network, keras.optimizers.SGD(0.05), "crossentropy", (), 0.0)
        before = [np.array(np.asarray(each)) for each in network.weights]
        network.train_on_batch(*batch)
        after = [np.asarray(each) for each in network.weights]
        steps.append([new - old for new, old in zip(after, before, strict=True)])
    assert max(np.abs(step).max() for step in steps[0]) > 1e-3
    for one, two in zip(*steps, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-7)


@pytest.mark.backend
class TestDivergence:
    def test_stops_the_fit_and_says_what_to_lower(self, phantoms, tiny):
        clf = tiny(optimizer="sgd", learning_rate=1e18, epochs=5)
        with pytest.raises(DivergenceError, match=r"Lower learning_rate \(now 1e\+18"):
            clf.fit(phantoms.data, phantoms.target)
        assert not hasattr(clf, "model_")

    def test_of_the_last_step_is_noticed_too(self, phantoms, tiny):
        # Its loss was computed before the weights became useless.
        clf = tiny(optimizer="sgd", learning_rate=1e38, epochs=1, batch_size=48)
        with pytest.raises(DivergenceError, match="the network's output"):
            clf.fit(phantoms.data, phantoms.target)

    def test_no_answer_is_nan(self, phantoms, tiny):
        clf = tiny().initialize(phantoms.data, phantoms.target)
        clf.model_.set_weights([w * np.nan for w in clf.model_.get_weights()])
        for method in (clf.predict, clf.predict_proba, clf.decision_function):
            with pytest.raises(DivergenceError, match="returns NaN or infinity"):
                method(phantoms.data)


@pytest.mark.backend
class TestAFitThatFails:
    @pytest.mark.parametrize("warm_start", [False, True])
    @pytest.mark.parametrize("failure", ["divergence", "interrupt"])
    def test_keeps_the_network_before(self, phantoms, tiny, warm_start, failure):
        X, y = phantoms.data, phantoms.target
        clf = tiny(warm_start=warm_start, optimizer="sgd").fit(X, y)
        weights, state = copy_weights(clf), dict(vars(clf))
        if failure == "divergence":
            broken = {"learning_rate": 1e18}
        else:
            broken = {"callbacks": Interrupt()}
        with pytest.raises((DivergenceError, KeyboardInterrupt)):
            clf.set_params(**broken).fit(X[:20], y[:20])
        assert_same_weights(copy_weights(clf), weights)
        for name in ("model_", "classes_", "input_shape_", "history_", "n_iter_"):
            assert getattr(clf, name) is state[name]
        clf.set_params(learning_rate=0.01, callbacks=None).fit(X, y)

    def test_other_images_and_classes_leave_no_trace(self, phantoms, tiny):
        clf = tiny(callbacks=Interrupt())
        clf.initialize(phantoms.data, phantoms.target)
        with pytest.raises(KeyboardInterrupt):
            clf.fit(phantoms.data[:, :20], phantoms.target == "glioma")
        assert clf.predict_proba(phantoms.data).shape == (48, 4)


class TestWeights:
    def test_their_scale_does_not_matter(self, phantoms, tiny):
        weight = np.linspace(1, 3, 48)
        fits = [
            tiny(epochs=1).fit(phantoms.data, phantoms.target, sample_weight=each)
            for each in (weight, 1024 * weight)
        ]
        assert_same_weights(*map(copy_weights, fits))
        assert fits[0].history_ == fits[1].history_

    def test_equal_ones_are_as_none(self, phantoms, tiny):
        fits = [
            tiny(epochs=1).fit(phantoms.data, phantoms.target, sample_weight=each)
            for each in (None, np.full(48, 7))
        ]
        assert_same_weights(*map(copy_weights, fits))


def count_traces(monkeypatch, cls):
    """The list of calls of a layer, which traced training makes once a trace."""
    calls, original = [], cls.call

    def call(self, inputs, training=False):
        if training:
            calls.append(self)
        return original(self, inputs, training=training)

    monkeypatch.setattr(cls, "call", call)
    return calls


class TestPartialFit:
    def test_one_schedule_spans_all_calls(self, phantoms, tiny):
        schedule = LearningRateSchedule("linear", warmup=0.0, final=0.0)
        clf = tiny(lr_schedule=schedule, learning_rate=0.1, epochs=4, batch_size=48)
        for _ in range(4):
            clf.partial_fit(phantoms.data, phantoms.target)
        rates = clf.history_["learning_rate"]
        np.testing.assert_allclose(rates, [0.075, 0.05, 0.025, 0], atol=1e-6)

    def test_one_optimizer_and_one_trace_serve_all_calls(
        self, phantoms, tiny, monkeypatch
    ):
        X, y = phantoms.data, phantoms.target
        clf = tiny(dropout=0.1)
        clf.partial_fit(X[:8], y[:8], classes=np.unique(y))
        optimizer = clf.model_.optimizer
        calls = count_traces(monkeypatch, keras.layers.Dropout)
        clf.partial_fit(X[8:16], y[8:16])
        clf.partial_fit(X[16:24], y[16:24], sample_weight=np.arange(1, 9))
        if ON_TENSORFLOW:
            clf.partial_fit(X[24:], y[24:])
            assert calls == []
        assert clf.model_.optimizer is optimizer
        assert int(optimizer.iterations) >= 3

    def test_each_call_shuffles_anew(self, phantoms, tiny):
        orders = []

        original = Batches.__init__

        def note(self, X, y, weight, batch_size, seed, **kwargs):
            original(self, X, y, weight, batch_size, seed, **kwargs)
            orders.append(tuple(self._order))

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Batches, "__init__", note)
            clf = tiny()
            for _ in range(2):
                clf.partial_fit(phantoms.data, phantoms.target)
        assert orders[0] != orders[1]


@pytest.mark.backend
def test_a_seed_holds_under_threads(phantoms, tiny):
    def fit(seed):
        clf = tiny(random_state=seed, dropout=0.2, augmentation="light", epochs=1)
        return copy_weights(clf.fit(phantoms.data, phantoms.target))

    expected = [fit(seed) for seed in (0, 1)]
    stop = threading.Event()

    def draw():
        while not stop.is_set():
            random.random()

    other = threading.Thread(target=draw)
    other.start()
    try:
        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(fit, (0, 1)))
    finally:
        stop.set()
        other.join()
    for one, two in zip(expected, found, strict=True):
        assert_same_weights(one, two)


def test_a_fit_with_a_logger_is_pickled(phantoms, tiny, tmp_path):
    logger = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    clf = tiny(callbacks=logger, epochs=1).fit(phantoms.data, phantoms.target)
    loaded = pickle.loads(pickle.dumps(clf))
    assert loaded.callbacks_[0].filename == clf.callbacks_[0].filename
    np.testing.assert_array_equal(
        loaded.predict(phantoms.data), clf.predict(phantoms.data)
    )
    assert (tmp_path / "log.csv").read_text().startswith("epoch,")


@pytest.mark.skipif(not ON_TENSORFLOW, reason="TensorBoard is of TensorFlow")
def test_a_fit_with_tensorboard_is_pickled(phantoms, tiny, tmp_path):
    pytest.importorskip("tensorboard")
    board = keras.callbacks.TensorBoard(str(tmp_path / "board"))
    clf = tiny(callbacks=board, epochs=1).fit(phantoms.data, phantoms.target)
    assert pickle.loads(pickle.dumps(clf)).callbacks_[0].log_dir == board.log_dir


def test_log_probabilities_are_finite(phantoms, fitted, fitted_two):
    for clf in (fitted, fitted_two):
        logs = clf.predict_log_proba(phantoms.data)
        np.testing.assert_allclose(np.exp(logs), clf.predict_proba(phantoms.data))
    network = fitted.model_
    before = network.get_weights()
    try:
        network.set_weights([1000 * weight for weight in before])
        assert np.isfinite(fitted.predict_log_proba(phantoms.data)).all()
        assert (fitted.predict_proba(phantoms.data) == 0).any()
    finally:
        network.set_weights(before)


def test_groups_for_the_splitter_alone_need_no_request(phantoms):
    clf = SimpleCNNClassifier((2,), dense_units=2, epochs=1, random_state=0)
    with sklearn.config_context(enable_metadata_routing=True):
        result = cross_validate(
            clf,
            phantoms.data,
            phantoms.target,
            cv=GroupKFold(2),
            params={"groups": phantoms.groups},
            error_score="raise",
        )
    assert np.isfinite(result["test_score"]).all()


@pytest.mark.parametrize("n_classes", [2, 4])
def test_losses_and_metrics_are_chosen(phantoms, tiny, n_classes):
    y = phantoms.target if n_classes == 4 else phantoms.target == "notumor"
    clf = tiny(loss="focal", metrics=["auc", keras.metrics.F1Score("macro")], epochs=1)
    clf.fit(phantoms.data, y, X_val=phantoms.data[:20], y_val=y[:20])
    names = {"auc", "val_auc", "f1_score", "val_f1_score"}
    assert names <= set(clf.history_)
    plain = tiny(epochs=1).fit(phantoms.data, y)
    assert clf.history_["loss"] != plain.history_["loss"]


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_averages_begin_at_the_weights_and_batch_statistics_reach_as_far(dtype):
    inner = keras.Sequential([keras.layers.BatchNormalization(momentum=0.9)])
    network = keras.Sequential([keras.Input((3,)), inner, keras.layers.Dense(4)])
    network.layers[-1].dtype_policy = dtype
    optimizer = keras.optimizers.Adam(use_ema=True, ema_momentum=0.95)
    compile_network(network, optimizer, "crossentropy", (), 0.0)
    assert ready_averages(network)
    # float16 may skip every step of a short fit: the weights then stay as they are.
    optimizer.finalize_variable_values(network.trainable_variables)
    assert np.asarray(network.layers[-1].kernel).any()
    assert inner.layers[0].momentum == 0.95


def test_an_unknown_loss_names_the_near_miss(phantoms, tiny):
    with pytest.raises(ValueError, match="Did you mean 'focal'"):
        tiny(loss="fokal").fit(phantoms.data, phantoms.target)


@pytest.mark.backend
@pytest.mark.skipif(keras.backend.backend() != "jax", reason="JAX compiles by shape")
def test_a_fit_compiles_one_training_step(phantoms, tiny, monkeypatch):
    calls = count_traces(monkeypatch, keras.layers.Dropout)
    tiny(dropout=0.1, epochs=2, batch_size=20).fit(phantoms.data, phantoms.target)
    first = len(calls)
    tiny(dropout=0.1, epochs=2, batch_size=16).fit(phantoms.data, phantoms.target)
    assert len(calls) == 2 * first  # the same number where nothing is filled up
