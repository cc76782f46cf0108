import keras
import pytest

from brain_tumor_clf.networks import BACKBONES, Backbone

N_FEATURES = 16  # of the tiny backbone's last map


def three_convolutions(input_tensor, mix_style=0.0):
    x = input_tensor
    for i, filters in enumerate((4, 8, N_FEATURES)):
        if i:
            x = keras.layers.MaxPooling2D(padding="same", name=f"pool_{i}")(x)
        x = keras.layers.Conv2D(
            filters, 3, padding="same", activation="relu", name=f"conv_{i}"
        )(x)
    return keras.Model(keras.utils.get_source_inputs(input_tensor), x)


TINY = Backbone(
    name="Tiny",
    scaling={"scale": 1 / 127.5, "offset": -1.0},
    blocks=(),
    last_conv="conv_2",
    default_size=8,
    min_size=8,
    learning_rate=1e-3,
    builder=three_convolutions,
)


@pytest.fixture(scope="module", autouse=True)
def _tiny_backbone():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BACKBONES, "Tiny", TINY)
        yield
