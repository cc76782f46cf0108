import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest

from brain_tumor_clf.networks import (
    BACKBONES,
    augmentation_layers,
    feature_extractor,
    seeded_initialization,
    simple_cnn,
    transfer_cnn,
)


def values(network):
    """Weights, and states of random layers."""
    return [np.asarray(variable) for variable in network.variables]


def assert_same(one, two):
    assert len(one) == len(two) > 0
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


def build(seed=0):
    layers = augmentation_layers(flip="both", blur=0.5)
    network = simple_cnn(
        (12, 12, 1), 4, filters=(2, 3), dropout=0.5, augmentation=layers, seed=seed
    )
    return values(network)


@pytest.fixture
def disturbed():
    """Another thread reseeds Python's `random` all the time."""
    stop = threading.Event()

    def disturb():
        while not stop.is_set():
            random.seed(1)
            time.sleep(0.001)

    state, thread = random.getstate(), threading.Thread(target=disturb)
    thread.start()
    yield
    stop.set()
    thread.join()
    random.setstate(state)


def test_a_seed_gives_the_same_network_and_leaves_random_alone():
    random.seed(3)
    state = random.getstate()
    networks = [
        simple_cnn((12, 12, 1), 4, augmentation=layers, dropout=0.5, seed=seed)
        for seed in (7, np.int64(7), 8)
        for layers in [augmentation_layers(flip="both", seed=1)]
    ]
    assert random.getstate() == state
    first, second, other = map(values, networks)
    assert_same(first, second)
    different = [not np.array_equal(a, b) for a, b in zip(first, other, strict=True)]
    # The augmentation has a seed of its own, and biases are zero.
    assert sum(different) == 1 + 4


def test_threads_give_what_a_row_gives(disturbed):
    expected = [build(seed) for seed in range(3)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(build, [0, 1, 2] * 3))
    for i, network in enumerate(found):
        assert_same(network, expected[i % 3])


@pytest.mark.parametrize("name", ["EfficientNetLite0", "Xception"])
def test_backbones_are_seeded_without_random(name, disturbed):
    size = BACKBONES[name].min_size
    one, two = (
        values(transfer_cnn(name, (size, size, 1), 4, seed=np.int64(2)))
        for _ in range(2)
    )
    assert_same(one, two)


def test_pretrained_weights_are_kept(disturbed):
    one, two = (
        transfer_cnn("EfficientNetLite0", (32, 32, 1), 4, weights="imagenet", seed=seed)
        for seed in (0, 1)
    )
    plain = feature_extractor("EfficientNetLite0", (32, 32, 1))
    shared = plain.get_weights()
    assert_same(one.get_weights()[: len(shared)], shared)
    assert_same(two.get_weights()[: len(shared)], shared)
    kernels = [network.get_layer("logits").kernel for network in (one, two)]
    assert not np.array_equal(*map(np.asarray, kernels))


def test_random_features_are_seeded(disturbed):
    one, two, other = (
        values(feature_extractor("VGG16", (32, 32, 1), weights=None, seed=s, stages=0))
        for s in (0, 0, 1)
    )
    assert_same(one, two)
    assert not np.array_equal(one[0], other[0])


def test_the_seed_is_that_of_seeded_initialization():
    with seeded_initialization(5):
        layers = augmentation_layers(rotation=5)
        expected = simple_cnn((12, 12, 1), 4, augmentation=layers, dropout=0.2)
    layers = augmentation_layers(rotation=5)
    network = simple_cnn((12, 12, 1), 4, augmentation=layers, dropout=0.2, seed=5)
    assert_same(values(network), values(expected))


def test_seeds_of_a_callers_layers_are_kept_and_nested_ones_found():
    def build():
        random_layers = [keras.layers.RandomFlip(), keras.layers.Dropout(0.1)]
        nested = keras.Sequential(random_layers)
        layers = [nested, keras.layers.GaussianNoise(0.1, seed=3)]
        return simple_cnn((12, 12, 1), 4, augmentation=layers, seed=5)

    one, two = build(), build()
    assert_same(values(one), values(two))
    assert np.asarray(one.layers[2].seed_generator.state)[0] == 3


def test_seeded_initialization_repeats_and_leaves_random_alone():
    random.seed(3)
    state = random.getstate()
    networks = []
    for seed in (7, np.int64(7), 8):
        with seeded_initialization(seed):
            networks.append(simple_cnn((16, 16, 1), 4, dropout=0.5).get_weights())
    assert random.getstate() == state
    first, second, other = networks
    assert_same(first, second)
    assert not np.array_equal(first[0], other[0])


def test_without_a_seed_initialization_is_new_each_time():
    with seeded_initialization(None):
        one, two = (simple_cnn((16, 16, 1), 4).get_weights()[0] for _ in range(2))
    assert not np.array_equal(one, two)
