"""Files of version 0.1: refused with a command, which converts them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from brain_tumor_clf import load
from brain_tumor_clf.exceptions import ModelFileError
from brain_tumor_clf.persistence import read_manifest

PROGRAM = Path(__file__).parents[2] / "examples" / "convert_model_file.py"
OLD = Path(__file__).parent / "data" / "format_1.btc"


@pytest.mark.parametrize("read", [load, read_manifest])
def test_an_old_file_is_refused_with_the_command_that_converts_it(read):
    with pytest.raises(ModelFileError, match=r"0\.1.* examples/convert_model_file\.py"):
        read(OLD)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::brain_tumor_clf.exceptions.HeadNotFoundWarning")
def test_a_converted_file_predicts_the_same(tmp_path):
    new = tmp_path / "new.btc"
    subprocess.run([sys.executable, PROGRAM, OLD, new], check=True, cwd=tmp_path)
    model = load(new)
    X = np.random.default_rng(0).integers(0, 256, (8, 20, 20), dtype=np.uint8)
    expected = model.metadata_["proba"]  # as version 0.1 predicted them
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-6)
    assert new.stat().st_size < 1.1 * OLD.stat().st_size
