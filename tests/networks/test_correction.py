"""Corrected logits, and the network without the correction."""

import numpy as np
import pytest

from brain_tumor_clf.networks import (
    CorrectedLogits,
    correct_logits,
    network_from_state,
    network_to_state,
    simple_cnn,
    stage_layers,
    without_correction,
)

RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(0, 255, (6, 24, 24, 1)).astype("float32")


@pytest.fixture(scope="module")
def network():
    return simple_cnn((24, 24, 1), 4, filters=(3, 5), seed=0)


@pytest.fixture(scope="module")
def corrected(network):
    layer = stage_layers(network)[-2]
    kernel, bias = RNG.normal(size=(3, 2)), np.array([1.0, 0.0])
    return correct_logits(network, layer, kernel, bias, [3, 0])


def test_other_logits_stay_and_the_largest_of_the_corrected(network, corrected):
    before = np.asarray(network.predict_on_batch(IMAGES))
    after = np.asarray(corrected.predict_on_batch(IMAGES))
    np.testing.assert_array_equal(after[:, 1:3], before[:, 1:3])
    largest = before[:, [3, 0]].max(axis=1)
    np.testing.assert_allclose(after[:, [3, 0]].max(axis=1), largest, rtol=1e-5)
    assert not np.allclose(after, before)


def test_all_logits_are_corrected_freely():
    logits, corrections = RNG.normal(size=(2, 5, 3)).astype("float32")
    added = np.asarray(CorrectedLogits([0, 1, 2])([logits, corrections]))
    np.testing.assert_allclose(added, logits + corrections, rtol=1e-5)


def test_a_corrected_network_is_restored_from_plain_data(corrected):
    restored = network_from_state(network_to_state(corrected))
    expected = np.asarray(corrected.predict_on_batch(IMAGES))
    np.testing.assert_array_equal(restored.predict_on_batch(IMAGES), expected)
    assert isinstance(restored.layers[-1], CorrectedLogits)


def test_a_correction_changes_no_stages_and_can_be_taken_away(network, corrected):
    layer = stage_layers(corrected)[-1]
    again = correct_logits(corrected, layer, np.ones((5, 1)), np.array([0.5]), [2])
    for each in (corrected, again):
        names = [stage.name for stage in stage_layers(each)]
        assert names == [stage.name for stage in stage_layers(network)]
        original = without_correction(each)
        np.testing.assert_array_equal(
            original.predict_on_batch(IMAGES), network.predict_on_batch(IMAGES)
        )
