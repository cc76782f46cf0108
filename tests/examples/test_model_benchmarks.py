"""The programs that train and measure the packaged model run on a few phantoms."""

import json

import numpy as np
import pytest
from scipy.special import softmax

from brain_tumor_clf import (
    SimpleCNNClassifier,
    load,
    make_mri_pipeline,
    save,
    write_brain_mri,
)

pytestmark = pytest.mark.slow


def test_training_anew_goes_on_where_it_stopped(run_program, tmp_path):
    write_brain_mri(tmp_path / "scans", 80, image_size=32, random_state=0)
    command = (
        "benchmarks/packaged_model/train.py",
        *("scans", "-o", "runs", "--n-folds", 2, "--epochs", 1, "--image-size", 32),
    )
    first = run_program(*command, "--only", "0")
    assert "fine_tuned, seed 0, part 0" in first
    assert "linear, seed 0, part 0" in first
    assert not (tmp_path / "runs" / "brain-mri-lite0.btc").exists()
    out = run_program(*command)
    assert "part 0" not in out
    assert "part 1" in out
    assert "part all" in out
    results = json.loads((tmp_path / "runs" / "brain-mri-lite0.json").read_text())
    assert results["data"]["n_images"] == 80
    assert results["image_size"] == [32, 32]
    assert sum(map(sum, results["report"]["confusion_matrix"]["counts"])) == 80
    assert len(results["folds"]) == 2
    assert results["robustness"][0]["unchanged"] == 1
    pipe = load(tmp_path / "runs" / "brain-mri-lite0.btc")
    card = pipe.metadata_["model_card"]
    assert card == (tmp_path / "runs" / "model_card.md").read_text()
    assert "{{" not in card
    assert hasattr(pipe, "guard_")
    # A stack of the members as trained on all images, weighed as the numbers say.
    paths = [str(path) for path in sorted((tmp_path / "scans").rglob("*.png"))[:8]]
    weights, biases = (results["combination"][key] for key in ("weights", "biases"))
    pooled = np.array(list(biases.values())) + sum(
        weights[member] * load(tmp_path / "runs" / file).decision_function(paths)
        for member, file in (
            ("fine_tuned", "seed-0-all.btc"),
            ("linear", "linear-all.btc"),
        )
    )
    np.testing.assert_allclose(
        softmax(pooled, axis=1), pipe.predict_proba(paths), atol=0.01
    )


def test_robustness(run_program, tmp_path):
    scans = write_brain_mri(tmp_path / "scans", 32, image_size=48, random_state=0)
    clf = SimpleCNNClassifier((8, 16), epochs=6, random_state=0)
    save(make_mri_pipeline(clf, 32).fit(scans.data, scans.target), tmp_path / "m.btc")
    out = run_program("benchmarks/robustness.py", "m.btc", "scans", "--json", "r.json")
    rows = json.loads((tmp_path / "r.json").read_text())
    assert rows[0]["change"] == "as they are"
    assert rows[0]["unchanged"] == 1
    assert len(rows) == 13
    assert any(row["unchanged"] < 1 for row in rows)
    assert out.count("\n| ") == 12 + 1


def test_the_learning_curve_of_an_adaptation_is_measured(run_program, tmp_path):
    scans = write_brain_mri(tmp_path / "scans", 96, image_size=32, random_state=0)
    table = scans.frame.assign(group=range(96), source=["kaggle", "elsewhere"] * 48)
    table.to_csv(tmp_path / "table.csv", index=False)
    cnn = SimpleCNNClassifier(filters=(4, 8), epochs=1, random_state=0)
    model = make_mri_pipeline(cnn, 24).fit(scans.data, scans.target)
    save(model, tmp_path / "model.btc")
    out = run_program(
        "benchmarks/many_sources/adaptation.py",
        *("table.csv", "model.btc", "--source", "elsewhere", "--draws", 2),
    )
    for n in (5, 10, 20, 50):
        assert f"{n} cases a class: gain" in out
