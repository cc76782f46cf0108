"""Models loaded before a server forks its workers, or shared by its threads."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from brain_tumor_clf import load

ROOT = Path(__file__).parents[2]
FORKING = """
import os, sys
import numpy as np
from brain_tumor_clf import load

folder = sys.argv[2]
model, X = load(sys.argv[1]), np.load(folder + "/X.npy")
workers = []
for i in range(2):
    worker = os.fork()
    if worker == 0:
        np.save(f"{folder}/{i}.npy", model.predict_proba(X))
        os._exit(0)
    workers.append(worker)
codes = [os.waitstatus_to_exitcode(os.waitpid(each, 0)[1]) for each in workers]
sys.exit(max(codes, key=abs))
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_workers_forked_after_load_predict(network, saved, scans, tmp_path):
    np.save(tmp_path / "X.npy", scans[0])
    command = [sys.executable, "-c", FORKING, saved, tmp_path]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run(command, check=True, env=environment, timeout=120)
    for i in range(2):
        proba = np.load(tmp_path / f"{i}.npy")
        np.testing.assert_array_equal(proba, network.predict_proba(scans[0]))


def test_threads_build_the_network_once(network, saved, scans):
    model = load(saved)
    assert "model_" not in vars(model)
    with ThreadPoolExecutor(8) as pool:
        networks = list(pool.map(lambda _: model.model_, range(16)))
        probabilities = list(pool.map(model.predict_proba, [scans[0]] * 8))
    assert all(each is networks[0] for each in networks)
    for proba in probabilities:
        np.testing.assert_array_equal(proba, network.predict_proba(scans[0]))
