import keras
import numpy as np
import pytest

from brain_tumor_clf.networks import (
    augmentation_layers,
    simple_cnn,
)


def images(n=2, size=16, channels=1):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (n, size, size, channels), dtype=np.uint8)


def test_default_is_two_blocks_flatten_dense():
    model = simple_cnn((256, 256, 3), 4)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == [
        *("InputLayer", "Rescaling", "Conv2D", "MaxPooling2D", "Conv2D", "Activation"),
        *("MaxPooling2D", "Flatten", "Dense", "Dense"),
    ]
    # 256 -> 254 -> 127 -> 125 -> 62, without padding.
    convolutions = (27 + 1) * 32 + (9 * 32 + 1) * 64
    assert model.count_params() == convolutions + (62 * 62 * 64 + 1) * 64 + 65 * 4


@pytest.mark.parametrize("n_outputs", [1, 4])
@pytest.mark.parametrize("shape", [(8, 8, 1), (9, 30, 3)])
def test_small_images_give_finite_logits(shape, n_outputs):
    logits = simple_cnn(shape, n_outputs).predict_on_batch(np.full((3, *shape), 255))
    assert logits.shape == (3, n_outputs)
    assert np.isfinite(logits).all()


def test_values_are_scaled_inside():
    model = simple_cnn((16, 16, 1), 4)
    scaled = keras.Model(model.input, model.get_layer("rescaling").output)
    X = images()
    np.testing.assert_allclose(scaled.predict_on_batch(X), X / 255, rtol=1e-6)


def test_uint8_and_float_images_give_the_same():
    model, X = simple_cnn((16, 16, 1), 4), images()
    expected = model.predict_on_batch(X)
    np.testing.assert_array_equal(model.predict_on_batch(X.astype(float)), expected)


def test_too_small_images_name_the_smallest_size():
    with pytest.raises(ValueError, match="at least 8 pixels"):
        simple_cnn((7, 64, 1), 4)
    assert simple_cnn((8, 64, 1), 4).output_shape == (None, 4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"input_shape": (64, 64)}, "height, width, channels"),
        ({"input_shape": (64, 64, 2)}, "1 channel .gray. or 3"),
        ({"n_outputs": 0}, "n_outputs"),
        ({"n_outputs": 2.5}, "n_outputs"),
        ({"filters": ()}, "at least one block"),
        ({"filters": 32}, "sequence"),
        ({"filters": (32, 0)}, "filters"),
        ({"kernel_size": 0}, "kernel_size"),
        ({"dense_units": -1}, "dense_units"),
        ({"dropout": 1.0}, "dropout"),
        ({"dropout": "much"}, "dropout"),
    ],
)
def test_wrong_arguments_are_named(change, message):
    arguments = {"input_shape": (16, 16, 1), "n_outputs": 4, **change}
    with pytest.raises(ValueError, match=message):
        simple_cnn(**arguments)


def test_channels_first_is_refused(monkeypatch):
    monkeypatch.setattr(keras.config, "image_data_format", lambda: "channels_first")
    with pytest.raises(ValueError, match="set_image_data_format"):
        simple_cnn((16, 16, 1), 4)


def test_dropout_and_no_hidden_layer():
    model = simple_cnn((16, 16, 1), 4, dense_units=0, dropout=0.5)
    names = [layer.name for layer in model.layers]
    assert "dense" not in names
    assert names[-2:] == ["dropout", "logits"]


def test_augmentation_acts_in_training_alone():
    model = simple_cnn(
        (16, 16, 1), 4, augmentation=augmentation_layers(brightness=0.4, seed=0)
    )
    X = images().astype("float32")
    first, second = (np.asarray(model(X, training=True)) for _ in range(2))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(model(X), model(X))


def test_mixed_precision_is_of_this_network_alone():
    before = keras.config.dtype_policy()
    model = simple_cnn((16, 16, 1), 4, dtype="mixed_float16")
    assert keras.config.dtype_policy() == before
    assert model.get_layer("conv_1").compute_dtype == "float16"
    assert model.get_layer("conv_1").variable_dtype == "float32"
    assert model.predict_on_batch(images()).dtype == np.float32
