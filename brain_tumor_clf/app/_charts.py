"""Figures of a model card, drawn from a model's metadata in the page's own colors."""

# A blue that is read on light and on dark pages alike.
ACCENT = "#4f8fd0"
_SOFT = "#8a94a3"


def confusion_chart(classes, counts):
    """Confusion matrix: share of each true class by predicted class.

    Parameters
    ----------
    classes : list of str
    counts : list of lists of int
        Rows are the true classes.

    Returns
    -------
    altair.LayerChart
    """
    import altair as alt
    import pandas as pd

    rows = [
        {
            "true": true,
            "predicted": predicted,
            "images": n,
            "share": n / (sum(row) or 1),
        }
        for true, row in zip(classes, counts, strict=True)
        for predicted, n in zip(classes, row, strict=True)
    ]
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X("predicted:N", sort=classes, title="predicted", axis=_names(-35)),
        y=alt.Y("true:N", sort=classes, title="true", axis=_names()),
        tooltip=["true", "predicted", "images", alt.Tooltip("share:Q", format=".1%")],
    )
    cells = base.mark_rect(stroke=_SOFT, strokeWidth=0.3).encode(
        # Opacity of one color: the same scale on a light and on a dark page.
        opacity=alt.Opacity("share:Q", scale=alt.Scale(range=[0.04, 1]), legend=None),
        color=alt.value(ACCENT),
    )
    is_dark = alt.datum.share > 0.6
    numbers = base.mark_text(fontSize=14).encode(
        text=alt.Text("images:Q", format=","),
        color=alt.condition(is_dark, alt.value("white"), alt.value(_SOFT)),
    )
    return (cells + numbers).properties(height=56 * len(classes) + 90)


def reliability_chart(reliability):
    """Share of right predictions by their probability; bins as wide as they are.

    Parameters
    ----------
    reliability : Reliability

    Returns
    -------
    altair.LayerChart
    """
    import altair as alt
    import pandas as pd

    edges = reliability.edges
    bins = [
        {"from": low, "to": high, "right": share, "predictions": n}
        for low, high, share, n in zip(
            edges, edges[1:], reliability.accuracy, reliability.n, strict=False
        )
        if n
    ]
    bars = (
        alt.Chart(pd.DataFrame(bins))
        .mark_rect(color=ACCENT, stroke=_SOFT, strokeWidth=0.5)
        .encode(
            x=alt.X("from:Q", title="probability of the predicted class"),
            x2="to:Q",
            y=alt.Y("right:Q", title="share of right predictions", axis=_percent()),
            y2=alt.datum(0),
            # A bar of few images says little, and looks so.
            opacity=alt.Opacity(
                "predictions:Q",
                scale=alt.Scale(type="sqrt", domainMin=0, range=[0.08, 0.95]),
                legend=None,
            ),
            tooltip=["from", "to", alt.Tooltip("right:Q", format=".1%"), "predictions"],
        )
    )
    ends = pd.DataFrame({"x": [edges[0], 1], "y": [edges[0], 1]})
    ideal = (
        alt.Chart(ends).mark_line(color=_SOFT, strokeDash=[4, 4]).encode(x="x", y="y")
    )
    return (bars + ideal).properties(height=280)


def risk_coverage_chart(coverage, risk, abstention):
    """Share of wrong answers by the share of images that are answered at all.

    Parameters
    ----------
    coverage, risk : list of float
    abstention : Abstention or None
        Where the model stands is marked, if it is known.

    Returns
    -------
    altair.Chart or altair.LayerChart
    """
    import altair as alt
    import pandas as pd

    table = pd.DataFrame({"answered": coverage, "wrong": risk})
    chart = (
        alt.Chart(table.sort_values("answered"))
        .mark_line(color=ACCENT, strokeWidth=2.5)
        .encode(
            x=alt.X("answered:Q", title="share of images answered", axis=_percent()),
            y=alt.Y("wrong:Q", title="share of answers that err", axis=_percent(".1%")),
        )
    )
    if abstention is not None and abstention.coverage is not None:
        here = pd.DataFrame({"answered": [abstention.coverage]})
        chart += (
            alt.Chart(here)
            .mark_rule(color=_SOFT, strokeDash=[4, 4], strokeWidth=1.5)
            .encode(x="answered:Q")
        )
    return chart.properties(height=280)


def _names(angle=None):
    """An axis of names, each in the middle of its row or column."""
    import altair as alt

    options = {} if angle is None else {"labelAngle": angle}
    return alt.Axis(labelFlush=False, labelOverlap=False, **options)


def _percent(form=".0%"):
    import altair as alt

    return alt.Axis(format=form)
