"""The learning rate over the steps of a fit."""

import numpy as np
import pytest

from brain_tumor_clf import LearningRateSchedule


@pytest.mark.parametrize(
    "params", [{"decay": "cosin"}, {"warmup": 1.5}, {"final": -0.1}]
)
def test_parameters_out_of_range_are_named(params):
    with pytest.raises(ValueError, match=next(iter(params))):
        LearningRateSchedule(**params).make(0.1, 100)


def test_a_constant_rate_after_the_warm_up():
    schedule = LearningRateSchedule("constant", warmup=0.5).make(0.1, 4)
    rates = [float(schedule(step)) for step in range(4)]
    np.testing.assert_allclose(rates, [0.05, 0.1, 0.1, 0.1])
