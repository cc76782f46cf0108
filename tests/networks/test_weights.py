import sys
import urllib.error
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
from keras.src.backend import config as keras_config
from keras.src.utils import file_utils

from brain_tumor_clf.exceptions import WeightsError
from brain_tumor_clf.networks import BACKBONES, feature_extractor, simple_cnn
from brain_tumor_clf.networks import _weights as weights_module

# Keras' own, under NumPy 2.4: its writer asks TensorFlow's variables for arrays.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept:DeprecationWarning"
)


def images(n=2, size=32):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (n, size, size, 3), dtype=np.uint8)


def bare(name):
    """A backbone of random weights, as `keras.applications` would save it."""
    return BACKBONES[name].build(keras.Input((32, 32, 3)))


@pytest.fixture
def no_network(monkeypatch):
    def urlopen(request, timeout):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(weights_module.urllib.request, "urlopen", urlopen)


@pytest.fixture
def keras_home(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("name", [n for n, row in BACKBONES.items() if row.url])
def test_a_failed_download_says_what_to_do(name, no_network, keras_home):
    with pytest.raises(WeightsError) as error:
        feature_extractor(name, (96, 96, 1))
    message = str(error.value)
    assert "no route to host" in message
    assert BACKBONES[name].url in message
    assert str(keras_home / "models" / BACKBONES[name].url.rsplit("/", 1)[1]) in message
    assert "EfficientNetLite0" in message


def test_imagenet_features_are_those_of_pytorch(no_network):
    y, x = np.mgrid[:160, :160]
    image = np.stack([x * 3 + y * 5, x * y, x * x + 2 * y], axis=-1) % 256
    model = feature_extractor("EfficientNetLite0", (160, 160, 3))
    features = np.asarray(model(image[np.newaxis].astype("uint8")))[0]
    # From the PyTorch port in single precision, averaged over the map; the file's
    # kernels are in half precision.
    expected = [0.0014101006, 0.0230671932, 0.0038519499, 0.0]
    np.testing.assert_allclose(features[:4], expected, atol=1e-3)
    assert features.argmax() == 245
    np.testing.assert_allclose(features.max(), 5.694345, rtol=1e-3)
    np.testing.assert_allclose(features.sum(), 278.607, rtol=1e-3)
    assert "torch" not in sys.modules


@pytest.mark.parametrize("content", [None, b"", b"PK damaged"])
def test_damaged_imagenet_weights_say_what_to_do(content, tmp_path, monkeypatch):
    path = tmp_path / "weights.npz"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(weights_module, "_IMAGENET_LITE0", path)
    with pytest.raises(WeightsError, match=r"weights\.npz.*Install brain-tumor-clf"):
        feature_extractor("EfficientNetLite0", (32, 32, 1))


@pytest.mark.parametrize("folder", ["", "not there, so not to be written to"])
def test_the_place_for_a_file_is_where_keras_looks(folder, tmp_path, monkeypatch):
    home = tmp_path / folder
    monkeypatch.setenv("KERAS_HOME", str(home))
    # Keras has read the variable when it was imported.
    monkeypatch.setattr(keras_config, "_KERAS_DIR", str(home))
    source = tmp_path / "downloaded"
    source.write_text("weights")
    name = f"{tmp_path.name}.txt"
    kept = Path(file_utils.get_file(name, source.as_uri(), cache_subdir="models"))
    kept.unlink()
    assert weights_module._models_folder() == kept.parent


def test_imagenet_weights_reach_the_network(monkeypatch, tmp_path, keras_home):
    source = bare("MobileNetV3Small")
    path = tmp_path / "saved.weights.h5"
    source.save_weights(path)
    target = keras_home / "models" / BACKBONES["MobileNetV3Small"].url.rsplit("/", 1)[1]
    target.parent.mkdir()
    target.touch()  # already downloaded: the network is not asked
    monkeypatch.setattr(file_utils, "get_file", lambda *args, **options: path)
    model = feature_extractor("MobileNetV3Small", (32, 32, 3))
    X = images()
    expected = source([X / np.float32(127.5) - 1])
    np.testing.assert_allclose(
        np.asarray(model(X)), np.mean(expected, axis=(1, 2)), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras", ".h5"])
def test_weights_from_a_file(suffix, tmp_path):
    source = bare("VGG16")
    path = tmp_path / f"vgg{suffix}"
    if suffix == ".weights.h5":
        source.save_weights(path)
    else:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "You are saving your model as an HDF5")
            source.save(path)
    model = feature_extractor("VGG16", (40, 32, 1), weights=path)
    kernel = model.get_layer("block5_conv3").get_weights()[0]
    np.testing.assert_array_equal(
        kernel, source.get_layer("block5_conv3").get_weights()[0]
    )


def test_weights_from_one_of_our_own_networks(tmp_path):
    path = tmp_path / "mine.keras"
    source = feature_extractor("EfficientNetLite0", (32, 32, 1), weights=None)
    source.save(path)
    model = feature_extractor("EfficientNetLite0", (32, 32, 1), weights=str(path))
    X = images()[..., :1]
    np.testing.assert_array_equal(np.asarray(model(X)), np.asarray(source(X)))


def test_efficientnet_b0_normalizes_once(tmp_path):
    source = bare("EfficientNetB0")
    (normalization,) = (
        layer
        for layer in source.layers
        if isinstance(layer, keras.layers.Normalization)
    )
    # A file carries what Keras' own layer normalizes by; ours is in front already.
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    normalization.set_weights([mean, std**2, np.int64(0)])
    normalization.finalize_state()
    path = tmp_path / "b0.weights.h5"
    source.save_weights(path)
    model = feature_extractor("EfficientNetB0", (32, 32, 3), weights=path)
    X = images()
    expected = np.mean(source([X.astype("float32")]), axis=(1, 2))
    np.testing.assert_allclose(np.asarray(model(X)), expected, rtol=1e-3, atol=1e-5)


def test_a_missing_file_and_an_odd_name(tmp_path):
    with pytest.raises(WeightsError, match="no weights file 'imagnet'"):
        feature_extractor("VGG16", (32, 32, 1), weights="imagnet")
    odd = tmp_path / "weights.bin"
    odd.touch()
    with pytest.raises(WeightsError, match="must end in one"):
        feature_extractor("VGG16", (32, 32, 1), weights=odd)


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras", ".h5"])
def test_a_damaged_file(suffix, tmp_path):
    path = tmp_path / f"damaged{suffix}"
    path.write_bytes(b"not weights")
    with pytest.raises(WeightsError, match="VGG16"):
        feature_extractor("VGG16", (32, 32, 1), weights=path)


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
def test_weights_of_another_network(suffix, tmp_path):
    path = tmp_path / f"other{suffix}"
    other = simple_cnn((16, 16, 1), 4)
    (other.save if suffix == ".keras" else other.save_weights)(path)
    with pytest.raises(WeightsError, match="VGG16"):
        feature_extractor("VGG16", (32, 32, 1), weights=path)


def test_a_saved_model_with_code_is_refused(tmp_path):
    path = tmp_path / "unsafe.keras"
    inputs = keras.Input((4, 4, 1))
    keras.Model(inputs, keras.layers.Lambda(lambda x: x + 1)(inputs)).save(path)
    with pytest.raises(WeightsError, match="Lambda"):
        feature_extractor("VGG16", (32, 32, 1), weights=path)
