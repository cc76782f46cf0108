"""An audit as table, page, picture and data."""

import pytest

from brain_tumor_clf import audit_dataset
from tests.reports.audits import check_views, save


def test_the_protocol_says_what_it_was_computed_on(leaky):
    protocol = leaky.to_dict()["protocol"]
    assert protocol["data"] == "16 training images, 8 test images"
    assert protocol["n"] == 24
    assert protocol["n_groups"] == leaky.images["group"].nunique()
    assert protocol["seed"] == 0
    assert {"brain-tumor-clf", "numpy", "scikit-learn"} <= set(protocol["versions"])
    assert "NearDuplicateGrouper" in " ".join(protocol["notes"])


def test_views(leaky):
    check_views(leaky)
    assert "| notumor | " in leaky.to_markdown()
    assert leaky.to_html().count("<img ") == 2 * len(leaky.pairs)
    assert leaky.to_frame("findings")["severity"].iloc[0] == "severe"
    assert len(leaky.to_frame()) == 24
    with pytest.raises(ValueError, match="Did you mean 'controls'"):
        leaky.to_frame("control")


def test_a_picture_that_is_gone_is_said_to_be(scans, tmp_path):
    path = save(scans.data[0], tmp_path / "scan.png")
    X, y = [*scans.data[:4], path], [*scans.target[:4], scans.target[0]]
    audit = audit_dataset(X, y, controls=False)
    assert "can no longer be read" not in audit.to_html()
    (tmp_path / "scan.png").unlink()
    assert "can no longer be read" in audit.to_html()


def test_page_is_written(leaky, tmp_path):
    text = leaky.to_html(tmp_path / "audit.html", n_pairs=1)
    assert (tmp_path / "audit.html").read_text(encoding="utf-8") == text
    assert text.count("<img ") == 2


def test_plot(leaky, scans):
    plt = pytest.importorskip("matplotlib.pyplot")
    for audit in (leaky, audit_dataset(scans.data[:1], ["notumor"])):
        assert audit.plot() is audit
        audit.figure_.canvas.draw()
        assert len(audit.axes_) == 4
        plt.close(audit.figure_)
