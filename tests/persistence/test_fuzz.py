"""Mutated model files: each loads or is a clear error, quickly and in little memory."""

import json
import random
import time

import numpy as np
import psutil
import pytest

from brain_tumor_clf import load
from brain_tumor_clf.exceptions import ModelFileError
from brain_tumor_clf.persistence._archive import unpack
from tests.persistence.conftest import tampered_copy

SCHEMA = "estimator.skops/schema.json"
ODD_VALUES = [
    None, True, -1, 0, 2**31, 2**63, 1e308, float("nan"), "", "x" * 1000, [], {}, [[]],
    [[[]] * 1000] * 50, {"class_name": "Lambda"}, "keras.layers", 2**20, [2**20] * 4,
]  # fmt: skip


def places(document):
    """Every container of a JSON document, with each of its keys."""
    found, waiting = [], [document]
    while waiting:
        value = waiting.pop()
        keys = range(len(value)) if isinstance(value, list) else list(value)
        for key in keys:
            found.append((value, key))
            if isinstance(value[key], (list, dict)):
                waiting.append(value[key])
    return found


def mutate(document, rng):
    """Replace, drop, swap or repeat a part of a JSON document, in place."""
    container, key = rng.choice(places(document))
    other, other_key = rng.choice(places(document))
    kind = rng.randrange(4)
    if kind == 0:
        container[key] = rng.choice(ODD_VALUES)
    elif kind == 1:
        del container[key]
    elif kind == 2:
        container[key], other[other_key] = other[other_key], container[key]
    else:
        container[key] = json.loads(json.dumps([container[key]] * 300))


def mutate_schema(content, rng):
    schema = json.loads(content)
    configs = [
        value for value, key in places(schema)
        if key == "content" and str(value[key]).startswith('"{')
    ]  # fmt: skip
    if rng.random() < 0.6:  # the architecture of a network
        node = rng.choice(configs)
        config = json.loads(json.loads(node["content"]))
        mutate(config["config"], rng)
        node["content"] = json.dumps(json.dumps(config))
    else:
        mutate(schema, rng)
    return json.dumps(schema).encode()


def mutate_bytes(content, rng):
    content = bytearray(content)
    for _ in range(rng.randrange(1, 5)):
        content[rng.randrange(min(len(content), 200))] = rng.randrange(256)
    return bytes(content)


def try_to_load(path):
    """What is wrong with a file: None, or the message; its networks are built."""
    try:
        model = load(path)
        if hasattr(type(model), "model_"):
            _ = getattr(model, "model_", None)
    except ModelFileError as error:
        return str(error)
    return None


@pytest.mark.filterwarnings("ignore")
def test_mutated_files_are_loaded_or_refused(saved, tmp_path):
    rng = random.Random(0)
    inner = unpack(unpack(saved.read_bytes())["estimator.skops"])
    arrays = [f"estimator.skops/{name}" for name in inner if name.endswith(".npy")]
    assert try_to_load(saved) is None
    process, refused = psutil.Process(), 0
    before, slowest = process.memory_info().rss, 0
    for i in range(300):
        path = tmp_path / f"{i}.btc"
        if i % 3:
            changes = {SCHEMA: lambda content: mutate_schema(content, rng)}
            tampered_copy(saved, path, changes)
        elif i % 2:
            change = {rng.choice(arrays): lambda content: mutate_bytes(content, rng)}
            tampered_copy(saved, path, change)
        else:
            path.write_bytes(mutate_bytes(saved.read_bytes()[::-1], rng)[::-1])
        start = time.perf_counter()
        refused += try_to_load(path) is not None
        slowest = max(slowest, time.perf_counter() - start)
    assert refused > 100
    assert slowest < 10
    assert process.memory_info().rss - before < 500 * 2**20


def edit_config(change):
    def apply(content):
        schema = json.loads(content)
        node = next(
            value for value, key in places(schema)
            if key == "content" and str(value[key]).startswith('"{')
        )  # fmt: skip
        config = json.loads(json.loads(node["content"]))
        change(config["config"])
        node["content"] = json.dumps(json.dumps(config))
        return json.dumps(schema).encode()

    return apply


def huge_dense(config):
    dense = [layer for layer in config["layers"] if layer["class_name"] == "Dense"]
    dense[0]["config"]["units"] = 2**31 - 1


def huge_input(config):
    config["layers"][0]["config"]["batch_shape"] = [None, 40_000, 40_000, 1]
    flatten = {"class_name": "Flatten", "module": "keras.layers"}
    pooling = next(
        layer for layer in config["layers"] if "Pooling" in layer["class_name"]
    )
    pooling.update(flatten, config={"name": pooling["name"]}, registered_name=None)


def many_layers(config):
    config["layers"] += [config["layers"][1]] * 5000


@pytest.mark.parametrize("change", [huge_dense, huge_input, many_layers])
def test_architectures_larger_than_their_weights_take_no_memory(
    change, saved, tmp_path
):
    path = tampered_copy(saved, tmp_path / "bomb.btc", {SCHEMA: edit_config(change)})
    before, start = psutil.Process().memory_info().rss, time.perf_counter()
    with pytest.raises(ModelFileError, match=r"do not fit|\d+ layers|damaged"):
        _ = load(path).model_
    assert time.perf_counter() - start < 10
    assert psutil.Process().memory_info().rss - before < 200 * 2**20


def test_json_larger_than_any_models(saved, tmp_path):
    changes = {SCHEMA: b"[" + b"[]," * 6_000_000 + b"0]"}
    path = tampered_copy(saved, tmp_path / "bomb.btc", changes)
    with pytest.raises(ModelFileError, match="more than any model"):
        load(path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite(value, saved, tmp_path, network):
    import copy

    from brain_tumor_clf import save

    broken = copy.deepcopy(network)
    first, *rest = broken.model_.get_weights()
    first.flat[0] = value
    broken.model_.set_weights([first, *rest])
    with pytest.raises(ModelFileError, match="NaN or infinity"):
        save(broken, tmp_path / "model.btc")
    assert not list(tmp_path.iterdir())
