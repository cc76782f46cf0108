"""Weights by class within source."""

import numpy as np
import pandas as pd
import pytest

from brain_tumor_clf import source_balanced_weight


@pytest.fixture(scope="module")
def table():
    """Images of a large source, and of three with one class or two."""
    counts = {
        ("home", "glioma"): 60,
        ("home", "notumor"): 90,
        ("home", "pituitary"): 30,
        ("a", "glioma"): 100,
        ("b", "glioma"): 4,
        ("b", "notumor"): 25,
        ("c", "notumor"): 1,
    }
    rows = [key for key, n in counts.items() for _ in range(n)]
    table = pd.DataFrame(rows, columns=["source", "label"])
    return table.sample(frac=1, random_state=0)


def totals(table, by, **options):
    weight = source_balanced_weight(table.label, table.source, **options)
    assert weight.mean() == pytest.approx(1)
    return (
        pd.Series(weight / len(weight)).groupby([table[c].to_numpy() for c in by]).sum()
    )


def test_classes_weigh_alike_and_sources_by_the_root_of_their_size(table):
    assert totals(table, ["label"]).tolist() == pytest.approx([1 / 3] * 3)
    by_source = totals(table, ["label", "source"])["glioma"]
    expected = np.sqrt([100, 4, 60])
    np.testing.assert_allclose(by_source, expected / expected.sum() / 3)


def test_classes_weigh_alike_at_home_and_elsewhere(table):
    total = totals(table, ["source", "label"], home="home", home_share=0.6)
    assert total["home"].tolist() == pytest.approx([0.2] * 3)
    elsewhere = total[["a", "b", "c"]].groupby(level=1).sum()
    assert elsewhere.tolist() == pytest.approx([0.2, 0.2])
    assert total["a", "glioma"] == pytest.approx(5 * total["b", "glioma"])


def test_one_source_is_balanced_by_class():
    weight = source_balanced_weight([0, 0, 0, 1], [7] * 4, home=7)
    np.testing.assert_allclose(weight, [2 / 3] * 3 + [2])


@pytest.mark.parametrize(
    ("sources", "options", "said"),
    [
        (["a", "b", "a"], {}, "inconsistent numbers"),
        (["a", None], {}, "sources has 1 missing values"),
        (["a", "b"], {"home": "c"}, "home='c' is none of the sources: a, b"),
        (["a", "b"], {"home_share": 1.0}, "home_share"),
    ],
)
def test_wrong_use_is_named(sources, options, said):
    with pytest.raises(ValueError, match=said):
        source_balanced_weight(["x", "y"], sources, **options)
