import json
import random
import subprocess
import sys

import keras
import numpy as np
import pytest

from brain_tumor_clf.exceptions import ModelFileError
from brain_tumor_clf.networks import (
    augmentation_layers,
    network_from_state,
    network_to_state,
    simple_cnn,
)


@keras.saving.register_keras_serializable(package="somebody_else")
class Foreign(keras.layers.Layer):
    """A layer that another package registered with Keras."""

    def call(self, inputs):
        return inputs * 2


X = np.random.default_rng(0).integers(0, 256, (3, 12, 12, 1)).astype("float32")


def small(**options):
    return simple_cnn((12, 12, 1), 3, filters=(4,), dense_units=5, **options)


@pytest.mark.backend
def test_round_trip_is_exact_and_plain():
    model = small(dropout=0.3, augmentation=augmentation_layers(noise=3, rotation=5))
    state = network_to_state(model)
    assert isinstance(state["config"], str)
    assert [w.shape for w in state["weights"]] == [w.shape for w in model.get_weights()]
    twin = network_from_state(state)
    np.testing.assert_array_equal(twin.predict_on_batch(X), model.predict_on_batch(X))
    assert network_to_state(twin)["config"] == state["config"]


def test_a_compiled_network_leaves_its_optimizer_behind():
    model = small()
    plain = network_to_state(model)
    model.compile("adam", lambda y, p: p)  # a loss that no file could name
    model.optimizer.build(model.trainable_variables)
    state = network_to_state(model)
    assert state["config"] == plain["config"]
    assert len(state["weights"]) == len(plain["weights"])


def test_globals_stay_as_they_were():
    state = network_to_state(small(dropout=0.2))
    random.seed(1)
    numbers, policy = random.getstate(), keras.config.dtype_policy()
    network_from_state(state)
    assert random.getstate() == numbers
    assert keras.config.dtype_policy() == policy


def test_the_global_policy_does_not_change_a_loaded_network():
    model = small()
    expected = np.asarray(model(X))
    state, before = network_to_state(model), keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        loaded = np.asarray(network_from_state(state)(X))
    finally:
        keras.config.set_dtype_policy(before)
    np.testing.assert_array_equal(loaded, expected)


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
def test_policies_survive(dtype):
    model = small(dtype=dtype)
    state = network_to_state(model)
    assert {w.dtype.kind for w in state["weights"]} == {"f"}
    twin = network_from_state(state)
    assert (
        twin.get_layer("conv_1").dtype_policy == model.get_layer("conv_1").dtype_policy
    )
    np.testing.assert_array_equal(np.asarray(twin(X)), np.asarray(model(X)))


def test_sequential_networks_and_keras_layers_are_taken():
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            layers.RandomFlip("horizontal", seed=2**32 - 1),
            layers.Conv2D(2, 3, kernel_regularizer="l2", kernel_constraint="max_norm"),
            layers.Activation(keras.activations.gelu),
            layers.TimeDistributed(layers.Dense(2)),
            layers.Flatten(),
        ]
    )
    twin = network_from_state(network_to_state(model))
    np.testing.assert_array_equal(np.asarray(twin(X)), np.asarray(model(X)))


def test_normalization_keeps_what_it_adapted_to():
    layer = keras.layers.Normalization()
    layer.adapt(X)
    inputs = keras.Input((12, 12, 1))
    model = keras.Model(inputs, layer(inputs))
    twin = network_from_state(network_to_state(model))
    np.testing.assert_array_equal(np.asarray(twin(X)), np.asarray(model(X)))


def test_foreign_layers_are_taken_only_if_asked():
    inputs = keras.Input((12, 12, 1))
    model = keras.Model(inputs, Foreign()(inputs))
    with pytest.raises(ModelFileError, match="somebody_else>Foreign"):
        network_to_state(model)
    state = network_to_state(model, allow_registered=True)
    with pytest.raises(ModelFileError, match="somebody_else>Foreign"):
        network_from_state(state)
    twin = network_from_state(state, allow_registered=True)
    np.testing.assert_array_equal(np.asarray(twin(X)), X * 2)


def test_a_lambda_layer_is_refused_when_written():
    inputs = keras.Input((12, 12, 1))
    model = keras.Model(inputs, keras.layers.Lambda(lambda x: x)(inputs))
    with pytest.raises(ModelFileError, match="Lambda"):
        network_to_state(model)


def _tampered(**change):
    """The state of a small network whose dense layer was changed."""
    state = network_to_state(small())
    config = json.loads(state["config"])
    entry = next(x for x in config["config"]["layers"] if x["name"] == "dense")
    entry.update(change)
    return {**state, "config": json.dumps(config)}


@pytest.mark.parametrize(
    "change",
    [
        {"module": "os", "class_name": "system"},
        {"module": "subprocess", "class_name": "Popen", "registered_name": "Popen"},
        {"class_name": "Lambda"},
        {"class_name": "TFSMLayer", "config": {"filepath": "/tmp/model"}},
        {"class_name": "TorchModuleWrapper"},
        {"class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}},
        {"class_name": "deserialize"},
        {"class_name": "NoSuchLayer"},
        {"class_name": ["Dense"]},
        {"module": "keras.utils", "class_name": "get_file"},
        {"module": "keras.models", "class_name": "load_model"},
        {"module": "keras.src.ops.core", "class_name": "Map"},
        {"module": None, "class_name": "Dense"},
        {"module": None, "class_name": "__lambda__", "config": {"value": "x"}},
        {"module": None, "class_name": "__typespec__"},
        {"registered_name": "somebody_else>Foreign"},
        {"registered_name": "brain_tumor_clf>NoSuchLayer"},
        {"module": "brain_tumor_clf.cli", "registered_name": "brain_tumor_clf>main"},
    ],
)
def test_what_runs_code_or_reads_files_is_refused(change):
    with pytest.raises(ModelFileError, match=r"not among the layers|Not a layer"):
        network_from_state(_tampered(**change))


def test_functions_are_activations_alone():
    function = {"class_name": "function", "module": "builtins", "config": "eval"}
    state = _tampered(config={"units": 5, "activation": function})
    with pytest.raises(ModelFileError, match="function"):
        network_from_state(state)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ([], "dict with 'config' and 'weights'"),
        ({"config": "{}"}, "dict with 'config' and 'weights'"),
        ({"config": b"{}", "weights": []}, "JSON text"),
        ({"config": "{", "weights": []}, "not valid JSON"),
        ({"config": "[]", "weights": []}, "Functional or Sequential"),
        ({"config": '{"module": "keras.layers"}', "weights": []}, "Functional or"),
        ({"config": "[" * 100_000, "weights": []}, "not valid JSON"),
    ],
)
def test_damaged_states_say_so(state, message):
    with pytest.raises(ModelFileError, match=message):
        network_from_state(state)


def test_deep_and_huge_configs_are_refused():
    nested = []
    for _ in range(100):
        nested = [nested]
    with pytest.raises(ModelFileError, match="too deeply"):
        network_from_state(_tampered(config=nested))
    with pytest.raises(ModelFileError, match="'units' of 1000000000000"):
        network_from_state(_tampered(config={"units": 10**12}))


def test_a_config_that_keras_cannot_build_says_so():
    with pytest.raises(ModelFileError, match="damaged or of another version"):
        network_from_state(_tampered(config={"no_such_parameter": 1}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w[:-1], "length 5, .*expecting 6 weights"),
        (lambda w: [w[0].T, *w[1:]], "weight shape .*not compatible"),
        (lambda w: [w[0].astype(object), *w[1:]], "Weight 0"),
        (lambda w: ["text", *w[1:]], "Weight 0"),
    ],
)
def test_weights_that_do_not_fit_say_so(change, message):
    state = network_to_state(small())
    with pytest.raises(ModelFileError, match=message):
        network_from_state({**state, "weights": change(state["weights"])})


def test_initial_weights_are_not_told_and_not_asked_for():
    model = simple_cnn((16, 16, 1), 4)
    state = network_to_state(model)
    assert "Glorot" not in state["config"]
    assert "He" not in state["config"]
    # What a newer Keras gives its initializers, an older one does not know.
    newer = json.loads(state["config"])
    for layer in newer["config"]["layers"]:
        if "kernel_initializer" in layer["config"]:
            layer["config"]["kernel_initializer"] = {
                "module": "keras.initializers",
                "class_name": "HeNormal",
                "config": {"seed": None, "an_argument_of_tomorrow": None},
                "registered_name": None,
            }
    assert "of_tomorrow" in json.dumps(newer)
    twin = network_from_state({**state, "config": json.dumps(newer)})
    for ours, theirs in zip(twin.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_arguments_that_old_versions_lack_are_told_only_if_they_matter():
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.BatchNormalization(name="norm")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2, name="logits")(x))
    told = network_to_state(model)["config"]
    assert "renorm" not in told
    assert "quantization_config" not in told
    if "renorm" in keras.layers.BatchNormalization().get_config():
        layer = keras.layers.BatchNormalization(renorm=True)
        renormed = keras.Model(inputs, layer(inputs))
        assert '"renorm":true' in network_to_state(renormed)["config"]


@pytest.mark.slow
def test_a_keras_file_loads_after_the_import_that_the_docs_name(tmp_path):
    augmentation = augmentation_layers(noise=3, rotation=5)
    model = network_from_state(network_to_state(small(augmentation=augmentation)))
    assert type(model.layers[-1].kernel_initializer) is keras.initializers.Zeros
    model.save(tmp_path / "network.keras")
    code = (
        "import sys, keras, brain_tumor_clf.networks\n"
        "keras.saving.load_model(sys.argv[1])"
    )
    path = str(tmp_path / "network.keras")
    subprocess.run([sys.executable, "-c", code, path], check=True)


def test_layers_that_wait_for_each_other_are_refused():
    state = network_to_state(simple_cnn((16, 16, 1), 4))
    config = json.loads(state["config"])
    for layer in config["config"]["layers"][1:]:
        tensor = layer["inbound_nodes"][0]["args"][0]
        tensor["config"]["keras_history"] = ["logits", 0, 0]
    state["config"] = json.dumps(config)
    with pytest.raises(ModelFileError, match="architecture is damaged"):
        network_from_state(state)
