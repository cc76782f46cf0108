import keras
import numpy as np
import pytest
from keras.src.utils import file_utils

from brain_tumor_clf.exceptions import WeightsError
from brain_tumor_clf.networks import (
    BACKBONES,
    Backbone,
    ImageScaling,
    MixStyle,
    feature_extractor,
    get_backbone,
    network_from_state,
    network_to_state,
    stage_layers,
    transfer_cnn,
)
from brain_tumor_clf.networks import _weights as weights_module

REQUIRED = {
    *("Xception", "VGG16", "ResNet50V2", "DenseNet121", "InceptionV3", "MobileNetV2"),
    *("MobileNetV3Small", "MobileNetV3Large", "EfficientNetB0", "EfficientNetV2B0"),
    *("ConvNeXtTiny", "EfficientNetLite0"),
}


def images(n, size, channels=1):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (n, size, size, channels), dtype=np.uint8)


@pytest.fixture(scope="module", params=list(BACKBONES))
def built(request):
    """Each backbone at its smallest size on grey images, two blocks trainable."""
    row = BACKBONES[request.param]
    shape = (row.min_size, row.min_size, 1)
    return row, transfer_cnn(row.name, shape, 4, trainable=2)


def test_the_table_is_complete():
    assert set(BACKBONES) >= REQUIRED
    for name, row in BACKBONES.items():
        assert isinstance(row, Backbone)
        assert row.name == name
        assert 32 <= row.min_size <= row.default_size
        assert 1e-6 < row.learning_rate < 1e-2
        assert set(row.scaling) <= {"scale", "offset", "reverse_channels"}
        assert row.n_blocks == len(set(row.blocks)) + 1 >= 5
        # Either Keras knows where its weights are, or they come with the package.
        assert (row.url is None) == (row.builder is not None)


def test_each_builds_and_predicts_at_its_smallest_size(built):
    row, model = built
    logits = np.asarray(model(images(2, row.min_size)))
    assert logits.shape == (2, 4)
    assert logits.dtype == np.float32
    assert np.isfinite(logits).all()
    assert not model.compiled


def test_each_survives_as_plain_data(built):
    row, model = built
    twin = network_from_state(network_to_state(model))
    X = images(2, row.min_size)
    np.testing.assert_array_equal(np.asarray(twin(X)), np.asarray(model(X)))
    frozen = [not weight.trainable for weight in model.weights]
    assert [not weight.trainable for weight in twin.weights] == frozen


def test_each_names_its_blocks_and_last_convolution(built):
    row, model = built
    names = [layer.name for layer in model.layers]
    places = [names.index(name) for name in row.blocks]
    assert places == sorted(places)
    last_map = model.get_layer("feature_map").output.shape
    last_conv = model.get_layer(row.last_conv).output.shape
    assert last_map[-1] >= 512
    assert last_conv[1] // last_map[1] in (1, 2)  # VGG16 pools once more
    # No convolution comes after the last one.
    convolutions = (keras.layers.Conv2D, keras.layers.SeparableConv2D)
    later = model.layers[names.index(row.last_conv) + 1 :]
    assert not [layer.name for layer in later if isinstance(layer, convolutions)]


def test_the_last_blocks_alone_are_trained(built):
    row, model = built
    names = [layer.name for layer in model.layers]
    first = names.index(row.blocks[-2])
    assert not [layer.name for layer in model.layers[:first] if _trained(layer)]
    trained = [layer for layer in model.layers[first:] if layer.weights]
    assert all(_trained(layer) for layer in trained)
    assert len(trained) > 2


def _trained(layer):
    return len(layer.trainable_weights) > 0


def test_smaller_images_are_refused(built):
    row, _ = built
    size = row.min_size - 1
    with pytest.raises(ValueError, match=f"at least {row.min_size}x{row.min_size}"):
        transfer_cnn(row.name, (size, 300, 1), 4)


def _scaled(row, X):
    return np.asarray(ImageScaling(**row.scaling)(X))


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("Xception", "xception"),
        ("VGG16", "vgg16"),
        ("ResNet50V2", "resnet_v2"),
        ("DenseNet121", "densenet"),
        ("InceptionV3", "inception_v3"),
        ("MobileNetV2", "mobilenet_v2"),
    ],
)
def test_scaling_is_that_of_keras_preprocess_input(name, module):
    X = images(2, 8, channels=3).astype("float32")
    expected = getattr(keras.applications, module).preprocess_input(X.copy())
    np.testing.assert_allclose(_scaled(BACKBONES[name], X), expected, atol=1e-4)


@pytest.mark.parametrize(
    "name", ["MobileNetV3Small", "MobileNetV3Large", "EfficientNetV2B0", "ConvNeXtTiny"]
)
def test_scaling_is_that_of_keras_built_in_layers(name):
    full = getattr(keras.applications, name)(
        include_top=False, weights=None, input_shape=(32, 32, 3)
    )
    first = next(
        i
        for i, layer in enumerate(full.layers)
        if not isinstance(
            layer,
            keras.layers.InputLayer
            | keras.layers.Rescaling
            | keras.layers.Normalization,
        )
    )
    preprocess = keras.Model(full.input, full.layers[first].input)
    X = images(2, 32, channels=3).astype("float32")
    ours = _scaled(BACKBONES[name], X)
    np.testing.assert_allclose(ours, np.asarray(preprocess(X)), atol=1e-4)


def test_scaling_of_efficientnet_b0_makes_up_for_its_fixed_layer():
    X = images(2, 8, channels=3).astype("float32")
    expected = keras.applications.imagenet_utils.preprocess_input(
        X.copy(), mode="torch"
    )
    ours = _scaled(BACKBONES["EfficientNetB0"], X) / 255
    np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_grey_is_repeated():
    grey = images(1, 8)
    row = BACKBONES["VGG16"]
    repeated = _scaled(row, np.repeat(grey, 3, axis=-1))
    np.testing.assert_array_equal(_scaled(row, grey), repeated)


@pytest.mark.slow  # Keras builds each network before it names its file
def test_each_knows_where_keras_gets_its_weights(monkeypatch):
    asked = {}

    def get_file(fname, origin, **options):
        asked[name] = (fname, origin, options.get("cache_subdir"))
        raise RuntimeError("stop here")

    monkeypatch.setattr(file_utils, "get_file", get_file)
    monkeypatch.setattr(weights_module.urllib.request, "urlopen", _reachable)
    downloaded = [row for row in BACKBONES.values() if row.url]
    for row in downloaded:
        name = row.name
        with pytest.raises(WeightsError, match="stop here"):
            weights_module.read_backbone_weights(row, "imagenet")
        assert asked[name] == (row.url.rsplit("/", 1)[1], row.url, "models")


class _Reachable:
    def close(self):
        pass


def _reachable(request, timeout):
    return _Reachable()


def test_unknown_name_shows_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'Xception'"):
        get_backbone("Xeption")
    with pytest.raises(ValueError, match="Unknown backbone"):
        get_backbone(["VGG16"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"trainable": "heads"}, "Did you mean 'head'"),
        ({"trainable": 9}, "has 8 blocks"),
        ({"trainable": -1}, "trainable"),
        ({"trainable": True}, "trainable"),
        ({"pooling": "mean"}, "pooling"),
        ({"dropout": 2}, "dropout"),
        ({"dense_units": 1.5}, "dense_units"),
        ({"n_outputs": "4"}, "n_outputs"),
        ({"mix_style": 1.5}, "mix_style must be from 0 to 1"),
        ({"backbone": "VGG16", "mix_style": 0.5}, "only the backbone .Efficient"),
    ],
)
def test_wrong_arguments_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        transfer_cnn(
            **{
                "backbone": "EfficientNetLite0",
                "input_shape": (32, 32, 1),
                "n_outputs": 4,
                **change,
            }
        )


def test_head_is_the_notebooks_by_default():
    model = transfer_cnn("EfficientNetLite0", (32, 32, 1), 1)
    assert [(type(layer).__name__, layer.name) for layer in model.layers[-5:]] == [
        ("GlobalMaxPooling2D", "pool"),
        ("Dropout", "pool_dropout"),
        ("Dense", "dense"),
        ("Dropout", "dropout"),
        ("Dense", "logits"),
    ]
    assert model.get_layer("dense").units == 64
    assert model.get_layer("dropout").rate == 0.2
    assert model.output_shape == (None, 1)


def test_trainable_counts_blocks():
    def n_trained(trainable):
        model = transfer_cnn("EfficientNetLite0", (32, 32, 1), 4, trainable=trainable)
        return len(model.trainable_weights)

    head, everything = n_trained("head"), n_trained("all")
    assert head == 4
    assert head < n_trained(1) < n_trained(7) < everything


def test_frozen_batch_normalization_infers():
    model = transfer_cnn("EfficientNetLite0", (32, 32, 1), 4, trainable="head")
    features = keras.Model(model.input, model.get_layer("feature_map").output)
    before = [np.asarray(w) for w in features.weights]
    X = images(3, 32)
    trained = np.asarray(features(X, training=True))
    np.testing.assert_array_equal(trained, np.asarray(features(X, training=False)))
    for old, new in zip(before, features.weights, strict=True):
        np.testing.assert_array_equal(old, np.asarray(new))


def test_batch_normalization_learns_its_statistics_quickly():
    model = transfer_cnn("EfficientNetLite0", (32, 32, 1), 4)
    kinds = [x for x in model.layers if isinstance(x, keras.layers.BatchNormalization)]
    assert {layer.momentum for layer in kinds} == {0.9}


@pytest.mark.parametrize("name", ["EfficientNetLite0", "VGG16"])
def test_mixed_precision_is_of_this_network_alone(name):
    before = keras.config.dtype_policy()
    model = transfer_cnn(name, (32, 32, 1), 4, dtype="mixed_float16")
    assert keras.config.dtype_policy() == before
    conv = model.get_layer(BACKBONES[name].last_conv)
    assert (conv.compute_dtype, conv.variable_dtype) == ("float16", "float32")
    assert model.get_layer("image_scaling").compute_dtype == "float32"
    twin = network_from_state(network_to_state(model))
    X = images(2, 32)
    logits = np.asarray(model(X))
    assert logits.dtype == np.float32
    np.testing.assert_array_equal(np.asarray(twin(X)), logits)


def test_mix_style_acts_in_training_alone_and_survives_as_plain_data():
    X = images(4, 32)
    plain = transfer_cnn("EfficientNetLite0", (32, 32, 1), 4, seed=0)
    mixed = transfer_cnn("EfficientNetLite0", (32, 32, 1), 4, mix_style=1.0, seed=0)
    added = [layer for layer in mixed.layers if isinstance(layer, MixStyle)]
    assert len(added) == 3
    assert len(mixed.layers) == len(plain.layers) + 3
    # Weights have the same order, so that files fit both.
    assert [w.path for w in mixed.weights] == [w.path for w in plain.weights]
    mixed.set_weights(plain.get_weights())
    twin = network_from_state(network_to_state(mixed))
    for network in (mixed, twin):
        np.testing.assert_array_equal(np.asarray(network(X)), np.asarray(plain(X)))
    names = [layer.name for layer in stage_layers(plain)]
    assert [layer.name for layer in stage_layers(mixed)] == names
    step = keras.Model(mixed.input, added[-1].output)
    assert not np.allclose(np.asarray(step(X, training=True)), np.asarray(step(X)))


def test_a_failing_build_puts_the_policy_back():
    before = keras.config.dtype_policy()
    with pytest.raises(WeightsError):
        transfer_cnn("VGG16", (32, 32, 1), 4, dtype="mixed_float16", weights="no.h5")
    assert keras.config.dtype_policy() == before


@pytest.mark.parametrize("pooling", ["avg", "max"])
def test_feature_extractor_is_frozen(pooling):
    model = feature_extractor(
        "EfficientNetLite0", (32, 32, 3), weights=None, pooling=pooling
    )
    assert model.output_shape == (None, 1280)
    assert not model.trainable_weights
    feature_map = keras.Model(model.input, model.get_layer("feature_map").output)
    X = images(2, 32, channels=3)
    pooled = getattr(np, {"avg": "mean", "max": "max"}[pooling])(
        np.asarray(feature_map(X)), axis=(1, 2)
    )
    np.testing.assert_allclose(np.asarray(model(X)), pooled, rtol=1e-5, atol=1e-6)
