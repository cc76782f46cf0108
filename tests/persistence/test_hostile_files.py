"""Damaged, foreign and hostile files: nothing runs, and one clear line says why."""

import copy
import io
import json
import pickle
import sys
import zipfile

import joblib
import keras
import numpy as np
import pytest
import skops.io
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline

from brain_tumor_clf import ScanGuard, load, save
from brain_tumor_clf.exceptions import ModelFileError
from brain_tumor_clf.persistence import TRUSTED_TYPES, read_manifest
from brain_tumor_clf.persistence._archive import pack, unpack
from brain_tumor_clf.persistence._skops import check_skops, from_skops, iter_nodes
from brain_tumor_clf.selective import SelectiveClassifier
from tests.persistence.conftest import tampered_copy

# Keras' TensorFlow backend converts variables in the way of NumPy 1.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept:DeprecationWarning"
)

ESTIMATOR = "estimator.skops/schema.json"


class Payload:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def refused(path, match):
    with pytest.raises(ModelFileError, match=match) as caught:
        load(path)
    assert "\n" not in str(caught.value)


def npy(array, allow_pickle=False):
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=allow_pickle)
    return buffer.getvalue()


def edit_json(change):
    """A change of a JSON member by a function that edits the document in place."""

    def apply(content):
        document = json.loads(content)
        change(document)
        return json.dumps(document).encode()

    return apply


def network_node(schema):
    """The node of the network's data: its config and its weights."""
    states = (
        node["content"]["_network_state"]["content"]
        for _, node in iter_nodes(schema)
        if isinstance(node.get("content"), dict) and "_network_state" in node["content"]
    )
    return next(states)


def edit_config(change):
    """A change of the architecture by a function that edits it in place."""

    def apply(schema):
        node = network_node(schema)["config"]
        config = json.loads(json.loads(node["content"]))
        change(config)
        node["content"] = json.dumps(json.dumps(config))

    return edit_json(apply)


@pytest.fixture(scope="session")
def weights(saved):
    """Name of the network's first weight."""
    schema = json.loads(
        unpack(unpack(saved.read_bytes())["estimator.skops"])["schema.json"]
    )
    name = network_node(schema)["weights"]["content"][0]["file"]
    return f"estimator.skops/{name}"


def node(loader, name, module="builtins", **more):
    return {"__loader__": loader, "__class__": name, "__module__": module, **more}


def json_node(value):
    return node("JsonNode", "str", content=json.dumps(value), is_json=True)


def put(entry, key="extra"):
    """Add an attribute to the estimator's state."""

    def change(schema):
        state = schema["content"]
        state["content"][key] = entry
        state["key_types"]["content"].append(node("TypeNode", "str"))

    return edit_json(change)


# --- not a model file at all ------------------------------------


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (None, "There is no model file"),
        (b"", "is empty"),
        (b"glioma,0.9\n", "is not a model file"),
        (b"PK\x03\x04 and no more", "damaged or truncated"),
    ],
    ids=["missing", "empty", "text", "stump"],
)
def test_not_a_model_file(content, match, tmp_path):
    path = tmp_path / "model.btc"
    if content is not None:
        path.write_bytes(content)
    refused(path, match)
    with pytest.raises(ModelFileError, match=match):
        read_manifest(path)


def test_a_folder(tmp_path):
    refused(tmp_path, "is a folder")


@pytest.mark.parametrize(
    "dump", [joblib.dump, lambda o, p: p.write_bytes(pickle.dumps(o))]
)
def test_a_hostile_pickle_renamed_is_not_run(dump, tmp_path):
    path, mark = tmp_path / "model.btc", tmp_path / "ran"
    dump(Payload(mark), path)
    refused(path, "pickle")
    assert not mark.exists()


def test_a_zip_of_something_else(tmp_path):
    path = tmp_path / "model.btc"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    refused(path, r"'readme\.txt' is not one that a saved model has")


# --- damage -----------------------------------------------------


def test_a_flipped_byte_in_any_member(saved, tmp_path):
    original = saved.read_bytes()
    with zipfile.ZipFile(saved) as archive:
        infos = archive.infolist()
    for info in infos:
        header = original.index(info.filename.encode(), info.header_offset)
        at = header + len(info.filename) + info.file_size // 2
        damaged = bytearray(original)
        damaged[at] ^= 0x40
        path = tmp_path / "model.btc"
        path.write_bytes(damaged)
        refused(path, "damaged")


@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_truncated(part, saved, tmp_path):
    content = saved.read_bytes()
    (tmp_path / "model.btc").write_bytes(content[: int(len(content) * part)])
    refused(tmp_path / "model.btc", "damaged or truncated")


def test_a_changed_member_with_an_old_checksum(saved, tamper, weights, tmp_path):
    path = tmp_path / "model.btc"
    changed = unpack(tamper({weights: npy(np.ones(3))}).read_bytes())
    changed["manifest.json"] = unpack(saved.read_bytes())["manifest.json"]
    path.write_bytes(pack(changed))
    refused(path, r"the checksum of estimator\.skops differs")


def test_a_model_id_of_another_content(tamper):
    refused(tamper({}, manifest={"model_id": "0" * 16}), "model id")


def test_a_missing_member(tamper, weights, saved, tmp_path):
    refused(tamper({weights: None}), "it lacks")
    refused(tamper({ESTIMATOR: None}), "has no schema")
    members = unpack(saved.read_bytes())
    for name in members:
        path = tmp_path / "model.btc"
        path.write_bytes(pack({k: v for k, v in members.items() if k != name}))
        refused(path, f"has no {name}")


def test_classes_that_are_not_the_estimators(tamper):
    refused(tamper({}, manifest={"classes": ["healthy"]}), "names the classes")


# --- versions ---------------------------------------------------


def test_a_newer_format_says_who_wrote_it(tamper):
    path = tamper(
        {}, manifest={"format_version": 3, "versions": {"brain-tumor-clf": "3.1.4"}}
    )
    refused(path, r"format version 3 .* brain-tumor-clf 3\.1\.4.*Upgrade")
    with pytest.raises(ModelFileError, match="Upgrade"):
        read_manifest(path)


@pytest.mark.parametrize("version", [0, -1, "1", None, True, 1.5])
def test_a_format_that_never_was(version, tamper):
    refused(tamper({}, manifest={"format_version": version}), "no format version")


@pytest.mark.parametrize(
    "fields",
    [
        {"format": "another"},
        {"unknown": 1},
        {"sha256": 1},
        {"classes": "glioma"},
        {"versions": {"keras": 3}},
    ],
)
def test_a_manifest_of_another_shape(fields, tamper):
    refused(tamper({}, manifest=fields), "no model of this package|is damaged")


# --- the archive ------------------------------------------------


@pytest.mark.parametrize(
    "name", ["../escape.npy", "/etc/passwd", "arrays/../../x.npy", "C:\\x", "a.py"]
)
def test_names_that_lead_elsewhere(name, tamper, tmp_path):
    for place in ("", "estimator.skops/"):
        refused(tamper({f"{place}{name}": b"x"}), "is not one that a saved model has")
    assert not (tmp_path.parent / "escape.npy").exists()


def test_a_member_twice(saved, tamper, tmp_path):
    outer = tmp_path / "outer.btc"
    outer.write_bytes(saved.read_bytes())
    inner = io.BytesIO(unpack(saved.read_bytes())["estimator.skops"])
    for file, name in [(outer, "estimator.skops"), (inner, "schema.json")]:
        with (
            zipfile.ZipFile(file, "a") as archive,
            pytest.warns(UserWarning, match="Duplicate name"),
        ):
            archive.writestr(name, "{}")
    refused(outer, "occurs twice")
    with pytest.raises(ModelFileError, match="occurs twice"):
        check_skops(inner.getvalue())


def test_a_zip_bomb_is_not_unpacked(tmp_path):
    path = tmp_path / "model.btc"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", b" " * 2**27)
    assert path.stat().st_size < 2**18
    refused(path, "is compressed")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", b" " * 2**27)
    with pytest.raises(ModelFileError, match="is compressed"):
        check_skops(path.read_bytes())


def test_members_that_claim_more_than_the_file_has(saved, tmp_path):
    content = bytearray(saved.read_bytes())
    name = b"estimator.skops"
    entry = content.rindex(name) - 46  # its place in the central directory
    content[entry + 20 : entry + 28] = (2**31).to_bytes(4, "little") * 2
    (tmp_path / "model.btc").write_bytes(content)
    refused(tmp_path / "model.btc", "claim more bytes")


def test_a_member_that_nothing_uses(tamper):
    unused = {"estimator.skops/999.npy": npy(np.ones(2))}
    refused(tamper(unused), "nothing in it uses")


# --- arrays -----------------------------------------------------


def test_an_array_with_a_pickle_inside(tamper, weights, tmp_path):
    mark = tmp_path / "ran"
    array = np.array([Payload(mark)], dtype=object)
    refused(tamper({weights: npy(array, allow_pickle=True)}), "not of plain values")
    assert not mark.exists()


def test_an_array_that_claims_a_terabyte(tamper, weights):
    content = npy(np.zeros(4, dtype=np.float32))
    content = content.replace(b"(4,), }", b"(250000000000,), }")
    refused(tamper({weights: content}), "claims|is no array")


def test_an_array_of_another_shape(tamper, weights, scans):
    path = tamper({weights: npy(np.zeros((2, 2), np.float32))})
    with pytest.raises(ModelFileError, match="do not fit"):
        load(path).predict(scans[0])


# --- networks ---------------------------------------------------


def lambda_layer(mark):
    import marshal
    import types

    def run(x):
        open("MARK", "w").close()
        return x

    code = run.__code__.replace(
        co_consts=tuple(str(mark) if c == "MARK" else c for c in run.__code__.co_consts)
    )
    assert isinstance(code, types.CodeType)
    function = {
        "class_name": "__lambda__",
        "config": {
            "code": marshal.dumps(code).hex(),
            "defaults": None,
            "closure": None,
        },
    }
    return {
        "module": "keras.layers",
        "class_name": "Lambda",
        "config": {"name": "hostile", "function": function, "arguments": {}},
        "registered_name": None,
    }


def test_a_lambda_layer_is_not_run(tamper, tmp_path):
    mark = tmp_path / "ran"

    def change(config):
        config["config"]["layers"][1].update(lambda_layer(mark))

    refused(tamper({ESTIMATOR: edit_config(change)}), "was not loaded")
    assert not mark.exists()


def test_a_layer_of_a_foreign_module_is_not_imported(tamper, tmp_path, monkeypatch):
    mark = tmp_path / "ran"
    (tmp_path / "hostile_layers.py").write_text(f"open({str(mark)!r}, 'w').close()")
    monkeypatch.syspath_prepend(tmp_path)

    def change(config):
        config["config"]["layers"][1].update(module="hostile_layers", class_name="Evil")

    refused(tamper({ESTIMATOR: edit_config(change)}), "was not loaded")
    assert not mark.exists()
    assert "hostile_layers" not in sys.modules


def test_a_layer_that_other_code_registered_is_refused(tamper):
    @keras.saving.register_keras_serializable(package="elsewhere")
    class Relay(keras.layers.Layer):
        pass

    def change(config):
        config["config"]["layers"][1].update(
            module=None, class_name="Relay", registered_name="elsewhere>Relay"
        )

    refused(tamper({ESTIMATOR: edit_config(change)}), "Relay")


def test_the_state_of_a_training_is_not_built(tamper, scans, tmp_path, monkeypatch):
    mark = tmp_path / "ran"
    (tmp_path / "hostile_loss.py").write_text(f"open({str(mark)!r}, 'w').close()")
    monkeypatch.syspath_prepend(tmp_path)
    compiled = json_node(
        {"compile": {"module": "hostile_loss", "class_name": "L", "config": {}}}
    )
    path = tamper({ESTIMATOR: put(compiled, "_optimizer_state")})
    loaded = load(path)
    loaded.predict(scans[0])
    assert not hasattr(loaded, "_optimizer_state")
    alone = unpack(path.read_bytes())["estimator.skops"]
    skops.io.loads(alone, trusted=TRUSTED_TYPES).predict(scans[0])
    assert not mark.exists()


# --- the estimator's state --------------------------------------


@pytest.mark.parametrize(
    "entry",
    [
        node("FunctionNode", "system", "os"),
        node("TypeNode", "Popen", "subprocess"),
        node("ObjectNode", "Popen", "subprocess", content=json_node({})),
        node("OperatorFuncNode", "methodcaller", "operator", attrs=json_node(["x"])),
        node("ConstructorFromReduceNode", "Popen", "subprocess", content=json_node([])),
        node("MethodNode", "str", content={"obj": json_node("x"), "func": "upper"}),
        node("PartialNode", "partial", "functools", content={}),
        node("CachedNode", "x", __id__=1),
        node("MadeUpNode", "x"),
        node(["DictNode"], "x"),
    ],
    ids=lambda entry: str(entry["__loader__"]),
)
def test_parts_that_are_not_plain_data(entry, tamper):
    refused(tamper({ESTIMATOR: put(entry)}), "was not loaded")


def test_a_users_class_is_never_imported(tamper, tmp_path, monkeypatch):
    mark = tmp_path / "ran"
    (tmp_path / "users_module.py").write_text(f"open({str(mark)!r}, 'w').close()")
    monkeypatch.syspath_prepend(tmp_path)
    entry = node("ObjectNode", "Model", "users_module", content=json_node({}))
    refused(tamper({ESTIMATOR: put(entry)}), "users_module.Model")
    assert not mark.exists()


def test_an_older_protocol_of_skops(tamper):
    change = edit_json(lambda schema: schema.update(protocol=0))
    refused(tamper({ESTIMATOR: change}), "unknown kind")


@pytest.mark.parametrize("position", [2**30, -1, "0", None])
def test_a_random_state_that_points_beyond_its_memory(position, network, tmp_path):
    from sklearn.base import clone
    from sklearn.linear_model import SGDClassifier

    model = SGDClassifier(random_state=np.random.RandomState(0))
    model.fit([[0.0], [1.0]], [0, 1])
    path = tmp_path / "model.btc"
    save(model, path)
    assert clone(load(path)).fit([[0.0], [1.0]], [0, 1])

    members = unpack(unpack(path.read_bytes())["estimator.skops"])
    schema = json.loads(members["schema.json"])
    state = schema["content"]["content"]["random_state"]["content"]["content"]["state"]
    state["content"]["pos"] = json_node(position)
    members["schema.json"] = json.dumps(schema).encode()
    with pytest.raises(ModelFileError, match="random generator"):
        check_skops(pack(members))


def test_a_cache_folder_in_a_file_is_not_used(tmp_path):
    from sklearn.linear_model import LogisticRegression

    path = tmp_path / "model.btc"
    save(make_pipeline(LogisticRegression()).fit([[0.0], [1.0]], [0, 1]), path)
    members = unpack(unpack(path.read_bytes())["estimator.skops"])
    schema = json.loads(members["schema.json"])
    schema["content"]["content"]["memory"] = json_node("/srv/pickles")
    members["schema.json"] = json.dumps(schema).encode()
    assert from_skops(pack(members)).memory is None
    state = schema["content"]
    # The same state as another object's, elsewhere in the file.
    twin = node("ListNode", "list", content=[state, {**schema, "__id__": 78}])
    schema = {**twin, "protocol": 2, "_skops_version": "0.16"}
    members["schema.json"] = json.dumps(schema).encode()
    assert from_skops(pack(members))[1].memory is None


def test_a_file_of_no_estimator(tamper, saved):
    schema = {**json_node([1]), "protocol": 2, "_skops_version": "0.16"}
    members = unpack(unpack(saved.read_bytes())["estimator.skops"])
    changes = dict.fromkeys(f"estimator.skops/{name}" for name in members)
    changes[ESTIMATOR] = json.dumps(schema).encode()
    refused(tamper(changes, manifest={"classes": None}), "not an estimator")


def test_nested_too_deeply(tamper):
    deep = b'{"__loader__": "ListNode", "content": [' * 20_000
    refused(tamper({ESTIMATOR: deep}), "was not loaded")


# --- the guard ----------------------------------------------------


@pytest.fixture(scope="module")
def guarded(network, scans, tmp_path_factory):
    """The file of a classifier with a guard."""
    pipeline = make_pipeline(copy.deepcopy(network))
    guard = FrozenEstimator(ScanGuard(pipeline).fit(scans[0]))
    path = tmp_path_factory.mktemp("guarded") / "model.btc"
    save(SelectiveClassifier(FrozenEstimator(pipeline), guard).fit(*scans), path)
    return path


@pytest.fixture
def tamper_guard(guarded, tmp_path):
    """Write a copy whose guard's state is changed by a function, checksums right."""

    def write(change):
        def edit_state(schema):
            guard = schema["content"]["content"]["guard"]
            change(guard["content"]["content"]["estimator"]["content"])

        edit = edit_json(edit_state)
        # Arrays that the change leaves unused go, lest they are what is refused.
        changes = {ESTIMATOR: edit, **unused_arrays(guarded, edit)}
        return tampered_copy(guarded, tmp_path / "guarded.btc", changes)

    return write


def unused_arrays(path, edit):
    members = unpack(unpack(path.read_bytes())["estimator.skops"])
    schema = json.loads(edit(members.pop("schema.json")))
    used = {node.get("file") for _, node in iter_nodes(schema)}
    return {f"estimator.skops/{name}": None for name in members if name not in used}


def test_the_untouched_guard_loads(tamper_guard, scans):
    loaded = load(tamper_guard(lambda state: None))
    assert loaded.guard_.predict(scans[0]).shape == (24,)


@pytest.mark.parametrize(
    "entry",
    [
        node("FunctionNode", "system", "os"),
        node("ObjectNode", "Popen", "subprocess", content=json_node({})),
        node("PartialNode", "partial", "functools", content={}),
        node("NdArrayNode", "ndarray", "numpy", type="json", content=[], shape={}),
    ],
    ids=lambda entry: str(entry["__loader__"]),
)
@pytest.mark.parametrize("key", ["subspaces_", "direction_", "estimator_"])
def test_a_crafted_guard_is_refused(key, entry, tamper_guard):
    path = tamper_guard(lambda state: state["content"].update({key: entry}))
    refused(path, "was not loaded")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("subspaces_", [{"mean": 0}]),
        ("subspaces_", None),
        ("direction_", "x" * 100),
        ("median_", [[]]),
        ("scale_", {}),
        ("offset_", "auto"),
        ("estimator_", None),
        ("estimator_", "a pipeline"),
    ],
)
def test_a_guard_of_another_shape_is_refused(key, value, tamper_guard):
    path = tamper_guard(lambda state: state["content"].update({key: json_node(value)}))
    refused(path, "guard")
