"""Read the tensors of an old-format PyTorch file, without PyTorch and without risk.

The format (before PyTorch 1.6): five pickles (a magic number, the protocol, facts on
the writing machine, the object, the keys of its storages), and then each storage: its
number of values as int64, and the values, little-endian. An unpickler can be made to
call anything; this one knows three names and refuses every other.
"""

import collections
import math
import os
import pickle
from typing import NamedTuple

import numpy as np

from brain_tumor_clf.exceptions import WeightsError

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_MAX_DIMENSIONS = 32
_STORAGES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "?",
}


# A pickle may set the attributes, and so call the `__setstate__`, of what it has made:
# a tuple has neither, so that what was checked when it was made stays as it was.
class _Storage(NamedTuple):
    key: str
    dtype: np.dtype
    n_values: int


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple
    strides: tuple


class _StorageType(NamedTuple):
    dtype: np.dtype


def read_torch_tensors(path):
    """Tensors by name of a PyTorch file in the format before PyTorch 1.6.

    Parameters
    ----------
    path : str or os.PathLike
        The file, a saved ``state_dict``.

    Returns
    -------
    dict of str to ndarray
        The tensors.

    Raises
    ------
    WeightsError
        If the file is missing, cut short, of another format, or holds anything but
        tensors; nothing it names is imported or called.
    """
    path = os.fspath(path)
    try:
        with open(path, "rb") as file:
            return _read(file, os.fstat(file.fileno()).st_size)
    except WeightsError as error:
        raise WeightsError(f"Cannot read weights from {path!r}: {error}") from error
    except OSError as error:
        raise WeightsError(
            f"Cannot open the weights file {path!r}: {error.strerror}."
        ) from error
    except Exception as error:  # a damaged pickle raises almost any class
        raise WeightsError(
            f"Cannot read weights from {path!r}: it is damaged or no PyTorch file of "
            f"the format before version 1.6 ({type(error).__name__}: {error})."
        ) from error


def _read(file, size):
    if _Unpickler(file).load() != _MAGIC:
        raise WeightsError("it is no PyTorch file of the format before version 1.6.")
    protocol = _Unpickler(file).load()
    if protocol != _PROTOCOL:
        raise WeightsError(f"its protocol is {protocol!r}, expected {_PROTOCOL}.")
    facts = _Unpickler(file).load()
    if not (isinstance(facts, dict) and facts.get("little_endian") is True):
        raise WeightsError("it was not written on a little-endian machine.")
    tensors = _check_tensors(_Unpickler(file).load())
    keys = _Unpickler(file).load()
    storages = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    if not isinstance(keys, list) or set(map(str, keys)) != set(storages):
        raise WeightsError("its list of storages does not fit its tensors.")
    values = {key: _read_storage(file, storages[key], size) for key in keys}
    return {name: _resolve(name, t, values) for name, t in tensors.items()}


def _check_tensors(obj):
    if not isinstance(obj, dict):
        raise WeightsError(f"it holds one {type(obj).__name__}, not named tensors.")
    # The dict's own items: a pickle may have set an attribute of that name.
    tensors = dict(dict.items(obj))
    for name, value in tensors.items():
        if not isinstance(name, str) or not isinstance(value, _Tensor):
            raise WeightsError(
                f"entry {name!r} is of type {type(value).__name__}, not a tensor."
            )
    return tensors


def _read_storage(file, storage, size):
    head = file.read(8)
    n_values = int.from_bytes(head, "little", signed=True)
    if len(head) < 8 or n_values != storage.n_values:
        raise WeightsError(
            f"storage {storage.key!r} claims {n_values} values where "
            f"{storage.n_values} are expected; the file is damaged."
        )
    n_bytes = n_values * storage.dtype.itemsize
    # Checked before memory is asked for: a damaged number could name terabytes.
    if n_bytes > size - file.tell():
        raise WeightsError(f"it is cut short in storage {storage.key!r}.")
    return np.frombuffer(file.read(n_bytes), dtype=storage.dtype)


def _resolve(name, tensor, values):
    data = values[tensor.storage.key]
    if math.prod(tensor.shape) == 0:
        return np.zeros(tensor.shape, data.dtype)
    last = tensor.offset + sum(
        (n - 1) * stride for n, stride in zip(tensor.shape, tensor.strides, strict=True)
    )
    if last >= len(data):
        raise WeightsError(
            f"tensor {name!r} reaches to value {last} of a storage of {len(data)}."
        )
    strides = [stride * data.dtype.itemsize for stride in tensor.strides]
    view = np.lib.stride_tricks.as_strided(
        data[tensor.offset :], tensor.shape, strides, writeable=False
    )
    # A stride of zero could blow one value up to any size.
    if math.prod(tensor.shape) > len(data):
        raise WeightsError(f"tensor {name!r} is larger than its storage.")
    return np.array(view)


class _TensorBuilder:
    """Stands in for the function that rebuilds a tensor.

    An instance without attributes, because a pickle may set those of what it finds.
    """

    __slots__ = ()

    def __call__(self, storage, offset, shape, strides, *_flags):
        numbers = (offset, *shape, *strides)
        sound = (
            isinstance(storage, _Storage)
            and all(type(n) is int and n >= 0 for n in numbers)
            and len(shape) == len(strides) <= _MAX_DIMENSIONS
        )
        if not sound:
            raise WeightsError("a tensor's shape or place in its storage is not sound.")
        return _Tensor(storage, offset, tuple(shape), tuple(strides))


class _Unpickler(pickle.Unpickler):
    """Knows OrderedDict, a tensor and its storages; refuses everything else."""

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _TensorBuilder()
        if module == "torch" and name in _STORAGES:
            return _StorageType(np.dtype(_STORAGES[name]))
        raise WeightsError(
            f"it wants to use {module}.{name}, but a weights file may hold tensors "
            "alone. Do not open it with anything else."
        )

    def persistent_load(self, pid):
        kind, storage_type, key, _location, n_values, *view = pid
        sound = (
            kind == "storage"
            and isinstance(storage_type, _StorageType)
            and isinstance(key, str)
            and type(n_values) is int
            and n_values >= 0
            and view in ([], [None])
        )
        if not sound:
            raise WeightsError(f"a storage is described in an unknown way: {pid!r}.")
        return _Storage(key, storage_type.dtype, n_values)
