"""find_label_issues: labels that out-of-fold probabilities contradict."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from brain_tumor_clf import find_label_issues

LOGITS = Path(__file__).parents[2] / "benchmarks/many_sources/out_of_fold.csv"


def test_finds_labels_that_were_changed():
    pytest.importorskip("cleanlab")
    scans = pd.read_csv(LOGITS).query("source == 'kaggle'")
    classes = ["glioma", "meningioma", "notumor", "pituitary"]
    proba = softmax(scans[classes].to_numpy(), axis=1)
    y = scans["label"].to_numpy(copy=True)
    changed = np.random.default_rng(0).choice(len(y), 100, replace=False)
    y[changed] = [classes[classes.index(label) - 1] for label in y[changed]]
    issues = find_label_issues(y, proba, classes, groups=scans["group"])
    assert np.isin(changed, issues["position"]).mean() > 0.85
    assert np.isin(issues["position"][:100], changed).mean() > 0.6
    assert issues["quality"].is_monotonic_increasing
    assert (issues["label"] != issues["suggested"]).all()
    assert issues["group"].tolist() == scans["group"].iloc[issues["position"]].tolist()


def test_columns():
    pytest.importorskip("cleanlab")
    y = pd.Series(["b"] * 4 + ["a"] * 4, index=range(8, 0, -1))
    proba = pd.DataFrame([[0.1, 0.9]] * 3 + [[0.97, 0.03]] + [[0.9, 0.1]] * 4)
    issues = find_label_issues(y, proba, ["a", "b"], groups=list("ppqrrstu"))
    assert issues.to_dict("list") == {
        "position": [3],
        "label": ["b"],
        "suggested": ["a"],
        "quality": [0.03],
        "group": ["r"],
    }
    assert list(find_label_issues(y, proba, ["a", "b"]))[-1] == "quality"


def test_no_issue_and_a_class_that_no_image_has():
    pytest.importorskip("cleanlab")
    proba = [[0.9, 0.1, 0.0]] * 4 + [[0.1, 0.9, 0.0]] * 4
    issues = find_label_issues(["a"] * 4 + ["b"] * 4, proba, ["a", "b", "other"])
    assert list(issues) == ["position", "label", "suggested", "quality"]
    assert issues.empty


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"proba": [[3.0, -1.0], [0.0, 2.0]]}, "from -1 to 3. Apply softmax"),
        ({"proba": [[0.5, 0.6], [0.5, 0.5]]}, "sum to 1"),
        ({"proba": [[np.nan, 0.6], [0.5, 0.5]]}, "proba contains NaN"),
        ({"proba": [[0.2, 0.3, 0.5]] * 2}, "each of the 2 classes, got 3"),
        ({"proba": [[0.5, 0.5]]}, "inconsistent numbers"),
        ({"groups": [1]}, "inconsistent numbers"),
        ({"proba": [[1.0]] * 2}, "minimum of 2"),
        ({"y": ["a", None]}, "Unknown label in y None"),
        ({"y": ["a", "bb"]}, "Unknown label in y 'bb'. Did you mean 'b'"),
    ],
)
def test_errors(changes, message):
    given = {"y": ["a", "b"], "proba": [[0.5, 0.5]] * 2, "classes": ["a", "b"]}
    with pytest.raises(ValueError, match=message):
        find_label_issues(**given | changes)


def test_starts_no_backend_and_says_what_is_missing():
    code = """
import sys
from brain_tumor_clf import find_label_issues
proba = [[0.9, 0.1]] * 4 + [[0.1, 0.9]] * 4
given = ["a"] * 4 + ["b"] * 4, proba, ["a", "b"]
if len(sys.argv) > 1:
    sys.modules["cleanlab.filter"] = None
find_label_issues(*given)
assert not {"tensorflow", "keras", "torch"} & set(sys.modules)
"""
    pytest.importorskip("cleanlab")
    subprocess.run([sys.executable, "-c", code], check=True)
    done = subprocess.run(
        [sys.executable, "-c", code, "without"], capture_output=True, text=True
    )
    assert "pip install 'brain-tumor-clf[labels]'" in done.stderr.splitlines()[-1]
