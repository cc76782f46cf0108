"""Many fits in one process, as in a grid search, leave little behind."""

import gc
import json
import subprocess
import sys
import weakref
from pathlib import Path

import keras
import numpy as np
import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "fit_overhead.py"


@pytest.mark.slow
def test_memory_of_thirty_fits_grows_by_less_than_ten_megabytes_each(tmp_path):
    pytest.importorskip("psutil")
    report = tmp_path / "report.json"
    options = ("--parts", "memory", "--json", report)
    subprocess.run([sys.executable, BENCHMARK, *options], check=True)
    assert json.loads(report.read_text())["memory"]["slope_mb_per_fit"] < 10


def test_a_fit_keeps_no_images(phantoms, tiny):
    images = np.array(phantoms.data)[..., None]
    alive = weakref.ref(images)
    clf = tiny(epochs=1).fit(images, phantoms.target)
    del images
    gc.collect()
    assert alive() is None
    clf.predict(phantoms.data)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="only TensorFlow has such graphs"
)
@pytest.mark.parametrize("precision", [False, True], ids=["float32", "float16"])
def test_a_fit_keeps_no_graph(phantoms, tiny, precision):
    from tensorflow.python.framework.func_graph import FuncGraph

    def count_graphs():
        gc.collect()
        return sum(isinstance(each, FuncGraph) for each in gc.get_objects())

    def fit():
        clf = tiny(epochs=1, early_stopping=True, mixed_precision=precision)
        clf.fit(phantoms.data, phantoms.target, groups=phantoms.groups)

    fit()
    before = count_graphs()
    fit()
    assert count_graphs() <= before
