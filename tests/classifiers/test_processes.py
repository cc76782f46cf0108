"""What needs a process of its own: several devices, ``python -OO``."""

import os
import subprocess
import sys

import keras
import pytest

BACKEND = keras.backend.backend()

DATA = """
import numpy as np
from brain_tumor_clf import SimpleCNNClassifier
rng = np.random.default_rng(0)
X, y = rng.integers(0, 256, (23, 16, 16), dtype="uint8"), np.arange(23) % 2
def fit():
    clf = SimpleCNNClassifier((2,), dense_units=2, epochs=2, batch_size=8,
                              random_state=0, optimizer="sgd", learning_rate=0.1)
    clf.fit(X, y, X_val=X[:5], y_val=y[:5])
    return clf.predict_proba(X[:3]), clf.history_["loss"], clf.history_["val_loss"]
"""

MIRRORED = """
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
half = tf.config.LogicalDeviceConfiguration()
tf.config.set_logical_device_configuration(cpu, [half, half])
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
alone = fit()
with strategy.scope():
    shared = fit()
"""

DATA_PARALLEL = """
import keras
alone = fit()
keras.distribution.set_distribution(keras.distribution.DataParallel())
assert len(keras.distribution.list_devices()) == 2
shared = fit()
"""

COMPARE = """
for one, two in zip(alone, shared):
    np.testing.assert_allclose(one, two, rtol=1e-4)
"""


def run(code, *options, **environment):
    done = subprocess.run(
        [sys.executable, *options, "-c", code],
        capture_output=True,
        text=True,
        env=os.environ | environment,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.skipif(BACKEND != "tensorflow", reason="a strategy of TensorFlow")
def test_two_devices_of_tensorflow_train_as_one():
    run(DATA + MIRRORED + COMPARE)


@pytest.mark.slow
@pytest.mark.backend
@pytest.mark.skipif(BACKEND != "jax", reason="a distribution of JAX")
def test_two_devices_of_jax_train_as_one():
    flags = "--xla_force_host_platform_device_count=2"
    run(DATA + DATA_PARALLEL + COMPARE, XLA_FLAGS=flags)


@pytest.mark.slow
@pytest.mark.backend
def test_classifiers_work_without_docstrings():
    run(DATA + "fit()", "-OO")
