import keras
import numpy as np
import pytest
from scipy import ndimage

from brain_tumor_clf.networks import (
    MixStyle,
    RandomAffine,
    RandomBlur,
    RandomCutout,
    RandomEdges,
    RandomIntensity,
    RandomSkullStripping,
    RandomText,
    augmentation_layers,
    network_from_state,
    network_to_state,
    simple_cnn,
)
from brain_tumor_clf.networks._random_affine import _sample

EVERYTHING = {
    "flip": "both",
    "rotation": 15,
    "translation": (0.1, 0.05),
    "zoom": 0.1,
    "aspect": 0.1,
    "shear": 0.1,
    "edges": 0.7,
    "skull_stripping": 0.6,
    "brightness": (0.6, 1.4),
    "contrast": 0.2,
    "gamma": 0.2,
    "blur": 0.5,
    "noise": 5,
    "cutout": 0.2,
    "text": 0.5,
}


def images(n=8, height=12, width=12, channels=1):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (n, height, width, channels)).astype("float32")


def train(layer, X):
    return keras.ops.convert_to_numpy(layer(X, training=True))


@pytest.mark.backend
@pytest.mark.parametrize("channels", [1, 3])
def test_everything_keeps_shape_and_range(channels):
    X = images(height=40, width=56, channels=channels)
    for layer in augmentation_layers(**EVERYTHING, seed=0):
        np.testing.assert_array_equal(np.asarray(layer(X)), X)
        result = train(layer, X)
        assert result.shape == X.shape
        assert result.dtype == np.float32
        assert result.min() >= 0
        assert result.max() <= 255
        assert not np.array_equal(result, X)


@pytest.mark.parametrize("name", EVERYTHING)
def test_each_option_acts_and_each_image_draws_its_own(name):
    X = np.repeat(images(1, 48, 48), 16, axis=0)
    (layer,) = augmentation_layers(**{name: EVERYTHING[name]}, seed=1)
    result = train(layer, X)
    assert len({image.tobytes() for image in result}) > 1
    again = train(layer, X)
    assert not np.array_equal(result, again)


def test_nothing_asked_is_no_layer():
    assert augmentation_layers() == []
    assert augmentation_layers(brightness=0, contrast=(1, 1), rotation=0) == []


def test_a_seed_repeats_and_layers_differ():
    X = images()
    layers = [augmentation_layers(**EVERYTHING, seed=5) for _ in range(2)]
    for one, two in zip(*layers, strict=True):
        np.testing.assert_array_equal(train(one, X), train(two, X))
    assert len({layer.seed for layer in layers[0]}) == 7


@pytest.mark.parametrize(
    ("flip", "axes"), [("horizontal", [2]), ("vertical", [1]), ("both", [1, 2])]
)
def test_mirroring_alone_moves_pixels_exactly(flip, axes):
    X = images(32)
    result = train(RandomAffine(flip=flip, seed=0), X)
    variants = [X]
    for axis in axes:
        variants += [np.flip(variant, axis) for variant in variants]
    matches = np.array([(result == v).all(axis=(1, 2, 3)) for v in variants])
    assert (matches.sum(axis=0) == 1).all()
    assert matches.any(axis=1).all()


def test_mirroring_within_an_interpolation_is_exact_too():
    # A shift too small to see: the general path, with the mirrored points.
    X = images(16)
    result = train(RandomAffine(flip="horizontal", translation=1e-9, seed=0), X)
    distance = [np.abs(result - v).max(axis=(1, 2, 3)) for v in (X, X[:, :, ::-1])]
    assert np.minimum(*distance).max() < 1e-2
    assert (distance[0] < 1e-2).any()
    assert (distance[1] < 1e-2).any()


def test_interpolation_is_scipys():
    X = images(3, 9, 11, 2)
    rng = np.random.default_rng(1)
    x = rng.uniform(-3, 14, (3, 9, 11)).astype("float32")
    y = rng.uniform(-3, 12, (3, 9, 11)).astype("float32")
    expected = np.stack(
        [
            np.stack(
                [
                    ndimage.map_coordinates(
                        X[i, ..., c], [y[i], x[i]], order=1, mode="grid-constant"
                    )
                    for c in range(2)
                ],
                axis=-1,
            )
            for i in range(3)
        ]
    )
    np.testing.assert_allclose(np.asarray(_sample(X, x, y)), expected, atol=1e-2)


def _centres(result):
    return np.array([ndimage.center_of_mass(image[..., 0]) for image in result])


def test_rotation_turns_about_the_centre_within_its_angle():
    X = np.zeros((64, 41, 41, 1), "float32")
    X[:, 20, 34:37] = 255  # a mark 15 pixels right of the centre
    moved = _centres(train(RandomAffine(rotation=30, seed=0), X)) - 20
    np.testing.assert_allclose(np.hypot(*moved.T), 15, atol=0.3)
    angles = np.degrees(np.arctan2(moved[:, 0], moved[:, 1]))
    assert np.abs(angles).max() <= 30.5
    assert angles.min() < -15
    assert angles.max() > 15


def test_translation_has_its_own_range_for_height_and_width():
    X = np.zeros((64, 40, 40, 1), "float32")
    X[:, 19:21, 19:21] = 255
    moved = _centres(train(RandomAffine(translation=(0.2, 0.05), seed=0), X)) - 19.5
    assert 4 < np.abs(moved[:, 0]).max() <= 8.01
    assert 1 < np.abs(moved[:, 1]).max() <= 2.01


def test_zoom_changes_size_within_its_share():
    X = np.zeros((64, 60, 60, 1), "float32")
    X[:, 15:45, 15:45] = 255
    area = train(RandomAffine(zoom=0.2, seed=0), X).sum(axis=(1, 2, 3)) / X[0].sum()
    assert 0.8**2 - 0.02 <= area.min() < 0.85
    assert 1.2 < area.max() <= 1.2**2 + 0.02


def test_brightness_and_contrast_stay_in_their_range():
    X = np.full((64, 4, 4, 1), 100.0, "float32")
    factors = train(RandomIntensity(brightness=(0.6, 1.4), seed=0), X)[:, 0, 0, 0] / 100
    assert 0.6 <= factors.min() < 0.7
    assert 1.3 < factors.max() <= 1.4
    X[:, :2], X[:, 2:] = 80, 120
    result = train(RandomIntensity(contrast=(0.5, 1.5), seed=0), X)
    np.testing.assert_allclose(result.mean(axis=(1, 2, 3)), 100, rtol=1e-5)
    assert 10 <= result.std(axis=(1, 2, 3)).min() < 14
    assert 26 < result.std(axis=(1, 2, 3)).max() <= 30


def test_gamma_keeps_black_and_white():
    X = np.array([0, 64, 255], "float32").reshape(1, 1, 3, 1)
    result = train(RandomIntensity(gamma=(2, 2)), X).ravel()
    np.testing.assert_allclose(result, [0, 255 * (64 / 255) ** 2, 255], rtol=1e-5)


def test_noise_is_at_most_what_was_asked():
    X = np.full((32, 32, 32, 1), 128.0, "float32")
    deviation = train(RandomIntensity(noise=10, seed=0), X).std(axis=(1, 2, 3))
    assert 7 < deviation.max() < 10.5
    assert deviation.min() < 3


def test_blur_is_binomial():
    X = np.zeros((16, 5, 5, 1), "float32")
    X[:, 2, 2] = 160
    result = train(RandomBlur(1.0, seed=0), X)
    np.testing.assert_allclose(result.sum(axis=(1, 2, 3)), 160, rtol=1e-5)
    share = result[:, 1, 1, 0] / 10  # 160 / 16
    assert 0 <= share.min() < share.max() <= 1
    np.testing.assert_allclose(result[:, 1, 2, 0], 20 * share, rtol=1e-4)


def test_cutout_blacks_out_one_square():
    X = np.full((64, 20, 20, 1), 9.0, "float32")
    black = train(RandomCutout(0.5, seed=0), X)[..., 0] == 0
    assert black.any(axis=(1, 2)).all()
    assert black.sum(axis=(1, 2)).max() <= 11**2
    rows, columns = black.any(axis=2), black.any(axis=1)
    full = rows[:, :, None] & columns[:, None, :]
    np.testing.assert_array_equal(black, full)


def test_aspect_and_shear_deform_within_their_share():
    X = np.zeros((64, 60, 60, 1), "float32")
    X[:, 20:40, 20:40] = 255
    result = train(RandomAffine(aspect=0.2, seed=0), X)[..., 0]
    width, height = result[:, 30].sum(axis=1) / 255, result[:, :, 30].sum(axis=1) / 255
    assert 20 / 1.2 - 0.5 <= width.min() < 17.5
    assert 23.5 < width.max() <= 20 / 0.8 + 0.5
    np.testing.assert_allclose(width * height, 400, rtol=0.05)
    result = train(RandomAffine(shear=0.2, seed=0), X)
    moved = _centres(result[:, 20:22])[:, 1] - _centres(result[:, 38:40])[:, 1]
    assert 2.5 < np.abs(moved).max() <= 0.2 * 18 + 0.1


def test_edges_leave_a_rectangle_of_some_images():
    X = np.full((200, 50, 40, 1), 9.0, "float32")
    lit = train(RandomEdges(0.5, seed=0), X)[..., 0] > 0
    changed = ~lit.all(axis=(1, 2))
    assert 0.35 < changed.mean() < 0.6
    rows, columns = lit.any(axis=2), lit.any(axis=1)
    np.testing.assert_array_equal(lit, rows[:, :, None] & columns[:, None, :])
    assert rows[:, 11:39].all()
    assert columns[:, 9:31].all()
    assert not rows[:, 10].all()


def test_skull_stripping_keeps_the_middle_of_some_images():
    X = np.full((200, 50, 50, 1), 200.0, "float32")
    result = train(RandomSkullStripping(0.4, seed=0), X)[..., 0]
    stripped = result[:, 0, 0] < 1
    assert 0.3 < stripped.mean() < 0.5
    assert (result[~stripped] == 200).all()
    assert result[stripped, 20:30, 20:30].min() > 190
    area = (result[stripped] > 100).mean(axis=(1, 2))
    assert 0.27 < area.min() < 0.35
    assert 0.6 < area.max() < 0.72


def test_text_is_bright_small_and_near_an_edge():
    X = np.zeros((200, 96, 96, 1), "float32")
    result = train(RandomText(0.5, seed=0), X)[..., 0]
    written = result.any(axis=(1, 2))
    assert 0.4 < written.mean() < 0.6
    assert result[result > 0].min() >= 127
    share = (result[written] > 0).mean(axis=(1, 2))
    assert share.min() > 0
    assert share.max() < 0.02
    assert not result[:, 20:76, 20:76].any()


@pytest.mark.backend
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_mixing_of_style_changes_the_statistics_alone(dtype):
    rng = np.random.default_rng(0)
    # Each image has a mean and a deviation of its own in every channel.
    X = rng.normal(size=(64, 9, 9, 3)) * rng.uniform(1, 3, (64, 1, 1, 3))
    X = (X + rng.normal(size=(64, 1, 1, 3)) * 5).astype("float32")
    layer = MixStyle(share=1.0, seed=0, dtype=dtype)
    result = train(layer, X).astype("float32")
    tolerance = 1e-3 if dtype == "float32" else 0.1

    def standardized(maps):
        mean, std = maps.mean(axis=(1, 2), keepdims=True), maps.std(axis=(1, 2))
        return (maps - mean) / std[:, None, None]

    np.testing.assert_allclose(standardized(result), standardized(X), atol=tolerance)
    own, mixed = X.mean(axis=(1, 2)), result.mean(axis=(1, 2))
    other = np.roll(own, 1, axis=0)
    apart = own - other
    weight = ((mixed - other) * apart).sum(axis=1) / (apart**2).sum(axis=1)
    np.testing.assert_allclose(
        mixed, weight[:, None] * own + (1 - weight[:, None]) * other, atol=0.1
    )
    near = np.minimum(np.abs(weight), np.abs(weight - 1)) < 0.01
    assert 0.5 < near.mean() < 0.9  # of Beta(0.1, 0.1): 0.66
    assert 0.3 < (weight > 0.5).mean() < 0.7


def test_style_is_mixed_in_a_share_of_the_batches_of_the_training():
    X = images(4, 6, 6, 2)
    layer = MixStyle(share=0.5, seed=0)
    np.testing.assert_array_equal(np.asarray(layer(X)), X)
    same = [np.array_equal(train(layer, X), X) for _ in range(60)]
    assert 0.3 < np.mean(same) < 0.7


@pytest.mark.parametrize(
    "jit_compile", [False, pytest.param(True, marks=pytest.mark.slow)]
)
def test_training_with_all_of_it_and_reloading(jit_compile):
    model = simple_cnn(
        (12, 12, 1), 2, filters=(2,), augmentation=augmentation_layers(**EVERYTHING)
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, jit_compile=jit_compile)
    X = images()
    model.fit(X, np.arange(8) % 2, batch_size=4, verbose=0)
    twin = network_from_state(network_to_state(model))
    np.testing.assert_array_equal(np.asarray(twin(X)), np.asarray(model(X)))
    for mine, other in zip(model.layers[1:8], twin.layers[1:8], strict=True):
        assert type(mine) is type(other)
        assert mine.get_config() == other.get_config()


def test_half_precision_networks_augment_in_full_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        layers = augmentation_layers(**EVERYTHING)
    finally:
        keras.config.set_dtype_policy(before)
    assert {layer.compute_dtype for layer in layers} == {"float32"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"flip": "horizontl"}, "Did you mean 'horizontal'"),
        ({"rotation": 181}, "rotation must be from 0 to 180"),
        ({"rotation": "10"}, "rotation"),
        ({"translation": (0.1, 0.1, 0.1)}, "translation"),
        ({"translation": 1.5}, "translation"),
        ({"zoom": 1}, "zoom"),
        ({"brightness": (1.4, 0.6)}, "brightness"),
        ({"contrast": -0.1}, "contrast"),
        ({"gamma": (1, 2, 3)}, "gamma"),
        ({"gamma": ("a", "b")}, "gamma"),
        ({"blur": 2}, "blur"),
        ({"noise": -1}, "noise"),
        ({"cutout": 1.1}, "cutout"),
        ({"aspect": 1}, "aspect"),
        ({"shear": -0.1}, "shear"),
        ({"edges": 1.1}, "edges must be from 0 to 1"),
        ({"skull_stripping": "yes"}, "skull_stripping"),
        ({"text": -1}, "text"),
    ],
)
def test_wrong_numbers_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        augmentation_layers(**arguments)
