"""Charts of the model card, drawn from a model's metadata.

Each function returns an ``altair.LayerChart``.
"""

_ACCENT = "#4f8fd0"  # a blue that is legible on light and on dark pages
_SOFT = "#8a94a3"
_HEIGHT = 280  # pixels


def confusion_chart(classes, counts):
    """Draw a confusion matrix; the rows of `counts` are the true classes."""
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
    names = {"labelFlush": False, "labelOverlap": False}
    x_axis, y_axis = alt.Axis(labelAngle=-35, **names), alt.Axis(**names)
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X("predicted:N", sort=classes, title="predicted", axis=x_axis),
        y=alt.Y("true:N", sort=classes, title="true", axis=y_axis),
        tooltip=["true", "predicted", "images", alt.Tooltip("share:Q", format=".1%")],
    )
    cells = base.mark_rect(stroke=_SOFT, strokeWidth=0.3).encode(
        # Opacity of one color: the same scale on a light and on a dark page.
        opacity=alt.Opacity("share:Q", scale=alt.Scale(range=[0.04, 1]), legend=None),
        color=alt.value(_ACCENT),
    )
    is_dark = alt.datum.share > 0.6
    numbers = base.mark_text(fontSize=14).encode(
        text=alt.Text("images:Q", format=","),
        color=alt.condition(is_dark, alt.value("white"), alt.value(_SOFT)),
    )
    return (cells + numbers).properties(height=56 * len(classes) + 90)


def reliability_chart(reliability):
    """Draw the accuracy of predictions by their probability, from a `Reliability`."""
    import altair as alt
    import pandas as pd

    edges = reliability.edges
    columns = (edges[:-1], edges[1:], reliability.accuracy, reliability.n)
    names = ("from", "to", "right", "predictions")
    bins = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    bars = alt.Chart(pd.DataFrame([row for row in bins if row["predictions"]]))
    bars = bars.mark_rect(color=_ACCENT, stroke=_SOFT, strokeWidth=0.5).encode(
        x=alt.X("from:Q", title="probability of the predicted class"),
        x2="to:Q",
        y=alt.Y("right:Q", title="accuracy", axis=alt.Axis(format=".0%")),
        y2=alt.datum(0),
        opacity=alt.Opacity(
            "predictions:Q",
            scale=alt.Scale(type="sqrt", domainMin=0, range=[0.08, 0.95]),
            legend=None,
        ),
        tooltip=["from", "to", alt.Tooltip("right:Q", format=".1%"), "predictions"],
    )
    ends = pd.DataFrame({"x": [edges[0], 1], "y": [edges[0], 1]})
    ideal = alt.Chart(ends).mark_line(color=_SOFT, strokeDash=[4, 4])
    return (bars + ideal.encode(x="x", y="y")).properties(height=_HEIGHT)


def risk_coverage_chart(coverage, risk, abstention):
    """Draw selective risk by coverage; the coverage of an `Abstention` is marked."""
    import altair as alt
    import pandas as pd

    table = pd.DataFrame({"coverage": coverage, "risk": risk}).sort_values("coverage")
    curve = alt.Chart(table).mark_line(color=_ACCENT, strokeWidth=2.5)
    chart = curve.encode(
        x=alt.X("coverage:Q", axis=alt.Axis(format=".0%")),
        y=alt.Y("risk:Q", title="selective risk", axis=alt.Axis(format=".1%")),
    )
    if abstention is not None and abstention.coverage is not None:
        here = alt.Chart(pd.DataFrame({"coverage": [abstention.coverage]}))
        rule = here.mark_rule(color=_SOFT, strokeDash=[4, 4], strokeWidth=1.5)
        chart += rule.encode(x="coverage:Q")
    return chart.properties(height=_HEIGHT)
